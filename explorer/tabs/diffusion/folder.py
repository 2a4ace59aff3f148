"""The mini Stable Diffusion as a folder: what `StableDiffusionPipeline.from_pretrained` loads, and what this tab adds to it.

    model_index.json  tokenizer/  text_encoder/  unet/  vae/  scheduler/     diffusers' own
    preview/      AutoencoderTiny: a small decoder for pictures while a run goes on
    labels/       the table of explicit conditioning
    classifier/   the classifier of noisy latents
    card.json     the checksum of every file
"""

import json
import shutil
from pathlib import Path

import torch

from explorer import assets
from explorer.clip import folder as clips
from explorer.clip import tower
from explorer.tabs.diffusion import labels
from explorer.tabs.diffusion.train_unet import SCHEDULER

SHIPPED = "diffusion/avatars"
MADE_BY = "python -m explorer.tabs.diffusion.train"
LOCAL = {"local_files_only": True, "low_cpu_mem_usage": False}  # without accelerate there is no other way to load
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def shipped() -> Path:
    """The folder of the model that ships. Raises assets.Missing."""
    return assets.weights(SHIPPED, MADE_BY).parent.parent


def write(out: Path, parts: Path) -> None:
    """Puts what the trainings left in `parts` together, in float16, in the layout above. No card yet."""
    from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    clip = clips.load(clips.shipped())
    pipe = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(parts / "autoencoder", **LOCAL),
        text_encoder=tower.text_model(clip),
        tokenizer=tower.tokenizer(clips.shipped(), clip.context),
        unet=UNet2DConditionModel.from_pretrained(parts / "unet", **LOCAL),
        scheduler=DDIMScheduler(**SCHEDULER),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.to(dtype=torch.float16).save_pretrained(out)
    if (parts / "preview").is_dir():
        AutoencoderTiny.from_pretrained(parts / "preview", **LOCAL).half().save_pretrained(out / "preview")
    for name in ("labels", "classifier"):
        file = parts / name / "model.safetensors"
        if file.is_file():
            from safetensors.torch import load_file

            from explorer.training import card, checkpoint

            checkpoint.write(out / name / "model.safetensors", card.half(load_file(file)))
            if (told := file.with_name("config.json")).is_file():
                shutil.copyfile(told, out / name / "config.json")
    for config in out.rglob("*.json"):  # no path of the computer that trained it, nothing that is warned of
        given = json.loads(config.read_text(encoding="utf-8"))
        noise = ["_name_or_path", *(["block_out_channels"] if config.parent.name == "preview" else [])]  # the second it computes
        if isinstance(given, dict) and any([given.pop(name, None) is not None for name in noise]):
            config.write_text(json.dumps(given, indent=2) + "\n", encoding="utf-8")
    for file in out.rglob("*"):
        if file.is_file():
            file.chmod(0o644)


def pipeline(folder: Path):
    """The whole as diffusers loads it, in float32."""
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, dtype=torch.float32, **LOCAL)


def preview(folder: Path):
    """The small decoder."""
    from diffusers import AutoencoderTiny

    return AutoencoderTiny.from_pretrained(folder / "preview", dtype=torch.float32, **LOCAL).eval()


def table(folder: Path, width: int) -> torch.nn.Embedding:
    """The vectors of explicit conditioning."""
    from safetensors.torch import load_file

    embedding = labels.table(width)
    embedding.load_state_dict({k: v.float() for k, v in load_file(folder / "labels" / "model.safetensors").items()})
    return embedding.eval().requires_grad_(False)
