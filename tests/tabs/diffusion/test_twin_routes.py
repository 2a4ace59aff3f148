"""What a page asks of the twin, and what it is told when that makes no sense: one sentence each."""

import json

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.tabs.diffusion import twin, twin_routes, twin_sampler

X = "/gradio_api/x/diffusion/twin/"


@pytest.fixture
def client():
    app = Starlette(routes=twin_routes.routes())
    app.auth = app.auth_dependency = None
    return TestClient(app, headers={"x-session": "a-page"})


def test_the_page_is_told_what_there_is(client):
    told = client.get(X + "start").json()
    assert {one["name"] for one in told["data"]} == {*twin.presets(), "own"}
    assert told["limits"]["points"] == 1000 and len(told["schedules"]) == 4 and told["defaults"]["data"] == "disjoint"
    assert twin.check({name: value for name, value in told["defaults"].items() if name != "points"}) == twin.Settings()


def test_a_film_is_the_samplers_film(client):
    given = {"data": "disjoint", "steps": 7, "n": 40, "w": 3, "eta": 0.5, "y": 2, "seed": 9}
    raw = client.post(X + "film", json=given).content
    assert raw[:4] == b"TWIN"
    size = int.from_bytes(raw[4:8], "little")
    head, numbers = json.loads(raw[8 : 8 + size]), np.frombuffer(raw[8 + size :], "<f4")
    film = twin_sampler.run(twin.check(given))
    np.testing.assert_allclose(numbers[: 8 * 80], film.x.ravel(), atol=1e-5)
    np.testing.assert_allclose(numbers[8 * 80 :], film.x0.ravel(), atol=1e-5)
    assert head["t"] == film.t.tolist() and len(head["abar"]) == 8 and head["abar"][-1] == 1
    assert head["law"]["label"] == [0, 1, 2] and len(head["law"]["shown"]) == 400


@pytest.mark.parametrize(
    "given, sentence",
    [
        ({"w": float("nan")}, "The guidance scale is a number from 0 to 20."),
        ({"w": 21}, "The guidance scale is a number from 0 to 20."),
        ({"steps": 0}, "The number of steps is a whole number from 1 to 100."),
        ({"steps": 10_000}, "The number of steps is a whole number from 1 to 100."),
        ({"steps": 2.5}, "The number of steps is a whole number from 1 to 100."),
        ({"w": 10**400}, "The guidance scale is a number from 0 to 20."),
        ({"n": 10**400}, "The number of samples is a whole number from 1 to 1,000."),
        ({"seed": -(10**400)}, "The seed is a whole number from 0 to 999,999."),
        ({"eta": "a"}, "Eta is a number from 0 to 1."),
        ({"n": 1_000_000}, "The number of samples is a whole number from 1 to 1,000."),
        ({"n": 0}, "The number of samples is a whole number from 1 to 1,000."),
        ({"n": True}, "The number of samples is a whole number from 1 to 1,000."),
        ({"data": "cats"}, "There is no data set called 'cats'."),
        ({"data": ["ring8"]}, "There is no data set called \"['ring8']\"."),
        ({"schedule": 5}, "There is no noise schedule called '5'."),
        ({"colour": 1}, "There is no setting called 'colour'."),
        ({"y": 3}, "The class is a whole number from 0 to 2."),
        ({"y": 10**400}, "The class is a whole number from 0 to 2."),
        ({"y": 1.5}, "The class is a whole number from 0 to 2."),
        ({"y": True}, "The class is a whole number from 0 to 2."),
        ({"y": [1]}, "The class is a whole number from 0 to 2."),
        ({"data": "own"}, "There is no point yet; draw at least one."),
        ({"data": "own", "points": []}, "There is no point yet; draw at least one."),
        ({"data": "own", "points": [[0, 0]] * 1001}, "A drawing has at most 1,000 points, not 1,001."),
        ({"data": "own", "points": [[0, float("nan")]]}, "A coordinate is a number from -3 to 3."),
        ({"data": "own", "points": [[0, 1e9]]}, "A coordinate is a number from -3 to 3."),
        ({"data": "own", "points": [[0, 0, 7]]}, "A point's class is a whole number from 0 to 3."),
        ({"data": "own", "points": [[10**400, 0]]}, "A coordinate is a number from -3 to 3."),
        ({"data": "own", "points": [[0, 0, 10**400]]}, "A point's class is a whole number from 0 to 3."),
        ({"data": "own", "points": [3]}, "A point is two numbers and, if you like, its class."),
        ({"data": "own", "points": [[0, 0]], "y": 1}, "No point has the class B; choose another, or none."),
        ({"data": "own", "points": [[0, 0, 0]], "y": 1.0}, "No point has the class B; choose another, or none."),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(client, given, sentence):
    body = json.dumps(given)  # with NaN, as a careless script would send it
    for path, sent in (("film", body), ("lesson", json.dumps({"lesson": "race", "settings": given}))):
        answer = client.post(X + path, content=sent)
        assert answer.status_code == 400 and answer.json()["error"] == sentence, path


@pytest.mark.parametrize(
    "path, given, sentence",
    [
        ("lesson", {"lesson": "cooking"}, "There is no lesson called 'cooking'"),
        ("lesson", {"lesson": "guidance", "settings": {"y": None}}, "Choose a class first"),
        (
            "lesson",
            {"lesson": "guidance", "settings": {"data": "own", "points": [[0, 0, 1]], "y": 1}},
            "All points have one class",
        ),
        ("lesson", {"lesson": "race", "settings": 3}, "Settings are names with values."),
        ("trace", {"start": [0]}, "A place is two numbers."),
        ("trace", {"start": [0, 1e30]}, "A coordinate is a number from -10 to 10."),
        ("trace", {"start": [0, 10**400]}, "A coordinate is a number from -10 to 10."),
        ("trace", {"start": [0, 0], "step": 10**400}, "The step is a whole number from 0 to 24."),
        ("bayes", {"settings": {}, "x": [10**400, 0]}, "A coordinate is a number from -10 to 10."),
        ("bayes", {"settings": {}, "t": 10**400}, "The timestep is a whole number from 0 to 999."),
        ("trace", {"start": [0, 0], "step": 25}, "The step is a whole number from 0 to 24."),
        ("bayes", {"settings": {}, "t": 1000}, "The timestep is a whole number from 0 to 999."),
    ],
)
def test_bad_questions_are_refused_in_one_sentence(client, path, given, sentence):
    answer = client.post(X + path, json=given)
    assert answer.status_code == 400 and answer.json()["error"].startswith(sentence)


def test_a_whole_number_may_have_a_point():
    settings = twin.check({"y": 1.0, "steps": 5.0})
    assert settings == twin.check({"y": 1, "steps": 5}) and isinstance(settings.y, int)


def test_one_point_and_a_thousand_are_fine(client):
    for count in (1, 1000):
        points = np.random.default_rng(0).uniform(-3, 3, (count, 2)).round(3).tolist()
        answer = client.post(X + "film", json={"data": "own", "points": points, "y": None, "steps": 3, "n": 20})
        assert answer.status_code == 200
    told = client.post(X + "trace", json={"settings": {}, "start": [1, 1], "step": 3}).json()
    assert len(told["ode"]) == 23 and np.isfinite(told["sde"]).all()
    assert client.post(X + "law", json={"data": "gaussians"}).json()["label"] == [0, 1]
