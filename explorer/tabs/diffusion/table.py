"""Stable Diffusion 1.5, SDXL and the model at hand side by side, counted on the meta device: from configs, without a weight.

On the meta device a tensor has a shape and no numbers, so a network of 2.6 billion parameters is built in a second and a
call of it costs nothing but can be counted.
"""

import threading
from weakref import WeakKeyDictionary

import torch
from torch.utils.flop_counter import FlopCounterMode

# The configs of the published checkpoints: runwayml/stable-diffusion-v1-5 and stabilityai/stable-diffusion-xl-base-1.0.
VAE = {
    "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 4,
    "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
}  # fmt: skip
CLIP_L = {
    "vocab_size": 49408, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
    "max_position_embeddings": 77, "projection_dim": 768,
}  # fmt: skip
CLIP_BIG_G = {
    "vocab_size": 49408, "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20,
    "max_position_embeddings": 77, "projection_dim": 1280, "hidden_act": "gelu",
}  # fmt: skip
PUBLISHED = {
    "Stable Diffusion 1.5": {
        "unet": {
            "sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8, "layers_per_block": 2,
            "block_out_channels": (320, 640, 1280, 1280),
            "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
            "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        },
        "vae": VAE | {"sample_size": 512},
        "text": [("CLIP ViT-L/14", CLIP_L, False)],
    },
    "SDXL": {
        "unet": {
            "sample_size": 128, "cross_attention_dim": 2048, "attention_head_dim": (5, 10, 20), "layers_per_block": 2,
            "block_out_channels": (320, 640, 1280), "transformer_layers_per_block": (1, 2, 10),
            "down_block_types": ("DownBlock2D",) + ("CrossAttnDownBlock2D",) * 2,
            "up_block_types": ("CrossAttnUpBlock2D",) * 2 + ("UpBlock2D",), "use_linear_projection": True,
            "addition_embed_type": "text_time", "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816,
        },
        "vae": VAE | {"sample_size": 1024},
        "text": [("CLIP ViT-L/14", CLIP_L, False), ("OpenCLIP ViT-bigG/14", CLIP_BIG_G, True)],
    },
}  # fmt: skip


_lock = threading.Lock()  # held while counting: who asks at the same time waits, and finds it done
_published: dict[str, dict] = {}
_models: WeakKeyDictionary = WeakKeyDictionary()


def published(name: str) -> dict:
    """The column of one of PUBLISHED, counted once. Raises KeyError for another."""
    with _lock:
        if name not in _published:
            _published[name] = _of_configs(name)
        return _published[name]


def of_model(model) -> dict:
    """The column of a loaded model, counted once: on copies of its networks' configs."""
    with _lock:
        if model not in _models:
            _models[model] = _of_model(model)
        return _models[model]


def _of_configs(name: str) -> dict:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    configs = PUBLISHED[name]
    with torch.device("meta"):
        unet, vae = UNet2DConditionModel(**configs["unet"]), AutoencoderKL(**configs["vae"])
        texts = []
        for title, config, projected in configs["text"]:
            kind = CLIPTextModelWithProjection if projected else CLIPTextModel
            texts.append((title, kind(CLIPTextConfig(**config))))
    return column(name, unet, vae, texts)


def _of_model(model) -> dict:
    from diffusers import AutoencoderKL, UNet2DConditionModel

    with torch.device("meta"):
        unet, vae = UNet2DConditionModel.from_config(model.unet.config), AutoencoderKL.from_config(model.vae.config)
    texts = [(_text_title(encoder), encoder) for encoder in _encoders(model)]
    return column("This model" if model.family == "mini" else str(model.name), unet, vae, texts)


def column(name: str, unet, vae, texts) -> dict:
    """{name, parameters, latent, image, ratio, context, tokens, levels, layers, flops}: plain numbers of one model."""
    side, channels = unet.config.sample_size, unet.config.in_channels
    factor = 2 ** (len(vae.config.block_out_channels) - 1)
    tokens = max(encoder.config.max_position_embeddings for _, encoder in texts)
    image = (side * factor, side * factor, vae.config.out_channels)
    latent = (channels, side, side)
    numbers = lambda shape: torch.Size(shape).numel()  # noqa: E731
    return {
        "name": name,
        "parameters": {"unet": parameters(unet), "vae": parameters(vae), "text": [(t, parameters(e)) for t, e in texts]},
        "latent": latent, "image": image, "ratio": numbers(image) / numbers(latent),
        "context": unet.config.cross_attention_dim, "tokens": tokens, "levels": levels(unet),
        "layers": cross_layers(unet), "flops": {"unet": unet_flops(unet, tokens), "decode": decode_flops(vae, latent)},
    }  # fmt: skip


def parameters(module) -> int:
    return sum(p.numel() for p in module.parameters())


def cross_layers(unet) -> int:
    """How many times a call reads the text."""
    return sum(name.endswith("attn2.processor") for name in unet.attn_processors)


def levels(unet) -> list[dict]:
    """The way down, level after level: {channels, side, transformers}: transformers per attention of the level, 0 for none."""
    out, side = [], unet.config.sample_size
    for block in unet.down_blocks:
        attentions = getattr(block, "attentions", None) or []
        depth = len(attentions[0].transformer_blocks) if len(attentions) else 0
        out.append({"channels": block.resnets[-1].out_channels, "side": side, "transformers": depth})
        side = -(-side // 2) if block.downsamplers else side
    return out


def unet_flops(unet, tokens: int) -> int:
    """Floating-point operations of one call for one row; guidance takes two rows. A product and a sum count as two."""
    config = unet.config
    shape = (1, config.in_channels, config.sample_size, config.sample_size)
    with torch.device("meta"):
        added = None
        if config.addition_embed_type == "text_time":
            pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
            added = {"text_embeds": torch.empty(1, pooled), "time_ids": torch.empty(1, 6)}
        given = torch.empty(shape), torch.empty(1), torch.empty(1, tokens, config.cross_attention_dim)
        return _counted(lambda: unet(*given, added_cond_kwargs=added))


def decode_flops(vae, latent: tuple[int, int, int]) -> int:
    """Floating-point operations of decoding one latent."""
    with torch.device("meta"):
        x = torch.empty(1, *latent)
    return _counted(lambda: vae.decode(x))


@torch.no_grad()
def _counted(call) -> int:
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def _encoders(model) -> list:
    """The text encoders of a model, whichever way it names them."""
    found = getattr(model, "text_encoders", None) or [model.text_encoder, getattr(model, "text_encoder_2", None)]
    return [one for one in found if one is not None]


def _text_title(encoder) -> str:
    config = encoder.config
    return f"CLIP text tower, {config.num_hidden_layers} layers of width {config.hidden_size}"
