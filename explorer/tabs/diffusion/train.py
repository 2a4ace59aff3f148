"""python -m explorer.tabs.diffusion.train: the whole mini Stable Diffusion, stage by stage, then its figures and its card.

A stage that is done is not repeated, and an unfinished one goes on. Each can be run alone by the module that its line names.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from explorer import assets, corpus, export
from explorer.tabs.diffusion import (
    autoencoder,
    folder,
    measure,
    stages,
    train_autoencoder,
    train_classifier,
    train_preview,
    train_unet,
)
from explorer.training import session

# Stage -> who trains it, with what, and minutes on two busy cores.
STAGES: dict[str, tuple[Callable, list[str], float]] = {
    "autoencoder": (train_autoencoder.main, ["--stage", "all"], 11),
    "decoder": (train_autoencoder.main, ["--stage", "decoder", "--lr", "1.5e-3"], 20),
    "finest": (train_autoencoder.main, ["--stage", "decoder", "--finest", "--lr", "1e-3"], 17),
    "preview": (train_preview.main, [], 30),
    "classifier": (train_classifier.main, [], 5),
    "unet": (train_unet.main, [], 72),
}
ALL = sum(minutes for *_, minutes in STAGES.values())


def main(argv: list[str] | None = None) -> int:
    parser = session.arguments("Trains what is not done yet of the diffusion tab's model, and publishes it.", minutes=ALL)
    parser.add_argument("--only", choices=STAGES, nargs="*", help="train these alone, again if they are done; none: only publish")
    parser.add_argument("--limit", type=int, help="training pictures (default: each stage's own)")
    parser.add_argument("--judged-on", type=int, default=1000, help="held-out captions for the card's figures")
    parser.add_argument("--judged-in", type=int, default=measure.STEPS, help="DDIM steps that paint the pictures for them")
    args = parser.parse_args(argv)
    parts = args.runs / "diffusion"
    if args.fresh and args.only is None:
        shutil.rmtree(parts, ignore_errors=True)
    for stage, (train, given, minutes) in STAGES.items():
        if stage in (args.only if args.only is not None else STAGES.keys() - stages.done(parts)):
            budget = ["--steps", str(args.steps)] if args.steps else ["--minutes", str(minutes * (args.minutes or ALL) / ALL)]
            more = [*budget, "--runs", str(args.runs), "--seed", str(args.seed), "--device", args.device]
            more += ["--threads", str(args.threads)] if args.threads else []
            more += ["--limit", str(args.limit)] if args.limit else []
            if code := train([*given, *more, *(["--fresh"] if args.fresh else [])]):
                return code
    publish(args.out or assets.SHIPPED / folder.SHIPPED, parts, args.judged_on, args.seed, args.judged_in)
    return 0


def publish(out: Path, parts: Path, count: int, seed: int, steps: int = measure.STEPS) -> None:
    """Writes the model, reads it back as everyone does, measures that, and adds the card and the sheet of samples."""
    folder.write(out, parts)
    pipe = folder.pipeline(out)
    table = folder.table(out, pipe.text_encoder.config.hidden_size)
    metrics = figures(pipe, table, out, count, steps)
    files = {path.relative_to(out).as_posix(): path for path in sorted(out.rglob("*")) if path.is_file()}
    sizes = {name: sum(p.numel() for p in getattr(pipe, name).parameters()) for name in ("unet", "vae", "text_encoder")}
    card = {
        "title": "A mini Stable Diffusion of avatar faces",
        "parameters": sizes,
        "stages": stages.done(parts),
        "data": {"name": "avatars", "judged on": count, "judged in": steps, "captions": "made anew at every step"},
        "licence": "MIT; it saw only the corpus, whose terms are in assets/corpus/card.json",
        "seed": seed,
        "command": folder.MADE_BY,
        "metrics": metrics,
        "weights": folder.WEIGHTS,
        "bytes": sum(path.stat().st_size for path in files.values()),
        "sha256": assets.sha256(out / folder.WEIGHTS),
        "files": {name: assets.sha256(path) for name, path in files.items() if name not in ("card.json", "sheet.png")},
    }
    (out / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sheet(pipe, steps).save(out / "sheet.png")
    print(f"Wrote {out}")
    for name, value in metrics.items():
        print(f"  {name}: {value}")


def figures(pipe, table: torch.nn.Embedding, out: Path, count: int, steps: int) -> dict:
    """Every figure of the card, by a judge that did not train the model."""
    from explorer.judge import engine as judging

    judge, found = judging.load(), {}
    images, rows = corpus.batch("val", 0, min(count, 1000))
    latents = autoencoder.encode(pipe.vae, images)
    decoders = {"autoencoder": pipe.vae}
    if (out / "preview").is_dir():
        decoders["preview decoder"] = folder.preview(out)
    for name, decoder in decoders.items():
        seen = autoencoder.decode(decoder, latents)
        found[f"PSNR of the {name}, dB"] = round(train_autoencoder.psnr(images, seen), 2)
        found[f"attributes after the {name}"] = measure.accuracy(judge, seen, rows)["mean"]

    found["guidance"] = list(measure.curve(pipe, min(count, 300), steps))
    best = max(found["guidance"], key=lambda point: point["attributes"])["guidance_scale"]
    for split in ("val", "compose"):
        texts, rows = measure.captions(split, count)
        contexts = measure.states(pipe, texts)
        for scale in {1, best}:
            found[f"attributes as captioned, guidance {scale:g}, {split}"] = measure.accuracy(
                judge, measure.sample(pipe, contexts, scale, steps=steps), rows
            )
        found[f"attributes as labelled, guidance 1, {split}"] = measure.explicit(pipe, table, split, min(count, 500), steps)
    found["best guidance"] = best
    return found


def sheet(pipe, steps: int) -> Image.Image:
    """What to look at before the numbers are believed: faces, their captions at guidance 0 to 15, and vague prompts."""
    texts, rows = measure.captions("val", 12)
    contexts = measure.states(pipe, texts)
    strips = [corpus.batch("val", 0, 12)[0]]
    strips += [measure.sample(pipe, contexts, scale, steps=steps) for scale in (0, 1, 2, 4, 7.5, 15)]
    strips += [measure.sample(pipe, measure.states(pipe, [text] * 12), 3, 2, steps) for text in measure.VAGUE[:3]]
    return Image.fromarray(export.grid(np.concatenate(strips), columns=12))


if __name__ == "__main__":
    sys.exit(main())
