"""The CLIP tab's search: words and pictures as one query, results that say how sure they are, why, classes and collections.

Speaks to the routes below `/gradio_api/x/<routes>/` and knows nothing else of the engines. All scripts share one scope, in the
order below, so no name may be declared twice; each section has a factory `make...(place, desk)` in a file of its own, and
`desk` (desk.js) is all that sections know of each other. Style sheets are scoped to the view by Gradio; what cannot stand in a
scoped rule (@keyframes) stands in page.css. The bar on top also opens the lessons, which another view draws: it hears of that
by the document's event "clip:part".
"""

from pathlib import Path

import gradio as gr

from explorer.views import parts

HERE = Path(__file__).parent
SCRIPTS = (
    "../dom.js", "../elements.js", "../transfer.js", "../floating.js",
    "wire.js", "parts.js", "icons.js", "query.js", "desk.js", "bar.js", "field.js", "camera.js", "sketch.js", "tray.js",
    "equation.js", "tools.js", "filters.js", "tiles.js", "notices.js", "results.js", "heat.js", "words.js", "detail.js",
    "export.js", "bars.js", "labels.js", "confusion.js", "classify.js", "job.js", "watch.js", "browse.js", "upload.js",
    "models.js", "collections.js", "keys.js", "clip.js",
)  # fmt: skip
STYLES = (
    "base.css", "bar.css", "query.css", "tray.css", "filters.css", "results.css", "detail.css", "classify.css",
    "confusion.css", "collections.css",
)  # fmt: skip


class ClipSearch(gr.HTML):
    """Search, classes and collections over the routes below `/gradio_api/x/<routes>/`."""

    def __init__(self, routes: str = "clip", **kwargs):
        super().__init__(**parts(HERE, "clip.html", STYLES, SCRIPTS, "page.css"), routes=routes, **kwargs)
