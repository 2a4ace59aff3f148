"""Edits, what they move, and arithmetic, in a world whose decoder is known: two numbers, the brightness of two halves."""

import gc
import threading
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from explorer.tabs.vae import attribute_effects as effects
from explorer.tabs.vae import attribute_equation as equation
from explorer.tabs.vae import attribute_pool, attribute_reader, attribute_work
from explorer.tabs.vae import attribute_stack as stack
from explorer.tabs.vae.attribute_stack import Edit
from explorer.tabs.vae.engine import Code
from explorer.tabs.vae.sources import Own
from explorer.turns import Full

VALUES = ("dark", "grey", "bright")
LEVELS = np.array([-1.5, 0.0, 1.5])


class Halves:
    """z = (top, bottom); a picture's halves are as bright as that says. Encoding is exact but for rounding."""

    size, dims, far = 32, 2, 12.0

    def __init__(self, count: int = 900, known: bool = True):
        rng = np.random.default_rng(5)
        labels = rng.integers(0, 3, (count, 2))
        self.facts = {"version": "toy" + str(known)}
        pixels = self.decode(LEVELS[labels] + 0.2 * rng.normal(size=(count, 2)))
        factors = {"top": VALUES, "bottom": VALUES}
        self.source = Own("halves", pixels, labels, factors) if known else Own("halves", pixels)

    def decode(self, z):
        grey = np.clip(128 + 40 * np.asarray(z), 0, 255).round().astype(np.uint8)
        return np.repeat(np.repeat(grey, 16, axis=1)[:, :, None, None], 32, axis=2).repeat(3, axis=3)

    def encode(self, images):
        mu = (images[:, [0, 31], 0, 0].astype(np.float32) - 128) / 40
        return Code(mu, np.full_like(mu, 0.1), np.ones_like(mu))

    def gallery(self):
        images, captions = self.source.gallery()
        return SimpleNamespace(images=images, codes=self.encode(images), captions=captions)


@pytest.fixture(scope="module")
def vae():
    return Halves()


@pytest.fixture(scope="module")
def blank():
    """The same, of which nothing is known."""
    return Halves(60, known=False)


def last(steps):
    for step in steps:
        found = step
    return found


EDIT = Edit("top", "dark", "bright")


# --- Text ---


def test_a_stack_is_the_same_after_a_trip_through_its_text():
    text = "top,dark,bright,lda,bottom,alike,-0.75;own,gallery:3+random:5,gallery:1,mean,,,@0.5;top,rest,grey,svm,,,1"
    edits = stack.parse(text)
    assert ";".join(edit.text for edit in edits) == text
    assert edits[1].absolute and edits[1].amount == 0.5 and edits[0].keep == ("bottom",)
    assert stack.parse("") == stack.parse(None) == []


@pytest.mark.parametrize(
    "text, words",
    [
        ("top,dark,bright", "reads"),
        ("top,dark,bright,magic,,,1", "Directions are found"),
        ("top,dark,bright,mean,,,nan", "doses"),
        ("top,dark,bright,mean,,,1e9", "doses"),
        ("top,dark,bright,mean,,,99", "doses"),
        ("top,dark,bright,mean,bottom,,1", "ways"),
        ("top,dark,bright,mean,bottom,magic,1", "ways"),
        ("top,dark,bright,mean,,span,1", "ways"),
        ("top,dark,bright,mean,top,span,1", "cannot keep"),
        (";".join(["top,dark,bright,mean,,,1"] * 7), "at most"),
        ("x" * 5000, "short text"),
    ],
)
def test_a_text_that_is_no_stack_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        stack.parse(text)


