"""The corpus: captioned avatar faces, drawn from (seed, index), on which every image model here is trained."""

from .canvas import SIZE, draw
from .captions import caption, describe, stated
from .factors import COLOURS, FACTORS, HELD_OUT
from .splits import SPLITS, attributes, batch, held_out, render

__all__ = [
    "COLOURS", "FACTORS", "HELD_OUT", "SIZE", "SPLITS",
    "attributes", "batch", "caption", "describe", "draw", "held_out", "render", "stated",
]
