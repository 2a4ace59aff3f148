"""A desk for one code: the face it decodes to, and a slider for each of its numbers.

Speaks to a model through binary routes (`<routes>/start`, `decode`, `film`, `ends`, `encode`, `sample`, `gallery`) and
knows nothing else of it. On its root element it leaves `desk`, through which a neighbour may read and set the face.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
STYLES = ("desk.css",)
SCRIPTS = ("../dom.js", "numbers.js", "wire.js", "pictures.js", "rows.js", "chart.js", "desk.js")  # one scope, in this order


class LatentDesk(gr.HTML):
    """The desk over the routes below `/gradio_api/x/<routes>/`."""

    def __init__(self, routes: str, **kwargs):
        super().__init__(**parts(HERE, "desk.html", STYLES, SCRIPTS, "page.css"), routes=routes, **kwargs)
