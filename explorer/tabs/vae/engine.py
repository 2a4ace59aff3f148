"""Codes in, faces out, and back. Arrays only; knows nothing of sliders, pages or visitors."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from safetensors.torch import load_file

from explorer import assets, device, pixels
from explorer.tabs.vae import aggregate
from explorer.tabs.vae import model as vae
from explorer.tabs.vae.objective import precision
from explorer.tabs.vae.sources import AVATARS, BY_NAME

MODEL = "vae/avatars"
MADE_BY = "python -m explorer.tabs.vae.train"
FAR = 12.0  # no code of a face has a coordinate beyond 6; past 12 the decoder only saturates
BATCH = 128  # bounds the memory of one call; the work per image no longer falls beyond it

@dataclass(frozen=True)
class Code:
    """The posterior q(z|x) = N(mu, sigma^2) of B pictures and its KL from N(0, 1) in nats; each (B, D) float32."""

    mu: np.ndarray
    sigma: np.ndarray
    kl: np.ndarray


@dataclass(frozen=True)
class Gallery:
    """Held-out pictures: pixels (N, size, size, 3) uint8, their codes and captions."""

    images: np.ndarray
    codes: Code
    captions: list[str]


@cache
def load(model: str = MODEL) -> "Vae":
    """The model of that name, loaded once and shared. Raises assets.Missing where it is not here or not whole."""
    card = assets.card(model, MADE_BY)
    tensors = load_file(assets.weights(model, MADE_BY))
    tensors = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    mixture = {k: tensors.pop(k) for k in list(tensors) if k.startswith(aggregate.PREFIX)}
    net = vae.Vae(vae.Config(**card["config"]))
    net.load_state_dict(tensors)
    settings, data = card["settings"], card["data"]["name"]
    sigma = (settings["sigma"] / precision(net.config.size, data).sqrt()).numpy()
    facts = {"title": f"Faces, {net.config.latent_dim} numbers", "beta": settings["beta"], "version": card["sha256"][:8]}
    return Vae(net, BY_NAME.get(data, AVATARS), sigma, facts, axes=card["axes"], mixture=mixture, card=card)


class Vae:
    """A trained VAE behind arrays. Holds no state but its frozen weights, so visitors can share it.

    sigma: (size, size) float32, the decoder's sigma per pixel, for pixels in [-1, 1]: p(x|z) = N(decode(z), sigma^2).
    source: pictures to ask it about, and what is known of them. facts: title, beta, version, for the page.
    far: the largest coordinate that is decoded.
    """

    def __init__(self, net: vae.Vae, source, sigma: np.ndarray, facts: dict, *, axes=None, mixture=None, card=None, far=FAR):
        self.source, self.sigma, self.facts, self.card = source, sigma, facts, card or {}
        self.far = far
        self._device = device.choose().torch
        self._net = net.eval().requires_grad_(False)
        self._net.to(self._device, memory_format=torch.channels_last)  # halves the decoder's time on a CPU
        self._mixture = mixture

        self.size: int = net.config.size
        self.dims: int = net.config.latent_dim
        self._axes = axes

    @property
    def net(self) -> vae.Vae:
        """The network itself, frozen, for engines that need its gradients or its likelihood."""
        return self._net

    @cached_property
    def axes(self) -> list[dict]:
        """Per dimension {kl: nats, of pictures that no training saw; effect: the attribute it moves most or "", share}."""
        if self._axes is None:
            kl = self.encode(self.source.batch(min(500, self.source.unseen))[0]).kl.mean(0)
            self._axes = [{"kl": round(float(k), 3), "effect": "", "share": 0.0} for k in kl]
        return self._axes

    @cached_property
    def order(self) -> list[int]:
        """Dimensions by what they hold, the fullest first."""
        return sorted(range(self.dims), key=lambda d: -self.axes[d]["kl"])

    @cached_property
    def mixture(self) -> dict[str, torch.Tensor]:
        """The aggregate posterior as a Gaussian mixture (`aggregate.draw`)."""
        if self._mixture is None:
            codes = self.encode(self.source.batch(2000)[0])
            rng = torch.Generator().manual_seed(0)
            z = torch.from_numpy(codes.mu) + torch.from_numpy(codes.sigma) * torch.randn(codes.mu.shape, generator=rng)
            self._mixture = aggregate.fit(z, components=min(24, max(1, len(z) // 60)), seed=0)
        return self._mixture

    @torch.inference_mode()
    def encode(self, images: np.ndarray) -> Code:
        """(B, size, size, 3) uint8 -> the posterior of each. Raises ValueError for another shape or type."""
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (self.size, self.size, 3):
            raise ValueError(f"A picture must be {self.size} x {self.size} RGB pixels of 8 bits.")
        parts = []
        for start in range(0, len(images), BATCH):
            x = pixels.to_tensor(images[start : start + BATCH], self._device)
            mu, logvar = self._net.encode(x.contiguous(memory_format=torch.channels_last))
            parts.append([t.cpu().numpy() for t in (mu, (0.5 * logvar).exp(), vae.kl(mu, logvar))])
        return Code(*(np.concatenate(part) for part in zip(*parts)))

    @torch.inference_mode()
    def decode(self, z: np.ndarray) -> np.ndarray:
        """(B, D) -> (B, size, size, 3) uint8: the decoder's mean pictures.

        Raises ValueError for another width, for NaN, and for values no picture has (beyond `far`).
        """
        z = self._codes(z)
        parts = []
        for start in range(0, len(z), BATCH):
            batch = torch.from_numpy(z[start : start + BATCH]).to(self._device)
            parts.append(pixels.to_uint8(self._net.decode(batch)))
        return np.concatenate(parts)

    def sample(self, n: int, seed: int, temperature: float = 1.0, source: str = "aggregate") -> np.ndarray:
        """`n` random codes (n, D) float32, the same for the same seed; temperature scales the spread about the mean.

        "prior" draws from N(0, I), "aggregate" from a Gaussian mixture fitted to the codes of training faces.
        Raises ValueError for a source, count or temperature that does not exist.
        """
        if source not in ("aggregate", "prior"):
            raise ValueError("Faces are drawn from 'aggregate' or from 'prior'.")
        if not 1 <= n <= 256:
            raise ValueError("Between 1 and 256 faces can be drawn at once.")
        if not 0 <= temperature <= 3:
            raise ValueError("The temperature must lie between 0 and 3.")
        rng = torch.Generator().manual_seed(int(seed) % 2**63)
        if source == "prior":
            return (temperature * torch.randn(n, self.dims, generator=rng)).numpy()
        return aggregate.draw(self.mixture, n, rng, temperature).clamp(-self.far, self.far).numpy()

    def film(self, z: np.ndarray, dim: int, values: np.ndarray) -> np.ndarray:
        """(D,) -> (F, size, size, 3) uint8: the face of z with z[dim] replaced by each of F values, in one batch."""
        z = self._codes(np.asarray(z)[None])
        if not 0 <= dim < self.dims:
            raise ValueError(f"There are {self.dims} dimensions, 0 to {self.dims - 1}; there is no {dim}.")
        frames = np.repeat(z, len(values), axis=0)
        frames[:, dim] = values
        return self.decode(frames)

    def morph(self, a: np.ndarray, b: np.ndarray, frames: int = 33) -> np.ndarray:
        """(D,), (D,) -> (frames, size, size, 3) uint8: z(t) = (1 - t) a + t b for t = 0 ... 1, in one batch.

        Its ends are the faces of exactly a and b.
        """
        if not 2 <= frames <= BATCH:
            raise ValueError(f"A morph has 2 to {BATCH} frames.")
        a, b = self._codes(np.stack([a, b]))
        t = np.linspace(0, 1, frames, dtype=np.float32)[:, None]
        path = (1 - t) * a + t * b
        return self.decode(path)

    @cached_property
    def _gallery(self) -> Gallery:
        images, captions = self.source.gallery()
        return Gallery(images, self.encode(images), captions)

    def gallery(self) -> Gallery:
        """Two dozen pictures that no training saw; the first is the one to start on."""
        return self._gallery

    def _codes(self, z: np.ndarray) -> np.ndarray:
        z = np.array(z, dtype=np.float32)
        if z.ndim != 2 or z.shape[1] != self.dims or len(z) == 0:
            raise ValueError(f"A code is a list of {self.dims} numbers.")
        if not np.isfinite(z).all():
            raise ValueError("A code must hold finite numbers only.")
        if np.abs(z).max() > self.far:
            raise ValueError(f"A code's numbers must lie between {-self.far:g} and {self.far:g}.")
        return z
