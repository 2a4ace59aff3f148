"""The routes of the three worlds: shapes, agreement with the engine, a page's own model, one sentence for bad input."""

import csv
import io

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import limits
from explorer.tabs.vae import engine, model_routes, models, world_boards, worlds, worlds_routes
from explorer.tabs.vae import model as vae
from explorer.tabs.vae.sources import Own

ROOT = "/gradio_api/x/vae/worlds/"
THREE = "digits-0,digits-1,digits-kl"


@pytest.fixture(scope="module")
def site():
    app = Starlette(routes=[*worlds_routes.routes(), *model_routes.routes()])
    app.auth = app.auth_dependency = None
    with TestClient(app, headers={"x-session": "worlds-page"}) as client:
        yield client


@pytest.fixture(scope="module")
def ask(site):
    return lambda path, **query: site.get(ROOT + path, params=query)


@pytest.fixture(scope="module")
def digits():
    return worlds.load("digits")


@pytest.fixture
def own():
    """A model of two numbers that this page trained."""
    torch.manual_seed(0)
    pictures = np.stack([np.full((32, 32, 3), 12 * i, np.uint8) for i in range(20)])
    net = vae.Vae(vae.Config(32, 2, (8, 8, 16)))
    facts = {"title": "mine", "beta": 1.0, "version": "v1"}
    name = models.keep("worlds-page", engine.Vae(net, Own("greys", pictures), np.ones((32, 32), np.float32), facts))
    yield name
    models.forget("worlds-page", name)


