"""A film and its player: a stage, a strip of frames to scrub on, playing, export. Draws frames; knows not what they show.

Its JavaScript leaves a handle on the element `.film`: `el.film.load({src, ...})`, `goto(i)`, `play()`, `pause()`, `index`.
`src` is the address of a sprite as explorer.routes.png_sprite or raw sends it. The frames then live in the page: moving
through them asks the server for nothing.
"""

from pathlib import Path

import gradio as gr

HERE = Path(__file__).parent


class Film(gr.HTML):
    """One film. `ends` names its first and last frame; `fps` is the speed at which it plays at 1x.

    `data-state` (empty, loading, ready, error) and `data-frame` on the element `.film` say what is shown;
    the event "film:frame" with {index} bubbles from it.
    """

    def __init__(
        self, label: str = "Film", ends: tuple[str, str] = ("A", "B"), fps: float = 16, loop=True, pingpong=True, **kwargs
    ):
        super().__init__(
            label=label,
            html_template=_read("film.html"),
            css_template=_read("film.css"),
            js_on_load=_read("film.js"),
            apply_default_css=False,
            name=label,
            ends=list(ends),
            fps=fps,
            loop=loop,
            pingpong=pingpong,
            **kwargs,
        )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
