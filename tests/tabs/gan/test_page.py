"""The lab on the running app: what a page leaves behind, and what programs get. The page's parts are tested in tests/views."""

import json
import time

import httpx
import pytest

pytestmark = pytest.mark.browser
LAB = '.ganlab[data-ready="true"]'


def asked(app_url: str, session: str) -> dict:
    """What the server knows of a page."""
    address, command = f"{app_url}/gradio_api/x/gan/do", json.dumps({"do": "state"})
    return httpx.post(address, headers={"x-session": session}, content=command, timeout=60).json()


def wait_gone(app_url: str, session: str) -> None:
    for _ in range(300):
        if asked(app_url, session).get("gone"):
            return
        time.sleep(0.1)
    raise AssertionError("the run goes on although its page is closed")


def test_a_closed_page_leaves_nothing_behind(visit, app_url):
    page = visit(f"{app_url}/?tab=gan")
    page.wait_for_selector(LAB)
    page.keyboard.press("Space")
    page.wait_for_selector('.ganlab[data-playing="true"]')
    session = page.evaluate("window.__gradio_session_hash__")
    assert asked(app_url, session)["playing"]

    page.close()
    wait_gone(app_url, session)


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
    wait_gone(app_url, session)


def test_a_page_that_is_not_left_after_all_keeps_its_run(visit, app_url):
    """A download or a slow answer: the browser asks for another page, and this one lives on. Its run was freed then, and a
    question about it refused."""
    page = visit(f"{app_url}/?tab=gan&data=ring8&trained=0")
    page.wait_for_selector(LAB)
    page.keyboard.press("Space")
    page.wait_for_function("+document.querySelector('.ganlab').dataset.step > 30")
    session, refused = page.evaluate("window.__gradio_session_hash__"), []
    page.on("response", lambda reply: reply.status >= 400 and refused.append(reply.url))
    page.on("requestfailed", lambda request: "/heartbeat/" in request.url and refused.append(request.url))
    before = asked(app_url, session)["lanes"][0]["step"]

    page.route("**/nowhere", lambda route: route.fulfill(status=204))
    with page.expect_response("**/nowhere"):
        page.evaluate("() => { location.href = '/nowhere' }")
    page.wait_for_function("before => +document.querySelector('.ganlab').dataset.step > before + 60", arg=before)
    assert asked(app_url, session)["playing"] and not refused


def test_the_named_endpoint_trains(app_url):
    from gradio_client import Client

    client = Client(app_url, verbose=False, httpx_kwargs={"timeout": 60})  # its own 5 s are few on a loaded machine
    told = client.predict({"data": "ring", "seed": 5}, 20, api_name="/gan_train")
    assert told["rounds"] == 20 and told["settings"]["data"] == "ring" and len(told["fakes"]) == 256
    with pytest.raises(Exception, match="no data set called"):
        client.predict({"data": "nothing"}, 20, api_name="/gan_train")
