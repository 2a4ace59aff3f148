"""The one door between tensors in [-1, 1] and pixels."""

import numpy as np
import torch


def to_uint8(images: torch.Tensor) -> np.ndarray:
    """(B, C, H, W) in [-1, 1], clamped -> (B, H, W, C) uint8."""
    images = images.detach().clamp(-1, 1).add(1).mul(127.5).round()
    return images.to("cpu", torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def to_tensor(pixels: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """(B, H, W, C) uint8 -> (B, C, H, W) float32 in [-1, 1]."""
    images = torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
    return images.permute(0, 3, 1, 2).float().div(127.5).sub(1)


def psnr(pixels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB, per picture: two (B, H, W, C) of values 0 to 255 -> (B,), 100 where they agree."""
    mse = ((np.asarray(pixels, np.float64) - others) ** 2).mean((1, 2, 3)) / 255**2
    return -10 * np.log10(np.maximum(mse, 1e-10))
