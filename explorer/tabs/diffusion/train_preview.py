"""python -m explorer.tabs.diffusion.train_preview: a small autoencoder for pictures while a run goes on.

diffusers' AutoencoderTiny, as TAESD is to Stable Diffusion (Ollin Boer Bohan, 2023): its decoder learns to paint what the
latents of the large one mean, its encoder to say the same numbers.
"""

import sys

import torch
import torch.nn.functional as F

from explorer import corpus
from explorer.pixels import to_tensor
from explorer.tabs.diffusion import autoencoder, stages
from explorer.tabs.diffusion.train_autoencoder import load, loss, psnr, weights
from explorer.training import session
from explorer.training.loop import Run, fit

CONFIG = {
    "latent_channels": 4,
    "encoder_block_out_channels": (16,) * 4,
    "decoder_block_out_channels": (16,) * 4,
    "num_encoder_blocks": (1, 1, 1, 1),
    "num_decoder_blocks": (3, 2, 1, 1),
    "scaling_factor": 1.0,
}


def main(argv: list[str] | None = None) -> int:
    from diffusers import AutoencoderTiny

    parser = session.arguments("Trains the preview decoder of the diffusion tab.", minutes=8)
    parser.add_argument("--further", action="store_true", help="begin with the weights of its last training")
    parser.add_argument("--limit", type=int, default=40_000, help="training pictures (12 kB of memory each)")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2e-3)
    args, budget, where = session.begin(parser, argv)

    folder = args.out or args.runs / "diffusion"
    torch.manual_seed(args.seed)
    tiny, before = AutoencoderTiny(**CONFIG), None
    if args.further:
        tiny = AutoencoderTiny.from_pretrained(folder / "preview", local_files_only=True, low_cpu_mem_usage=False)
        before = stages.done(folder).get("preview")
    tiny = tiny.to(where.torch)
    settings = {"batch_size": args.batch_size, "limit": args.limit, "further": args.further}
    run = Run(tiny, settings, lr=args.lr, seed=args.seed, weight_decay=1e-3)
    unfinished = args.runs / "diffusion-preview" / "run.safetensors"
    try:
        session.resume(run, unfinished, args.fresh)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2

    pixels, _ = corpus.batch("train", 0, args.limit)
    latents = autoencoder.encode(load(folder / "autoencoder").to(where.torch), pixels)
    weight = weights().to(where.torch)

    def imitate(tiny, indices, generator):
        x, z = to_tensor(pixels[indices.numpy()], where.torch), latents[indices].to(where.torch)
        painted = loss(x, tiny.decode(z).sample, weight)
        said = F.mse_loss(tiny.encode(x).latents, z)
        return painted + 0.1 * said, {"painted": painted.detach(), "said": said.detach()}

    print(f"Training the preview decoder, {where.reason}.", flush=True)
    if not session.follow(run, fit(run, args.limit, imitate, batch_size=args.batch_size, clip=1.0, **budget), unfinished):
        return 130
    run.ema.model.save_pretrained(folder / "preview")
    images, _ = corpus.batch("val", 0, 500)
    seen = autoencoder.decode(run.ema.model, autoencoder.encode(load(folder / "autoencoder").to(where.torch), images))
    stages.note(folder, "preview", run, psnr=round(psnr(images, seen), 2), **({"before": before} if before else {}))
    print(f"Wrote {folder / 'preview'}: PSNR {psnr(images, seen):.2f} dB on unseen faces")
    session.forget(unfinished)
    return 0


if __name__ == "__main__":
    sys.exit(main())
