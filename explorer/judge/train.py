"""python -m explorer.judge.train: trains the judge on the corpus alone and writes weights and card."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

from explorer import assets, corpus
from explorer.judge.engine import MODEL, Judge
from explorer.judge.model import Classifier, Config
from explorer.pixels import to_tensor, to_uint8
from explorer.training import card, session
from explorer.training.loop import Run, fit

BAR_MEAN, BAR_EACH = 0.99, 0.97  # what a judge must reach on held-out faces


def soften(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Makes half of the pictures look generated: blurred, noisy, a little brighter, paler or tinted.

    (B, 3, H, W) in [-1, 1] -> the same. A judge of crisp pictures alone would be unsure of every decoder's output.
    """
    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=rng)

    n = len(x)
    share = uniform(n, 1, 1, 1)
    soft = x + share * (_blur(x) - x)
    soft = torch.where(uniform(n, 1, 1, 1) < 0.3, soft + share * (_blur(soft) - soft), soft)
    soft = soft * (0.9 + 0.2 * uniform(n, 1, 1, 1))
    soft = soft + 0.12 * (uniform(n, 1, 1, 1) - 0.5) + 0.06 * (uniform(n, 3, 1, 1) - 0.5)
    soft = soft + 0.12 * uniform(n, 1, 1, 1) ** 2 * torch.randn(x.shape, generator=rng)
    return torch.where(uniform(n, 1, 1, 1) < 0.5, x, soft).clamp(-1, 1)


def _blur(x: torch.Tensor) -> torch.Tensor:
    """A 3x3 binomial blur; the border repeats."""
    tap = torch.tensor([0.25, 0.5, 0.25])
    kernel = (tap[:, None] * tap).expand(3, 1, 3, 3)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)


def main(argv: list[str] | None = None) -> int:
    parser = session.arguments("Trains the judge that reads attributes from avatar faces.", minutes=6)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--judged-on", type=int, default=5000, help="held-out faces per split for the card's figures")
    args, budget, where = session.begin(parser, argv)

    config = Config(tuple((name, len(values)) for name, values in corpus.FACTORS.items()))
    net = Classifier(config).to(where.torch, memory_format=torch.channels_last)
    run = Run(net, {"batch_size": args.batch_size, **vars(config)}, lr=args.lr, seed=args.seed)
    unfinished = args.runs / "judge-avatars" / "run.safetensors"
    try:
        session.resume(run, unfinished, args.fresh)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2

    def cross_entropy(net, indices, generator):
        indices = indices.numpy()  # no picture is stored: each step draws its own
        rows = corpus.attributes(indices)
        x = soften(to_tensor(corpus.draw(rows, indices)), generator).to(where.torch, memory_format=torch.channels_last)
        truth = torch.from_numpy(rows).to(where.torch)
        loss = sum(F.cross_entropy(logits, truth[:, i]) for i, logits in enumerate(net(x)))
        return loss, {}

    print(f"Training the judge, {where.reason}.", flush=True)
    steps = fit(run, len(corpus.SPLITS["train"]), cross_entropy, batch_size=args.batch_size, **budget)
    if not session.follow(run, steps, unfinished):
        return 130
    command = "python -m explorer.judge.train " + " ".join(sys.argv[1:] if argv is None else argv)
    good = publish(run, args.out or assets.SHIPPED / MODEL, command.strip(), args.seed, args.judged_on)
    session.forget(unfinished)
    return 0 if good else 1


def accuracy(judge: Judge, split: str, count: int, soft: bool = False) -> dict[str, float]:
    """The share of faces of a split that are read rightly, per attribute, with their mean and the least."""
    images, truth = corpus.batch(split, 0, count)
    if soft:
        images = to_uint8(soften(to_tensor(images), torch.Generator().manual_seed(0)))
    right = (judge.labels(images) == truth).mean(0)
    each = {name: round(float(share), 4) for name, share in zip(corpus.FACTORS, right, strict=True)}
    return {"mean": round(float(right.mean()), 4), "least": min(each.values()), **each}


def publish(run: Run, folder: Path, command: str, seed: int, count: int) -> bool:
    """Measures the averaged weights as they ship (float16) and writes them. False where they miss the bar."""
    net = run.ema.model
    tensors = card.half(net.state_dict())
    net.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    judge = Judge(net, {}, next(net.parameters()).device)

    metrics = {split: accuracy(judge, split, count) for split in ("val", "test", "compose")}
    metrics["val, softened as in training"] = accuracy(judge, "val", count, soft=True)
    card.publish(
        folder,
        tensors,
        {
            "title": "Judge: reads the ten attributes of an avatar face",
            "config": vars(net.config),
            "values": {name: list(values) for name, values in corpus.FACTORS.items()},
            "settings": run.settings,
            "data": {"name": "avatars", "train": "fresh faces of the split train at every step", "judged on": count},
            "licence": "MIT; it saw only the corpus, whose terms are in assets/corpus/card.json",
            "steps": run.step,
            "minutes": round(run.seconds / 60, 1),
            "seed": seed,
            "parameters": sum(p.numel() for p in net.parameters()),
            "metrics": metrics,
            "command": command,
        },
    )
    for split, shares in metrics.items():
        print(f"{split}: " + ", ".join(f"{name} {100 * share:.2f} %" for name, share in shares.items()))
    good = metrics["val"]["mean"] >= BAR_MEAN and metrics["val"]["least"] >= BAR_EACH
    print(f"Wrote {folder}" + ("" if good else f"; it misses the bar of {BAR_MEAN} on average and {BAR_EACH} each"))
    return good


if __name__ == "__main__":
    sys.exit(main())
