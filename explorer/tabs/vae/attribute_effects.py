"""What an edit does: to one picture along its dose, to many held-out ones, to their likeness. The reader says, not the codes.

How far an attribute moved is the total variation between its probabilities before and after, 1/2 sum |p - p'|: 0 where
nothing moved, 1 where it became something else for certain. The share of pictures that read differently stands beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from explorer.tabs.vae import attribute_pool, attribute_reader, attribute_stack
from explorer.tabs.vae.attribute_stack import Edit
from explorer.tabs.vae.engine import Vae

FACES = 200  # held-out pictures per edit
CHUNK = 50
DOSES = np.linspace(-2, 2, 33)  # of a film
DRIFT, DRIFTERS = np.linspace(0, 3, 13), 40  # doses, pictures
EXAMPLES = 6

# One edit for each attribute, so that a matrix is square.
USUAL = (
    ("hair", "short", "long"), ("hair colour", "black", "blonde"), ("skin", "pale", "dark"), ("eyes", "calm", "wide"),
    ("brows", "level", "raised"), ("mouth", "sad", "smile"), ("glasses", "none", "sunglasses"), ("beard", "none", "full"),
    ("shirt", "blue", "red"), ("background", "white", "blue"),
)  # fmt: skip


def usual(factors: dict[str, tuple[str, ...]], method: str = "mean") -> list[Edit]:
    """The edits of a matrix: the known ones, and from the first to the second value of any other factor."""
    known = {edit[0]: edit for edit in USUAL if edit[0] in factors and {*edit[1:]} <= {*factors[edit[0]]}}
    if list(factors) == ["digit"]:
        return [Edit("digit", "rest", value, method) for value in factors["digit"]]
    return [Edit(*known.get(name, (name, *values[:2])), method) for name, values in factors.items() if len(values) > 1]


def moved(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Total variation per picture and factor."""
    return {name: np.abs(after[name] - before[name]).sum(1) / 2 for name in before}


