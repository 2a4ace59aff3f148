"""A small VAE that is trained on the page: its film of maps, reconstructions and losses.

One part of the VAE tab; `vae_common/part.js` shows it. Speaks to the routes below `/gradio_api/x/<routes>/train/`.
All scripts share one scope, in the order below, so no name may be declared twice.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../elements.js", "../transfer.js",
    "../vae_common/wire.js", "../vae_common/part.js", "films.js", "map.js", "curves.js", "controls.js",
    "files.js", "compare.js", "stage.js", "train.js",
)  # fmt: skip
STYLES = ("../vae_common/base.css", "train.css")


class VaeTrain(gr.HTML):
    """The part over the routes below `/gradio_api/x/<routes>/train/`."""

    def __init__(self, routes: str = "vae", **kwargs):
        super().__init__(**parts(HERE, "train.html", STYLES, SCRIPTS), routes=routes, **kwargs)
