from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from explorer import corpus
from explorer.index import open_index
from explorer.tabs.clip_search import sure, zeroshot

LABELS = ["red", "green", "blue"]
TEMPLATES = ["a face with {} hair", "someone with {} hair"]


@pytest.fixture(scope="module")
def picture():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))


def test_probabilities_are_open_clips_softmax(tiny, picture):
    """(100.0 * image_features @ text_features.T).softmax(dim=-1) of its README, with this model's own scale."""
    answer = zeroshot.classify(tiny, picture, dict(labels=LABELS, templates=["a face with {} hair"]))
    net, text = tiny.clip.model, tiny.clip.tokenize([f"a face with {label} hair" for label in LABELS])
    with torch.no_grad():
        image = net.encode_image(tiny.clip.preprocess(picture)[None], normalize=True)
        texts = net.encode_text(text, normalize=True)
        p = (net.logit_scale.exp() * image @ texts.T).softmax(-1)[0]
    assert np.allclose([entry["p"] for entry in answer["labels"]], p.numpy(), atol=1e-5)
    assert np.allclose([entry["cos"] for entry in answer["labels"]], (image @ texts.T)[0].numpy(), atol=1e-5)
    assert [entry["label"] for entry in answer["labels"]] == LABELS and answer["none"] is None
    assert answer["scale"] == pytest.approx(net.logit_scale.exp().item())


def test_an_ensemble_is_open_clips(tiny, picture):
    """build_zero_shot_classifier: the mean of normalised vectors, normalised again."""
    from open_clip import build_zero_shot_classifier

    def template(pattern):
        return lambda label: pattern.replace("{}", label)

    functions = [template(pattern) for pattern in TEMPLATES]
    weights = build_zero_shot_classifier(tiny.clip.model, tiny.clip.tokenize, LABELS, functions, device="cpu")
    answer = zeroshot.classify(tiny, picture, dict(labels=LABELS, templates=TEMPLATES))
    cos = tiny.images([picture])[0] @ weights.numpy()
    assert np.allclose([entry["cos"] for entry in answer["labels"]], cos, atol=1e-5)
    assert np.shape(answer["per_template"]) == (3, 2)
    one = zeroshot.classify(tiny, picture, dict(labels=LABELS, templates=TEMPLATES[1:]))
    assert np.allclose(np.array(answer["per_template"])[:, 1], [entry["cos"] for entry in one["labels"]], atol=1e-4)


def test_none_of_these_is_one_more_answer(tiny, picture):
    answer = zeroshot.classify(tiny, picture, dict(labels=LABELS, templates=["a face with {} hair"], none=True))
    assert sum(entry["p"] for entry in answer["labels"]) + answer["none"]["p"] == pytest.approx(1)
    image = tiny.images([picture])
    bare = float(tiny.texts(["a face with hair"])[0] @ image[0])
    floor = float(sure.floor(tiny, image, tiny.texts([f"a face with {label} hair" for label in LABELS]))[0])
    assert answer["none"]["cos"] == pytest.approx(max(bare, floor), abs=1e-6)


