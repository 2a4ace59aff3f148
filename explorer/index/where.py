"""Filters: a list of (field, op, value), all of which must hold. One meaning, whoever keeps the vectors.

    ("folder", "prefix", "holiday/2024")        this folder and all below; "" is every folder
    ("attr.shirt", "==", "red")                 ("damaged", "==", False)
    ("orientation", "in", ["portrait", "square"])
    ("mtime", ">=", 1.7e9), ("width", "<=", 640)
    ("caption", "has", "red hair")              each word occurs, as a whole word, in any case
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

Where = Sequence[tuple[str, str, Any]]

TEXTS = ("name", "path", "folder", "hash", "orientation", "caption", "note")
NUMBERS = ("bytes", "mtime", "width", "height", "damaged")
COLUMNS = TEXTS + NUMBERS
WORDS = ("caption", "name")  # fields whose words can be asked for
MOST_WORDS = 20  # of one filter: each is a condition of its own, and SQL has an end to these
OPS = ("==", "in", "prefix", ">=", "<=", "has")

_ATTRIBUTE = re.compile(r"attr\.[\w .+-]{1,60}")


def words(text: str) -> list[str]:
    """The words of a text in lower case: "Größe, blue-eyed" -> größe, blue, eyed."""
    return re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold())


def checked(where: Where) -> list[tuple[str, str, Any]]:
    """The same filters, as they are meant. Raises ValueError with one sentence for what is none."""
    out = []
    for entry in where:
        try:
            field, op, value = entry
        except (TypeError, ValueError):
            raise ValueError("A filter is a field, an operator and a value.") from None
        if not is_field(field):
            raise ValueError(f"There is no field {str(field)[:60]!r} to filter by.")
        if op not in OPS:
            raise ValueError(f"A filter cannot be {str(op)[:20]!r}; it can be {', '.join(OPS)}.")
        out.append((field, op, _value(field, op, value)))
    return out


def is_field(field: Any) -> bool:
    return isinstance(field, str) and (field in COLUMNS or bool(_ATTRIBUTE.fullmatch(field)))


def _value(field: str, op: str, value: Any) -> Any:
    if op == "in":
        if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple, set, frozenset)):
            raise ValueError(f"The filter {field!r} needs a list of values.")
        return [_single(field, one) for one in value]
    if op in (">=", "<="):
        if field in TEXTS or isinstance(value, (str, bytes)):
            raise ValueError(f"The filter {field!r} {op} needs a number.")
        return _single(field, value)
    if op == "prefix":
        if field != "folder" or not isinstance(value, str):
            raise ValueError("Only a folder can be a prefix.")
        return unicodedata.normalize("NFC", value).strip("/")
    if op == "has":
        if field not in WORDS or not isinstance(value, str):
            raise ValueError(f"Words can be looked for in {' and '.join(WORDS)} only.")
        found = words(value)
        if len(found) > MOST_WORDS:
            raise ValueError(f"At most {MOST_WORDS} words can be looked for at once, not {len(found):,}; take some away.")
        return found
    return _single(field, value)


def _single(field: str, value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, (bool, int, float)) and abs(value) < 2**63:  # NaN is not
        return value
    raise ValueError(f"The filter {field!r} has a value that is neither a text nor a number.")


def parents(folder: str) -> list[str]:
    """A folder and all above it: "a/b" -> "", "a", "a/b"."""
    parts = folder.split("/") if folder else []
    return ["/".join(parts[:n]) for n in range(len(parts) + 1)]


# --- As SQL ---


def sql(where: Where) -> tuple[str, list]:
    """A condition on rows of `item` for SQLite and its arguments, for checked filters. Names stand in it; values never do."""
    parts, args = ["+status = 'ok'"], []  # the sign: nearly all rows are ok, so this alone is no way to find some
    for field, op, value in where:
        if field in COLUMNS:
            condition, more = _compared(field, op, value)
            parts.append(condition)
            args += more
        else:
            condition, more = _compared("value", op, value)
            parts.append(f"id in (select id from tag where field = ? and {condition})")
            args += [field, *more]
    return " and ".join(parts), args


def queries(where: Where) -> list[tuple[str, list]]:
    """The same as questions for ids, of which those in all answers are meant: each attribute has its own rows."""
    of_items = [rule for rule in where if rule[0] in COLUMNS]
    condition, args = sql(of_items)
    out = [(f"select id from item where {condition}", args)] if of_items else []
    for field, op, value in where:
        if field not in COLUMNS:
            condition, args = _compared("value", op, value)
            out.append((f"select id from tag where field = ? and {condition}", [field, *args]))
    return out


def _compared(name: str, op: str, value: Any) -> tuple[str, list]:
    if op == "in":
        numbers = [int(one) if isinstance(one, bool) else one for one in value]
        return f"{name} in (select value from json_each(?))", [json.dumps(numbers)]
    if op == "prefix":
        if not value:
            return "1", []
        # "0" follows "/" in order, so between them is everything that begins with "value/".
        return f"({name} = ? or ({name} >= ? and {name} < ?))", [value, value + "/", value + "0"]
    if op == "has":
        return " and ".join(f"instr({name}_words, ?)" for _ in value) or "1", [f" {word} " for word in value]
    if op in (">=", "<="):  # a text counts as larger than every number otherwise
        return f"typeof({name}) in ('integer', 'real') and {name} {op} ?", [value]
    return f"{name} {'=' if op == '==' else op} ?", [value]
