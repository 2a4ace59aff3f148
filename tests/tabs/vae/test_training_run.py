"""A training: its objective by hand, the same weights for the same seed, its film, and the model that comes of it."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load, save

from explorer import corpus, pixels
from explorer.tabs.vae import model as vae
from explorer.tabs.vae import training_data, training_run, training_save, training_zip
from explorer.tabs.vae.engine import Vae
from explorer.tabs.vae.sources import AVATARS, DIGITS
from explorer.tabs.vae.training_film import COLUMNS, MOST, Film, points, sprite
from explorer.tabs.vae.training_run import Training
from explorer.tabs.vae.training_settings import Settings, checked
from explorer.training.data import Unavailable

SMALL = {"widths": [4, 4, 4], "batch": 8}


@pytest.fixture(scope="module")
def digits():
    return training_data.open_set("digits", 32)


def trained(data, steps=4, **settings) -> Training:
    training = Training(checked(SMALL | {"steps": steps} | settings), data)
    for _ in training.steps():
        pass
    return training


def weights(training: Training) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in training.run.model.parameters()])


def parts_by_hand(net, x, eps, sigma):
    """From the definitions, a picture and a dimension at a time."""
    mu, logvar = net.encode(x)
    z = mu + torch.exp(logvar / 2) * eps
    out = net.decode(z)
    reconstruction = sum(((x[i] - out[i]) ** 2).sum() / (2 * sigma**2) for i in range(len(x))) / len(x)
    normal = torch.distributions.Normal
    kl = torch.distributions.kl_divergence(normal(mu, torch.exp(logvar / 2)), normal(torch.zeros_like(mu), torch.ones_like(mu)))
    return reconstruction, kl.sum() / len(x)


# ---- The objective ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [0, 0.1, 1, 4, 16])
def test_the_loss_is_reconstruction_plus_beta_kl(digits, beta):
    training = Training(checked(SMALL | {"beta": beta, "sigma": 0.7}), digits)
    indices, rng = torch.arange(5), torch.Generator().manual_seed(3)
    loss, parts = training._loss(training.run.model, indices, rng)
    eps = torch.randn(5, 2, generator=torch.Generator().manual_seed(3))
    reconstruction, kl = parts_by_hand(training.run.model, pixels.to_tensor(digits.train[:5]), eps, 0.7)
    assert torch.isclose(loss, reconstruction + beta * kl, rtol=1e-5)
    assert torch.isclose(parts["reconstruction"], reconstruction, rtol=1e-5) and torch.isclose(parts["kl"], kl, rtol=1e-4)


def test_kl_only_gives_the_encoder_nothing_of_the_reconstruction(digits):
    """The encoder's gradient is that of the KL alone, and the decoder's that of the reconstruction."""
    training = Training(checked(SMALL | {"beta": "kl"}), digits)
    net, indices = training.run.model, torch.arange(6)
    loss, _ = training._loss(net, indices, torch.Generator().manual_seed(0))
    loss.backward()
    got = {name: p.grad.clone() for name, p in net.named_parameters()}
    net.zero_grad()
    eps = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    reconstruction, kl = parts_by_hand(net, pixels.to_tensor(digits.train[:6]), eps, 1.0)
    expected = dict(zip(got, torch.autograd.grad(kl, net.parameters(), retain_graph=True, allow_unused=True)))
    of_picture = dict(zip(got, torch.autograd.grad(reconstruction, net.parameters())))
    for name, grad in got.items():
        truth = expected[name] if name.startswith("encoder") else of_picture[name]
        assert torch.allclose(grad, truth, rtol=1e-3, atol=1e-5), name


# ---- The same again -----------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(digits):
    torch.manual_seed(1)
    one = weights(trained(digits, seed=7))
    torch.manual_seed(2)  # whatever else draws chance in this process
    assert torch.equal(one, weights(trained(digits, seed=7)))
    assert not torch.equal(one, weights(trained(digits, seed=8)))


def test_a_training_that_is_left_and_taken_up_again_ends_like_one_that_was_not(digits):
    training = Training(checked(SMALL | {"steps": 6}), digits)
    steps = training.steps()
    next(steps), next(steps)
    steps.close()
    training.close()
    for _ in training.steps():
        pass
    assert torch.equal(weights(training), weights(trained(digits, 6)))


def test_films_do_not_change_what_is_learnt(digits, monkeypatch):
    with_film = weights(trained(digits, 5))
    monkeypatch.setattr(Film, "due", lambda self, step: False)
    assert torch.equal(with_film, weights(trained(digits, 5)))


def test_weights_begin_as_torch_would_draw_them():
    """Uniform up to 1 / sqrt(fan in), which is what nn.Conv2d and nn.Linear do by themselves."""
    net = training_run.network(Settings(widths=(64, 64, 128)))
    for layer in (net.encoder[3], net.encoder[-1], net.decoder[0]):
        bound = layer.weight[0].numel() ** -0.5
        assert 0.9 * bound < layer.weight.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.1)


def test_another_budget_goes_on_from_where_the_first_ended(digits):
    training = trained(digits, 3)
    assert training.done
    training.further(2)
    assert not training.done
    for _ in training.steps():
        pass
    assert training.run.step == 5 and training.goals == [3, 5]


def test_a_loss_that_runs_away_ends_the_training(digits):
    training = Training(checked(SMALL), digits)
    with torch.no_grad():
        training.run.model.decoder[0].weight.fill_(float("nan"))
    with pytest.raises(FloatingPointError):
        next(training.steps())


# ---- The film -----------------------------------------------------------------------------------------------------------


def test_a_moment_shows_what_the_averaged_weights_make_of_held_out_pictures(digits):
    training = trained(digits, 3)
    moment = training.moment(0)
    net, held = training.run.ema.model, pixels.to_tensor(digits.held)
    with torch.inference_mode():
        mu, logvar = net.encode(held)
    found = np.frombuffer(moment.points, "<i2").reshape(-1, 2) / 32767 * moment.scale
    assert np.abs(found - mu.numpy()).max() < 2 * moment.scale / 32767 + 1e-5
    assert moment.kl == pytest.approx(vae.kl(mu, logvar).mean(0).tolist(), rel=1e-3)
    judged = training_run.JUDGED
    assert moment.losses["held_kl"] == pytest.approx(float(vae.kl(mu, logvar)[:judged].sum(1).mean()), rel=1e-3)
    with torch.inference_mode():
        z = vae.reparametrize(mu[:judged], logvar[:judged], training._eps)
        truth = vae.nll(held[:judged], net.decode(z), 1.0).mean()
    assert moment.losses["held_reconstruction"] == pytest.approx(float(truth), rel=1e-3)


def test_the_sprite_of_a_moment_is_eight_reconstructions_and_the_board_of_prior_quantiles(digits):
    training = trained(digits, 2)
    sheet = np.asarray(Image.open(io.BytesIO(training.moment(0).sprite)).convert("RGB")).astype(float)
    assert sheet.shape == (32 * (1 + -(-49 // COLUMNS)), 32 * COLUMNS, 3)
    net = training.finished()
    codes = net.encode(digits.held[training.shown]).mu
    assert np.abs(sheet[:32].reshape(32, COLUMNS, 32, 3).swapaxes(0, 1) - net.decode(codes)).mean() < 12  # but for JPEG
    board = training._board.numpy()
    assert np.allclose(board[3 * 7 + 3], 0, atol=1e-6) and (board[0] < [0, 9]).all() and board[0, 1] > 0  # up is up
    share = torch.special.ndtr(training._board[:7, 0])
    assert torch.allclose(share, (torch.arange(7) + 0.5) / 7, atol=1e-5)


def test_eight_pictures_of_different_kinds_are_shown(digits):
    labels = digits.labels[trained(digits, 1).shown, 0]
    assert len(set(labels)) == COLUMNS


def test_a_film_is_bounded_and_keeps_its_beginning_and_its_end(digits):
    film = Film(clock=lambda: 0.0)
    template = trained(digits, 1).film.moments[0]
    for step in range(3 * MOST):
        film.take(
            lambda number, step=step: SimpleNamespace(**{**vars(template), "number": number, "step": step, "size": template.size})
        )
    assert len(film.moments) <= MOST and film.moments[0].step == 0 and film.moments[-1].step == 3 * MOST - 1
    numbers = [moment.number for moment in film.moments]
    assert numbers == sorted(set(numbers))


def test_a_page_gets_what_is_new_in_pieces(digits):
    film = Film(clock=lambda: 0.0)
    for step in range(5):
        film.take(lambda number, step=step: SimpleNamespace(number=number, step=step, size=100))
    assert [m.number for m in film.since(-1, 250)] == [0, 1] and [m.number for m in film.since(3, 1)] == [4]
    assert film.since(4, 1000) == []


def test_moments_take_a_share_of_the_time_and_come_at_each_doubling():
    now = [0.0]
    film = Film(clock=lambda: now[0])

    def make(number, step):
        now[0] += 0.3  # what it costs
        return SimpleNamespace(number=number, step=step, size=1)

    taken = []
    for step in range(400):
        if film.due(step):
            film.take(lambda number, step=step: make(number, step))
            taken.append(step)
        now[0] += 0.01
    assert taken[:6] == [0, 1, 2, 4, 8, 16] and len(taken) <= 11


def test_points_fit_sixteen_bits():
    places = np.array([[-40.0, 1e-3], [3.0, 40.0]], np.float32)
    scale, packed = points(places)
    assert np.abs(np.frombuffer(packed, "<i2").reshape(2, 2) / 32767 * scale - places).max() <= scale / 32767
    assert np.isfinite(points(np.zeros((3, 2), np.float32))[0])


def test_a_sprite_is_a_picture():
    assert Image.open(io.BytesIO(sprite(np.zeros((10, 32, 32, 3), np.uint8)))).size == (256, 64)


def test_the_map_of_a_larger_code_shows_its_two_fullest_dimensions(digits):
    training = trained(digits, 2, dims=5)
    training._choose(torch.tensor([0.1, 3.0, 0.2, 2.0, 0.1]))
    assert training.dims == (1, 3)
    training._choose(torch.tensor([0.1, 3.0, 0.2, 2.0, 2.1]))  # hardly more is no reason to turn
    assert training.dims == (1, 3)
    training._choose(torch.tensor([0.1, 3.0, 0.2, 2.0, 4.0]))
    assert training.dims == (1, 4)


# ---- The model ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dims, beta", [(2, 1), (2, 0), (5, "kl")])
def test_a_finished_model_does_all_that_the_tab_asks(digits, dims, beta):
    training = trained(digits, 2, dims=dims, beta=beta)
    made = training.finished()
    assert isinstance(made, Vae) and (made.size, made.dims, made.source) == (32, dims, DIGITS)
    faces = made.gallery()
    assert made.decode(faces.codes.mu).shape == (20, 32, 32, 3) and len(made.axes) == dims
    assert made.sample(3, 0).shape == (3, dims) and np.abs(faces.codes.mu).max() <= made.far <= 100
    assert np.allclose(made.sigma, 1) and made.facts["beta"] == training.settings.beta
    training.run.ema.model.decoder[0].weight.data.add_(1)  # the training goes on; the model stays
    assert np.array_equal(made.decode(faces.codes.mu), made.decode(faces.codes.mu))
    assert training.finished().facts["version"] != made.facts["version"]


def test_a_saved_model_is_a_folder_as_the_repository_ships_them(digits, tmp_path, monkeypatch):
    from explorer.tabs.vae import engine

    training = trained(digits, 3)
    training.close()
    folder = tmp_path / "vae" / "mine"
    with zipfile.ZipFile(io.BytesIO(training_save.zipped(known(training)))) as archive:
        assert archive.namelist() == ["model.safetensors", "card.json"]
        archive.extractall(folder)
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    loaded = engine.load("vae/mine")
    assert np.array_equal(loaded.decode(np.ones((1, 2))), training.finished().decode(np.ones((1, 2))))


def test_the_script_trains_the_same_model(digits, tmp_path):
    training = trained(digits, 2, dims=3, seed=5)
    training.further(1)
    for _ in training.steps():
        pass
    assert training.finished().facts["version"] in ran(training_save.script(known(training)), tmp_path)


def known(training, saved=None):
    """What a desk knows of a training, as far as saving wants it."""
    return SimpleNamespace(training=training, settings=training.settings, saved=saved)


def ran(script: str, folder: Path) -> str:
    """What it prints; it leaves samples.png in the folder."""
    root = Path(training_run.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (folder / "samples.png").exists()
    return done.stdout


# ---- Brought back -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original(digits):
    training = trained(digits, 3, dims=3, beta="kl")
    training.close()
    return training


@pytest.fixture(scope="module")
def file(original):
    return training_save.zipped(known(original))


def brought_back(saved, digits) -> Training:
    training = Training(saved.settings, digits)
    training.take_up(saved.weights, saved.steps, saved.seconds)
    return training


def test_a_model_that_was_saved_is_the_same_when_it_is_opened(digits, original, file):
    saved = training_save.opened(file)
    assert (saved.settings, saved.steps) == (original.settings, 3)
    again = brought_back(saved, digits)
    assert again.done and list(again.steps()) == []
    again.close()
    assert again.finished().facts == original.finished().facts
    shown, before = again.film.moments[-1], original.film.moments[-1]
    assert (shown.step, shown.kl, shown.points, shown.sprite) == (3, before.kl, before.points, before.sprite)
    assert training_save.opened(training_save.zipped(known(again))).settings == saved.settings


def test_it_goes_on_as_its_script_says(digits, file, tmp_path):
    saved = training_save.opened(file)
    again = brought_back(saved, digits)
    again.further(2)
    assert [progress.step for progress in again.steps()] == [4, 5]
    (tmp_path / "vae-digits.zip").write_bytes(file)
    assert again.finished().facts["version"] in ran(training_save.script(known(again, saved)), tmp_path)


def changed(file: bytes, card=None, weights=None, drop=None, wrap="") -> bytes:
    """The same ZIP with a card that says other things, other weights, without a file, or inside a folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "card.json" and card is not None:
                content = card if isinstance(card, bytes) else json.dumps(json.loads(content) | card).encode()
            if name == "model.safetensors" and weights is not None:
                content = weights if isinstance(weights, bytes) else save(weights(load(content)))
            if name != drop:
                new.writestr(wrap + name, content)
    return out.getvalue()


