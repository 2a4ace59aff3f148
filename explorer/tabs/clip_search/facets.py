"""What a collection can be filtered by, with counts: the values that its pictures really have."""

from collections import Counter
from datetime import UTC, datetime

FOLDERS = 500  # listed at most, the fullest first
PREFIX = "attr."
RANGES = ("bytes", "mtime", "width", "height")


def facets(collection) -> dict:
    """{folders: [{path, count}], orientation, years, attributes: {factor: {value: count}}, bytes: [least, most], ...}.

    A folder counts the pictures below it too.
    """
    index, seen = collection.index, {}

    def counts(field: str) -> dict:
        if field not in seen:
            seen[field] = index.facets(field)
        return seen[field]

    below: Counter = Counter()
    for folder, count in counts("folder").items():
        parts = str(folder or "").split("/")
        for end in range(1, len(parts) + 1):
            below["/".join(parts[:end])] += count
    below.pop("", None)
    years = Counter()
    for moment, count in counts("mtime").items():
        if moment:
            years[str(datetime.fromtimestamp(float(moment), UTC).year)] += count
    factors = {field.removeprefix(PREFIX): counts(field) for field in _attributes(index)}
    fullest = sorted(below.items(), key=lambda folder: (-folder[1], folder[0]))[:FOLDERS]
    return {
        "folders": [{"path": path, "count": count} for path, count in fullest],
        "orientation": {str(k): v for k, v in counts("orientation").items() if k},
        "years": dict(sorted(years.items())),
        "attributes": {name: {str(k): v for k, v in found.items() if k} for name, found in factors.items()},
        **{field: _range(counts(field)) for field in RANGES},
    }


def _attributes(index) -> list[str]:
    """The attributes that the first pictures of a collection have: all have the same, or none."""
    some = [item for item in index.get([int(i) for i in index.ids()[:1]]) if item]
    return [field for item in some for field in item.payload if field.startswith(PREFIX)]


def _range(found: dict) -> list[float] | None:
    values = [float(value) for value in found if value is not None]
    return [min(values), max(values)] if values else None
