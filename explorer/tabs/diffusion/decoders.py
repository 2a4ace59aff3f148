"""From latents to pixels, three ways: the autoencoder's decoder, a tiny one, and a linear map of each latent cell to RGB.

The linear map is A1111's and ComfyUI's cheapest preview; here its numbers are fitted to the model at hand.
"""

import threading

import numpy as np
import torch

from explorer import corpus
from explorer.pixels import to_uint8
from explorer.tabs.diffusion import autoencoder

KINDS = ("full", "tiny", "rgb")
BATCH_PIXELS = 64 * 64 * 64  # decoded at once on a CPU: 64 of our pictures, or one of Stable Diffusion's
FACES = 24  # pictures that the linear map is fitted to: some 1,500 cells for 5 x 3 numbers

LARGE = 256  # pixels a side from which a film's frames are decoded by the tiny decoder, whichever was asked for
AT_ONCE = 2  # decodings in all threads: more would gain nothing, and take the processor from runs that go on

_turns = threading.BoundedSemaphore(AT_ONCE)
_fitted: dict[str, torch.Tensor] = {}
_fitting = threading.Lock()


def kinds(model) -> list[str]:
    """The decoders that this model has, best first."""
    return [kind for kind in KINDS if kind != "tiny" or model.preview is not None]


def chosen(model, kind: str, frames: int = 1) -> str:
    """The decoder that serves for `kind`: a model without a tiny one uses its full one, and many large frames the tiny one, as
    Stable Diffusion's full decoder costs as much as three calls of its UNet. Raises ValueError for no decoder."""
    if kind == "full" and frames > 1 and model.size > LARGE:
        kind = "tiny"
    if kind not in KINDS:
        raise ValueError(f"A latent can be decoded by {', '.join(KINDS[:-1])} or {KINDS[-1]}; not by {str(kind)[:20]!r}.")
    return "full" if kind == "tiny" and model.preview is None else kind


@torch.no_grad()
def decode(model, latents: torch.Tensor, kind: str = "full") -> np.ndarray:
    """Latents (N, C, h, w) in the variance-preserving space -> (N, H, W, 3) uint8, in as few calls as memory allows.

    By "rgb" each cell of the latent is one colour, copied to the size of the other decoders' pictures.
    """
    kind = chosen(model, kind)
    if not len(latents):
        raise ValueError("There is nothing to decode.")
    if kind == "rgb":
        return enlarged(colours(model, latents), model.ratio)
    decoder = model.vae if kind == "full" else model.preview
    pixels = latents.shape[-2] * latents.shape[-1] * model.ratio**2
    roomy = 8 if next(decoder.parameters()).is_cuda else 1
    with _turns:
        return autoencoder.decode(decoder, latents, batch=max(1, roomy * BATCH_PIXELS // pixels))


def lay_out(decoder: torch.nn.Module | None) -> None:
    """Puts its channels last in memory: a quarter faster on a CPU, and the same numbers to 1e-5. Before anyone uses it."""
    if decoder is not None:
        decoder.to(memory_format=torch.channels_last)


def enlarged(cells: np.ndarray, times: int) -> np.ndarray:
    """(N, h, w, C) -> (N, times h, times w, C), each cell copied."""
    return cells.repeat(times, axis=1).repeat(times, axis=2)


# ---- The linear map ------------------------------------------------------------------------------------------------------


def colours(model, latents: torch.Tensor, bias: bool = True) -> np.ndarray:
    """Latents (N, C, h, w) -> one colour per cell, (N, h, w, 3) uint8.

    Without `bias` for noises, which have no brightness: zero is middle grey, and no colour of unit noise deviates by more than 1.
    """
    weight, rest = matrix(model).split([latents.shape[1], 1])
    if not bias:
        weight, rest = weight / weight.norm(dim=0).max(), torch.zeros_like(rest)
    return to_uint8(torch.einsum("nchw,ck->nkhw", latents.float().cpu(), weight) + rest.view(1, 3, 1, 1))


def matrix(model) -> torch.Tensor:
    """(C + 1, 3): what each latent channel adds to red, green and blue in [-1, 1], and in the last row what is there without.

    Least squares between latents of the corpus's faces and their decoded pictures, reduced to a colour per cell.
    """
    key = str(model.folder)
    with _fitting:
        if key not in _fitted:
            if len(_fitted) > 8:
                _fitted.clear()
            _fitted[key] = _fit(model)
        return _fitted[key]


@torch.no_grad()
def _fit(model) -> torch.Tensor:
    pixels, _ = corpus.batch("val", 0, FACES)
    latents = autoencoder.encode(model.vae, pixels, batch=8) * model.vae.config.scaling_factor
    times = model.ratio
    decoded = autoencoder.decode(model.vae, latents, batch=8).astype(np.float32) / 127.5 - 1
    n, height, width, _ = decoded.shape
    cells = decoded.reshape(n, height // times, times, width // times, times, 3).mean((2, 4))
    known = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
    known = torch.cat([known, torch.ones(len(known), 1)], 1)
    return torch.linalg.lstsq(known, torch.from_numpy(cells).reshape(-1, 3)).solution
