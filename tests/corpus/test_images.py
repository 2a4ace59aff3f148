"""Every image is a function of (seed, index): golden bytes, and independence of batches, processes and neighbours."""

import hashlib
import subprocess
import sys
import zlib

import numpy as np
import pytest

from explorer import corpus
from explorer.corpus import canvas, numbers

# sha256 of the raw pixels of 64 faces at four places, and of their attributes. If one of these changes, every trained
# model and every card that names the corpus is about another corpus.
GOLDEN = {
    ("train", 0, 0): "7cbcc92b81960ce54dc008d7f7e6d521aeace21abe994f8909dce96b359d6f55",
    ("val", 500, 0): "d4b12bb545f4d166b11b14e013fc5d0d77d031f7618d17b4c4908393c329f5c9",
    ("test", 0, 7): "5825c245252b7ca24d301c5d02a13973e72484ed27c7377c647be8a385df2cce",
    ("compose", 0, 0): "d1901ff9d109b3f73b0c4a16dc0bbafbe911efb6610cc78f7dfb71389044f0ca",
}


@pytest.mark.parametrize("place", GOLDEN)
def test_same_bytes_on_any_machine(place):
    split, start, seed = place
    images, rows = corpus.batch(split, start, 64, seed)
    assert hashlib.sha256(images.tobytes() + rows.astype("<i8").tobytes()).hexdigest() == GOLDEN[place]


def test_random_numbers_are_splitmix64():
    """The finaliser and the gamma of Steele et al.: the first outputs for state 1234567, as published widely."""
    gamma = np.uint64(0x9E3779B97F4A7C15)
    state = np.array([1234567], np.uint64) + np.arange(1, 4, dtype=np.uint64) * gamma
    assert numbers._mix(state).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_batch_does_not_change_its_images():
    images, rows = corpus.batch("train", 100, 20)
    singles = [corpus.batch("train", 100 + i, 1) for i in range(20)]
    assert all((images[i] == one[0]).all() and (rows[i] == row[0]).all() for i, (one, row) in enumerate(singles))

    backwards = corpus.render(np.arange(119, 99, -1))
    assert (backwards[::-1] == images).all()


def test_another_process_sees_the_same():
    code = "from explorer import corpus; import zlib; print(zlib.crc32(corpus.render(range(40)).tobytes()))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(other) == zlib.crc32(corpus.render(range(40)).tobytes())


def test_shapes_and_types():
    images, rows = corpus.batch("val", 0, 5)
    assert images.shape == (5, 64, 64, 3) and images.dtype == np.uint8
    assert rows.shape == (5, len(corpus.FACTORS)) and rows.dtype == np.int64
    empty, none = corpus.batch("val", 0, 0)
    assert empty.shape == (0, 64, 64, 3) and none.shape == (0, len(corpus.FACTORS))


def test_seeds_and_indices_differ():
    assert len({image.tobytes() for image in corpus.render(range(500))}) == 500
    assert (corpus.render([3], seed=1) != corpus.render([3])).any()
    assert (corpus.render([3], seed=2**70 + 1) == corpus.render([3], seed=(2**70 + 1) % 2**64)).all()
    assert (corpus.render([3], seed=-1) == corpus.render([3], seed=2**64 - 1)).all()


def test_every_option_changes_the_picture():
    """Each value of each factor, drawn with the same jitter, differs from its neighbours where one can see it."""
    plain = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
    for number, names in enumerate(corpus.FACTORS.values()):
        rows = np.repeat(plain[None], len(names), 0)
        rows[:, number] = range(len(names))
        pictures = corpus.draw(rows, np.zeros(len(names))).astype(int)
        for i in range(len(names)):
            for j in range(i):
                changed = np.abs(pictures[i] - pictures[j]).max(-1) > 40
                assert changed.sum() >= 8, (names[i], names[j])


def test_jitter_is_low():
    """One face drawn 200 times: its pixels stay near their mean, and its edges move by about a pixel."""
    row = corpus.attributes([0])
    pictures = corpus.draw(np.repeat(row, 200, 0), np.arange(200)).astype(float)
    assert 2 < pictures.std(0).mean() < 10
    assert np.abs(pictures - np.roll(pictures, 1, 0)).mean(0).max() > 30  # it does move


def test_the_warp_stays_on_the_canvas():
    """The furthest pose must not read outside the margin, where clipping would smear an edge."""
    far = (canvas.TILT + canvas.SCALE) * canvas.FRAME / 2 + canvas.SHIFT * canvas.FRAME
    assert far + 1 < canvas.MARGIN


def test_lanes_never_overflow():
    """What a layer adds never exceeds what it hides, so a pixel's colour cannot spill into the next lane."""
    with np.load(canvas.LAYERS, allow_pickle=False) as packed:
        for name in packed:
            if "@" not in name:
                layer = packed[name].astype(int)
                assert (layer[..., :3] + layer[..., 3:4] <= layer[..., 4:]).all(), name


def test_layers_are_small_and_hold_no_pickle():
    assert canvas.LAYERS.stat().st_size < 1_000_000
    with np.load(canvas.LAYERS, allow_pickle=False) as packed:
        assert all(packed[name].dtype != object for name in packed)


def test_missing_layers_name_the_command(monkeypatch, tmp_path):
    monkeypatch.setattr(canvas, "LAYERS", tmp_path / "layers.npz")
    with pytest.raises(FileNotFoundError, match="python -m explorer.corpus.layers"):
        canvas._layers.__wrapped__()