def changed(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Whether the likeliest value is another one, per picture and factor."""
    return {name: after[name].argmax(1) != before[name].argmax(1) for name in before}


@dataclass
class Row:
    """One edit over N held-out pictures. moved, changed: factor -> mean. hit: share that then shows the wanted value.
    worst: factor -> the numbers of the pictures in which it moved most."""

    edit: Edit
    faces: int
    moved: dict[str, float]
    changed: dict[str, float]
    hit: float | None
    length: float
    worst: dict[str, list[int]] = field(default_factory=dict)

    def told(self) -> dict:
        def short(values):
            return {name: round(float(value), 4) for name, value in values.items()}

        hit = None if self.hit is None else round(self.hit, 4)
        told = {"edit": self.edit.text, "faces": self.faces, "hit": hit, "length": round(self.length, 3), "worst": self.worst}
        return told | {"moved": short(self.moved), "changed": short(self.changed)}


def starters(vae: Vae, edit: Edit, most: int) -> np.ndarray:
    """Numbers of the held-out pictures that an edit is tried on: those that show what it starts from."""
    pool = attribute_pool.of(vae)
    if edit.factor == attribute_stack.OWN:
        return np.arange(pool.fit, len(pool.mu))[:most]
    found = pool.sides(edit.factor, edit.before, edit.after, held=True)[0][:most]
    if not len(found):
        raise ValueError("No held-out picture shows what this edit starts from.")
    return found


def steps(vae: Vae, session: str, edit: Edit, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One dose for each of these pictures (N, D), and which of them it can be had for (N,)."""
    pool = attribute_pool.of(vae)
    if edit.how != "alike":
        return np.repeat(attribute_stack.direction(vae, session, edit).step[None], len(numbers), 0), np.ones(len(numbers), bool)
    out, there = np.zeros((len(numbers), pool.mu.shape[1])), np.zeros(len(numbers), bool)
    for k, number in enumerate(numbers):
        values = {name: int(pool.column(name)[number]) for name in edit.keep}
        try:
            out[k], there[k] = attribute_stack.direction(vae, session, edit, values).step, True
        except ValueError:
            continue
    if not there.any():
        raise ValueError("Too few pictures are alike in all of that; keep fewer attributes.")
    return out, there


def row(vae: Vae, session: str, edit: Edit, dose: float | None = None) -> Iterator[int | Row]:
    """Tries an edit on held-out pictures: yields how many are done, at last the Row."""
    pool, reader = attribute_pool.of(vae), _reader(vae)
    dose = edit.amount if dose is None else dose
    numbers = starters(vae, edit, FACES)
    step, there = steps(vae, session, edit, numbers)
    numbers, step = numbers[there], step[there]
    before, after = [], []
    for start in range(0, len(numbers), CHUNK):
        part = slice(start, start + CHUNK)
        mu = pool.mu[numbers[part]]
        before.append(reader.read(vae.decode(_within(vae, mu))))
        after.append(reader.read(vae.decode(_within(vae, mu + dose * step[part]))))
        yield min(start + CHUNK, len(numbers))
    before, after = ({name: np.concatenate([one[name] for one in side]) for name in side[0]} for side in (before, after))
    tv, other = moved(before, after), changed(before, after)
    hit = None
    if edit.factor in after:
        hit = float((after[edit.factor].argmax(1) == pool.value(edit.factor, edit.after)).mean())
    means = [{name: float(v.mean()) for name, v in found.items()} for found in (tv, other)]
    worst = {name: numbers[np.argsort(-v)[:EXAMPLES]].tolist() for name, v in tv.items()}
    yield Row(edit, len(numbers), *means, hit, float(np.linalg.norm(step, axis=1).mean()), worst)


def examples(vae: Vae, session: str, edit: Edit, numbers: list[int]) -> np.ndarray:
    """(2 N, size, size, 3): pictures before and after one dose, in pairs."""
    pool, numbers = attribute_pool.of(vae), np.asarray(numbers, np.int64)
    step, _ = steps(vae, session, edit, numbers)
    pairs = np.stack([pool.mu[numbers], pool.mu[numbers] + edit.amount * step], 1)
    return vae.decode(_within(vae, pairs.reshape(-1, vae.dims)))


def drift(vae: Vae, session: str, edit: Edit) -> Iterator[int | dict]:
    """How an edit wears on identity, dose by dose: yields how many doses are done, at last the curves.

    `cosine`: between the features of the pictures before and after, less their mean over all pictures, so that two strangers
    have about 0. `kept`: the share of the other attributes that still read the same. `hit`: that show what was wanted.
    """
    pool, reader = attribute_pool.of(vae), _reader(vae)
    numbers = starters(vae, edit, DRIFTERS)
    step, there = steps(vae, session, edit, numbers)
    numbers, step = numbers[there], step[there]
    plain = vae.decode(_within(vae, pool.mu[numbers]))
    start, look = reader.read(plain), reader.features(plain)
    middle = look.mean(0)
    curves = {"dose": [], "hit": [], "kept": [], "cosine": [], "sure": []}
    for k, dose in enumerate(DRIFT):
        pictures = vae.decode(_within(vae, pool.mu[numbers] + dose * step))
        read = reader.read(pictures)
        rest = [v for name, v in changed(start, read).items() if name != edit.factor]
        curves["dose"].append(float(dose))
        if edit.factor in read:
            curves["hit"].append(float((read[edit.factor].argmax(1) == pool.value(edit.factor, edit.after)).mean()))
        curves["kept"].append(1 - float(np.mean(rest)) if rest else None)
        curves["cosine"].append(float(_cosine(look - middle, reader.features(pictures) - middle).mean()))
        curves["sure"].append(float(np.mean([p.max(1).mean() for p in read.values()])))
        yield k + 1
    yield {"faces": len(numbers), **{name: [None if v is None else round(v, 4) for v in found] for name, found in curves.items()}}


# ---- One picture along its dose -----------------------------------------------------------------------------------------


def film(vae: Vae, applied: attribute_stack.Applied, edits: list[Edit], which: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames of the stack with the amount of one edit running from -2 to 2: codes (F, D), pictures (F, size, size, 3).

    Codes beyond what the decoder takes are held at its edge.
    """
    stacks = ([*edits[:which], replace(edits[which], amount=float(dose)), *edits[which + 1 :]] for dose in DOSES)
    z = np.stack([attribute_stack.moved(applied.mu, stack, applied.directions)[0] for stack in stacks])
    return z, vae.decode(_within(vae, z))


def reading(vae: Vae, edit: Edit, frames: np.ndarray) -> dict:
    """What the reader says along a film: the probability of the wanted value, where it becomes the likeliest going out from the
    middle, and where, going either way, the first of the other attributes reads differently than in the middle."""
    reader = attribute_reader.of(vae)
    if reader is None:
        return {"doses": DOSES.tolist(), "wanted": None, "flip": None, "side": []}
    read, middle = reader.read(frames), len(frames) // 2
    told = {"doses": DOSES.tolist(), "wanted": None, "flip": None, "side": [], "start": None}
    told["sure"] = [round(float(v), 4) for v in np.mean([p.max(1) for p in read.values()], 0)]
    if edit.factor in read:
        target = list(_factors(vae)[edit.factor]).index(edit.after)
        told["wanted"] = [round(float(v), 4) for v in read[edit.factor][:, target]]
        is_it = read[edit.factor].argmax(1) == target
        ways = range(middle, len(frames))
        told["flip"] = next((float(DOSES[k]) for k in ways if is_it[k]), None)
        told["start"] = bool(is_it[middle])
    for way in (range(middle + 1, len(frames)), range(middle - 1, -1, -1)):
        for k in way:
            others = [
                {"factor": name, "from": _factors(vae)[name][p[middle].argmax()], "to": _factors(vae)[name][p[k].argmax()]}
                for name, p in read.items()
                if name != edit.factor and p[k].argmax() != p[middle].argmax()
            ]
            if others:
                told["side"].append({"dose": float(DOSES[k]), **others[0]})
                break
    told["values"] = {name: p.argmax(1).tolist() for name, p in read.items()}
    return told


def words(vae: Vae, frames: np.ndarray) -> list[list[dict]]:
    """What the reader says of each picture: [{factor, value, p}], [] where there is no reader."""
    reader = attribute_reader.of(vae)
    if reader is None:
        return [[] for _ in frames]
    read = reader.read(frames)
    known = _factors(vae)

    def said(k):
        tops = [(name, int(p[k].argmax()), float(p[k].max())) for name, p in read.items()]
        return [{"factor": name, "value": known[name][top], "p": round(sure, 3)} for name, top, sure in tops]

    return [said(k) for k in range(len(frames))]


def _factors(vae: Vae) -> dict[str, tuple[str, ...]]:
    return vae.source.factors


def _reader(vae: Vae):
    reader = attribute_reader.of(vae)
    if reader is None:
        raise ValueError("Nothing is known of this model's pictures, so nobody can say what an edit changed.")
    return reader


def _within(vae: Vae, z: np.ndarray) -> np.ndarray:
    return np.clip(z, -vae.far, vae.far).astype(np.float32)


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-9)
