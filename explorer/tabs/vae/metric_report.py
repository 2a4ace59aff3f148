"""python -m explorer.tabs.vae.metric_report: the metrics that take minutes, computed once and put beside the weights.

metrics.json holds the checksum of the weights it was made from; where they are others by now, it is not shown.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from explorer import assets
from explorer.tabs.vae import engine, metric_codes, metric_path, metric_toys, worlds
from explorer.tabs.vae import metric_scores as scores
from explorer.tabs.vae.metric_rotation import Turn

NAME = "metrics.json"
TOYS = "toys"
LEARN, CHECK = 4000, 2000  # codes that DCI and SAP learn from and are checked on, as in the golden table
SEED = 0
ANGLES = 0, 15, 30, 45
PATHS = 400
VOTES = 10_000, 5_000
STRAIGHT = Turn()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=[TOYS, "faces", *worlds.DATA], help="toys, faces, digits, avatars")
    parser.add_argument("--out", type=Path, default=assets.SHIPPED / "vae")
    parser.add_argument("--codes", type=int, default=metric_codes.MOST)
    args = parser.parse_args(argv)
    for what in args.what:
        if what == TOYS:
            write(args.out / TOYS, {"toys": {toy: of_toy(toy) for toy in metric_toys.TOYS},
                                    "angles": [of_toy("perfect", Turn(degrees=a)) | {"degrees": a} for a in ANGLES]})  # fmt: skip
        elif what == "faces":
            vae = engine.load()
            told = {"weights": vae.card["sha256"], "models": {"faces": of_model(vae, args.codes)}}
            told["turned"] = of_model(vae, args.codes, Turn("all", seed=SEED, part=1), path=False)
            write(args.out / "avatars", told)
        elif what in worlds.DATA:
            dial = worlds.load(what)
            told = {f"{what}-{stop}": of_model(vae, args.codes) for stop, vae in dial.stops.items()}
            write(args.out / f"worlds-{what}", {"weights": dial.card["sha256"], "models": told})
        else:
            print(f"There are {TOYS}, faces, {' and '.join(worlds.DATA)} to report on; not {what}.", file=sys.stderr)
            return 2
    return 0


def of_toy(toy: str, turn: Turn = STRAIGHT) -> dict:
    """The five metrics of a code of three known factors."""
    z, v, z_test, v_test = metric_toys.pair(toy, LEARN, CHECK)
    turned = turn.matrix(z.shape[1]).T
    rng = np.random.RandomState(2)
    spread = (metric_toys.code(toy, rng, metric_toys.factors(rng, 5000)) @ turned).var(0, ddof=1)
    fresh = metric_toys.draw(toy)
    told = _learnt(z @ turned, v, z_test @ turned, v_test)
    told["sap_r2"] = _round(scores.sap(z @ turned, v))
    told["factor_vae"], told["active"] = scores.factor_score(lambda r, k: fresh(r, k) @ turned, 3, spread, rng, 2000, 1000)
    return told | {"mig": _round(scores.mig(z @ turned, v)), "n": len(z)}


def of_model(vae, count: int = metric_codes.MOST, turn: Turn = STRAIGHT, path: bool = True) -> dict:
    """All metrics that make sense for what is known of its pictures."""
    begun, told = time.monotonic(), {}
    if path:
        for eyes in ("judge", "pixels") if vae.source.judged else ("pixels",):
            mean, error = metric_path.path_length(vae, eyes, PATHS)
            told["path_" + eyes] = {"mean": _round(mean), "error": _round(error), "n": PATHS}
    codes = metric_codes.all_of(vae)
    z, v = (part[: min(count, codes.total)] for part in (codes.z, codes.v))
    z = z @ turn.matrix(vae.dims).T
    if v.shape[1]:
        learn, check = _parts(len(z))
        told |= {"n": len(z), "mig": _round(scores.mig(z, v)), **_learnt(z[:learn], v[:learn], z[-check:], v[-check:])}
    if v.shape[1] > 1:
        fresh, spread = scores.pool(z, v), z.var(0, ddof=1)
        told["factor_vae"], told["active"] = scores.factor_score(fresh, v.shape[1], spread, np.random.RandomState(2), *VOTES)
        told["factor_vae"] = _round(told["factor_vae"])
    print(f"{vae.facts['title']}: {time.monotonic() - begun:.0f} s.", flush=True)
    return told


def _parts(n: int) -> tuple[int, int]:
    """How many learn and how many check: two thirds and one third of few."""
    return (LEARN, CHECK) if n >= LEARN + CHECK else (2 * n // 3, n - 2 * n // 3)


def _learnt(z, v, z_test, v_test) -> dict:
    """DCI and SAP; NaN, which means that it makes no sense here, becomes None."""
    found = scores.dci(z, v, z_test, v_test, SEED, lambda done, total: print(f"  DCI, factor {done} of {total}", flush=True))
    told = {"d": found.disentanglement, "c": found.completeness, "inf": found.informativeness,
            "sap": scores.sap(z, v, z_test, v_test)}  # fmt: skip
    told = {name: None if np.isnan(value) else _round(value) for name, value in told.items()}
    return told | {"learn": len(z), "check": len(z_test), "importances": np.round(found.importances, 4).tolist()}


def _round(value: float) -> float:
    return round(float(value), 4)


def write(folder: Path, told: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    path.write_text(json.dumps(told | {"bins": scores.BINS, "seed": SEED}, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path} is written.", flush=True)


def read(model: str, weights: str | None = None) -> dict:
    """What was computed for "avatars", "worlds-digits" or "toys"; {} where there is nothing, or it is of other weights."""
    for root in assets.roots():
        try:
            told = json.loads((root / "vae" / model / NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(told, dict) and told.get("weights") == weights:
            return told
    return {}


if __name__ == "__main__":
    sys.exit(main())
