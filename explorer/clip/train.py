"""python -m explorer.clip.train: trains our CLIP on the corpus and writes it as a folder that open_clip loads."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from explorer import assets, corpus
from explorer.clip import folder as folders
from explorer.clip import measure, pairs, vocabulary
from explorer.pixels import to_tensor
from explorer.training import card, session
from explorer.training.loop import Run, fit

CONTEXT = 48  # tokens; the longest caption has 40
SINGLE = 5  # weight of the captions of one attribute: without them shapes are not learnt in any time two cores have
POSITIONS = 4  # times open_clip's initial position embeddings of the image tower, which are a quarter of the patches' size
WARMEST = math.log(100)  # the logit scale's upper end (Radford et al. 2021, section 2.5)


class Learner(nn.Module):
    """The CLIP, and ten linear heads that read the attributes from its picture vectors while it learns; they do not ship.

    Two towers that both know nothing of eyes are stuck: words for eyes that all have one vector teach the picture's tower
    nothing, and the other way round. Colours leave this saddle at once, what is a few pixels large not within an hour. A head
    has a direction for each value from the start.
    """

    def __init__(self, clip: nn.Module, dim: int):
        super().__init__()
        self.clip = clip
        self.heads = nn.ModuleList(nn.Linear(dim, len(values)) for values in corpus.FACTORS.values())


def config(vocab_size: int) -> dict:
    """open_clip's model_cfg. Patches of 8 pixels make 64 tokens and one for the class; the text tower is causal, as CLIP's."""
    return {
        "embed_dim": 128,
        "vision_cfg": {"image_size": 64, "patch_size": 8, "width": 128, "layers": 4, "head_width": 32},
        "text_cfg": {"context_length": CONTEXT, "vocab_size": vocab_size, "width": 128, "heads": 4, "layers": 4},
    }


def main(argv: list[str] | None = None) -> int:
    import open_clip

    parser = session.arguments("Trains the CLIP of the CLIP tab, which is the text encoder of the diffusion tab too.", minutes=60)
    parser.add_argument("--batch-size", type=int, default=32, help="faces per step; each brings a twin and two captions")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--start", type=Path, help="folder of a CLIP of this kind whose weights to begin with")
    parser.add_argument("--judged-on", type=int, default=2048, help="held-out pairs for the card's figures")
    args, budget, where = session.begin(parser, argv)

    out = args.out or assets.SHIPPED / folders.SHIPPED
    unfinished = args.runs / "clip-avatars" / "run.safetensors"
    merges = vocabulary.merges(pairs.words())
    model_cfg = config(512 + len(merges) + 2)
    draft = unfinished.parent / "empty"
    folders.write(draft, model_cfg, merges)
    torch.manual_seed(args.seed)
    net = open_clip.CLIP(model_cfg["embed_dim"], model_cfg["vision_cfg"], model_cfg["text_cfg"]).to(where.torch)
    with torch.no_grad():  # as loud as the patches from the start: where something is counts as much as its colour
        net.visual.positional_embedding.mul_(POSITIONS)
    tokenize = open_clip.get_tokenizer(f"local-dir:{draft.resolve()}", bpe_path=str((draft / folders.MERGES).resolve()))
    if args.start:
        net.load_state_dict(folders.load(args.start, where.torch).model.state_dict())
    learner = Learner(net, model_cfg["embed_dim"]).to(where.torch)
    settings = {"batch_size": args.batch_size, "model_cfg": model_cfg, "start": _known(args.start)}
    run = Run(learner, settings, lr=args.lr, weight_decay=0.02, seed=args.seed)
    try:
        session.resume(run, unfinished, args.fresh)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    clip_loss = open_clip.loss.ClipLoss()
    values = [len(names) for names in corpus.FACTORS.values()]

    def contrastive(learner, indices, generator):
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        some, net = pairs.draw(indices.numpy(), rng), learner.clip
        with torch.no_grad():
            net.logit_scale.clamp_(0, WARMEST)
        scale, half = net.logit_scale.exp(), len(some.full)
        features = net.encode_image(to_tensor(some.images, where.torch))
        image = nn.functional.normalize(features, dim=-1)
        # One by one, as each is only as wide as its longest text.
        full, short, single = (
            encode_text(net, tokenize(texts).to(where.torch)) for texts in (some.full, some.short, pairs.prompts(rng))
        )
        full, short = clip_loss(image[:half], full, scale), clip_loss(image, short, scale)
        # A caption of one attribute suits many faces of a batch, so it is held against the other values of that attribute
        # instead of against the other faces (Yang et al. 2022, UniCL, section 3.2).
        truth = torch.from_numpy(some.rows).to(where.torch).T
        single = _mean_entropy((scale * image @ single.T).split(values, dim=1), truth)
        heads = _mean_entropy([head(features) for head in learner.heads], truth)
        news = {"full": full, "short": short, "single": single, "heads": heads, "scale": scale}
        return full + short + SINGLE * (single + heads), {name: value.detach() for name, value in news.items()}

    print(f"Training CLIP, {sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters, {where.reason}.", flush=True)
    steps = fit(run, len(corpus.SPLITS["train"]), contrastive, batch_size=args.batch_size, clip=1.0, **budget)
    if not session.follow(run, steps, unfinished):
        return 130
    command = "python -m explorer.clip.train " + " ".join(sys.argv[1:] if argv is None else argv)
    publish(run, merges, out, command.strip(), args.seed, args.judged_on)
    session.forget_folder(unfinished.parent)
    return 0


def _mean_entropy(logits, truth: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy over the factors: logits (N, values) each, truth (factors, N)."""
    return torch.stack([nn.functional.cross_entropy(part, right) for part, right in zip(logits, truth)]).mean()


