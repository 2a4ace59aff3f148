"""python -m explorer.tabs.diffusion.train_unet: the UNet that denoises latents, told what to paint by text, labels or nothing.

Reads the autoencoder that train_autoencoder wrote, and the text tower of the CLIP that ships, which stays as it is.
"""

import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from explorer import corpus
from explorer.clip import folder as clips
from explorer.clip import pairs, tower
from explorer.tabs.diffusion import autoencoder, labels, stages
from explorer.tabs.diffusion.train_autoencoder import load
from explorer.training import session
from explorer.training.loop import Run, fit

UNET = {
    "sample_size": 8,
    "block_out_channels": (64, 128),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D",) * 2,
    "up_block_types": ("CrossAttnUpBlock2D",) * 2,
    "attention_head_dim": 4,  # which diffusers takes for the number of heads
    "norm_num_groups": 16,
}
# Stable Diffusion's own schedule; the UNet predicts v (Salimans and Ho 2022, section 4), from which eps follows exactly.
SCHEDULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
# Cells of the latent that hold eyes, brows, glasses and mouth: a fourth of them, most of what a caption says. Errors count more
# often there; what is the best prediction in each cell stays the same.
FACE = (slice(2, 6), slice(2, 6))
DROPPED, LABELLED = 0.12, 0.25  # share of samples that see no condition, and that see labels


class Learner(nn.Module):
    """The UNet, and the table of labels that it reads in explicit conditioning."""

    def __init__(self, width: int):
        from diffusers import UNet2DConditionModel

        super().__init__()
        self.unet = UNet2DConditionModel(**UNET, in_channels=4, out_channels=4, cross_attention_dim=width)
        self.labels = labels.table(width)


def words(row: np.ndarray, rng: np.random.Generator) -> str:
    """What a face is called while the UNet learns: half in full, the others in part, some in a few words."""
    dice, seed = rng.random(), int(rng.integers(2**31))
    if dice < 0.1:
        kept = rng.choice(len(corpus.FACTORS), rng.integers(1, 4), replace=False)
        names = list(corpus.FACTORS.items())
        return ", ".join(pairs.phrase(names[k][0], names[k][1][row[k]]) for k in kept)
    return pairs.reworded(corpus.caption(row, seed, 1.0 if dice < 0.6 else rng.uniform(0.1, 0.95)), rng)


def some_known(row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The attributes, half the time with some of them left open."""
    return row if rng.random() < 0.5 else np.where(rng.random(len(row)) < rng.random(), -1, row)


def main(argv: list[str] | None = None) -> int:
    from diffusers import DDIMScheduler

    parser = session.arguments("Trains the UNet of the diffusion tab.", minutes=80)
    parser.add_argument("--limit", type=int, default=60_000, help="training pictures, encoded once (1 kB of memory each)")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    args, budget, where = session.begin(parser, argv)

    folder = args.out or args.runs / "diffusion"
    clip = clips.load(clips.shipped())
    text, tokenize = tower.text_model(clip).to(where.torch), tower.tokenizer(clips.shipped(), clip.context)
    scheduler = DDIMScheduler(**SCHEDULER)
    alphas = scheduler.alphas_cumprod.to(where.torch)
    torch.manual_seed(args.seed)
    learner = Learner(text.config.hidden_size).to(where.torch)
    settings = {"batch_size": args.batch_size, "limit": args.limit, "unet": UNET, "clip": clip.fingerprint}
    run = Run(learner, settings, lr=args.lr, seed=args.seed)
    unfinished = args.runs / "diffusion-unet" / "run.safetensors"
    try:
        session.resume(run, unfinished, args.fresh)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2

    weight = torch.ones(UNET["sample_size"], UNET["sample_size"])
    weight[FACE] = 4
    weight = (weight / weight.mean()).to(where.torch)
    latents, attributes = prepared(folder, args.limit, where.torch)

    def contexts(learner: Learner, indices: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        kind = rng.random(len(indices))
        told = [index for index, k in zip(indices, kind) if k < LABELLED]
        said = [words(attributes[i], rng) if k >= LABELLED + DROPPED else "" for i, k in zip(indices, kind) if k >= LABELLED]
        out = torch.empty(len(indices), clip.context, text.config.hidden_size, device=where.torch)
        if said:
            with torch.no_grad():
                ids = tokenize(said, padding="max_length", truncation=True, max_length=clip.context, return_tensors="pt")
                out[torch.from_numpy(kind >= LABELLED)] = text(ids.input_ids.to(where.torch))[0]
        if told:
            rows = np.stack([some_known(attributes[i], rng) for i in told])
            out[torch.from_numpy(kind < LABELLED)] = labels.context(learner.labels, rows, clip.context)
        return out

    def predict_v(learner: Learner, indices: torch.Tensor, generator: torch.Generator):
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        x0 = latents[indices].to(where.torch)
        eps = torch.randn(x0.shape, generator=generator).to(where.torch)
        t = torch.randint(len(alphas), (len(x0),), generator=generator).to(where.torch)
        a = alphas[t].view(-1, 1, 1, 1)
        x, v = a.sqrt() * x0 + (1 - a).sqrt() * eps, a.sqrt() * eps - (1 - a).sqrt() * x0
        found = learner.unet(x, t, encoder_hidden_states=contexts(learner, indices.numpy(), rng)).sample
        error = (F.mse_loss(found, v, reduction="none") * weight).mean((1, 2, 3))
        late = {"noisy": error[t > 700].mean(), "clean": error[t < 300].mean()}
        return error.mean(), {name: value.detach().nan_to_num(0.3) for name, value in late.items()}

    millions = sum(p.numel() for p in learner.unet.parameters()) / 1e6
    print(f"Training the UNet, {millions:.2f} M parameters, {where.reason}.", flush=True)
    if not session.follow(run, fit(run, len(latents), predict_v, batch_size=args.batch_size, clip=1.0, **budget), unfinished):
        return 130
    save(run, folder)
    stages.note(folder, "unet", run)
    session.forget(unfinished)
    print(f"Wrote {folder}/unet after {run.step:,} steps, {run.seconds / 60:.1f} minutes.")
    return 0


def prepared(folder, limit: int, where) -> tuple[torch.Tensor, np.ndarray]:
    """Latents (N, 4, 8, 8) and attributes (N, 10) of the first training faces."""
    vae = load(folder / "autoencoder").to(where)
    parts = []
    attributes = []
    for start in range(0, limit, 4000):
        images, rows = corpus.batch("train", start, min(4000, limit - start))
        parts.append(autoencoder.encode(vae, images))
        attributes.append(rows)
    return torch.cat(parts), np.concatenate(attributes)


def save(run: Run, folder) -> None:
    """The averaged weights: a UNet as diffusers loads it, and the table of labels beside it."""
    from explorer.training import checkpoint

    run.ema.model.unet.save_pretrained(folder / "unet")
    checkpoint.write(folder / "labels" / "model.safetensors", run.ema.model.labels.state_dict())


if __name__ == "__main__":
    sys.exit(main())
