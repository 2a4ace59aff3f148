"""Every failure fails and every cure cures, seen by the metrics, for the shipped seed and for a neighbour of it."""

import numpy as np
import pytest

from explorer.tabs.gan import engine, metrics, nets
from explorer.tabs.gan.config import check, restarts
from explorer.tabs.gan.gallery import FAILURES
from explorer.tabs.gan.state import noise, rng, start, toy


class Course:
    """A run in eight parts: after each its metrics, and the means of its last 50 rounds. Ends where it diverges."""

    def __init__(self, settings: dict, rounds: int):
        self.settings = check(settings)
        state, self.metrics, self.diverged = start(self.settings), [], False
        for _ in range(8):
            trace = engine.advance(self.settings, state, rounds // 8)
            if not state.finite():
                self.diverged = True
                return
            z = noise(self.settings, metrics.FAKES, rng(self.settings.seed, 7))
            self.metrics.append(metrics.measure(toy(self.settings), nets.generate(self.settings, state.g, z)))
        self.g_norm = float(np.mean(trace.g_norm[-50:]))
        self.accuracy = float(np.mean(trace.real_acc[-50:] + trace.fake_acc[-50:]) / 2)

    @property
    def last(self) -> metrics.Metrics:
        return self.metrics[-1]

    def column(self, name: str) -> np.ndarray:
        return np.array([getattr(m, name) for m in self.metrics])


@pytest.fixture(scope="module", autouse=True)
def fast():
    engine.warm(wait=True)


def runs(name: str, neighbour: int) -> tuple[Course, Course]:
    """The failed run and the cured one, of the shipped seed or of one near it."""
    failure = FAILURES[name]
    seed = failure.settings.get("seed", 1) + neighbour
    failed = {**failure.settings, "seed": seed}
    return Course(failed, failure.rounds), Course({**failed, **failure.cure}, failure.cured)


@pytest.mark.slow
@pytest.mark.parametrize("neighbour", [0, 1])
def test_collapse(neighbour):
    failed, cured = runs("collapse", neighbour)
    assert (failed.column("modes_covered")[2:] <= 2).all() and (failed.column("sw")[2:] > 0.25).all()
    assert cured.last.modes_covered == 8 and cured.last.sw < 0.08 and cured.last.high_quality > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("neighbour", [0, 1])
def test_oscillation(neighbour):
    failed, cured = runs("oscillation", neighbour)
    sw = failed.column("sw")
    assert sw.min() > 0.15 and sw.max() > 1.3 * sw.min() and (failed.column("modes_covered") <= 4).all()
    assert cured.last.modes_covered >= 7 and cured.last.sw < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("neighbour", [0, 1])
def test_vanishing_gradient(neighbour):
    failed, cured = runs("vanishing", neighbour)
    assert failed.g_norm < 1e-3 and failed.accuracy > 0.99 and failed.last.sw > 0.25
    assert failed.metrics[-1].sw == pytest.approx(failed.metrics[-3].sw, abs=0.01)  # it stands still
    assert cured.g_norm > 0.1 and cured.last.sw < 0.06 and cured.last.high_quality > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("neighbour", [0, 1])
def test_divergence(neighbour):
    failed, cured = runs("divergence", neighbour)
    assert failed.diverged and not cured.diverged
    assert cured.last.modes_covered == 2 and cured.last.sw < 0.12 and cured.last.high_quality > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("neighbour", [0, 1])
def test_rare_modes_get_lost(neighbour):
    failed, cured = runs("imbalance", neighbour)
    assert failed.column("modes_covered").max() >= 4 and failed.last.modes_covered <= 2 and failed.last.high_quality > 0.85
    assert cured.last.modes_covered == 5 and cured.last.sw < 0.06


def test_there_are_five_and_each_says_what_to_see_and_why():
    assert list(FAILURES) == ["collapse", "oscillation", "vanishing", "divergence", "imbalance"]
    for failure in FAILURES.values():
        before = check(failure.settings)
        after = check(failure.cure, before)
        assert after != before and set(failure.cure) <= set(vars(after))
        assert 40 < len(failure.see) < 200 and 150 < len(failure.why) < 450
        assert failure.see.endswith(".") and failure.why.endswith(".") and not failure.title.endswith(".")
        assert failure.rounds <= 3000 and failure.cured <= 3000


def test_every_cure_could_be_given_to_the_run_as_it_goes():
    """None needs other nets or other data: what failed was a matter of settings that a run can take over."""
    for failure in FAILURES.values():
        before = check(failure.settings)
        assert restarts(before, check(failure.cure, before)) == []
