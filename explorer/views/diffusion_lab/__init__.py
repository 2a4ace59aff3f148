"""Two parts of the diffusion tab: the forward lab, and the three guidances side by side.

Speaks to the routes `forward/...` and `guidances/...` below `/gradio_api/x/<routes>/` and knows nothing else of the engines. It
draws the part that the event "diffusion:part" or the link's `part` names, and does nothing while that belongs to another view.
All scripts share one scope, in the order below, so no name may be declared twice; a part has a factory `make...(place, lab)`.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../transfer.js", "../segments.js", "../ticks.js",
    "pieces.js", "wire.js", "pictures.js", "heat.js", "chart.js", "transport.js",
    "subject.js", "levels.js", "predictor.js", "example.js", "forward.js",
    "wish.js", "way.js", "guidances.js", "lab.js",
)  # fmt: skip
STYLES = ("lab.css", "parts.css", "forward.css", "guidances.css")


class DiffusionLab(gr.HTML):
    """The two parts over the routes below `/gradio_api/x/<routes>/`."""

    def __init__(self, routes: str = "diffusion", **kwargs):
        super().__init__(**parts(HERE, "lab.html", STYLES, SCRIPTS, "page.css"), routes=routes, **kwargs)