@pytest.mark.parametrize(
    "edit, words",
    [
        (Edit("hat", "none", "red"), "Nothing is known"),
        (Edit("top", "dark", "purple"), "can be dark, grey, bright"),
        (Edit("top", "dark", "dark"), "differ"),
        (Edit("top", "dark", "bright", keep=("hat",), how="span"), "Nothing is known"),
        (Edit("own", "", "gallery:1"), "at least one"),
        (Edit("own", "gallery:1", "gallery:99"), "gallery"),
        (Edit("own", "+".join(["gallery:1"] * 13), "gallery:2"), "enough"),
        (Edit("own", "gallery:1", "gallery:1"), "same place"),
        (Edit("own", "random:9999", "gallery:1"), "pictures 0 to"),
        (Edit("own", "random:x", "gallery:1"), "random"),
    ],
)
def test_an_edit_of_what_is_not_there_is_refused(vae, edit, words):
    with pytest.raises(ValueError, match=words):
        stack.direction(vae, "", edit)


# --- Directions on a pool ---


def test_fitted_and_held_out_pictures_are_apart(vae):
    pool = attribute_pool.of(vae)
    assert pool.fit == 600 and len(pool.mu) == 900
    fitted, held = pool.sides("top", "dark", "bright"), pool.sides("top", "dark", "bright", held=True)
    assert max(map(max, fitted)) < 600 <= min(map(min, held))
    rest, bright = pool.sides("top", "rest", "bright")
    assert len(rest) + len(bright) == 600 and set(pool.column("top")[rest]) == {0, 1}
    assert attribute_pool.progress(vae) == (900, 900)


def test_what_a_training_saw_is_fitted_on_and_the_rest_is_tried():
    """Pool and source number their pictures differently then: the pool's last ones are the source's first."""
    seen, few = Halves(90), 20
    seen.source = replace(seen.source, held=few)
    pool, pixels = attribute_pool.of(seen), seen.source.pixels
    assert (pool.fit, pool.first, len(pool.mu)) == (70, 70, 90)
    assert np.array_equal(attribute_pool.pictures(seen.source, np.arange(70, 90)), pixels[:few])
    assert np.array_equal(attribute_pool.pictures(seen.source, np.arange(70)), pixels[few:])
    assert np.array_equal(pool.mu[70:], seen.encode(pixels[:few]).mu)
    assert np.array_equal(pool.labels[:70], seen.source.labels[few:])
    # What is called the nearest held-out picture is one, though a picture of the training lies nearer.
    number, distance = equation.nearest(pool, pool.mu[3], set())
    assert number >= 70 and distance == pytest.approx(np.linalg.norm(pool.mu[70:] - pool.mu[3], axis=1).min())
    assert np.isfinite(equation.usual_distance(pool))


def test_one_unseen_picture_alone_is_near_to_nothing():
    seen = Halves(12)
    seen.source = replace(seen.source, held=1)
    assert attribute_pool.of(seen).first == 0 and np.isfinite(equation.usual_distance(attribute_pool.of(seen)))


def test_a_direction_is_the_difference_of_the_means(vae):
    pool = attribute_pool.of(vae)
    dark, bright = pool.sides("top", "dark", "bright")
    found = stack.direction(vae, "", EDIT)
    assert np.allclose(found.step, pool.mu[bright].mean(0) - pool.mu[dark].mean(0))
    assert found.step == pytest.approx([3, 0], abs=0.35)  # 1.5 - -1.5, and labels that are independent only on average


@pytest.mark.parametrize("how", ["span", "white"])
def test_keeping_takes_the_other_attribute_out(how):
    """Seven numbers in which what the bottom does leans towards what the top does."""
    rng = np.random.default_rng(2)
    labels, ways = rng.integers(0, 3, (900, 2)), rng.normal(size=(2, 3, 7))
    mu = ways[0][labels[:, 0]] + ways[1][labels[:, 1]] + 0.3 * rng.normal(size=(900, 7)) * np.arange(1, 8)
    pool = attribute_pool.Pool(mu, labels, {"top": VALUES, "bottom": VALUES}, 900)
    plain, kept = stack.known(pool, EDIT), stack.known(pool, Edit("top", "dark", "bright", keep=("bottom",), how=how))
    metric = np.eye(7) if how == "span" else stack.within(pool)
    moves = stack.pool_spread(pool, "bottom") @ metric
    assert moves.shape == (2, 7)
    assert np.abs(moves @ plain.step).max() > 0.05 and np.abs(moves @ kept.step).max() < 1e-5
    assert np.allclose(stack.within(pool), np.linalg.inv(np.diag((0.3 * np.arange(1, 8)) ** 2)), rtol=0.35, atol=1.5)
    sides = stack.groups(pool, EDIT)
    assert kept.distance((sides[0].mean(0) + sides[1].mean(0)) / 2) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("how", ["", "span", "white"])
