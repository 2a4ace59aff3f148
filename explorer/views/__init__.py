"""Parts of the page that tabs share. They draw what they are given and know no engine."""

from collections.abc import Iterable
from pathlib import Path


def parts(folder: Path, html: str, styles: Iterable[str], scripts: Iterable[str], page: str = "") -> dict:
    """A view's files as the arguments of gr.HTML: style sheets and scripts one after the other, so that scripts share one scope.

    Style sheets are scoped to the view by Gradio; what cannot stand in a scoped rule (@keyframes) stands in `page`.
    """

    def read(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    return {
        "html_template": read(html),
        "css_template": "\n".join(map(read, styles)),
        "js_on_load": "\n".join(map(read, scripts)),
        "head": f"<style>{read(page)}</style>" if page else None,
        "apply_default_css": False,  # Gradio would style plain buttons
    }
