"""Where a model's pictures come from: held-out ones first, labels where they are known."""

import numpy as np
import pytest

from explorer import corpus
from explorer.tabs.vae import training_data
from explorer.tabs.vae.sources import AVATARS, DIGITS, SHOWN, Own
from explorer.training.data import open_data


def test_digits_are_in_the_order_of_the_trainings_with_their_own_labels():
    from sklearn.datasets import load_digits

    data, (pixels, labels) = open_data("digits"), DIGITS.batch(DIGITS.most)
    assert np.array_equal(pixels[: len(data.val)], data.val) and np.array_equal(pixels[len(data.val) :], data.train)
    # Each label with its picture: the mean of an eight-by-eight block is about the digit's own pixel.
    small = pixels[..., 0].reshape(-1, 8, 4, 8, 4).mean((2, 4)).reshape(len(pixels), -1)
    truth = load_digits()
    for i in (0, 100, 900, 1796):
        mine = truth.data[truth.target == labels[i, 0]] * 255 / 16
        others = truth.data[truth.target != labels[i, 0]] * 255 / 16
        assert np.abs(mine - small[i]).mean(1).min() < np.abs(others - small[i]).mean(1).min()


def test_the_gallery_of_digits_is_two_of_each_held_out():
    images, captions = DIGITS.gallery()
    held = open_data("digits").val
    assert captions[:2] == ["a handwritten 0", "a handwritten 1"] and len(images) == 20
    assert all((held == image).all((1, 2, 3)).any() for image in images)


def test_what_no_training_saw_comes_first_and_is_counted():
    """Neither the training of the shipped models nor one on the page, which holds out more."""
    assert DIGITS.unseen == len(open_data("digits").val) < training_data.DIGITS_HELD
    pixels = np.zeros((5, 32, 32, 3), np.uint8)
    assert (AVATARS.unseen, Own("mine", pixels).unseen, Own("mine", pixels, held=2).unseen) == (10_000, 5, 2)


def test_faces_are_the_corpus_held_out_ones_with_ten_factors():
    pixels, labels = AVATARS.batch(3)
    truth, factors = corpus.batch("val", 0, 3)
    assert np.array_equal(pixels, truth) and np.array_equal(labels, factors) and labels.shape == (3, len(AVATARS.factors))


@pytest.mark.parametrize("labels", [None, np.arange(40)[:, None]])
def test_ones_own_pictures_have_labels_only_where_they_are_known(labels):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    source = Own("mine", pixels, labels)
    got, known = source.batch(10)
    assert np.array_equal(got, pixels[:10]) and known.shape == (10, 0 if labels is None else 1) and source.most == 40
    images, captions = source.gallery()
    assert len(images) == len(captions) == SHOWN and captions[0] == "picture 1"


def test_ones_own_pictures_that_a_training_saw_are_told_apart():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    captions = ["picture 1", "picture 2", "trained on: picture 3", "trained on: picture 4", "trained on: picture 5"]
    assert Own("mine", pixels, held=2).gallery()[1] == captions
    images = Own("mine", pixels, held=2).gallery()[0]
    assert np.array_equal(images, pixels)
