"""Words are compared composed, in one case and without what cannot be seen in a direction."""

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanings.labels.answers import answered
from meanings.labels.labeller import Labeller
from meanings.lexicon.check import agreement
from meanings.lexicon.forms import normal_form, plain_form
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.relations import Relations
from meanings.prompts.answers import word_match

MARKS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize("mark", MARKS, ids=ascii)
@pytest.mark.parametrize("word", ["חתול", "قطة", "chat"])
def test_marks_of_direction_are_no_part_of_an_answer(word, mark):
    for answer in (mark + word, word + mark, word[:2] + mark + word[2:], f"{mark} {word} {mark}"):
        assert normal_form(answer) == word and word_match(answer, [word])
    assert not word_match(word[:-1] + mark, [word]) and normal_form(mark) == ""


def test_other_marks_that_change_a_word_stay():
    assert normal_form("e\u0301le\u0300ve") == "élève" != normal_form("eleve")
    assert normal_form("a\u200cb") == "a\u200cb" and plain_form("Straße") == "Straße"


@given(st.text(max_size=12))
def test_composition_never_matters(text):
    forms = {normal_form(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert len(forms) == 1


def test_an_answer_with_marks_of_direction_is_labelled_correct():
    entries = {"cat": {"en": ("cat",), "he": ("חתול",)}, "dog": {"en": ("dog",), "he": ("כלב",)}}
    labeller = Labeller(Lexicon("two", ("en", "he"), entries, {}), Relations())
    for answer in ("\u202bחתול\u202c", "חתול\u200f"):
        assert labeller.label(answer, parse_pair("en-he"), "cat", "dog").name == "correct"


def test_answers_are_counted_in_plain_form():
    rows = pd.DataFrame(
        {
            "condition": ["src_unpatched", "tgt_unpatched", "seen"],
            "answer": ["\u200fe\u0301te\u0301", "été\u200e", "ÉTÉ"],
            "source_concept": "summer",
            "target_concept": "cat",
            "pair": "en-fr",
            "prompt_seed": 1,
            "concept_pair": 0,
            "first_layer": 0,
            "model": "m",
            "training_seed": 0,
            "step": 1,
            "tokens": 1,
        }
    )
    assert answered(rows, "seen")["answer"].tolist() == ["été", "été", "ÉTÉ"]


def test_lexicons_agree_whatever_the_case():
    def words(name, **entry):
        return Lexicon(name, ("en", "de"), {"street": {c: (w,) for c, w in entry.items()}}, {})

    ours, theirs = words("a", en="street", de="Straße"), words("b", en="Street", de="STRASSE")
    assert agreement(ours, theirs).table["share"].tolist() == [1, 1]
