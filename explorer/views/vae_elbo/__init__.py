"""The ELBO of one picture as a bill, the reparametrisation board, and the decoder as a distribution.

One part of the VAE tab; `vae_common/part.js` shows it. Speaks to the routes below `/gradio_api/x/<routes>/elbo/`.
All scripts share one scope, in the order below, so no name may be declared twice.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../elements.js", "../transfer.js", "../ticks.js",
    "../vae_common/wire.js", "../vae_common/part.js", "../vae_common/picker.js",
    "numbers.js", "plot.js", "gauss.js", "pictures.js", "job.js", "lab.js", "editor.js", "lines.js", "settle.js", "walk.js",
    "bill.js", "bound.js", "graph.js", "contest.js", "board.js", "decoder.js", "blur.js", "python.js", "take.js", "elbo.js",
)  # fmt: skip
STYLES = ("../vae_common/base.css", "elbo.css", "board.css")


class VaeElbo(gr.HTML):
    """The part over the routes below `/gradio_api/x/<routes>/elbo/`."""

    def __init__(self, routes: str = "vae", **kwargs):
        super().__init__(**parts(HERE, "elbo.html", STYLES, SCRIPTS), routes=routes, **kwargs)
