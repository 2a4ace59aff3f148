"""Pixels in, attributes out. Knows nothing of how the judge was trained."""

from functools import cache

import numpy as np
import torch
from safetensors.torch import load_file

from explorer import assets, corpus, device
from explorer.judge.model import Classifier, Config
from explorer.pixels import to_tensor

MODEL = "judge/avatars"
MADE_BY = "python -m explorer.judge.train"


class Judge:
    """Reads attributes from corpus-like faces. Frozen; calls do not influence each other."""

    def __init__(self, net: Classifier, card: dict, where: torch.device | str = "cpu"):
        self.net, self.card, self._where = net.to(where).eval().requires_grad_(False), card, where

    @torch.inference_mode()
    def read(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """What each picture shows: uint8 (N, 64, 64, 3) -> {factor: probabilities float32 (N, values)}.

        The rows of one factor sum to 1. Raises ValueError for pictures of another shape or type.
        """
        images = np.asarray(images)
        if images.ndim != 4 or images.shape[1:] != (corpus.SIZE, corpus.SIZE, 3) or images.dtype != np.uint8:
            raise ValueError(f"The judge reads uint8 pictures (N, 64, 64, 3), not {images.dtype} {images.shape}.")

        parts: list[list[np.ndarray]] = [[np.empty((0, count), np.float32)] for _, count in self.net.config.factors]
        for begin in range(0, len(images), 256):
            logits = self.net(to_tensor(images[begin : begin + 256], self._where))
            for found, scores in zip(parts, logits, strict=True):
                found.append(scores.softmax(1).cpu().numpy())
        return {name: np.concatenate(found) for (name, _), found in zip(self.net.config.factors, parts, strict=True)}

    def labels(self, images: np.ndarray) -> np.ndarray:
        """The likeliest value of every factor: uint8 (N, 64, 64, 3) -> int64 (N, factors), as `corpus.attributes`."""
        return np.stack([scores.argmax(1) for scores in self.read(images).values()], 1)


@cache
def load(model: str = MODEL) -> Judge:
    """The shipped judge. Raises assets.Missing where it is not there, or was trained for other factors."""
    card, path = assets.card(model, MADE_BY), assets.weights(model, MADE_BY)
    if card["values"] != {name: list(values) for name, values in corpus.FACTORS.items()}:
        raise assets.Missing(model, MADE_BY, "was trained for another corpus")
    net = Classifier(Config(**card["config"]))
    net.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    return Judge(net, card, device.choose().torch)
