"""The compiled engine against the reference: every loss, regulariser, optimiser and activation; and what it promises.

Two runs whose weights differ by rounding stay together for 100 rounds unless a unit or a hinge sits on its kink: there a
gradient jumps, and the penalties' gradients jump by all they have. So whole runs are compared with smooth activations, and
with ReLU where that is calm; where it is not, every round is, each from the same state.
"""

import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from explorer.tabs.gan import fast, reference
from explorer.tabs.gan.config import ACTIVATIONS, LOSSES, OPTIMIZERS, Settings, check
from explorer.tabs.gan.state import Trace, start

ROOT = Path(__file__).parents[3]
ROUNDS = 100
REGULARISERS = {
    "none": {},
    "r1": {"r1": 1.0},
    "spectral": {"spectral": True},
    "noise and average": {"instance_noise": 0.2, "ema": 0.9, "smoothing": 0.1},
    "all": {"r1": 0.3, "spectral": True, "instance_noise": 0.1},
}
SMOOTH = {"d_act": "silu", "g_act": "tanh"}
CALM = {"d_lr": 0.02, "g_lr": 0.02}  # ReLU and leaky ReLU, but small steps
RATES = {"sgd": 0.05, "momentum": 0.01, "adam": 0.002, "rmsprop": 0.001}

CASES = {f"{loss}, {name}": {"loss": loss, **reg, **SMOOTH, **CALM} for loss in LOSSES for name, reg in REGULARISERS.items()}
CASES["wgan, spectral"] |= {"clip": 0.5}  # the two together leave weights of few digits
CASES |= {f"{loss}, relu": {"loss": loss, **(CALM if loss == "wgan_gp" else {})} for loss in LOSSES}
CASES |= {f"{loss}, relu, r1": {"loss": loss, "r1": 1.0, **CALM} for loss in LOSSES}
CASES |= {
    f"{loss}, {optimizer}": {"loss": loss, "d_opt": optimizer, "g_opt": optimizer, "d_lr": rate, "g_lr": rate, **SMOOTH}
    for loss in ("non_saturating", "wgan_gp")
    for optimizer, rate in RATES.items()
}
CASES |= {
    f"{act}, {depth} layers": {"d_act": act, "g_act": act, "d_layers": depth, "g_layers": depth, "g_out": "tanh", "r1": 0.2}
    | CALM
    for act in ACTIVATIONS
    for depth in (0, 1, 3)
}  # fmt: skip
CASES |= {
    "odd sizes": {"d_width": 5, "g_width": 11, "batch": 37, "k_d": 5, "k_g": 3, **SMOOTH, **CALM},
    "one neuron": {"d_width": 1, "g_width": 1, "noise": "uniform1", **SMOOTH},
    "batch of one": {"batch": 1, **SMOOTH, **CALM},
    "large batch, sure D": {"batch": 1024, "k_d": 4, "k_g": 0, "d_lr": 0.5, **SMOOTH},
    "no updates of D": {"k_d": 0, **SMOOTH},
    "beta 1 of 0": {"d_opt": "adam", "g_opt": "adam", "beta1": 0.0, "d_lr": 0.002, "g_lr": 0.002, **SMOOTH},
}


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """Compiles where the cache is empty: half a minute, once."""
    fast.warm(wait=True)
    assert fast.ready()


@pytest.fixture(scope="module")
def truth():
    """All cases at once: those of one shape are one batch."""
    settings = {name: check(case) for name, case in CASES.items()}
    states = {name: start(s) for name, s in settings.items()}
    traces = reference.advance([(settings[name], states[name]) for name in CASES], ROUNDS)
    return {name: (states[name], trace) for name, trace in zip(CASES, traces)}


def apart(one, other) -> float:
    """The largest difference between two runs' weights, averages and singular vectors."""
    return max(float(np.abs(getattr(one, name) - getattr(other, name)).max()) for name in ("g", "d", "ema", "u"))


