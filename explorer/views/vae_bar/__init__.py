"""The row on top of the VAE tab: its parts, and the model that they speak of.

Keeps `document.vae`: {part, model, picture, open(part), choose(model), look(picture), renew()}, and tells of changes by the
document's events "vae:part", "vae:model", "vae:picture" and "vae:models". The desk and the morph are the part "explore", which
this view shows and hides; every other part is a view that shows itself (`vae_common/part.js`).
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent


class VaeBar(gr.HTML):
    """The row over the routes below `/gradio_api/x/<routes>/`."""

    def __init__(self, routes: str = "vae", **kwargs):
        super().__init__(**parts(HERE, "bar.html", ("bar.css",), ("../dom.js", "bar.js")), routes=routes, **kwargs)
