"""The GAN lab's page: transport, settings, model overview, layered plot, curves, doctor, history and class, in one view.

Speaks to the routes below `/gradio_api/x/<routes>/` and knows nothing else of the engines. All scripts share one scope, in the
order below, so no name may be declared twice; each section has a factory `make...(section, lab)` in a file of its own, and
`lab` (lab.js) is all that sections know of each other. Style sheets are scoped to the view by Gradio; what cannot stand in a
scoped rule (@keyframes) stands in page.css.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../transfer.js", "../floating.js",
    "wire.js", "field.js", "parts.js", "lines.js", "plot.js", "graph.js", "slow.js", "curves.js", "vanish.js",
    "doctor.js", "gallery.js", "history.js", "compare.js", "wall.js", "export.js", "bar.js", "controls.js", "data.js", "lab.js",
)  # fmt: skip
STYLES = (
    "lab.css", "parts.css", "bar.css", "controls.css", "data.css", "plot.css", "graph.css", "slow.css", "curves.css",
    "vanish.css", "doctor.css", "gallery.css", "history.css", "compare.css", "wall.css", "export.css",
)  # fmt: skip


class GanLab(gr.HTML):
    """The lab over the routes below `/gradio_api/x/<routes>/`."""

    def __init__(self, routes: str = "gan", **kwargs):
        super().__init__(**parts(HERE, "lab.html", STYLES, SCRIPTS, "page.css"), routes=routes, **kwargs)
