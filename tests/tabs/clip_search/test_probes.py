"""The four probes by name: each answers, as JSON, with a sentence."""

import json

import pytest
from PIL import Image

from explorer.tabs.clip_search import faces, fresh, gap, indexlab, matrix, probes, tokens

SMALL = {"prompts": {"n": 8}, "order": {"n": 20}, "arithmetic": {"n": 100}, "typographic": {"n": 8}}


@pytest.mark.parametrize("kind", probes.KINDS)
def test_each_answers_in_plain_json(tiny, kind):
    picture = Image.fromarray(faces.pixels([7])[0])
    for some, given in ((None, {}), (picture, {"ref": {"face": 7}}), (picture, {"ref": {"picture": "abc"}})):
        answer = probes.probe(tiny, some, {"kind": kind, **SMALL[kind], **given})
        assert answer["kind"] == kind and isinstance(answer["say"], str)
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer


@pytest.mark.parametrize("kind", [None, "magic", 3, ["order"]])
def test_no_other(tiny, kind):
    with pytest.raises(ValueError, match="kind is one of prompts, order, arithmetic, typographic"):
        probes.probe(tiny, None, {"kind": kind})


def test_the_other_lessons_answer_in_plain_json(tiny):
    picture, desk = Image.fromarray(faces.pixels([7])[0]), fresh.Trainings()
    answers = [
        matrix.matrix(tiny, [picture], ["red hair"]), matrix.pairs(4), matrix.pairs(4, twins=True), gap.gap(tiny, 20),
        tokens.tokens(tiny, picture, {"shuffle": 1}), indexlab.measure(tiny, {"n": 1000, "dim": 64, "filter": 0.1}),
        fresh.command(desk, {"n": 1, "batch": 4}), fresh.command(desk, {"action": "state"}),
        fresh.compare(desk, {"action": "stop"}),
    ]  # fmt: skip
    for answer in answers:
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer
