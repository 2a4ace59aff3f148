"""The text tower under its other name says the same, for any text that a keyboard can produce."""

import pytest
import torch

from explorer.clip import folder, tower

TEXTS = [
    "someone with short red hair and a blue shirt, wearing round glasses, on a pink background", "", "A Zebra! émoji 🙂 x, y",
    "smile   with\n glasses don't", "!!! 123 ! <|hello|>", "日本語 ğ ß", "red " * 100,
]  # fmt: skip


@pytest.fixture(scope="module")
def clip():
    return folder.load(folder.shipped())


def test_the_tokenizer_cuts_texts_as_open_clip_does(clip):
    ours = clip.tokenize(TEXTS)
    theirs = tower.tokenizer(folder.shipped(), clip.context)(
        TEXTS, padding="max_length", truncation=True, max_length=clip.context, return_tensors="pt"
    ).input_ids
    for text, a, b in zip(TEXTS, ours, theirs, strict=True):
        length = int(a.argmax()) + 1  # the end piece has the largest number
        assert a[:length].tolist() == b[:length].tolist(), text
        assert set(b[length:].tolist()) <= {int(a.max())}, "filled up with the end piece"


def test_the_tower_gives_the_vectors_of_open_clip(clip):
    ids = clip.tokenize(TEXTS)
    with torch.no_grad():
        states = tower.text_model(clip)(ids)[0]
        ends = states[torch.arange(len(ids)), ids.argmax(1)] @ clip.model.text_projection
        assert torch.allclose(ends, clip.model.encode_text(ids), atol=1e-4)


def test_a_tower_that_lacks_weights_is_refused(clip):
    class Less:
        config, dim = clip.config, clip.dim
        model = torch.nn.Module()

    less = Less()
    less.model = type("Part", (), {"state_dict": lambda self: {
        name: tensor for name, tensor in clip.model.state_dict().items() if "resblocks.3" not in name
    }})()  # fmt: skip
    with pytest.raises(ValueError, match="no weights for"):
        tower.text_model(less)
