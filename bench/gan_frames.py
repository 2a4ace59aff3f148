"""What a live picture of the GAN lab costs: `python -m bench.gan_frames`, also a part of `python -m bench.gan`. Linux only.

Server: processor time of one frame of the stream, everything included (pictures, packing, metrics, doctor, HTTP): that of a
run that is watched less that of the same run unwatched. Page: share of one core of the whole browser while it draws 25
frames/s. Baseline: the same contents as one Plotly figure a frame from a generator into gr.Plot, asked for at the same rate.
"""

import asyncio
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
TICK = os.sysconf("SC_CLK_TCK")
FPS = 25
GOAL_SERVER, GOAL_PAGE = 1.5, 40  # ms a frame; % of one core

PLOTLY = """
import os, sys, time
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000"
import gradio as gr, plotly.graph_objects as go
from explorer.tabs.gan import engine, view
from explorer.tabs.gan.config import check
from explorer.tabs.gan.run import Run

made = 0

def play():
    global made
    run, due = Run(check({"data": "ring8"})), time.perf_counter()
    reals = view.scene(run.settings).reals
    while True:
        run.advance(2)
        shown = view.look(run.settings, run.shown)
        figure = go.Figure([
            go.Heatmap(z=shown.heat, x0=-0.975, dx=0.05, y0=-0.975, dy=0.05),
            go.Scatter(x=reals[:, 0], y=reals[:, 1], mode="markers"),
            go.Scatter(x=shown.fakes[:, 0], y=shown.fakes[:, 1], mode="markers"),
        ])
        made += 1
        yield figure
        due = max(due + 1 / 25, time.perf_counter())
        time.sleep(due - time.perf_counter() if due > time.perf_counter() else 0)

engine.warm(wait=True)
with gr.Blocks(analytics_enabled=False) as demo:
    plot = gr.Plot(elem_id="plot")
    go_ = gr.Button("Play", elem_id="play")
    go_.click(play, None, plot, show_progress="hidden")
    told = gr.Button("made", visible=False)
    told.click(lambda: made, None, gr.Number(visible=False), api_name="made", queue=False)
demo.launch(server_port=int(sys.argv[1]), quiet=True, ssr_mode=False, prevent_thread_lock=True)
print("ready", flush=True)
demo.block_thread()
"""


def cpu(pid: int) -> float:
    """Seconds of processor that a process and its descendants have used."""
    table = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parts = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        table[int(folder.name)] = int(parts[1]), sum(map(int, parts[11:13]))
    family, found = {pid}, True
    while found:
        found = {child for child, (parent, _) in table.items() if parent in family} - family
        family |= found
    return sum(table[one][1] for one in family if one in table) / TICK


@contextmanager
def _server(*command):
    from bench.startup import _free_port

    port = _free_port()
    arguments = [str(port) if part == "PORT" else part for part in command]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        if not process.stdout.readline():
            raise SystemExit("The app ended before it listened; python app.py says why.")
        yield process.pid, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


class _Page:
    """A page as the server sees it: a desk, and perhaps a stream that is read and thrown away."""

    def __init__(self, address: str, name: str):
        self.url = address + "/gradio_api/x/gan/"
        self.client = httpx.Client(headers={"x-session": name}, timeout=60)
        self.frames, self.bytes, self.stop = 0, 0, threading.Event()

    def do(self, **command) -> dict:
        return self.client.post(self.url + "do", content=json.dumps(command)).raise_for_status().json()

    def watch(self) -> threading.Thread:
        thread = threading.Thread(target=self._read, daemon=True)
        thread.start()
        return thread

    def _read(self) -> None:
        left = b""
        with self.client.stream("GET", self.url + "stream") as answer:
            for part in answer.iter_raw():
                left += part
                while len(left) >= 4 and len(left) >= (size := 4 + int.from_bytes(left[:4], "little")):
                    self.frames, self.bytes, left = self.frames + 1, self.bytes + size, left[size:]
                if self.stop.is_set():
                    return


def server_cost(address: str, pid: int, seconds: float) -> tuple[float, float, float]:
    """(ms of processor per frame, frames per second, bytes per frame) of one page's stream."""
    page = _Page(address, "bench-frames")
    page.do(do="open", lanes=[{"settings": {"data": "ring8"}}])
    _settle(pid)
    page.do(do="speed", speed=60)
    page.do(do="play")

    alone = watched = 0.0
    frames = size = 0
    for _ in range(3):  # in turns, so that whatever else the machine does meets both
        time.sleep(1)
        before = cpu(pid)
        time.sleep(seconds / 3)
        alone += cpu(pid) - before

        page.stop.clear()
        thread = page.watch()
        time.sleep(1)
        before, first, start = cpu(pid), page.frames, page.bytes
        time.sleep(seconds / 3)
        watched, frames, size = watched + cpu(pid) - before, frames + page.frames - first, size + page.bytes - start
        page.stop.set()
        thread.join(10)
    page.do(do="pause")
    return 1000 * (watched - alone) / frames, frames / seconds, size / frames


def _settle(pid: int) -> None:
    """Waits until the app has loaded all that it loads after its start: engines, models, compiled code."""
    while True:
        before = cpu(pid)
        time.sleep(2)
        if cpu(pid) - before < 0.3:
            return


