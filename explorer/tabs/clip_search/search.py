"""One question to a collection, and its answer: filtered, scored, grouped, judged and paged.

The order of work: the filter (in the index), the scores of all that passes (exact), the order, the near-duplicates, one page.
"""

import time

import numpy as np

from explorer.tabs.clip_search import query, ranking, relevance, sure, words

SIZE, MOST = 24, 96  # pictures of a page
PAGES = 10_000
ATTRIBUTE = "attr."
ONLY = 1000  # pictures that a search can be kept to by their ids


def search(model, collection, request: dict) -> dict:
    """A request as it comes from the page, its image terms as vectors (D,) -> the answer for the page.

    {equation, hits, total, matched, among, page, size, more, nothing, unknown, background, took, notes}; a hit has id, score,
    percentile (of the collection, or of what matched: of `among` pictures), z, sure, title, caption, path, width, height, mtime,
    version, note, damaged, group, hidden and attributes.
    request["only"] keeps the search to the pictures of these ids. Raises ValueError with one sentence.
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

    only = _only(request.get("only"))
    liked, disliked = _examples(index, request)
    q = query.build(model, request, liked, disliked)
    if q.vector is None and seed is None:
        raise ValueError("Write what to look for, or add a picture.")
    encoded = time.perf_counter()

    # The first pictures in their order; with near-duplicates, as many as are looked through on every page alike.
    notes, total, wanted = list(q.notes), index.count(), (page + 1) * size + 1
    window = wanted if threshold is None else max(ranking.GROUPED, 4 * wanted)
    found = ranking.rank(index, q, where, window, seed, bool(request.get("least")), only)
    if found.among_matched:
        notes.append("Percentiles are among the pictures that pass the filters.")
    searched = time.perf_counter()

    if threshold is None:
        groups = [(int(i), []) for i in found.ids]
    else:
        groups = ranking.groups(index, found.ids, threshold)
        if found.matched > window:
            notes.append(f"Near-duplicates are grouped among the first {window:,} pictures.")
    shown = groups[page * size : (page + 1) * size]
    items = index.get([i for i, _ in shown])
    kept = [(item, hidden) for item, (_, hidden) in zip(items, shown) if item is not None]  # one may have been deleted since

    place = {int(i): n for n, i in enumerate(found.ids)}
    at = [place[item.id] for item, _ in kept]
    scores = None if found.scores is None else found.scores[at]
    background, z, verdicts, nothing = None, None, None, ""
    ruler = sure.ruler(model, index, q) if scores is not None and kept else None
    if ruler is not None:
        vectors = np.stack([item.vector for item, _ in kept])
        z, background = ruler.z(vectors, scores), ruler.spread(vectors)
        verdicts = ruler.verdicts(z)
        if not (ruler.meaningless or ruler.plain):  # else no z makes a difference
            background |= dict(zip(("sure", "maybe"), map(float, ruler.thresholds)))
        nothing = _nothing(index, ruler, found) if seed is None and only is None and not request.get("least") else ""
    if not found.matched:
        empty = "Nothing is indexed yet; it has begun." if _building(collection) else "The collection is empty."
        nothing = empty if not total else "No picture passes these filters; take one away."

    hits = [
        _hit(item, hidden) | dict(
            score=None if scores is None else float(scores[n]),
            percentile=None if scores is None else float(found.percentiles[at[n]]),
            z=None if z is None else round(float(z[n]), 2), sure=None if verdicts is None else verdicts[n],
        )
        for n, (item, hidden) in enumerate(kept)
    ]  # fmt: skip
    if q.unknown:
        says = "they say" if len(q.unknown) > 1 else "it says"
        notes.append(f"This model never learnt {_listed(q.unknown)}, so {says} little here.")
    ended = time.perf_counter()
    return {
        "equation": q.equation, "hits": hits, "total": int(total), "matched": int(found.matched), "page": page, "size": size,
        "among": int(found.matched if found.among_matched else total),
        "more": len(groups) > (page + 1) * size,
        "nothing": nothing, "unknown": q.unknown, "background": background, "notes": notes,
        "took": dict(encode=_ms(encoded - began), search=_ms(searched - encoded), rest=_ms(ended - searched)),
    }  # fmt: skip


def _building(collection) -> bool:
    job = getattr(collection, "job", None)
    return isinstance(job, dict) and job.get("state") in ("scanning", "running", "paused")


def why(model, picture, request: dict) -> dict:
    """Where in a picture (PIL) and in which words of request["text"] the score comes from; request["method"] is a map's.

    {method, side, map, raw, score, words, took, note, sees}; the map covers what the model sees of it: "all", its "middle"
    square, or a square "padded" around it. Raises ValueError with one sentence.
    """
    began = time.perf_counter()
    text = " ".join(str(request.get("text") or "").split())
    if not text:
        raise ValueError("Write the text that the picture is to be compared with.")
    patterns = query.templates(request.get("template"))
    vector = query.text_vector(model, text, patterns)
    out = relevance.explain(model, picture, vector, request.get("method") or "attention")
    _, bars, cut = words.ablate(model, model.images([picture])[0], text, patterns)
    notes = [out["note"], cut]
    if any(model.truncated(pattern.replace("{}", text)) for pattern in patterns):
        notes.append("The end of this text is beyond what the model reads.")
    told = dict(words=bars, note=" ".join(filter(None, notes)), sees=model.sees(picture.size))
    return out | told | dict(took=_ms(time.perf_counter() - began))


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


def _only(given) -> list[int] | None:
    if given is None:
        return None
    if not isinstance(given, (list, tuple)) or not all(type(i) is int and 0 <= i < 2**53 for i in given) or len(given) > ONLY:
        raise ValueError(f"A search can be kept to at most {ONLY:,} pictures, given by their numbers.")
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


def _nothing(index, ruler, found) -> str:
    """The sentence for a question that nothing answers: not even the best few pictures are likely."""
    items = index.get([int(i) for i in found.ids[:5]])
    scores = np.array([score for item, score in zip(items, found.scores) if item is not None])
    vectors = np.stack([item.vector for item in items if item is not None])
    if any(verdict != "no" for verdict in ruler.verdicts(ruler.z(vectors, scores))):
        return ""
    if ruler.meaningless:
        return "Nothing here matches: this model knows none of these words."
    return "Nothing here matches: the best pictures below score no better than with unrelated texts."


def _hit(item, hidden: list[int]) -> dict:
    payload = item.payload
    return dict(
        id=item.id, title=payload.get("name") or f"picture {item.id}", caption=payload.get("caption") or "",
        path=payload.get("path") or "", width=payload.get("width"), height=payload.get("height"), mtime=payload.get("mtime"),
        version=str(payload.get("hash") or "")[:8],  # of the file: its picture's address changes with it
        note=payload.get("note") or "", damaged=bool(payload.get("damaged")), group=len(hidden), hidden=hidden,
        attributes={k[len(ATTRIBUTE) :]: v for k, v in payload.items() if k.startswith(ATTRIBUTE)},
    )  # fmt: skip


def _listed(names: list[str]) -> str:
    quoted = [f"“{name[:30]}”" for name in names[:5]] + (["more"] if len(names) > 5 else [])
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)
