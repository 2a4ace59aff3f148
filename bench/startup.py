"""From `python app.py` to the first control that can be used, beside an empty Gradio page in the same run.

`python -m bench.startup [--rounds 3]`. Starts are alternated, so that both meet the same load; read the ratios.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "torchvision", "sklearn", "scipy", "diffusers", "open_clip", "matplotlib", "plotly")

# The least that a Gradio app can be: one slider, the same settings of the server.
BARE = """
import os, sys
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
import gradio as gr
with gr.Blocks(analytics_enabled=False) as demo:
    gr.Slider(0, 1, label="x", elem_id="control", interactive=True)
demo.launch(server_port=int(sys.argv[1]), quiet=True, ssr_mode=False, prevent_thread_lock=True)
print("ready", flush=True)
demo.block_thread()
"""
OURS = "import app, sys; app.main(['--port', sys.argv[1]])"
IMPORTED = """
import sys, app
demo, routes = app.build()
app.start(demo, routes, "127.0.0.1", int(sys.argv[1]))
print(*[name for name in sys.argv[2:] if name in sys.modules])
"""
VARIANTS = {
    "empty Gradio page": (BARE, "#control input[type=range]"),
    "Generative Explorer": (OURS, '[role="tabpanel"] [data-ready="true"]'),
}
STEPS = ("listening", "first paint", "first usable control")


def start(code: str, selector: str, browser) -> dict[str, float]:
    """One start: seconds since the process was made, at each step."""
    port = _free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(port)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        if not process.stdout.readline():
            raise SystemExit("The app ended before it listened; python app.py says why.")
        listening = time.perf_counter() - began

        context = browser.new_context(viewport={"width": 1440, "height": 900})  # its own cache: a first visit
        page = context.new_page()
        asked = time.perf_counter() - began
        page.goto(f"http://127.0.0.1:{port}", wait_until="commit")
        page.wait_for_selector(selector, state="attached", timeout=180_000)
        usable = time.perf_counter() - began
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN") / 1000
        context.close()
    finally:
        process.terminate()
        process.wait()
    return dict(zip(STEPS, (listening, asked + paint, usable), strict=True))


def imported() -> list[str]:
    """Which heavy modules the app has loaded when it starts to listen."""
    command = [sys.executable, "-c", IMPORTED, str(_free_port()), *HEAVY]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0].split()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main() -> None:
    parser = argparse.ArgumentParser("python -m bench.startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="starts of each (3)")
    rounds = parser.parse_args().rounds

    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        raise SystemExit("This bench needs Chromium; make test installs it or says how.")
    times = {name: [] for name in VARIANTS}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(rounds):
            for name, (code, selector) in VARIANTS.items():
                times[name].append(start(code, selector, browser))
        browser.close()

    medians = {name: {step: statistics.median(run[step] for run in runs) for step in STEPS} for name, runs in times.items()}
    bare, ours = medians.values()
    print(f"Seconds since the process started, medians of {rounds} starts (load average {os.getloadavg()[0]:.1f})\n")
    print(f"| {'':20} | {' | '.join(f'{name:>19}' for name in medians)} | ratio |")
    print(f"|{'-' * 22}|{'|'.join('-' * 21 for _ in medians)}|------:|")
    for step in STEPS:
        print(f"| {step:20} | {bare[step]:>19.2f} | {ours[step]:>19.2f} | {ours[step] / bare[step]:5.2f} |")
    print(f"\nLoaded when the app listens, of {', '.join(HEAVY)}: {', '.join(imported()) or 'none'}.")


if __name__ == "__main__":
    main()
