"""An index in one SQLite file, which is the truth; the matrix in memory is rebuilt from it.

In WAL mode readers never wait, several processes may write in turn, and a transaction that was acknowledged outlives a
killed process. `synchronous=normal` means that a power cut may undo the last transactions but breaks nothing.
"""

from __future__ import annotations

import functools
import json
import os
import sqlite3
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from . import scan
from .rows import File, Item
from .where import COLUMNS, NUMBERS, TEXTS, WORDS, Where, checked, is_field, queries, sql, words

WAIT = 30  # seconds for another process's transaction; one of 64 rows takes milliseconds
CACHE = 32_000  # kB of pages in memory; large indexes of text are written here and there
FORMAT = "2"

# The vectors have a table of their own, and indexes hold all that a filter asks for, so that it reads few pages.
TABLES = """
create table if not exists meta(key text primary key, value text) without rowid;
create table if not exists item(
    id integer primary key, rev integer not null, status text not null, error text not null,
    raw blob, mtime_ns integer, hash text, bytes integer,
    name text, path text, folder text, mtime real, width integer, height integer, orientation text, caption text,
    damaged integer, note text, caption_words text, name_words text, payload text not null);
create table if not exists tag(field text, value, id integer, primary key(field, value, id)) without rowid;
create table if not exists vector(id integer primary key, vec blob not null);
create table if not exists gone(id integer primary key, rev integer not null);
create index if not exists tag_id on tag(id);
create index if not exists item_rev on item(rev);
create index if not exists gone_rev on gone(rev);
create index if not exists item_raw on item(raw);
create index if not exists item_hash on item(hash, status);
create index if not exists item_status on item(status);
create index if not exists item_caption on item(caption_words, status);
create index if not exists item_name on item(name_words, status);
create index if not exists item_folder on item(folder, status);
create index if not exists item_mtime on item(mtime, status);
create index if not exists item_width on item(width, status);
create index if not exists item_bytes on item(bytes, status);
create index if not exists item_orientation on item(orientation, status);
"""
ROW = ("id", "rev", "status", "error", "raw", "mtime_ns", *COLUMNS, "caption_words", "name_words", "payload")
REV = "select value from meta where key = 'rev'"
FILE = "id, raw, coalesce(hash, ''), coalesce(bytes, 0), coalesce(mtime_ns, 0), status, error"
INSERT = f"insert or replace into item({', '.join(ROW)}) values({', '.join('?' * len(ROW))})"


