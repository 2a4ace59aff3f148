"""What the routes of the paths ask for, each answer made once for all pages, in threads of its own."""

from concurrent.futures import Future
from weakref import ref

import numpy as np

from explorer.tabs.vae import path_board, path_eye, path_geodesic, path_lines, sampling_draw, sampling_measures
from explorer.tabs.vae.engine import Vae
from explorer.tabs.vae.path_jobs import Job, Jobs, Promises

WAYS = ("lerp", "slerp", "geodesic")
FIRST = "This path is still being found; ask again when it is."

# Their keys hold a model weakly: what a page trained goes when the page does.
films = Promises("vae-paths", most=40)  # pictures: up to 3.5 MB each
jobs = Jobs("vae-geodesics")


def told(job: Job, name: str) -> dict:
    """A job as JSON: {state, share, error, and its result by `name`}."""
    return {"state": job.state, "share": round(job.share, 3), "error": job.error, name: job.result}


# ---- Paths ---------------------------------------------------------------------------------------------------------------


def measured(vae: Vae, a: np.ndarray, b: np.ndarray) -> Future:
    """{t, eye, lerp, slerp}, each path with its norms, steps, length and codes."""
    return films.get(("measured", ref(vae), a.tobytes(), b.tobytes()), lambda: _measured(vae, a, b))


def _measured(vae: Vae, a: np.ndarray, b: np.ndarray) -> dict:
    t, eye = path_lines.steps(), path_eye.eye_of(vae)
    return {
        "t": _list(t, 4), "eye": {"name": eye.name, "unit": eye.unit, "words": eye.words},
        "lerp": described(vae, eye, path_lines.lerp(a, b, t)),
        "slerp": described(vae, eye, path_lines.slerp(a, b, t)) | {"turns": path_lines.turns(a, b)},
    }  # fmt: skip


def described(vae: Vae, eye, path: np.ndarray) -> dict:
    """A path (F, D) as JSON: its codes, the norm at each picture, each step's distance and their sum, and how far
    apart the ends are: no path is shorter."""
    seen = eye.features(vae, path)
    far = path_eye.distances(seen)
    return {
        "z": [_list(z, 4) for z in path], "norm": _list(np.linalg.norm(path, axis=1), 4),
        "step": _list(far, 5), "length": round(float(far.sum()), 5),
        "apart": round(float(path_eye.distances(seen[[0, -1]])[0]), 5),
    }  # fmt: skip


def geodesic(vae: Vae, session: str, a: np.ndarray, b: np.ndarray) -> Job:
    """The job that finds it, for a page that waits for one at a time."""

    def work(tick) -> dict:
        eye = path_eye.eye_of(vae)
        found = path_geodesic.geodesic(vae, eye, a, b, tick)
        return described(vae, eye, found.path) | {
            "start": found.start, "tried": {name: round(far, 5) for name, far in found.tried.items()},
        }  # fmt: skip

    return jobs.want((session, "geodesic"), _geodesic_key(vae, a, b), work)


def _geodesic_key(vae: Vae, a: np.ndarray, b: np.ndarray) -> tuple:
    return "geodesic", ref(vae), a.tobytes(), b.tobytes()


def strip(vae: Vae, way: str, a: np.ndarray, b: np.ndarray) -> Future:
    """The pictures of a path."""
    if way not in WAYS:
        raise ValueError(f"A path is one of {', '.join(WAYS)}.")
    if way == "geodesic":
        result = jobs.done(_geodesic_key(vae, a, b))
        if result is None:
            raise ValueError(FIRST)
        path = np.array(result["z"], np.float32)
        path[0], path[-1] = a, b  # they were rounded on their way
    else:
        path = getattr(path_lines, way)(a, b, path_lines.steps())
    return films.get(("strip", ref(vae), way, a.tobytes(), b.tobytes()), lambda: path_board.decoded(vae, path))


# ---- Boards --------------------------------------------------------------------------------------------------------------


def board(vae: Vae, corners: np.ndarray, side: int, keep: bool) -> Future:
    codes = path_board.cells(corners, side, keep)
    return films.get(("board", ref(vae), corners.tobytes(), side, keep), lambda: path_board.decoded(vae, codes))


def drive(vae: Vae, corners: np.ndarray, way: str, frames: int, keep: bool) -> Future:
    """The pictures of a recorded way over a board."""
    if not 2 <= frames <= 128:
        raise ValueError("A drive has 2 to 128 frames.")
    places = path_board.drive(path_board.unpack(way), frames)
    codes = path_lines.blend(corners, path_board.weights(places[:, 0], places[:, 1]), keep)
    return films.get(("drive", ref(vae), corners.tobytes(), way, frames, keep), lambda: path_board.decoded(vae, codes))


# ---- Sampling ------------------------------------------------------------------------------------------------------------


def sheet(vae: Vae, source: str, seed: int, psi: float, temperature: float) -> Future:
    def make() -> np.ndarray:
        return path_board.decoded(vae, sampling_draw.draw(vae, source, sampling_draw.SHEET, seed, psi, temperature))

    if source not in sampling_draw.SOURCES or not all(0 <= v <= sampling_draw.REACH for v in (psi, temperature)):
        sampling_draw.draw(vae, source, 1, seed, psi, temperature)  # says what is wrong with it
    return films.get(("sheet", ref(vae), source, seed, psi, temperature), make)


def curves(vae: Vae, session: str, seed: int, temperature: float) -> Job:
    if not 0 <= temperature <= sampling_draw.REACH:
        raise ValueError(f"Truncation and temperature lie between 0 and {sampling_draw.REACH:g}.")

    def work(tick) -> dict:
        eye = path_eye.eye_of(vae)
        return sampling_measures.curves(vae, eye, seed, temperature, tick) | {"eye": {"name": eye.name, "unit": eye.unit}}

    return jobs.want((session, "curves"), ("curves", ref(vae), seed, temperature), work)


def _list(values: np.ndarray, digits: int) -> list[float]:
    return [round(float(v), digits) for v in values]
