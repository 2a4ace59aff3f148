"""The Python that makes again what the part shows: short, and run from the repository's root."""

from collections.abc import Sequence

import numpy as np

from explorer.tabs.vae.path_codes import End

OWN = "A model that was trained on this page lives here only; choose a shipped one for a script that runs elsewhere."


def _codes(found: Sequence[End]) -> str:
    """Names where they say enough; the numbers themselves for a visitor's own picture."""
    if any(one.name.startswith("upload:") for one in found):
        rows = ",\n    ".join(str([round(float(v), 4) for v in one.z]) for one in found)
        return f"codes = np.array([\n    {rows},\n], np.float32)"
    names = ", ".join(repr(one.name) for one in found)
    return f'codes = np.array([path_codes.end(vae, "", name).z for name in ({names},)])'


def _head(model: str, modules: str, words: str) -> str:
    if model.startswith("own-"):
        raise ValueError(OWN)
    return (
        f"# {words}\nimport numpy as np\n\nfrom explorer import export\nfrom explorer.tabs.vae import models, {modules}\n\n"
        f'vae = models.get("{model}")\n'
    )


def path(model: str, found: Sequence[End]) -> str:
    head = _head(model, "path_codes, path_eye, path_geodesic, path_lines", "Three ways from A to B, and how long each is.")
    return f"""{head}{_codes(found)}
a, b = codes

eye, t = path_eye.eye_of(vae), path_lines.steps()
paths = {{"lerp": path_lines.lerp(a, b, t), "slerp": path_lines.slerp(a, b, t)}}
paths["geodesic"] = path_geodesic.geodesic(vae, eye, a, b).path
for name, z in paths.items():
    norms, length = np.linalg.norm(z, axis=1), path_eye.lengths(eye, vae, z).sum()
    print(f"{{name:8}}  length {{length:.4f}} ({{eye.unit}})  norm {{norms.min():.2f}} to {{norms.max():.2f}}")
    with open(name + ".png", "wb") as file:
        file.write(export.png_strip(vae.decode(z), columns=len(z)))
"""


def board(model: str, found: Sequence[End], side: int, keep: bool, x: float, y: float, way: str = "") -> str:
    head = _head(model, "path_board, path_codes, path_lines", "A board between four faces, and one place of it.")
    drive = f"""
places = path_board.drive(path_board.unpack("{way}"), 48)
z = path_lines.blend(codes, path_board.weights(places[:, 0], places[:, 1]), keep)
with open("drive.gif", "wb") as file:
    file.write(export.gif(path_board.decoded(vae, z)))
"""
    drive = drive if way else ""
    return f"""{head}{_codes(found)}
keep = {keep}  # whether a blend is as long as what it blends

faces = path_board.decoded(vae, path_board.cells(codes, {side}, keep))
with open("board.png", "wb") as file:
    file.write(export.png(export.grid(faces, {side})))

w = path_board.weights({x:g}, {y:g})
z = path_lines.blend(codes, w, keep)
print("weights", w.round(3), " |z| =", np.linalg.norm(z).round(3))
with open("place.png", "wb") as file:
    file.write(export.png(vae.decode(z[None])[0]))
{drive}"""


def mix(model: str, found: Sequence[End], weights: np.ndarray, keep: bool) -> str:
    head = _head(model, "path_codes, path_lines", "A mix of several faces.")
    return f"""{head}{_codes(found)}
w = np.array({[round(float(v), 4) for v in weights]})
z = path_lines.blend(codes, w / w.sum(), keep={keep})
print("|z| =", np.linalg.norm(z).round(3))
with open("mix.png", "wb") as file:
    file.write(export.png(vae.decode(z[None])[0]))
"""


def sampling(model: str, seed: int, psi: float, temperature: float) -> str:
    head = _head(model, "path_board, path_eye, sampling_draw, sampling_measures", "Samples, and what truncation buys and costs.")
    return f"""{head}
for source in sampling_draw.SOURCES:
    z = sampling_draw.draw(vae, source, sampling_draw.SHEET, seed={seed}, psi={psi:g}, temperature={temperature:g})
    with open(source + ".png", "wb") as file:
        file.write(export.png_strip(path_board.decoded(vae, z), columns=6))

eye = path_eye.eye_of(vae)
found = sampling_measures.curves(vae, eye, seed={seed}, temperature={temperature:g})
for source in sampling_draw.SOURCES:
    for i, psi in enumerate(found["psi"]):
        for name, curve in found[source].items():
            print(f"{{source:9}} psi {{psi:5}} {{name:9}} {{curve['value'][i]:.3f}} ± {{curve['error'][i]:.3f}}")
"""
