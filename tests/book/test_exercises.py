"""Exercises that check themselves: right answers, wrong ones, and what is no answer."""

import re
from pathlib import Path

import pytest

from meanings.book.exercises import check
from meanings.book.solutions import EXERCISES
from meanings.core.errors import MeaningsError

BOOK = Path(__file__).parents[2] / "book"


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answer_is_right_and_others_are_not(name):
    right = EXERCISES[name].solution()
    assert check(name, right) == "Right."
    if isinstance(right, str):
        assert check(name, f" {right.upper()} ") == "Right."
        wrong = [f"not {right}", "", 3, None]
    else:
        wrong = [right + 2 * EXERCISES[name].tolerance + 0.01, right - 10, "one", True, None]
    assert all(check(name, answer).startswith("Not yet: ") for answer in wrong)


@pytest.mark.parametrize("name", EXERCISES)
def test_hints_are_for_wrong_answers_only(name):
    right = EXERCISES[name].solution()
    assert not any(fits(right) for fits in EXERCISES[name].hints.values())


def test_dots_are_no_answer_and_an_unknown_exercise_is_refused():
    assert check(next(iter(EXERCISES)), ...).startswith("No answer yet")
    with pytest.raises(MeaningsError, match="unknown exercise 'cka-tree'"):
        check("cka-tree", 1)


def test_every_exercise_is_asked_on_a_page():
    text = "\n".join(file.read_text(encoding="utf-8") for file in BOOK.glob("*.md"))
    asked = re.findall(r'^check\("([a-z-]+)", your_answer\)$', text, re.M)
    assert sorted(asked) == sorted(EXERCISES)
