"""The routes of paths, boards and samples: shapes, agreement with the engines, bad input, other people's pictures."""

import gc
import io
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import export
from explorer.tabs.vae import models, path_board, path_codes, path_eye, path_lines, path_routes, path_work, subjects
from explorer.tabs.vae.sampling_draw import draw
from tests.tabs.vae.path_models import tiny

ROOT = "/gradio_api/x/vae/paths/"
REPOSITORY = Path(__file__).parents[3]
PAGE = "paths-page"


@pytest.fixture(scope="module")
def own():
    """A small model of the page's own, and its name."""
    vae = tiny(3)
    return vae, models.keep(PAGE, vae)


@pytest.fixture(scope="module")
def site():
    app = Starlette(routes=path_routes.routes())
    app.auth = app.auth_dependency = None
    with TestClient(app, headers={"x-session": PAGE}) as client:
        yield client


@pytest.fixture(scope="module")
def ask(site, own):
    return lambda path, **query: site.get(ROOT + path, params={"model": own[1], **query})


@pytest.fixture
def tell(site, own):
    return lambda path, **body: site.post(ROOT + path, json={"model": own[1], **body})


@pytest.fixture(scope="module")
def upload() -> str:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (50, 50, 3), dtype=np.uint8)).save(file, "PNG")
    return subjects.keep(PAGE, file.getvalue())["picture"]


