"""Stable Diffusions of every family with random weights, built from configs: enough for every equality, and made in a second."""

WORDS = "a face with red blue green hair shirt and the background someone wearing glasses no of".split()
BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)


def tokenizer(length=16):
    """CLIP's, with a vocabulary of a few words; others fall to letters."""
    from transformers import CLIPTokenizer

    from explorer.clip import vocabulary

    merges = vocabulary.merges(WORDS)
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]  # CLIP's byte alphabet
    letters = [chr(c) for c in [*keep, *range(256, 324)]]
    tokens = dict.fromkeys([*letters, *(c + "</w>" for c in letters), *("".join(pair) for pair in map(_pair, merges))])
    vocab = {token: i for i, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocab=vocab, merges=[tuple(_pair(pair)) for pair in merges], model_max_length=length)


def _pair(merge):
    return merge.split() if isinstance(merge, str) else merge


def text(tok, width=32, projection=None):
    import transformers as tf

    kind = tf.CLIPTextModelWithProjection if projection else tf.CLIPTextModel
    return kind(tf.CLIPTextConfig(
        vocab_size=len(tok), hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=tok.model_max_length, projection_dim=projection or width, bos_token_id=tok.bos_token_id,
        eos_token_id=tok.eos_token_id, pad_token_id=tok.pad_token_id,
    )).eval()  # fmt: skip


def unet(context=32, **options):
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(**{
        "sample_size": 8, "layers_per_block": 1, "block_out_channels": (16, 32), "norm_num_groups": 8, "attention_head_dim": 2,
        "cross_attention_dim": context, "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"), **options,
    }).eval()  # fmt: skip


def vae(factor=0.18215):
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        latent_channels=4, sample_size=32, block_out_channels=(8, 8, 16), norm_num_groups=4, scaling_factor=factor,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
    ).eval()  # fmt: skip


def sd(seed=0, context=32, spacing="leading", prediction="epsilon", scheduler="PNDMScheduler", **options):
    """A StableDiffusionPipeline: SD 1.5's configs, in small."""
    import diffusers
    import torch

    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    tok = tokenizer()
    settings = dict(BETAS, prediction_type=prediction, timestep_spacing=spacing)
    if scheduler == "PNDMScheduler":
        settings.update(skip_prk_steps=True, set_alpha_to_one=False)
    if scheduler == "DDIMScheduler":
        settings.update(clip_sample=False, set_alpha_to_one=False)
    pipe = diffusers.StableDiffusionPipeline(
        vae=vae(), text_encoder=text(tok, context), tokenizer=tok, unet=unet(context, **options),
        scheduler=getattr(diffusers, scheduler)(**settings), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    torch.random.set_rng_state(state)
    return _spread(pipe)


def sdxl(seed=0, spacing="leading", scheduler="EulerDiscreteScheduler", zeros=True):
    """A StableDiffusionXLPipeline: two text encoders, and the sizes beside the time step."""
    import diffusers
    import torch

    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    tok = tokenizer()
    net = unet(
        32 + 24, addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=24 + 6 * 8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2), use_linear_projection=True,
    )  # fmt: skip
    pipe = diffusers.StableDiffusionXLPipeline(
        vae=vae(0.13025), text_encoder=text(tok, 32), text_encoder_2=text(tok, 24, projection=24), tokenizer=tok, tokenizer_2=tok,
        unet=net, scheduler=getattr(diffusers, scheduler)(**BETAS, timestep_spacing=spacing), add_watermarker=False,
        force_zeros_for_empty_prompt=zeros,
    )  # fmt: skip
    torch.random.set_rng_state(state)
    return _spread(pipe)


def _spread(pipe):
    """A fresh UNet hardly hears the prompt: its attention speaks up, so that guidance has something to show."""
    import torch

    with torch.no_grad():
        for name, p in pipe.unet.named_parameters():
            if "attn2.to_" in name and name.endswith("weight"):
                p.mul_(4)
    pipe.set_progress_bar_config(disable=True)
    return pipe


FAMILIES = {
    "sd1": lambda: sd(1),
    "sd2": lambda: sd(2, prediction="v_prediction", scheduler="DDIMScheduler", use_linear_projection=True),
    "turbo": lambda: sd(3, spacing="trailing", scheduler="EulerDiscreteScheduler"),
    "sdxl": lambda: sdxl(4),
    "sdxl-turbo": lambda: sdxl(5, spacing="trailing", scheduler="EulerAncestralDiscreteScheduler"),
}
