from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from explorer.index import open_index
from explorer.tabs.clip_search import search, sure

N = 300
COLOURS = ("red", "green", "blue")


def rows(n=N, dim=32, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    payloads = [
        {
            "name": f"{i}.png", "path": f"{'ab'[i % 2]}/{i}.png", "folder": "ab"[i % 2], "width": 64, "height": 48 + i % 40,
            "mtime": float(i), "caption": f"a face with {COLOURS[i % 3]} hair", "attr.hair colour": COLOURS[i % 3],
        }
        for i in range(n)
    ]  # fmt: skip
    return vectors, payloads


@pytest.fixture(scope="module")
def collection():
    vectors, payloads = rows()
    index = open_index(":memory:", 32, "test", server="")
    index.upsert(range(N), vectors, payloads)
    return SimpleNamespace(index=index, vectors=vectors.astype(np.float16).astype(np.float32))


def ask(words="red hair", **more):
    return dict(terms=[dict(kind="text", text=words, weight=1)], **more)


def shown(answer):
    return [hit["id"] for hit in answer["hits"]]


def test_scores_order_and_percentiles_are_numpys(tiny, collection):
    answer = search.search(tiny, collection, ask(size=50))
    truth = collection.vectors @ tiny.texts(["red hair"])[0]
    order = np.argsort(-truth, kind="stable")
    assert shown(answer) == order[:50].tolist()
    assert np.allclose([hit["score"] for hit in answer["hits"]], truth[order[:50]], atol=1e-3)
    ranks = [100 * (truth <= truth[i] + 1e-7).mean() for i in order[:50]]
    assert np.allclose([hit["percentile"] for hit in answer["hits"]], ranks, atol=1e-6)
    assert answer["total"] == answer["matched"] == N and answer["more"]
    assert set(answer["took"]) == {"encode", "search", "rest"}


def test_a_search_is_kept_to_pictures_by_their_numbers(tiny, collection):
    everything = search.search(tiny, collection, ask(size=96))
    some = shown(everything)[::7]
    answer = search.search(tiny, collection, ask(only=sorted(some)))
    assert shown(answer) == some and answer["matched"] == len(some) and answer["total"] == N
    percentiles = {hit["id"]: hit["percentile"] for hit in everything["hits"]}
    assert [hit["percentile"] for hit in answer["hits"]] == [percentiles[i] for i in some]
    assert set(shown(search.search(tiny, collection, dict(random=1, only=some)))) == set(some)
    with pytest.raises(ValueError, match="by their numbers"):
        search.search(tiny, collection, ask(only=["1"]))


def test_verdicts_come_with_the_thresholds_that_made_them(tiny, collection):
    answer = search.search(tiny, collection, ask(size=96))
    sure, maybe = answer["background"]["sure"], answer["background"]["maybe"]
    for hit in answer["hits"]:
        if min(abs(hit["z"] - sure), abs(hit["z"] - maybe)) > 0.01:
            assert hit["sure"] == ("sure" if hit["z"] >= sure else "maybe" if hit["z"] >= maybe else "no")


def test_least_similar_is_the_other_end(tiny, collection):
    best = search.search(tiny, collection, ask(size=96))
    least = search.search(tiny, collection, ask(size=96, least=True))
    assert least["hits"][0]["score"] < best["hits"][-1]["score"]
    assert [hit["score"] for hit in least["hits"]] == sorted(hit["score"] for hit in least["hits"])
    assert least["nothing"] == ""


def test_filters_come_first_and_percentiles_stay_those_of_the_collection(tiny, collection):
    where = [["attr.hair colour", "==", "blue"], ["folder", "==", "a"]]
    answer = search.search(tiny, collection, ask(where=where, size=96))
    truth = collection.vectors @ tiny.texts(["red hair"])[0]
    allowed = [i for i in np.argsort(-truth, kind="stable") if i % 3 == 2 and i % 2 == 0]
    assert shown(answer) == allowed and answer["matched"] == len(allowed) and answer["total"] == N
    assert answer["hits"][0]["percentile"] == pytest.approx(100 * (truth <= truth[allowed[0]]).mean())
    assert answer["hits"][0]["attributes"] == {"hair colour": "blue"}


def test_pages_neither_overlap_nor_lose_a_picture(tiny, collection):
    for more in ({}, dict(duplicates=0.5), dict(random=7)):
        seen, page = [], 0
        while True:
            answer = search.search(tiny, collection, ask(page=page, size=37, **more))
            seen += [i for hit in answer["hits"] for i in [hit["id"], *hit["hidden"]]]
            page += 1
            if not answer["more"]:
                break
        assert sorted(seen) == list(range(N)), more
        assert search.search(tiny, collection, ask(page=page, size=37, **more))["hits"] == []


def test_random_is_the_same_for_the_same_number(tiny, collection):
    one, two, other = (shown(search.search(tiny, collection, dict(random=seed, size=30))) for seed in (5, 5, 6))
    assert one == two != other
    answer = search.search(tiny, collection, dict(random=5))
    assert answer["hits"][0]["score"] is None and answer["hits"][0]["sure"] is None
    assert search.search(tiny, collection, ask(random=5))["hits"][0]["score"] is not None


def test_near_duplicates_hide_behind_the_best_of_them(tiny):
    """Fifty pictures three times each, slightly changed: the groups are known."""
    vectors, payloads = rows(50)
    rng = np.random.default_rng(1)
    noise = [0.01 * rng.standard_normal(vectors.shape).astype(np.float32) for _ in range(2)]
    copies = np.concatenate([vectors, vectors + noise[0], vectors + noise[1]])
    index = open_index(":memory:", 32, "test", server="")
    index.upsert(range(150), copies, payloads * 3)
    answer = search.search(tiny, SimpleNamespace(index=index), ask(duplicates=0.97, size=96))
    assert len(answer["hits"]) == 50 and not answer["more"] and answer["matched"] == 150
    for hit in answer["hits"]:
        assert hit["group"] == 2 and {i % 50 for i in hit["hidden"]} == {hit["id"] % 50}
    assert len(search.search(tiny, SimpleNamespace(index=index), ask(duplicates=1.0, size=96))["hits"]) == 96


def test_liked_and_disliked_pictures_in_both_ways(tiny, collection):
    v = collection.vectors
    mean = search.search(tiny, collection, dict(likes=[3, 5], dislikes=[9], size=20))
    q = 2 * v[[3, 5]].mean(0) - v[9]
    assert shown(mean) == np.argsort(-(v @ q), kind="stable")[:20].tolist()
    best = search.search(tiny, collection, dict(likes=[3, 5], dislikes=[9], strategy="best", size=N // 4))
    good, bad = (v @ v[[3, 5]].T).max(1), v @ v[9]
    score = np.where(good > bad, good, -(bad**2))
    assert shown(best) == np.argsort(-score, kind="stable")[: N // 4].tolist()
    assert best["hits"][0]["sure"] is None and mean["hits"][0]["sure"] == "sure"


def test_a_picture_as_query_finds_itself(tiny, collection):
    answer = search.search(tiny, collection, dict(terms=[dict(kind="image", vector=collection.vectors[42])]))
    assert shown(answer)[0] == 42 and answer["hits"][0]["score"] == pytest.approx(1, abs=2e-3)
    assert answer["hits"][0]["sure"] == "sure" and answer["hits"][20]["sure"] != "sure"


def test_nothing_matches_and_why(tiny, collection):
    assert "filters" in search.search(tiny, collection, ask(where=[["width", ">=", 1000]]))["nothing"]
    answer = search.search(tiny, collection, ask("zebra 🙂"))
    assert "knows none of these words" in answer["nothing"] and answer["unknown"] == ["zebra", "🙂"]
    assert {hit["sure"] for hit in answer["hits"]} == {"no"} and "“zebra” and “🙂”" in answer["notes"][0]
    empty = SimpleNamespace(index=open_index(":memory:", 32, "test", server=""))
    assert search.search(tiny, empty, ask())["nothing"] == "The collection is empty."
    assert search.search(tiny, empty, ask())["hits"] == search.search(tiny, empty, dict(random=1))["hits"] == []


def test_the_z_score_is_that_of_the_same_picture_with_unrelated_texts(tiny, collection):
    """By hand: the 256 background texts that fall into about as many pieces."""
    answer = search.search(tiny, collection, ask("a face with red hair"))
    texts = sorted(sure.captions(), key=lambda text: abs(len(tiny.pieces(text)) - 5))[: sure.NULLS]
    hit = answer["hits"][0]
    cos = tiny.texts(texts) @ collection.vectors[hit["id"]]
    assert hit["z"] == pytest.approx((hit["score"] - cos.mean()) / cos.std(), abs=0.02)


def test_a_deleted_picture_is_passed_over_and_a_deleted_example_is_named(tiny):
    vectors, payloads = rows(40)
    index = open_index(":memory:", 32, "test", server="")
    index.upsert(range(40), vectors, payloads)
    index.delete([7])
    answer = search.search(tiny, SimpleNamespace(index=index), ask(size=96))
    assert 7 not in shown(answer) and len(answer["hits"]) == 39
    with pytest.raises(ValueError, match="no longer"):
        search.search(tiny, SimpleNamespace(index=index), dict(likes=[7]))


BAD = {
    "nothing asked": ({}, "Write what to look for"),
    "page": (ask(page=-1), "The page"),
    "half a page": (ask(page=0.5), "The page"),
    "size": (ask(size=10_000), "size of a page"),
    "threshold": (ask(duplicates=float("nan")), "near-duplicates"),
    "seed": (dict(random="x"), "random order"),
    "filter": (ask(where=[["width", ">="]]), "a field, a comparison and a value"),
    "filters": (ask(where="all"), "at most 24 rules"),
    "comparison": (ask(where=[["width", "like", 3]]), "like"),
    "field": (ask(where=[["secret", "==", 3]]), "secret"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_a_request_may_not_hold(tiny, collection, case):
    request, sentence = BAD[case]
    with pytest.raises(ValueError, match=sentence) as info:
        search.search(tiny, collection, request)
    assert str(info.value).endswith(".")


def test_why_names_place_and_word(tiny):
    picture = Image.fromarray(np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    answer = search.why(tiny, picture, dict(text="a face with  red hair", method="attention"))
    score = float(tiny.images([picture])[0] @ tiny.texts(["a face with red hair"])[0])
    assert answer["score"] == pytest.approx(score, abs=1e-5) and len(answer["map"]) == answer["side"] ** 2 == 64
    assert [bar["word"] for bar in answer["words"]] == ["a", "face", "with", "red", "hair"]
    without = float(tiny.images([picture])[0] @ tiny.texts(["a face with hair"])[0])
    assert answer["words"][3]["score_without"] == pytest.approx(without, abs=1e-5)
    assert answer["words"][3]["drop"] == pytest.approx(score - without, abs=1e-5)
    with pytest.raises(ValueError, match="Write the text"):
        search.why(tiny, picture, dict(text=" "))
    with pytest.raises(ValueError, match="no map called"):
        search.why(tiny, picture, dict(text="red", method="magic"))


def test_with_several_templates_the_bars_are_of_the_same_score_as_the_map(tiny):
    picture = Image.fromarray(np.random.default_rng(4).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    answer = search.why(tiny, picture, dict(text="red hair", template=["{}", "a face with {}"]))
    for bar in answer["words"]:
        assert bar["drop"] + bar["score_without"] == pytest.approx(answer["score"], abs=1e-5)


@pytest.mark.parametrize("size, sees", [((64, 64), "middle"), ((640, 80), "middle"), ((641, 80), "padded"), ((4, 90), "padded")])
def test_why_says_which_part_of_a_picture_its_map_covers(tiny, size, sees):
    assert search.why(tiny, Image.new("RGB", size, "red"), dict(text="red"))["sees"] == sees


def test_a_hit_names_its_version_and_what_its_percentile_is_among(tiny):
    vectors, payloads = rows(12)
    index = open_index(":memory:", 32, "test", server="")
    index.upsert(range(12), vectors, [payload | {"hash": f"{i:02}ab" * 16} for i, payload in enumerate(payloads)])
    answer = search.search(tiny, SimpleNamespace(index=index), ask(size=12))
    assert {hit["id"]: hit["version"] for hit in answer["hits"]} == {i: f"{i:02}ab{i:02}ab" for i in range(12)}
    # The page makes a place of it: 1 + the pictures that score higher.
    places = [round((100 - hit["percentile"]) / 100 * answer["among"]) + 1 for hit in answer["hits"]]
    assert answer["among"] == 12 and places == list(range(1, 13))
