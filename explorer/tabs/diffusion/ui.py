"""The diffusion tab's page: four views, and the routes of each."""

import importlib

import gradio as gr
from starlette.routing import Route

ROUTES = ("run_routes", "inside_routes", "lab_routes", "twin_routes")
VIEWS = (("diffusion_desk", "DiffusionDesk"), ("diffusion_inside", "DiffusionInside"), ("diffusion_lab", "DiffusionLab"),
         ("diffusion_twin", "DiffusionTwin"))  # fmt: skip


def _have(name):
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None


def _parts():
    names = [f"explorer.tabs.diffusion.{name}" for name in ROUTES]
    return [importlib.import_module(name) for name in names if _have(name)]


def build() -> list[Route]:
    """Draws the tab into the Blocks around it and returns its routes."""
    for name, kind in VIEWS:
        if (found := _have(f"explorer.views.{name}")) and found.origin:
            getattr(importlib.import_module(f"explorer.views.{name}"), kind)(
                routes="diffusion", elem_id=name.replace("_", "-")
            )
    gr.context.Context.root_block.unload(left)
    return [route for part in _parts() for route in part.routes()]


def left(request: gr.Request) -> None:
    """A page was closed: its runs go."""
    for part in _parts():
        if hasattr(part, "left"):
            part.left(request.session_hash)


def warm() -> None:
    for part in _parts():
        if hasattr(part, "warm"):
            part.warm()
