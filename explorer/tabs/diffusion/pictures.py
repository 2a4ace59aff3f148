"""Pictures that a page brought along, for img2img: a few per page, kept small."""

import io
import secrets
import threading
from collections import OrderedDict

import numpy as np
from PIL import Image, ImageOps

from explorer import corpus, uploads

KEPT = 8  # of one page; older ones go
SIDE = 1024  # pixels of the longer side that are kept: as large as any model here paints


class Pictures:
    """Pictures by the name that `keep` gave them. Safe from any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def keep(self, data: bytes) -> dict:
        """Any image file: {picture: its name here, width, height, note}. Raises uploads.BadImage."""
        image, note = uploads.open_picture(data, SIDE)
        width, height = image.size
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        name = secrets.token_hex(6)  # never given twice: browsers keep what they have fetched
        with self._lock:
            self._kept[name] = file.getvalue()
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return {"picture": name, "width": width, "height": height, "note": note}

    def get(self, name: str) -> Image.Image:
        """Raises ValueError for one that is gone."""
        with self._lock:
            data = self._kept.get(str(name))
        if data is None:
            raise ValueError("This picture is no longer here; please bring it again.")
        return Image.open(io.BytesIO(data)).convert("RGB")


def face(number) -> Image.Image:
    """A face of the corpus that no model was trained on. Raises ValueError."""
    faces = corpus.SPLITS["test"]
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(faces):
        raise ValueError(f"There are {len(faces):,} faces, 0 to {len(faces) - 1:,}.")
    return Image.fromarray(corpus.render([faces.start + number])[0])


def square(image: Image.Image, side: int) -> np.ndarray:
    """The middle square at `side` x `side`: (H, W, 3) uint8, as a model takes it."""
    return np.array(ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS))
