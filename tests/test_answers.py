"""Answers that many share: computed once, kept by question, and refused rather than piled up."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from explorer.answers import BUSY, Answers, Busy, Places


def test_one_computes_one_waits_in_vain_and_a_third_finds_no_place_in_line():
    places = Places(1, 1, 0.02)
    with places.place():
        with pytest.raises(ValueError, match="busy"), places.place():
            pass
        endless = Places(1, 0, 3600)
        with endless.place(), pytest.raises(Busy, match=BUSY), endless.place():
            pass
    with places.place():  # whoever was refused holds nothing
        pass


def test_an_answer_that_is_there_waits_for_nobody():
    places = Places(1, 0, 0.02)
    answers = Answers(2, places)
    assert answers.get("a", lambda: 1) == 1
    with places.place():
        assert answers.get("a", None) == 1
        with pytest.raises(Busy):
            answers.get("b", lambda: 2)
    assert answers.get("b", lambda: 2) == 2 and answers.get("a", None) == 1


def test_a_failure_is_told_and_forgotten():
    answers, calls = Answers(2, Places(1, 0, 0.02)), []

    def make():
        calls.append(1)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            answers.get("a", make)
    assert len(calls) == 2 and answers.get("a", lambda: 3) == 3


def test_two_who_ask_the_same_share_one_answer():
    answers, begun, go, calls = Answers(2, Places(2, 2, 30)), threading.Event(), threading.Event(), []

    def make():
        calls.append(1)
        begun.set()
        go.wait(30)
        return "it"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(answers.get, "a", make)
        assert begun.wait(30)
        second = pool.submit(answers.get, "a", make)
        go.set()
        assert first.result(30) == second.result(30) == "it" and calls == [1]


def test_the_oldest_question_goes():
    answers = Answers(2, Places(1, 0, 1))
    for key in "aba":
        answers.get(key, lambda key=key: key)
    answers.get("c", lambda: "c")  # b was asked for longest ago
    assert answers.get("a", None) == "a" and answers.get("b", lambda: "again") == "again"
