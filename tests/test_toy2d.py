"""Every toy's points follow its density, which integrates to 1; tables become points or one sentence."""

import inspect

import numpy as np
import pytest
from scipy import integrate, stats

from explorer import toy2d
from explorer.toy2d import TOYS, cloud, read_csv

EDGES = np.linspace(-2.4, 2.4, 961)  # 0.005 apart, which the checkerboard's edges fall on; far enough out for all
MIDDLES = (EDGES[1:] + EDGES[:-1]) / 2
OWN = cloud(np.array([[-0.5, 0.2], [0.3, 0.3], [0.9, -0.8]]))


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(params=[*TOYS, "own"])
def toy(request):
    return TOYS.get(request.param, OWN)


def test_the_ten_data_sets_have_names_and_labels():
    assert list(TOYS) == ["line", "gaussians", "ring", "disjoint", "ring8", "grid25", "moons", "spiral", "imbalanced",
                          "checkerboard"]  # fmt: skip
    assert all(toy.name == name and toy.label for name, toy in TOYS.items())


def test_the_density_integrates_to_one(toy):
    assert toy.mass(EDGES, EDGES).sum() == pytest.approx(1, abs=1e-6)
    assert toy.grid(MIDDLES, MIDDLES).sum() * 0.005**2 == pytest.approx(1, abs=1e-3)


def test_the_density_on_a_grid_is_the_density_at_its_points(toy):
    xs, ys = np.linspace(-1, 1, 13), np.linspace(-0.9, 1.1, 7)
    at = toy.density(np.stack(np.meshgrid(xs, ys), -1))
    assert at.shape == (7, 13) and at.dtype == np.float64
    np.testing.assert_allclose(toy.grid(xs, ys), at, rtol=1e-9, atol=1e-12)


def test_the_mass_of_a_cell_is_the_integral_of_the_density(toy):
    x, y = toy.sample(1, rng(3))[0].astype(float)
    fine = np.linspace(0, 0.05, 401)[:-1] + 0.05 / 800
    integral = toy.grid(x + fine, y + fine).mean() * 0.05**2
    assert toy.mass([x, x + 0.05], [y, y + 0.05])[0, 0] == pytest.approx(integral, rel=5e-3)


def test_points_follow_the_density(toy):
    n, edges = 50_000, np.linspace(-1, 1, 31)
    points = toy.sample(n, rng())
    assert points.shape == (n, 2) and points.dtype == np.float32
    counts = np.histogram2d(points[:, 1], points[:, 0], [edges, edges])[0].ravel()
    expected = toy.mass(edges, edges).ravel() * n
    often = expected > 5
    chi2 = ((counts - expected)[often] ** 2 / expected[often]).sum()
    assert stats.chi2.sf(chi2, often.sum()) > 1e-3
    assert counts[~often].sum() == pytest.approx(expected[~often].sum(), abs=30)


def test_the_same_chance_gives_the_same_points(toy):
    assert (toy.sample(100, rng(5)) == toy.sample(100, rng(5))).all()


@pytest.mark.parametrize("name", TOYS)
def test_a_sampler_stands_alone(name):
    """Its source goes into exported scripts: it must not need anything but np."""
    room = {"np": np}
    exec(inspect.getsource(TOYS[name].sample), room)
    alone = room[TOYS[name].sample.__name__]
    assert (alone(50, rng(1)) == TOYS[name].sample(50, rng(1))).all()


