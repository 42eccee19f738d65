"""Targeted words: each kind is what its definition says, and the lexicon that enlarges them."""

import pytest

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.forms import normal_form
from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.lexicon.targeted import (
    KINDS,
    LANGUAGES,
    Query,
    targeted_csv,
    targeted_lexicon,
    targeted_queries,
)

WORDS = {
    "poison": {"en": "poison", "de": "Gift", "fr": "poison"},
    "gift": {"en": "gift|present", "de": "Geschenk", "fr": "cadeau"},
    "bat": {"en": "bat", "de": "Fledermaus", "fr": "chauve-souris"},
    "bat (club)": {"en": "bat", "de": "Schläger", "fr": "batte"},
    "piano": {"en": "piano", "de": "Klavier", "fr": "piano"},
    "dog": {"en": "dog", "de": "Hund", "fr": "chien"},
    "key": {"en": "key", "de": "Schlüssel", "fr": "clé"},
    "wrench": {"en": "wrench", "de": "Schlüssel", "fr": "clé"},
}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    entries = {
        concept: {code: tuple(words.split("|")) for code, words in row.items()}
        for concept, row in WORDS.items()
    }
    return Lexicon("small", ("en", "de", "fr"), entries, dict.fromkeys(entries, "object"))


def kinds(lexicon: Lexicon, pair: str) -> dict[str, str]:
    return {query.concept: query.kind for query in targeted_queries(lexicon, [parse_pair(pair)])}


def test_each_kind_has_its_words(lexicon):
    assert kinds(lexicon, "de-en") == {
        "poison": "false_friend",
        "gift": "plain",
        "bat": "plain",
        "bat (club)": "plain",
        "piano": "plain",
        "dog": "plain",
        "key": "polysemous",
        "wrench": "polysemous",
    }
    # One French word is right for both senses of Schlüssel, so that no sense can be told.
    assert not {"key", "wrench"} & set(kinds(lexicon, "de-fr"))
    found = kinds(lexicon, "en-fr")
    assert (found["piano"], found["bat"], found["bat (club)"]) == (
        "cognate",
        "polysemous",
        "polysemous",
    )
    assert found["poison"] == "cognate"


def test_a_query_knows_its_other_senses(lexicon):
    (gift,) = [q for q in targeted_queries(lexicon, [parse_pair("de-en")]) if q.word == "Gift"]
    assert gift == Query(
        "false_friend",
        LanguagePair("de", "en"),
        "Gift",
        "poison",
        "object",
        ("poison",),
        ("gift", "present"),
    )
    (bat,) = [q for q in targeted_queries(lexicon, [parse_pair("en-de")]) if q.concept == "bat"]
    assert bat.accepted == ("Fledermaus",) and bat.elsewhere == ("Schläger",)


def test_a_form_that_one_language_uses_for_both_is_no_false_friend():
    entries = {
        "poison": {"en": ("poison",), "de": ("Gift",)},
        "gift": {"en": ("gift",), "de": ("Geschenk", "Gift")},
    }
    lexicon = Lexicon("two", ("en", "de"), entries, {})
    assert "false_friend" not in kinds(lexicon, "de-en").values()


def test_an_unknown_language_is_refused(lexicon):
    with pytest.raises(MeaningsError, match="pair en-pl: lexicon 'small' lacks 'pl'"):
        targeted_queries(lexicon, [parse_pair("en-pl")])


@pytest.fixture(scope="module")
def shipped() -> list[Query]:
    lexicon = load_lexicon("targeted")
    pairs = [LanguagePair(a, b) for a in LANGUAGES for b in LANGUAGES if a != b]
    return targeted_queries(lexicon, pairs)


def test_the_targeted_lexicon_holds_the_embedded_one_unchanged():
    whole, embedded = load_lexicon("targeted"), load_lexicon("embedded")
    part = whole.restrict(concepts=embedded.concepts)
    assert part.sha256 == embedded.restrict(languages=LANGUAGES).sha256
    assert whole.languages == LANGUAGES and len(whole) > len(embedded)


def test_there_are_enough_words_of_each_kind(shipped):
    for kind in KINDS:
        own = [query for query in shipped if query.kind == kind]
        assert len({(query.pair.input, query.word) for query in own}) >= 150


def test_no_accepted_word_belongs_to_another_sense(shipped):
    for query in shipped:
        accepted, elsewhere = (
            set(map(normal_form, words)) for words in (query.accepted, query.elsewhere)
        )
        assert accepted
        if query.kind in ("polysemous", "false_friend"):
            assert elsewhere and not accepted & elsewhere
        assert (normal_form(query.word) in accepted) == (query.kind == "cognate")
        assert (normal_form(query.word) in elsewhere) == (query.kind == "false_friend")


def test_the_shipped_table_is_what_the_words_make(shipped):
    path = data_folder() / "lexicon" / "targeted.csv"
    assert path.read_text(encoding="utf-8") == targeted_csv(shipped)


HEADER = "concept,category,en,fr,de,es,it,pl,comment"
GOOD = "flag pole,object,pole,mât,Mast,mástil,asta,maszt,"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["concept,en", "a,b"], "line 1: columns concept, en; expected concept, category, en"),
        ([HEADER, GOOD, GOOD], "line 3, column 'concept': 'flag pole' occurs already"),
        ([HEADER, GOOD.replace("flag pole", "dog")], "'dog' occurs already"),
        ([HEADER, GOOD.replace("object", "thing")], "'thing'; allowed are animal, body"),
        ([HEADER, GOOD.replace("mât", "")], "line 2, column 'fr': empty"),
        ([HEADER, GOOD.replace("mât", "mât|mât")], "column 'fr': a word twice"),
    ],
)
def test_a_bad_row_is_refused_in_one_line(tmp_path, lines, message):
    path = tmp_path / "words.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(MeaningsError) as failure:
        targeted_lexicon(path)
    assert message in str(failure.value) and "\n" not in str(failure.value)
