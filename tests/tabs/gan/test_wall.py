"""Rooms of a class: codes, names, and nobody left behind."""

import pytest

from explorer import limits
from explorer.tabs.gan.wall import NAME_LENGTH, Rooms, tidy


def test_a_new_room_has_a_code_that_others_enter():
    rooms = Rooms()
    code = rooms.join("teacher")
    assert len(code) == 4 and code.isupper()
    assert rooms.join("pupil", f" {code.lower()} ", "Ada") == code
    assert rooms.people(code) == [("teacher", ""), ("pupil", "Ada")]


def test_joining_another_room_leaves_the_first_and_an_empty_room_is_forgotten():
    rooms = Rooms()
    rooms.join("a", "KLMR")
    rooms.join("a", "ABCD")
    assert rooms.people("KLMR") == [] and rooms.room("a") == "ABCD"
    rooms.leave("a")
    assert rooms.room("a") is None and rooms._rooms == {}


@pytest.mark.parametrize("code", ["ABC", "ABCDE", "AB1D", "AB D", "ÄBCD", "../.", "<b>x"])
def test_what_is_no_code(code):
    with pytest.raises(ValueError, match="four letters"):
        Rooms().join("a", code)


def test_there_is_an_end_to_rooms(monkeypatch):
    monkeypatch.setattr(limits, "ROOMS", 2)
    rooms = Rooms()
    rooms.join("a", "AAAA")
    rooms.join("b", "BBBB")
    with pytest.raises(ValueError, match="too many rooms"):
        rooms.join("c", "CCCC")
    assert rooms.join("c", "AAAA") == "AAAA"


def test_names_are_tidy():
    assert tidy("  Ada \n  Lovelace\t") == "Ada Lovelace"
    assert tidy("a\u202eb\u0000c\u200b") == "abc"
    assert len(tidy("x" * 1000)) == NAME_LENGTH
    assert tidy("🦆 <script>") == "🦆 <script>"  # the page writes it as text
