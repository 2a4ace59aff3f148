"""One question to a collection, and its answer: filtered, scored, grouped, judged and paged.

The order of work: the filter (in the index), the scores of all that passes (exact), the order, the near-duplicates, one page.
"""

import time

import numpy as np

from explorer.tabs.clip_search import query, relevance, sure, words

SIZE, MOST = 24, 96  # pictures of a page
PAGES = 10_000
GROUPED = 2000  # hits among which near-duplicates are looked for
EVERYTHING = 200_000  # pictures up to which a filtered search is compared with the whole collection: 30 ms more
ATTRIBUTE = "attr."


def search(model, collection, request: dict) -> dict:
    """A request as it comes from the page, its image terms as vectors (D,) -> the answer for the page.

    {equation, hits, total, matched, page, size, more, nothing, unknown, background, took, notes}; a hit has id, score, percentile
    (of the collection), z, sure, title, caption, path, width, height, mtime, note, damaged, group, hidden and attributes.
    Raises ValueError with one sentence.
    """
    began = time.perf_counter()
    index, page, size = collection.index, *_page(request)
    where = [tuple(rule) for rule in _rules(request.get("where"))]
    threshold = request.get("duplicates")
    if threshold is not None:
        threshold = query.number(threshold, 0.5, 1, "The likeness of near-duplicates")
    seed = request.get("random")
    if seed is not None:
        seed = query.whole(seed, 0, 2**53, "The number of a random order")

    liked, disliked = _examples(index, request)
    q = query.build(model, request, liked, disliked)
    if q.vector is None and seed is None:
        raise ValueError("Write what to look for, or add a picture.")
    encoded = time.perf_counter()

    # Scores of all that passes the filter, and of everything for the percentile.
    notes, total = list(q.notes), index.count()
    everything = scores = None
    if q.vector is None:
        ids = index.ids(where)
    else:
        ids, scores = _scores(index, q, where)
        everything = scores if not where else _scores(index, q, ())[1] if total <= EVERYTHING else scores
        if where and total > EVERYTHING:
            notes.append("Percentiles are among the pictures that pass the filters.")
    searched = time.perf_counter()

    order = _order(ids, scores, seed, least=bool(request.get("least")))
    ranked = ids[order]
    groups = _groups(index, ranked, threshold, (page + 1) * size) if threshold is not None else None
    if groups is None:
        shown = [(int(i), []) for i in ranked[page * size : (page + 1) * size]]
    else:
        shown = groups[page * size : (page + 1) * size]
        if len(ranked) > GROUPED and len(groups) < (page + 1) * size:
            notes.append(f"Near-duplicates are grouped among the first {GROUPED:,} pictures.")

    items = index.get([i for i, _ in shown])
    kept = [(item, hidden) for item, (_, hidden) in zip(items, shown) if item is not None]  # one may have been deleted since
    background, z, verdicts, nothing = None, None, None, ""
    hit_scores = None
    if scores is not None and kept:
        places = np.searchsorted(ids, [item.id for item, _ in kept])
        hit_scores = scores[places]
        ruler = sure.ruler(model, index, q)
        if ruler is not None:
            vectors = np.stack([item.vector for item, _ in kept])
            z, background = ruler.z(vectors, hit_scores), ruler.spread(vectors)
            verdicts = ruler.verdicts(z)
            nothing = _nothing(index, ruler, q, ids, scores, bool(request.get("least")))
    if not len(ids):
        nothing = "The collection is empty." if not total else "No picture passes these filters; take one away."

    by_score = np.sort(everything) if everything is not None else None
    hits = []
    for n, (item, hidden) in enumerate(kept):
        score = None if hit_scores is None else float(hit_scores[n])
        percentile = None if score is None else 100 * float(np.searchsorted(by_score, score, "right")) / len(by_score)
        hits.append(_hit(item, hidden) | dict(
            score=score, percentile=percentile, z=None if z is None else round(float(z[n]), 2),
            sure=None if verdicts is None else verdicts[n],
        ))  # fmt: skip
    if q.unknown:
        says = "they say" if len(q.unknown) > 1 else "it says"
        notes.append(f"This model never learnt {_listed(q.unknown)}, so {says} little here.")
    ended = time.perf_counter()
    return {
        "equation": q.equation, "hits": hits, "total": int(total), "matched": len(ids), "page": page, "size": size,
        "more": len(ranked) > (page + 1) * size if groups is None else len(groups) > (page + 1) * size,
        "nothing": nothing, "unknown": q.unknown, "background": background, "notes": notes,
        "took": dict(encode=_ms(encoded - began), search=_ms(searched - encoded), rest=_ms(ended - searched)),
    }  # fmt: skip


def why(model, picture, request: dict) -> dict:
    """Where in a picture (PIL) and in which words of request["text"] the score comes from; request["method"] is a map's.

    {method, side, map, raw, score, words, took, note}. Raises ValueError with one sentence.
    """
    began = time.perf_counter()
    text = " ".join(str(request.get("text") or "").split())
    if not text:
        raise ValueError("Write the text that the picture is to be compared with.")
    patterns = query.templates(request.get("template"))
    vector = query.text_vector(model, text, patterns)
    out = relevance.explain(model, picture, vector, request.get("method") or "attention")
    _, bars, cut = words.ablate(model, model.images([picture])[0], text, patterns[0])
    notes = [out["note"], cut]
    if model.truncated(patterns[0].replace("{}", text)):
        notes.append("The end of this text is beyond what the model reads.")
    return out | dict(words=bars, note=" ".join(filter(None, notes)), took=_ms(time.perf_counter() - began))