class SqliteIndex:
    """See `explorer.index.Index`. Any thread may call anything; a search and an upsert do not wait for each other."""

    def __init__(self, path: str | os.PathLike, dim: int, model: str) -> None:
        self.path, self.dim, self.model = str(path), int(dim), model
        self._write = threading.RLock()  # one writer, and whoever changes the matrix
        self._read = threading.RLock()
        self._matrix, self._rev = scan.Matrix(self.dim), 0
        self._writer = self._connect()
        try:
            self._prepare()
        except BaseException as problem:
            self._writer.close()
            if isinstance(problem, sqlite3.DatabaseError) and "not a database" in str(problem):
                raise ValueError(f"{Path(self.path).name} is no index; remove it and index the pictures again.") from None
            raise
        # A file is read beside its writer; what is in memory has one connection and one lock.
        self._reader = self._writer if self.path == ":memory:" else self._connect()
        for db in (self._writer, self._reader):
            db.execute(f"pragma cache_size={-CACHE}")
        if self._reader is self._writer:
            self._read = self._write
        self._filtered = functools.lru_cache(16)(self._select)
        self._catch_up()

    def _connect(self) -> sqlite3.Connection:
        if self.path != ":memory:":
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        db.execute(f"pragma busy_timeout={WAIT * 1000}")
        return db

    def _prepare(self) -> None:
        self._wal()
        with self._transaction() as db:
            for statement in TABLES.split(";\n"):
                db.execute(statement)
            want = {"format": FORMAT, "dim": str(self.dim), "model": self.model}
            have = dict(db.execute("select key, value from meta"))
            if not have:
                db.executemany("insert into meta values(?, ?)", [*want.items(), ("rev", "0")])
            elif have.get("format") != FORMAT:
                raise ValueError("Another version of this program made this index; remove it and index the pictures again.")
            elif {key: have.get(key) for key in want} != want:
                raise ValueError(
                    f"This index was built with another model ({have.get('model')}, {have.get('dim')} numbers), "
                    f"not with {self.model}, {self.dim} numbers; choose that model, or index the pictures again."
                )

    def _wal(self) -> None:
        """Switching is the one step for which SQLite does not wait by itself while others switch."""
        end = time.monotonic() + WAIT
        while True:
            try:
                if self.path == ":memory:" or self._writer.execute("pragma journal_mode=wal").fetchone()[0] == "wal":
                    break
            except sqlite3.OperationalError as problem:
                if "locked" not in str(problem) or time.monotonic() > end:
                    raise
            time.sleep(0.02)
        self._writer.execute("pragma synchronous=normal")

    @contextmanager
    def _transaction(self):
        """All or nothing, one after another, whichever process they come from."""
        with self._write:
            self._writer.execute("begin immediate")
            try:
                yield self._writer
                self._writer.execute("commit")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("rollback")
                raise

    # --- Changing ---

    def upsert(self, ids: Sequence[int], vectors, payloads: Sequence[dict]) -> None:
        """Adds rows, or replaces those of the same id, in one transaction. See `Index.upsert`."""
        ids = _ids(ids)
        vectors = scan.unit(np.empty((0, self.dim)) if not len(ids) else vectors, self.dim)
        if not len(ids) == len(vectors) == len(payloads):
            raise ValueError(f"There are {len(ids)} ids, {len(vectors)} vectors and {len(payloads)} payloads.")
        rows = [_row(int(i), payload) for i, payload in zip(ids, payloads)]
        with self._write:
            with self._transaction() as db:
                rev = self._next(db)
                db.executemany(INSERT, [(row[0], rev, "ok", "", *row[1:]) for row in rows])
                db.executemany("delete from tag where id = ?", [(int(i),) for i in ids])
                db.executemany("insert or replace into tag values(?, ?, ?)", _tags(ids, payloads))
                db.executemany(
                    "insert or replace into vector values(?, ?)", [(int(i), v.tobytes()) for i, v in zip(ids, vectors)]
                )
            if rev == self._rev + 1 and len(set(ids.tolist())) == len(ids):
                self._matrix.upsert(ids, vectors)
                self._rev = rev
            else:
                self._catch_up()

    def fail(self, files: Sequence[File]) -> None:
        """Remembers files without a vector. See `Index.fail`."""
        with self._write:
            with self._transaction() as db:
                rev = self._next(db)
                ids = [int(i) for i in _ids([file.id for file in files])]
                for i, file in zip(ids, files):
                    shown = os.fsencode(file.path).decode("utf-8", "replace")
                    payload = {"path": shown, "name": shown.rpartition("/")[2], "folder": shown.rpartition("/")[0]}
                    payload |= {"raw": file.path, "hash": file.hash, "bytes": file.bytes, "mtime_ns": file.mtime_ns}
                    row = _row(i, payload)
                    db.execute(INSERT, (i, rev, file.status, file.error, *row[1:]))
                for table in ("vector", "tag"):
                    db.executemany(f"delete from {table} where id = ?", [(i,) for i in ids])
                db.executemany("insert or replace into gone values(?, ?)", [(i, rev) for i in ids])
            self._catch_up()

    def delete(self, ids: Sequence[int]) -> None:
        """Forgets rows and files."""
        ids = [(int(i),) for i in _ids(ids)]
        with self._write:
            with self._transaction() as db:
                rev = self._next(db)
                for table in ("item", "vector", "tag"):
                    db.executemany(f"delete from {table} where id = ?", ids)
                db.executemany("insert or replace into gone values(?, ?)", [(i, rev) for (i,) in ids])
            self._catch_up()

    @staticmethod
    def _next(db: sqlite3.Connection) -> int:
        """The number of this transaction, by which others learn what has changed."""
        db.execute("update meta set value = cast(value as integer) + 1 where key = 'rev'")
        return int(db.execute(REV).fetchone()[0])

    def _catch_up(self) -> None:
        """Brings the matrix to the last transaction, whoever made it."""
        with self._write:
            db = self._writer
            db.execute("begin")  # all that follows sees one moment
            try:
                rev = int(db.execute(REV).fetchone()[0])
                if rev == self._rev:
                    return
                rows = db.execute(
                    "select id, vec from item join vector using(id) where rev > ?"
                    if self._rev
                    else "select id, vec from vector where ? = 0",
                    (self._rev,),
                )
                if not len(self._matrix):
                    self._matrix.fill(self._batches(rows))
                else:
                    gone = db.execute("select id from gone where rev > ?", (self._rev,)).fetchall()
                    self._matrix.remove(np.array(gone, np.int64).reshape(-1))
                    for ids, vectors in self._batches(rows):
                        self._matrix.upsert(ids, vectors)
                self._rev = rev
            finally:
                db.execute("commit")

    def _batches(self, rows: sqlite3.Cursor) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while batch := rows.fetchmany(8192):
            ids, blobs = zip(*batch)
            yield np.array(ids, np.int64), np.frombuffer(b"".join(blobs), np.float16).reshape(-1, self.dim)

    # --- Asking ---

    def _ask(self, query: str, args=()) -> list[tuple]:
        try:
            with self._read:
                return self._reader.execute(query, args).fetchall()
        except sqlite3.ProgrammingError:
            raise ValueError("This index was closed meanwhile; please ask again.") from None

    def _fresh(self) -> int:
        """Takes up what other processes have written; the number of the last transaction."""
        rev = int(self._ask(REV)[0][0])
        if rev != self._rev:
            self._catch_up()
        return rev

    def _select(self, rev: int, query: str, args: tuple) -> np.ndarray:
        rows = self._ask(query, args)
        found = np.sort(np.fromiter(chain.from_iterable(rows), np.int64, len(rows)))
        found.flags.writeable = False  # it is kept and handed out again
        return found

    def _let_through(self, where: Where) -> np.ndarray | None:
        where, rev = checked(where), self._fresh()
        if not where:
            return None
        chosen = None
        for query, args in queries(where):
            found = self._filtered(rev, query, tuple(args))
            chosen = found if chosen is None else np.intersect1d(chosen, found, assume_unique=True)
        return chosen

    def search(self, q, k: int = 10, where: Where = (), offset: int = 0) -> list[tuple[int, float]]:
        """(id, score), best first, equal ones by id. See `Index.search`."""
        q = scan.unit_query(q, self.dim)
        if k < 0 or offset < 0:
            raise ValueError("A search returns 0 or more rows, from row 0 on.")
        return self._matrix.search(q, k, offset, self._let_through(where))

    def scores(self, q, where: Where = ()) -> tuple[np.ndarray, np.ndarray]:
        """Ids (N,) and scores (N,) of all rows. See `Index.scores`."""
        q = scan.unit_query(q, self.dim)
        return self._matrix.scores(q, self._let_through(where))

    def ids(self, where: Where = ()) -> np.ndarray:
        chosen = self._let_through(where)
        return self._matrix.ids() if chosen is None else chosen

    def count(self, where: Where = ()) -> int:
        chosen = self._let_through(where)
        return len(self._matrix) if chosen is None else len(chosen)

    def get(self, ids: Sequence[int]) -> list[Item | None]:
        """Items by id; None for those that are not there."""
        ids = [int(i) for i in _ids(ids)]
        found = {}
        for at in range(0, len(ids), 500):
            some = ids[at : at + 500]
            marks = ",".join("?" * len(some))
            query = f"select id, vec, raw, mtime_ns, payload from item join vector using(id) where id in ({marks})"
            rows = self._ask(query, some)
            payloads = json.loads(f"[{','.join([row[4] for row in rows])}]")
            for (i, vec, raw, mtime_ns, _), payload in zip(rows, payloads):
                if raw is not None:
                    payload["raw"] = raw
                if mtime_ns is not None:
                    payload["mtime_ns"] = mtime_ns
                found[i] = Item(i, vec, payload)
        return [found.get(i) for i in ids]

    def facets(self, field: str, where: Where = ()) -> dict[Any, int]:
        """value -> how many rows have it, most frequent first."""
        if not is_field(field):
            raise ValueError(f"There is no field {str(field)[:60]!r}.")
        condition, args = sql(checked(where))
        if field in COLUMNS:
            query = f"select {field}, count(*) from item where {condition} and {field} is not null group by 1 order by 2 desc, 1"
        else:
            some = f" and id in (select id from item where {condition})" if where else ""
            query = f"select value, count(*) from tag where field = ?{some} group by 1 order by 2 desc, 1"
            args = [field, *(args if where else ())]
        rows = self._ask(query, args)
        return {bool(value) if field == "damaged" else value: count for value, count in rows}

    def attributes(self) -> list[str]:
        """The fields "attr.<factor>" that some row has, sorted."""
        step = "(select min(field) from tag where field > last)"  # from one field to the next, not row by row
        query = f"with f(last) as (select min(field) from tag union all select {step} from f where last is not null)"
        return [field for (field,) in self._ask(f"{query} select last from f where last is not null")]

    def span(self, field: str) -> tuple[float, float] | None:
        """The least and the largest value of a number's field. See `Index.span`."""
        query = f"select {_number(field)} from item where +status = 'ok' and {field} is not null order by {field}"
        ends = [self._ask(f"{query} {way} limit 1") for way in ("asc", "desc")]  # each at one end of an index
        return (ends[0][0][0], ends[1][0][0]) if all(ends) else None

    def within(self, field: str, edges: Sequence[float]) -> list[int]:
        """How many rows have a number from each edge on and below the next. See `Index.within`."""
        query = f"select count(*) from item where {_number(field)} >= ? and {field} < ? and +status = 'ok'"
        return [self._ask(query, between)[0][0] for between in pairwise(edges)]  # one by one: others ask in between

    def files(self) -> Iterator[File]:
        """Every `File`, indexed or failed, in the order of their paths."""
        last = b""
        while True:  # page by page, so that nobody waits for the whole list
            rows = self._ask(f"select {FILE} from item where raw > ? order by raw limit 5000", (last,))
            if not rows:
                return
            for row in rows:
                yield File(*row)
            last = rows[-1][1]

    def close(self) -> None:
        """Ends all connections; a closed index answers nothing."""
        with self._write, self._read:
            self._reader.close()
            self._writer.close()


