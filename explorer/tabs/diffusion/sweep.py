"""The guidance film: one step's picture for every guidance scale at once, so that a slider needs no request."""

import numpy as np
import torch

from explorer.tabs.diffusion import decoders, frames, guidance

SCALES = tuple(i / 2 for i in range(41))  # 0 to 20
MOST = 64  # scales of one request


def latents(run, index: int, scales=SCALES) -> torch.Tensor:
    """(W, C, h, w): the x0 estimates of step `index`. They lie on a line, of which two points are enough."""
    step = run.step(index)
    start, end = guidance.x0(step, 0.0), guidance.x0(step, 1.0)
    return start + torch.tensor(scales).view(-1, 1, 1, 1) * (end - start)


def strip(run, index: int, decoder: str = "full", scales=SCALES) -> np.ndarray:
    """(W, H, W, 3) uint8, decoded in one batch and remembered."""
    decoder = decoders.chosen(run.model, decoder, len(scales))
    side = frames.SIDE if len(scales) > 1 else 0
    return frames.remembered(
        run, ("sweep", index, decoder, side), scales,
        lambda missing: frames.reduced(decoders.decode(run.model, latents(run, index, missing), decoder), side),
    )  # fmt: skip