@pytest.mark.parametrize("method", ["mean", "probe", "svm", "lda"])
def test_one_dose_is_what_the_groups_are_apart_whatever_is_kept(method, how):
    rng = np.random.default_rng(3)
    labels, ways = rng.integers(0, 3, (900, 2)), 1.5 * rng.normal(size=(2, 3, 7))
    mu = ways[0][labels[:, 0]] + ways[1][labels[:, 1]] + 0.3 * rng.normal(size=(900, 7)) * np.arange(1, 8)
    pool = attribute_pool.Pool(mu, labels, {"top": VALUES, "bottom": VALUES}, 900)
    edit = Edit("top", "dark", "bright", method, ("bottom",) if how else (), how)
    found = stack.known(pool, edit)
    before, after = (side.mean(0) for side in stack.groups(pool, edit))
    assert found.distance(after) - found.distance(before) == pytest.approx(1)
    assert np.allclose(found.step, found.dose * found.normal)


def test_what_is_kept_in_a_plane_may_leave_nothing(vae):
    # Three class means that are not on a line span the plane, so nothing is left to move.
    with pytest.raises(ValueError, match="Nothing of this edit is left"):
        stack.direction(vae, "", Edit("top", "dark", "bright", keep=("bottom",), how="span"))


def test_alike_is_fitted_among_those_that_agree(vae):
    pool = attribute_pool.of(vae)
    edit = Edit("top", "dark", "bright", keep=("bottom",), how="alike")
    found = stack.direction(vae, "", edit, {"bottom": 2})
    sides = [side[pool.labels[side, 1] == 2] for side in pool.sides("top", "dark", "bright")]
    assert np.allclose(found.step, pool.mu[sides[1]].mean(0) - pool.mu[sides[0]].mean(0))
    with pytest.raises(ValueError, match="Nobody can say"):
        stack.direction(vae, "", edit)


def test_ones_own_direction_is_the_difference_of_the_picked(vae):
    names = [f"random:{k}" for k in range(10)]
    mu = vae.encode(vae.source.pixels[:10]).mu
    found = stack.direction(vae, "", Edit("own", "+".join(names[5:]), "+".join(names[:5])))
    assert np.allclose(found.step, mu[:5].mean(0) - mu[5:].mean(0), atol=1e-6)
    one = stack.direction(vae, "", Edit("own", "random:1", "random:0"))
    assert np.allclose(one.step, mu[0] - mu[1], atol=1e-6)


def test_ones_own_direction_knows_what_it_is_like(vae):
    labels = vae.source.labels
    bright = [k for k in range(200) if labels[k, 0] == 2][:5]
    others = [k for k in range(200) if labels[k, 0] != 2][:5]
    edit = Edit("own", "+".join(f"random:{k}" for k in others), "+".join(f"random:{k}" for k in bright))
    like = stack.alike(attribute_pool.of(vae), stack.direction(vae, "", edit))
    assert (like["factor"], like["value"]) == ("top", "bright") and like["cosine"] > 0.8 and like["accuracy"] > 0.8


# --- A stack ---


