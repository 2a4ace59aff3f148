"""The GAN lab's page: transport, settings, model overview, layered plot, curves, doctor, history and class, in one view.

Speaks to the routes below `/gradio_api/x/<routes>/` and knows nothing else of the engines. All scripts share one scope, in the
order below, so no name may be declared twice; each section has a factory `make...(section, lab)` in a file of its own, and
`lab` (lab.js) is all that sections know of each other. Style sheets are scoped to the view by Gradio; what cannot stand in a
scoped rule (@keyframes) stands in page.css.
"""

from pathlib import Path

import gradio as gr

HERE = Path(__file__).parent
SCRIPTS = (
    "wire.js", "field.js", "parts.js", "lines.js", "plot.js", "graph.js", "slow.js", "curves.js", "vanish.js",
    "doctor.js", "gallery.js", "history.js", "compare.js", "wall.js", "export.js", "bar.js", "controls.js", "data.js", "lab.js",
)  # fmt: skip
STYLES = (
    "lab.css", "parts.css", "bar.css", "controls.css", "data.css", "plot.css", "graph.css", "slow.css", "curves.css",
    "vanish.css", "doctor.css", "gallery.css", "history.css", "compare.css", "wall.css", "export.css",
)  # fmt: skip


class GanLab(gr.HTML):
    """The lab over the routes below `/gradio_api/x/<routes>/`."""

    def __init__(self, routes: str = "gan", **kwargs):
        super().__init__(
            html_template=_read("lab.html"),
            css_template="\n".join(_read(name) for name in STYLES),
            js_on_load="\n".join(_read(name) for name in SCRIPTS),
            head=f"<style>{_read('page.css')}</style>",
            apply_default_css=False,
            routes=routes,
            **kwargs,
        )


def _read(name: str) -> str:
    path = HERE / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""