def test_a_folder_that_was_packed_again_is_the_same_model(file):
    assert training_save.opened(changed(file, wrap="my model/")).steps == 3


@pytest.mark.parametrize("how", [
    {"drop": "card.json"}, {"drop": "model.safetensors"}, {"card": b""}, {"card": b"{"}, {"card": b"[]"}, {"card": b"\xff"},
    {"card": b"[" * 50_000}, {"card": b" " * 200_000}, {"card": b"{}"}, {"weights": b"no tensors"}, {"weights": b""},
    {"weights": b"\x80\x04\x95" + b"pickle" * 9},
], ids=str)  # fmt: skip
def test_what_is_no_saved_model_is_one_sentence(file, how):
    with pytest.raises(ValueError, match="no model that was saved here"):
        training_save.opened(changed(file, **how))


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04" + bytes(60)])
def test_nor_is_what_is_no_zip(data):
    with pytest.raises(ValueError, match="no model that was saved here"):
        training_save.opened(data)


def test_nor_is_a_bomb(file, monkeypatch):
    """Its directory says what it holds; what lies there is not inflated beyond the bound of an upload either."""
    monkeypatch.setattr(training_zip.limits, "UPLOAD_BYTES", 1000)
    with pytest.raises(ValueError, match="no model that was saved here"):
        training_save.opened(changed(file, weights=bytes(100_000)))