def test_a_stack_adds_its_doses(vae):
    edits = stack.parse("top,dark,bright,mean,,,0.5;bottom,dark,bright,mean,,,-0.25")
    applied = stack.apply(vae, "", "gallery:0", edits)
    a, b = (stack.direction(vae, "", edit).step for edit in edits)
    assert np.allclose(applied.z, applied.mu + 0.5 * a - 0.25 * b)
    none = stack.apply(vae, "", "gallery:0", stack.parse("top,dark,bright,mean,,,0"))
    assert np.array_equal(none.z, none.mu) and np.array_equal(stack.apply(vae, "", "gallery:0", []).z, none.mu)


@pytest.mark.parametrize("method", ["mean", "probe", "svm", "lda"])
def test_an_absolute_edit_ends_at_its_distance_from_the_plane(vae, method):
    for picture in ("gallery:0", "gallery:5"):
        applied = stack.apply(vae, "", picture, stack.parse(f"top,dark,bright,{method},,,@0.5"))
        assert applied.directions[0].distance(applied.z) == pytest.approx(0.5)


def test_several_absolute_edits_all_end_at_their_distances(vae):
    """Directions that are not at right angles, and one that is added before."""
    edits = stack.parse("top,dark,bright,svm,,,@0.5;bottom,dark,bright,mean,,,0.3;bottom,grey,bright,probe,,,@-0.4")
    applied = stack.apply(vae, "", "gallery:5", edits)
    a, _, b = applied.directions
    assert abs(a.normal @ b.normal) > 0.01
    assert a.distance(applied.z) == pytest.approx(0.5) and b.distance(applied.z) == pytest.approx(-0.4)
    assert applied.doses[1] == 0.3
    assert np.allclose(applied.z, applied.mu + sum(n * d.step for n, d in zip(applied.doses, applied.directions)))
    z, _ = effects.film(vae, applied, edits, 0)
    assert np.allclose(a.distance(z), effects.DOSES) and np.allclose(b.distance(z), -0.4)


def test_two_distances_from_one_plane_are_missed_alike(vae):
    applied = stack.apply(vae, "", "gallery:0", stack.parse("top,dark,bright,mean,,,@0;top,dark,bright,mean,,,@1"))
    assert applied.directions[0].distance(applied.z) == pytest.approx(0.5)


def test_doses_that_lead_too_far_are_refused(vae):
    with pytest.raises(ValueError, match="smaller"):
        stack.reach(vae, np.array([0.0, 12.1]))
    with pytest.raises(ValueError, match="smaller"):
        stack.reach(vae, np.array([0.0, np.nan]))


# --- What it moves ---


def test_an_edit_moves_its_own_attribute_and_no_other(vae):
    row = last(effects.row(vae, "", EDIT))
    assert row.hit > 0.95 and row.moved["top"] > 0.9 and row.moved["bottom"] < 0.1
    assert row.faces == min(200, len(attribute_pool.of(vae).sides("top", "dark", "bright", held=True)[0]))
    assert len(row.worst["bottom"]) == effects.EXAMPLES


def test_a_dose_of_zero_changes_nothing(vae):
    row = last(effects.row(vae, "", EDIT, dose=0.0))
    assert set(row.moved.values()) == {0.0} and set(row.changed.values()) == {0.0} and row.hit == 0


def test_a_direction_along_both_moves_both(vae):
    """The diagonal from dark-dark to bright-bright, as correlated data would give it."""
    labels = vae.source.labels
    pick = {value: [f"random:{k}" for k in range(600) if tuple(labels[k]) == (value, value)][:5] for value in (0, 2)}
    row = last(effects.row(vae, "", Edit("own", "+".join(pick[0]), "+".join(pick[2]))))
    assert row.hit is None and min(row.moved.values()) > 0.5


def test_total_variation_is_half_the_distance():
    before, after = {"a": np.array([[1.0, 0], [0.6, 0.4]])}, {"a": np.array([[0.0, 1], [0.4, 0.6]])}
    assert effects.moved(before, after)["a"] == pytest.approx([1, 0.2])
    assert effects.changed(before, after)["a"].tolist() == [True, True]


