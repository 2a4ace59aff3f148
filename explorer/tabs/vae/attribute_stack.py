"""Edits as text, and what a stack of them does to a code: z = mu + a1 d1 + a2 d2 + ...

An edit is "factor,from,to,method,keep,how,amount", such as "glasses,none,sunglasses,mean,,,1", or of one's own pictures
"own,with,without,mean,keep,how,amount", such as "own,gallery:3+random:5,gallery:1,mean,,,0.5"; ";" stands between edits. An
amount is in doses; with "@" before it, it is the distance from the plane to end at.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from explorer.tabs.vae import attribute_directions as directions
from explorer.tabs.vae import attribute_pool, attribute_reader, subjects
from explorer.tabs.vae.attribute_directions import Direction
from explorer.tabs.vae.attribute_pool import Pool
from explorer.tabs.vae.engine import Vae

MOST, PICKED, AMOUNT = 6, 12, 4.0  # edits in a stack, pictures on a side, doses
OWN = "own"
WAYS = {
    "span": "projections subtracted",
    "white": "projections subtracted in the whitened space",
    "alike": "fitted among pictures that agree in what is kept",
}


@dataclass(frozen=True)
class Edit:
    """From `before` to `after` of a factor; for one's own, `after` are the pictures with it and `before` those without."""

    factor: str
    before: str
    after: str
    method: str = "mean"
    keep: tuple[str, ...] = ()
    how: str = ""
    amount: float = 1.0
    absolute: bool = False

    @property
    def text(self) -> str:
        amount = ("@" if self.absolute else "") + f"{self.amount:g}"
        return ",".join([self.factor, self.before, self.after, self.method, "+".join(self.keep), self.how, amount])

    @property
    def bare(self) -> "Edit":
        """The same direction, whatever its amount."""
        return replace(self, amount=1.0, absolute=False)


def parse(text: str | None) -> list[Edit]:
    """The edits of a text; none of an empty one. Raises ValueError with a sentence."""
    if not isinstance(text or "", str) or len(text or "") > 4000:
        raise ValueError("A stack of edits is a short text.")
    parts = [part for part in (text or "").split(";") if part]
    if len(parts) > MOST:
        raise ValueError(f"A stack holds {MOST} edits at most; take one away first.")
    return [_edit(part) for part in parts]


def _edit(text: str) -> Edit:
    fields = text.split(",")
    if len(fields) != 7:
        raise ValueError('An edit reads "factor,from,to,method,keep,how,amount".')
    factor, before, after, method, keep, how, amount = fields
    keep = tuple(sorted(set(filter(None, keep.split("+")))))
    if method not in directions.METHODS:
        raise ValueError(f"Directions are found by {', '.join(directions.METHODS)}; not by {method[:20]!r}.")
    if how not in ("", *WAYS) or bool(how) != bool(keep):
        raise ValueError(f"What an edit keeps, it keeps in one of these ways: {', '.join(WAYS)}.")
    if factor in keep:
        raise ValueError("An edit cannot keep what it is to change.")
    if not re.fullmatch(r"@?-?\d{1,3}(\.\d{1,6})?", amount) or abs(float(amount.lstrip("@"))) > AMOUNT:
        raise ValueError(f"An amount lies between -{AMOUNT:g} and {AMOUNT:g} doses.")
    return Edit(factor, before, after, method, keep, how, float(amount.lstrip("@")), amount.startswith("@"))


# ---- Pictures and their codes -------------------------------------------------------------------------------------------


def pixels(vae: Vae, session: str, name) -> np.ndarray:
    """(size, size, 3): "gallery:3", "upload:...", or "random:17" of the pool. Raises ValueError."""
    if not isinstance(name, str):
        raise ValueError("A picture is named by a text, such as gallery:3.")
    kind, _, key = name.partition(":")
    if kind == "random":
        if not (key.isascii() and key.isdecimal() and len(key) < 7):
            raise ValueError("A random picture is random: and its number.")
        return attribute_pool.picture(vae.source, int(key))
    return subjects.pixels(vae, session, name)


def code(vae: Vae, session: str, name) -> np.ndarray:
    """(D,) mu of a picture."""
    return vae.encode(pixels(vae, session, name)[None]).mu[0].astype(np.float64)


def shown(vae: Vae, picture: np.ndarray) -> dict[str, int]:
    """The value of each factor that the reader sees, {} where there is no reader."""
    reader = attribute_reader.of(vae)
    return {} if reader is None else {name: int(p[0].argmax()) for name, p in reader.read(picture[None]).items()}


# ---- Directions ---------------------------------------------------------------------------------------------------------


def direction(vae: Vae, session: str, edit: Edit, values: dict[str, int] | None = None) -> Direction:
    """The direction of an edit. `values` are those of the picture that is edited: "alike" fits among pictures like it."""
    pool = attribute_pool.of(vae)
    if edit.factor == OWN:
        with_, plain = (_picked(vae, session, side) for side in (edit.after, edit.before))
        return _freed(pool, directions.fit(edit.method, plain, with_), edit, plain.mean(0), with_.mean(0))
    alike = tuple((name, (values or {}).get(name, -1)) for name in edit.keep) if edit.how == "alike" else ()
    if any(value < 0 for _, value in alike):
        raise ValueError("Nobody can say what this picture shows, so no pictures can be like it; subtract projections instead.")
    return known(pool, edit.bare, alike)


@lru_cache(512)
def known(pool: Pool, edit: Edit, alike: tuple = ()) -> Direction:
    """The direction of a known factor; `alike` ((factor, value), ...) are what both groups must show."""
    sides = groups(pool, edit, alike)
    return _freed(pool, directions.fit(edit.method, *sides), edit, *(side.mean(0) for side in sides))


