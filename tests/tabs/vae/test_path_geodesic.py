"""The shortest way: against a closed form, against lerp, and the road map against a search by hand."""

import heapq
from itertools import pairwise

import numpy as np
import pytest
import torch

from explorer.tabs.vae import path_eye, path_geodesic, path_lines, worlds
from explorer.tabs.vae.path_geodesic import geodesic, relax, roads_of
from explorer.tabs.vae.path_lines import FRAMES
from tests.tabs.vae.path_models import linear, tiny

EYE = path_eye.PIXELS


def length(vae, path) -> float:
    return float(path_eye.lengths(EYE, vae, path).sum())


def test_a_linear_decoder_has_straight_geodesics_whatever_the_start():
    vae, rng = linear(4), np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4)).astype(np.float32)
    straight = path_lines.lerp(a, b, path_lines.steps())
    arc = path_lines.slerp(a, b, path_lines.steps())
    assert np.abs(arc - straight).max() > 0.1
    found = relax(vae, EYE, a, b, arc, lambda share: None, most=200)
    assert np.abs(found - straight).max() < 0.02
    best = geodesic(vae, EYE, a, b, most=20)
    assert best.start == "lerp" and (best.path == straight).all()
    # and its length is that of the straight line between the pictures
    w = vae.net.weight.detach().numpy()
    assert best.length == pytest.approx(127.5 * np.sqrt(np.mean((w @ (b - a)) ** 2)), rel=1e-4)


@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_never_longer_than_the_line_or_the_arc(seed):
    vae, rng = tiny(3, seed), np.random.default_rng(seed)
    a, b = 2 * rng.normal(size=(2, 3)).astype(np.float32)
    found = geodesic(vae, EYE, a, b, most=8)
    assert found.path.shape == (FRAMES, 3) and (found.path[0] == a).all() and (found.path[-1] == b).all()
    t = path_lines.steps()
    assert found.length == pytest.approx(length(vae, found.path), rel=1e-5)
    assert found.length <= length(vae, path_lines.lerp(a, b, t)) + 1e-4
    assert found.length <= length(vae, path_lines.slerp(a, b, t)) + 1e-4
    ends = path_eye.distances(EYE.features(vae, np.stack([a, b])))[0]
    assert found.length >= ends - 1e-3  # the triangle inequality


def test_on_shipped_digits_it_is_truly_shorter():
    vae = worlds.load("digits").stops["1"]
    a, b = vae.gallery().codes.mu[[0, 2]]
    found = geodesic(vae, EYE, a, b, most=6)
    assert found.length < 0.99 * length(vae, path_lines.lerp(a, b, path_lines.steps()))
    assert set(found.tried) == {"lerp", "slerp", "from lerp", "from slerp", "from grid"}


def test_the_same_question_has_the_same_answer():
    vae = tiny(3)
    a, b = np.array([1, 0, 1], np.float32), np.array([-1, 2, 0], np.float32)
    first, second = (geodesic(vae, EYE, a, b, most=4) for _ in range(2))
    assert (first.path == second.path).all()


def test_from_a_place_to_itself_is_no_way():
    vae = tiny(2)
    a = np.array([0.5, -0.5], np.float32)
    found = geodesic(vae, EYE, a, a, most=3)
    assert found.length == pytest.approx(0, abs=1e-3) and np.allclose(found.path, a)


def test_codes_stay_where_the_decoder_is_asked():
    vae = tiny(3)
    vae.far = 2.0
    a, b = np.array([2.0, -2.0, 1], np.float32), np.array([2.0, 2.0, 1], np.float32)
    assert np.abs(geodesic(vae, EYE, a, b, most=4).path).max() <= 2.0


def test_it_can_be_stopped():
    class Enough(Exception):
        pass

    def tick(share):
        assert 0 <= share <= 1
        if share > 0.3:
            raise Enough

    with pytest.raises(Enough):
        geodesic(tiny(3), EYE, np.zeros(3, np.float32), np.ones(3, np.float32), tick, most=20)


# ---- Roads ---------------------------------------------------------------------------------------------------------------


def by_hand(xs, ys, features, a, b) -> float:
    """The shortest way from node a to b over king's and knight's moves, by a heap."""
    near = {(dx, dy) for dx in range(-2, 3) for dy in range(-2, 3) if 0 < abs(dx) + abs(dy) and sorted((abs(dx), abs(dy)))
            in ([0, 1], [1, 1], [1, 2])}  # fmt: skip
    far, line = {a: 0.0}, [(0.0, a)]
    while line:
        here, node = heapq.heappop(line)
        if node == b:
            return here
        x, y = divmod(node, len(ys))
        for dx, dy in near:
            if 0 <= x + dx < len(xs) and 0 <= y + dy < len(ys):
                other = (x + dx) * len(ys) + y + dy
                step = here + float((features[node] - features[other]).square().mean().sqrt())
                if step < far.get(other, np.inf) - 1e-12:
                    far[other] = step
                    heapq.heappush(line, (step, other))
    raise AssertionError


def test_the_road_map_finds_the_shortest_way_that_a_search_by_hand_finds():
    rng = np.random.default_rng(0)
    xs, ys = np.linspace(-1, 1, 7, dtype=np.float32), np.linspace(-2, 2, 6, dtype=np.float32)
    features = torch.from_numpy(rng.normal(size=(42, 5)).astype(np.float32))
    plane = roads_of(xs, ys, features)
    from scipy.sparse.csgraph import dijkstra

    found = dijkstra(plane.roads.tocsr(), directed=False, indices=0)
    for goal in (5, 17, 36, 41):
        assert found[goal] == pytest.approx(by_hand(xs, ys, features, 0, goal), rel=1e-5)


def test_a_way_by_road_goes_round_a_hill():
    """Features that rise steeply at the middle: the way from left to right avoids it."""
    xs = ys = np.linspace(-1, 1, 21, dtype=np.float32)
    x, y = np.meshgrid(xs, ys, indexing="ij")
    hill = 8 * np.exp(-8 * (x**2 + y**2))
    features = torch.from_numpy(np.stack([x, y, hill], -1).reshape(-1, 3))
    a, b = np.array([-1, 0], np.float32), np.array([1, 0], np.float32)
    way = roads_of(xs, ys, features).between(a, b)
    assert (way[0] == a).all() and (way[-1] == b).all() and len(way) == FRAMES
    assert np.abs(way[:, 1]).max() > 0.3
    gaps = [np.linalg.norm(q - p) for p, q in pairwise(way)]
    assert max(gaps) < 0.5


def test_the_road_map_of_a_model_is_made_once(monkeypatch):
    vae = tiny(2)
    first = path_geodesic.plane_of(vae, EYE, side=8)
    monkeypatch.setattr(path_geodesic, "roads_of", None)
    assert path_geodesic.plane_of(vae, EYE, side=8) is first