def sprite(answer) -> np.ndarray:
    """(F, H, W, C) from the PNG of an answer."""
    assert answer.status_code == 200, answer.text
    count, height, width, channels = map(int, answer.headers["x-shape"].split(","))
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)))
    rows = sheet.reshape(-1, height, sheet.shape[1] // width, width, channels).swapaxes(1, 2)
    return rows.reshape(-1, height, width, channels)[:count]


def close(a, b) -> bool:
    return a.shape == b.shape and np.abs(a.astype(int) - b).max() <= 1


def sentence(answer, *words: str) -> None:
    assert answer.status_code == 400, answer.text
    said = answer.json()["error"]
    assert all(word in said for word in words) and said.endswith("."), said


def done(tell, path: str, name: str, **body) -> dict:
    for _ in range(4000):
        told = tell(path, **body).json()
        if told["state"] not in ("waiting", "running"):
            assert told["state"] == "done", told
            return told[name]
    raise AssertionError(told)


# ---- Paths ---------------------------------------------------------------------------------------------------------------


def test_facts_of_models_of_two_numbers_hold_a_map(ask):
    told = ask("start").json()
    assert told["frames"] == path_lines.FRAMES and told["map"] is None and told["eye"]["name"] == "pixels"
    told = ask("start", model="digits-1").json()["map"]
    assert len(told["codes"]) == len(told["labels"]) == path_routes.MAP
    assert told["factor"] == "digit" and len(told["values"]) == 10


def test_ends_are_means_of_pictures_draws_and_codes(ask, own, upload):
    vae = own[0]
    names = ["gallery:2", upload, "draw:prior:7:3:0.5:1", "code:1,-0.5,0.25"]
    told = ask("ends", faces="|".join(names)).json()["faces"]
    assert [face["name"] for face in told] == names and told[1]["title"] == "your picture"
    z = np.array([face["z"] for face in told])
    assert np.allclose(z[0], vae.gallery().codes.mu[2], atol=1e-3)
    assert np.allclose(z[1], vae.encode(subjects.pixels(vae, PAGE, upload)[None]).mu[0], atol=1e-3)
    assert np.allclose(z[2], draw(vae, "prior", 24, 7, 0.5)[3], atol=1e-3) and np.allclose(z[3], [1, -0.5, 0.25])
    assert [face["norm"] for face in told] == pytest.approx(list(np.linalg.norm(z, axis=1)), abs=1e-3)


def test_a_measured_path_is_that_of_the_engine(ask, own):
    vae = own[0]
    told = ask("measure", a="gallery:0", b="gallery:1").json()
    a, b = vae.gallery().codes.mu[:2]
    for way in ("lerp", "slerp"):
        path = getattr(path_lines, way)(a, b, path_lines.steps())
        steps = path_eye.lengths(path_eye.PIXELS, vae, path)
        assert np.allclose(told[way]["z"], path, atol=1e-4)
        assert np.allclose(told[way]["norm"], np.linalg.norm(path, axis=1), atol=1e-3)
        assert np.allclose(told[way]["step"], steps, atol=1e-3) and told[way]["length"] == pytest.approx(steps.sum(), rel=1e-4)
        assert told[way]["length"] == pytest.approx(sum(told[way]["step"]), abs=1e-3)
    assert told["lerp"]["apart"] == told["slerp"]["apart"] <= told["lerp"]["length"] + 1e-3


@pytest.mark.parametrize("way", ["lerp", "slerp"])
def test_a_strip_begins_at_a_and_ends_at_b(ask, own, upload, way):
    vae = own[0]
    film = sprite(ask("strip", way=way, a="gallery:0", b=upload))
    ends = np.stack([path_codes.end(vae, PAGE, name).z for name in ("gallery:0", upload)])
    assert len(film) == path_lines.FRAMES and close(film[[0, -1]], vae.decode(ends))


def test_a_geodesic_is_found_beside_the_requests_and_then_shown(ask, tell, own):
    vae, pair = own[0], {"a": "code:1,1,0", "b": "code:-1,0.5,1"}
    sentence(ask("strip", way="geodesic", **pair), "still")
    path = done(tell, "geodesic", "path", **pair)
    straight = ask("measure", **pair).json()["lerp"]
    assert path["length"] <= straight["length"] + 1e-4 and path["apart"] == straight["apart"]
    film = sprite(ask("strip", way="geodesic", **pair))
    assert close(film, vae.decode(np.array(path["z"], np.float32))) and close(film[[0]], vae.decode(np.array([[1, 1, 0]])))


def test_stopping_and_leaving_let_a_geodesic_go(tell):
    tell("geodesic", a="gallery:3", b="gallery:4")
    assert tell("stop", kind="geodesic").json() == {}
    tell("geodesic", a="gallery:4", b="gallery:5")
    path_routes.left(PAGE)
    assert not [page for page in path_work.jobs._newest if page[0] == PAGE]
    sentence(tell("stop", kind="all"), "stop")


@pytest.mark.parametrize("format, magic", [("gif", b"GIF8"), ("strip", b"\x89PNG")])
def test_a_path_as_a_file(ask, format, magic):
    answer = ask("strip", way="lerp", a="gallery:0", b="gallery:1", format=format, pingpong=1)
    assert answer.status_code == 200 and answer.content.startswith(magic) and "lerp" in answer.headers["content-disposition"]


# ---- Boards --------------------------------------------------------------------------------------------------------------

CORNERS = "gallery:0|gallery:1|draw:aggregate:5:0:1:1|code:0,0,1"


@pytest.mark.parametrize("keep", [0, 1])
def test_a_board_is_its_cells(ask, own, keep):
    vae = own[0]
    corners = np.stack([end.z for end in path_codes.ends(vae, PAGE, CORNERS, 4, 4)])
    cells = sprite(ask("board", corners=CORNERS, side=11, keep=keep))
    assert close(cells, path_board.decoded(vae, path_board.cells(corners, 11, bool(keep))))
    picture = Image.open(io.BytesIO(ask("board", corners=CORNERS, format="strip").content))
    assert picture.size == (11 * 32, 11 * 32)


def test_a_drive_walks_the_drawn_way(ask, own):
    vae = own[0]
    way = path_board.pack(np.array([[0.0, 0], [1, 0], [1, 1]]))
    corners = np.stack([end.z for end in path_codes.ends(vae, PAGE, CORNERS, 4, 4)])
    film = sprite(ask("drive", corners=CORNERS, way=way, frames=9))
    assert close(film[[0, 4, 8]], vae.decode(corners[[0, 1, 3]]))
    assert len(export.formats()) and ask("drive", corners=CORNERS, way=way, format="gif").content.startswith(b"GIF8")


# ---- Sampling ------------------------------------------------------------------------------------------------------------


def test_a_sheet_is_the_draw_and_psi_zero_is_one_picture(ask, own):
    vae = own[0]
    assert close(sprite(ask("sheet", source="prior", seed=4, psi=0.5, t=1)), vae.decode(draw(vae, "prior", 24, 4, 0.5)))
    same = sprite(ask("sheet", source="aggregate", seed=4, psi=0, t=1))
    assert len(same) == 24 and (same == same[0]).all()


def test_curves_are_measured_beside_the_requests(tell, monkeypatch):
    from explorer.tabs.vae import sampling_measures

    real = sampling_measures.curves
    monkeypatch.setattr(sampling_measures, "curves", lambda *args: real(*args, count=5))
    found = done(tell, "curves", "curves", seed=2, t=1)
    assert found["n"] == 5 and len(found["prior"]["diversity"]["value"]) == len(found["psi"]) and found["eye"]["name"] == "pixels"


# ---- Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, query, words",
    [
        ("ends", {}, "1 to 8"),
        ("ends", {"faces": "|".join(["gallery:0"] * 9)}, "1 to 8"),
        ("ends", {"faces": "gallery:99"}, "gallery"),
        ("ends", {"faces": "gallery:-1"}, "picture"),
        ("ends", {"faces": "upload:0123456789ab"}, "bring it again"),
        ("ends", {"faces": "code:1,2"}, "3 numbers"),
        ("ends", {"faces": "code:1,2,nan"}, "finite"),
        ("ends", {"faces": "code:1,2,1e9"}, "between"),
        ("ends", {"faces": "code:" + "1," * 1200}, "face"),
        ("ends", {"faces": "draw:prior:1:99:1:1"}, "0 to 23"),
        ("ends", {"faces": "draw:prior:-1:0:1:1"}, "whole numbers"),
        ("ends", {"faces": "draw:prior:1:0:inf:1"}, "finite"),
        ("ends", {"faces": "draw:prior:1:0:7:1"}, "between 0 and 2"),
        ("ends", {"faces": "draw:all:1:0:1:1"}, "draw:aggregate"),
        ("ends", {"faces": "portrait"}, "gallery:"),
        ("ends", {"faces": "gallery:0", "model": "own-00000000"}, "train it again"),
        ("measure", {"a": "gallery:0"}, "face"),
        ("strip", {"a": "gallery:0", "b": "gallery:1", "way": "detour"}, "lerp"),
        ("strip", {"a": "gallery:0", "b": "gallery:1", "way": "lerp", "format": "exe"}, "exe"),
        ("board", {"corners": "gallery:0|gallery:1"}, "4 faces"),
        ("board", {"corners": CORNERS, "side": "1000"}, "11 or 17"),
        ("board", {"corners": CORNERS, "side": "x"}, "side"),
        ("drive", {"corners": CORNERS, "way": "!!!!!!!!"}, "draw it again"),
        ("drive", {"corners": CORNERS, "way": "AAAA____", "frames": "100000"}, "2 to 128"),
        ("sheet", {"source": "posterior"}, "prior"),
        ("sheet", {"psi": "-1"}, "between 0 and 2"),
        ("sheet", {"psi": "nan"}, "plain numbers"),
        ("sheet", {"seed": "1.5"}, "seed"),
        ("script", {"kind": "poem"}, "Python"),
        ("script", {"kind": "path", "faces": "gallery:0|gallery:1"}, "shipped"),
        ("script", {"kind": "mix", "faces": "gallery:0|gallery:1", "w": "0,0", "model": "digits-1"}, "not all"),
        ("script", {"kind": "board", "corners": "|".join(["gallery:0"] * 4), "x": "2", "model": "digits-1"}, "0 to 1"),
    ],
)
def test_bad_input_gets_one_sentence(ask, path, query, words):
    sentence(ask(path, **query), words)