def test_gan_labs_four_sets_are_its_own_in_other_coordinates():
    """ganlab_input_providers.ts has c in [0, 1]; here it is 2c - 1."""
    line = TOYS["line"].sample(100_000, rng())
    np.testing.assert_allclose(line.mean(0), [2 * (0.8 - 0.375) - 1, 2 * (0.6 + 0.15) - 1], atol=0.01)
    np.testing.assert_allclose(TOYS["gaussians"].modes, 2 * np.array([[0.3, 0.7], [0.7, 0.4]]) - 1)
    np.testing.assert_allclose(TOYS["gaussians"].spreads, 2 * np.array([[0.1, 0.1], [0.05, 0.2]]))
    np.testing.assert_allclose(TOYS["disjoint"].modes, 2 * np.array([[0.35, 0.75], [0.75, 0.6], [0.45, 0.35]]) - 1)
    np.testing.assert_allclose(TOYS["disjoint"].weights, [0.333, 0.333, 0.334])
    ring = TOYS["ring"].sample(100_000, rng())
    np.testing.assert_allclose(ring.mean(0), [2 * 0.5 - 1, 2 * 0.45 - 1], atol=0.01)
    np.testing.assert_allclose(ring.var(0), [0.6**2 / 2 + 0.05**2, 0.5**2 / 2 + 0.05**2], atol=0.005)


def test_two_gaussians_against_scipy():
    at = rng(2).uniform(-1, 1, (50, 2))
    truth = sum(0.5 * stats.multivariate_normal(mean, np.diag(np.square(sd))).pdf(at)
                for mean, sd in (((-0.4, 0.4), (0.2, 0.2)), ((0.4, -0.2), (0.1, 0.4))))  # fmt: skip
    np.testing.assert_allclose(TOYS["gaussians"].density(at), truth, rtol=1e-12)


@pytest.mark.parametrize(
    "name, sd, curve",
    [
        ("line", 0.02, lambda u: (0.6 - 1.5 * u, 0.2 + 0.6 * u)),
        ("ring", 0.05, lambda u: (0.6 * np.cos(2 * np.pi * u), -0.1 + 0.5 * np.sin(2 * np.pi * u))),
        ("spiral", 0.03, lambda u: ((r := np.sqrt(0.0225 + 0.6175 * u)) * np.cos(3 * np.pi * r / 0.8),
                                    r * np.sin(3 * np.pi * r / 0.8))),
    ],
)  # fmt: skip
def test_curves_against_an_adaptive_integral(name, sd, curve):
    """The density of a noisy curve: the integral of a Gaussian's bell along it."""
    for point in TOYS[name].sample(5, rng(4)).astype(float):

        def bell(u, point=point):
            x, y = curve(u)
            return np.exp(-((point[0] - x) ** 2 + (point[1] - y) ** 2) / (2 * sd**2)) / (2 * np.pi * sd**2)

        truth = integrate.quad(bell, 0, 1, limit=500, points=np.linspace(0.05, 0.95, 19))[0]
        assert TOYS[name].density(point) == pytest.approx(truth, rel=1e-6)


def test_modes_are_where_points_gather():
    for toy in TOYS.values():
        if toy.modes is None:
            assert toy.mode_sd is toy.weights is None
            continue
        assert toy.modes.shape == toy.spreads.shape and toy.weights.sum() == pytest.approx(1)
        distance = np.linalg.norm((toy.sample(20_000, rng())[:, None] - toy.modes) / toy.spreads, axis=2)
        near = (distance.min(1) < 3).mean()
        assert near == pytest.approx(1 - np.exp(-4.5), abs=0.005)
        shares = np.bincount(distance.argmin(1), minlength=len(toy.modes)) / 20_000
        np.testing.assert_allclose(shares, toy.weights, atol=0.015)
    assert len(TOYS["ring8"].modes) == 8 and len(TOYS["grid25"].modes) == 25
    assert TOYS["imbalanced"].weights.tolist() == [0.6, 0.25, 0.1, 0.04, 0.01]
    assert TOYS["ring8"].mode_sd == pytest.approx(0.03)


def test_own_points_are_clouds_and_equal_points_one_object():
    assert OWN is cloud(np.array([[-0.5, 0.2], [0.3, 0.3], [0.9, -0.8]]))
    peak = 1 / (3 * 2 * np.pi * toy2d.CLOUD_SD**2)
    assert OWN.density([0.9, -0.8]) == pytest.approx(peak, rel=1e-6) and OWN.modes is None


