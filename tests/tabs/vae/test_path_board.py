"""The board: weights, cells, and the way that a link holds."""

import numpy as np
import pytest

from explorer.tabs.vae import path_board
from explorer.tabs.vae.path_lines import blend
from tests.tabs.vae.path_models import tiny


def test_weights_sum_to_one_and_are_bilinear():
    w = path_board.weights(np.array([0, 1, 0, 1, 0.25]), np.array([0, 0, 1, 1, 0.5]))
    assert np.allclose(w[:4], np.eye(4)) and np.allclose(w[4], [0.375, 0.125, 0.375, 0.125])
    assert np.allclose(path_board.weights(*np.random.default_rng(0).random((2, 50))).sum(-1), 1)


@pytest.mark.parametrize("keep", [False, True])
def test_a_cell_is_the_exact_decode_of_its_place(keep):
    vae = tiny(3)
    corners = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    board = path_board.decoded(vae, path_board.cells(corners, 11, keep))
    assert board.shape == (121, 32, 32, 3)
    for row, column in [(0, 0), (0, 10), (10, 0), (10, 10), (3, 7), (5, 5)]:
        z = blend(corners, path_board.weights(column / 10, row / 10), keep)
        assert np.abs(board[row * 11 + column].astype(int) - vae.decode(z[None])[0]).max() <= 1
    for corner, cell in enumerate((0, 10, 110, 120)):
        assert np.abs(board[cell].astype(int) - vae.decode(corners[[corner]])[0]).max() <= 1


def test_only_two_sizes_of_board():
    with pytest.raises(ValueError, match="11 or 17"):
        path_board.cells(np.zeros((4, 2)), 1000)


def test_a_way_survives_the_link():
    places = np.random.default_rng(0).random((20, 2))
    text = path_board.pack(places)
    assert len(text) == 80 and np.abs(path_board.unpack(text) - places).max() < 1 / 4095
    assert path_board.pack(path_board.unpack(text)) == text


@pytest.mark.parametrize("text", ["", "AAAA", "AAA", "AAAAAAA", "A" * 4 * 65, "AAAA....", "ééééAAAA", None, 7])
def test_what_is_no_way_is_said_so(text):
    with pytest.raises(ValueError, match="draw it again"):
        path_board.unpack(text)


def test_a_way_is_walked_at_constant_speed():
    corner = np.array([[0.0, 0], [1, 0], [1, 0], [1, 1]])  # one point twice
    walked = path_board.drive(corner, 9)
    assert np.allclose(walked[[0, 4, 8]], [[0, 0], [1, 0], [1, 1]])
    assert np.allclose(np.linalg.norm(np.diff(walked, axis=0), axis=1), 0.25)
    assert np.isfinite(path_board.drive(np.array([[0.5, 0.5], [0.5, 0.5]]), 4)).all()
