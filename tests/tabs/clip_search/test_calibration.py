import numpy as np
import pytest

from explorer.tabs.clip_search import calibration, sure


def test_between_the_lengths_that_were_measured():
    found = calibration.Thresholds(np.array([2, 4, 6]), np.array([1.0, 2.0, 2.5]), np.array([1.0, 1.2, 1.0]), 0.1)
    assert found.at(4) == (2.0, 1.2) and found.at(3) == pytest.approx((1.5, 1.1))
    assert found.at(0) == found.at(1) == (1.0, 1.0) and found.at(30) == (2.5, 1.0)


def test_a_text_that_says_more_must_be_found_more_surely(avatars):
    """And a "maybe" never asks for more than to be sure. Twice the same: it draws with a seed of its own."""
    found = sure.background(avatars).thresholds
    assert found.words.tolist() == [2, 4, 6, 8]
    assert found.sure[0] < found.sure[1] < found.sure[3] and (found.maybe <= found.sure).all()
    known = sure.background(avatars)
    again = calibration.calibrate(avatars, lambda pieces: sure.near(known, pieces), known.empty)
    assert np.array_equal(again.sure, found.sure) and again.label == found.label


def test_other_models_are_not_calibrated(tiny):
    assert sure.background(tiny).thresholds is None
