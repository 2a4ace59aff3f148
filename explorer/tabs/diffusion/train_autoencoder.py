"""python -m explorer.tabs.diffusion.train_autoencoder: the autoencoder of the mini Stable Diffusion, in two stages.

First all of it; then its encoder is frozen, so that latents no longer change and the UNet can begin, and the decoder goes on
learning. The blocks at full resolution cost a third of the time and join last, with --finest.
"""

import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from explorer import corpus
from explorer.pixels import psnr as pixels_psnr
from explorer.pixels import to_tensor
from explorer.tabs.diffusion import autoencoder, stages
from explorer.training import session
from explorer.training.loop import Run, fit

# Eyes, brows, glasses and mouth are a fifth of the pixels and most of what one looks at: errors there count four times.
FACE = (slice(20, 48), slice(17, 47))
BLURRED = 0.05  # noise on the latents that the decoder learns from: what the UNet paints is not exact either
KL = 1e-3  # weight of the mean KL of a latent number: the latent keeps near a Gaussian, hardly more


def weights() -> torch.Tensor:
    """How often an error counts, per pixel, with mean 1: (64, 64)."""
    weight = torch.ones(corpus.SIZE, corpus.SIZE)
    weight[FACE] = 4
    return weight / weight.mean()


def loss(x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Absolute and squared error, and the error of the differences of neighbours, which keeps edges sharp."""
    error = y - x
    edges = (error.diff(dim=2).abs() * weight[1:]).mean() + (error.diff(dim=3).abs() * weight[:, 1:]).mean()
    return ((error.abs() + 4 * error.square()) * weight).mean() + 0.5 * edges


def main(argv: list[str] | None = None) -> int:
    parser = session.arguments("Trains the autoencoder of the diffusion tab.", minutes=12)
    parser.add_argument("--stage", choices=("all", "decoder"), default="all")
    parser.add_argument("--finest", action="store_true", help="train the blocks at full resolution too")
    parser.add_argument("--limit", type=int, default=60_000, help="training pictures (12 kB of memory each)")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2e-3)
    args, budget, where = session.begin(parser, argv)

    folder = args.out or args.runs / "diffusion"
    torch.manual_seed(args.seed)
    vae = autoencoder.build() if args.stage == "all" else load(folder / "autoencoder")
    vae = vae.to(where.torch)
    pixels, _ = corpus.batch("train", 0, args.limit)
    latents = autoencoder.encode(vae, pixels) if args.stage == "decoder" else None
    autoencoder.lean(vae, without_finest=not args.finest)
    if args.stage == "decoder":
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    settings = {"stage": args.stage, "finest": args.finest, "batch_size": args.batch_size, "limit": args.limit, "kl": KL}
    run = Run(vae, settings, lr=args.lr, seed=args.seed, weight_decay=1e-3)
    name = "autoencoder" if args.stage == "all" else "finest" if args.finest else "decoder"
    unfinished = args.runs / f"diffusion-{name}" / "run.safetensors"
    try:
        session.resume(run, unfinished, args.fresh)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2

    weight = weights().to(where.torch)

    def reconstruct(vae: nn.Module, indices, generator):
        x = to_tensor(pixels[indices.numpy()], where.torch)
        if args.stage == "decoder":
            z = latents[indices]
            y = vae.decode((z + BLURRED * torch.randn(z.shape, generator=generator)).to(where.torch)).sample
            error = loss(x, y, weight)
            return error, {"squared": F.mse_loss(y, x).detach()}
        posterior = vae.encode(x).latent_dist
        y = vae.decode(posterior.mean + posterior.std * torch.randn(posterior.mean.shape, generator=generator).to(x)).sample
        error, kl = loss(x, y, weight), posterior.kl().mean() / posterior.mean[0].numel()
        return error + KL * kl, {"squared": F.mse_loss(y, x).detach(), "kl": kl.detach()}

    print(f"Training the autoencoder ({args.stage}), {where.reason}.", flush=True)
    if not session.follow(run, fit(run, args.limit, reconstruct, batch_size=args.batch_size, clip=1.0, **budget), unfinished):
        return 130
    vae = run.ema.model
    autoencoder.plain(vae)
    if args.stage == "all":
        autoencoder.normalise(vae, autoencoder.encode(vae, pixels[:2000]))
    vae.save_pretrained(folder / "autoencoder")
    images, _ = corpus.batch("val", 0, 500)
    found = psnr(images, autoencoder.decode(vae, autoencoder.encode(vae, images)))
    stages.note(folder, name, run, psnr=round(found, 2))
    print(f"Wrote {folder / 'autoencoder'}: PSNR {found:.2f} dB on unseen faces")
    session.forget(unfinished)
    return 0


def load(folder):
    """The autoencoder as the stage before left it."""
    from diffusers import AutoencoderKL

    return AutoencoderKL.from_pretrained(folder, local_files_only=True, low_cpu_mem_usage=False).eval()


def psnr(pixels: np.ndarray, seen: np.ndarray) -> float:
    """Mean peak signal-to-noise ratio of two stacks of pictures, in dB."""
    return float(pixels_psnr(pixels, seen).mean())


if __name__ == "__main__":
    sys.exit(main())
