"""Starts Generative Explorer: one loop over the tabs, their binary routes, one launch. `python app.py --help`"""

import os

# Read when gradio is imported: no telemetry, and no table of past events to be summarised after every event.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000"
# Read when torch is imported. These models are small and most calls are for one picture: a second thread on two cores makes
# it slower (4.2 ms against 2.2), and leaves nothing for another visitor.
os.environ.setdefault("OMP_NUM_THREADS", str(min(4, max(1, (os.cpu_count() or 1) // 2))))

if os.environ.get("SPACES_ZERO_GPU"):  # a Space that lends its GPU: its package must come before torch
    import contextlib

    with contextlib.suppress(ImportError):
        import spaces  # noqa: F401

import logging
import sys
import threading
from pathlib import Path

from explorer import cli

log = logging.getLogger("explorer")


def build(names=None, folder=None):
    """The page with these tabs (all of them without names), and the binary routes that its views fetch from.

    Returns (gr.Blocks, list of starlette routes). Loads no torch.
    """
    import gradio as gr

    from explorer import routes, tab
    from explorer.views import shell

    folder = Path(folder or tab.FOLDER)
    binary = [routes.get("device", device)]
    # What programs send and get through named endpoints passes through files of Gradio's; they go within the hour.
    tidy = (600, 3600)
    with gr.Blocks(title="Generative Explorer", analytics_enabled=False, fill_width=True, delete_cache=tidy) as demo:
        shell.header()
        with gr.Tabs(elem_id="ge-tabs"):
            for name, facts in tab.discover(folder).items():
                if names and name not in names:
                    continue
                with gr.Tab(facts.title, id=name, elem_id=f"tab-{name}", elem_classes="ge-tab"):
                    about = folder / name / "explain.md"
                    shell.lead(facts, about.read_text(encoding="utf-8") if about.is_file() else None)
                    binary += _build_tab(name, facts, folder)
        shell.footer()
    return demo, binary


def _build_tab(name, facts, folder):
    """The components of one tab; in their place a notice where it cannot be built. Its routes."""
    import gradio as gr

    from explorer import assets, tab
    from explorer.views import shell

    try:
        for model, command in facts.models.items():
            assets.folder(model, command)
        with gr.Column(elem_classes="ge-body") as body:
            body.visible = False  # what a failure leaves half built stays out of sight
            routes = tab.module(name, "ui", folder).build()
            body.visible = True
        return routes
    except assets.Missing as missing:
        shell.missing(str(missing), missing.made_by)
    except Exception:
        log.exception("The tab %s could not be built.", name)
        shell.notice("This tab cannot be opened", "Its page failed to build; the app's log says why. The others work.")
    return []


def device(request):
    """For the badge: which device computes, and why. The first to ask waits for torch."""
    from starlette.responses import JSONResponse

    from explorer.device import choose

    what, _, why = choose().reason.partition(": ")  # "CPU, 2 threads: no GPU was found"
    return JSONResponse({"label": what.replace(", ", " · "), "reason": f"{what}: {why}."})


def warm(names) -> None:
    """Loads the tabs' engines, so that the first visitor need not wait for it."""
    from explorer import assets, tab

    for name in names:
        try:
            getattr(tab.module(name, "ui"), "warm", lambda: None)()
        except assets.Missing:
            pass  # the tab's page says so
        except Exception:
            log.exception("The engine of the tab %s did not load.", name)


def main(arguments=None) -> None:
    """Reads the settings, starts the server, says where it is, and stays."""
    settings = cli.parse(arguments)
    problem = cli.free(settings.host, settings.port) or _no_device(settings.device)
    if problem:
        sys.exit(_say(problem))
    settings.to_environment()

    demo, routes = build(settings.tabs)
    start(demo, routes, settings.host, settings.port, settings.share)
    for address in [*cli.addresses(settings.host, settings.port), *filter(None, [demo.share_url])]:
        print(f"Generative Explorer is at {address}", flush=True)
    threading.Thread(target=warm, args=(settings.tabs,), daemon=True).start()
    demo.block_thread()


def start(demo, routes, host: str, port: int, share: bool = False) -> None:
    """Serves the page and its routes, with its looks; returns when it can be opened."""
    from explorer import limits
    from explorer.theme import Explorer
    from explorer.views import shell

    demo.queue(max_size=limits.LINE)
    demo.launch(
        server_name=host, server_port=port, share=share, prevent_thread_lock=True, quiet=True, show_error=True,
        ssr_mode=False, run_history=False, footer_links=["api"], app_kwargs={"routes": routes},
        theme=Explorer(), head=shell.head(), max_file_size=limits.UPLOAD_BYTES,
    )  # fmt: skip


def _no_device(name: str) -> str:
    """Why this device cannot be had. Asks torch only where the answer is not obvious."""
    if name in ("auto", "cpu"):
        return ""
    from explorer import device

    try:
        device.choose(name)
    except ValueError as problem:
        return str(problem)
    return ""


def _say(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
