"""The routes of the forward lab and the three guidances: shapes, agreement with the engines, other people's pictures."""

import io
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import answers
from explorer.tabs.diffusion import forward, guidances, lab_routes, lab_work

ROOT = "/gradio_api/x/diffusion/"
WISH = {"hair colour": "red", "shirt": "blue"}


@pytest.fixture(scope="module")
def site():
    app = Starlette(routes=lab_routes.routes())
    app.auth = app.auth_dependency = None
    with TestClient(app, headers={"x-session": "lab-page"}) as client:
        yield client


@pytest.fixture(scope="module")
def ask(site):
    return lambda path, **query: site.get(ROOT + path, params=query)


@pytest.fixture(scope="module")
def done(site, ask):
    """A comparison of four steps that has come to its end: (its id, all that was told of it)."""
    began = site.post(ROOT + "guidances/run", json={"wish": WISH, "seed": 1, "steps": 4, "s": 3, "w": 2})
    assert began.status_code == 200 and began.json()["total"] == 4 and began.json()["text"] == "red hair, a blue shirt"
    name, steps, told = began.json()["run"], [], {"state": "running"}
    while told["state"] == "running":
        told = ask("guidances/news", run=name, after=len(steps)).json()
        steps += told["steps"]
    assert told["state"] == "done", told
    return name, {**told, "steps": steps}


