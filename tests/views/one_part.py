"""A server with one part of the VAE tab alone, over small networks that need no training."""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr
import pytest
from starlette.responses import JSONResponse
from starlette.routing import Route

import app
from explorer import routes
from explorer.tabs import vae
from explorer.tabs.vae import model_routes, models
from explorer.views import shell
from explorer.views.vae_bar import VaeBar
from tests.conftest import free_port


@contextmanager
def served(view: type[gr.HTML], elem_id: str, vaes: dict, more: list[Route]) -> Iterator[str]:
    """The address of a page with the bar and this part; its models are `vaes` by name, its routes those of models and `more`."""
    patch = pytest.MonkeyPatch()
    patch.setattr(models, "get", lambda name="faces", session="": vaes[name or "faces"])
    with gr.Blocks(analytics_enabled=False, fill_width=True) as demo:
        shell.header()
        with gr.Tabs(elem_id="ge-tabs"), gr.Tab("VAE", id="vae", elem_id="tab-vae", elem_classes="ge-tab"):
            shell.lead(vae.TAB, None)
            VaeBar(routes="vae", elem_id="vae-bar")
            view(routes="vae", elem_id=elem_id)
        shell.footer()
    badge = routes.get("device", lambda request: JSONResponse({"label": "CPU", "reason": "A test."}))
    port = free_port()
    app.start(demo, [badge, *model_routes.routes(), *more], "127.0.0.1", port)
    yield f"http://127.0.0.1:{port}/"
    demo.close()
    patch.undo()
