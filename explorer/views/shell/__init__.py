"""What surrounds every tab: header, lead, notices, footer, and `window.explorer` for links, messages and keys."""

from html import escape
from pathlib import Path

import gradio as gr

from explorer import __version__, palette
from explorer.tab import Tab

HERE = Path(__file__).parent
MATHS = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]


def head() -> str:
    """For the page's <head>: the styles, and the script that must run before any view's js_on_load."""
    icon = "data:image/svg+xml," + _read("icon.svg").replace("\n", "").replace("#", "%23").replace('"', "'")
    return (
        f'<link rel="icon" type="image/svg+xml" href="{icon}">\n'
        f"<style>\n{palette.css()}\n{_read('shell.css')}</style>\n"
        f"<script>\n{_read('shell.js')}</script>\n"
    )


def header() -> gr.HTML:
    """The title, the purpose in one line, and the tools that belong to no tab."""
    return _html(_read("header.html").replace("ICON", _read("icon.svg")), "ge-header-block")


def lead(tab: Tab, about: str | None) -> None:
    """The sentence that says what a tab teaches, and its text (Markdown with formulas) to unfold."""
    _html(f'<p class="ge-lead">{escape(tab.learns)}</p>', "ge-lead-block")
    if about:
        with gr.Accordion("About this tab", open=False, elem_classes="ge-about"):
            gr.Markdown(palette.paint(about), latex_delimiters=MATHS, elem_classes="ge-prose", padding=False)


def missing(sentence: str, command: str) -> gr.HTML:
    """A tab whose model is not here: which, and the command that makes it, with a copy button."""
    row = (
        f'<div class="ge-command"><code>{escape(command)}</code>'
        '<button type="button" data-ge="copy-command">Copy</button></div>'
        "<p>Then start the app again.</p>"
    )
    sentence = sentence.removesuffix(f"; this makes it: {command}")
    return notice("Not trained yet", f"{sentence}. This command makes it:" if command else f"{sentence}.", row if command else "")


def notice(title: str, sentence: str, more: str = "") -> gr.HTML:
    """A panel in place of a tab that cannot be shown. `more` is HTML."""
    return _html(
        f'<section class="ge-notice" data-ready="false"><h2>{escape(title)}</h2><p>{escape(sentence)}</p>{more}</section>',
        "ge-notice-block",
    )


def footer() -> gr.HTML:
    """Version, licence, and whose art the faces are."""
    return _html(_read("footer.html").replace("VERSION", __version__), "ge-footer-block")


def _html(value: str, name: str) -> gr.HTML:
    return gr.HTML(value, padding=False, apply_default_css=False, elem_classes=name)


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
