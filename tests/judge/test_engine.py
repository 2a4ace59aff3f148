"""The shipped judge: accurate on faces it never saw, also on soft ones; and strict about what it is given."""

import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageFilter

from explorer import assets, corpus
from explorer.judge import engine


@pytest.fixture(scope="module")
def judge():
    return engine.load()


def accuracy(judge, images, truth) -> np.ndarray:
    return (judge.labels(images) == truth).mean(0)


@pytest.mark.parametrize("split, each", [("test", 0.97), ("compose", 0.95)])
def test_reads_faces_it_never_saw(judge, split, each):
    share = accuracy(judge, *corpus.batch(split, 20_000, 500))
    assert share.mean() >= 0.99 and share.min() >= each, dict(zip(corpus.FACTORS, share, strict=True))


def test_reads_soft_faces(judge):
    """Blurred and compressed by Pillow, in ways training did not use: what a decoder's output may look like."""
    images, truth = corpus.batch("test", 30_000, 300)
    soft = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image).filter(ImageFilter.GaussianBlur(0.6)).save(file, "JPEG", quality=70)
        soft.append(np.asarray(Image.open(file)))
    share = accuracy(judge, np.stack(soft), truth)
    assert share.mean() >= 0.98 and share.min() >= 0.95, dict(zip(corpus.FACTORS, share, strict=True))


def test_a_changed_attribute_changes_that_reading_alone(judge):
    rows = corpus.attributes(range(200), split="test")
    for number, names in enumerate(corpus.FACTORS.values()):
        other = rows.copy()
        other[:, number] = (other[:, number] + 1) % len(names)
        assert (judge.labels(corpus.draw(other, range(200))) == other).mean() > 0.985


def test_probabilities(judge):
    images, _ = corpus.batch("test", 0, 300)  # more than one internal batch
    read = judge.read(images)
    assert list(read) == list(corpus.FACTORS)
    for factor, names in corpus.FACTORS.items():
        assert read[factor].shape == (300, len(names)) and read[factor].dtype == np.float32
        assert np.allclose(read[factor].sum(1), 1, atol=1e-5)
    alone = judge.read(images[7:8])
    assert all(np.allclose(alone[factor][0], read[factor][7], atol=1e-4) for factor in read)
    assert judge.labels(images).dtype == np.int64


def test_no_pictures_give_no_readings(judge):
    assert judge.labels(np.empty((0, 64, 64, 3), np.uint8)).shape == (0, len(corpus.FACTORS))


@pytest.mark.parametrize("shape, kind", [((64, 64, 3), "u1"), ((1, 32, 32, 3), "u1"), ((1, 64, 64, 3), "f4")])
def test_other_pictures_are_refused(judge, shape, kind):
    with pytest.raises(ValueError, match="The judge reads uint8 pictures"):
        judge.read(np.zeros(shape, kind))


def test_a_judge_of_another_corpus_is_refused(tmp_path, monkeypatch):
    here = tmp_path / engine.MODEL
    shutil.copytree(assets.folder(engine.MODEL), here)
    card = json.loads((here / "card.json").read_text())
    card["values"]["shirt"][0] = "tartan"
    (here / "card.json").write_text(json.dumps(card))
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    with pytest.raises(assets.Missing, match="another corpus.*python -m explorer.judge.train"):
        engine.load.__wrapped__()


def test_the_card_tells_all():
    card = assets.card(engine.MODEL)
    assert {"config", "data", "licence", "steps", "minutes", "seed", "sha256", "command", "metrics"} <= set(card)
    assert card["metrics"]["val"]["mean"] >= 0.99 and card["metrics"]["val"]["least"] >= 0.97
    assert "compose" in card["metrics"]
