"""How good the mini Stable Diffusion is: does it paint what the caption says, judged by a network that did not train it."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from explorer import corpus
from explorer.tabs.diffusion import autoencoder, labels

SCALES = (0, 1, 2, 3, 4, 5, 7.5, 10, 15)
STEPS = 25
VAGUE = ("a face", "red hair", "a blue shirt", "someone with glasses", "a face with a beard", "a portrait on a green background")


@torch.no_grad()
def sample(pipe, contexts: torch.Tensor, guidance_scale: float, seed: int = 0, steps: int = STEPS) -> np.ndarray:
    """Pictures for (N, T, D) contexts by DDIM with classifier-free guidance: (N, 64, 64, 3) uint8.

    Guidance holds for every scale from 0 on: eps_uncond + w (eps_cond - eps_uncond). It is applied to v, which is the same by
    linearity.
    """
    from diffusers import DDIMScheduler

    rng = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(contexts), 4, 8, 8, generator=rng)
    empty = states(pipe, [""])
    done = []
    for part, x in zip(contexts.split(64), noise.split(64)):
        scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
        scheduler.set_timesteps(steps)
        for t in scheduler.timesteps:
            v_uncond, v_cond = _both(pipe.unet, x, t, empty.expand(len(x), -1, -1), part, guidance_scale)
            x = scheduler.step(v_uncond + guidance_scale * (v_cond - v_uncond), t, x).prev_sample
        done.append(x)
    return autoencoder.decode(pipe.vae, torch.cat(done))


def _both(unet, x, t, empty, cond, guidance_scale):
    if guidance_scale == 1:  # the unconditional half would be multiplied by zero
        v = unet(x, t, encoder_hidden_states=cond).sample
        return v, v
    return unet(torch.cat([x, x]), t, encoder_hidden_states=torch.cat([empty, cond])).sample.chunk(2)


@torch.no_grad()
def states(pipe, texts: Sequence[str]) -> torch.Tensor:
    """What the UNet reads: (N, context, width)."""
    size = pipe.tokenizer.model_max_length
    ids = pipe.tokenizer(list(texts), padding="max_length", truncation=True, max_length=size, return_tensors="pt").input_ids
    return torch.cat([pipe.text_encoder(part)[0] for part in ids.split(256)])


def captions(split: str, count: int) -> tuple[list[str], np.ndarray]:
    """Captions that name all ten attributes, of faces that no training saw, and those attributes (N, 10)."""
    _, rows = corpus.batch(split, 0, count)
    return [corpus.caption(row, seed) for seed, row in enumerate(rows)], rows


def accuracy(judge, pictures: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    """Share of attributes that the judge finds as asked: mean, least, and of each."""
    right = (judge.labels(pictures) == rows).mean(0)
    each = {factor: round(float(share), 4) for factor, share in zip(corpus.FACTORS, right)}
    return {"mean": round(float(right.mean()), 4), "least": min(each.values()), "each": each}


def diversity(pipe, judge, guidance_scale: float, each: int = 24, steps: int = STEPS) -> float:
    """How different the pictures of a vague prompt are: entropy of the judge's answers over `each` of them, as a share of the
    corpus's own, averaged over prompts and all ten attributes. What a prompt names is settled, so 1 cannot be reached."""
    texts = [text for text in VAGUE for _ in range(each)]
    pictures = sample(pipe, states(pipe, texts), guidance_scale, 1, steps)
    real = corpus.batch("val", 0, len(pictures))[1]
    found = judge.labels(pictures)
    shares = []
    for begin in range(0, len(pictures), each):
        for column in range(found.shape[1]):
            most = _entropy(real[begin : begin + each, column])
            shares.append(min(1.0, _entropy(found[begin : begin + each, column]) / most) if most else 1.0)
    return round(float(np.mean(shares)), 4)


def _entropy(values: np.ndarray) -> float:
    _, counts = np.unique(values, return_counts=True)
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum())


def curve(pipe, count: int, steps: int = STEPS) -> Iterator[dict]:
    """For each guidance scale: attributes painted as asked, CLIP's score of picture and caption, diversity."""
    from explorer.clip import folder as clips
    from explorer.clip import measure as clip_measure
    from explorer.judge import engine as judging

    judge, clip = judging.load(), clips.load(clips.shipped())
    texts, rows = captions("val", count)
    contexts, words = states(pipe, texts), clip_measure.encode_texts(clip, texts)
    for scale in SCALES:
        pictures = sample(pipe, contexts, scale, steps=steps)
        score = (clip_measure.encode_images(clip, pictures) * words).sum(1).mean()
        yield {
            "guidance_scale": scale,
            "attributes": accuracy(judge, pictures, rows)["mean"],
            "clip_score": round(float(score), 4),
            "diversity": diversity(pipe, judge, scale, max(2, min(24, count // 8)), steps),
        }


def explicit(pipe, table: torch.nn.Embedding, split: str, count: int, steps: int = STEPS) -> dict[str, float]:
    """Attributes painted as asked where labels are given instead of words."""
    from explorer.judge import engine as judging

    rows = captions(split, count)[1]
    contexts = labels.context(table, rows, pipe.tokenizer.model_max_length).detach()
    return accuracy(judging.load(), sample(pipe, contexts, 1, steps=steps), rows)
