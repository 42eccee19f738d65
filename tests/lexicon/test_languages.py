"""Codes, native names and language pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanings.core.errors import MeaningsError, one_of
from meanings.lexicon.languages import LANGUAGES, LanguagePair, language, parse_pair

CODES = st.sampled_from(sorted(LANGUAGES))


@given(CODES, CODES)
def test_a_pair_is_read_back_from_its_own_text(a, b):
    assert parse_pair(str(LanguagePair(a, b))) == LanguagePair(a, b)


@given(st.text(max_size=12))
def test_any_other_text_is_refused_in_one_line_that_names_the_codes(text):
    parts = text.split("-")
    if len(parts) == 2 and all(part in LANGUAGES for part in parts):
        return
    with pytest.raises(MeaningsError) as error:
        parse_pair(text)
    assert "\n" not in str(error.value)
    assert "en, fr, de" in str(error.value)


@pytest.mark.parametrize("value", ["EN", "xx", "", "no"])
def test_an_unknown_code_is_refused(value):
    with pytest.raises(MeaningsError, match="known codes are en"):
        language(value)


def test_native_names_are_distinct_and_capitalised():
    natives = [entry.native for entry in LANGUAGES.values()]
    assert len(set(natives)) == len(natives)
    assert all(name[0] == name[0].upper() for name in natives)
    assert LANGUAGES["fr"].native == "Français"


def test_every_language_of_multi_simlex_and_of_the_miniature_is_known():
    assert {
        "en",
        "fr",
        "de",
        "es",
        "it",
        "ru",
        "pl",
        "fi",
        "et",
        "cy",
        "sw",
        "zh",
        "yue",
        "he",
        "ar",
    } <= set(LANGUAGES)


def test_errors_are_one_line_and_lists_are_bounded():
    assert str(MeaningsError("a\n  b")) == "a b"
    assert one_of(range(50), 3) == "0, 1, 2, and 47 more"
    assert one_of([]) == "none"
