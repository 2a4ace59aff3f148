"""Directions that mean something, their strength, what else they move, and arithmetic with faces.

One part of the VAE tab; `vae_common/part.js` shows it. Speaks to the routes below `/gradio_api/x/<routes>/attributes/`.
All scripts share one scope, in the order below, so no name may be declared twice.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../elements.js", "../transfer.js",
    "../vae_common/wire.js", "../vae_common/part.js", "../vae_common/picker.js",
    "edits.js", "faces.js", "curve.js", "wait.js", "compose.js", "stack.js", "ways.js", "own.js", "matrix.js", "keep.js",
    "equation.js", "exports.js", "attributes.js",
)  # fmt: skip
STYLES = ("../vae_common/base.css", "attributes.css")


class VaeAttributes(gr.HTML):
    """The part over the routes below `/gradio_api/x/<routes>/attributes/`."""

    def __init__(self, routes: str = "vae", **kwargs):
        super().__init__(**parts(HERE, "attributes.html", STYLES, SCRIPTS), routes=routes, **kwargs)
