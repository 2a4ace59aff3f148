"""Inside the model: what each word attends to, a word swapped, the text encoder, the UNet and the decoder of one step, and sizes.

Speaks to the routes below `/gradio_api/x/<routes>/` and knows nothing else of the engines. It shows itself for the part "inside"
alone, asks for nothing before that, and follows the run and the step that the document's events "diffusion:run" and
"diffusion:step" name. All scripts share one scope, in the order below, so no name may be declared twice; each room has a factory
`make...(place, inside)` in a file of its own, and `inside` (inside.js) is all that rooms know of each other.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../segments.js",
    "wire.js", "pieces.js", "paint.js", "words.js", "looking.js", "swap.js", "matrix.js", "text.js", "unet.js", "skips.js",
    "decoder.js", "sizes.js", "inside.js",
)  # fmt: skip
STYLES = ("inside.css", "looking.css", "networks.css")


class DiffusionInside(gr.HTML):
    """The inside over the routes below `/gradio_api/x/<routes>/`."""

    def __init__(self, routes: str = "diffusion", **kwargs):
        super().__init__(**parts(HERE, "inside.html", STYLES, SCRIPTS, "page.css"), routes=routes, **kwargs)
