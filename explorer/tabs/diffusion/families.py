"""The families of Stable Diffusion that are taken, and how a folder or a name on the Hub becomes the parts of a model.

Weights are safetensors or nothing; code that comes with a model is never run; no safety checker is loaded.
"""

import copy
import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import torch
from torch import Tensor


class BadModel(ValueError):
    """Not a diffusion model that can be loaded. Its text is one sentence."""


@dataclass(frozen=True)
class Family:
    """How a family is run unless someone says otherwise."""

    name: str
    title: str
    steps: int = 25
    guidance_scale: float = 7.5
    scheduler: str = "ddim"
    rows: int = 16  # at most in one call of the UNet
    preview: str = ""  # its tiny decoder on the Hub


TAESD, TAESDXL = "madebyollin/taesd", "madebyollin/taesdxl"
# The turbo models were distilled to need no guidance: what diffusers calls guidance_scale 0 is the conditional prediction
# alone, and in eps_uncond + w (eps_cond - eps_uncond) that is w = 1.
FAMILIES = {
    family.name: family
    for family in (
        Family("mini", "mini Stable Diffusion", 25, 4.0, rows=32),
        Family("sd1", "Stable Diffusion 1", preview=TAESD),
        Family("sd2", "Stable Diffusion 2", preview=TAESD),
        Family("turbo", "SD-Turbo", 4, 1.0, "euler", preview=TAESD),
        Family("sdxl", "Stable Diffusion XL", 25, 5.0, "euler", 8, TAESDXL),
        Family("sdxl-turbo", "SDXL-Turbo", 4, 1.0, "euler_a", 8, TAESDXL),
    )
}
HUB = r"[\w.-]+/[\w.-]+"  # a name there
PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")


@dataclass(frozen=True, eq=False)
class Parts:
    """What a pipeline folder holds."""

    family: Family
    unet: torch.nn.Module
    vae: torch.nn.Module
    text_encoders: tuple
    tokenizers: tuple
    preview: torch.nn.Module | None  # AutoencoderTiny
    labels: torch.nn.Embedding | None
    scheduler_config: dict
    abar: Tensor  # (1000,) float64
    zeros: bool  # whether no negative prompt means zeros, as in SDXL, and not the empty text
    folder: Path | None  # None where it came from the Hub
    source: str
    place: torch.device
    dtype: torch.dtype
    # Tokenizers remember how they cut off and fill up while they read, so nobody else may use the same one meanwhile.
    readers: tuple = field(default=(), repr=False)
    reading: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "readers", tuple(copy.deepcopy(tokenizer) for tokenizer in self.tokenizers))


@dataclass(frozen=True)
class Prompt:
    """A text as the UNet reads it: states (1, T, d) float32 on the CPU, and SDXL's pooled text."""

    states: Tensor
    added: dict[str, Tensor] | None = None


# --- What is there, without loading it ---


def look(source: str | Path) -> tuple[str, str]:
    """The family of a folder or a name on the Hub, as far as it is known without asking the Hub, and what is wrong with it."""
    try:
        source = _known(source)
        local = Path(source).is_dir()
        if not local and _online():
            return "", ""  # it will be seen when it is asked for
        configs = _index(source, local), _config(source, "unet", local), _config(source, "scheduler", local)
        return family_of(*configs, source).name, ""
    except BadModel as problem:
        return "", str(problem)


def family_of(index: dict, unet: dict, scheduler: dict, source: str) -> Family:
    """The family by its configs. Raises BadModel for one that this tab cannot open up."""
    kind = index.get("_class_name")
    if kind not in PIPELINES:
        raise BadModel(f"{_shown(source)} is a {kind}; this tab opens {' and '.join(PIPELINES)} folders.")
    for part, named in index.items():
        library = named[0] if isinstance(named, list) and named else None
        if not part.startswith("_") and library not in (None, "diffusers", "transformers", "stable_diffusion"):
            raise BadModel(f"{_shown(source)} brings code of its own ({part}), which is never run here.")
    if unet.get("in_channels", 4) != 4 or unet.get("_class_name") != "UNet2DConditionModel":
        raise BadModel(f"{_shown(source)} is not a model for text alone: its UNet does not take a latent of 4 channels.")
    if unet.get("time_cond_proj_dim"):
        raise BadModel(f"{_shown(source)} was distilled with its guidance inside, so there is none to show.")
    fast = scheduler.get("timestep_spacing") == "trailing"
    if kind == PIPELINES[1]:
        return FAMILIES["sdxl-turbo" if fast else "sdxl"]
    if fast:
        return FAMILIES["turbo"]
    return FAMILIES["sd2" if unet.get("use_linear_projection") else "sd1"]


# --- Loading ---


def read(source: str | Path, place: torch.device, ours: bool = False) -> Parts:
    """Loads the parts of a pipeline, frozen, on `place`. Raises BadModel with one sentence for whatever goes wrong."""
    source = _known(source)
    try:
        return _read(source, place, ours)
    except BadModel:
        raise
    except Exception as problem:
        raise BadModel(_sentence(source, problem)) from problem