def test_identity_starts_at_one_and_wears_off(vae):
    found = last(effects.drift(vae, "", EDIT))
    assert found["dose"][0] == 0 and found["kept"][0] == 1 and found["hit"][0] == 0
    assert found["cosine"][0] == pytest.approx(1, abs=1e-4)
    assert found["cosine"][4] < 0.9 and found["hit"][4] > 0.95  # at one dose


def test_a_film_is_the_stack_at_each_of_its_doses(vae):
    edits = stack.parse("top,dark,bright,mean,,,0;bottom,dark,bright,mean,,,0.5")
    z, frames = effects.film(vae, stack.apply(vae, "", "gallery:0", edits), edits, 0)
    assert len(frames) == len(effects.DOSES) == 33 and effects.DOSES[16] == 0
    for k in (0, 16, 24):
        text = f"top,dark,bright,mean,,,{effects.DOSES[k]};bottom,dark,bright,mean,,,0.5"
        exact = stack.apply(vae, "", "gallery:0", stack.parse(text))
        assert np.allclose(z[k], exact.z)
        assert np.array_equal(frames[k], vae.decode(exact.z[None])[0])


def test_what_is_read_along_a_film_names_where_it_turns(vae):
    number = next(k for k in range(600, 900) if tuple(vae.source.labels[k]) == (0, 1))
    edits = [EDIT]
    _, frames = effects.film(vae, stack.apply(vae, "", f"random:{number}", edits), edits, 0)
    told = effects.reading(vae, EDIT, frames)
    assert told["flip"] is not None and 0.3 <= told["flip"] <= 1 and told["start"] is False
    at = effects.DOSES.tolist().index(told["flip"])
    assert told["values"]["top"][at] == 2 and told["values"]["top"][at - 1] != 2
    for one in told["side"]:
        at, middle = effects.DOSES.tolist().index(one["dose"]), 16
        assert VALUES[told["values"]["bottom"][at]] == one["to"] != VALUES[told["values"]["bottom"][middle]] == one["from"]


def test_where_nothing_is_known_ones_own_attribute_works_and_the_rest_says_so(blank):
    assert attribute_reader.of(blank) is None
    edit = Edit("own", "random:1", "random:0")
    applied = stack.apply(blank, "", "gallery:3", [edit])
    assert applied.z.shape == (2,) and applied.values == {}
    _, frames = effects.film(blank, applied, [edit], 0)
    assert effects.reading(blank, edit, frames)["wanted"] is None
    assert effects.words(blank, frames[:2]) == [[], []]
    with pytest.raises(ValueError, match="Nothing is known"):
        last(effects.row(blank, "", edit))
    told = equation.solve(blank, "", [("gallery:1", 1.0), ("gallery:2", -1.0), ("gallery:3", 1.0)], [], "gallery:0")
    assert told["wanted"] == {} and told["nearest"]["of"] == 0


def test_the_reader_of_labelled_pictures_reads_them(vae):
    read = attribute_reader.of(vae).read(vae.source.pixels[600:])
    assert (read["top"].argmax(1) == vae.source.labels[600:, 0]).mean() > 0.97
    assert np.allclose(read["bottom"].sum(1), 1, atol=1e-5)


# --- What is kept, and for how long ---


class Slow(Halves):
    """Encodes when it is let."""

    def __init__(self, name: str):
        super().__init__(900)
        self.facts = {"version": name}
        self.go, self.asked = threading.Event(), 0

    def encode(self, images):
        self.asked += 1
        self.go.wait(20)
        return super().encode(images)


def test_a_question_does_not_wait_for_ever(monkeypatch):
    slow = Slow("waits")
    monkeypatch.setattr(attribute_pool, "PATIENCE", 0.05)
    with pytest.raises(Full, match="try again"):
        attribute_pool.of(slow)
    slow.go.set()
    monkeypatch.setattr(attribute_pool, "PATIENCE", 20.0)
    assert len(attribute_pool.of(slow).mu) == 900


