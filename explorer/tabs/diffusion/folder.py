"""The mini Stable Diffusion as a folder: what `StableDiffusionPipeline.from_pretrained` loads, and what this tab adds to it.

    model_index.json  tokenizer/  text_encoder/  unet/  vae/  scheduler/     diffusers' own
    preview/      AutoencoderTiny: a small decoder for pictures while a run goes on
    labels/       the table of explicit conditioning
    classifier/   the classifier of noisy latents
    card.json     the checksum of every file
"""

import json
from pathlib import Path

import torch

from explorer import assets
from explorer.clip import folder as clips
from explorer.clip import tower
from explorer.tabs.diffusion.train_unet import SCHEDULER

SHIPPED = "diffusion/avatars"
MADE_BY = "python -m explorer.tabs.diffusion.train"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def shipped() -> Path:
    """The folder of the model that ships. Raises assets.Missing."""
    return assets.weights(SHIPPED, MADE_BY).parent.parent


def write(out: Path, parts: Path) -> None:
    """Puts what the trainings left in `parts` together, in float16, in the layout above. No card yet."""
    from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    clip = clips.load(clips.shipped())
    pipe = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(parts / "autoencoder", local_files_only=True),
        text_encoder=tower.text_model(clip),
        tokenizer=tower.tokenizer(clips.shipped(), clip.context),
        unet=UNet2DConditionModel.from_pretrained(parts / "unet", local_files_only=True),
        scheduler=DDIMScheduler(**SCHEDULER),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.to(dtype=torch.float16).save_pretrained(out)
    if (parts / "preview").is_dir():
        AutoencoderTiny.from_pretrained(parts / "preview", local_files_only=True).half().save_pretrained(out / "preview")
    for name in ("labels", "classifier"):
        file = parts / name / "model.safetensors"
        if file.is_file():
            from safetensors.torch import load_file

            from explorer.training import card, checkpoint

            checkpoint.write(out / name / "model.safetensors", card.half(load_file(file)))
    for config in out.rglob("*.json"):  # no path of the computer that trained it
        given = json.loads(config.read_text(encoding="utf-8"))
        if isinstance(given, dict) and given.pop("_name_or_path", None) is not None:
            config.write_text(json.dumps(given, indent=2) + "\n", encoding="utf-8")
    for file in out.rglob("*"):
        if file.is_file():
            file.chmod(0o644)