def sprite(answer) -> np.ndarray:
    """(F, H, W, C) from the sheet of an answer."""
    assert answer.status_code == 200, answer.text
    count, height, width, channels = map(int, answer.headers["x-shape"].split(","))
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
    rows = sheet.reshape(-1, height, sheet.shape[1] // width, width, channels).swapaxes(1, 2)
    return rows.reshape(-1, height, width, channels)[:count]


def floats(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<f4").reshape([int(n) for n in answer.headers["x-shape"].split(",")])


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.abs(a.astype(int) - b).max() <= 1


def test_what_the_page_starts_with(ask, digits):
    told = ask("start", data="digits").json()
    assert [stop["stop"] for stop in told["stops"]] == list(worlds.STOPS)
    assert told["worlds"] == THREE.split(",") and told["factors"] == {"digit": list("0123456789")}
    assert [stop["beta"] for stop in told["stops"]] == [0, 0.1, 1, 4, 16, "kl"]
    for stop in told["stops"]:
        assert stop["card"] == digits.card["stops"][stop["stop"]]
        assert stop["reach"] == world_boards.reach(digits.stops[stop["stop"]])
    assert len(told["captions"]) == 20


def test_codes_and_labels(ask, digits):
    rows = floats(ask("codes", model="digits-0.1"))
    code = digits.codes["0.1"]
    assert np.allclose(rows[:, :2], code.mu) and np.allclose(rows[:, 2:4], code.sigma)
    assert np.array_equal(rows[:, 4:], digits.labels)


def test_a_board_may_be_kept_and_is_near_what_is_decoded(ask, digits):
    answer = ask("board", model="digits-1", which="near")
    frames, side = sprite(answer), int(answer.headers["x-columns"])
    assert "max-age" in answer.headers["cache-control"]
    z = world_boards.lattice(world_boards.NEAR, side)
    for i in (0, side * side // 2, side * side - 1):
        exact = digits.stops["1"].decode(z[i : i + 1])[0]
        assert np.abs(frames[i].astype(float) - exact).mean() < 4


def test_exact_pictures_one_point_for_each_model(ask, digits):
    frames = sprite(ask("decoded", models=THREE, z="0.5,1,-1,0.25,0,3"))
    for frame, stop, z in zip(frames, ("0", "1", "kl"), ([0.5, 1], [-1, 0.25], [0, 3])):
        assert alike(frame, digits.stops[stop].decode(np.array([z]))[0])


def test_draws_are_the_same_in_every_world(ask, digits):
    answer = ask("draws", models=THREE, seed=5, count=6)
    frames, z = sprite(answer), np.array(answer.headers["x-z"].split(","), float).reshape(-1, 2)
    assert np.allclose(z, digits.stops["0"].sample(6, 5, source="prior"), atol=1e-5)
    for i, stop in enumerate(("0", "1", "kl")):
        assert alike(frames[6 * i : 6 * i + 6], digits.stops[stop].decode(z))
    assert ask("draws", models=THREE, seed=5, count=6).content == answer.content
    assert ask("draws", models=THREE, seed=6, count=6).content != answer.content


@pytest.mark.parametrize("picture", ["point:7", "gallery:3"])
def test_a_picture_in_each_world(ask, digits, picture):
    told, frames = ask("picture", models=THREE, picture=picture).json(), sprite(ask("pictures", models=THREE, picture=picture))
    model = digits.stops["1"]
    original = world_boards.shown(model, 7) if picture == "point:7" else model.gallery().images[3]
    assert np.array_equal(frames[0], original)
    code = model.encode(original[None])
    assert np.allclose(told["mu"][1], code.mu[0], atol=1e-4) and np.allclose(told["sigma"][1], code.sigma[0], atol=1e-4)
    assert np.allclose(told["kl"][1], code.kl[0], atol=1e-4)
    assert alike(frames[2], model.decode(code.mu)[0])


def test_a_picture_of_ones_own_is_nobody_elses(site, ask, digits):
    file = io.BytesIO()
    Image.fromarray(digits.stops["1"].gallery().images[5]).resize((200, 200)).save(file, "PNG")
    name = site.post("/gradio_api/x/vae/picture", content=file.getvalue()).json()["picture"]
    assert sprite(ask("pictures", models=THREE, picture=name)).shape == (4, 32, 32, 3)
    other = site.get(ROOT + "picture", params={"models": THREE, "picture": name}, headers={"x-session": "another-page"})
    assert other.status_code == 400 and "no longer here" in other.json()["error"]


def test_the_manifold_and_a_part_of_it(ask, digits):
    whole = sprite(ask("manifold", model="digits-4", count=7))
    assert alike(whole, world_boards.manifold(digits.stops["4"], (0.001, 0.999, 0.001, 0.999), 7))
    part = sprite(ask("manifold", model="digits-4", count=7, x0=0.25, x1=0.5, y0=0.5, y1=0.75))
    assert part.shape == (49, 32, 32, 3) and not alike(part, whole)


def test_the_dial(ask):
    assert sprite(ask("dial", data="digits")).shape == (10 + 6 * 20, 32, 32, 3)


def test_the_table_of_codes(ask, digits):
    answer = ask("codes.csv", models=THREE)
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert "codes.csv" in answer.headers["content-disposition"]
    assert rows[0][:6] == ["picture", "digit", "digits-0 mu1", "digits-0 mu2", "digits-0 sigma1", "digits-0 sigma2"]
    assert len(rows) == 1798 and int(rows[10][1]) == digits.labels[9, 0]
    assert np.allclose([float(v) for v in rows[10][2:4]], digits.codes["0"].mu[9], atol=1e-4)


def test_a_path_leaves_as_a_film(ask):
    z = ",".join(f"{v:.2f}" for v in np.linspace(-1, 1, 3 * 2 * 4))
    film = Image.open(io.BytesIO(ask("path", models=THREE, z=z, format="gif").content))
    assert film.n_frames == 4


def test_the_film_of_the_dial_leaves_as_a_strip(ask, monkeypatch):
    from explorer.tabs.vae import world_film

    short, made = world_film.film, []
    monkeypatch.setattr(world_film, "film", lambda *of: made.append(of) or short(*of, still=1, between=0))
    monkeypatch.setattr(worlds_routes, "_films", {})
    answer = ask("film", data="digits", factor="digit", format="strip")
    assert answer.status_code == 200 and Image.open(io.BytesIO(answer.content)).size[0] > 600
    again = ask("film", data="digits", format="strip", v="other")  # the same film
    assert again.content == answer.content and again.headers["content-disposition"] == answer.headers["content-disposition"]
    assert made == [("digits", 0)]
    assert ask("film", data="digits", format="strip", fps="nan").status_code == 400 and len(made) == 1
    monkeypatch.setattr(worlds_routes, "FILM_BYTES", 1)
    assert ask("film", data="digits", format="gif").headers["content-type"] == "image/gif"
    assert len(worlds_routes._films) == 1  # the newest


@pytest.mark.parametrize(("line", "path", "query"), [
    ("_files", "film", {"data": "digits", "format": "gif", "fps": "9"}), ("_files", "codes.csv", {"models": THREE}),
    ("_turns", "manifold", {"model": "digits-4", "count": "5"}),
])  # fmt: skip
def test_few_wait_for_what_takes_long(ask, monkeypatch, line, path, query):
    """They would hold places that all tabs share; the page asks again on 429."""
    assert worlds_routes.LINE > worlds_routes.SLOW >= limits.IN_FLIGHT  # one page alone is never refused
    monkeypatch.setattr(getattr(worlds_routes, line), "_inside", worlds_routes.SLOW)
    answer = ask(path, **query)
    assert answer.status_code == 429 and answer.json()["error"] == worlds_routes.BUSY
    assert ask("codes", model="digits-4").status_code == 200  # what is quick goes on


def test_a_model_of_the_page_has_a_map_and_nobody_else_sees_it(ask, site, own):
    told = ask("facts", model=own).json()
    assert told["title"] == "mine" and told["dims"] == 2 and told["card"]["rate"] > 0 and len(told["card"]["kl"]) == 2
    assert floats(ask("codes", model=own)).shape == (20, 4)
    assert sprite(ask("board", model=own, which="near")).shape[1:] == (32, 32, 3)
    assert sprite(ask("decoded", models=own, z="0,0")).shape == (1, 32, 32, 3)
    other = site.get(ROOT + "facts", params={"model": own}, headers={"x-session": "another-page"})
    assert other.status_code == 400 and "train it again" in other.json()["error"]


@pytest.mark.parametrize(
    ("path", "query", "sentence"),
    [
        ("start", {"data": "cats"}, "worlds of digits and of avatars"),
        ("facts", {"model": "faces"}, "two numbers; this model's has 48"),
        ("codes", {"model": "faces"}, "two numbers"),
        ("codes", {"model": "digits-7"}, "no model"),
        ("codes", {"model": "own-0000"}, "train it again"),
        ("board", {"model": "digits-1", "which": "both"}, "near or wide"),
        ("decoded", {"models": THREE, "z": "0,0"}, "6 numbers"),
        ("decoded", {"models": THREE, "z": "0,0,0,0,nan,0"}, "plain numbers"),
        ("decoded", {"models": THREE, "z": "0,0,0,0,50,0"}, "between -12 and 12"),
        ("decoded", {"models": "", "z": "0,0"}, "two numbers"),
        ("decoded", {"models": ",".join(["digits-1"] * 9), "z": "0,0"}, "At most 8"),
        ("draws", {"models": THREE, "count": "25"}, "Between 1 and 24"),
        ("draws", {"models": THREE, "count": "0"}, "Between 1 and 24"),
        ("draws", {"models": THREE, "seed": "-1"}, "whole number"),
        ("picture", {"models": THREE, "picture": "point:-1"}, "point: and its number"),
        ("picture", {"models": THREE, "picture": "point:1797"}, "pictures 0 to 1796"),
        ("picture", {"models": THREE, "picture": "gallery:99"}, "gallery holds"),
        ("picture", {"models": THREE, "picture": "../etc"}, "A picture is"),
        ("manifold", {"model": "digits-1", "x0": "0.5", "x1": "0.4"}, "manifold lies between"),
        ("manifold", {"model": "digits-1", "x0": "nan"}, "plain numbers"),
        ("manifold", {"model": "digits-1", "count": "99"}, "2 to 21"),
        ("dial", {"data": "../digits"}, "worlds of"),
        ("codes.csv", {"models": "digits-0,faces"}, "two numbers"),
        ("film", {"data": "digits", "factor": "hair", "format": "gif"}, "known by digit"),
        ("path", {"models": THREE, "z": "0,0,0,0,0,0"}, "2 to 120 points"),
        ("path", {"models": THREE}, "move the pointer"),
        ("path", {"models": THREE, "z": ",".join(["0"] * 6 * 121)}, "2 to 120 points"),
    ],
)
def test_bad_questions_are_answered_with_one_sentence(ask, path, query, sentence):
    answer = ask(path, **query)
    assert answer.status_code == 400 and sentence in answer.json()["error"], answer.text


def test_worlds_of_two_sizes_are_asked_one_by_one(ask):
    answer = ask("decoded", models="digits-1,avatars-1", z="0,0,0,0")
    assert answer.status_code == 400 and "different sizes" in answer.json()["error"]


def test_worlds_that_are_not_here_say_what_makes_them(ask, monkeypatch):
    from explorer import assets

    def missing(data):
        raise assets.Missing(f"vae/worlds-{data}", "python -m explorer.tabs.vae.train_worlds")

    monkeypatch.setattr(worlds, "load", missing)
    answer = ask("start", data="avatars")
    assert answer.status_code == 503 and "train_worlds" in answer.json()["error"]
    worlds_routes.warm()  # an app without them starts all the same


def test_building_the_page_loads_no_torch():
    import subprocess
    import sys

    code = "import sys; import explorer.tabs.vae.worlds_routes as w; w.routes(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
