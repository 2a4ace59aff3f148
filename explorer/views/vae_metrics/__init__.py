"""Disentanglement in numbers, the rotation dial, the game of naming a slider, and maps of the codes.

One part of the VAE tab; `vae_common/part.js` shows it. Speaks to the routes below `/gradio_api/x/<routes>/metrics/`.
All scripts share one scope, in the order below, so no name may be declared twice.
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../elements.js", "../transfer.js",
    "../vae_common/wire.js", "../vae_common/part.js", "../vae_common/picker.js",
    "words.js", "figures.js", "turning.js", "codes.js", "disc.js", "heat.js", "chart.js", "axis.js", "dial.js",
    "sheet.js", "game.js", "mapplot.js", "maps.js", "export.js", "metrics.js",
)  # fmt: skip
STYLES = ("../vae_common/base.css", "metrics.css")


class VaeMetrics(gr.HTML):
    """The part over the routes below `/gradio_api/x/<routes>/metrics/`."""

    def __init__(self, routes: str = "vae", **kwargs):
        super().__init__(**parts(HERE, "metrics.html", STYLES, SCRIPTS), routes=routes, **kwargs)
