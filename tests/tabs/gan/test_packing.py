"""What is packed can be read again, to the precision that is promised."""

import json
import struct

import numpy as np
import pytest

from explorer.tabs.gan import packing, view
from explorer.tabs.gan.config import check
from explorer.tabs.gan.run import Run
from explorer.tabs.gan.state import start

N, M, GRID = view.FAKES, view.JUDGED, view.GRID


def unpack(message: bytes):
    """The page's reader in Python, written from the table alone: ({words}, fps, [lane])."""
    size, words = struct.unpack_from("<II", message)
    assert size == len(message) - 4
    told, at = (json.loads(message[8 : 8 + words]) if words else None), 8 + words
    lanes, fps, _ = struct.unpack_from("<BBH", message, at)
    at, out = at + 4, []
    for _ in range(lanes):
        (length,) = struct.unpack_from("<I", message, at)
        out.append(_lane(message[at + 4 : at + 4 + length]))
        at += 4 + length
    assert at == len(message)
    return told, fps, out


def _lane(data: bytes):
    lane, flags, n, m, grid, cx, cy = struct.unpack_from("<BB5H", data)
    at = 12

    def take(kind, count):
        nonlocal at
        out = np.frombuffer(data, kind, count, at)
        at += out.nbytes
        return out.astype(float)

    scalars = dict(zip(packing.SCALARS, take("<f4", 24)))
    low, high = scalars["heat_lo"], scalars["heat_hi"]
    out = {
        "lane": lane, "flags": flags, "scalars": scalars, "shape": (n, m, grid, cx, cy),
        "fakes": take("<u2", 2 * n).reshape(-1, 2) / 65535 * 4 - 2,
        "arrows": take("<i2", 2 * n).reshape(-1, 2) / 32767 * scalars["arrow_scale"],
        "fake_logits": take("<i2", n) / 256, "real_logits": take("<i2", m) / 256,
        "heat": low + take("u1", grid * grid).reshape(grid, grid) / 255 * (high - low),
        "manifold": take("<u2", 2 * (cx + 1) * (cy + 1)).reshape(-1, 2) / 65535 * 4 - 2,
    }  # fmt: skip
    if flags & packing.IDEAL:
        out["ideal_heat"] = take("u1", grid * grid).reshape(grid, grid) / 255
        out["ideal_arrows"] = take("<i2", 2 * n).reshape(-1, 2) / 32767 * scalars["ideal_arrow_scale"]
    assert at == len(data)
    return out


@pytest.mark.parametrize("loss", ["non_saturating", "least_squares", "wgan", "hinge"])
@pytest.mark.parametrize("noise", ["gaussian2", "uniform1"])
def test_there_and_back(loss, noise):
    run = Run(check({"loss": loss, "noise": noise}))
    run.advance(20)
    run.measure(with_ideal=True)
    shown = view.look(run.settings, run.shown)
    message = packing.message([packing.block(2, shown, run.numbers(), run.ideal)], {"playing": True}, 25)
    told, fps, (lane,) = unpack(message)

    assert told == {"playing": True} and fps == 25 and lane["lane"] == 2
    assert lane["shape"] == (N, M, GRID, 20, 20 if noise == "gaussian2" else 0)
    assert np.abs(lane["fakes"] - np.clip(shown.fakes, -2, 2)).max() < 1e-4
    assert np.abs(lane["manifold"] - np.clip(shown.manifold, -2, 2)).max() < 1e-4
    assert np.abs(lane["arrows"] - shown.arrows).max() <= np.abs(shown.arrows).max() / 32767
    assert np.abs(lane["fake_logits"] - shown.fake_logits).max() <= 1 / 256
    assert np.abs(lane["real_logits"] - shown.real_logits).max() <= 1 / 256
    width = shown.heat_range[1] - shown.heat_range[0]
    assert np.abs(lane["heat"] - np.clip(shown.heat, *shown.heat_range)).max() <= width / 255
    assert lane["scalars"]["step"] == 20 and lane["scalars"]["metrics_step"] == 20
    assert lane["scalars"]["arrow_mean"] == pytest.approx(np.linalg.norm(shown.arrows, axis=1).mean(), rel=1e-5)
    assert ("ideal_heat" in lane) == (loss in ("non_saturating", "least_squares"))


def test_a_message_is_small():
    run = Run(check({}))
    run.measure()
    assert len(packing.message([packing.block(0, view.look(run.settings, run.shown), run.numbers())])) < 7000


def test_numbers_beyond_all_bounds_are_cut_not_wrapped():
    settings = check({})
    state = start(settings)
    state.g *= 1e3
    state.d *= 1e3
    _, _, (lane,) = unpack(packing.message([packing.block(0, view.look(settings, state), {})]))
    assert lane["fakes"].min() >= -2 and lane["fakes"].max() <= 2
    assert np.abs(lane["fake_logits"]).max() <= 128 and np.isnan(lane["scalars"]["d_loss"])


def test_an_empty_message_is_a_sign_of_life():
    assert unpack(packing.message([], None, 7)) == (None, 7, [])
