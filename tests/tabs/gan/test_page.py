"""The lab on the running app: what a page leaves behind, and what programs get. The page's parts are tested in tests/views."""

import json
import time

import httpx
import pytest

pytestmark = pytest.mark.browser
LAB = '.ganlab[data-ready="true"]'


def asked(app_url: str, session: str) -> dict:
    """What the server knows of a page."""
    reply = httpx.post(f"{app_url}/gradio_api/x/gan/do", headers={"x-session": session}, content=json.dumps({"do": "state"}))
    return reply.json()


def test_a_closed_page_leaves_nothing_behind(visit, app_url):
    page = visit(f"{app_url}/?tab=gan")
    page.wait_for_selector(LAB)
    page.keyboard.press("Space")
    page.wait_for_selector('.ganlab[data-playing="true"]')
    session = page.evaluate("window.__gradio_session_hash__")
    assert asked(app_url, session)["playing"]

    page.close()
    for _ in range(300):
        if asked(app_url, session).get("gone"):
            return
        time.sleep(0.1)
    raise AssertionError("the run goes on although its page is closed")


def test_a_reload_in_the_middle_opens_the_same_settings(visit, app_url):
    page = visit(f"{app_url}/?tab=gan&data=ring8&trained=0")
    page.wait_for_selector(LAB)
    page.keyboard.press("Space")
    page.wait_for_function("+document.querySelector('.ganlab').dataset.step > 3")
    session = page.evaluate("window.__gradio_session_hash__")
    assert asked(app_url, session)["lanes"][0]["settings"]["data"] == "ring8"

    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector(LAB)
    again = page.evaluate("window.__gradio_session_hash__")
    told = asked(app_url, again)["lanes"][0]
    assert again != session and told["settings"]["data"] == "ring8" and told["step"] == 0


def test_the_named_endpoint_trains(app_url):
    from gradio_client import Client

    client = Client(app_url, verbose=False)
    told = client.predict({"data": "ring", "seed": 5}, 20, api_name="/gan_train")
    assert told["rounds"] == 20 and told["settings"]["data"] == "ring" and len(told["fakes"]) == 256
    with pytest.raises(Exception, match="no data set called"):
        client.predict({"data": "nothing"}, 20, api_name="/gan_train")
