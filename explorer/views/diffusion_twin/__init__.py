"""The diffusion tab's twin in the plane: the same sliders as an image run, with a score that is exact.

Speaks to the routes below `/gradio_api/x/<routes>/twin/` and knows nothing else of the engines. The page holds the mixture
itself, so that arrows, densities and the numbers of a point follow the finger without a request; films come as packed numbers.
Shows itself only for the part "twin" (the event "diffusion:part", or the link's `part`) and asks nothing before. All scripts
share one scope, in the order below, so no name may be declared twice. Small pieces and charts are those of the CLIP lessons.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../transfer.js", "../segments.js", "../ticks.js",
    "../clip_lessons/pieces.js", "../clip_lessons/chart.js", "mix.js", "pack.js", "ink.js", "plot.js", "brush.js", "film.js",
    "probe.js", "controls.js", "panels.js", "guide.js", "cover.js", "bound.js", "twin.js",
)  # fmt: skip
STYLES = ("../lessons-base.css", "twin.css", "film.css", "lessons.css")


class DiffusionTwin(gr.HTML):
    """The twin over the routes below `/gradio_api/x/<routes>/twin/`."""

    def __init__(self, routes: str = "diffusion", **kwargs):
        super().__init__(**parts(HERE, "twin.html", STYLES, SCRIPTS, "page.css"), routes=routes, **kwargs)