def _read(source: str, place: torch.device, ours: bool) -> Parts:
    from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
    from transformers.utils.logging import disable_progress_bar

    if ours:  # a bar for a tenth of a second
        disable_progress_bar()
    local = Path(source).is_dir()
    here = local or not _online()  # only what is on this computer
    index, scheduler = _index(source, local), _config(source, "scheduler", local)
    family = family_of(index, _config(source, "unet", local), scheduler, source)
    family = FAMILIES["mini"] if ours else family
    xl = index["_class_name"] == PIPELINES[1]

    dtype = half(place) if not ours else torch.float32
    variants = _variants(source, local, dtype)

    def part(kind, name: str, dtype=dtype):
        # Ours is small enough for what accelerate would save; without it diffusers warns at every load.
        options = {"low_cpu_mem_usage": False, "output_loading_info": True}
        net, missing = _first(
            variants, lambda variant: kind.from_pretrained(source, subfolder=name, dtype=dtype, variant=variant,
                                                           use_safetensors=True, local_files_only=here, **options)
        )  # fmt: skip
        if lost := [key for key in missing["missing_keys"] if not key.endswith("position_ids")]:
            raise BadModel(f"{_shown(source)} lacks {len(lost)} of the weights of its {name}.")
        return net.eval().requires_grad_(False).to(place)

    unet = part(UNet2DConditionModel, "unet")
    # A decoder in half precision leaves marks in the picture; it runs once a picture only.
    vae = part(AutoencoderKL, "vae", torch.float32)
    texts = [part(CLIPTextModel, "text_encoder")]
    if xl:
        texts.append(part(CLIPTextModelWithProjection, "text_encoder_2"))
    names = ("tokenizer", "tokenizer_2")[: len(texts)]
    tokenizers = [CLIPTokenizer.from_pretrained(source, subfolder=name, local_files_only=here) for name in names]
    for name, tokenizer, text in zip(names, tokenizers, texts):  # without its files a tokenizer loads, and knows nothing
        if not 256 <= len(tokenizer) <= text.config.vocab_size:
            raise BadModel(f"{_shown(source)} has no {name} that fits its text encoder.")
    width = sum(text.config.hidden_size for text in texts)
    if unet.config.cross_attention_dim != width:
        raise BadModel(
            f"{_shown(source)} does not fit together: its UNet reads {unet.config.cross_attention_dim} numbers per token, "
            f"its text encoder gives {width}."
        )

    def tiny(name: str, **options):
        return AutoencoderTiny.from_pretrained(name, dtype=dtype, low_cpu_mem_usage=False, use_safetensors=True, **options)

    preview = _preview(source, local, here, family, tiny)
    preview = preview and preview.eval().requires_grad_(False).to(place)
    labels = _labels(source, place) if local else None
    zeros = xl and bool(index.get("force_zeros_for_empty_prompt", True))
    return Parts(family, unet, vae, tuple(texts), tuple(tokenizers), preview, labels, scheduler, _levels(scheduler), zeros,
                 Path(source) if local else None, source, place, dtype)  # fmt: skip


def half(place: torch.device) -> torch.dtype:
    """The floating type for large models. bfloat16 cannot overflow, as some UNets do in float16; a CPU is fastest in float32."""
    if place.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _first(variants: list, load: Callable):
    """The first variant of the weights that is there."""
    problem = None
    for variant in variants:
        try:
            return load(variant)
        except (OSError, ValueError) as missing:
            problem = problem or missing
    raise problem


def _variants(source: str, local: bool, dtype: torch.dtype) -> list:
    if local:
        files = [file.name for file in (Path(source) / "unet").glob("*.safetensors*")]
        plain = any(".fp16." not in name for name in files)
        return [None] if plain or not files else ["fp16"]
    return ["fp16", None] if dtype != torch.float32 else [None, "fp16"]


def _preview(source: str, local: bool, here: bool, family: Family, tiny: Callable):
    """The tiny decoder: the folder's own, or the family's from the Hub or the cache. None where there is none."""
    own = Path(source) / "preview"
    if local and own.is_dir():
        return tiny(str(own), local_files_only=True)
    if not family.preview:
        return None
    try:
        return tiny(family.preview, local_files_only=here)
    except Exception:  # it is a convenience: without it the full decoder serves
        return None


def _labels(source: str, place: torch.device) -> torch.nn.Embedding | None:
    file = Path(source) / "labels" / "model.safetensors"
    if not file.is_file():
        return None
    from safetensors.torch import load_file

    weight = load_file(file)["weight"].float()
    return torch.nn.Embedding.from_pretrained(weight, freeze=True).to(place)


def _levels(config: dict) -> Tensor:
    from explorer.tabs.diffusion.schedulers import LEAST, from_config

    return from_config("ddim", config).alphas_cumprod.double().clamp(min=LEAST)


# --- Texts ---


