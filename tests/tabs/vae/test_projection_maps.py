"""Flat maps: PCA against the singular value decomposition, the way back, what is told of a map's worth, what is refused."""

import numpy as np
import pytest
from scipy.sparse.linalg import svds

from explorer.tabs.vae import projection_maps as maps


@pytest.fixture(scope="module")
def digits():
    return maps.pictures("digits")


def test_pca_is_the_singular_value_decomposition(digits):
    """Its two axes up to their sign, and its parts of the variance."""
    centred = digits.flat - digits.flat.mean(0)
    u, values, axes = svds(centred.astype(np.float64), 2)  # the least of them first
    for axis in range(2):
        assert abs(maps.pca("digits").components_[axis] @ axes[-1 - axis]) == pytest.approx(1, abs=1e-3)
        found = maps.points("digits", "pca")[:, axis]
        assert abs(np.corrcoef(found, u[:, -1 - axis])[0, 1]) == pytest.approx(1, abs=1e-4)
    told = maps.worth("digits", "pca")["variance"]
    assert told == pytest.approx(values[::-1] ** 2 / (centred.astype(np.float64) ** 2).sum(), abs=2e-3)


def test_the_way_back_of_pca_is_scikit_learns(digits):
    places = maps.points("digits", "pca")[:5]
    all_numbers = np.hstack([places, np.zeros((5, maps.FEW - 2))])
    expected = maps.pca("digits").inverse_transform(all_numbers).clip(0, 1).reshape(5, 32, 32, 3)
    np.testing.assert_allclose(maps.decode("digits", "pca", places), expected * 255, atol=0.51)


def test_a_networks_map_is_its_codes_and_its_decoder():
    from explorer.tabs.vae import worlds

    dial = worlds.load("digits")
    for kind, stop in maps.STOP.items():
        np.testing.assert_array_equal(maps.points("digits", kind), dial.codes[stop].mu[: maps.COUNT["digits"]])
        z = dial.codes[stop].mu[:3]
        np.testing.assert_array_equal(maps.decode("digits", kind, z), dial.stops[stop].decode(z))


def test_the_codes_are_those_of_these_very_pictures(digits):
    from explorer.tabs.vae import worlds

    dial = worlds.load("digits")
    np.testing.assert_allclose(dial.stops["1"].encode(digits.pixels[:40]).mu, dial.codes["1"].mu[:40], atol=0.02)
    np.testing.assert_array_equal(digits.labels, dial.labels[: len(digits.labels)])


def test_layouts_of_t_sne_ship_for_the_pictures_there_are():
    for data in maps.COUNT:
        for perplexity in maps.PERPLEXITIES:
            assert maps.shipped(data, perplexity).shape == (maps.COUNT[data], 2)


def test_worth_tells_good_maps_from_bad_ones(digits):
    tsne, pca = maps.worth("digits", "tsne"), maps.worth("digits", "pca")
    assert tsne["trust"] > 0.95 > pca["trust"] > 0.5
    assert tsne["knn"]["digit"]["accuracy"] > 0.9 > pca["knn"]["digit"]["accuracy"] > pca["knn"]["digit"]["usual"]


def test_a_board_is_the_decoded_frame():
    board, places = maps.board("digits", "vae"), maps.points("digits", "vae")
    (left, right), (bottom, top) = maps.frame(places)
    assert board.shape == (maps.BOARD**2, 32, 32, 3) and left < places[:, 0].min() and top > places[:, 1].max()
    corner = maps.decode("digits", "vae", np.array([[right, bottom]], np.float32))[0]
    np.testing.assert_allclose(board[-1].astype(int), corner, atol=1)


def test_what_ships_not_is_made_once_in_the_background(monkeypatch):
    """The first to ask hears that it is being made; then it is there for everybody."""
    import threading

    go, made = threading.Event(), []

    def slow(data, perplexity):
        go.wait(30)
        made.append(perplexity)
        return np.zeros((maps.COUNT[data], 2), np.float32)

    monkeypatch.setattr(maps, "shipped", lambda data, perplexity: None)
    monkeypatch.setattr(maps, "tsne", slow)
    monkeypatch.setattr(maps, "_tasks", {})
    assert maps.points("digits", "tsne", 5) is None and maps.points("digits", "tsne", 5) is None
    go.set()
    maps._tasks[("digits", "tsne", 5)].result(30)
    assert maps.points("digits", "tsne", 5).shape == (1797, 2) and made == [5]


@pytest.mark.parametrize("asked, sentence", [
    (("cats", "pca"), "There are maps of digits and of avatars"), (("digits", "globe"), "no map of that kind"),
    (("digits", "tsne", 7), "The perplexity is 5, 30 or 100"),
])  # fmt: skip
def test_what_does_not_exist_is_refused(asked, sentence):
    with pytest.raises(ValueError, match=sentence):
        maps.points(*asked)


def test_t_sne_says_that_it_has_no_way_back():
    with pytest.raises(ValueError, match="t-SNE has no decoder"):
        maps.decode("digits", "tsne", np.zeros((1, 2), np.float32))


def test_umap_that_is_not_installed_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(maps.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install umap-learn"):
        maps.points("digits", "umap")


def test_a_board_needs_a_way_back(monkeypatch):
    monkeypatch.setattr(maps, "shipped", lambda data, perplexity: None)
    for kind in maps.NO_WAY_BACK:
        with pytest.raises(ValueError, match="decoder"):
            maps.board("digits", kind)


def test_a_map_that_failed_is_tried_again(monkeypatch):
    def fail(data, perplexity):
        raise MemoryError

    monkeypatch.setattr(maps, "shipped", lambda data, perplexity: None)
    monkeypatch.setattr(maps, "tsne", fail)
    monkeypatch.setattr(maps, "_tasks", {})
    maps._task("digits", "tsne", 5).exception(30)
    with pytest.raises(MemoryError):
        maps.points("digits", "tsne", 5)
    monkeypatch.setattr(maps, "tsne", lambda data, perplexity: np.zeros((3, 2), np.float32))
    maps._task("digits", "tsne", 5).result(30)
    assert maps.points("digits", "tsne", 5).shape == (3, 2)


def test_a_class_that_asks_at_once_has_one_answer_made():
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier, Event

    made, together, go = [], Barrier(5), Event()

    @maps.once
    def square(number):
        made.append(number)
        go.wait(30)
        if number < 0:
            raise ValueError("no")
        return number**2

    def ask(number):
        together.wait(30)
        return square(number)

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(ask, 3) for _ in range(4)]
        together.wait(30)
        go.set()
        assert [answer.result(30) for answer in answers] == [9] * 4 and made == [3]
    for _ in range(2):
        with pytest.raises(ValueError):
            square(-1)
    assert made == [3, -1, -1]  # what failed is not kept


def test_sheets_are_encoded_once(digits):
    import io

    from PIL import Image

    sheet = maps.faces_sheet("digits")
    assert maps.faces_sheet("digits") is sheet and maps.board_sheet("digits", "pca") is maps.board_sheet("digits", "pca")
    assert sheet.shape == digits.pixels.shape and sheet.columns == 43
    found = np.asarray(Image.open(io.BytesIO(sheet.png)).convert("RGB"))
    np.testing.assert_array_equal(found[32:64, 64:96], digits.pixels[43 + 2])
