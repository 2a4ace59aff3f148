"""A desk for one code: the face it decodes to, and a slider for each of its numbers.

Speaks to a model through binary routes (`<routes>/start`, `decode`, `film`, `ends`, `encode`, `sample`, `gallery`) and
knows nothing else of it. On its root element it leaves `desk`, through which a neighbour may read and set the face.
"""

from pathlib import Path

import gradio as gr

HERE = Path(__file__).parent
SCRIPTS = ("numbers.js", "wire.js", "pictures.js", "rows.js", "chart.js", "desk.js")  # share one scope, in this order


class LatentDesk(gr.HTML):
    """The desk over the routes below `/gradio_api/x/<routes>/`."""

    def __init__(self, routes: str, **kwargs):
        super().__init__(
            html_template=_read("desk.html"),
            css_template=_read("desk.css"),
            js_on_load="\n".join(_read(name) for name in SCRIPTS),
            head=f"<style>{_read('page.css')}</style>",
            apply_default_css=False,
            routes=routes,
            **kwargs,
        )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
