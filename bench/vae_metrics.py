"""What the metrics of a code cost, in one run: `python -m bench.vae_metrics`

Seconds of one thread for N codes of the faces' width, as ratios to MIG of the same codes, and what turning two of the
numbers costs when only these are computed again, as the page does it.
"""

import argparse
import time

import app  # noqa: F401  the environment in which the app runs, its thread count above all

import numpy as np  # isort: skip
from explorer import corpus
from explorer.tabs.vae import metric_scores as scores

DIMS = 48


def codes(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes that know something: factors of the corpus, spread over the numbers by a random matrix, and noise."""
    rng = np.random.default_rng(0)
    v = np.stack([rng.integers(0, len(names), n) for names in corpus.FACTORS.values()], 1)
    z = (v - v.mean(0)) / v.std(0) @ rng.normal(size=(v.shape[1], DIMS)) / 2 + rng.normal(size=(n, DIMS))
    return z.astype(np.float32), v


def spent(work, turns: int = 3) -> float:
    """The least seconds that this thread computed, of a few turns: others on the machine do not count."""
    found = []
    for _ in range(turns):
        begin = time.thread_time()
        work()
        found.append(time.thread_time() - begin)
    return min(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", type=int, default=10_000)
    parser.add_argument("--dci", type=int, default=300, help="codes that gradient boosting learns from; 4,000 take many minutes")
    args = parser.parse_args()
    z, v = codes(args.codes)
    n, few = len(z), args.dci
    pair, draw, spread = z[:, :2], scores.pool(z, v), z.var(0, ddof=1)

    def svms():
        scores.svm_accuracy(z[:1000], v[:1000], z[1000:1500], v[1000:1500], [0])

    def votes():
        scores.factor_score(draw, v.shape[1], spread, np.random.RandomState(0), 3000, 1500)

    ways = {
        f"MIG, N = {n:,}, {DIMS} numbers": (lambda: scores.mig(z, v), 3),
        "MIG, two numbers of them turned": (lambda: scores.information(pair, v), 3),
        "SAP by R^2, the same codes": (lambda: scores.sap(z, v), 3),
        "SAP by SVMs, 1,000 codes, one number": (svms, 1),
        "FactorVAE score, 3,000 + 1,500 votes": (votes, 1),
        f"DCI, {few:,} codes": (lambda: scores.dci(z[:few], v[:few], z[few : 2 * few], v[few : 2 * few]), 1),
    }
    print(f"{'metric':<48}{'seconds':>10}{'/ MIG':>10}")
    base = None
    for name, (work, turns) in ways.items():
        took = spent(work, turns)
        base = base or took
        print(f"{name:<48}{took:>10.3f}{took / base:>10.2f}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
