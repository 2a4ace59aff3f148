"""Codes in, faces out, and back. Arrays only; knows nothing of sliders, pages or visitors."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from safetensors.torch import load_file

from explorer import assets, corpus, device, pixels
from explorer.tabs.vae import aggregate
from explorer.tabs.vae import model as vae

MODEL = "vae/avatars"
MADE_BY = "python -m explorer.tabs.vae.train"
FAR = 12.0  # no code of a face has a coordinate beyond 6; past 12 the decoder only saturates
BATCH = 128  # bounds the memory of one call; the work per image no longer falls beyond it

# Faces of the corpus's test split: a friendly few to begin with, then the first ones as they come.
GALLERY = (563, 448, 941, 791, *range(20))


@dataclass(frozen=True)
class Code:
    """The posterior q(z|x) = N(mu, sigma^2) of B pictures and its KL from N(0, 1) in nats; each (B, D) float32."""

    mu: np.ndarray
    sigma: np.ndarray
    kl: np.ndarray


@dataclass(frozen=True)
class Gallery:
    """Held-out faces of the corpus: pixels (N, 64, 64, 3) uint8, their codes and captions."""

    images: np.ndarray
    codes: Code
    captions: list[str]


@cache
def load(model: str = MODEL) -> "Vae":
    """The model of that name, loaded once and shared. Raises assets.Missing where it is not here or not whole."""
    return Vae(model)


class Vae:
    """A trained VAE behind arrays. Holds no state but its frozen weights, so visitors can share it."""

    def __init__(self, model: str = MODEL):
        self.card = assets.card(model, MADE_BY)
        tensors = load_file(assets.weights(model, MADE_BY))
        tensors = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
        self._mixture = {k: tensors.pop(k) for k in list(tensors) if k.startswith(aggregate.PREFIX)}

        self._device = device.choose().torch
        self._net = vae.Vae(vae.Config(**self.card["config"])).eval().requires_grad_(False)
        self._net.load_state_dict(tensors)
        self._net.to(self._device, memory_format=torch.channels_last)  # halves the decoder's time on a CPU

        self.size: int = self._net.config.size
        self.dims: int = self._net.config.latent_dim
        self.axes: list[dict] = self.card["axes"]
        self.order: list[int] = sorted(range(self.dims), key=lambda d: -self.axes[d]["kl"])

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

        Raises ValueError for another width, for NaN, and for values no face has (beyond 12 sigma of the prior).
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
        return aggregate.draw(self._mixture, n, rng, temperature).clamp(-FAR, FAR).numpy()

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
        indices = np.array(GALLERY) + corpus.SPLITS["test"].start
        images = corpus.render(indices)
        return Gallery(images, self.encode(images), [corpus.caption(row) for row in corpus.attributes(indices)])

    def gallery(self) -> Gallery:
        """24 faces that no training saw; the first is the one to start on."""
        return self._gallery

    def _codes(self, z: np.ndarray) -> np.ndarray:
        z = np.array(z, dtype=np.float32)
        if z.ndim != 2 or z.shape[1] != self.dims or len(z) == 0:
            raise ValueError(f"A code is a list of {self.dims} numbers.")
        if not np.isfinite(z).all():
            raise ValueError("A code must hold finite numbers only.")
        if np.abs(z).max() > FAR:
            raise ValueError(f"A code's numbers must lie between {-FAR:g} and {FAR:g}.")
        return z
