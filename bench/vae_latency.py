"""From a pointer's move to changed pixels on the VAE page, in a real browser: `python -m bench.vae_latency`

Four ways to the picture take turns, each at once and through a proxy that adds 80 ms of round trip:
  film      a slider of the latent desk, whose whole range is already in the page
  strip     the film view below it, as the morph uses it
  route     the same slider before its film is there: a fetch of the binary route for every picture
  queued    the baseline: a plain gr.Slider with .input (always_last) and a gr.Image, on Gradio's queue
Then the decoder alone, in batches.
"""

import argparse
import asyncio
import os
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import app  # noqa: F401  the environment in which the app runs, its thread count above all: the same for every way

ROOT = Path(__file__).parent.parent
ROUND_TRIP = 80  # ms, as to a hosted Space
FRAME = 1000 / 60  # ms that a display shows a picture
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# Watches one picture from inside the page. A lag runs from the time stamp of the pointer's move to the display frame that
# has another picture: 256 pixels of it are compared after every frame, when whatever draws in a frame has drawn.
EYE = """
window.eye = (selector) => {
  const small = new OffscreenCanvas(16, 16).getContext('2d', { willReadFrequently: true });
  const lags = [], frames = [], after = new MessageChannel();
  let moved = 0, before = null, last = 0, began = 0;
  addEventListener('pointermove', (event) => moved ||= event.timeStamp, true);
  function look() {
    const picture = document.querySelector(selector);
    if (picture && (picture.tagName === 'CANVAS' || (picture.complete && picture.naturalWidth))) {
      small.drawImage(picture, 0, 0, 16, 16);
      const now = small.getImageData(0, 0, 16, 16).data.join();
      if (moved > began) return; // moved since this frame began: the next one will show it
      window.still = now === before ? window.still + 1 : 0;
      if (now !== before && moved) {
        lags.push(began - moved);
        moved = 0;
      }
      before = now;
    }
  }
  after.port1.onmessage = look;
  function frame(now) {
    if (last) frames.push(now - last);
    last = now;
    began = performance.now();
    after.port2.postMessage(0);
    requestAnimationFrame(frame);
  }
  requestAnimationFrame(frame);
  return { lags, intervals: frames };
};
"""
# A film that never arrives: what happens in the moments before it does.
NO_FILM = """
const real = window.fetch;
window.fetch = (what, ...more) => (String(what).includes('/vae/film') ? new Promise(() => {}) : real(what, ...more));
"""


@dataclass
class Way:
    """One way to the picture: where to drag, what to watch, and what must be true before the drag counts."""

    page: str  # app or baseline
    slider: str
    picture: str
    ready: str
    held: str = ""  # a selector that appears once the slider is held and the film is there
    script: str = ""
    query: str = ""  # of the page's address
    lags: dict[int, list[float]] = field(default_factory=dict)  # added round trip in ms -> lags in ms


FRAMES: list[float] = []  # ms between the display frames of this browser meanwhile; 16.7 on an idle machine

ROW = ".desk .rows .row input[type=range]"
SETTLED = '.desk[data-ready="true"][data-settled="true"]'
WAYS = {
    "film": Way("app", ROW, ".desk .face", SETTLED, ".desk[data-film]"),
    "strip": Way("app", "#vae-morph .scrub", "#vae-morph .picture", '#vae-morph .film[data-state="ready"]'),
    "route": Way("app", ROW, ".desk .face", SETTLED, script=NO_FILM),
    "queued": Way("baseline", "#value input[type=range]", "#picture img", "#picture img"),
}


# --- The two pages ---