def first(tensors: dict, made) -> dict:
    name = next(iter(tensors))
    return tensors | {name: made(tensors[name])}


@pytest.mark.parametrize("how", [
    {"card": {"steps": 0}}, {"card": {"steps": "3"}}, {"card": {"steps": 10**9}}, {"card": {"steps": True}},
    {"card": {"minutes": -1}}, {"card": {"minutes": None}}, {"card": {"minutes": float("nan")}},
    {"weights": lambda t: first(t, lambda w: w * float("nan"))}, {"weights": lambda t: first(t, lambda w: w[:1].clone())},
    {"weights": lambda t: first(t, lambda w: w.int())}, {"weights": lambda t: dict(list(t.items())[1:])},
    {"weights": lambda t: t | {"more": torch.zeros(1)}},
])  # fmt: skip
def test_weights_and_card_that_do_not_fit_are_one_sentence(file, how):
    with pytest.raises(ValueError, match="do not fit together"):
        training_save.opened(changed(file, **how))


@pytest.mark.parametrize("settings", [{"dims": 10**9}, {"widths": [1024] * 3}, {"beta": "x"}, {"more": 1}, [], None])
def test_a_card_may_ask_for_what_a_page_may(file, settings):
    with pytest.raises(ValueError):
        training_save.opened(changed(file, card={"settings": settings}))


