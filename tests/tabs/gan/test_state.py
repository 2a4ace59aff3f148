"""A run's numbers begin as they should, and chance is the same whatever else is changed or asked first."""

import dataclasses

import numpy as np
import pytest

from explorer.tabs.gan import state as states
from explorer.tabs.gan.config import DATA_SIZE, OWN, Settings, pack_points
from explorer.tabs.gan.state import BLOCK, State, d_block, data, g_block, layers, noise, rng, start, toy, weights
from explorer.toy2d import TOYS

WIDE = Settings(g_layers=3, g_width=64, d_layers=2, d_width=100)


def same(a: State, b: State) -> bool:
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(State))


def test_weights_begin_as_in_gan_lab():
    """N(0, 1 / fan_in), biases 0."""
    begun = start(WIDE)
    for vector, sizes in ((begun.g, WIDE.g_sizes), (begun.d, WIDE.d_sizes)):
        assert vector.dtype == np.float32 and len(vector) == sum(a * b + b for a, b in zip(sizes, sizes[1:]))
        for (w, b), fan_in, fan_out in zip(layers(vector, sizes), sizes, sizes[1:]):
            assert w.shape == (fan_out, fan_in) and b.shape == (fan_out,) and not b.any()
            if w.size > 1000:
                assert w.std() * fan_in**0.5 == pytest.approx(1, abs=0.05) and abs(w.mean()) < 0.02
    assert begun.rounds == begun.d_updates == begun.g_ticks == 0 and not begun.g_memory.any()
    assert (begun.ema == begun.g).all() and begun.ema is not begun.g
    assert np.linalg.norm(begun.u[:100]) == pytest.approx(1)


def test_layers_are_views():
    vector = weights((2, 3, 1), rng(0))
    layers(vector, (2, 3, 1))[1][1][0] = 7
    assert vector[-1] == 7 and len(vector) == 2 * 3 + 3 + 3 + 1


def test_the_same_seed_is_the_same_run_and_another_is_another():
    assert same(start(WIDE), start(WIDE)) and not same(start(WIDE), start(dataclasses.replace(WIDE, seed=2)))


def test_a_change_of_one_setting_leaves_the_others_numbers_as_they_were():
    """Runs side by side differ in what was changed, not in their luck."""
    plain = Settings()
    other = dataclasses.replace(plain, d_width=20, loss="wgan_gp", instance_noise=0.1, g_lr=1.0)
    assert (start(plain).g == start(other).g).all() and len(start(plain).d) != len(start(other).d)
    a, b = d_block(plain, 5), d_block(other, 5)
    assert (a.index == b.index).all() and (a.z == b.z).all() and a.mix is a.jitter is None
    assert b.mix.shape == (BLOCK, 150) and b.jitter.shape == (BLOCK, 2, 150, 2)
    assert (g_block(plain, 5).z == g_block(other, 5).z).all()


def test_blocks_do_not_depend_on_who_asked_before():
    first = d_block(Settings(), 3)
    d_block(Settings(seed=9), 0)
    g_block(Settings(), 0)
    again = d_block(Settings(), 3)
    assert (first.index == again.index).all() and (first.z == again.z).all()
    assert (first.z != d_block(Settings(), 4).z).any() and (first.z != g_block(Settings(), 3).z).any()
    assert first.index.dtype == np.int32 and first.index.min() >= 0 and first.index.max() < DATA_SIZE
    assert first.index.shape == (BLOCK, 150) and first.z.shape == (BLOCK, 150, 2) and first.z.dtype == np.float32


@pytest.mark.parametrize("kind", ["gaussian2", "uniform2", "gaussian1", "uniform1"])
def test_noise_is_what_its_name_says(kind):
    z = noise(Settings(noise=kind), 50_000, rng(1))
    assert z.shape == (50_000, int(kind[-1])) and z.dtype == np.float32 and abs(z.mean()) < 0.02
    if kind.startswith("gaussian"):
        assert z.std() == pytest.approx(1, abs=0.02) and np.abs(z).max() > 3
    else:
        assert z.std() == pytest.approx(3**-0.5, abs=0.02) and -1 <= z.min() and z.max() <= 1


def test_the_data_are_drawn_once_and_cannot_be_changed():
    drawn = data(Settings(data="ring8"))
    assert drawn.shape == (DATA_SIZE, 2) and drawn is data(Settings(data="ring8", g_lr=1.0))
    assert (drawn != data(Settings(data="ring8", seed=2))).any()
    with pytest.raises(ValueError):
        drawn[0] = 0


def test_own_points_are_the_law_of_the_data():
    own = Settings(data=OWN, points=pack_points(np.array([[0.5, 0.5], [-0.5, 0.0]])))
    assert toy(own).modes is None and toy(Settings(data="moons")) is TOYS["moons"]
    near = np.linalg.norm(data(own)[:, None] - np.array([[0.5, 0.5], [-0.5, 0.0]]), axis=2).min(1)
    assert np.quantile(near, 0.5) == pytest.approx(0.03 * 1.177, rel=0.05)  # the median of a 2-D Gaussian's radius


def test_a_copy_shares_nothing():
    one = start(Settings())
    two = one.copy()
    two.g[0] += 1
    two.rounds = 5
    assert one.g[0] != two.g[0] and one.rounds == 0 and same(one, start(Settings()))


def test_what_has_run_away_is_not_finite():
    for value in (np.nan, np.inf, -np.inf, 2e4):
        for name in ("g", "d"):
            bad = start(Settings())
            getattr(bad, name)[3] = value
            assert not bad.finite()
    assert start(Settings()).finite()


def test_streams_have_numbers_of_their_own():
    streams = [states.WEIGHTS_G, states.WEIGHTS_D, states.DATA, states.BATCH, states.NOISE_D, states.NOISE_G, states.MIX,
               states.INSTANCE_D, states.INSTANCE_G, states.SHOWN]  # fmt: skip
    assert len({rng(1, stream).random() for stream in streams}) == len(streams)
