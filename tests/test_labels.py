import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanings.errors import MeaningsError
from meanings.labels import LABELS, Labeller, label_answers, load_broader, normal_form
from meanings.languages import parse_pair
from meanings.lexicon import Lexicon, load_lexicon

WORDS = {
    "cat": {"en": "cat", "fr": "chat|minet", "es": "gato", "de": "Katze"},
    "dog": {"en": "dog", "fr": "chien", "es": "perro", "de": "Hund"},
    "animal": {"en": "animal", "fr": "animal", "es": "animal", "de": "Tier"},
    "wrist": {"en": "wrist", "fr": "poignet", "es": "muñeca", "de": "Handgelenk"},
    "doll": {"en": "doll", "fr": "poupée", "es": "muñeca", "de": "Puppe"},
    "gift": {"en": "gift", "fr": "cadeau", "es": "regalo", "de": "Geschenk"},
    "poison": {"en": "poison", "fr": "poison", "es": "veneno", "de": "Gift"},
    "eagle": {"en": "eagle", "fr": "aigle", "es": "águila", "de": "Adler"},
    "bird": {"en": "bird", "fr": "oiseau", "es": "pájaro", "de": "Vogel"},
    "piano": {"en": "piano", "fr": "piano", "es": "piano", "de": "Klavier"},
}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    entries = {concept: {code: tuple(words.split("|")) for code, words in row.items()} for concept, row in WORDS.items()}
    return Lexicon("small", ("en", "fr", "es", "de"), entries, {"cat": "animal", "dog": "animal", "eagle": "animal", "animal": "animal"})


@pytest.fixture(scope="module")
def labeller(lexicon) -> Labeller:
    return Labeller(lexicon, {"eagle": {"bird"}, "bird": {"animal"}})


# answer, pair, expected concept, query concept, label, a part of the evidence
CASES = [
    ("chat", "es-fr", "cat", "dog", "correct", ""),
    (" Chat ", "es-fr", "cat", "dog", "correct", ""),
    ("piano", "es-fr", "piano", "piano", "correct", "also the query word"),
    ("minet", "es-fr", "cat", "dog", "synonym", "beside 'chat'"),
    ("chien", "es-fr", "cat", "dog", "target_concept", "'dog'"),
    ("perro", "es-fr", "cat", "dog", "copy", "in es"),
    ("poupée", "es-fr", "wrist", "wrist", "other_sense", "'muñeca' is 'wrist' in es and 'doll' in es"),
    ("poupée", "en-fr", "wrist", "dog", "other_sense", "'muñeca'"),
    ("poupée", "de-fr", "wrist", "wrist", "other", "'doll' in fr"),
    ("veneno", "en-es", "gift", "gift", "homograph", "'gift' is 'gift' in en and 'poison' in de"),
    ("regalo", "fr-es", "poison", "dog", "homograph", "'gift' is 'poison' in de and 'gift' in en"),
    ("gato", "en-fr", "cat", "dog", "wrong_language", "'cat' in es"),
    ("hund", "en-fr", "cat", "dog", "wrong_language", "'dog' in de"),
    ("oiseau", "es-fr", "eagle", "dog", "hypernym_hyponym", "'bird' is broader than 'eagle'"),
    ("animal", "de-fr", "eagle", "dog", "hypernym_hyponym", "'animal' is broader than 'eagle'"),
    ("aigle", "es-fr", "bird", "dog", "hypernym_hyponym", "'bird' is broader than 'eagle'"),
    ("aigle", "es-fr", "cat", "dog", "other", "'eagle' in fr"),
    ("poignets", "es-fr", "wrist", "dog", "other", "like 'poignet'"),
    ("xyzzy", "es-fr", "cat", "dog", "other", ""),
    ("", "es-fr", "cat", "dog", "other", "no answer"),
]


@pytest.mark.parametrize(("answer", "pair", "expected", "query", "name", "evidence"), CASES)
def test_each_rule_has_its_case(labeller, answer, pair, expected, query, name, evidence):
    label = labeller.label(answer, parse_pair(pair), expected, query)
    assert label.name == name and evidence in label.evidence


def test_every_label_is_described_and_has_a_case():
    assert {case[4] for case in CASES} == set(LABELS)


@given(st.text(max_size=12))
def test_any_answer_has_one_of_the_labels(labeller, answer):
    assert labeller.label(answer, parse_pair("es-fr"), "cat", "dog").name in LABELS


def test_rows_are_labelled_by_their_condition(lexicon):
    df = pd.DataFrame(
        [
            ("chat", "seen", "cat", "dog"),
            ("chien", "seen", "cat", "dog"),
            ("chien", "tgt_tgt", "cat", "dog"),
            ("chien", "tgt_unpatched", "cat", "dog"),
            ("chat", "src_unpatched", "cat", "dog"),
            ("gato", "src_unpatched", "cat", "dog"),
            (None, "seen", "cat", "dog"),
        ],
        columns=["answer", "condition", "source_concept", "target_concept"],
    ).assign(pair="es-fr")
    df["condition"] = df["condition"].astype("category")
    labelled = label_answers(df.iloc[::-1], lexicon, {}).sort_index()
    assert labelled["label"].astype(object).tolist()[:6] == ["correct", "target_concept", "correct", "correct", "correct", "copy"]
    assert labelled["label"].isna().tolist() == [False] * 6 + [True]
    with pytest.raises(MeaningsError, match="no row has an answer"):
        label_answers(df[6:], lexicon, {})


def test_the_shipped_relations_name_concepts_of_the_lexicon_and_have_no_circle():
    lexicon, broader = load_lexicon(), load_broader()
    for concept, others in broader.items():
        assert {concept, *others} <= set(lexicon.concepts)
        above, wave = set(), set(others)
        while wave:
            above |= wave
            wave = {b for o in wave for b in broader.get(o, ())} - above
        assert concept not in above


def test_words_are_compared_as_scoring_compares_them():
    scoring = pytest.importorskip("meanings.scoring")
    for word in ("Straße", " Élan", "e\u0301lan", "ЛУК", "ﬁn", "脷 "):
        assert normal_form(word) == scoring.normal_form(word)