def test_the_nets_of_another_size_do_not_fit(file):
    with pytest.raises(ValueError, match="do not fit together"):
        training_save.opened(changed(file, card={"settings": SMALL | {"dims": 2}}))


# ---- Pictures -----------------------------------------------------------------------------------------------------------


def test_digits_are_held_out_with_their_labels(digits):
    assert len(digits.held) == 400 and len(digits.train) == 1397
    assert np.array_equal(digits.labels, DIGITS.batch(400)[1]) and np.array_equal(digits.held, DIGITS.batch(400)[0])


@pytest.mark.parametrize("size", [32, 64])
def test_faces_come_in_two_sizes(size, monkeypatch):
    monkeypatch.setattr(training_data, "FACES", 6), monkeypatch.setattr(training_data, "FACES_HELD", 4)
    told = []
    found = training_data._avatars(size, lambda *at: told.append(at))
    assert found.train.shape == (6, size, size, 3) and found.held.shape == (4, size, size, 3) and told[-1] == (6, 10)
    truth, labels = corpus.batch("val", 0, 4)
    assert np.array_equal(found.labels, labels)
    if size == 64:
        assert np.array_equal(found.held, truth) and found.source is AVATARS
    else:
        means = truth.reshape(4, 32, 2, 32, 2, 3).mean((2, 4))
        assert np.abs(found.held - means).max() <= 0.5 and not found.source.judged