def test_a_model_that_is_let_go_is_not_encoded_any_further():
    slow, behind = Slow("first"), Slow("behind")
    attribute_pool.progress(slow), attribute_pool.progress(behind)
    making, gone, go = attribute_pool._made[behind], weakref.ref(behind), slow.go
    del behind
    gc.collect()
    assert gone() is None and gone not in attribute_pool._made.keyrefs()
    go.set()
    assert making.over.wait(20) and making.pool is None and making.done == 0


def test_the_classifier_of_a_source_goes_with_it():
    own = Halves(120)
    reader = weakref.ref(attribute_reader.of(own))
    assert attribute_reader.of(own) is reader()
    del own
    gc.collect()
    assert reader() is None


def test_a_piece_of_work_that_is_over_keeps_no_model_and_no_names(vae):
    job = attribute_work.row(vae, "one page", EDIT)
    assert job.over.wait(20) and job.told()["state"] == "done"
    assert attribute_work.row(vae, "another page", EDIT) is job
    attribute_work.left("one page"), attribute_work.left("another page")
    assert job._work is None and not job.askers


def test_only_the_matrix_of_what_ships_outlives_its_page(vae, monkeypatch):
    go, begun = threading.Event(), threading.Event()

    def row(*_):
        begun.set()
        go.wait(20)
        yield 1

    monkeypatch.setattr(effects, "row", row)
    monkeypatch.setattr(vae, "facts", {"version": "matrices"})
    shared, own = attribute_work.matrix(vae, "page", "lda"), attribute_work.matrix(vae, "page", "lda", own=True)
    assert begun.wait(20) and shared is not own
    attribute_work.left("page")
    assert own.stopped and not shared.stopped and not shared.askers
    go.set()
    assert shared.over.wait(20) and own.over.wait(20) and own.answer is None


# --- Arithmetic ---


def test_the_sum_is_the_sum_of_codes(vae):
    terms = [("random:3", 1.0), ("random:4", -1.0), ("random:5", 1.0)]
    told = equation.solve(vae, "", terms, [], "gallery:0")
    mu = vae.encode(vae.source.pixels[3:6]).mu
    assert np.allclose(told["z"], mu[0] - mu[1] + mu[2], atol=1e-6)
    assert np.array_equal(told["pictures"][-2], vae.decode(told["z"][None])[0])
    pool = attribute_pool.of(vae)
    distances = np.linalg.norm(pool.mu - told["z"], axis=1)
    distances[[3, 4, 5]] = np.inf
    assert told["nearest"]["number"] == distances.argmin() and told["nearest"]["distance"] == pytest.approx(distances.min())


def test_a_face_alone_is_itself_and_the_edit_may_be_a_term(vae):
    edits = [EDIT]
    told = equation.solve(vae, "", [("gallery:2", 1.0)], edits, "gallery:0")
    assert told["right"] == 2 and told["open"] == 0
    edited = equation.solve(vae, "", [("edit", 1.0)], edits, "gallery:0")
    assert np.allclose(edited["z"], stack.apply(vae, "", "gallery:0", edits).z, atol=1e-6)


def test_what_the_sum_should_show_follows_from_the_weights():
    king, man = {"crown": "yes", "sex": "m", "hat": "a"}, {"crown": "no", "sex": "m", "hat": "b"}
    woman = {"crown": "no", "sex": "w", "hat": "c"}
    assert equation.expected([king, man, woman], [1, -1, 1]) == {"crown": "yes", "sex": "w", "hat": None}
    assert equation.expected([king, king], [0.5, 0.5]) == {"crown": "yes", "sex": "m", "hat": "a"}
    assert equation.expected([king], [2]) == {"crown": None, "sex": None, "hat": None}