BAD = {
    "none": ([], "at least one label"), "empty": ([" "], "at least one label"),
    "many": ([str(n) for n in range(51)], "at most 50"), "no list": ("red", "lines of text"),
    "twice": (["red", " red"], "the same"), "endless": (["x" * 5000], "200 letters"), "numbers": ([1, 2], "lines of text"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_labels_may_not_be(tiny, picture, case):
    labels, sentence = BAD[case]
    with pytest.raises(ValueError, match=sentence):
        zeroshot.classify(tiny, picture, dict(labels=labels))


@pytest.fixture(scope="module")
def folders():
    """Vectors of 120 pictures in three folders, one of them nested and two words long."""
    rng = np.random.default_rng(0)
    names = ["red", "things/blue_shirt", "a"]
    index = open_index(":memory:", 32, "test", server="")
    vectors = rng.standard_normal((120, 32)).astype(np.float32)
    index.upsert(range(120), vectors, [{"name": f"{i}", "path": f"{i}", "folder": names[i % 3]} for i in range(120)])
    stored = np.stack([item.vector for item in index.get(range(120))])
    return SimpleNamespace(index=index, vectors=stored, names=names)


def test_labels_and_templates_together_have_an_end(tiny, picture, folders):
    many = [f"number {n} of {{}}" for n in range(100)]
    assert len(zeroshot.classify(tiny, picture, dict(labels=list("abcdefghij"), templates=many))["per_template"][0]) == 100
    with pytest.raises(ValueError, match="50 labels can have 20 templates at most, not 100"):
        zeroshot.classify(tiny, picture, dict(labels=[str(n) for n in range(50)], templates=many))


def test_confusion_is_sklearns(tiny, folders):
    from sklearn.metrics import accuracy_score, confusion_matrix

    answer = zeroshot.confusion(tiny, folders, dict(by="folder", templates=["a face with {}"]))
    assert set(answer["values"]) == set(folders.names)
    assert answer["labels"][answer["values"].index("things/blue_shirt")] == "blue shirt"
    texts = tiny.texts([f"a face with {label}" for label in answer["labels"]])
    said = (folders.vectors @ texts.T).argmax(1)
    truth = np.array([answer["values"].index(folders.names[i % 3]) for i in range(120)])
    assert answer["matrix"] == confusion_matrix(truth, said, labels=[0, 1, 2]).tolist()
    assert answer["accuracy"] == pytest.approx(accuracy_score(truth, said)) and answer["n"] == 120
    assert answer["truth"] == [40, 40, 40]
    assert answer["per_label"] == pytest.approx([answer["matrix"][i][i] / 40 for i in range(3)])


def test_the_pictures_of_a_cell_are_named(tiny, folders):
    ask = dict(by="folder", templates=["a face with {}"])
    matrix = zeroshot.confusion(tiny, folders, ask)["matrix"]
    cells = [[zeroshot.confusion(tiny, folders, ask | dict(cell=[i, j]))["ids"] for j in range(3)] for i in range(3)]
    assert [[len(ids) for ids in row] for row in cells] == matrix
    assert sorted(i for row in cells for ids in row for i in ids) == list(range(120))
    values = zeroshot.confusion(tiny, folders, ask)["values"]
    assert all(folders.names[i % 3] == values[row] for row in range(3) for ids in cells[row] for i in ids)
    with pytest.raises(ValueError, match="row and a column"):
        zeroshot.confusion(tiny, folders, ask | dict(cell=[0, 3]))


def test_own_words_for_some_of_the_values(tiny, folders):
    answer = zeroshot.confusion(tiny, folders, dict(by="folder", labels={"red": "red hair", "a": "someone"}))
    assert answer["labels"] == ["red hair", "someone"] and answer["values"] == ["red", "a"]
    assert np.array(answer["matrix"]).shape == (2, 2) and answer["n"] == 80


def test_what_cannot_be_confused(tiny, folders):
    for request, sentence in (
        (dict(by="bytes"), "folders or by one"),
        (dict(by="attr.hat"), "at least two"),
        (dict(by="folder", labels={"red": "red"}), "at least two"),
        (dict(by="folder", labels=["red"]), "words for the values"),
    ):
        with pytest.raises(ValueError, match=sentence):
            zeroshot.confusion(tiny, folders, request)


@pytest.fixture(scope="module")
def faces(avatars):
    rows = corpus.attributes(range(400), split="test")
    index = open_index(":memory:", avatars.dim, avatars.fingerprint, server="")
    attributes = [{f"attr.{factor}": value for factor, value in corpus.describe(row).items()} for row in rows]
    payloads = [{"name": str(i), "path": str(i)} | attributes[i] for i in range(400)]
    images = corpus.batch("test", 0, 400)[0]
    index.upsert(range(400), avatars.images(images), payloads)
    return SimpleNamespace(index=index, rows=rows, images=images)


@pytest.mark.parametrize("by, template", [("hair colour", "a face with {} hair"), ("shirt", "someone wearing a {} shirt")])
def test_colours_of_faces_are_told_apart(avatars, faces, by, template):
    answer = zeroshot.confusion(avatars, faces, dict(by=f"attr.{by}", templates=[template]))
    assert answer["n"] == 400 and answer["accuracy"] >= 0.95


def test_none_of_these_where_the_true_label_is_missing(avatars, faces):
    """Shirts, with and without the right colour among the labels."""
    template, column = "someone wearing a {} shirt", corpus.factors.column("shirt")
    right = wrong = 0
    for i in range(60):
        colour = corpus.FACTORS["shirt"][faces.rows[i, column]]
        picture, others = Image.fromarray(faces.images[i]), [c for c in corpus.FACTORS["shirt"] if c != colour]
        with_ = zeroshot.classify(avatars, picture, dict(labels=[colour, *others[:3]], templates=[template], none=True))
        without = zeroshot.classify(avatars, picture, dict(labels=others, templates=[template], none=True))
        right += with_["labels"][0]["p"] > max(with_["none"]["p"], *(e["p"] for e in with_["labels"][1:]))
        wrong += without["none"]["p"] < max(entry["p"] for entry in without["labels"])
    assert right >= 54 and wrong <= 6
