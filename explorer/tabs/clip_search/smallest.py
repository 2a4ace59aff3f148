"""A CLIP so small that a page can train it from random weights while one looks on: 0.2 M parameters, 32 pixels, open_clip's loss.

Radford et al. 2021, section 2 and figure 3. A run is a function of its seed and of the settings at each step. It draws from
generators of its own, never from torch's global one, so whoever else trains changes nothing.
"""

import math
import threading
import time
from collections.abc import Iterator
from functools import cache

import numpy as np
import torch
from torch import nn

from explorer import corpus
from explorer.clip import pairs

SIDE = 32  # pixels; a face shrunk to this still shows all its colours
POOL = 2048  # training faces; each comes with new words every time
HELD, SHOWN = 64, 16  # held-out pairs that are measured, and those whose matrix is shown
CONTEXT = 40  # words; the longest caption has 37, and a start and an end
WIDTH = 64
VISION = dict(image_size=SIDE, patch_size=8, width=WIDTH, layers=2, head_width=32)
TEXT = dict(context_length=CONTEXT, width=WIDTH, heads=2, layers=1)
START_TAU, WARM = 0.07, 10  # temperature of the paper; steps over which the learning rate rises
LARGEST_SCALE = math.log(100)  # the paper's clamp, section 2.5

_drawing = threading.Lock()


@cache
def vocabulary() -> dict[str, int]:
    """Word -> id; 0 is padding, and the two highest ids are start and end: open_clip reads a text at its highest id."""
    return {word: i for i, word in enumerate(pairs.words(), 1)}


def tokenize(captions: list[str]) -> torch.Tensor:
    """Captions -> ids (N, 40), one a word. Words that no caption has are left out."""
    known = vocabulary()
    out = torch.zeros(len(captions), CONTEXT, dtype=torch.long)
    for i, caption in enumerate(captions):
        ids = [known[word] for word in caption.replace(",", " ").split() if word in known][: CONTEXT - 2]
        out[i, : len(ids) + 2] = torch.tensor([len(known) + 1, *ids, len(known) + 2])
    return out


def pixels(faces: np.ndarray) -> torch.Tensor:
    """(N, 64, 64, 3) or (N, 32, 32, 3) uint8 -> (N, 3, 32, 32) in [-1, 1]."""
    if faces.shape[1] != SIDE:
        faces = shrunk(faces)
    return torch.from_numpy(faces).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def shrunk(faces: np.ndarray) -> np.ndarray:
    """Every 2 x 2 pixels as their mean: (N, 64, 64, 3) -> (N, 32, 32, 3) uint8."""
    return np.rint(faces.reshape(-1, SIDE, 2, SIDE, 2, 3).mean((2, 4))).astype(np.uint8)


@cache
def _pool() -> tuple[np.ndarray, np.ndarray]:
    faces, rows = corpus.batch("train", 0, POOL)
    return shrunk(faces), rows


@cache
def _held() -> tuple[torch.Tensor, torch.Tensor, list[str]]:
    faces, rows = corpus.batch("test", 0, HELD)
    captions = [corpus.caption(row) for row in rows]
    return pixels(faces), tokenize(captions), captions


def net(generator: torch.Generator) -> nn.Module:
    """A new open_clip.CLIP with random weights as OpenAI draws them (CLIP.initialize_parameters), from `generator`."""
    import open_clip

    model = open_clip.CLIP(WIDTH, VISION, TEXT | {"vocab_size": len(vocabulary()) + 3}, init_logit_scale=-math.log(START_TAU))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name != "logit_scale" and "ln_" not in name:
                std = _std(name, p)
                p.normal_(0, std, generator=generator) if std else p.zero_()
    return model.train()


def _std(name: str, p: torch.Tensor) -> float:
    if name.endswith("bias"):
        return 0.0
    if "token_embedding" in name:
        return 0.02
    if name == "positional_embedding":
        return 0.01
    deep = VISION["layers"] if name.startswith("visual") else TEXT["layers"]
    if "c_proj" in name or "out_proj" in name:
        return WIDTH**-0.5 * (2 * deep) ** -0.5
    if "c_fc" in name:
        return (2 * WIDTH) ** -0.5
    return p[0].numel() ** -0.5 if "conv1" in name else WIDTH**-0.5


class Run:
    """One training at its current step. Not for two threads at once."""

    def __init__(self, seed: int = 0, batch: int = 64, lr: float = 1e-3, tau: float | None = None):
        import open_clip

        with _drawing:  # once for all runs
            _pool()
        self.seed, self.step, self.losses, self.recalls, self.seconds = seed, 0, [], [], 0.0
        self._draws = torch.Generator().manual_seed(seed)
        self.net = net(torch.Generator().manual_seed(seed + 1))
        self._loss = open_clip.ClipLoss()
        self._optimizer = torch.optim.AdamW(self.net.parameters(), lr, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.1)
        self.set(batch, lr, tau)

    def set(self, batch: int, lr: float, tau: float | None) -> None:
        """What holds from the next step on. A temperature `tau` stays as it is given; None: it is learned, as in the paper."""
        self.batch, self.lr, self.tau = batch, lr, tau
        scale = self.net.logit_scale
        scale.requires_grad_(tau is None)
        if tau is not None:
            scale.data.fill_(-math.log(tau))
            scale.grad = None

    def free(self) -> None:
        """Lets the network go; what was measured stays. It cannot be trained any more."""
        self.net = self._optimizer = None

    @property
    def params(self) -> int:
        return sum(p.numel() for p in self.net.parameters())

    @property
    def temperature(self) -> float:
        """tau: logits = cosines / tau."""
        return float((-self.net.logit_scale.detach()).exp())

    def train(self, steps: int) -> Iterator[float]:
        """Trains so many steps and hands out the loss of each, in nats."""
        faces, rows = _pool()
        for _ in range(steps):
            began = time.perf_counter()
            chosen = torch.randint(POOL, (self.batch,), generator=self._draws).tolist()
            phrasing = torch.randint(2**31, (self.batch,), generator=self._draws).tolist()
            captions = [corpus.caption(rows[i], seed) for i, seed in zip(chosen, phrasing)]
            for group in self._optimizer.param_groups:
                group["lr"] = self.lr * min(1, (self.step + 1) / WARM)

            image, text, scale = self.net(pixels(faces[chosen]), tokenize(captions))
            loss = self._loss(image, text, scale)
            self._optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            self._optimizer.step()
            if self.tau is None:
                self.net.logit_scale.data.clamp_(0, LARGEST_SCALE)

            self.step += 1
            self.losses.append(loss.item())
            self.seconds += time.perf_counter() - began
            yield self.losses[-1]

    def measure(self) -> np.ndarray:
        """The cosines of the 64 held-out pairs, (64, 64), rows = pictures. Notes recall@1 of this step in `recalls`."""
        if not self.recalls or self.recalls[-1]["step"] != self.step:
            with torch.inference_mode():
                image, text, _ = self.net(*_held()[:2])
                self._cos = (image @ text.T).numpy()
            right = [float((self._cos.argmax(axis) == np.arange(HELD)).mean()) for axis in (1, 0)]
            self.recalls.append({"step": self.step, "i2t": right[0], "t2i": right[1]})
        return self._cos


def held_captions() -> list[str]:
    """Of the 64 held-out pairs: faces 0 to 63 of the corpus's split "test"."""
    return _held()[2]