def _known(start: Path | None) -> str:
    """What the card says of the weights that were begun with."""
    if not start:
        return ""
    card = json.loads((start / "card.json").read_text(encoding="utf-8"))
    return f"{card['steps']:,} steps of {card['command']}, {card['minutes']:g} minutes, sha256 {card['sha256'][:16]}"


def encode_text(net: nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    """As net.encode_text(tokens, normalize=True), without the columns in which every text is padding.

    The attention is causal, so what stands behind the end token changes nothing before it; most captions are half as long as
    the context, and the tower's work with them.
    """
    length = int((tokens != 0).sum(1).max())
    tokens = tokens[:, :length]
    x = net.token_embedding(tokens) + net.positional_embedding[:length]
    x = net.ln_final(net.transformer(x, attn_mask=net.attn_mask[:length, :length]))
    x = x[torch.arange(len(x)), tokens.argmax(1)] @ net.text_projection
    return nn.functional.normalize(x, dim=-1)


def publish(run: Run, merges: list, out: Path, command: str, seed: int, count: int) -> None:
    """Writes the averaged weights, rounded to float16, as a folder; loads it as everyone does; measures, and adds the card."""
    tensors = card.half(run.ema.model.clip.state_dict())
    folders.write(out, run.settings["model_cfg"], merges)
    details = {
        "title": "CLIP: avatar faces and their captions in one space",
        "config": run.settings["model_cfg"],
        "settings": run.settings,
        "data": {"name": "avatars", "train": "fresh faces, twins and captions at every step", "judged on": count},
        "licence": "MIT; it saw only the corpus, whose terms are in assets/corpus/card.json",
        "steps": run.step,
        "pairs": run.step * run.settings["batch_size"] * 2,
        "minutes": round(run.seconds / 60, 1),
        "seed": seed,
        "parameters": sum(p.numel() for p in run.model.clip.parameters()),
        "command": command,
    }
    card.publish(out, tensors, details, file=folders.WEIGHTS)
    metrics = measure.all_of(folders.load(out), count)
    card.publish(out, tensors, details | {"metrics": metrics}, file=folders.WEIGHTS)
    print(f"Wrote {out}")
    for name, value in metrics.items():
        print(f"  {name}: {value}")


if __name__ == "__main__":
    sys.exit(main())