def groups(pool: Pool, edit: Edit, alike: tuple = (), held: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The codes of both sides."""
    sides = pool.sides(edit.factor, edit.before, edit.after, held)
    for name, value in alike:
        sides = tuple(side[pool.column(name)[side] == value] for side in sides)
    if not held and min(map(len, sides)) < directions.LEAST:
        raise ValueError(f"Fewer than {directions.LEAST} pictures on a side are like this one; keep fewer attributes.")
    return tuple(pool.mu[side] for side in sides)


def _freed(pool: Pool, found: Direction, edit: Edit, before: np.ndarray, after: np.ndarray) -> Direction:
    """The same less what would move the attributes that are kept, per the edit's way. Its plane then goes through the middle of
    both groups' averages, and its dose is what they are apart along what is left of it."""
    if edit.how not in ("span", "white"):
        return found
    others = np.concatenate([pool_spread(pool, name) for name in edit.keep])
    step = directions.without(found.step, others, within(pool) if edit.how == "white" else None)
    length = float(np.linalg.norm(step))
    normal = step / length if length > 1e-3 * found.dose else np.zeros_like(step)
    apart = float(normal @ (after - before))
    if apart < 1e-3 * np.linalg.norm(after - before):
        raise ValueError("Nothing of this edit is left when all of that is kept; keep fewer attributes.")
    return Direction(normal * apart, normal, float(-normal @ (before + after) / 2))


@lru_cache(256)
def pool_spread(pool: Pool, factor: str) -> np.ndarray:
    """How a factor moves the codes that are fitted on: a basis."""
    return directions.spread(pool.mu[: pool.fit], pool.column(factor)[: pool.fit], len(pool.factors[factor]))


@lru_cache(24)
def within(pool: Pool) -> np.ndarray:
    """(D, D): the inverse of the covariance that is left when what each factor adds to a code is taken away."""
    mu, labels = pool.mu[: pool.fit], pool.labels[: pool.fit]
    shares = np.concatenate([np.eye(len(values))[labels[:, k]] for k, values in enumerate(pool.factors.values())], 1)
    rest = mu - shares @ np.linalg.lstsq(shares, mu, rcond=None)[0]
    return np.linalg.pinv(np.cov(rest.T).reshape(mu.shape[1], -1), rcond=1e-9)


def _picked(vae: Vae, session: str, names: str) -> np.ndarray:
    found = [name for name in names.split("+") if name]
    if not found:
        raise ValueError("Pick at least one picture with it and one without.")
    if len(found) > PICKED:
        raise ValueError(f"{PICKED} pictures on a side are enough.")
    return vae.encode(np.stack([pixels(vae, session, name) for name in found])).mu.astype(np.float64)


def alike(pool: Pool, own: Direction) -> dict:
    """The known attribute that a direction of one's own is most like: {factor, value, cosine, accuracy}. The accuracy is that of
    its plane, telling held-out pictures with that value from all others."""
    best, cosine = None, -2.0
    for factor, values in pool.factors.items():
        for value in values:
            try:
                found = float(known(pool, Edit(factor, "rest", value)).normal @ own.normal)
            except ValueError:
                continue
            if found > cosine:
                best, cosine = (factor, value), found
    if best is None:
        raise ValueError("No attribute has a direction in this model.")
    accuracy = own.accuracy(*groups(pool, Edit(best[0], "rest", best[1]), held=True))
    return {"factor": best[0], "value": best[1], "cosine": round(cosine, 4), "accuracy": round(accuracy, 4)}


# ---- A stack at work ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Applied:
    """mu (D,) of the picture, z (D,) after all edits, the directions, how many doses each took, what the reader saw before."""

    mu: np.ndarray
    z: np.ndarray
    directions: list[Direction]
    doses: list[float]
    values: dict[str, int]


def apply(vae: Vae, session: str, picture: str, edits: list[Edit]) -> Applied:
    """A stack on the mean code of a picture."""
    face = pixels(vae, session, picture)
    mu = vae.encode(face[None]).mu[0].astype(np.float64)
    values = shown(vae, face)
    found = [direction(vae, session, edit, values) for edit in edits]
    z, doses = moved(mu, edits, found)
    return Applied(mu, z, found, doses, values)


def moved(mu: np.ndarray, edits: list[Edit], found: list[Direction]) -> tuple[np.ndarray, list[float]]:
    """z of a stack, and how many doses each edit took. All that are to end at a distance do so together, after the others: a
    step towards one plane also moves a code against the next, so their doses solve one linear system. Where no code lies at
    all those distances, such as on two sides of one plane, it is the code that misses them least."""
    doses = np.array([0.0 if edit.absolute else edit.amount for edit in edits])
    steps = np.stack([d.step for d in found]) if found else np.zeros((0, len(mu)))
    to = [k for k, edit in enumerate(edits) if edit.absolute]
    if to:
        start = mu + doses @ steps
        missing = [edits[k].amount - float(found[k].distance(start)) for k in to]
        turns = np.array([found[k].normal @ steps[to].T / found[k].dose for k in to])
        doses[to] = np.linalg.lstsq(turns, missing, rcond=1e-6)[0]
    return mu + doses @ steps, doses.tolist()


def reach(vae: Vae, z: np.ndarray) -> np.ndarray:
    """z as float32 that the decoder takes. Raises ValueError where the edits lead too far."""
    if not np.isfinite(z).all() or np.abs(z).max() > vae.far:
        raise ValueError("These doses lead further out than the decoder goes; use smaller ones.")
    return z.astype(np.float32)
