"""python -m explorer.tabs.diffusion.train_classifier: the classifier of noisy latents that classifier guidance follows.

Reads the autoencoder that train_autoencoder wrote, or the one of a model's folder; its encoder is frozen, so latents stay.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from explorer import corpus
from explorer.tabs.diffusion import autoencoder, classifier, stages
from explorer.tabs.diffusion.train_unet import SCHEDULER
from explorer.training import card, checkpoint, session
from explorer.training.loop import Run, fit

JUDGED_AT = (50, 300, 600, 900)  # time steps whose accuracies are told


def main(argv: list[str] | None = None) -> int:
    parser = session.arguments("Trains the classifier of noisy latents of the diffusion tab.", minutes=4)
    parser.add_argument("--vae", type=Path, help="folder of the autoencoder (default: the one under runs/, else the shipped one)")
    parser.add_argument("--limit", type=int, default=24_000, help="training pictures, encoded once (1 kB of memory each)")
    parser.add_argument("--judged-on", type=int, default=1000, help="validation faces for the accuracies")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=4e-3)
    args, budget, where = session.begin(parser, argv)

    folder = args.out or args.runs / "diffusion"
    torch.manual_seed(args.seed)
    net = classifier.Classifier().to(where.torch)
    run = Run(net, {"batch_size": args.batch_size, "limit": args.limit}, lr=args.lr, seed=args.seed)
    unfinished = args.runs / "diffusion-classifier" / "run.safetensors"
    try:
        session.resume(run, unfinished, args.fresh)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2

    vae = load_vae(args.vae or folder / "autoencoder").to(where.torch)
    latents, truth = encoded(vae, "train", args.limit)
    abar = noise_levels().to(where.torch)

    def cross_entropy(net, indices, generator):
        x0, y = latents[indices].to(where.torch), truth[indices].to(where.torch)
        t = torch.randint(len(abar), (len(x0),), generator=generator).to(where.torch)
        eps = torch.randn(x0.shape, generator=generator).to(where.torch)
        a = abar[t].view(-1, 1, 1, 1)
        each = losses(net(a.sqrt() * x0 + (1 - a).sqrt() * eps, t), y)
        late = {"noisy": each[t > 700].mean(), "clean": each[t < 300].mean()}
        return each.sum(1).mean(), {name: value.detach().nan_to_num(1) for name, value in late.items()}

    print(f"Training the classifier, {sum(p.numel() for p in net.parameters()):,} parameters, {where.reason}.", flush=True)
    if not session.follow(run, fit(run, len(latents), cross_entropy, batch_size=args.batch_size, clip=5.0, **budget), unfinished):
        return 130
    accuracies = save(run, folder / "classifier", encoded(vae, "val", args.judged_on), abar)
    for t, shares in accuracies.items():
        print(f"t = {t}: " + ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items()))
    print(f"Wrote {folder}/classifier after {run.step:,} steps, {run.seconds / 60:.1f} minutes.")
    stages.note(folder, "classifier", run, accuracy={t: shares["mean"] for t, shares in accuracies.items()})
    session.forget(unfinished)
    return 0


def load_vae(folder: Path):
    """The autoencoder in `folder`, or where it is not there that of the model that ships. Raises assets.Missing."""
    from diffusers import AutoencoderKL

    from explorer.tabs.diffusion.folder import shipped

    return AutoencoderKL.from_pretrained(folder if folder.is_dir() else shipped() / "vae", local_files_only=True).eval()


def noise_levels() -> torch.Tensor:
    """alpha-bar of the model's own schedule: (1000,)."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(**SCHEDULER).alphas_cumprod


def encoded(vae, split: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents (N, 4, 8, 8) and attributes (N, 10) of the first faces of a split."""
    parts = []
    for start in range(0, count, 4000):
        images, rows = corpus.batch(split, start, min(4000, count - start))
        parts.append((autoencoder.encode(vae, images), torch.from_numpy(rows)))
    return tuple(torch.cat(column) for column in zip(*parts, strict=True))


def losses(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """The cross-entropy of each attribute: (N, 10)."""
    parts = zip(classifier.split(logits), truth.T, strict=True)
    return torch.stack([F.cross_entropy(part, y, reduction="none") for part, y in parts], 1)


@torch.no_grad()
def accuracy(net, latents: torch.Tensor, truth: torch.Tensor, abar: torch.Tensor) -> dict[str, dict[str, float]]:
    """The share of faces read rightly at each noise level of JUDGED_AT, per attribute and in the mean."""
    generator = torch.Generator().manual_seed(0)
    told = {}
    for t in JUDGED_AT:
        a = abar[t].cpu()
        x = a.sqrt() * latents + (1 - a).sqrt() * torch.randn(latents.shape, generator=generator)
        logits = net(x.to(abar.device), torch.full((len(x),), t, device=abar.device))
        right = torch.stack([part.argmax(1).cpu() for part in classifier.split(logits)], 1).eq(truth).float().mean(0)
        each = {name: round(float(share), 4) for name, share in zip(corpus.FACTORS, right, strict=True)}
        told[str(t)] = {"mean": round(float(np.mean(list(each.values()))), 4), **each}
    return told


def save(run: Run, folder: Path, judged, abar: torch.Tensor) -> dict:
    """Measures the averaged weights as they ship, in float16, and writes them and config.json. Returns the accuracies."""
    net = run.ema.model
    tensors = card.half(net.state_dict())
    net.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    accuracies = accuracy(net.eval(), *judged, abar)
    checkpoint.write(folder / "model.safetensors", tensors)
    config = {
        "reads": "noisy latents (N, 4, 8, 8) and time steps (N,)",
        "values": {name: list(values) for name, values in corpus.FACTORS.items()},
        "parameters": sum(p.numel() for p in net.parameters()),
        "steps": run.step,
        "minutes": round(run.seconds / 60, 1),
        "settings": run.settings,
        "judged_on": len(judged[0]),
        "accuracy": accuracies,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return accuracies


if __name__ == "__main__":
    sys.exit(main())
