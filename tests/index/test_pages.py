"""Large pages change no number, wherever an array begins, and are never insisted on."""

import numpy as np

from explorer.index import pages


def test_numbers_stay_as_they_are():
    for offset in (0, 1, 4095, 12345):
        rows = np.random.default_rng(0).integers(0, 256, 9_000_000, dtype=np.uint8)[offset:]
        before = rows.copy()
        assert pages.enlarge(rows) in (True, False)
        assert np.array_equal(rows, before)


def test_what_is_small_scattered_or_on_another_system_is_left_alone(monkeypatch):
    large = np.zeros((3000, 3000), np.float16)
    assert not pages.enlarge(np.zeros(100)) and not pages.enlarge(large[:, ::2])
    monkeypatch.setattr(pages, "_madvise", lambda: None)
    assert not pages.enlarge(large)


def test_a_refusal_is_no_error(monkeypatch):
    monkeypatch.setattr(pages, "_madvise", lambda: lambda begin, length, advice: -1)
    assert pages.enlarge(np.zeros(9_000_000, np.uint8)) is False
