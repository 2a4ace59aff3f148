"""The routes of the metrics: what they answer is what the engines say; bad requests get one sentence."""

import json

import numpy as np
import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.tabs.vae import elbo, engine, metric_codes, metric_report, metric_routes, metric_toys, model, models
from explorer.tabs.vae import metric_scores as scores
from explorer.tabs.vae import projection_maps as maps
from explorer.tabs.vae.metric_rotation import Turn, logarithm
from explorer.tabs.vae.sources import DIGITS, Own

ROOT = "/gradio_api/x/vae/metrics/"
COUNT = 600


def tiny(dims: int, factors: int, seed: int = 0) -> engine.Vae:
    """A network that was not trained: it has codes and pictures, all that wiring needs. Factors: the digit, its parity."""
    torch.manual_seed(seed)
    pixels, digit = DIGITS.batch(COUNT)
    labels = np.hstack([digit, digit % 2])[:, :factors]
    names = {"digit": tuple("0123456789"), "parity": ("even", "odd")}
    source = Own("mine", pixels, labels, dict(list(names.items())[:factors]))
    net = model.Vae(model.Config(32, dims, (8, 8, 16)))
    with torch.no_grad():
        net.encoder[-1].weight *= 4
    facts = {"title": f"tiny {dims}", "beta": 1.0, "version": f"t{dims}"}
    return engine.Vae(net, source, np.full((32, 32), 0.5, np.float32), facts)


VAES = {"faces": tiny(5, 2), "one": tiny(2, 1), "none": tiny(3, 0)}


@pytest.fixture(scope="module")
def site():
    patch = pytest.MonkeyPatch()

    def get(name="faces", session=""):
        if (name or "faces") not in VAES:
            raise ValueError(f"There is no model {name!r} here.")
        return VAES[name or "faces"]

    patch.setattr(models, "get", get)
    app = Starlette(routes=metric_routes.routes())
    app.auth = app.auth_dependency = None
    with TestClient(app, headers={"x-session": "metrics-page"}) as client:
        for name in VAES:
            client.get(ROOT + "start", params={"model": name})
        metric_codes._encoder.submit(lambda: None).result(120)  # all codes are there
        yield client
    patch.undo()


@pytest.fixture(scope="module")
def ask(site):
    return lambda path, **query: site.get(ROOT + path, params=query)