def sprite(answer) -> np.ndarray:
    """(F, H, W, C) from the PNG of an answer."""
    assert answer.status_code == 200, answer.text
    count, height, width, channels = map(int, answer.headers["x-shape"].split(","))
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)))
    rows = sheet.reshape(-1, height, sheet.shape[1] // width, width, channels).swapaxes(1, 2)
    return rows.reshape(-1, height, width, channels)[:count]


def floats(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<f4").reshape([int(n) for n in answer.headers["x-shape"].split(",")])


def close(a, b) -> bool:
    return a.shape == b.shape and np.abs(a.astype(int) - b).max() <= 1


def png(pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


# --- Forward ---


def test_what_the_page_starts_with(ask):
    told = ask("forward/start").json()
    assert [one["name"] for one in told["schedules"]] == ["linear", "scaled_linear", "cosine", "zero_snr"]
    assert all(len(one["abar"]) == 1000 and len(one["asked"]) == len(told["frames"]) for one in told["schedules"])
    assert told["frames"][-1] == 999 and told["own"] == "scaled_linear"


def test_the_numbers_are_those_of_the_engine(ask, mini):
    answer = ask("forward/numbers", picture="face:5", seed=9)
    values, what = floats(answer), forward.subject(mini, *forward.face(5))
    latent, grain = forward.noises(9)
    assert answer.headers["x-caption"] == what.caption
    for part, at in ((what.x0, 0), (latent, 256), (grain, 512 + 12288)):
        assert np.allclose(values[at : at + part.numel()], part.numpy().reshape(-1), atol=1e-4)
    assert np.array_equal(np.round((values[512 : 512 + 12288] + 1) * 127.5).reshape(3, 64, 64).transpose(1, 2, 0), what.pixels)


def test_the_film_begins_with_the_picture_and_its_parts_agree(ask, mini):
    frames = sprite(ask("forward/film", picture="face:5", seed=9, schedule="cosine"))
    assert frames.shape == (41, 64, 64, 3)
    far = np.abs(frames.astype(int) - forward.face(5)[0]).mean((1, 2, 3))
    assert far[0] < 12 < far[-1]

    question = {"picture": "face:5", "seed": 9, "schedule": "cosine"}
    both = floats(ask("forward/guess", **question, caption="red hair"))
    alone = floats(ask("forward/guess", **question))
    assert both.shape == (2, 41, 256) and alone.shape == (1, 41, 256) and np.allclose(both[0], alone[0], atol=1e-5)
    shown = sprite(ask("forward/estimates", **question, caption="red hair"))
    assert shown.shape == (82, 64, 64, 3) and close(shown[:41], sprite(ask("forward/estimates", **question)))


def test_one_training_example(ask):
    question = {"picture": "face:2", "schedule": "linear", "caption": "red hair", "seed": 4}
    told = ask("forward/example", **question).json()
    eps, guess = np.array(told["eps"]), np.array(told["told"]["eps"])
    assert told["told"]["loss"] == pytest.approx(((guess - eps) ** 2).mean(), rel=1e-2, abs=1e-5)
    a = forward.schedule("linear").abar[told["t"]]
    x0 = floats(ask("forward/numbers", picture="face:2"))[:256]
    assert np.allclose(told["x"], np.sqrt(a) * x0 + np.sqrt(1 - a) * eps, atol=2e-3)
    assert sprite(ask("forward/example.png", **question)).shape == (3, 64, 64, 3)


def test_a_picture_of_ones_own_is_nobody_elses(site, ask):
    pixels = np.random.default_rng(0).integers(0, 255, (90, 70, 3), np.uint8)
    told = site.post(ROOT + "forward/upload", content=png(pixels)).json()
    assert floats(ask("forward/numbers", picture=told["picture"])).shape == (2 * 256 + 2 * 12288,)
    other = site.get(ROOT + "forward/numbers", params={"picture": told["picture"]}, headers={"x-session": "another-page"})
    assert other.status_code == 400 and "bring it again" in other.json()["error"]
    assert site.post(ROOT + "forward/upload", content=b"no picture").status_code == 400
    lab_routes.left("lab-page")
    assert ask("forward/numbers", picture=told["picture"], seed=1).status_code == 400


def test_the_picture_of_a_run_drowns_too(ask, mini):
    from explorer.tabs.diffusion import decoders, runs, sampler

    run = runs.Run(mini, sampler.Settings(prompt="red hair", steps=2, seed=3))
    early = runs.Run(mini, sampler.Settings(steps=2))
    runs.start("lab-page", [run])
    assert run.over.wait(60) and run.state == "done"
    answer = ask("forward/numbers", picture=f"run:{run.id}")
    shown = decoders.decode(mini, run.steps[1].x_next)[0].transpose(2, 0, 1) / 127.5 - 1
    assert np.allclose(floats(answer)[512 : 512 + 12288].reshape(3, 64, 64), shown, atol=1e-6)
    assert answer.headers["x-caption"] == "red hair" and not early.over.is_set()
    assert ask("forward/numbers", picture=f"run:{early.id}").status_code == 400
    runs.left("lab-page")


def test_only_so_many_pictures_are_kept():
    names = [lab_work.keep("full-page", png(forward.face(n)[0]))["picture"] for n in range(lab_work.PICTURES + 2)]
    assert len(lab_work.page("full-page").pictures) == lab_work.PICTURES
    assert np.abs(lab_work.pixels("full-page", names[-1])[0].astype(int) - forward.face(lab_work.PICTURES + 1)[0]).max() <= 1
    lab_routes.left("full-page")


def test_films_leave_as_files(ask):
    answer = ask("forward/film", picture="face:1", format="gif", fps="12")
    assert Image.open(io.BytesIO(answer.content)).n_frames == 41 and "forward.gif" in answer.headers["content-disposition"]
    assert ask("forward/film", picture="face:1", format="strip").headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    "path, query",
    [
        ("forward/film", {"schedule": "quadratic"}), ("forward/film", {"picture": "face:-1"}), ("forward/film", {"picture": "?"}),
        ("forward/film", {"picture": "face:99999999"}), ("forward/film", {"seed": "NaN"}), ("forward/film", {"picture": "run:x"}),
        ("forward/guess", {"caption": "red " * 200}), ("forward/film", {"format": "exe"}), ("guidances/news", {"run": "x"}),
        ("guidances/strip", {"run": "x", "method": "magic"}),
    ],
)  # fmt: skip
def test_bad_questions_are_answered_with_one_sentence(ask, path, query):
    answer = ask(path, **{"picture": "face:1", **query})
    assert answer.status_code == 400 and answer.json()["error"].endswith("."), answer.text


# --- Guidances ---


def test_what_can_be_wished_for(ask):
    told = ask("guidances/start").json()
    assert ["red", "red hair"] in told["factors"]["hair colour"] and ["none", "no beard"] in told["factors"]["beard"]
    assert told["classifier"]["parameters"] <= 60_000


def test_a_comparison_tells_all_of_itself(done):
    _, told = done
    assert [one["t"] for one in told["steps"]] == [751, 501, 251, 1]
    assert all(len(one["branches"]["free"]["p"]) == 2 and -1 <= one["agree"] <= 1 for one in told["steps"])
    assert [[one["factor"] for one in method] for method in told["verdict"]] == [["hair colour", "shirt"]] * 3


def test_its_numbers_hold_the_equations(done, ask):
    name, told = done
    values = floats(ask("guidances/numbers", run=name))
    assert values.shape == (4, 7, 256)
    for step, (plain, gradient, guided, without, condition, mixed, _) in zip(told["steps"], values):
        assert np.allclose(guided, plain - 3 * np.sqrt(1 - step["abar"]) * gradient, atol=1e-5)
        assert np.allclose(mixed, without + 2 * (condition - without), atol=1e-5)


def test_its_films(done, ask):
    name, _ = done
    views = ("x", "x0", "plain", "push")
    films = {view: sprite(ask("guidances/strip", run=name, method="classifier", view=view)) for view in views}
    assert all(film.shape == (4, 64, 64, 3) for film in films.values())
    change = films["x0"].astype(float) - films["plain"]
    assert np.abs(films["push"] - 127.5 - 127.5 * change / np.abs(change).max((1, 2, 3), keepdims=True).clip(24)).max() <= 1
    assert sprite(ask("guidances/strip", run=name, method="free", view="final")).shape == (1, 64, 64, 3)
    assert ask("guidances/strip", run=name, method="labels", view="push").status_code == 400
    same = sprite(ask("guidances/recombined", run=name, method="classifier", step=2, scale=3))
    assert close(same[0], films["x0"][2])
    assert ask("guidances/recombined", run=name, method="free", step=9, scale=3).status_code == 400
    gif = ask("guidances/strip", run=name, method="free", format="gif")
    assert Image.open(io.BytesIO(gif.content)).format == "GIF"


def test_another_page_does_not_see_it(done, site):
    answer = site.get(ROOT + "guidances/numbers", params={"run": done[0]}, headers={"x-session": "another-page"})
    assert answer.status_code == 400


def test_a_new_comparison_stops_the_old_one(site, ask):
    first, second = (site.post(ROOT + "guidances/run", json={"wish": WISH, "steps": steps}).json()["run"] for steps in (100, 2))
    states = {}
    for name in (first, second):
        while states.get(name, "running") == "running":
            states[name] = ask("guidances/news", run=name, after=100).json()["state"]
    assert states == {first: "stopped", second: "done"}
    assert site.post(ROOT + "guidances/stop", json={"run": second}).status_code == 200


def test_a_wish_that_cannot_be_is_refused(site):
    answer = site.post(ROOT + "guidances/run", json={"wish": {"shirt": "plaid"}})
    assert answer.status_code == 400 and answer.json()["error"] == "There is no shirt called plaid."
    assert site.post(ROOT + "guidances/run", json={"wish": WISH, "s": "strong"}).status_code == 400


# --- Many at once ---


class Begun(list):
    """The seeds of the comparisons that asked the network at all."""

    def __init__(self):
        self._came = threading.Condition()

    def append(self, seed):
        with self._came:
            super().append(seed)
            self._came.notify_all()

    def wait(self, count):
        with self._came:
            assert self._came.wait_for(lambda: len(self) >= count, 60), f"{len(self)} of {count} comparisons have begun"


@pytest.fixture
def held(monkeypatch):
    """Comparisons that do not get on before `gate` is set, and which of them have begun."""
    real, gate, begun = guidances.compare, threading.Event(), Begun()

    def slow(model, net, settings):
        begun.append(settings.seed)
        gate.wait(60)
        yield from real(model, net, settings)

    monkeypatch.setattr(guidances, "compare", slow)
    yield gate, begun
    gate.set()


def post_run(site, page, seed=0):
    answer = site.post(ROOT + "guidances/run", json={"wish": WISH, "steps": 2, "seed": seed}, headers={"x-session": page})
    return answer.json()["run"]


def ended(run):
    """Its state in the end, from its thread in the pool."""
    try:
        run._turn.result(60)
    except CancelledError:
        pass
    return run.state


def test_comparisons_hold_up_no_answer_of_the_forward_lab(site, ask, held):
    gate, begun = held
    pages = [f"busy-page-{n}" for n in range(lab_work.COMPARING + 3)]
    for page in pages:
        post_run(site, page)
    begun.wait(lab_work.COMPARING)
    assert ask("forward/film", picture="face:31", seed=1).status_code == 200
    assert len(begun) == lab_work.COMPARING
    gate.set()
    for page in pages:
        (run,) = lab_work.known(page).runs.values()
        assert ended(run) == "done" and len(run.steps) == 2
        lab_routes.left(page)


def test_of_a_page_only_the_newest_comparison_runs(held):
    gate, begun = held
    wish = {"wish": WISH, "steps": 2}
    first = [lab_work.begin(f"busy-page-{n}", {**wish, "seed": n}) for n in range(lab_work.COMPARING)]
    begun.wait(lab_work.COMPARING)
    mine = [lab_work.begin("hasty-page", {**wish, "seed": 100 + n}) for n in range(30)]
    threads = [one for one in threading.enumerate() if one.name.startswith("guidances")]
    assert len(threads) <= lab_work.COMPARING
    assert [run.state for run in mine] == ["stopped"] * 29 + ["running"] and mine[-1].waiting
    lab_routes.left("busy-page-0")  # a page that is closed while its comparison is under way
    gate.set()
    assert [ended(run) for run in (*first[1:], mine[-1])] == ["done"] * len(first)
    assert ended(first[0]) == "stopped" and len(first[0].steps) <= 1
    assert sorted(begun) == [*range(lab_work.COMPARING), 129] and not any(run.steps for run in mine[:-1])
    for page in (*(f"busy-page-{n}" for n in range(lab_work.COMPARING)), "hasty-page"):
        lab_routes.left(page)


def test_what_was_stopped_before_its_turn_asks_nothing(held):
    _, begun = held
    run = lab_work.Comparison(guidances.checked({"wish": WISH}))
    run.stop()
    run.work()
    assert run.state == "stopped" and not run.steps and not begun


def test_questions_for_news_do_not_hold_up_others(site, held, monkeypatch):
    gate, _ = held
    run = post_run(site, "lab-page")

    def news():
        return site.get(ROOT + "guidances/news", params={"run": run, "after": 0}).json()

    monkeypatch.setattr(lab_routes, "POLL_SECONDS", 0.05)
    told = news()
    assert told["state"] == "running" and told["done"] == 0 and told["pause"] == 0 and lab_routes._parked == 0
    monkeypatch.setattr(lab_routes, "PARKED", 0)
    assert news()["pause"] == lab_routes.PAUSE
    gate.set()
    assert ended(lab_work.comparison("lab-page", run)) == "done"
    assert news()["pause"] == 0 and news()["state"] == "done"


def test_a_busy_host_says_so(ask, monkeypatch):
    places = answers.Places(1, 1, 0.02)
    with places.place():
        monkeypatch.setattr(lab_work._shared, "_places", places)
        answer = ask("forward/film", picture="face:47")
        assert answer.status_code == 429 and answer.json()["error"] == answers.BUSY
    assert ask("forward/film", picture="face:47").status_code == 200


def test_who_only_asks_has_no_page(ask, site):
    before = list(lab_work._pages)
    for path in (
        "forward/film?picture=upload:x",
        "forward/guess?picture=run:x",
        "guidances/news?run=x",
        "guidances/numbers?run=x",
    ):
        answer = site.get(ROOT + path, headers={"x-session": "invented-page"})
        assert answer.status_code == 400, answer.text
    assert site.get(ROOT + "forward/numbers?picture=face:1", headers={"x-session": "invented-page"}).status_code == 200
    assert sorted(lab_work._pages) == sorted(before) and lab_work.known("invented-page") is None


def test_pages_without_work_make_room_first(monkeypatch, held):
    gate, _ = held
    monkeypatch.setattr(lab_work, "_pages", type(lab_work._pages)())
    monkeypatch.setattr(lab_work, "PAGES", 3)
    run = lab_work.begin("at-work", {"wish": WISH, "steps": 2})
    lab_work.keep("brought-a-picture", png(forward.face(1)[0]))
    lab_work.page("empty")
    assert lab_work.page("newcomer") and list(lab_work._pages) == ["at-work", "brought-a-picture", "newcomer"]
    lab_work.keep("newcomer", png(forward.face(1)[0]))
    lab_work.keep("another", png(forward.face(1)[0]))
    assert list(lab_work._pages) == ["at-work", "newcomer", "another"]
    gate.set()
    assert ended(run) == "done"
