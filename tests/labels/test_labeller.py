import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanings.core.errors import MeaningsError
from meanings.labels.forms import other_form
from meanings.labels.labeller import LABELS, Labeller, label_answers
from meanings.lexicon.forms import normal_form
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.lexicon.relations import Relations, load_relations

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
    entries = {
        concept: {code: tuple(words.split("|")) for code, words in row.items()}
        for concept, row in WORDS.items()
    }
    return Lexicon(
        "small",
        ("en", "fr", "es", "de"),
        entries,
        {"cat": "animal", "dog": "animal", "eagle": "animal", "animal": "animal"},
    )


@pytest.fixture(scope="module")
def labeller(lexicon) -> Labeller:
    words = {
        ("fr", "félin"): {("cat", "hypernym"): "wordnet 1"},
        ("fr", "matou"): {("cat", "hyponym"): "wordnet 2"},
        ("fr", "greffier"): {("cat", "synonym"): "wordnet 3"},
        ("fr", "fouet"): {("cat", "other_sense"): "wordnet 4"},
    }
    return Labeller(lexicon, Relations({"eagle": {"bird"}, "bird": {"animal"}}, words))


# answer, pair, expected concept, query concept, label, a part of the evidence
CASES = [
    ("chat", "es-fr", "cat", "dog", "correct", ""),
    (" Chat ", "es-fr", "cat", "dog", "correct", ""),
    ("piano", "es-fr", "piano", "piano", "correct", "also the query word"),
    ("minet", "es-fr", "cat", "dog", "synonym", "beside 'chat'"),
    ("chien", "es-fr", "cat", "dog", "target_concept", "'dog'"),
    ("perro", "es-fr", "cat", "dog", "copy", "in es"),
    (
        "poupée",
        "es-fr",
        "wrist",
        "wrist",
        "other_sense",
        "'muñeca' is 'wrist' in es and 'doll' in es",
    ),
    ("poupée", "en-fr", "wrist", "dog", "other_sense", "'muñeca'"),
    ("poupée", "de-fr", "wrist", "wrist", "other", "'doll' in fr"),
    ("veneno", "en-es", "gift", "gift", "homograph", "'gift' is 'gift' in en and 'poison' in de"),
    ("regalo", "fr-es", "poison", "dog", "homograph", "'gift' is 'poison' in de and 'gift' in en"),
    ("gato", "en-fr", "cat", "dog", "wrong_language", "'cat' in es"),
    ("hund", "en-fr", "cat", "dog", "other", "'dog' in de"),
    ("félin", "es-fr", "cat", "dog", "hypernym_hyponym", "hypernym of 'cat': wordnet 1"),
    ("matou", "es-fr", "cat", "dog", "hypernym_hyponym", "hyponym of 'cat'"),
    ("greffier", "es-fr", "cat", "dog", "synonym", "synset mate"),
    ("fouet", "es-fr", "cat", "dog", "other_sense", "wordnet 4"),
    ("fouet", "es-fr", "dog", "cat", "other", "other_sense of 'cat' in fr"),
    ("poignets", "es-fr", "wrist", "dog", "other_form", "'poignet' inflected"),
    ("aguila", "en-es", "eagle", "dog", "other_form", "but for diacritics"),
    ("chiens", "es-fr", "cat", "dog", "target_concept", "'chien' inflected"),
    ("perros", "es-fr", "cat", "dog", "copy", "'perro' inflected"),
    ("gatos", "es-fr", "cat", "dog", "wrong_language", "in es"),
    ("oiseau", "es-fr", "eagle", "dog", "hypernym_hyponym", "'bird' is broader than 'eagle'"),
    ("animal", "de-fr", "eagle", "dog", "hypernym_hyponym", "'animal' is broader than 'eagle'"),
    ("aigle", "es-fr", "bird", "dog", "hypernym_hyponym", "'bird' is broader than 'eagle'"),
    ("aigle", "es-fr", "cat", "dog", "other", "'eagle' in fr"),
    ("poignets", "es-fr", "cat", "dog", "other", "'poignet' inflected, word of 'wrist' in fr"),
    ("xyzzy", "es-fr", "cat", "dog", "not_a_word", ""),
    ("poign", "es-fr", "wrist", "dog", "not_a_word", ""),
    ("", "es-fr", "cat", "dog", "not_a_word", "no answer"),
]


