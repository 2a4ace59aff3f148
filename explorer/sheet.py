"""Many small pictures as one, in rows: contact sheets, sample sheets, sprites."""

import numpy as np
from PIL import Image


def sheet(images: np.ndarray, columns: int, scale: int = 1) -> Image.Image:
    """(N, H, W, 3) uint8 -> one picture of `columns` per row, the last row filled up with white."""
    count, height, width, _ = images.shape
    rows = -(-count // columns)
    out = np.full((rows * columns, height, width, 3), 255, np.uint8)
    out[:count] = images
    out = out.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    picture = Image.fromarray(out)
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.LANCZOS)
