"""Fixtures for tests on the running app: one real server, one real browser, and pages that report their troubles."""

import atexit
import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
READY = "Generative Explorer is at "
START_SECONDS = 180  # importing gradio takes a minute and more on a loaded machine

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Indexes that tests make, and the apps that they start: once a run, and not among the user's.
os.environ["EXPLORER_DATA"] = tempfile.mkdtemp(prefix="explorer-tests-")
atexit.register(shutil.rmtree, os.environ["EXPLORER_DATA"], ignore_errors=True)

QUIET = [  # what a browser does of its own accord would look like a request of ours
    "--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-default-apps", "--disable-extensions",
]  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def serve():
    """serve(*flags, **environment) -> the address of an app of its own, started as a user starts it."""
    running = []

    def start(*flags: str, **environment: str) -> str:
        command = [sys.executable, "app.py", "--port", str(free_port()), *flags]
        env = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONUNBUFFERED": "1", **environment}
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        running.append(process)
        lines, said = queue.Queue(), []
        threading.Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True).start()
        while True:
            try:
                said.append(lines.get(timeout=START_SECONDS))
            except queue.Empty:
                raise AssertionError(f"{command} is not ready after {START_SECONDS} s:\n{''.join(said)}") from None
            if said[-1].startswith(READY):
                return said[-1].removeprefix(READY).strip()
            assert process.poll() is None, f"{command} ended:\n{''.join(said)}"

    yield start
    for process in running:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="session")
def app_url(serve):
    """The address of the app with all its tabs."""
    return serve()


# A browser a module, not a session: while Playwright runs, this thread has an event loop,
# and a test elsewhere could not call asyncio.run().
@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "The tests in a browser need Chromium; `make test` says how to install it."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """visit(address, width=1440, height=900, dark=False, **context) -> a page whose troubles fail the test.

    Troubles are errors of scripts, errors on the console, and requests that leave 127.0.0.1. They gather in
    `page.troubles`; a test that provokes one on purpose takes it out.
    """
    opened = []

    def open_page(address: str, width: int = 1440, height: int = 900, dark: bool = False, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", **options
        )
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.troubles = []
        page.on("pageerror", lambda error: page.troubles.append(f"page error: {error}"))
        page.on("console", lambda said: note(page.troubles, said))
        page.on("request", lambda asked: _outside(asked.url) and page.troubles.append(f"outside: {asked.url}"))
        opened.append(page)
        page.goto(address, wait_until="domcontentloaded")
        page.wait_for_selector(".ge-header")
        page.wait_for_selector('[role="tabpanel"] .ge-lead')
        return page

    yield open_page
    troubles = [trouble for page in opened for trouble in page.troubles]
    for page in opened:
        page.context.close()
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def page(visit, app_url):
    """The app in a browser window of a laptop's size."""
    return visit(app_url)


def note(troubles: list[str], said) -> None:
    """Adds an error on a page's console to its troubles.

    Not the browser's own line about status 429: a page asks again on it, which is what it is for; where it gives up, it says so.
    """
    if said.type == "error" and "status of 429" not in said.text:
        troubles.append(f"console: {said.text}")


def _outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:", "about:", "chrome-extension:"))