@pytest.mark.parametrize(("answer", "pair", "expected", "query", "name", "evidence"), CASES)
def test_each_rule_has_its_case(labeller, answer, pair, expected, query, name, evidence):
    label = labeller.label(answer, parse_pair(pair), expected, query)
    assert label.name == name and evidence in label.evidence


def test_every_label_is_described_and_has_a_case():
    assert {case[4] for case in CASES} | {"few_shot"} == set(LABELS)


def test_a_few_shot_example_repeated(labeller):
    def label(answer, expected="cat", query="dog", shots=("eagle", "gift")):
        return labeller.label(answer, parse_pair("es-fr"), expected, query, shots)

    for answer, evidence in (
        ("aigle", "answer of the few-shot example of 'eagle'"),
        ("regalo", "query word of the few-shot example of 'gift'"),
        ("aigles", "inflected"),
    ):
        assert label(answer).name == "few_shot" and evidence in label(answer).evidence
        assert label(answer, shots=()).name == "other"
    # The prompts' word only; and neither right answers nor the query word become it.
    assert (label("minet", "dog", "dog", ("cat",)).name, label("chat", shots=("cat",)).name) == (
        "other",
        "correct",
    )
    assert label("perro", shots=("dog",)).name == "few_shot"


@pytest.mark.parametrize(
    ("answer", "word", "language", "why"),
    [
        ("elephant", "éléphant", "fr", "diacritics"),
        ("лед", "лёд", "ru", "diacritics"),
        ("zolw", "żółw", "pl", "diacritics"),
        ("книгу", "книга", "ru", "inflected"),
        ("katzen", "katze", "de", "inflected"),
        ("kissat", "kissa", "fi", "inflected"),
        ("kirja", "kirjassa", "fi", "inflected"),
        ("vitabu", "kitabu", "sw", "inflected"),
        ("gath", "cath", "cy", "initial"),
        ("cath", "gath", "cy", "initial"),
        ("帽", "帽子", "zh", "suffix"),
        ("skunki", "skunkki", "fi", "one letter"),
        ("chat", "chat", "fr", ""),
        ("cat", "cap", "en", ""),
        ("eleph", "elephant", "en", ""),
        ("elephan", "elephant", "en", ""),
        ("gath", "cath", "fr", ""),
        ("帽", "子帽", "zh", ""),
        ("vitabu", "kitabu", "fr", ""),
        ("mouse", "house", "en", ""),
        ("kimssu", "kissa", "fi", ""),
        ("the", "tea", "en", ""),
        ("", "tea", "en", ""),
    ],
)
def test_other_forms_of_a_word(answer, word, language, why):
    found = other_form(answer, word, language)
    assert (why in found) if why else found == ""


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
    labelled = label_answers(df.iloc[::-1], lexicon, Relations()).sort_index()
    assert labelled["label"].astype(object).tolist()[:6] == [
        "correct",
        "target_concept",
        "correct",
        "correct",
        "correct",
        "copy",
    ]
    assert labelled["label"].isna().tolist() == [False] * 6 + [True]
    assert not labelled.attrs["few_shot"]
    shown = label_answers(
        df.assign(
            source_shots="eagle|gift", target_shots="bird", answer=["aigle", "oiseau"] * 3 + [None]
        ),
        lexicon,
        Relations(),
    )
    assert (
        shown["label"].astype(object).tolist()[:6]
        == ["other", "few_shot", "other", "few_shot", "few_shot", "other"]
        and shown.attrs["few_shot"]
    )
    with pytest.raises(MeaningsError, match="no row has an answer"):
        label_answers(df[6:], lexicon, Relations())


def test_the_shipped_relations_name_concepts_of_the_lexicon_and_have_no_circle():
    lexicon, broader = load_lexicon(), load_relations().broader
    for concept, others in broader.items():
        assert {concept, *others} <= set(lexicon.concepts)
        above, wave = set(), set(others)
        while wave:
            above |= wave
            wave = {b for o in wave for b in broader.get(o, ())} - above
        assert concept not in above


def test_words_are_compared_as_scoring_compares_them():
    scoring = pytest.importorskip("meanings.prompts.answers")
    for word in ("Straße", " Élan", "e\u0301lan", "ЛУК", "ﬁn", "脷 "):
        assert normal_form(word) == scoring.normal_form(word)


