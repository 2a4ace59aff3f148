"""Four ways to find out what a CLIP model does not understand: wording, order of words, arithmetic, and written words.

Each is a function (model, picture or none, request) -> answer; what they take and give stands at each of them.
"""

from PIL import Image

from explorer.tabs.clip_search import arithmetic, order, typographic, wording

KINDS = {
    "prompts": wording.prompts, "order": order.order, "arithmetic": arithmetic.arithmetic, "typographic": typographic.typographic,
}  # fmt: skip


def probe(model, picture: Image.Image | None, given: dict) -> dict:
    """{kind: prompts | order | arithmetic | typographic, ...} -> {kind, ..., say: a sentence on what was found}.

    The picture is the one that given["ref"] names; none: a face is chosen. Raises ValueError with one sentence.
    """
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}.")
    return {"kind": kind} | KINDS[kind](model, picture, given)
