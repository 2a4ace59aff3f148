"""What a collection can be filtered by, with counts: the values that its pictures really have."""

import calendar
from collections import Counter
from datetime import UTC, datetime

FOLDERS = 500  # listed at most, the fullest first
ATTRIBUTES, VALUES = 50, 500  # of a collection, and of an attribute, the most frequent first
PREFIX = "attr."
RANGES = ("bytes", "mtime", "width")


def facets(collection) -> dict:
    """{folders: [{path, count}], orientation, years, attributes: {factor: {value: count}}, bytes: [least, most], mtime, width}.

    A folder counts the pictures below it too. Only what is shown is read: ends of ranges, and counts of groups.
    """
    index = collection.index
    below: Counter = Counter()
    for folder, count in index.facets("folder").items():
        parts = str(folder or "").split("/")
        for end in range(1, len(parts) + 1):
            below["/".join(parts[:end])] += count
    below.pop("", None)
    fullest = sorted(below.items(), key=lambda folder: (-folder[1], folder[0]))[:FOLDERS]
    spans = {field: index.span(field) for field in RANGES}
    return {
        "folders": [{"path": path, "count": count} for path, count in fullest],
        "orientation": _named(index.facets("orientation")),
        "years": _years(index, spans["mtime"]),
        "attributes": {field.removeprefix(PREFIX): _named(index.facets(field)) for field in _attributes(index)},
        **{field: span and [float(end) for end in span] for field, span in spans.items()},
    }


def _attributes(index) -> list[str]:
    """The attributes of all pictures: those of the first one in its order, then the others by name."""
    names = index.attributes()
    first = [field for item in index.get([int(i) for i in index.ids()[:1]]) if item for field in item.payload]
    return [*(field for field in first if field in names), *(field for field in names if field not in first)][:ATTRIBUTES]


def _named(found: dict) -> dict[str, int]:
    return {str(value): count for value, count in list(found.items())[:VALUES] if value not in (None, "")}


def _years(index, span: tuple[float, float] | None) -> dict[str, int]:
    """Pictures per year (UTC), empty years left out."""
    if span is None:
        return {}
    first, last = (datetime.fromtimestamp(end, UTC).year for end in span)
    years = range(first, last + 1)
    counts = index.within("mtime", [calendar.timegm((year, 1, 1, 0, 0, 0)) for year in range(first, last + 2)])
    return {str(year): count for year, count in zip(years, counts) if count}
