"""Boards, holes and the manifold of a latent plane: against single decodes, scipy's quantiles and a brute-force search."""

import io
import weakref

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import norm

from explorer.tabs.vae import engine, world_boards, worlds
from explorer.tabs.vae import model as vae
from explorer.tabs.vae.sources import Own


@pytest.fixture(scope="module")
def tiny():
    """An untrained model of two numbers over twenty grey pictures."""
    torch.manual_seed(0)
    net = vae.Vae(vae.Config(32, 2, (8, 8, 16)))
    pictures = np.stack([np.full((32, 32, 3), 12 * i, np.uint8) for i in range(20)])
    source = Own("greys", pictures, np.arange(20)[:, None] % 2, {"half": ("even", "odd")})
    return engine.Vae(net, source, np.ones((32, 32), np.float32), {"title": "tiny", "beta": 1.0, "version": "t"})


@pytest.fixture(scope="module")
def digits():
    return worlds.load("digits")


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal pixels but for rounding: batches of another size sum in another order."""
    return a.shape == b.shape and np.abs(a.astype(int) - b).max() <= 1


def test_the_lattice_runs_row_by_row_from_the_top():
    z = world_boards.lattice(3.5, 5)
    assert z.shape == (25, 2)
    assert z[0].tolist() == [-3.5, 3.5] and z[4].tolist() == [3.5, 3.5] and z[24].tolist() == [3.5, -3.5]
    assert z[12].tolist() == [0, 0]


def test_each_cell_of_a_board_is_the_decoded_picture_of_its_coordinate(tiny):
    side, board = world_boards.side_of(tiny), world_boards.board(tiny, 3.5)
    line = np.linspace(-3.5, 3.5, side)
    for row, column in ((0, 0), (0, side - 1), (7, 20), (side - 1, side - 1)):
        z = np.array([[line[column], line[side - 1 - row]]])
        assert alike(board[row * side + column], tiny.decode(z)[0])


def test_a_sheet_is_close_to_its_board_and_is_made_once(digits):
    model = digits.stops["1"]
    sheet, side = world_boards.sheet(model, "near")
    assert world_boards.sheet(model, "near")[0] is sheet
    assert len(sheet) < 300_000
    pixels = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB"))
    cells = pixels.reshape(side, 32, side, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3)
    error = (cells.astype(float) - world_boards.board(model, world_boards.NEAR)) ** 2
    assert 10 * np.log10(255**2 / error.mean()) > 35


@pytest.mark.parametrize("which", ["", "far", "near wide"])
def test_there_are_two_boards(tiny, which):
    with pytest.raises(ValueError, match="near or wide"):
        world_boards.sheet(tiny, which)


def test_a_wide_board_holds_all_codes_that_can_be_decoded(digits):
    for model in digits.stops.values():
        reach, furthest = world_boards.reach(model), np.abs(world_boards.codes(model)[0].mu).max()
        assert world_boards.NEAR <= reach <= model.far
        assert reach >= min(furthest, model.far)


def test_the_codes_of_what_ships_are_those_of_the_file_and_others_are_encoded(digits, tiny):
    for stop, model in digits.stops.items():
        code, labels = world_boards.codes(model)
        assert code is digits.codes[stop] and labels is digits.labels
    code, labels = world_boards.codes(tiny)
    assert np.allclose(code.mu, tiny.encode(tiny.source.batch(20)[0]).mu) and labels.shape == (20, 1)
    assert world_boards.codes(tiny)[0] is code


def test_the_stored_codes_are_those_of_the_stored_weights(digits):
    pictures = next(iter(digits.stops.values())).source.batch(50)[0]
    for stop, model in digits.stops.items():
        assert np.allclose(model.encode(pictures).mu, digits.codes[stop].mu[:50], atol=0.02), stop


def test_the_picture_of_a_point_is_the_one_that_was_encoded(digits):
    model = digits.stops["1"]
    code = model.encode(world_boards.shown(model, 123)[None])
    assert np.allclose(code.mu[0], digits.codes["1"].mu[123], atol=0.02)


@pytest.mark.parametrize("index", [-1, 1797, 99_999])
def test_a_point_that_is_not_there(digits, index):
    with pytest.raises(ValueError, match="pictures 0 to 1796"):
        world_boards.shown(digits.stops["1"], index)


# ---- The manifold --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high", "count"), [(0.001, 0.999, 15), (0.5, 0.6, 7), (0.9, 0.999, 11)])
def test_the_grid_has_equal_shares_of_the_prior(low, high, count):
    found = world_boards.quantiles(low, high, count)
    shares = torch.linspace(low, high, 2 * count + 1, dtype=torch.float64)[1::2]  # the middles of the shares
    assert np.allclose(found, torch.distributions.Normal(0, 1).icdf(shares), atol=1e-5)
    assert np.allclose(np.diff(norm.cdf(found.astype(np.float64))), (high - low) / count, atol=1e-6)


def test_the_manifold_is_the_decoded_grid_top_row_highest(tiny):
    shares, count = (0.2, 0.8, 0.4, 0.9), 5
    grid = world_boards.manifold(tiny, shares, count)
    x, y = world_boards.quantiles(0.2, 0.8, count), world_boards.quantiles(0.4, 0.9, count)
    assert grid.shape == (25, 32, 32, 3)
    for row, column in ((0, 0), (2, 4), (4, 1)):
        assert alike(grid[row * count + column], tiny.decode(np.array([[x[column], y[count - 1 - row]]]))[0])


@pytest.mark.parametrize(
    "shares",
    [(0, 0.5, 0.1, 0.9), (0.1, 1, 0.1, 0.9), (0.5, 0.5, 0.1, 0.9), (0.9, 0.1, 0.1, 0.9), (float("nan"), 0.5, 0.1, 0.9),
     (0.1, 0.9, 0.5, 0.50001)],
)  # fmt: skip
def test_parts_of_nothing_are_refused(tiny, shares):
    with pytest.raises(ValueError, match="manifold lies between"):
        world_boards.manifold(tiny, shares, 5)


@pytest.mark.parametrize("count", [0, 1, 22, 10**6])
def test_the_manifold_has_a_few_pictures(tiny, count):
    with pytest.raises(ValueError, match="2 to 21"):
        world_boards.manifold(tiny, (0.1, 0.9, 0.1, 0.9), count)


def test_a_map_needs_two_numbers():
    torch.manual_seed(0)
    net = vae.Vae(vae.Config(32, 3, (8, 8, 16)))
    pictures = np.zeros((2, 32, 32, 3), np.uint8)
    model = engine.Vae(net, Own("none", pictures), np.ones((32, 32), np.float32), {"title": "", "beta": 1.0, "version": ""})
    with pytest.raises(ValueError, match="this model's has 3"):
        world_boards.sheet(model, "near")


def test_only_so_many_bytes_are_kept_of_all_models(tiny, digits, monkeypatch):
    """The least lately used go, of whatever model; what was used again stays."""
    monkeypatch.setattr(world_boards, "_kept", weakref.WeakKeyDictionary())
    monkeypatch.setattr(world_boards, "KEPT_BYTES", 3000)
    other = digits.stops["1"]
    for model, key in ((tiny, "a"), (other, "b"), (tiny, "c"), (tiny, "a"), (other, "d")):
        world_boards.kept(model, (key,), lambda: np.zeros(1000, np.uint8))
    assert set(world_boards._kept[tiny]) == {("a",), ("c",)} and set(world_boards._kept[other]) == {("d",)}
    world_boards.kept(tiny, ("large",), lambda: bytes(5000))
    assert set(world_boards._kept[tiny]) == {("large",)} and not world_boards._kept[other]


def test_the_map_ends_within_what_can_be_decoded(tiny, monkeypatch):
    code = engine.Code(np.full((1, 2), 17.2), np.ones((1, 2)), np.ones((1, 2)))
    monkeypatch.setattr(world_boards, "codes", lambda vae: (code, np.zeros((1, 1))))
    monkeypatch.setattr(tiny, "far", 17.3456)
    assert world_boards.reach(tiny) == 17.34
    assert len(tiny.decode(np.full((1, 2), world_boards.reach(tiny)))) == 1


# ---- Holes, and what the three worlds are said to be ------------------------------------------------------------------------


def test_a_hole_is_outside_every_ellipse():
    rng = np.random.default_rng(0)
    mu, sigma = rng.standard_normal((40, 2)).astype(np.float32), rng.uniform(0.01, 0.2, (40, 2)).astype(np.float32)
    code, z = engine.Code(mu, sigma, sigma), rng.standard_normal((700, 2))
    found = world_boards.empty(z, code, 0.15)
    for i in range(0, 700, 7):
        inside = [
            ((z[i, 0] - m[0]) / max(0.15, 3 * s[0])) ** 2 + ((z[i, 1] - m[1]) / max(0.15, 3 * s[1])) ** 2 <= 1
            for m, s in zip(mu, sigma)
        ]
        assert found[i] == (not any(inside))


def test_reconstruction_alone_spreads_and_leaves_holes_and_the_kl_alone_collapses_onto_the_prior(digits):
    draws = np.random.default_rng(0).standard_normal((1000, 2))
    holes = {stop: world_boards.empty(draws, code, 0.15).mean() for stop, code in digits.codes.items()}
    outside = {stop: (np.linalg.norm(code.mu, axis=1) > 3).mean() for stop, code in digits.codes.items()}
    assert holes["0"] > 0.1 > holes["1"] and holes["kl"] < 0.02
    assert outside["0"] > 0.3 > outside["1"] and outside["kl"] == 0
    collapsed = digits.codes["kl"]
    assert np.abs(collapsed.mu).max() < 0.05 and np.abs(collapsed.sigma - 1).max() < 0.05 and collapsed.kl.mean() < 1e-3


def test_with_the_kl_alone_every_picture_is_the_mean_of_all(digits):
    model = digits.stops["kl"]
    pictures = model.decode(np.random.default_rng(0).standard_normal((20, 2)))
    assert pictures.astype(float).std(0).mean() < 3
    mean = model.source.batch(1797)[0].mean(0)
    assert np.abs(pictures.mean(0) - mean).mean() < 6


@pytest.mark.parametrize("data", worlds.DATA)
def test_the_rate_falls_along_the_dial_and_the_distortion_pays_for_it(data):
    stops = list(worlds.load(data).card["stops"].values())
    rates = [stop["rate"] for stop in stops]
    assert rates == sorted(rates, reverse=True) and rates[-1] < 0.01
    paid = [stop["distortion"] for stop in stops[2:]]  # below beta 1 the code is nearly free, and training's noise is larger
    assert paid == sorted(paid)
    for beta, stop in zip(list(worlds.STOPS.values())[3:5], stops[3:5]):  # a dear stop is the best at its price
        price = [one["distortion"] + beta * one["rate"] for one in stops]
        assert stop["distortion"] + beta * stop["rate"] <= 1.05 * min(price)
