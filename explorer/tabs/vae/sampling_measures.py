"""How varied samples are and how typical, over truncation: the trade that psi makes, in numbers with their standard errors."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from explorer.tabs.vae.engine import Vae
from explorer.tabs.vae.path_codes import known_codes
from explorer.tabs.vae.path_eye import Eye
from explorer.tabs.vae.sampling_draw import SOURCES, draw

PSIS = tuple(round(0.125 * i, 3) for i in range(13))  # 0 to 1.5
COUNT = 64  # pictures per point of a curve, of the same seeds at every psi
SURE = 0.9

Tick = Callable[[float], None]


@dataclass(frozen=True)
class Figure:
    """A mean and its standard error."""

    value: float
    error: float


def diversity(features: torch.Tensor) -> Figure:
    """The mean distance over all pairs of pictures (N, M), RMS over features; its error by the jackknife."""
    x = features.double()
    n = len(x)
    if n < 2:
        return Figure(0.0, 0.0)
    apart = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist") / x.shape[1] ** 0.5
    rows, total = apart.sum(1), apart.sum()
    mean = float(total / (n * (n - 1)))
    if n < 3:
        return Figure(mean, 0.0)
    without = (total - 2 * rows) / ((n - 1) * (n - 2))
    error = ((n - 1) / n * (without - without.mean()).square().sum()).sqrt()
    return Figure(mean, float(error))


def mean_of(values: np.ndarray) -> Figure:
    """A mean over independent pictures."""
    values = np.asarray(values, np.float64)
    return Figure(float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0)


def nearest(z: np.ndarray, codes: np.ndarray, own: bool = False) -> np.ndarray:
    """(N, D), (K, D) -> (N,): the Euclidean distance to the nearest code, with `own` to the nearest but the one of its row."""
    apart = torch.cdist(torch.from_numpy(np.asarray(z, np.float64)), torch.from_numpy(np.asarray(codes, np.float64)))
    if own:
        apart.fill_diagonal_(float("inf"))
    return apart.min(1).values.numpy()


def measured(vae: Vae, eye: Eye, z: np.ndarray, near: np.ndarray) -> dict[str, Figure]:
    """Of the pictures of codes z (N, D), of which `near` are the distances to the nearest code.

    diversity, nearest; and for faces that the judge reads certainty, its highest probability of each attribute averaged over
    the ten, and sure, the share of faces where it is surer than SURE of all ten.
    """
    features = eye.features(vae, z)
    found = {"diversity": diversity(features), "nearest": mean_of(near)}
    if eye.name == "judge":
        from explorer.judge import engine

        net = engine.load().net
        with torch.inference_mode():  # its readings follow from the features that are here
            logits = net.head(features.to(next(net.parameters()).device))
            parts = logits.split([count for _, count in net.config.factors], dim=1)
        likeliest = [part.softmax(1).max(1).values.cpu().numpy() for part in parts]
        found |= {"certainty": mean_of(np.mean(likeliest, 0)), "sure": mean_of(np.min(likeliest, 0) > SURE)}
    return found


def curves(vae: Vae, eye: Eye, seed: int, temperature: float, tick: Tick = lambda share: None, count: int = COUNT) -> dict:
    """{psi: [...], n, codes, prior and aggregate: {figure: {value: [...], error: [...]}}, pictures: {figure: {value, error}, n}}.

    "pictures" are the same figures of held-out pictures, each decoded from one draw of its own posterior.
    """
    codes = known_codes(vae)
    made, total = 0, len(SOURCES) * len(PSIS) + 1
    out: dict = {"psi": list(PSIS), "n": count, "codes": len(codes)}
    real = vae.encode(vae.source.batch(min(count, vae.source.most))[0])
    noise = torch.randn(real.mu.shape, generator=torch.Generator().manual_seed(int(seed))).numpy()
    z = (real.mu + real.sigma * noise).clip(-vae.far, vae.far)
    own = nearest(z, codes, own=True) if len(codes) > 1 else np.zeros(len(z))  # both begin with the same pictures
    out["pictures"] = _plain(measured(vae, eye, z, own)) | {"n": len(z)}
    for source in SOURCES:
        rows = []
        for psi in PSIS:
            made += 1
            tick(made / total)
            z = draw(vae, source, count, seed, psi, temperature)
            rows.append(_plain(measured(vae, eye, z, nearest(z, codes))))
        out[source] = {name: {part: [row[name][part] for row in rows] for part in ("value", "error")} for name in rows[0]}
    return out


def _plain(found: dict[str, Figure]) -> dict:
    return {name: {"value": round(one.value, 5), "error": round(one.error, 5)} for name, one in found.items()}