def test_what_ships_is_opened_once_and_let_go():
    import gc

    assert training_data.open_set("digits", 32) is training_data.open_set("digits", 32)
    key = ("digits", 32)
    assert key in training_data._open or gc.collect() >= 0


def test_fashion_mnist_says_what_is_missing_without_asking_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr(training_data.sets, "ROOT", tmp_path)
    assert str(tmp_path) in training_data.lacking()["fashion"]
    with pytest.raises(Unavailable, match="four files"):
        training_data.open_set("fashion", 32)


def test_fashion_mnist_is_read_where_its_files_are(tmp_path, monkeypatch):
    monkeypatch.setattr(training_data.sets, "ROOT", tmp_path)
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", 12), ("t10k", 5)):
        images, labels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8), np.arange(count, dtype=np.uint8) % 10
        header = b"".join(n.to_bytes(4, "big") for n in (2051, count, 28, 28))
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(b"".join(n.to_bytes(4, "big") for n in (2049, count)) + labels.tobytes())
    assert training_data.lacking() == {}
    found = training_data.open_set("fashion", 32)
    assert found.train.shape == (12, 32, 32, 3) and found.labels[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(found.held[2, 2:30, 2:30, 0], images[2])


@pytest.mark.parametrize("count, held", [(2, 1), (15, 1), (100, 10), (6000, 400)])
def test_a_visitors_pictures_are_split_and_lose_none(count, held):
    images = np.arange(count, dtype=np.uint16)[:, None].view(np.uint8).reshape(count, 1, 1, 2).repeat(2, 2)[..., [0, 1, 1]]
    found = training_data.of_visitor(images)
    assert len(found.held) == held and len(found.train) == count - held
    both = np.concatenate([found.held, found.train])
    assert sorted(both.reshape(count, -1).tolist()) == sorted(images.reshape(count, -1).tolist())
    assert found.source.held == held and found.bytes == images.nbytes + found.source.pixels.nbytes
    assert np.array_equal(found.source.pixels[:held], found.held) and len(found.source.pixels) <= training_data.OWN_KEPT


def test_one_picture_is_too_few():
    with pytest.raises(ValueError, match="two or more"):
        training_data.of_visitor(np.zeros((1, 32, 32, 3), np.uint8))


def test_two_pictures_can_be_trained_on():
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    training = Training(checked(SMALL | {"data": "upload", "steps": 2}), training_data.of_visitor(images))
    for _ in training.steps():
        pass
    training.close()
    made = training.finished()
    assert made.gallery().images.shape[0] == 2 and len(training.film.moments) >= 2 and made.sample(1, 0).shape == (1, 2)