def peek(path: str | os.PathLike) -> tuple[int, list[File]]:
    """How many rows the index at `path` has, and its failed files, without loading its vectors. (0, []) for none."""
    try:
        db = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True, timeout=1)
        try:
            count = db.execute("select count(*) from item where status = 'ok'").fetchone()[0]
            bad = db.execute(f"select {FILE} from item where status != 'ok' order by raw").fetchall()
            return count, [File(*row) for row in bad]
        finally:
            db.close()
    except sqlite3.Error:
        return 0, []


def _ids(ids: Sequence[int]) -> np.ndarray:
    out = np.asarray(ids, np.int64).reshape(-1)
    if out.size and (out.min() < 0 or out.max() >= 2**53):
        raise ValueError("An id is a whole number from 0 to 2^53 - 1.")
    return out


def _number(field: str) -> str:
    if field not in NUMBERS:
        raise ValueError(f"{str(field)[:60]!r} is no field of numbers.")
    return field


def _tags(ids: np.ndarray, payloads: Sequence[dict]) -> list[tuple]:
    """Attributes as rows of their own, so that a filter by one finds its pictures without reading the others."""
    last = dict(zip(ids.tolist(), payloads))  # an id that comes twice is what it was last
    return [
        (field, unicodedata.normalize("NFC", value) if isinstance(value, str) else value, i)
        for i, payload in last.items()
        for field, value in payload.items()
        if field not in COLUMNS and is_field(field) and isinstance(value, (str, int, float)) and value == value
    ]


def _row(i: int, payload: dict) -> tuple:
    """A payload in the order of ROW, without rev, status and error."""
    payload = {key: unicodedata.normalize("NFC", v) if isinstance(v, str) else v for key, v in payload.items()}
    raw, mtime_ns = payload.pop("raw", None), payload.pop("mtime_ns", None)
    if raw is None and "path" in payload:
        raw = os.fsencode(payload["path"])
    for name in COLUMNS:
        if payload.get(name) is None:
            payload.pop(name, None)
        elif name in TEXTS or name == "damaged":
            payload[name] = (bool if name == "damaged" else str)(payload[name])
    known = [payload.get(name) for name in COLUMNS]
    of_words = [f" {' '.join(words(payload.get(name, '')))} " for name in WORDS]
    try:
        rest = json.dumps(payload, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("A payload holds texts, finite numbers, and lists of those.") from None
    return i, raw, mtime_ns, *known, *of_words, rest
