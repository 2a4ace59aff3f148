"""The diffusion tab's desk: a prompt, its run as a film of true tensors, guidance that follows the finger, branches.

Speaks to the routes below `/gradio_api/x/<routes>/` and knows nothing else of the engines. All scripts share one scope, in the
order below, so no name may be declared twice; each section has a factory `make...(place, desk)` in a file of its own, and
`desk` (desk.js) is all that sections know of each other. Style sheets are scoped to the view by Gradio; what cannot stand in a
scoped rule (@keyframes) stands in page.css. The row on top also opens the parts that other views draw: they hear of it by the
document's event "diffusion:part", of the run that is shown by "diffusion:run", of the step by "diffusion:step", and ask for a
run by "diffusion:use". The latest of all this is kept at `document.diffusion`.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../elements.js", "../transfer.js",
    "wire.js", "parts.js", "icons.js", "symbols.js", "phrases.js", "settings.js", "films.js", "player.js", "desk.js", "bar.js",
    "prompt.js", "words.js", "own.js", "knobs.js", "progress.js", "draw.js", "stage.js", "transport.js", "strips.js", "mosaic.js",
    "chart.js", "guidance.js", "scales.js", "onestep.js", "tree.js", "branch.js", "versus.js", "export.js", "keys.js",
    "diffusion.js",
)  # fmt: skip
STYLES = ("base.css", "bar.css", "prompt.css", "stage.css", "strips.css", "guidance.css", "onestep.css", "tree.css")


class DiffusionDesk(gr.HTML):
    """The stepper over the routes below `/gradio_api/x/<routes>/`."""

    def __init__(self, routes: str = "diffusion", **kwargs):
        super().__init__(**parts(HERE, "desk.html", STYLES, SCRIPTS, "page.css"), routes=routes, **kwargs)
