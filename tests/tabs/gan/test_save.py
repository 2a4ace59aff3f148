"""Saved runs go on exactly; any other file gets a sentence."""

import json

import numpy as np
import pytest
from safetensors.numpy import save as write

from explorer.tabs.gan import save
from explorer.tabs.gan.config import check
from explorer.tabs.gan.run import Run


def test_a_saved_run_goes_on_as_if_nothing_had_happened():
    run = Run(check({"g_opt": "adam", "d_opt": "rmsprop", "spectral": True, "ema": 0.9, "data": "ring8"}))
    run.advance(30)
    settings, state = save.load(save.dump(run.settings, run.state))
    assert settings == run.settings
    other = Run(settings, state)
    run.advance(30)
    other.advance(30)
    for name in save.VECTORS + save.COUNTERS:
        assert np.array_equal(getattr(run.state, name), getattr(other.state, name)), name


def _file(settings=None, counters=None, **vectors) -> bytes:
    run = Run(check({}))
    about = {"settings": settings or {}, "counters": {name: 0 for name in save.COUNTERS} | (counters or {})}
    tensors = {name: getattr(run.state, name) for name in save.VECTORS} | vectors
    return write({k: v for k, v in tensors.items() if v is not None}, metadata={"run": json.dumps(about)})


def test_the_files_of_this_test_are_sound():
    save.load(_file())


@pytest.mark.parametrize(
    "data",
    [
        b"", b"PK\x03\x04" + bytes(100), b"\x80\x04K\x01.", bytes(7), b"\xff" * 64, _file()[:-8], _file()[:40],
        write({"x": np.zeros(3, np.float32)}), write({"x": np.zeros(3, np.float32)}, metadata={"run": "[]"}),
        write({"x": np.zeros(3, np.float32)}, metadata={"run": "null"}),
    ],
)  # fmt: skip
def test_what_is_no_saved_run(data):
    with pytest.raises(ValueError, match="not a run saved"):
        save.load(data)


@pytest.mark.parametrize(
    "data, sentence",
    [
        (_file(g=np.zeros(7, np.float32)), "do not fit"),
        (_file(g=None), "do not fit"),
        (_file(u=np.zeros(17, np.float64)), "do not fit"),
        (_file(g=np.full(114, np.nan, np.float32)), "could go on"),
        (_file(counters={"rounds": -1}), "could go on"),
        (_file(ema=np.full(114, np.nan, np.float32)), "could go on"),
        (_file(counters={"rounds": float("inf")}), "not a run saved"),
        (_file(settings={"g_width": 10**9}), "not between"),
        (_file(settings={"data": "own", "points": "AAAAAA"}), "two points"),
        (_file(settings={"what": 1}), "no setting called"),
        (_file(settings={"data": "../../etc/passwd"}), "no data set"),
    ],
)
def test_a_file_that_was_tampered_with(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        save.load(data)
