"""python -m explorer.tabs.vae.train_worlds: the same small network at every stop of the beta dial, with a code of two numbers.

Digits and avatars, six stops each: reconstruction only, a VAE at four betas, KL only. A finished stop is kept, so a run that
was stopped goes on with the next one.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from explorer import assets, export, pixels
from explorer.tabs.vae import measure, worlds
from explorer.tabs.vae import model as vae
from explorer.tabs.vae.objective import negative_elbo
from explorer.tabs.vae.sources import BY_NAME
from explorer.training import card, checkpoint, session
from explorer.training.data import Data, open_data
from explorer.training.loop import Run, fit

# The decoder's sigma, for pixels in [-1, 1]; only beta sigma^2 decides what is learnt. At 2, beta 1 keeps the codes where the
# prior is, 0.1 lets them spread, and 16 leaves two or three kinds of picture.
SIGMA = 2.0
LIMIT = 40_000  # training pictures, of those that are rendered
SHOWN = 2000  # pictures on the map


def main(argv: list[str] | None = None) -> int:
    parser = session.arguments("Trains the VAEs of the beta dial; minutes and steps are those of one stop.", minutes=6)
    parser.add_argument("--data", choices=worlds.DATA, nargs="+", default=list(worlds.DATA))
    parser.add_argument("--stops", choices=list(worlds.STOPS), nargs="+", default=list(worlds.STOPS), help="stops to train again")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=2e-3)
    args, budget, where = session.begin(parser, argv)
    command = ("python -m explorer.tabs.vae.train_worlds " + " ".join(sys.argv[1:] if argv is None else argv)).strip()
    for name in args.data:
        data, folder = open_data(name, LIMIT), args.runs / f"vae-worlds-{name}"
        for stop in args.stops:
            finished = folder / f"{stop}.safetensors"
            if args.fresh:
                finished.unlink(missing_ok=True)
            if not finished.exists() and not train(stop, data, args, budget, folder, where):
                return 130
        if publish(data, folder, (args.out or assets.SHIPPED / "vae") / f"worlds-{name}", command, args):
            session.forget_folder(folder)
    return 0


def train(stop: str, data: Data, args, budget: dict, folder: Path, where) -> bool:
    """One stop, from random weights that are the same for all of them. False where it was stopped on the way."""
    torch.manual_seed(args.seed)
    net = vae.Vae(worlds.config(data.size)).to(where.torch, memory_format=torch.channels_last)
    settings = {"data": data.name, "stop": stop, "sigma": SIGMA, "batch_size": args.batch_size, **vars(net.config)}
    run = Run(net, settings, lr=args.lr, seed=args.seed)
    unfinished = folder / f"{stop}.run.safetensors"
    session.resume(run, unfinished, args.fresh)
    train, beta = torch.from_numpy(data.train), worlds.STOPS[stop]

    def loss_of(net, indices, generator):
        x = train[indices].to(where.torch).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        eps = torch.randn(len(x), worlds.DIMS, generator=generator).to(where.torch)
        return negative_elbo(net, x, eps, SIGMA, beta)

    print(f"{data.name}, stop {stop}: {len(data.train):,} pictures, {where.reason}.", flush=True)
    if not session.follow(run, fit(run, len(train), loss_of, batch_size=args.batch_size, **budget), unfinished):
        return False
    tensors = {name: tensor.contiguous().cpu() for name, tensor in run.ema.model.state_dict().items()}
    numbers = torch.tensor([run.step, run.seconds], dtype=torch.float64)
    checkpoint.write(folder / f"{stop}.safetensors", tensors | {"steps_seconds": numbers})
    session.forget(unfinished)
    return True


def publish(data: Data, folder: Path, out: Path, command: str, args) -> bool:
    """Measures each stop's weights as they will be read back, and writes one file of all of them; False while one is missing."""
    from safetensors.torch import load_file

    shown, labels = BY_NAME[data.name].batch(SHOWN)
    tensors, stops, sheet = {"labels": torch.from_numpy(labels.astype(np.int16))}, {}, []
    for stop in worlds.STOPS:
        path = folder / f"{stop}.safetensors"
        if not path.exists():
            print(f"{data.name}: {stop} is not trained yet; nothing is written.")
            return False
        weights = load_file(path)
        steps, seconds = weights.pop("steps_seconds").tolist()
        net = vae.Vae(worlds.config(data.size)).eval()
        net.load_state_dict({name: tensor.float() for name, tensor in card.half(weights).items()})
        mu, logvar = measure.encode(net, shown)
        tensors |= {f"{stop}.{name}": tensor for name, tensor in card.half(net.state_dict()).items()}
        tensors |= {f"codes.{stop}.mu": mu, f"codes.{stop}.logvar": logvar}
        told, seen = measured(net, data.val, args.seed), measured(net, data.train[: len(shown)], args.seed)
        told["train"] = {name: seen[name] for name in ("rate", "distortion", "psnr_db")}  # a net that overfits differs
        stops[stop] = {"steps": int(steps), "minutes": round(seconds / 60, 2)} | told
        sheet.append(board(net, mu))
        print(f"{data.name} {stop}: {stops[stop]}", flush=True)
    facts = {
        "title": f"One small VAE at six stops of beta, two latent dimensions, trained on {data.name}",
        "config": vars(worlds.config(data.size)),
        "settings": {"sigma": SIGMA, "batch_size": args.batch_size, "lr": args.lr},
        "data": {"name": data.name, "train": len(data.train), "val": len(data.val), "shown": len(shown), "licence": data.licence},
        "licence": "MIT",
        "seed": args.seed,
        "stops": stops,
        "command": command,
    }
    card.publish(out, tensors, facts)
    Image.fromarray(np.concatenate(sheet, 1)).save(out / "sheet.png")
    return True


def measured(net: vae.Vae, images: np.ndarray, seed: int) -> dict:
    """Rate and distortion in nats, means over pictures; PSNR of decode(mu)."""
    mu, logvar = measure.encode(net, images)
    z = measure.posterior_samples(net, images, seed)
    x = images.astype(np.float32) / 127.5 - 1
    parts = []
    with torch.inference_mode():
        for i in range(0, len(x), 256):
            x_hat = net.decode(z[i : i + 256])
            parts.append(vae.nll(torch.from_numpy(x[i : i + 256]).permute(0, 3, 1, 2), x_hat, SIGMA))
    kl = vae.kl(mu, logvar).mean(0)
    found = {
        "rate": float(kl.sum()),
        "distortion": float(torch.cat(parts).mean()),
        "psnr_db": float(pixels.psnr(measure.decode(net, mu), images).mean()),
        "spread": float(mu.std()),
        "sigma": float((0.5 * logvar).exp().mean()),
    }
    return {name: round(value, 3) for name, value in found.items()} | {"kl": [round(float(k), 3) for k in kl]}


def board(net: vae.Vae, mu: torch.Tensor, count: int = 9) -> np.ndarray:
    """The manifold to look at: the picture of every pair of quantiles of the codes that there are."""
    q = torch.linspace(0.03, 0.97, count)
    x, y = (torch.quantile(mu[:, d], q) for d in range(2))
    z = torch.stack([x.repeat(count), y.flip(0).repeat_interleave(count)], 1)
    return export.grid(measure.decode(net, z), count)


if __name__ == "__main__":
    sys.exit(main())
