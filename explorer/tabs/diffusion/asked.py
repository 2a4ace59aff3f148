"""What a visitor asks of a run: plain values in, Settings out, one sentence where something is impossible."""

from dataclasses import asdict, replace

from explorer.tabs.diffusion import labels, prompts, sampler, schedulers

STRENGTH = (0.05, 1.0)
SEEDS = (0, 2**32 - 1)  # that a page offers
PROMPT_CHARS = 100_000  # 10,000 words; what the encoder does not read is cut off, with a warning
KEPT_CHARS = 2_000  # of such a prompt: more than any encoder here reads
FIXED = {"seed": "seed", "size": "size", "strength": "strength"}  # what a branch shares with its parent


def settings(given: dict, model, picture: bool = False, parent=None) -> sampler.Settings:
    """The Settings that `given` names; what it does not name is the model's default, or in a branch the parent's.

    Raises ValueError with one sentence.
    """
    if not isinstance(given, dict):
        raise ValueError("The settings of a run are a JSON object.")
    known = parent or sampler.Settings(**defaults(model))
    if unknown := sorted(set(given) - set(asdict(known))):
        raise ValueError(f"A run has no setting called {str(unknown[0])[:30]!r}.")

    given = {name: _usual(value) for name, value in given.items()}
    if not isinstance(given.get("scheduler", ""), str):
        raise ValueError(f"There is no such scheduler; choose one of {', '.join(schedulers.NAMES)}.")
    if "labels" in given:
        given["labels"] = _labels(given["labels"])
    for name in ("prompt", "negative"):
        if isinstance(given.get(name), str) and len(given[name]) > PROMPT_CHARS:
            raise ValueError(f"A prompt can have up to {PROMPT_CHARS:,} characters; this one has {len(given[name]):,}.")
    wanted = replace(known, **given)
    if parent is None:
        return sampler.checked(model, wanted, picture)
    checked = replace(sampler.checked(model, wanted), strength=wanted.strength)
    if changed := next((word for name, word in FIXED.items() if getattr(checked, name) != getattr(parent, name)), None):
        raise ValueError(f"A branch shares its first frames with another run, so its {changed} cannot be another.")
    return checked


def defaults(model) -> dict:
    """What a run of this model has where nothing is asked."""
    return {"steps": model.steps, "guidance_scale": model.guidance_scale, "scheduler": model.scheduler}


def plain(wanted: sampler.Settings) -> dict:
    """Settings as JSON: the labels as an object."""
    return asdict(wanted) | {"labels": dict(wanted.labels)}


def read(wanted: sampler.Settings, model) -> tuple[sampler.Settings, list[str]]:
    """The same with no endless text that no encoder reads, and a sentence for all that the model will not understand."""
    said = []
    if wanted.mode != "text":
        return wanted, said
    for name, title in (("prompt", "The prompt"), ("negative", "The negative prompt")):
        text = getattr(wanted, name)
        count, room = tokens(text, model), prompts.room(model.tokenizer, model.context)
        if count > room:
            said.append(f"{title} has {count:,} tokens; the text encoder reads the first {room} only.")
        brief = " ".join(text.split())[:KEPT_CHARS]
        if len(text) > KEPT_CHARS and tokens(brief, model) >= min(count, room + 50):  # its last word may be cut in two
            wanted = replace(wanted, **{name: brief})
    words = list(dict.fromkeys(prompts.unknown(model, wanted.prompt) + prompts.unknown(model, wanted.negative)))
    return wanted, said + ([_strange(words)] if words else [])


def tokens(text: str, model) -> int:
    """How many tokens a text has, its start and its end not counted."""
    return len(model.tokenizer(text, add_special_tokens=False, verbose=False).input_ids)


def scale(value) -> float:
    """A guidance scale, or a sentence."""
    return number(value, sampler.GUIDANCE, "A guidance scale")


def number(value, span: tuple[float, float], title: str) -> float:
    """A number within `span`, which no NaN is, or a sentence."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not span[0] <= value <= span[1]:
        raise ValueError(f"{title} is a number from {span[0]:g} to {span[1]:g}.")
    return float(value)


def _strange(words: list[str]) -> str:
    shown = ", ".join(f"“{word[:24]}”" for word in words[:6]) + (f" and {len(words) - 6} more" if len(words) > 6 else "")
    return f"No caption that this model learnt from has {shown}: do not expect to see it."


def _usual(value):
    """Whole numbers of any length are JSON; beyond floats they are as good as infinite."""
    return float("inf") if isinstance(value, int) and abs(value) > 1e300 else value


def _labels(given) -> tuple[tuple[str, str], ...]:
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ValueError("Labels are an object of attributes and their values.")
    labels.row(given)
    return tuple(given.items())