def baseline(port: int) -> None:
    """Serves the baseline: what one would write without a second thought, at its best settings."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000"
    import gradio as gr

    from explorer.tabs.vae import engine

    vae = engine.load()
    start, dim = vae.gallery().codes.mu[0], vae.order[0]

    def decode(value):
        return vae.film(start, dim, [value])[0]

    with gr.Blocks() as demo:
        slider = gr.Slider(-3, 3, 0, step=0.01, label="z", elem_id="value")
        picture = gr.Image(format="png", elem_id="picture", height=420)
        slider.input(decode, slider, picture, trigger_mode="always_last", show_progress="hidden")
        demo.load(decode, slider, picture)
    demo.queue().launch(server_port=port, quiet=True, ssr_mode=False, run_history=False)


@contextmanager
def serving(*command: str, port: int):
    """A server of ours as a process of its own, until it answers and for as long as it is needed."""
    from tests.conftest import START_SECONDS

    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{' '.join(command)} did not start.")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=5).close()
        return True
    except OSError:
        return False


# --- A long wire ---


@contextmanager
def far(port: int, round_trip: float):
    """The port of a proxy before `port` through which every byte travels for half of `round_trip` ms each way.

    Opening a connection costs nothing extra, which flatters whoever opens many.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def pump(reader, writer):
        under_way: asyncio.Queue = asyncio.Queue()

        async def arrive():
            while (item := await under_way.get()) is not None:
                due, data = item
                await asyncio.sleep(due - loop.time())
                writer.write(data)
                await writer.drain()
            writer.close()

        arriving = loop.create_task(arrive())
        try:
            while data := await reader.read(65536):
                under_way.put_nowait((loop.time() + round_trip / 2000, data))
        except OSError:
            pass
        under_way.put_nowait(None)
        await asyncio.gather(arriving, return_exceptions=True)

    async def connected(reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(connected, "127.0.0.1", 0), loop).result(10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


# --- One hand ---


def drag(browser, way: Way, port: int, moves: int) -> list[float]:
    """Opens the page anew, holds the slider and moves it; the lag of each move in ms."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(EYE + way.script)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"http://127.0.0.1:{port}/{way.query}", wait_until="domcontentloaded")
    page.wait_for_selector(way.ready)
    slider = page.locator(way.slider).first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2

    def move(share: float) -> None:
        page.mouse.move(box["x"] + (0.06 + 0.88 * share) * box["width"], y)

    move(0.5)
    page.mouse.down()
    move(0.52)
    if way.held:
        page.wait_for_selector(way.held)
    page.wait_for_timeout(500)
    page.evaluate("selector => void Object.assign(window, eye(selector))", way.picture)

    # No value twice, or the browser's cache would answer; and never a small step, which may change no pixel.
    hand, here, taken = random.Random(1), 0.5, 0
    places = hand.sample(range(250), 250)
    while taken < moves + 3:
        there = places.pop() / 250
        if abs(there - here) < 0.15:
            continue
        page.wait_for_timeout(hand.uniform(40, 90))  # out of step with the display
        move(there)
        here, taken = there, taken + 1
        page.wait_for_function("count => lags.length >= count && still >= 3", arg=taken)
    lags = page.evaluate("lags")
    FRAMES.extend(page.evaluate("intervals"))
    context.close()
    return lags[3:]  # the first few warm things up


def measured(rounds: int, moves: int, ways: dict[str, Way] = WAYS) -> None:
    """Fills in the lags of all ways, which alternate, so that a busy moment of the machine meets them all."""
    from playwright.sync_api import sync_playwright

    from tests.conftest import QUIET, free_port

    ports = {"app": free_port(), "baseline": free_port()}
    ours = serving("app.py", "--port", str(ports["app"]), "--tabs", "vae", port=ports["app"])
    plain = serving("-m", "bench.vae_latency", "--baseline", str(ports["baseline"]), port=ports["baseline"])
    with ours, plain, far(ports["app"], ROUND_TRIP) as app_far, far(ports["baseline"], ROUND_TRIP) as plain_far:
        distant = {"app": app_far, "baseline": plain_far}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            for turn in range(rounds):
                for name in random.Random(turn).sample(list(ways), len(ways)):
                    way = ways[name]
                    for added, port in ((0, ports[way.page]), (ROUND_TRIP, distant[way.page])):
                        way.lags.setdefault(added, []).extend(drag(browser, way, port, moves))
                        print(".", end="", flush=True, file=sys.stderr)
            print(file=sys.stderr)
            browser.close()


# --- The tables ---


def p(lags: list[float], share: float) -> float:
    return sorted(lags)[min(len(lags) - 1, int(share * len(lags)))]


GOALS = [  # way, added ms, what, most
    ("film", 0, "ratio", 0.5),
    ("film", ROUND_TRIP, "ratio", 0.1),
    ("route", 0, "ratio", 0.6),
    ("route", ROUND_TRIP, "ratio", 0.6),
    ("film", 0, "p95", 2 * FRAME),
    ("film", ROUND_TRIP, "p95", 2 * FRAME),
]


def report(ways: dict[str, Way] = WAYS, goals: list = GOALS) -> None:
    """Prints the lags of each way beside the baseline's, and what was to be reached."""
    facts = {}
    print(f"\n{'pointer move to changed pixels':<34}{'n':>5}{'min':>8}{'p50 ms':>8}{'p95 ms':>8}{'p50 / queued':>14}")
    for added in (0, ROUND_TRIP):
        for name, way in ways.items():
            lags = way.lags[added]
            ratio = statistics.median(lags) / statistics.median(ways["queued"].lags[added])
            facts[name, added] = {"ratio": ratio, "p95": p(lags, 0.95)}
            title = f"{name}, {added} ms of round trip added" if added else f"{name}, same machine"
            print(f"{title:<34}{len(lags):>5}{min(lags):>8.1f}{p(lags, 0.5):>8.1f}{p(lags, 0.95):>8.1f}{ratio:>14.2f}")

    print(f"display frames meanwhile: p50 {p(FRAMES, 0.5):.1f} ms, p95 {p(FRAMES, 0.95):.1f} ms")

    print(f"\n{'goal':<54}{'is':>8}")
    for name, added, what, most in goals:
        value = facts[name, added][what]
        goal = f"p50 / queued <= {most:g}" if what == "ratio" else f"p95 < two display frames ({most:.1f} ms)"
        title = f"{name}, +{added} ms: {goal}"
        print(f"{title:<54}{value:>8.2f}  {'PASS' if value <= most else 'over'}")


def decoder() -> None:
    """The model alone: what one picture costs, alone and in company."""
    import numpy as np
    import torch

    from explorer.tabs.vae import engine

    vae = engine.load()
    z = vae.sample(64, seed=0)
    print(f"\n{'decoder, ' + str(vae.dims) + ' numbers to 64 x 64':<34}{'batch ms':>10}{'per image ms':>14}")
    times = {count: [] for count in (1, 16, 64)}
    for _ in range(12):  # in turns, like everything here
        for count, taken in times.items():
            start = time.perf_counter()
            vae.decode(np.ascontiguousarray(z[:count]))
            taken.append(1000 * (time.perf_counter() - start))
    for count, taken in times.items():
        whole = statistics.median(taken[2:])
        print(f"{'batch of ' + str(count):<34}{whole:>10.1f}{whole / count:>14.2f}")
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"torch {torch.__version__}, threads: {torch.get_num_threads()}; {load}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often the ways take turns (3)")
    parser.add_argument("--moves", type=int, default=30, help="moves of the pointer in each turn (30)")
    parser.add_argument("--baseline", type=int, metavar="PORT", help="only serve the baseline's page")
    chosen = parser.parse_args()
    if chosen.baseline:
        return baseline(chosen.baseline)
    if not CHROMIUM:
        sys.exit("This bench needs Chromium; `make test` says how to install it.")
    measured(chosen.rounds, chosen.moves)
    report()
    decoder()


if __name__ == "__main__":
    main()