@pytest.mark.parametrize(
    "path, body, words",
    [
        ("geodesic", {}, "face"),
        ("geodesic", {"a": 7, "b": None}, "face"),
        ("geodesic", {"a": "gallery:0", "b": "x" * 5000}, "face"),
        ("curves", {"seed": -1}, "whole number"),
        ("curves", {"seed": True}, "whole number"),
        ("curves", {"t": "hot"}, "number"),
        ("curves", {"t": 99}, "between 0 and 2"),
        ("stop", {"kind": ["geodesic"]}, "stop"),
    ],
)
def test_bad_commands_get_one_sentence(tell, path, body, words):
    sentence(tell(path, **body), words)


def test_another_page_sees_neither_picture_nor_model(site, upload, own):
    other = {"x-session": "another-page"}
    sentence(site.get(ROOT + "ends", params={"model": "digits-1", "faces": upload}, headers=other), "bring it again")
    sentence(site.get(ROOT + "ends", params={"model": own[1], "faces": "gallery:0"}, headers=other), "train it again")


# ---- The Python that is offered ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query, files",
    [
        ({"kind": "path", "faces": "gallery:0|draw:prior:2:0:1:1"}, ["lerp.png", "slerp.png", "geodesic.png"]),
        ({"kind": "board", "corners": "|".join(f"gallery:{i}" for i in range(4)), "keep": 1, "x": 0.25, "y": 0.5,
          "way": path_board.pack(np.array([[0.0, 0], [1, 1]]))}, ["board.png", "place.png", "drive.gif"]),
        ({"kind": "mix", "faces": "gallery:0|UPLOAD|gallery:3", "w": "0.5,0.25,0.25"}, ["mix.png"]),
        ({"kind": "sampling", "seed": 3, "psi": 0.5, "t": 1}, ["prior.png", "aggregate.png"]),
    ],
)  # fmt: skip
def test_the_script_makes_it_again(ask, tmp_path, monkeypatch, upload, query, files):
    query = {name: str(value).replace("UPLOAD", upload) for name, value in query.items()}
    answer = ask("script", **query, model="digits-1")
    assert answer.status_code == 200, answer.text
    compile(answer.text, "script", "exec")
    assert "upload:" not in answer.text  # a picture of the page's own is said as its code
    monkeypatch.chdir(tmp_path)
    exec(answer.text, {"__name__": "script"})
    for name in files:
        assert Image.open(tmp_path / name).size[0] > 30
    if query["kind"] == "mix":
        found = path_codes.ends(models.get("digits-1"), PAGE, query["faces"], 3, 3)
        z = path_lines.blend(np.stack([one.z for one in found]), np.array([0.5, 0.25, 0.25]))
        assert close(np.asarray(Image.open("mix.png")), models.get("digits-1").decode(z[None])[0])


def test_the_routes_load_no_engine():
    code = "import sys; from explorer.tabs.vae import path_routes; path_routes.routes(); print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_what_is_kept_of_a_model_lets_it_go():
    """Answers and means: a model that a closed page trained is freed."""
    vae = tiny(2)
    a, b = path_codes.end(vae, "", "gallery:0").z, path_codes.end(vae, "", "gallery:1").z
    for answer in (path_work.measured(vae, a, b), path_work.sheet(vae, "prior", 0, 1.0, 1.0), path_work.strip(vae, "lerp", a, b)):
        answer.result(60)
    assert len(path_codes.known_codes(vae)) == 40
    gone = weakref.ref(vae)
    del vae
    for _ in range(200):  # the threads put their last work down
        gc.collect()
        if gone() is None:
            return
        threading.Event().wait(0.01)
    raise AssertionError(gc.get_referrers(gone()))
