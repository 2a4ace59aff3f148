"""A search as a Python script of one's own: plain open_clip and numpy over a folder of pictures, without this program.

What a search adds to the ranking stays here: filters, liked pictures, near-duplicates and how sure it is.
"""

from explorer.clip import folder
from explorer.tabs.clip_search import query
from explorer.tabs.clip_search.catalogue import ENTRIES, OURS, OWN

HEAD = '''"""A search of Generative Explorer's CLIP tab, with open_clip and numpy alone.

    pip install open_clip_torch numpy
    python clip_search.py FOLDER_OF_PICTURES [MODEL]
"""

import sys
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image, ImageOps

'''

BODY = '''
ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


def load(name):
    """The model, its preprocessing and its tokenizer, from a folder or from the Hub."""
    place = Path(name)
    source = f"local-dir:{place.resolve()}" if place.is_dir() else f"hf-hub:{name}"
    merges = place / "bpe.txt.gz"  # a vocabulary of its own
    model, preprocess = open_clip.create_model_from_pretrained(source)
    tokenize = open_clip.get_tokenizer(source, **({"bpe_path": str(merges)} if merges.is_file() else {}))
    return model.eval(), preprocess, tokenize


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def opened(path):
    """A picture as it is seen: upright, and on white where it is transparent."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


@torch.inference_mode()
def image_vector(path):
    return model.encode_image(preprocess(opened(path))[None])[0].float().numpy()


@torch.inference_mode()
def text_vector(text):
    """The mean of the text's unit vectors in all templates; in one, as the tower gives it."""
    vectors = model.encode_text(tokenize([template.replace("{}", text) for template in TEMPLATES])).float().numpy()
    return vectors[0] if len(TEMPLATES) == 1 else unit(unit(vectors).mean(0))


def query_vector():
    """The weighted sum of the terms, of length 1; balanced terms are all of the same length before their weights."""
    total = 0
    for kind, what, weight in TERMS:
        vector = text_vector(what) if kind == "text" else image_vector(what)
        total = total + weight * (unit(vector) if BALANCED else vector)
    return unit(total)


model, preprocess, tokenize = load(sys.argv[2] if len(sys.argv) > 2 else MODEL)
paths = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix.lower() in ENDINGS)
if not paths:
    sys.exit(f"There is no picture below {sys.argv[1]}.")
pictures = unit(np.stack([image_vector(path) for path in paths]))
scores = pictures @ query_vector()  # cosines
for i in np.argsort(scores if LEAST else -scores, kind="stable")[:SHOWN]:
    print(f"{scores[i]:.4f}  {paths[i]}")
'''


def script(request: dict, shown: int = 24) -> str:
    """The Python that ranks a folder by the terms, weights and templates of a request as `search` takes it.

    Pictures among the terms are named by a file to be put in their place. Raises ValueError with one sentence.
    """
    terms = query.terms_of(request.get("terms"))
    if not terms:
        raise ValueError("Write what to look for, or add a picture; then there is a script for it.")
    rows, pictures = [], 0
    for term in terms:
        pictures += term["kind"] == "image"
        rows.append((term["kind"], term["text"] if term["kind"] == "text" else f"picture-{pictures}.png", term["weight"]))
    model, about = _model(str(request.get("model") or OURS))
    note = "  # text or image, the words or the picture's file, its weight" + ("; put your files here" if pictures else "")
    lines = [
        f"MODEL = {model!r}  # {about}",
        f"TERMS = [{note}",
        *(f"    {row!r}," for row in rows),
        "]",
        f"TEMPLATES = {query.templates(request.get('template'))!r}  # around the words of a text",
        f"BALANCED = {request.get('balanced', True) is not False}  # whether all terms have the same length before their weights",
        f"LEAST = {bool(request.get('least'))}  # the least similar first",
        f"SHOWN = {shown}",
    ]
    left = [what for name, what in LEFT.items() if request.get(name)]
    if left:
        lines.insert(0, f"# Not in this script: {', '.join(left)}.")
    return HEAD + "\n".join(lines) + "\n" + BODY


LEFT = {
    "where": "the filters", "likes": "the liked pictures", "dislikes": "the disliked pictures", "duplicates": "near-duplicates",
    "random": "the random order",
}  # fmt: skip


def _model(name: str) -> tuple[str, str]:
    """What to load, and what that is; never where a model of the host's lies."""
    if name == OURS:
        return f"assets/{folder.SHIPPED}", "a folder of Generative Explorer's repository"
    if name == OWN:
        return "FOLDER_OF_THE_MODEL", "the host's own model: put its folder here"
    if name not in {entry.hub for entry in ENTRIES}:
        raise ValueError("There is no CLIP model of that name here; choose one from the menu.")
    return name, "on the Hugging Face Hub"
