"""python -m explorer.tabs.vae.train: trains the VAE and writes weights, card and a sheet of samples."""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from explorer import assets, corpus, export
from explorer.tabs.vae import aggregate, measure
from explorer.tabs.vae import model as vae
from explorer.tabs.vae.objective import negative_elbo, precision
from explorer.training import card, session
from explorer.training.data import NAMES, Data, Unavailable, open_data
from explorer.training.loop import Run, fit


def main(argv: list[str] | None = None) -> int:
    parser = session.arguments("Trains the VAE of the VAE tab.", minutes=55)
    parser.add_argument("--data", default="avatars", help=" | ".join(NAMES))
    parser.add_argument("--limit", type=int, default=200_000, help="at most so many training pictures (12 kB of memory each)")
    parser.add_argument("--latent-dim", type=int, default=48)
    parser.add_argument("--widths", type=int, nargs="+", help="channels per stage; one stage halves the picture")
    parser.add_argument("--beta", type=float, default=1.0, help="weight of the KL term (beta-VAE)")
    parser.add_argument("--sigma", type=float, default=0.7, help="the decoder's sigma, for pixels in [-1, 1]")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    args, budget, where = session.begin(parser, argv)
    try:
        data = open_data(args.data, args.limit)
    except (Unavailable, ValueError) as error:
        print(error, file=sys.stderr)
        return 2

    widths = args.widths or (32, 64, 128, 256)[-{32: 3, 64: 4}[data.size] :]
    config = vae.Config(data.size, args.latent_dim, tuple(widths))
    torch.manual_seed(args.seed)
    net = vae.Vae(config).to(where.torch, memory_format=torch.channels_last)
    settings = {"data": data.name, "beta": args.beta, "sigma": args.sigma, "batch_size": args.batch_size, **vars(config)}
    run = Run(net, settings, lr=args.lr, seed=args.seed)
    name = data.name.replace(":", "-")  # a folder called avatars must not replace the avatars' model
    unfinished = args.runs / f"vae-{name}" / "run.safetensors"
    try:
        session.resume(run, unfinished, args.fresh)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2

    sigma = (args.sigma / precision(data.size, args.data).sqrt()).to(where.torch)
    train = torch.from_numpy(data.train)

    def loss_of(net, indices, generator):
        x = train[indices].to(where.torch).permute(0, 3, 1, 2)  # a channels_last view, so nothing is moved
        x = x.float().div_(127.5).sub_(1)
        eps = torch.randn((len(x), args.latent_dim), generator=generator).to(where.torch)
        return negative_elbo(net, x, eps, sigma, args.beta)

    print(f"Training on {len(data.train):,} pictures ({data.name}), {where.reason}.", flush=True)
    steps = fit(run, len(train), loss_of, batch_size=args.batch_size, **budget)
    if not session.follow(run, steps, unfinished):
        return 130
    command = "python -m explorer.tabs.vae.train " + " ".join(sys.argv[1:] if argv is None else argv)
    publish(run, data, args.out or assets.SHIPPED / "vae" / name, command.strip(), args.seed)
    session.forget(unfinished)
    return 0


def publish(run: Run, data: Data, folder: Path, command: str, seed: int) -> None:
    """Measures the averaged weights as they will be read back (rounded to float16), and writes all that ships."""
    net = run.ema.model
    net.load_state_dict({k: v.float() for k, v in card.half(net.state_dict()).items()})
    codes = measure.posterior_samples(net, data.train[:20_000], seed)
    mixture = aggregate.fit(codes, components=min(32, max(1, len(codes) // 200)), seed=seed)
    metrics = measure.reconstruction(net, data.val)
    if data.name == "avatars":
        metrics, axes = judged(net, mixture, metrics, seed)
    else:
        axes = measure.axes(net, data.val[:200])
    tensors = card.half(net.state_dict()) | card.half(mixture)
    card.publish(
        folder,
        tensors,
        {
            "title": f"VAE, {net.config.latent_dim} latent dimensions, trained on {data.name}",
            "config": vars(net.config),
            "settings": run.settings,
            "data": {"name": data.name, "train": len(data.train), "val": len(data.val), "licence": data.licence},
            "licence": "MIT",
            "steps": run.step,
            "minutes": round(run.seconds / 60, 1),
            "seed": seed,
            "metrics": metrics,
            "axes": axes,
            "command": command,
        },
    )
    picture(net, mixture, data, seed).save(folder / "sheet.png")
    print(f"Wrote {folder}: " + ", ".join(f"{k} {v}" for k, v in metrics.items()))


def judged(net: vae.Vae, mixture: dict, metrics: dict, seed: int) -> tuple[dict, list[dict]]:
    """The metrics that need the judge: attributes that survive reconstruction, what axes do, how samples look."""
    from explorer.judge import engine as judging

    judge, names = judging.load(), list(corpus.FACTORS)
    for split in ("val", "compose"):
        images, truth = corpus.batch(split, 0, 1000)
        seen = measure.decode(net, measure.encode(net, images)[0])
        metrics[f"attributes_{split}"] = measure.attributes(judge, seen, truth, names)
        if split == "val":
            metrics["certainty"] = {"corpus": measure.certainty(judge, images)}
            metrics["certainty"]["reconstructions"] = measure.certainty(judge, seen)
            axes = measure.axes(net, images[:200], judge)
    for source in ("aggregate", "prior"):
        z = draws(net, mixture, source, 1000, seed)
        metrics["certainty"][f"{source} samples"] = measure.certainty(judge, measure.decode(net, z))
    return metrics, axes


def draws(net: vae.Vae, mixture: dict, source: str, n: int, seed: int) -> torch.Tensor:
    """(n, D) codes at temperature 1, from N(0, I) or from the mixture."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(n, net.config.latent_dim, generator=rng) if source == "prior" else aggregate.draw(mixture, n, rng)


def picture(net: vae.Vae, mixture: dict, data: Data, seed: int) -> Image.Image:
    """The sheet to look at before the numbers are believed: faces over their reconstructions, samples, a morph."""
    faces = np.resize(data.val, (16, *data.val.shape[1:]))  # repeated where there are fewer
    mu, _ = measure.encode(net, faces)
    t = torch.linspace(0, 1, 16)[:, None]
    rows = [faces, measure.decode(net, mu)]
    rows += [measure.decode(net, draws(net, mixture, "aggregate", 48, seed))]
    rows += [measure.decode(net, draws(net, mixture, "prior", 16, seed))]
    rows += [measure.decode(net, (1 - t) * mu[0] + t * mu[1])]
    return Image.fromarray(export.grid(np.concatenate(rows), columns=16))


if __name__ == "__main__":
    sys.exit(main())
