"""Paths between codes, a board of four corners, and the sampling lab.

One part of the VAE tab; `vae_common/part.js` shows it. Speaks to the routes below `/gradio_api/x/<routes>/paths/`.
All scripts share one scope, in the order below, so no name may be declared twice.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../elements.js", "../transfer.js",
    "../vae_common/wire.js", "../vae_common/part.js", "../vae_common/picker.js",
    "charts.js", "faces.js", "plane.js", "strips.js", "drive.js", "board.js", "mix.js", "sampling.js", "paths.js",
)  # fmt: skip
STYLES = ("../vae_common/base.css", "paths.css", "strips.css", "board.css", "sampling.css")


class VaePaths(gr.HTML):
    """The part over the routes below `/gradio_api/x/<routes>/paths/`."""

    def __init__(self, routes: str = "vae", **kwargs):
        super().__init__(**parts(HERE, "paths.html", STYLES, SCRIPTS), routes=routes, **kwargs)
