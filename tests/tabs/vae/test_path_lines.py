"""Lines and arcs between codes against closed forms."""

import numpy as np
import pytest

from explorer.tabs.vae import path_lines
from explorer.tabs.vae.path_lines import blend, lerp, slerp, steps, turns


def pair(seed: int, dims: int = 48) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=dims).astype(np.float32), (2 * rng.normal(size=dims)).astype(np.float32)


@pytest.mark.parametrize("way", [lerp, slerp])
def test_the_ends_are_exactly_a_and_b(way):
    a, b = pair(0)
    path = way(a, b, steps())
    assert path.shape == (path_lines.FRAMES, 48) and path.dtype == np.float32
    assert (path[0] == a).all() and (path[-1] == b).all()


def test_slerp_is_the_closed_form_of_two_unit_vectors():
    a, b = np.array([1.0, 0, 0], np.float32), np.array([np.cos(1.1), np.sin(1.1), 0], np.float32)
    t = np.linspace(0, 1, 9)
    expected = np.stack([np.cos(1.1 * t), np.sin(1.1 * t), 0 * t], 1)
    assert np.allclose(slerp(a, b, t), expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_norm_goes_evenly_and_the_angle_too(seed):
    a, b = pair(seed, 2 + 7 * seed)
    t = steps()
    path = slerp(a, b, t).astype(np.float64)
    norms = np.linalg.norm(path, axis=1)
    assert np.allclose(norms, (1 - t) * np.linalg.norm(a) + t * np.linalg.norm(b), rtol=1e-5)
    units = path / norms[:, None]
    angles = np.arccos(np.clip((units[1:] * units[:-1]).sum(1), -1, 1))
    assert np.allclose(angles, angles[0], atol=1e-4)


def test_two_independent_codes_meet_at_seven_tenths_of_the_shell_on_the_line_only():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 4000)).astype(np.float32)
    half = np.array([0.5])
    assert np.linalg.norm(lerp(a, b, half)) / np.sqrt(4000) == pytest.approx(np.sqrt(0.5), rel=0.03)
    assert np.linalg.norm(slerp(a, b, half)) / np.sqrt(4000) == pytest.approx(1, rel=0.03)


@pytest.mark.parametrize("b", [[2.0, 0, 0], [-2.0, 0, 0], [0, 0, 0], [1.0, 1e-5, 0], [1.0, 0, 0]])
def test_where_there_is_no_plane_to_turn_in_it_is_the_line(b):
    a, b = np.array([1.0, 0, 0], np.float32), np.array(b, np.float32)
    assert not turns(a, b)
    assert (slerp(a, b, steps()) == lerp(a, b, steps())).all()


def test_in_one_dimension_it_is_the_line():
    a, b = np.array([1.0], np.float32), np.array([-3.0], np.float32)
    assert (slerp(a, b, steps()) == lerp(a, b, steps())).all()


def test_right_at_the_fallback_arc_and_line_agree():
    a = np.array([1.0, 0], np.float32)
    b = np.array([np.cos(1.1e-3), np.sin(1.1e-3)], np.float32)
    assert turns(a, b) and np.abs(slerp(a, b, steps()) - lerp(a, b, steps())).max() < 1e-6


def test_a_blend_keeps_the_mix_of_the_lengths_where_it_is_told_to():
    rng = np.random.default_rng(0)
    codes, w = rng.normal(size=(4, 2000)).astype(np.float32), np.full(4, 0.25)
    short, kept = blend(codes, w), blend(codes, w, keep=True)
    lengths = np.linalg.norm(codes, axis=1)
    assert np.allclose(short, codes.mean(0), atol=1e-6)
    assert np.linalg.norm(short) / lengths.mean() == pytest.approx(0.5, rel=0.05)  # four independent codes
    assert np.linalg.norm(kept) == pytest.approx(lengths @ w, rel=1e-5)
    assert short @ kept == pytest.approx(np.linalg.norm(short) * np.linalg.norm(kept), rel=1e-5)


def test_a_blend_of_opposites_has_no_direction_to_be_stretched_in():
    codes = np.array([[1.0, 0], [-1.0, 0]])
    assert (blend(codes, np.array([0.5, 0.5]), keep=True) == 0).all()


def test_one_corner_alone_is_itself_at_any_setting():
    codes = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    for keep in (False, True):
        assert np.allclose(blend(codes, np.eye(4), keep), codes, atol=1e-6)
