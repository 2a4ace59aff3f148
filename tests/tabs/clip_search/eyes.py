"""A model that sees colours in a grid of 4 x 4: quick, exact, and the same for a picture whatever else is in its batch."""

import numpy as np
from PIL import Image


class Eyes:
    """What collections need of a model; see `explorer.tabs.clip_search.models.Model`."""

    name, dim, size, fingerprint = "eyes", 48, 16, "0123456789abcdef"

    def images(self, images) -> np.ndarray:
        """Pictures -> (N, 48) float32 of length 1."""
        images = [image if isinstance(image, Image.Image) else Image.fromarray(image) for image in images]
        assert all(image.mode == "RGB" for image in images)
        x = np.stack([np.asarray(image.resize((4, 4), Image.Resampling.BOX), np.float32) for image in images])
        x = x.reshape(len(images), -1) - 127.3
        return x / np.linalg.norm(x, axis=1, keepdims=True)