@pytest.mark.parametrize("case", CASES)
def test_hundred_rounds_as_the_reference_makes_them(truth, case):
    s = check(CASES[case])
    state = start(s)
    trace = fast.advance(s, state, ROUNDS)
    expected, told = truth[case]
    assert apart(state, expected) <= 1e-5
    for name in ("rounds", "d_updates", "g_updates", "d_ticks", "g_ticks"):
        assert getattr(state, name) == getattr(expected, name)
    for name in Trace.NAMES:
        slack = 1.1 / s.batch if name.endswith("acc") else 2e-5 * (1 + np.nanmax(np.abs(told.d_norm), initial=1))
        np.testing.assert_allclose(getattr(trace, name), getattr(told, name), atol=slack, rtol=1e-4)


@pytest.mark.parametrize(
    "case",
    [
        {"loss": "wgan_gp"},
        {"loss": "wgan_gp", "spectral": True, "instance_noise": 0.2},
        {"loss": "wgan", "spectral": True},
        {"loss": "wgan", "clip": 1.0, "d_opt": "momentum", "g_opt": "rmsprop", "g_lr": 0.002},
        {"loss": "hinge", "instance_noise": 0.2, "d_opt": "momentum", "d_act": "leaky_relu", "r1": 1.0},
    ],
    ids=str,
)
def test_every_round_alone_where_kinks_part_whole_runs(case):
    s = check(case)
    state = start(s)
    for _ in range(40):
        other = state.copy()
        reference.advance([(s, state)], 1)
        fast.advance(s, other, 1)
        assert apart(state, other) <= 1e-5


def test_single_steps():
    s = check(SMOOTH)
    ours, theirs = start(s), start(s)
    for what in ("d", "d", "g", "both", "g"):
        mine, its = fast.advance(s, ours, 3, what), reference.advance([(s, theirs)], 3, what)[0]
        for name in Trace.NAMES:
            np.testing.assert_allclose(getattr(mine, name), getattr(its, name), atol=2e-2 if "acc" in name else 1e-5)
    assert apart(ours, theirs) <= 1e-5 and ours.rounds == theirs.rounds == 3


@pytest.mark.parametrize("chunk", [1, 7, 64, 100])
def test_how_rounds_are_cut_into_calls_changes_nothing(chunk):
    s = check({"k_d": 3, "k_g": 2, "loss": "wgan_gp", "instance_noise": 0.1, "d_opt": "adam", "d_lr": 0.002})
    whole, parts = start(s), start(s)
    fast.advance(s, whole, 100)
    for at in range(0, 100, chunk):
        fast.advance(s, parts, min(chunk, 100 - at))
    assert apart(whole, parts) == 0


