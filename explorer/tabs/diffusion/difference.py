"""Two runs, frame by frame: where and how much their pictures and their latents differ."""

import numpy as np

from explorer.tabs.diffusion import frames

GAIN = (1.0, 16.0)  # by which differences are multiplied for the eye


def _both(a, b, view: str) -> range:
    """The frames that both runs have. Raises ValueError where they cannot be compared."""
    if a.model is not b.model:
        raise ValueError("Only runs of the same model can be compared.")
    if view not in ("x", "x0", "final"):
        raise ValueError("Runs are compared by x, x0 or final.")
    both = min(frames.count(a, view), frames.count(b, view))
    if not both:
        raise ValueError("One of these runs has made no step yet.")
    if frames.latents(a, view, [0]).shape != frames.latents(b, view, [0]).shape:
        raise ValueError("Only pictures of the same size can be compared.")
    return range(both)


def strip(a, b, view: str = "x0", decoder: str = "full", gain: float = 1.0) -> np.ndarray:
    """(F, H, W, 3) uint8: |a - b| per colour, times `gain`."""
    both = _both(a, b, view)
    one, two = (frames.strip(run, view, decoder, both).astype(np.int16) for run in (a, b))
    return np.clip(np.abs(one - two) * gain, 0, 255).astype(np.uint8)


def told(a, b, view: str = "x0", decoder: str = "full") -> dict:
    """Per frame: the mean difference of the pixels (0 to 255), and of the latents (root mean square, and its cosine)."""
    both = _both(a, b, view)
    pixels = strip(a, b, view, decoder).astype(np.float64).mean((1, 2, 3))
    one, two = (frames.latents(run, view, both).double().flatten(1) for run in (a, b))
    rms = (one - two).square().mean(1).sqrt()
    cosine = (one * two).sum(1) / (one.norm(dim=1) * two.norm(dim=1)).clamp(min=1e-12)
    return {
        "a": a.id, "b": b.id, "view": view,
        "frames": [{"frame": k, "pixels": float(pixels[k]), "rms": float(rms[k]), "cos": float(cosine[k])} for k in both],
    }  # fmt: skip
