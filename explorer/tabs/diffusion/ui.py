"""The diffusion tab's page: four views, the routes of each, and an endpoint for programs."""

import gradio as gr
from starlette.routing import Route

from explorer.tabs.diffusion import inside_routes, lab_routes, run_routes, twin_routes
from explorer.views.diffusion_desk import DiffusionDesk
from explorer.views.diffusion_inside import DiffusionInside
from explorer.views.diffusion_lab import DiffusionLab
from explorer.views.diffusion_twin import DiffusionTwin

PARTS = (run_routes, inside_routes, lab_routes, twin_routes)


def build() -> list[Route]:
    """Draws the tab into the Blocks around it and returns its routes."""
    DiffusionDesk(routes="diffusion", elem_id="diffusion-desk")
    DiffusionInside(routes="diffusion", elem_id="diffusion-inside")
    DiffusionLab(routes="diffusion", elem_id="diffusion-lab")
    DiffusionTwin(routes="diffusion", elem_id="diffusion-twin")
    _endpoint()
    gr.context.Context.root_block.unload(left)
    return [route for part in PARTS for route in part.routes()]


def left(request: gr.Request) -> None:
    """A page was closed: its runs go."""
    for part in PARTS:
        if hasattr(part, "left"):
            part.left(request.session_hash)


def warm() -> None:
    """Loads the model and paints one picture, so that the first visitor does not wait for it."""
    for part in PARTS:
        if hasattr(part, "warm"):
            part.warm()


def _endpoint() -> None:
    """An endpoint needs components to describe what it takes and gives. Nobody sees these."""
    with gr.Row(visible=False):
        call = gr.Button()
        prompt, negative = gr.Textbox(label="prompt"), gr.Textbox(label="negative prompt")
        seed, steps = gr.Number(0, label="seed", precision=0), gr.Number(25, label="steps, 1 to 100", precision=0)
        scheduler = gr.Textbox("ddim", label="scheduler: ddim, ddpm, euler, euler_a, dpmpp_2m, pndm")
        guidance_scale = gr.Number(3, label="guidance scale, 0 to 20")
        picture = gr.Image(label="picture", type="numpy")
    call.click(
        diffusion_generate, [prompt, negative, seed, steps, scheduler, guidance_scale], [picture], api_name="diffusion_generate"
    )


def diffusion_generate(prompt, negative="", seed=0, steps=25, scheduler="ddim", guidance_scale=3.0):
    """A picture for a prompt: the same that the page shows for these settings."""
    from explorer.assets import Missing
    from explorer.tabs.diffusion.generate import generate

    more = {"negative": negative or "", "seed": seed, "steps": steps, "scheduler": scheduler, "guidance_scale": guidance_scale}
    try:
        return generate(prompt or "", **more)
    except (Missing, ValueError) as error:
        raise gr.Error(str(error), print_exception=False) from None
