"""How far apart two decoded pictures are: by what the judge sees in them, or by their pixels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from explorer.tabs.vae.engine import Vae

JUDGED_SIZE = 64
CHUNK = 64  # pictures looked at in one call


@dataclass(frozen=True)
class Eye:
    """d(x, y) = root of the mean of (phi(x) - phi(y))^2 over `phi`'s outputs. `unit` and `words` are for the page."""

    name: str
    unit: str
    words: str
    phi: Callable[[torch.Tensor], torch.Tensor]  # (B, 3, S, S) about [-1, 1] -> (B, M)

    def see(self, vae: Vae, z: torch.Tensor) -> torch.Tensor:
        """(B, D) -> phi of the decoder's pictures (B, M), differentiable in z."""
        return self.phi(vae.net.decode(z).clamp(-1, 1))  # as it is shown

    @torch.inference_mode()
    def features(self, vae: Vae, z: np.ndarray, tick: Callable[[float], None] = lambda share: None) -> torch.Tensor:
        """The same for many codes, without gradients, on the CPU. `tick(share)` is called along the way."""
        where, parts = next(vae.net.parameters()).device, []
        for start in range(0, len(z), CHUNK):
            part = torch.as_tensor(np.ascontiguousarray(z[start : start + CHUNK]), dtype=torch.float32)
            parts.append(self.see(vae, part.to(where)).cpu())
            tick(min(1.0, (start + CHUNK) / len(z)))
        return torch.cat(parts)


def pixels_of(pictures: torch.Tensor) -> torch.Tensor:
    return pictures.flatten(1) * 127.5  # grey levels of 8-bit pixels


PIXELS = Eye("pixels", "grey levels per pixel, RMS", "the difference of the pixels themselves (root mean square)", pixels_of)


def eye_of(vae: Vae) -> Eye:
    """The judge's last features for faces that it can read, else the pixels."""
    if not (vae.source.judged and vae.size == JUDGED_SIZE):
        return PIXELS
    from explorer.judge import engine

    return Eye("judge", "of φ, RMS over its 256 features", "our judge's features φ: its last layer before it names attributes",
               engine.load().net.trunk)  # fmt: skip


def distances(features: torch.Tensor) -> np.ndarray:
    """(F, M) -> (F - 1,): from each picture of a path to its next."""
    return (features[1:] - features[:-1]).square().mean(1).sqrt().numpy()


def lengths(eye: Eye, vae: Vae, path: np.ndarray) -> np.ndarray:
    """The same for a path of codes (F, D)."""
    return distances(eye.features(vae, path))
