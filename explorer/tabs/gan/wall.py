"""Rooms: who trains where, for a class that wants to see each other's runs. In memory alone; a name is given or not."""

import random
import re
import threading
import unicodedata

from explorer import limits

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # without I and O, which look like digits on a wall
NAME_LENGTH = 24


class Rooms:
    """Codes and the visitors in them, in the order in which they came."""

    def __init__(self):
        self._rooms: dict[str, dict[str, str]] = {}  # code -> visitor -> name
        self._lock = threading.Lock()

    def join(self, visitor: str, code: str = "", name: str = "") -> str:
        """Enters a room, or a new one without a code; returns its code. Raises ValueError with a sentence."""
        code, name = code.strip().upper(), tidy(name)
        if code and not re.fullmatch(f"[{LETTERS}]{{4}}", code):
            raise ValueError("A room's code has four letters, such as KLMR.")
        self.leave(visitor)
        with self._lock:
            if code not in self._rooms and len(self._rooms) >= limits.ROOMS:
                raise ValueError("There are too many rooms at this moment; join one that exists.")
            code = code or self._new()
            self._rooms.setdefault(code, {})[visitor] = name
        return code

    def _new(self) -> str:
        while True:
            code = "".join(random.choices(LETTERS, k=4))
            if code not in self._rooms:
                return code

    def leave(self, visitor: str) -> None:
        """Leaves whatever room the visitor is in. An empty room is forgotten."""
        with self._lock:
            for code in [code for code, people in self._rooms.items() if visitor in people]:
                del self._rooms[code][visitor]
                if not self._rooms[code]:
                    del self._rooms[code]

    def room(self, visitor: str) -> str | None:
        """The code of the visitor's room."""
        with self._lock:
            return next((code for code, people in self._rooms.items() if visitor in people), None)

    def people(self, code: str) -> list[tuple[str, str]]:
        """(visitor, name) of a room."""
        with self._lock:
            return list(self._rooms.get(code, {}).items())


def tidy(name: str) -> str:
    """A name as it may stand on a wall: no control characters, no line breaks, not endless."""
    clean = "".join(" " if c.isspace() else c for c in str(name) if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(clean.split())[:NAME_LENGTH]