def floats(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<f4").reshape([int(n) for n in answer.headers["x-shape"].split(",")])


def test_start_says_what_there_is(ask):
    told = ask("start").json()
    assert told["total"] == told["done"] == COUNT and list(told["factors"]) == ["digit", "parity"]
    assert told["report"] is None and set(told["toys"]["toys"]) == set(metric_toys.TOYS) and len(told["axes"]) == 5
    assert told["dead"] == elbo.DEAD
    assert ask("state").json() == {"done": COUNT, "total": COUNT, "error": ""}


def test_codes_are_the_encoders(ask):
    rows = floats(ask("codes", **{"from": 100, "count": 50}))
    pixels, labels = VAES["faces"].source.batch(COUNT)
    np.testing.assert_allclose(rows[:, :5], VAES["faces"].encode(pixels[100:150]).mu, atol=1e-5)
    np.testing.assert_array_equal(rows[:, 5:], labels[100:150])
    assert floats(ask("codes", model="none", count=10)).shape == (10, 3)


def test_a_toys_codes_are_those_of_the_golden_table(ask):
    rows = floats(ask("toy", toy="doubled"))
    assert rows.shape == (4000, 9)
    assert scores.mig(rows[:, :6], rows[:, 6:].astype(int)) == pytest.approx(0, abs=1e-3)


def test_a_logarithm_is_the_engines(ask):
    np.testing.assert_allclose(floats(ask("logarithm", dims=5, seed=3)), logarithm(5, 3), atol=1e-6)


def test_the_bill_is_the_elbos(ask):
    told, found = ask("bill", picture="gallery:2").json(), elbo.bill(VAES["faces"], VAES["faces"].gallery().images[2])
    kl = sum(0.5 * (m * m + s * s - 1) - np.log(s) for m, s in zip(told["mu"], told["sigma"]))
    assert -told["distortion"] - kl == pytest.approx(found.elbo, rel=1e-6)


def test_a_picture_is_the_gallerys(ask):
    answer = ask("picture", picture="gallery:1")
    found = np.frombuffer(answer.content, np.uint8).reshape(1, 32, 32, 3)[0]
    np.testing.assert_array_equal(found, VAES["faces"].gallery().images[1])


def test_a_film_moves_one_number_of_the_turned_code_alone():
    vae, turned = VAES["faces"], Turn("all", seed=2, part=1).matrix(5)
    pixels = vae.gallery().images[0]
    frames = metric_routes._film(vae, pixels, "all:2:1", 3, [-2, 2])
    own = turned @ vae.encode(pixels[None]).mu[0]
    own[3] = -2
    np.testing.assert_allclose(frames[0].astype(int), vae.decode((turned.T @ own)[None])[0], atol=1)
    assert len(frames) == metric_routes.FRAMES


def test_a_film_is_a_sprite_or_a_file(ask):
    assert ask("film", dim=1).headers["x-shape"] == f"{metric_routes.FRAMES},32,32,3"
    gif = ask("film", dim=1, format="gif")
    assert gif.content[:3] == b"GIF" and "number-1.gif" in gif.headers["content-disposition"]


@pytest.mark.parametrize("turn", ["plane:0:2:30", "all:1:0.5", "plane:0:1:0"])
def test_sap_of_a_turned_code_is_that_of_all_its_numbers(ask, turn):
    """In a plane only two rows are computed again: the answer must not show it."""
    z, v = metric_codes.of(VAES["faces"]).first(COUNT)
    z = z @ Turn.read(turn).matrix(5).T
    told = ask("sap", turn=turn).json()
    assert told["learn"] == 400 and told["check"] == 200
    assert told["sap"] == pytest.approx(scores.sap(z[:400], v[:400], z[400:], v[400:]), abs=1e-9)


def test_sap_of_a_toy_is_the_golden_one(ask):
    assert ask("sap", toy="perfect").json()["sap"] == pytest.approx(0.626, abs=0.002)
    assert ask("sap", toy="perfect", turn="plane:0:1:45").json()["sap"] == pytest.approx(0.221, abs=0.003)


def test_too_many_who_wait_for_sap_are_asked_to_come_again(ask, monkeypatch):
    monkeypatch.setattr(metric_routes, "_waiting", metric_routes.WAITING)
    assert ask("sap", turn="plane:0:1:17").json() == {"busy": True}


def test_maps_are_told_with_their_labels(ask):
    told = ask("maps/start", data="digits").json()
    assert told["count"] == 1797 and len(told["labels"][0]) == 1797
    assert [one["kind"] for one in told["kinds"]] == ["pca", "tsne", "umap", "ae", "vae"]
    points = ask("maps/points", data="digits", kind="vae").json()
    assert len(points["points"]) == 2 * 1797 and points["frame"][0][0] < points["frame"][0][1]
    assert 0.5 < ask("maps/worth", data="digits", kind="vae").json()["trust"] <= 1
    assert ask("maps/board", data="digits", kind="vae").headers["x-shape"] == "441,32,32,3"
    assert ask("maps/faces", data="digits").headers["x-shape"] == "1797,32,32,3"
    assert ask("maps/decode", data="digits", kind="pca", at="0,0").headers["x-shape"] == "1,32,32,3"


def test_large_pictures_are_halved():
    pixels = np.arange(2 * 64 * 64 * 3, dtype=np.uint32).reshape(2, 64, 64, 3).astype(np.uint8)
    assert maps.small(pixels).shape == (2, 32, 32, 3)
    assert maps.small(np.full((1, 64, 64, 3), 7, np.uint8)).max() == 7


@pytest.mark.parametrize("path, query, sentence", [
    ("codes", {"count": 0}, "600 codes"), ("codes", {"count": 700}, "600 codes"),
    ("codes", {"from": 599, "count": 2}, "600 codes"),
    ("codes", {"count": "nan"}, "whole number"), ("codes", {}, "whole number"), ("start", {"model": "moon"}, "no model"),
    ("toy", {"toy": "gold"}, "no code called"), ("logarithm", {"dims": 1}, "2 to 256"), ("logarithm", {"dims": 4000}, "2 to 256"),
    ("bill", {"picture": "gallery:99"}, "gallery holds"), ("bill", {"picture": "upload:theirs"}, "no longer here"),
    ("film", {"dim": 9}, "5 dimensions"), ("film", {"dim": 0, "turn": "plane:0:9:1"}, "two different dimensions"),
    ("film", {"dim": 0, "from": "nan"}, "plain numbers"), ("film", {"dim": 0, "to": "1e9"}, "from -100 to 100"),
    ("film", {"dim": 0, "turn": "sideways"}, "A rotation is"), ("film", {"dim": 0, "format": "exe"}, "not as 'exe'"),
    ("sap", {"model": "none"}, "nothing is known"), ("sap", {"turn": "all:1:7"}, "A rotation is"),
    ("sap", {"toy": "x"}, "no code called"),
    ("maps/start", {"data": "cats"}, "maps of digits"), ("maps/points", {"kind": "globe"}, "no map of that kind"),
    ("maps/points", {"kind": "tsne", "perplexity": 31}, "perplexity is"),
    ("maps/decode", {"kind": "tsne", "at": "0,0"}, "no decoder"),
    ("maps/decode", {"kind": "vae"}, "is missing"), ("maps/decode", {"kind": "vae", "at": "1,inf"}, "plain numbers"),
    ("maps/board", {"kind": "tsne"}, "no decoder"),
])  # fmt: skip
def test_bad_requests_get_one_sentence(ask, path, query, sentence):
    answer = ask(path, **query)
    assert answer.status_code == 400 and sentence in answer.json()["error"], answer.text


# ---- What ships computed ---------------------------------------------------------------------------------------------------


def test_a_report_of_other_weights_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(metric_report.assets, "roots", lambda: [tmp_path])
    metric_report.write(tmp_path / "vae" / "avatars", {"weights": "abc", "models": {"faces": {"mig": 0.1}}})
    assert metric_report.read("avatars", "abc")["models"]["faces"]["mig"] == 0.1
    assert metric_report.read("avatars", "other") == {} and metric_report.read("elsewhere", "abc") == {}
    (tmp_path / "vae" / "avatars" / metric_report.NAME).write_text("[")
    assert metric_report.read("avatars", "abc") == {}


def test_a_report_holds_what_makes_sense(monkeypatch):
    """One factor has no disentanglement and no votes; none a path length alone."""

    def even(z, v, *rest):
        all_alike = np.ones((z.shape[1], v.shape[1]))
        return scores.Dci(*scores.dci_of(all_alike), 0.5, all_alike)

    monkeypatch.setattr(metric_report, "PATHS", 16)
    monkeypatch.setattr(metric_report, "VOTES", (200, 100))
    monkeypatch.setattr(scores, "dci", even)
    one, none, two = (metric_report.of_model(VAES[name]) for name in ("one", "none", "faces"))
    assert one["d"] is None and one["c"] == pytest.approx(0, abs=1e-6) and "factor_vae" not in one and one["n"] == COUNT
    assert set(none) == {"path_pixels"}
    z, v = metric_codes.of(VAES["faces"]).first(COUNT)
    assert two["mig"] == pytest.approx(scores.mig(z, v), abs=1e-4) and 0 <= two["factor_vae"] <= 1
    json.dumps(two, allow_nan=False)
