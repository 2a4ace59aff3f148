"""Arithmetic with faces: king - man + woman. The sum of codes, what it should show, and whose face is nearest to it."""

from functools import lru_cache

import numpy as np

from explorer.tabs.vae import attribute_effects, attribute_pool, attribute_stack
from explorer.tabs.vae.attribute_pool import Pool
from explorer.tabs.vae.engine import Vae

TERMS, WEIGHT = 6, 3.0
# A triple of held-out faces in which every attribute is decided, and the judge finds all ten where they should be: the
# first two differ in their hair cut and in the sunglasses alone.
USUAL = (("random:3047", 1.0), ("random:3249", -1.0), ("random:49", 1.0))


def terms(given) -> list[tuple[str, float]]:
    """[{picture, weight}] -> pairs. Raises ValueError."""
    if not isinstance(given, list) or not 1 <= len(given) <= TERMS:
        raise ValueError(f"An equation has 1 to {TERMS} faces.")
    out = []
    for one in given:
        picture, weight = (one.get("picture"), one.get("weight")) if isinstance(one, dict) else (None, None)
        if not isinstance(picture, str) or len(picture) > 100:
            raise ValueError("Each term of an equation names a picture.")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not abs(weight) <= WEIGHT:
            raise ValueError(f"A weight lies between -{WEIGHT:g} and {WEIGHT:g}.")
        out.append((picture, float(weight)))
    return out


def expected(values: list[dict[str, str]], weights: list[float]) -> dict[str, str | None]:
    """What the sum should show, factor by factor: the one value on which the weights add up to 1 while they cancel on all others.
    None where the terms leave it open."""
    out = {}
    for factor in values[0] if values else ():
        sums: dict[str, float] = {}
        for one, weight in zip(values, weights):
            sums[one[factor]] = sums.get(one[factor], 0) + weight
        left = {value: total for value, total in sums.items() if abs(total) > 1e-6}
        out[factor] = next(iter(left)) if len(left) == 1 and abs(sum(left.values()) - 1) < 1e-6 else None
    return out


def solve(vae: Vae, session: str, given: list[tuple[str, float]], edits: list, picture: str) -> dict:
    """The terms' pictures, their sum decoded, the nearest held-out picture, and whether the attributes add up."""
    pool = attribute_pool.of(vae)
    codes, pictures = [], []
    for name, _ in given:
        if name == "edit":
            z = attribute_stack.reach(vae, attribute_stack.apply(vae, session, picture, edits).z)
            codes.append(z.astype(np.float64))
            pictures.append(vae.decode(z[None])[0])
        else:
            pictures.append(attribute_stack.pixels(vae, session, name))
            codes.append(vae.encode(pictures[-1][None]).mu[0].astype(np.float64))
    weights = [weight for _, weight in given]
    z = np.einsum("t,td->d", weights, np.stack(codes))
    result = vae.decode(attribute_stack.reach(vae, z)[None])[0]
    used = {int(name.partition(":")[2]) for name, _ in given if name.startswith("random:")}
    number, distance = nearest(pool, z, used)
    neighbour = attribute_pool.picture(vae.source, number)
    read = attribute_effects.words(vae, np.stack([*pictures, result, neighbour]))
    values = [{one["factor"]: one["value"] for one in found} for found in read]
    wanted = expected(values[: len(given)], weights) if values[0] else {}
    return {
        "z": z, "pictures": np.stack([*pictures, result, neighbour]), "read": read,
        "wanted": wanted, "right": sum(values[-2][name] == value for name, value in wanted.items() if value is not None),
        "open": sum(value is None for value in wanted.values()),
        "nearest": {
            "number": number, "distance": distance, "usual": usual_distance(pool),
            "same": sum(values[-1][name] == value for name, value in values[-2].items()), "of": len(values[-1]),
        },
        "weights": float(sum(weights)),
    }  # fmt: skip


def nearest(pool: Pool, z: np.ndarray, but: set[int]) -> tuple[int, float]:
    """The number of the held-out picture whose code lies nearest to z, other than those named, and how far."""
    distances = np.linalg.norm(pool.mu - z, axis=1)
    distances[[number for number in but if number < len(distances)]] = np.inf
    distances[: pool.first] = np.inf
    number = int(distances.argmin())
    return number, float(distances[number])


@lru_cache(24)
def usual_distance(pool: Pool) -> float:
    """The median distance from a code to the nearest other one, over 200 of them."""
    return float(np.median([nearest(pool, pool.mu[k], {k})[1] for k in range(pool.first, len(pool.mu))[:200]]))
