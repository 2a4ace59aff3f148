"""The door between tensors and pixels."""

import numpy as np
import torch

from explorer.pixels import psnr, to_tensor, to_uint8


def test_there_and_back_is_the_identity():
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    assert (to_uint8(to_tensor(pixels)) == pixels).all()
    assert to_tensor(pixels).shape == (1, 3, 16, 16)


def test_ends_of_the_range_and_what_lies_beyond():
    x = torch.tensor([-5.0, -1.0, 0.0, 1.0, 5.0]).reshape(1, 1, 1, 5)
    assert to_uint8(x).ravel().tolist() == [0, 0, 128, 255, 255]


def test_psnr_of_known_errors():
    x = np.zeros((2, 4, 4, 3))
    y = np.stack([x[0] + 25.5, x[1] + 2.55])  # a tenth and a hundredth of the peak
    np.testing.assert_allclose(psnr(x, y), [20, 40])
    assert psnr(x, x).tolist() == [100, 100]