@pytest.mark.parametrize(
    "given, words",
    [
        (None, "1 to 6"), ([], "1 to 6"), ([{}] * 7, "1 to 6"), ([3], "names a picture"),
        ([{"picture": 5, "weight": 1}], "names"),
        ([{"picture": "gallery:0", "weight": None}], "weight"), ([{"picture": "gallery:0", "weight": True}], "weight"),
        ([{"picture": "gallery:0", "weight": 1e9}], "weight"), ([{"picture": "gallery:0", "weight": "1"}], "weight"),
    ],
)  # fmt: skip
def test_an_equation_that_is_none_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        equation.terms(given)


def test_a_sum_far_out_is_refused(vae):
    with pytest.raises(ValueError, match="smaller"):
        equation.solve(vae, "", [(f"random:{k}", 3.0) for k in np.flatnonzero(vae.source.labels[:, 0] == 2)[:6]], [], "gallery:0")


# --- Long work ---


def test_work_is_done_once_for_all_who_ask(vae):
    one, two = attribute_work.row(vae, "page-a", EDIT), attribute_work.row(vae, "page-b", EDIT)
    assert one is two
    assert one.over.wait(60) and one.told()["state"] == "done" and one.told()["answer"]["hit"] > 0.95


def test_keeping_is_measured_in_every_way(vae):
    edit = Edit("top", "dark", "bright", keep=("bottom",), how="span")
    job = attribute_work.kept(vae, "page-a", edit)
    assert job.over.wait(60)
    told = job.told()["answer"]
    assert set(told) == {"plain", *stack.WAYS} and "Nothing of this edit" in told["span"]["error"] and told["alike"]["hit"] > 0.9


def test_a_matrix_has_a_row_for_every_attribute(vae):
    job = attribute_work.matrix(vae, "", "lda")
    assert job.over.wait(60)
    rows = job.told()["answer"]
    assert [row["edit"].split(",")[0] for row in rows] == ["top", "bottom"]
    assert rows[0]["moved"]["top"] > rows[0]["moved"]["bottom"]


@pytest.fixture
def queue(monkeypatch):
    """The work of this test alone, which nobody begins."""
    monkeypatch.setattr(attribute_work, "_jobs", type(attribute_work._jobs)())
    idle = SimpleNamespace(submit=lambda run: None)
    monkeypatch.setattr(attribute_work, "_asked", idle)
    monkeypatch.setattr(attribute_work, "_shared", idle)
    return attribute_work._jobs


def test_a_page_that_asks_anew_or_leaves_stops_what_it_alone_waits_for(vae, queue):
    other = Edit("bottom", "dark", "bright")
    first, drift = attribute_work.row(vae, "page-a", EDIT), attribute_work.drift(vae, "page-a", EDIT)
    shared = attribute_work.row(vae, "page-b", other)
    assert attribute_work.row(vae, "page-a", other) is shared
    assert first.stopped and not drift.stopped and not shared.stopped  # of another kind, and another page's
    matrix = attribute_work.matrix(vae, "page-a", "mean")
    attribute_work.left("page-a")
    assert drift.stopped and not shared.stopped and not matrix.stopped
    first.run()
    assert first.over.is_set() and first.answer is None
    assert attribute_work.row(vae, "page-c", EDIT) is not first  # begun anew


def test_no_more_waits_than_can_be_served(vae, queue, monkeypatch):
    monkeypatch.setattr(attribute_work, "WAITING", 3)
    for k in range(3):
        attribute_work.row(vae, f"page-{k}", Edit("top", "dark", "bright", amount=k / 4))
    with pytest.raises(ValueError, match="try again"):
        attribute_work.row(vae, "page-x", Edit("top", "dark", "bright", amount=2.0))


def test_what_goes_wrong_in_the_work_is_told(vae):
    wrong = attribute_work.Job(1, lambda: effects.row(vae, "", Edit("hat", "a", "b")))
    wrong.run()
    with pytest.raises(ValueError, match="Nothing is known"):
        wrong.told()


def test_digits_are_edited_from_any_to_each():
    edits = effects.usual({"digit": tuple("0123456789")})
    assert [edit.after for edit in edits] == list("0123456789") and {edit.before for edit in edits} == {"rest"}