def test_another_concepts_own_word_is_no_form_of_the_expected_ones():
    entries = {
        "berry": {"de": ("beere",), "en": ("berry",)},
        "bear": {"de": ("beeren",), "en": ("bear",)},
    }
    labeller = Labeller(Lexicon("two", ("de", "en"), entries, {}), Relations())
    assert labeller.label("beeren", parse_pair("en-de"), "berry", "berry").name == "other"
    assert labeller.label("beerens", parse_pair("en-de"), "berry", "berry").name != "correct"
    assert labeller.label("beer", parse_pair("en-de"), "berry", "berry").name == "other_form"


@pytest.fixture(scope="module")
def welsh() -> Labeller:
    entries = {
        "car": {"en": ("car",), "fi": ("auto",), "cy": ("modur",)},
        "motor": {"en": ("engine",), "fi": ("moottori",), "cy": ("modur",)},
        "cat": {"en": ("cat",), "fi": ("kissa",), "cy": ("cath",)},
    }
    return Labeller(Lexicon("three", ("en", "fi", "cy"), entries, {}), Relations())


def test_a_language_that_the_model_never_saw_is_no_evidence(welsh):
    pair, trained = parse_pair("en-fi"), ("en", "fi")
    for answer, everywhere in (("modur", "wrong_language"), ("moottori", "other_sense")):
        assert welsh.label(answer, pair, "car", "cat").name == everywhere
    assert welsh.label("modur", pair, "car", "cat", trained=trained).name == "not_a_word"
    assert welsh.label("moottori", pair, "car", "cat", trained=trained).name == "other"
    # It is evidence where it is a language of the pair.
    own = welsh.label("cath", parse_pair("cy-fi"), "car", "cat", trained=trained)
    assert own.name == "copy"


def test_the_pair_s_own_languages_are_named_first():
    entries = {
        "a": {"de": ("x",), "en": ("dot",), "fr": ("dot",)},
        "b": {"de": ("y",), "en": ("spot",), "fr": ("spot",)},
    }
    labeller = Labeller(Lexicon("three", ("de", "en", "fr"), entries, {}), Relations())
    for pair, code in (("fr-de", "fr"), ("en-de", "en")):
        label = labeller.label("spot", parse_pair(pair), "a", "a")
        assert (label.name, label.evidence) == ("other", f"word of 'b' in {code}")


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("chat chat chat", "other_form"),
        ("chatchatchatcha", "other_form"),
        ("perro perro perro", "copy"),
        ("oiseau oiseau oiseau", "not_a_word"),
        ("xyxyxyxy", "not_a_word"),
        ("chat chat", "not_a_word"),
    ],
)
def test_a_loop_of_the_right_word_is_no_string_without_meaning(labeller, answer, name):
    label = labeller.label(answer, parse_pair("es-fr"), "cat", "dog")
    assert label.name == name


def test_a_word_of_running_text_is_a_word(labeller):
    label = labeller.label("liberté", parse_pair("es-fr"), "cat", "dog")
    assert label.name == "other" and "Universal Declaration in fr" in label.evidence
    untrained = labeller.label("liberté", parse_pair("es-en"), "cat", "dog", trained=("en", "es"))
    assert untrained.name == "not_a_word"


@pytest.mark.parametrize(
    ("answer", "word", "code", "near"),
    [
        ("firi", "feri", "sw", True),
        ("fira", "feri", "sw", False),
        ("biison", "piison", "et", True),
        ("biison", "piison", "fr", False),
        ("gattos", "gatto", "it", True),
        ("busas", "bus", "pl", False),
        ("buses", "bus", "pl", True),
    ],
)
def test_spellings_and_plurals_of_a_word(answer, word, code, near):
    assert bool(other_form(answer, word, code)) == near


def test_the_languages_of_a_table_s_model_are_its_evidence(welsh):
    rows = pd.DataFrame(
        {
            "answer": ["modur", "modur"],
            "pair": "en-fi",
            "source_concept": "car",
            "target_concept": "cat",
            "condition": "seen",
            "seen_languages": ["en fi", "en fi cy"],
        }
    )
    found = label_answers(rows, welsh._lexicon, Relations())
    assert found["label"].tolist() == ["not_a_word", "wrong_language"]