# ---- Tables ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "0.1,0.2\n-0.3,0.4\n", "x,y\n0.1,0.2\n-0.3,0.4", "0.1;0.2\n-0.3;0.4", "0,1;0,2\n-0,3;0,4", "a\tb\n.1\t.2\n-.3\t.4",
        "0.1 0.2\n\n-0.3 0.4\n\n", "name,x,y\nu,0.1,0.2\nv,-0.3,0.4", "\ufeffx,y\r\n0.1,0.2\r\n-0.3,0.4\r\n",
        '"0.1","0.2"\n"-0.3","0.4"', "0.1,0.2,9,9\n-0.3,0.4,9,9",
    ],
)  # fmt: skip
def test_many_kinds_of_tables_are_read(text):
    points, note = read_csv(text.encode())
    assert points.dtype == np.float32
    np.testing.assert_allclose(points, [[0.1, 0.2], [-0.3, 0.4]], rtol=1e-6)
    assert note.startswith("2 points, from the columns ") and "scaled" not in note and note.endswith(".")


def test_the_note_names_the_columns():
    assert "“size” and “weight”" in read_csv(b"name,size,weight,age\nu,0.1,0.2,3\nv,-0.3,0.4,3")[1]
    assert "columns 2 and 3" in read_csv(b"u,0.1,0.2\nv,-0.3,0.4")[1]


def test_what_does_not_fit_is_scaled_and_keeps_its_shape():
    points, note = read_csv(b"x,y\n100,0\n300,50\n200,100")
    assert "scaled into the plot" in note
    assert np.ptp(points[:, 0]) == pytest.approx(1.8) and np.ptp(points[:, 1]) == pytest.approx(0.9)
    np.testing.assert_allclose(points.min(0) + points.max(0), 0, atol=1e-6)


def test_of_many_points_a_sample_is_taken_always_the_same():
    many = TOYS["spiral"].sample(5_000, rng())
    text = "\n".join(f"{x},{y}" for x, y in many).encode()
    points, note = read_csv(text)
    assert len(points) == toy2d.MOST_POINTS == 2048 and "2,048 of 5,000" in note
    assert (read_csv(text)[0] == points).all()
    assert {tuple(p) for p in points.tolist()} <= {tuple(p) for p in many.tolist()}


@pytest.mark.parametrize(
    "raw, sentence",
    [
        (b"", "is empty"), (b"\n\n  \n", "is empty"), (b"x,y\n", "one line without two numbers"),
        (b"the quick brown fox", "one line without two numbers"), (b"the\nquick\nfox", "no two numbers"),
        (b"x\n1\n2\n3", "no two numbers"), (b"0.1,0.2", "one point"), (b"x,y\n0.1,0.2", "one point"),
        (b"1,2\n1,2\n1,2", "are the same"), (b"1,2\nnan,3", "Line 2: 'nan'"), (b"1,2\ninf,3", "Line 2: 'inf'"),
        (b"1,2\n3,1e300", "1e300"), (b"1,2\n,3", "Line 2 has an empty cell"), (b"1,2\n\n3", "Line 3 has an empty cell"),
        (b"1,2\n3,four", "Line 2: 'four' is not a number"), (b"\0\1\2\3", "not a text file"),
        (b"\x89PNG\r\n\x1a\n", "not a text file"), (b"PK\x03\x04" + bytes(range(1, 200)), "not a text file"),
        (b"1,2\n" * 2_000_001, "larger than 8 MB"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_gets_its_sentence(raw, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        read_csv(raw)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_no_bytes_whatever_make_it_fail_in_another_way():
    for seed in range(300):
        random = rng(seed)
        letters = b'0123456789.,;-+eE \t\n\r"xnaif' if seed % 2 else bytes(range(256))
        raw = bytes(random.choice(list(letters), random.integers(0, 120)).astype(np.uint8))
        try:
            points, note = read_csv(raw)
        except ValueError as error:
            assert str(error).endswith(".")
            assert "convert" not in str(error)  # a sentence of ours, not Python's
        else:
            assert np.isfinite(points).all() and np.abs(points).max() <= 1 and len(points) >= 2
