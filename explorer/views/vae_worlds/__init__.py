"""The three-world map and the dial of beta: latent maps side by side, one pointer that decodes in all of them.

One part of the VAE tab; `vae_common/part.js` shows it. Speaks to the routes below `/gradio_api/x/<routes>/worlds/`.
All scripts share one scope, in the order below, so no name may be declared twice.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../elements.js", "../transfer.js",
    "../vae_common/wire.js", "../vae_common/part.js", "../vae_common/picker.js", "plane.js", "cloud.js",
    "holes.js", "boards.js", "map.js", "world.js", "curve.js", "dial.js", "manifold.js", "draws.js", "quiz.js", "python.js",
    "files.js", "worlds.js",
)  # fmt: skip
STYLES = ("../vae_common/base.css", "worlds.css")


class VaeWorlds(gr.HTML):
    """The part over the routes below `/gradio_api/x/<routes>/worlds/`."""

    def __init__(self, routes: str = "vae", **kwargs):
        super().__init__(**parts(HERE, "worlds.html", STYLES, SCRIPTS), routes=routes, **kwargs)
