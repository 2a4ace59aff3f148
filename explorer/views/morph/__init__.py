"""Two faces and the film between them. Reads faces from a latent desk on the same page, shows the film in a Film view.

Use it as a context and put the Film inside: `with Morph(routes="vae", desk="#vae-desk"): Film()`.
"""

from pathlib import Path

import gradio as gr

HERE = Path(__file__).parent


class Morph(gr.HTML):
    """Slots A and B over the route `<routes>/morph`. `desk` selects the desk; `pair` are the gallery's faces to begin with."""

    def __init__(self, routes: str, desk: str, pair: tuple[int, int] = (0, 1), frames: int = 33, **kwargs):
        super().__init__(
            html_template=_read("morph.html"),
            css_template=_read("morph.css"),
            js_on_load=_read("morph.js"),
            apply_default_css=False,
            routes=routes,
            desk=desk,
            pair=list(pair),
            frames=frames,
            **kwargs,
        )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
