"""The text tower of an open_clip model as transformers' CLIPTextModel and CLIPTokenizer: what a Stable Diffusion reads with.

Both are the same network under other names (Radford et al. 2021, section 2.4): a causal transformer over the pieces of the text.
"""

import gzip
from pathlib import Path

import torch

from explorer.clip import folder as folders


def tokenizer(folder: Path, context: int):
    """The CLIPTokenizer with the byte pairs of `folder`. Short texts are filled up with end pieces, as in Stable Diffusion 1.

    open_clip fills up with piece 0 instead, which is "!" and can be typed; nothing before the end can see the difference.
    """
    from transformers import CLIPTokenizer

    lines = gzip.decompress((folder / folders.MERGES).read_bytes()).decode().split("\n")[1:]
    merges = [tuple(line.split(" ")) for line in lines]
    letters = _alphabet()
    pieces = [*letters, *(letter + "</w>" for letter in letters), *("".join(pair) for pair in merges)]
    vocab = {piece: number for number, piece in enumerate([*pieces, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=context)


def text_model(clip: folders.Clip):
    """The CLIPTextModel with the weights of `clip`, in float32: its last hidden state is the tower's, before the projection."""
    from transformers import CLIPTextConfig, CLIPTextModel

    cfg = clip.config["model_cfg"]["text_cfg"]
    size = cfg["vocab_size"]
    model = CLIPTextModel(CLIPTextConfig(
        vocab_size=size, hidden_size=cfg["width"], intermediate_size=4 * cfg["width"], num_hidden_layers=cfg["layers"],
        num_attention_heads=cfg["heads"], max_position_embeddings=cfg["context_length"], projection_dim=clip.dim,
        hidden_act="gelu", bos_token_id=size - 2, eos_token_id=size - 1, pad_token_id=size - 1,
    ))  # fmt: skip
    names = {name.removeprefix("text_model."): name for name in model.state_dict()}
    state = {names[name]: tensor for name, tensor in _renamed(clip.model.state_dict()).items()}
    model.load_state_dict(state, strict=False)
    left = {name for name in model.state_dict() if name not in state and "position_ids" not in name}
    if left:
        raise ValueError(f"The text tower has no weights for {', '.join(sorted(left))}.")
    return model.eval()


def _renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """open_clip's names -> transformers'; the packed attention weights are cut in three."""
    out = {
        "embeddings.token_embedding.weight": state["token_embedding.weight"],
        "embeddings.position_embedding.weight": state["positional_embedding"],
        "final_layer_norm.weight": state["ln_final.weight"],
        "final_layer_norm.bias": state["ln_final.bias"],
    }
    parts = {
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
        "attn.out_proj": "self_attn.out_proj",
    }  # fmt: skip
    for name, tensor in state.items():
        if not name.startswith("transformer.resblocks."):
            continue
        layer, rest = name.removeprefix("transformer.resblocks.").split(".", 1)
        part, kind = rest.rsplit(".", 1)
        to = f"encoder.layers.{layer}"
        if part == "attn" and kind.startswith("in_proj_"):
            for letter, third in zip("qkv", tensor.chunk(3)):
                out[f"{to}.self_attn.{letter}_proj.{kind.removeprefix('in_proj_')}"] = third
        else:
            out[f"{to}.{parts[part]}.{kind}"] = tensor
    return {name: tensor.detach().float().clone() for name, tensor in out.items()}


def _alphabet() -> list[str]:
    """A printable letter for each byte, in the order of the published vocabulary (Radford et al. 2019, section 2.2)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(rest))]
