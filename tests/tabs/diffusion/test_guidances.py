"""Three guidances: where two of them must be one, DDIM by its formula, and each equation against the tensors that are kept."""

import math

import numpy as np
import pytest
import torch

from explorer.tabs.diffusion import classifier, guidances

WISH = {"hair colour": "red", "glasses": "sunglasses", "shirt": "blue"}


@pytest.fixture(scope="module")
def net(mini):
    return classifier.load(mini.folder)


@pytest.fixture(scope="module")
def run(mini, net):
    """run(**settings) -> all steps."""
    return lambda **given: list(guidances.compare(mini, net, guidances.checked({"wish": WISH, "steps": 4, **given})))


@pytest.fixture(scope="module")
def usual(run):
    return run(seed=2, s=5, w=4)


def test_without_scale_classifier_and_classifier_free_are_the_network_alone(run):
    for step in run(s=0, w=0):
        a, b = step.branches["classifier"], step.branches["free"]
        assert torch.allclose(a.x_next, b.x_next, atol=1e-4) and torch.equal(a.eps, a.plain)


def test_told_by_labels_at_one_classifier_free_is_explicit_conditioning(run):
    for step in run(w=1, told="labels"):
        a, b = step.branches["labels"], step.branches["free"]
        assert torch.allclose(a.x_next, b.x_next, atol=1e-4)


def test_the_equations_hold_for_what_is_kept(usual, mini, net):
    for step in usual:
        by, free, only = (step.branches[name] for name in ("classifier", "free", "labels"))
        assert torch.allclose(by.eps, by.plain - 5 * math.sqrt(1 - step.abar) * step.gradient, atol=1e-6)
        assert torch.allclose(free.eps, free.plain + 4 * (free.condition - free.plain), atol=1e-6)
        assert only.eps is only.condition
        t = torch.tensor([step.timestep])
        found, each = classifier.gradient(net, by.x, t, guidances.checked({"wish": WISH}).row)
        assert torch.equal(found, step.gradient) and np.allclose(each[0].exp(), by.p)


def test_steps_are_those_of_ddim(usual, mini):
    assert [step.timestep for step in usual] == [751, 501, 251, 1]  # leading, offset 1
    abar = [step.abar for step in usual] + [float(mini.levels(torch.tensor([0.0])))]
    for step, after in zip(usual, abar[1:]):
        for one in step.branches.values():
            x0 = (one.x - math.sqrt(1 - step.abar) * one.eps) / math.sqrt(step.abar)
            assert torch.allclose(one.x0, x0, atol=1e-4)
            assert torch.allclose(one.x_next, math.sqrt(after) * x0 + math.sqrt(1 - after) * one.eps, atol=1e-4)


def test_all_start_from_one_noise_and_a_seed_is_a_seed(usual, run):
    first = usual[0].branches
    assert all(torch.equal(one.x, first["labels"].x) for one in first.values())
    again = run(seed=2, s=5, w=4)
    for a, b in zip(usual, again):
        assert all(torch.equal(a.branches[name].x_next, b.branches[name].x_next) for name in guidances.METHODS)
    assert not torch.equal(run(seed=3)[0].branches["free"].x, first["free"].x)


def test_costs_are_counted(usual):
    assert {name: sum(step.branches[name].calls for step in usual) for name in guidances.METHODS} == {
        "labels": 4, "classifier": 4, "free": 8,
    }  # fmt: skip
    assert all(one.seconds > 0 for step in usual for one in step.branches.values())


def test_another_scale_at_a_step_needs_no_network(usual):
    step = usual[1]
    for name, scale in (("classifier", 5), ("free", 4)):
        assert torch.allclose(guidances.recombined(step, name, scale), step.branches[name].x0, atol=1e-4)
        zero = guidances.recombined(step, name, 0)
        one = step.branches[name]
        assert torch.allclose(zero, (one.x - math.sqrt(1 - step.abar) * one.plain) / math.sqrt(step.abar), atol=1e-5)
    with pytest.raises(ValueError, match="no scale"):
        guidances.recombined(step, "labels", 2)


def test_a_push_makes_the_classifier_surer(run):
    wished = [math.prod(steps[-1].branches["classifier"].p) for steps in (run(s=0, seed=4), run(s=8, seed=4))]
    assert wished[1] > wished[0] + 0.3


def test_the_judge_reads_what_was_wished():
    from explorer import corpus

    settings = guidances.checked({"wish": WISH})
    rows = corpus.attributes([5], split="test")
    for factor, value in WISH.items():
        rows[0, list(corpus.FACTORS).index(factor)] = corpus.FACTORS[factor].index(value)
    (told,) = guidances.verdict(corpus.draw(rows, np.array([5])), settings)
    assert [(one["factor"], one["seen"]) for one in told] == list(WISH.items()) and min(one["p"] for one in told) > 0.5


def test_the_wish_in_words():
    assert guidances.checked({"wish": {"shirt": "blue", "hair colour": "red", "glasses": "none"}}).text == (
        "red hair, no glasses, a blue shirt"
    )


@pytest.mark.parametrize(
    "given",
    [
        {}, {"wish": {}}, {"wish": "red hair"}, {"wish": {"hat": "red"}}, {"wish": {"shirt": "plaid"}},
        {"wish": WISH, "steps": 0}, {"wish": WISH, "steps": 10_000}, {"wish": WISH, "steps": 2.5}, {"wish": WISH, "s": None},
        {"wish": WISH, "s": float("nan")}, {"wish": WISH, "w": -1}, {"wish": WISH, "w": 21}, {"wish": WISH, "w": "7"},
        {"wish": WISH, "seed": -1}, {"wish": WISH, "seed": True}, {"wish": WISH, "told": "smoke"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_in_one_sentence(given):
    with pytest.raises(ValueError, match=r"\.$"):
        guidances.checked(given)
