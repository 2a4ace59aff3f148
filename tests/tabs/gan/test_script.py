"""The exported script: it runs by itself, without our code, and its first 100 rounds are the engine's."""

import os
import subprocess
import sys

import numpy as np
import pytest

from explorer.tabs.gan import reference
from explorer.tabs.gan.config import LOSSES, Settings, check, pack_points
from explorer.tabs.gan.script import script
from explorer.tabs.gan.state import start
from explorer.toy2d import TOYS

POINTS = pack_points(np.random.default_rng(2).uniform(-1, 1, (40, 2)))
SMOOTH = {"d_act": "silu", "g_act": "tanh"}
CASES = {loss: {"loss": loss, **SMOOTH, **({"d_lr": 0.02, "g_lr": 0.02} if loss == "wgan_gp" else {})} for loss in LOSSES}
CASES |= {
    "defaults": {},
    "stabilised": {"spectral": True, "r1": 0.5, "instance_noise": 0.1, "ema": 0.9, "smoothing": 0.1, "data": "ring8", **SMOOTH},
    "everything": {"loss": "wgan_gp", "spectral": True, "r1": 0.1, "instance_noise": 0.1, "data": "moons", "d_layers": 1,
                   "d_lr": 0.01, "g_lr": 0.01, **SMOOTH},
    "own points": {"data": "own", "points": POINTS, "noise": "uniform1", "g_opt": "adam", "d_opt": "rmsprop", "d_lr": 0.002,
                   "g_lr": 0.002, "batch": 33, **SMOOTH},
    "odd": {"g_layers": 0, "d_layers": 3, "d_width": 5, "g_out": "tanh", "d_opt": "momentum", "d_lr": 0.01, "k_d": 1, "k_g": 3,
            "d_act": "leaky_relu", "seed": 7, "noise": "gaussian1"},
    "no updates of D": {"k_d": 0},
}  # fmt: skip

RUN_ALL = """
import runpy, sys
for path in sys.argv[1:]:
    sys.argv = [path, "--rounds", "100", "--out", path + ".npz"]
    runpy.run_path(path, run_name="__main__")
assert not any(name.startswith("explorer") for name in sys.modules)
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What the scripts saved, all run by one Python that cannot import our code: loading torch takes longest."""
    folder = tmp_path_factory.mktemp("scripts")
    for name, case in CASES.items():
        (folder / name).write_text(script(check(case)), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    said = subprocess.run([sys.executable, "-c", RUN_ALL, *CASES], cwd=folder, env=environment, check=True,
                          capture_output=True, text=True).stdout  # fmt: skip
    return said, {name: dict(np.load(folder / f"{name}.npz")) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_hundred_rounds_are_those_of_the_engine(ran, name):
    s = check(CASES[name])
    state = start(s)
    reference.advance([(s, state)], 100)
    saved = ran[1][name]
    np.testing.assert_allclose(saved["g"], state.g, atol=1e-5)
    np.testing.assert_allclose(saved["d"], state.d, atol=1e-5)
    if s.ema:
        np.testing.assert_allclose(saved["ema"], state.ema, atol=1e-5)


def test_it_says_its_losses_every_ten_rounds(ran):
    s = Settings()
    (trace,) = reference.advance([(s, start(s))], 10)
    lines = ran[0].splitlines()
    assert len(lines) == 10 * len(CASES) and lines[0].startswith("round 10: D ")
    assert f"G {trace.g_loss[9]:.3f}" in "".join(lines[10 * list(CASES).index("defaults")])


@pytest.mark.parametrize("data", TOYS)
def test_its_sampler_stands_alone(data):
    text = script(check({"data": data}))
    compile(text, data, "exec")
    assert f"def {TOYS[data].sample.__name__}(n, rng)" in text and "explorer." not in text


def test_it_shows_only_what_its_settings_use():
    plain = script(Settings())
    for word in ("Spectral", "slope", "jitter", "averaged", "clamp", "mix", "None", "penalty"):
        assert word not in plain
    assert "Settings other than the usual" not in plain
    assert "loss = hinge, r1 = 0.5" in script(check({"loss": "hinge", "r1": 0.5}))