def _page(request: dict) -> tuple[int, int]:
    page = query.whole(request.get("page", 0), 0, PAGES, "The page")
    return page, query.whole(request.get("size", SIZE), 1, MOST, "The size of a page")


def _rules(given) -> list:
    given = [] if given is None else given
    if not isinstance(given, (list, tuple)) or len(given) > 24:
        raise ValueError("Filters are a list of at most 24 rules.")
    for rule in given:
        if not isinstance(rule, (list, tuple)) or len(rule) != 3 or not all(isinstance(part, str) for part in rule[:2]):
            raise ValueError("A filter is a field, a comparison and a value.")
    return list(given)


def _examples(index, request: dict) -> list[np.ndarray | None]:
    """The vectors of liked and of disliked pictures, (N, D) each, None where there are none."""
    out = []
    for key, what in (("likes", "Liked pictures"), ("dislikes", "Disliked pictures")):
        numbers = query.ids(request.get(key), what)
        items = index.get(numbers) if numbers else []
        if any(item is None for item in items):
            raise ValueError("A liked or disliked picture is no longer in this collection; take it away.")
        out.append(np.stack([item.vector for item in items]).astype(np.float32) if items else None)
    return out


def _scores(index, q: query.Query, where) -> tuple[np.ndarray, np.ndarray]:
    """Ids ascending and scores of all that passes: a cosine, or with examples compared one by one Qdrant's "best score"."""
    if not q.best:
        return index.scores(q.vector, where)
    scans = [[index.scores(v, where) for v in group] for group in (q.likes, q.dislikes if q.dislikes is not None else ())]
    ids = scans[0][0][0]
    for other, _ in scans[0] + scans[1]:  # pictures may come and go meanwhile
        ids = np.intersect1d(ids, other, assume_unique=True)
    aligned = [[s[np.searchsorted(i, ids)] for i, s in group] for group in scans]
    good, bad = (np.max(group, 0) if group else np.full(len(ids), -1, np.float32) for group in aligned)
    return ids, np.where(good > bad, good, -(bad**2)).astype(np.float32)


def _order(ids: np.ndarray, scores: np.ndarray | None, seed: int | None, least: bool) -> np.ndarray:
    """Positions in the order of the answer; equal scores by their ids, so that pages never overlap."""
    if seed is not None:
        return np.random.default_rng(seed).permutation(len(ids))
    return np.lexsort((ids, scores if least else -scores))


def _groups(index, ranked: np.ndarray, threshold: float, wanted: int) -> list[tuple[int, list[int]]]:
    """The best of each group of near-duplicates with the ids it hides, in rank order; enough for `wanted` and one more.

    A picture belongs to the first one before it whose cosine reaches the threshold. The whole window is looked through, so a
    group is the same on every page.
    """
    heads: list[int] = []
    hidden: list[list[int]] = []
    kept = np.empty((0, 0), np.float32)
    for start in range(0, min(len(ranked), max(GROUPED, 4 * wanted)), 256):
        for item in index.get([int(i) for i in ranked[start : start + 256]]):
            if item is None:
                continue
            vector = item.vector / max(float(np.linalg.norm(item.vector)), 1e-12)
            if not len(heads):
                kept = np.empty((0, len(vector)), np.float32)
            like = kept[: len(heads)] @ vector if heads else np.empty(0)
            if len(like) and like.max() >= threshold:
                hidden[int(np.flatnonzero(like >= threshold)[0])].append(item.id)
                continue
            if len(heads) == len(kept):
                kept = np.concatenate([kept, np.empty((max(256, len(kept)), len(vector)), np.float32)])
            kept[len(heads)] = vector
            heads.append(item.id)
            hidden.append([])
    return list(zip(heads, hidden))


def _nothing(index, ruler, q: query.Query, ids: np.ndarray, scores: np.ndarray, least: bool) -> str:
    """The sentence for a question that nothing answers: not even the best few of the whole filtered collection are likely."""
    if least:
        return ""
    best = ids[np.argsort(-scores, kind="stable")[:5]]
    items = [item for item in index.get([int(i) for i in best]) if item is not None]
    z = ruler.z(np.stack([item.vector for item in items]), scores[np.searchsorted(ids, [item.id for item in items])])
    if any(verdict != "no" for verdict in ruler.verdicts(z)):
        return ""
    if ruler.meaningless:
        return "Nothing here matches: this model knows none of these words."
    return "Nothing here matches: the best pictures below score no better than with unrelated texts."


def _hit(item, hidden: list[int]) -> dict:
    payload = item.payload
    return dict(
        id=item.id, title=payload.get("name") or f"picture {item.id}", caption=payload.get("caption") or "",
        path=payload.get("path") or "", width=payload.get("width"), height=payload.get("height"), mtime=payload.get("mtime"),
        note=payload.get("note") or "", damaged=bool(payload.get("damaged")), group=len(hidden), hidden=hidden,
        attributes={k[len(ATTRIBUTE) :]: v for k, v in payload.items() if k.startswith(ATTRIBUTE)},
    )  # fmt: skip


def _listed(names: list[str]) -> str:
    quoted = [f"“{name[:30]}”" for name in names[:5]] + (["more"] if len(names) > 5 else [])
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)