@torch.no_grad()
def encode(parts: Parts, text: str, empty: bool = False) -> Prompt:
    """A text as the UNet reads it, as diffusers' pipelines encode it; `empty`: no text, for the unconditional half."""
    states, pooled = [], None
    text = text.encode("utf-8", "replace").decode("utf-8")  # half a pair of surrogates is no character
    for tokenizer, net in zip(parts.readers, parts.text_encoders):
        length = parts.tokenizers[0].model_max_length
        with parts.reading:
            ids = tokenizer(text, padding="max_length", max_length=length, truncation=True, return_tensors="pt").input_ids
        if len(parts.text_encoders) == 1:
            states.append(net(ids.to(net.device))[0].float().cpu())
        else:  # SDXL reads the last layer but one of both, and the second's pooled text
            said = net(ids.to(net.device), output_hidden_states=True)
            states.append(said.hidden_states[-2].float().cpu())
            pooled = said[0].float().cpu()
    states = torch.cat(states, -1)
    if empty and not text and parts.zeros:
        states, pooled = torch.zeros_like(states), torch.zeros_like(pooled)
    return Prompt(states, None if pooled is None else {"text_embeds": pooled})


def added(model, x: Tensor, given: dict | None) -> dict | None:
    """What SDXL is told beside the text: the pooled text, and the size of a picture that was not cropped."""
    if len(model.text_encoders) == 1:
        return None
    if not given or "text_embeds" not in given:
        raise ValueError("This model also needs the pooled text of each row.")
    height, width = (side * model.ratio for side in x.shape[-2:])
    sizes = torch.tensor([[height, width, 0, 0, height, width]], dtype=torch.float32)
    return {"text_embeds": given["text_embeds"], "time_ids": given.get("time_ids", sizes.expand(len(x), -1))}


# --- What goes wrong, in words ---


def _known(source: str | Path) -> str:
    source = str(source).strip()
    here = Path(source).expanduser()
    if source and here.is_dir():
        return str(here)
    if not re.fullmatch(HUB, source):
        raise BadModel(f"There is no folder called {_shown(source)}, and no model on the Hub can be called so.")
    return source


def _index(source: str, local: bool) -> dict:
    return _json(source, "model_index.json", local)


def _config(source: str, part: str, local: bool) -> dict:
    return _json(source, f"{part}/{'scheduler_config' if part == 'scheduler' else 'config'}.json", local)


def _json(source: str, name: str, local: bool) -> dict:
    file = Path(source) / name
    if not local:
        try:
            file = Path(_fetched(source, name))
        except Exception as problem:
            raise BadModel(_sentence(source, problem)) from problem
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise BadModel(f"{_shown(source)} is not a diffusers pipeline: it has no {name}.") from None
    except ValueError:
        raise BadModel(f"{_shown(source)} is damaged: its {name} cannot be read.") from None
    if not isinstance(found, dict):
        raise BadModel(f"{_shown(source)} is damaged: its {name} is not a table of settings.")
    return found


def _fetched(source: str, name: str) -> str:
    """The path of a file of the Hub's, in the cache."""
    from huggingface_hub import hf_hub_download

    return hf_hub_download(source, name, local_files_only=not _online())


def _online() -> bool:
    """Whether the Hub's name can be looked up, without which its client tries for half a minute per file."""
    return _looked_up(int(time.monotonic() // 30))


@lru_cache(1)
def _looked_up(_half_minute: int) -> bool:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if any(os.environ.get(name) for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")):
        return True  # the proxy looks it up
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        return False
    return True


def _shown(source: str) -> str:
    """A name for the page: never a path of the host's."""
    if re.fullmatch(HUB, str(source)) and not Path(source).is_dir():
        return str(source)
    return Path(source).name or "''"


def _sentence(source: str, problem: Exception) -> str:
    kinds = {kind.__name__ for kind in type(problem).__mro__}
    name, text = _shown(source), str(problem)
    if kinds & {"GatedRepoError"}:
        return f"{name} is for those only who have accepted its licence on the Hub and are logged in."
    if kinds & {"RepositoryNotFoundError"}:
        return f"There is no model called {name} on the Hub, or it is private."
    if kinds & {"EntryNotFoundError"} and not kinds & {"LocalEntryNotFoundError"}:
        return f"{name} is not a diffusers pipeline with safetensors weights."
    if kinds & {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "ConnectionError", "ConnectError", "TimeoutException"}:
        return f"{name} is not on this computer, and the Hub cannot be reached."
    if isinstance(problem, torch.OutOfMemoryError):
        return f"{name} does not fit into the memory of this GPU."
    if "safetensors" in text and ("no file named" in text or "Could not find" in text or "not found" in text):
        return f"{name} has no safetensors weights; pickled ones are never loaded."
    if not Path(source).is_dir() and isinstance(problem, OSError):
        return f"{name} is not on this computer, and the Hub cannot be reached."
    return f"{name} cannot be loaded: its files are damaged or do not fit together."