def test_the_same_run_whoever_else_trains():
    """Four threads take turns in small slices, of nets of different sizes; each run is the one it is alone."""
    settings = [check({"seed": i, "d_width": 3 + 4 * i, "batch": 20 + 30 * i, "r1": 0.1 * i}) for i in range(4)]
    alone = [start(s) for s in settings]
    for s, state in zip(settings, alone):
        fast.advance(s, state, 120)
    together = [start(s) for s in settings]

    def train(s, state):
        for _ in range(40):
            fast.advance(s, state, 3)

    threads = [threading.Thread(target=train, args=pair) for pair in zip(settings, together)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [apart(a, b) for a, b in zip(alone, together)] == [0] * 4


@pytest.mark.parametrize("loss", LOSSES)
def test_divergence_ends_in_no_numbers_and_in_no_exception(loss):
    s = check({"loss": loss, "d_lr": 10, "g_lr": 10, "d_opt": "momentum", "g_opt": "momentum", "r1": 100, "clip": 10, "k_d": 10})
    state = start(s)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace = fast.advance(s, state, 300)
    assert loss == "wgan" or not state.finite()  # whose clip holds it
    assert state.rounds == 300 and trace.d_loss.shape == (300,)


def test_weights_that_cannot_be_written_to_are_copied():
    """As those of a file just loaded may be."""
    s = Settings()
    state, plain = start(s), start(s)
    state.g.flags.writeable = state.d_memory.flags.writeable = False
    state.ema = state.ema.astype(np.float64)
    fast.advance(s, state, 5)
    fast.advance(s, plain, 5)
    assert apart(state, plain) == 0


def test_vectors_of_other_nets_are_refused():
    """Compiled code would read on beyond their ends."""
    s, wider = Settings(), check({"d_width": 9})
    for name in ("d", "d_memory", "u"):
        state = start(s)
        setattr(state, name, getattr(start(wider), name))
        with pytest.raises(ValueError, match=f"other nets: {name} has"):
            fast.advance(s, state, 1)


def test_one_compiled_version_serves_all():
    """Another would be compiled on the spot, in front of a visitor."""
    from explorer.tabs.gan import kernels

    for case in ({}, {"loss": "wgan_gp", "instance_noise": 0.1, "spectral": True}, {"k_d": 0}, {"k_g": 0}):
        s = check(case)
        fast.advance(s, start(s), 40)
    assert len(kernels.train.signatures) == 1


def test_it_covers_what_it_is_good_at():
    assert fast.covers(Settings())
    assert fast.covers(check({"d_width": 32, "g_width": 32, "d_layers": 5, "g_layers": 5}))
    assert fast.covers(check({"d_width": 100, "d_layers": 3}))
    assert not fast.covers(check({"d_width": 100, "d_layers": 5}))
    assert not fast.covers(check({"g_width": 64, "g_layers": 5, "batch": 1024}))


def test_no_row_is_read_or_written_beyond_its_end():
    """Compiled code checks no index. The same functions as plain Python do, and give the same numbers."""
    code = """
import sys
import numpy as np
from explorer.tabs.gan import fast
from explorer.tabs.gan.config import check
from explorer.tabs.gan.state import start
np.seterr(all="ignore")
fast.compile_here()
runs = [dict(d_act=act, g_act=act, g_layers=layers, d_layers=layers, d_width=9, g_width=5, batch=batch, loss=loss, r1=0.2,
             instance_noise=0.1, spectral=True, ema=0.5, g_out="tanh", d_opt=opt, g_opt=opt, d_lr=0.01, g_lr=0.01, noise=noise)
        for act, layers, batch, loss, opt, noise in (("silu", 3, 3, "wgan_gp", "adam", "uniform1"),
            ("relu", 0, 33, "minimax", "sgd", "gaussian2"), ("tanh", 2, 16, "hinge", "rmsprop", "gaussian1"),
            ("leaky_relu", 1, 1, "wgan", "momentum", "uniform2"), ("tanh", 1, 2, "least_squares", "sgd", "gaussian2"))]
out = []
for run in runs:
    s = check(run)
    state = start(s)
    fast.advance(s, state, 2)
    out += [state.g, state.d]
np.save(sys.argv[1], np.concatenate(out))
"""
    found = {}
    for off in ("0", "1"):
        path = Path(os.environ.get("TMPDIR", "/tmp")) / f"rows-{os.getpid()}-{off}.npy"
        environment = {**os.environ, "NUMBA_DISABLE_JIT": off, "OMP_NUM_THREADS": "1"}
        if folder := fast._cache_folder():
            environment["NUMBA_CACHE_DIR"] = str(folder)
        subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, env=environment, check=True)
        found[off] = np.load(path)
        path.unlink()
    np.testing.assert_allclose(found["0"], found["1"], atol=1e-5)


def test_optimizer_and_loss_numbers_are_those_of_the_kernel():
    from explorer.tabs.gan import kernels as k

    losses, acts, optimizers = fast.CODES
    assert [losses[n] for n in LOSSES] == [k.NON_SATURATING, k.MINIMAX, k.LEAST_SQUARES, k.WGAN, k.WGAN_GP, k.HINGE]
    assert [acts[n] for n in ACTIVATIONS] == [k.RELU, k.LEAKY_RELU, k.TANH, k.SILU]
    assert [optimizers[n] for n in OPTIMIZERS] == [k.SGD, k.MOMENTUM, k.ADAM, k.RMSPROP]
    assert list(LOSSES)[:2] == ["non_saturating", "minimax"] and fast._padded(1) == k.LANES
    assert fast.COLUMNS == reference.Batch.TOLD


@pytest.mark.parametrize("name, truth, reach", [("exp", np.exp, 80), ("tanh", np.tanh, 20)])
def test_own_exp_and_tanh(name, truth, reach):
    from explorer.tabs.gan import kernels

    x = np.linspace(-reach, reach, 4001).astype(np.float32)
    own = np.array([getattr(kernels, name)(value) for value in x])
    np.testing.assert_allclose(own, truth(x.astype(np.float64)), rtol=4e-7, atol=1e-30)
    assert np.isnan(getattr(kernels, name)(np.float32(np.nan)))
