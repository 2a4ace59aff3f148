"""The app as a server: what it answers besides the page."""

import os
import subprocess
import sys

import httpx

import app  # noqa: F401  sets the environment as the running app has it
from explorer import limits, tab


def test_the_page_is_served(app_url):
    page = httpx.get(app_url).text
    assert "window.gradio_config" in page and "Generative Explorer" in page


def test_the_badge_gets_the_device_and_the_reason(app_url):
    answer = httpx.get(f"{app_url}/gradio_api/x/device", timeout=120)
    assert answer.status_code == 200
    assert answer.json().keys() == {"label", "reason"}
    assert answer.json()["reason"].startswith(answer.json()["label"].split(" · ")[0])


def test_a_device_that_is_not_here_ends_with_one_sentence():
    absent = "cuda" if sys.platform == "darwin" else "mps"
    command = [sys.executable, "app.py", "--device", absent, "--port", "7999"]
    done = subprocess.run(command, cwd=tab.FOLDER.parent.parent, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == f"The device {absent} was asked for, but this computer has none that torch can use.\n"


def test_no_file_of_the_host_can_be_read(app_url):
    for path in ("/etc/passwd", "app.py", "../app.py", "requirements.txt", "assets"):
        assert httpx.get(f"{app_url}/gradio_api/file={path}").status_code in (403, 404)


def test_gradios_own_uploads_are_capped_too(app_url):
    for size, status in ((1000, 200), (limits.UPLOAD_BYTES + 1, 413)):
        sent = httpx.post(f"{app_url}/gradio_api/upload", files={"files": ("a.png", bytes(size))}, timeout=60)
        assert sent.status_code == status


def test_telemetry_is_off():
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert int(os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"]) >= 1_000_000