def page_cost(browser, address: str, pid: int, seconds: float) -> tuple[float, float]:
    """(% of one core of the browser, frames drawn per second) while the lab plays."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(address + "/?tab=gan&data=ring8", wait_until="domcontentloaded")
    page.wait_for_selector('.ganlab[data-ready="true"]', timeout=120_000)
    page.keyboard.press("Space")
    page.wait_for_function("+document.querySelector('.ganlab').dataset.frame > 30", timeout=120_000)
    drawn = "+document.querySelector('.ganlab').dataset.frame"
    first = page.evaluate(drawn)
    # The app is a child of this process too, like the browser.
    before = cpu(os.getpid()) - cpu(pid) - time.process_time()
    time.sleep(seconds)
    spent = cpu(os.getpid()) - cpu(pid) - time.process_time() - before
    frames = page.evaluate(drawn) - first
    page.close()
    return 100 * spent / seconds, frames / seconds


def plotly_cost(browser, seconds: float) -> tuple[float, float, float]:
    """(ms of server processor per figure, % of one core of the browser, figures made per second) of the baseline."""
    with _server(sys.executable, "-c", PLOTLY, "PORT") as (pid, address):
        made = lambda: httpx.post(address + "/gradio_api/run/made", json={"data": []}).json()["data"][0]  # noqa: E731
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address, wait_until="domcontentloaded")
        page.click("#play")
        while made() < 10:  # the page itself is too busy to be asked
            time.sleep(1)
        figures, server, here = made(), cpu(pid), cpu(os.getpid()) - cpu(pid)
        own = time.process_time()
        time.sleep(seconds)
        spent = cpu(pid) - server
        shown = cpu(os.getpid()) - cpu(pid) - here - (time.process_time() - own)
        figures = made() - figures
    return 1000 * spent / figures, 100 * shown / seconds, figures / seconds


async def _pupil(address: str, i: int, seconds: float) -> tuple[float, float]:
    """(rounds per second, frames per second) of one page among many."""
    async with httpx.AsyncClient(headers={"x-session": f"pupil-{i}"}, timeout=120) as client:
        url = address + "/gradio_api/x/gan/"
        for command in ({"do": "open", "lanes": [{"settings": {"seed": i}}]}, {"do": "speed", "speed": 0}, {"do": "play"}):
            (await client.post(url + "do", content=json.dumps(command))).raise_for_status()
        left, seen = b"", []
        async with client.stream("GET", url + "stream") as answer:
            async for part in answer.aiter_raw():
                left += part
                while len(left) >= 4 and len(left) >= (size := 4 + int.from_bytes(left[:4], "little")):
                    words = int.from_bytes(left[4:8], "little")
                    if left[8 + words]:  # lanes
                        seen.append((time.perf_counter(), struct.unpack_from("<f", left, 8 + words + 20)[0]))
                    left = left[size:]
                if seen and seen[-1][0] - seen[0][0] > seconds:
                    break
        settled = seen[len(seen) // 2 :]
        passed = settled[-1][0] - settled[0][0]
        return (settled[-1][1] - settled[0][1]) / passed, (len(settled) - 1) / passed


def class_speed(address: str, pupils: int, seconds: float) -> list[tuple[float, float]]:
    async def everyone():
        return await asyncio.gather(*(_pupil(address, i, seconds) for i in range(pupils)))

    return asyncio.run(everyone())


def frames(seconds: float = 10.0, pupils: int = 100) -> list[str]:
    """The table, row by row."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with _server(sys.executable, "app.py", "--port", "PORT") as (pid, address):
            cost, rate, size = server_cost(address, pid, seconds)
            share, drawn = page_cost(browser, address, pid, seconds)
        with _server(sys.executable, "app.py", "--port", "PORT", "--tabs", "gan") as (_, address):
            one = _Page(address, "warm-up")
            while one.do(do="open")["engine"] != "numba":
                time.sleep(1)
            with ThreadPoolExecutor(1) as pool:  # Playwright's event loop is in this thread
                rounds, rates = zip(*pool.submit(class_speed, address, pupils, 2 * seconds).result())
        plotly = plotly_cost(browser, seconds)
        browser.close()
    return [
        f"{'':34}{'this lab':>12}{'Plotly figure':>15}{'ratio':>8}   goal",
        f"{'server, ms of processor a frame':34}{cost:>12.2f}{plotly[0]:>15.1f}{cost / plotly[0]:>8.3f}   <= {GOAL_SERVER}",
        f"{'browser, % of one core':34}{share:>12.0f}{plotly[1]:>15.0f}{share / plotly[1]:>8.2f}   < {GOAL_PAGE}",
        f"{'frames a second, asked for ' + str(FPS):34}{drawn:>12.1f}{plotly[2]:>15.1f}   (figures made, not drawn)",
        f"{'bytes a frame':34}{size:>12.0f}",
        f"{pupils} pages at full speed: {statistics.median(rounds):.0f} rounds/s each (least {min(rounds):.0f}, most "
        f"{max(rounds):.0f}), {statistics.median(rates):.1f} frames/s each (least {min(rates):.1f})",
    ]


if __name__ == "__main__":
    print("\n".join(frames()))
