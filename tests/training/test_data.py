"""Data sets by name: those that need nothing, those whose files we make here in their own formats, and clear refusals."""

import struct

import numpy as np
import pytest
from PIL import Image

from explorer.training.data import Unavailable, open_data

RNG = np.random.default_rng(0)


def test_avatars_are_the_corpus_and_val_is_not_train():
    data = open_data("avatars", limit=32)
    assert data.train.shape == (32, 64, 64, 3) and data.train.dtype == np.uint8
    seen = {picture.tobytes() for picture in data.train}
    assert not any(picture.tobytes() in seen for picture in data.val)


def test_digits_come_with_scikit_learn():
    data = open_data("digits")
    assert data.size == 32 and len(data.train) + len(data.val) == 1797
    assert (data.train[..., 0] == data.train[..., 2]).all()  # grey


def test_fashion_mnist_is_read_from_its_own_files(tmp_path):
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, count in (("train", 40), ("t10k", 12)):
        pixels = RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        (raw / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, count, 28, 28) + pixels.tobytes())
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) + bytes(count))
    data = open_data("fashion_mnist", limit=30, root=tmp_path)
    assert data.train.shape == (30, 32, 32, 3) and data.val.shape == (12, 32, 32, 3)
    assert (data.val[:, 2:30, 2:30, 0] == pixels).all() and data.val[:, :2].max() == 0  # padded, not resampled


def test_celeba_is_read_from_its_own_files(tmp_path, monkeypatch):
    from torchvision.datasets import CelebA

    monkeypatch.setattr(CelebA, "_check_integrity", lambda self: True)  # ours cannot have the checksums of the real files
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{i:06d}.jpg" for i in range(1, 9)]
    for name in names:
        Image.new("RGB", (178, 218), (200, 40, 90)).save(folder / "img_align_celeba" / name)
    lines = {
        "list_eval_partition.txt": [f"{n} {int(i > 5)}" for i, n in enumerate(names)],
        "identity_CelebA.txt": [f"{n} 1" for n in names],
        "list_bbox_celeba.txt": ["8", "image_id x_1 y_1 width height"] + [f"{n} 1 1 9 9" for n in names],
        "list_landmarks_align_celeba.txt": ["8", "a b c d e f g h i j"] + [f"{n} " + " ".join("1" * 10) for n in names],
        "list_attr_celeba.txt": ["8", "Smiling Young"] + [f"{n} 1 -1" for n in names],
    }
    for name, text in lines.items():
        (folder / name).write_text("\n".join(text) + "\n")
    data = open_data("celeba", root=tmp_path)
    assert data.train.shape == (6, 64, 64, 3) and data.val.shape == (2, 64, 64, 3)
    assert "never shipped" in data.licence


def test_a_folder_of_pictures_skips_what_is_none(tmp_path):
    (tmp_path / "deep").mkdir()
    for i in range(12):
        pixels = RNG.integers(0, 256, (80, 100, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / ("deep" if i % 2 else "") / f"{i}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    data = open_data(f"folder:{tmp_path}")
    assert len(data.train) + len(data.val) == 12 and data.size == 64


@pytest.mark.parametrize("name", ["fashion_mnist", "lfw", "celeba"])
def test_without_a_network_one_sentence_says_what_is_missing(name, tmp_path, monkeypatch):
    import socket

    def closed(*_args, **_kwargs):
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "create_connection", closed)
    monkeypatch.setattr(socket.socket, "connect", closed)
    with pytest.raises(Unavailable) as caught:
        open_data(name, root=tmp_path)
    text = str(caught.value)
    assert text.count("\n") == 0 and str(tmp_path) in text and text.endswith(".")


@pytest.mark.parametrize("name", ["imagenet", "digits:7", "", "avatars2"])
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(ValueError, match="choose one of avatars, digits"):
        open_data(name)


def test_a_folder_without_pictures_is_named(tmp_path):
    with pytest.raises(Unavailable, match="holds 0 readable pictures"):
        open_data(f"folder:{tmp_path}")
    with pytest.raises(Unavailable, match="There is no folder"):
        open_data(f"folder:{tmp_path}/nowhere")
