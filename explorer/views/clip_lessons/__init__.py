"""The lessons of the CLIP tab: the contrastive matrix, an image's tokens, probes, and the index laboratory.

Speaks to the routes below `/gradio_api/x/<routes>/` and knows nothing else of the engines. It draws one part at a time: the
one that the event "clip:part" or the link's `part` names, and nothing while that belongs to another view. All scripts share
one scope, in the order below, so no name may be declared twice; each lesson has a factory `make...(section, lab)` in a file
of its own, and `lab` (lessons.js) is all that lessons know of each other.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../transfer.js", "../segments.js", "../ticks.js",
    "wire.js", "pieces.js", "contrast.js", "chart.js", "pictures.js", "picker.js", "grid.js", "pairs.js", "equation.js",
    "sheet.js", "matrix.js", "fresh.js", "batches.js", "maps.js", "tokens.js", "prompts.js", "order.js", "arithmetic.js",
    "attack.js", "gap.js", "probes.js", "indexlab.js", "lessons.js",
)  # fmt: skip
STYLES = ("../lessons-base.css", "lessons.css", "matrix.css", "fresh.css", "tokens.css", "probes.css", "indexlab.css")


class ClipLessons(gr.HTML):
    """The lessons over the routes below `/gradio_api/x/<routes>/`."""

    def __init__(self, routes: str = "clip", **kwargs):
        super().__init__(**parts(HERE, "lessons.html", STYLES, SCRIPTS, "page.css"), routes=routes, **kwargs)
