"""The VAE tab's routes and named endpoints: shapes, agreement with the engine, and one sentence for bad input."""

import io

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.tabs.vae import engine, ui


@pytest.fixture(scope="module")
def vae():
    return engine.load()


@pytest.fixture(scope="module")
def site():
    """The tab's routes alone, on an app that asks nobody to log in."""
    with gr.Blocks():
        routes = ui.build()
    app = Starlette(routes=routes)
    app.auth = app.auth_dependency = None
    with TestClient(app, headers={"x-session": "page-1"}) as client:
        yield client


@pytest.fixture(scope="module")
def ask(site):
    return lambda path, **query: site.get(f"/gradio_api/x/vae/{path}", params=query)


def text(z) -> str:
    return ",".join(f"{v:.4f}" for v in z)


def sprite(answer) -> np.ndarray:
    """(F, H, W, C) from the PNG of an answer."""
    count, height, width, channels = map(int, answer.headers["x-shape"].split(","))
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)))
    rows = sheet.reshape(-1, height, sheet.shape[1] // width, width, channels).swapaxes(1, 2)
    return rows.reshape(-1, height, width, channels)[:count]


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal pixels but for rounding: batches of another size sum in another order."""
    return a.shape == b.shape and np.abs(a.astype(int) - b).max() <= 1


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def test_start_tells_all_the_page_needs(ask, vae):
    told = ask("start").json()
    assert told["dims"] == vae.dims and told["order"] == vae.order and told["size"] == vae.size
    assert len(told["axes"]) == vae.dims and {"kl", "effect", "share"} <= told["axes"][0].keys()
    assert len(told["gallery"]) == 24 and told["gallery"][0]["caption"]
    np.testing.assert_allclose(told["gallery"][3]["mu"], vae.gallery().codes.mu[3], atol=1e-4)
    assert "gif" in told["exports"]


def test_the_gallery_is_the_engines(ask, vae):
    assert np.array_equal(sprite(ask("gallery")), vae.gallery().images)


def test_decode_gives_the_raw_face(ask, vae):
    z = vae.gallery().codes.mu[1]
    answer = ask("decode", z=text(z))
    assert answer.headers["x-shape"] == f"1,{vae.size},{vae.size},3"
    face = np.frombuffer(answer.content, np.uint8).reshape(vae.size, vae.size, 3)
    assert close(face, vae.decode(z[None])[0])
    assert "max-age" in answer.headers["cache-control"]


def test_film_and_ends_are_the_decoder_at_those_values(ask, vae):
    z, dim = vae.gallery().codes.mu[2], vae.order[0]
    film = sprite(ask("film", z=text(z), dim=dim, **{"from": -2.5, "to": 2.5}, frames=11))
    ends = sprite(ask("ends", z=text(z), dims=f"{dim},{vae.order[1]}", at=2.5))
    assert film.shape[0] == 11 and ends.shape[0] == 4
    assert close(film[0], ends[0]) and close(film[-1], ends[1])
    other = z.copy()
    other[vae.order[1]] = 2.5
    assert close(ends[3], vae.decode(other[None])[0])


def test_encode_reads_an_upload_and_keeps_nothing_but_the_answer(site, vae):
    image = vae.gallery().images[5]
    told = site.post("/gradio_api/x/vae/encode", content=png(image)).json()
    assert told["note"] == ""
    np.testing.assert_allclose(told["mu"], vae.encode(image[None]).mu[0], atol=2e-3)
    large = np.asarray(Image.fromarray(image).resize((300, 200)))
    assert site.post("/gradio_api/x/vae/encode", content=png(large)).json()["note"]


def test_a_sample_and_its_middle_give_every_temperature(ask, vae):
    for source in ("aggregate", "prior"):
        told = ask("sample", seed=7, source=source).json()
        z, middle = np.array(told["z"]), np.array(told["middle"])
        want = vae.sample(1, 7, 0.4, source)[0]
        np.testing.assert_allclose(middle + 0.4 * (z - middle), want, atol=1e-3)
    assert ask("sample", seed=7).json() == ask("sample", seed=7).json() != ask("sample", seed=8).json()


def test_a_morph_ends_at_both_faces_and_can_be_had_as_a_file(ask, vae):
    a, b = vae.gallery().codes.mu[:2]
    frames = sprite(ask("morph", a=text(a), b=text(b)))
    assert len(frames) == 33
    assert close(frames[0], vae.decode(a[None])[0]) and close(frames[-1], vae.decode(b[None])[0])
    for kind in ask("start").json()["exports"]:
        answer = ask("morph", a=text(a), b=text(b), frames=5, format=kind)
        assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
        if kind == "gif":
            assert Image.open(io.BytesIO(answer.content)).n_frames == 5


@pytest.mark.parametrize(
    "path, query",
    [
        ("decode", {}),
        ("decode", {"z": "1,2,3"}),
        ("decode", {"z": "NAN"}),
        ("decode", {"z": "FAR"}),
        ("film", {"z": "GOOD", "dim": "48000"}),
        ("film", {"z": "GOOD", "dim": "-1"}),
        ("film", {"z": "GOOD", "dim": "0", "frames": "100000"}),
        ("film", {"z": "GOOD", "dim": "0", "from": "nan"}),
        ("ends", {"z": "GOOD"}),
        ("ends", {"z": "GOOD", "dims": "0,4096"}),
        ("ends", {"z": "GOOD", "dims": "-1"}),
        ("ends", {"z": "GOOD", "dims": "0", "at": "99"}),
        ("ends", {"z": "GOOD", "dims": ",".join("0" * 500)}),
        ("sample", {}),
        ("sample", {"seed": "-1"}),
        ("sample", {"seed": "7", "source": "elsewhere"}),
        ("morph", {"a": "GOOD"}),
        ("morph", {"a": "GOOD", "b": "GOOD", "frames": "1"}),
        ("morph", {"a": "GOOD", "b": "GOOD", "format": "exe"}),
    ],
)
def test_bad_queries_get_one_sentence(ask, vae, path, query):
    words = {"GOOD": text(np.zeros(vae.dims)), "NAN": ",".join(["nan"] * vae.dims), "FAR": text(np.full(vae.dims, 50.0))}
    answer = ask(path, **{key: words.get(value, value) for key, value in query.items()})
    assert answer.status_code == 400
    assert sentence(answer.json()["error"])


@pytest.mark.parametrize("data", [b"", b"not a picture", png(np.zeros((64, 64, 3), np.uint8))[:60], b"\x00" * 100_000])
def test_bad_uploads_get_one_sentence(site, data):
    answer = site.post("/gradio_api/x/vae/encode", content=data)
    assert answer.status_code == 400 and sentence(answer.json()["error"])


def test_one_visitors_bad_code_does_not_fail_the_batch_of_others(ask, vae):
    from concurrent.futures import ThreadPoolExecutor

    good, far = text(np.zeros(vae.dims)), text(np.full(vae.dims, 50.0))
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda z: ask("decode", z=z).status_code, [good, far] * 6))
    assert answers == [200, 400] * 6


def sentence(said: str) -> bool:
    return 10 < len(said) < 200 and "Traceback" not in said and said.rstrip()[-1] == "."


# ---- Named endpoints ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def program(app_url):
    from gradio_client import Client

    return Client(app_url, verbose=False)


def test_encode_by_program(program, vae, tmp_path):
    from gradio_client import handle_file

    path = tmp_path / "face.png"
    path.write_bytes(png(vae.gallery().images[4]))
    told, face = program.predict(handle_file(path), api_name="/vae_encode")
    np.testing.assert_allclose(told["mu"], vae.gallery().codes.mu[4], atol=2e-3)
    assert len(told["sigma"]) == len(told["kl"]) == vae.dims and told["psnr_db"] > 5
    assert close(np.asarray(Image.open(face).convert("RGB")), vae.decode(vae.gallery().codes.mu[4:5])[0])


def test_decode_sample_and_morph_by_program(program, vae):
    drawn, face = program.predict(3, 0.8, "prior", api_name="/vae_sample")
    np.testing.assert_allclose(drawn["z"], vae.sample(1, 3, 0.8, "prior")[0], atol=1e-3)
    again = program.predict(drawn["z"], api_name="/vae_decode")
    assert close(np.asarray(Image.open(face).convert("RGB")), np.asarray(Image.open(again).convert("RGB")))
    other = program.predict(4, 1.0, "aggregate", api_name="/vae_sample")[0]["z"]
    film = program.predict(drawn["z"], other, 5, api_name="/vae_morph")
    assert len(film) == 5
    first = np.asarray(Image.open(film[0]["image"]).convert("RGB"))
    assert close(first, np.asarray(Image.open(face).convert("RGB")))


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("/vae_decode", [[1.0, 2.0]]),
        ("/vae_decode", ["words"]),
        ("/vae_decode", [None]),
        ("/vae_sample", [1, 99.0, "prior"]),
        ("/vae_sample", [1, 1.0, "elsewhere"]),
        ("/vae_morph", [[0.0], [0.0], 5]),
        ("/vae_encode", [None]),
    ],
)
def test_bad_calls_by_program_get_one_sentence(program, name, arguments):
    with pytest.raises(Exception) as raised:
        program.predict(*arguments, api_name=name)
    assert sentence(str(raised.value))


def test_the_endpoints_say_what_they_take(program):
    described = program.view_api(return_format="dict")["named_endpoints"]
    for name, takes in {"/vae_encode": 1, "/vae_decode": 1, "/vae_sample": 3, "/vae_morph": 3}.items():
        assert len(described[name]["parameters"]) == takes
        assert described[name]["description"]
