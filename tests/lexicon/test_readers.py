import csv
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanings.core.errors import MeaningsError
from meanings.core.tables import clean
from meanings.lexicon.entries import split_words
from meanings.lexicon.flaws import flaw_of_word
from meanings.lexicon.lexicon import load_lexicon
from meanings.lexicon.long_tables import read_long
from meanings.lexicon.multi_simlex import read_multi_simlex
from meanings.lexicon.readers import infer_layout, read_lists, read_wide

GOOD = "concept,category,en,fr\ncat,animal,cat,chat|chatte\ndog,,dog,chien\n"
SIMLEX = """ID,PoS,ENG 1,ENG 2,ARA 1,ARA 2,FRA 1,FRA 2,SWA 1,SWA 2,scores 1
1,nouns,arm,muscle,a,b,bras,muscle,mkono,msuli,3
2,N,arm,hand,a,c,membre,main,mkono,mkono,4
3,verbs,hand,run,d,e,donner,courir,pa,kimbia,1
4,nouns,cat,dog,f,g,,chien,paka,mbwa,2
5,nouns,dog,arm,g,a,clebs,bras,mbwa,mkono,2
"""


def write(tmp_path, content: str | bytes):
    path = tmp_path / "words.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_wide_file_is_read_with_or_without_categories(tmp_path):
    entries = read_wide(write(tmp_path, GOOD))
    assert entries.languages == ("en", "fr")
    assert entries.words == {
        "cat": {"en": ("cat",), "fr": ("chat", "chatte")},
        "dog": {"en": ("dog",), "fr": ("chien",)},
    }
    assert entries.categories == {"cat": "animal"}
    assert read_wide(write(tmp_path, "concept,en,fr\ncat,cat,chat\n")).categories == {}


def test_a_byte_order_mark_crlf_blank_lines_and_decomposed_letters_are_taken(tmp_path):
    content = "concept,en,fr\r\n\r\nprince, prince ,e\u0301le\u0300ve  d'un   jour\r\n".encode(
        "utf-8-sig"
    )
    assert read_wide(write(tmp_path, content)).words["prince"] == {
        "en": ("prince",),
        "fr": ("élève d'un jour",),
    }


def test_words_that_look_like_missing_values_stay_words(tmp_path):
    assert read_wide(write(tmp_path, "concept,en,fi\nNA,null,nan\n")).words == {
        "NA": {"en": ("null",), "fi": ("nan",)}
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty; expected a header"),
        ("  \n\n", "empty; expected a header"),
        ("concept,en,fr\n", "a header and no rows"),
        ("concept,en,en\ncat,cat,cat\n", "line 1: column 'en' occurs twice"),
        ("concept,en,\ncat,cat,cat\n", "line 1: column 3 has no name"),
        ("concept;en;fr\ncat;cat;chat\n", "expected commas between columns"),
        (
            "concept,en,xx\ncat,cat,cat\n",
            r"line 1: 1 language columns \('en'; not known: 'xx'\); expected two or more of 'en'",
        ),
        ("concept,en\ncat,cat\n", r"1 language columns \(.*\); expected two or more"),
        ("gloss,en,fr\ncat,cat,chat\n", "no column 'concept'"),
        ("concept,en,fr\ncat,cat\n", "line 2: 2 cells, expected 3"),
        ("concept,en,fr\ncat,cat,chat,matou\n", "line 2: 4 cells, expected 3"),
        ("concept,en,fr\ncat,cat,\n", "line 2, column 'fr': empty; expected one word or more"),
        ("concept,en,fr\ncat,cat,chat||matou\n", "line 2, column 'fr': an empty word in"),
        ("concept,en,fr\ncat,cat,chat|chat\n", "line 2, column 'fr': a word twice"),
        ("concept,en,fr\n,cat,chat\n", "line 2, column 'concept': empty"),
        (
            "concept,en,fr\ncat,cat,chat\ncat,cat,chat\n",
            "line 3, column 'concept': 'cat' is already on line 2",
        ),
        ('concept,en,fr\ncat,cat,"a ""b"""\n', "line 2, column 'fr': .* double quote"),
        ('concept,en,fr\ncat,cat,"chat\n', "line 2: not readable as CSV"),
        ("concept,en,fr\ncat,cat,cha\x00t\n", "line 2"),
        (
            "concept,en,fr\ncat,cat,ok\nowl,owl,\xe9t\xe9\n".encode("latin-1"),
            "line 3: byte 0xe9 is not UTF-8",
        ),
    ],
)
def test_a_malformed_wide_file_is_refused_in_one_line_that_names_the_place(
    tmp_path, content, message
):
    path = write(tmp_path, content)
    with pytest.raises(MeaningsError, match=message) as refusal:
        read_wide(path)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


def test_missing_files_folders_and_large_files_are_refused(tmp_path, monkeypatch):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(MeaningsError, match="no such file"):
            read_wide(path)
    monkeypatch.setattr("meanings.core.tables.MAX_BYTES", 10)
    with pytest.raises(MeaningsError, match="expected a word list of at most"):
        read_wide(write(tmp_path, GOOD))


def test_multi_simlex_follows_the_rules_of_the_method(tmp_path):
    entries = read_multi_simlex(write(tmp_path, SIMLEX))
    assert entries.languages == ("en", "fr", "sw")
    # hand is a noun and a verb; cat has an empty cell; arm and dog occur twice and are merged,
    # first sides first
    assert entries.words == {
        "arm": {"en": ("arm",), "fr": ("bras", "membre"), "sw": ("mkono",)},
        "dog": {"en": ("dog",), "fr": ("clebs", "chien"), "sw": ("mbwa",)},
        "muscle": {"en": ("muscle",), "fr": ("muscle",), "sw": ("msuli",)},
    }
    assert read_multi_simlex(tmp_path / "words.csv", left_out=()).languages == (
        "en",
        "ar",
        "fr",
        "sw",
    )


def test_an_empty_cell_in_a_language_left_out_drops_the_row_too(tmp_path):
    entries = read_multi_simlex(write(tmp_path, SIMLEX.replace("arm,muscle,a,b", "arm,muscle,a,")))
    assert "muscle" not in entries.words and "arm" in entries.words


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("PoS", "part", "no column 'PoS'"),
        ("FRA 2", "other", "no column 'FRA 2'; expected 'FRA 1' and 'FRA 2'"),
        ("ENG 1,ENG 2", "ENX 1,ENX 2", "expected ENG and one or more of"),
        ("verbs", "verbatim", "line 4, column 'PoS': 'verbatim'; expected one of nouns, verbs"),
        ("1,nouns,arm", "1,nouns,arm,extra", "line 2: 12 cells, expected 11"),
    ],
)
def test_a_malformed_multi_simlex_file_is_refused(tmp_path, old, new, message):
    with pytest.raises(MeaningsError, match=message):
        read_multi_simlex(write(tmp_path, SIMLEX.replace(old, new)))


def test_a_multi_simlex_file_without_nouns_is_refused(tmp_path):
    with pytest.raises(MeaningsError, match="no noun with a word in every language"):
        read_multi_simlex(write(tmp_path, SIMLEX.replace("nouns", "verbs").replace(",N,", ",V,")))


def test_the_layout_is_inferred_from_the_header(tmp_path):
    assert infer_layout(write(tmp_path, GOOD)) == "wide"
    assert load_lexicon(tmp_path / "words.csv").languages == ("en", "fr")
    assert infer_layout(write(tmp_path, SIMLEX)) == "multi-simlex"
    assert load_lexicon(tmp_path / "words.csv").languages == ("en", "fr", "sw")
    assert infer_layout(write(tmp_path, "word_original,en\ncat,['cat']\n")) == "lists"
    with pytest.raises(MeaningsError, match="'concept' .* 'ENG 1' .* or 'word_original'"):
        infer_layout(write(tmp_path, "word,en\ncat,cat\n"))


PLAIN = st.characters(blacklist_categories=("C", "Z"), blacklist_characters='|"')
WORD = st.text(PLAIN, min_size=1, max_size=8).map(clean)
WORD = WORD.filter(lambda text: text and not any(flaw_of_word(text, c) for c in ("en", "yue")))
WORDS = st.lists(WORD, min_size=1, max_size=3, unique=True)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(WORD, st.tuples(WORDS, WORDS), min_size=1, max_size=5))
def test_what_is_written_wide_is_read_back(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("wide") / "words.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [
                ["concept", "en", "yue"],
                *([c, "|".join(a), "|".join(b)] for c, (a, b) in words.items()),
            ]
        )
    entries = read_wide(path)
    assert entries.words == {c: {"en": tuple(a), "yue": tuple(b)} for c, (a, b) in words.items()}


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "words.csv"
    path.write_bytes(("concept,en,fr\n" + text).encode("utf-8", "surrogatepass"))
    try:
        entries = read_wide(path)
    except MeaningsError as refusal:
        assert "\n" not in str(refusal)
    else:
        assert all(all(entry.values()) for entry in entries.words.values())


@given(st.text(max_size=20))
def test_splitting_never_gives_an_empty_or_doubled_word(cell):
    try:
        words = split_words(cell, "here", "fr")
    except MeaningsError:
        return
    assert words and all(words) and len(set(words)) == len(words)


LISTS = """word_original,en,senses,fr,de
cat,"['cat', 'feline']","[1, 2]","['chat', 'chatte', 'chat']","['Katze']"
dog,['dog'],,[],['Hund']
"it's","[""it's""]",,['ça'],['es']
"""


def test_lists_of_words_are_read_each_word_once_and_incomplete_rows_dropped(tmp_path):
    entries = read_lists(write(tmp_path, LISTS))
    assert entries.languages == ("en", "fr", "de") and list(entries.words) == ["cat", "it's"]
    assert entries.words["cat"] == {
        "en": ("cat", "feline"),
        "fr": ("chat", "chatte"),
        "de": ("Katze",),
    }
    assert entries.words["it's"]["fr"] == ("ça",)
    assert load_lexicon(write(tmp_path, LISTS)).word("cat", "fr") == "chat"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("chat", "expected a Python list of texts"),
        ("__import__('os').getcwd()", "expected a Python list of texts"),
        ("[x for x in 'ab']", "expected a Python list of texts"),
        ("('chat',)", "expected a Python list of texts"),
        ("['chat', 3]", "expected a Python list of texts"),
        ("[" * 5000, "expected a Python list of texts"),
        ("['a|']", "has '|', which separates words in the wide layout only"),
        ("['cat' 'feline']", "no comma between words, as numpy prints lists"),
        ("['cat'\n 'feline', 'tom']", "no comma between words, as numpy prints lists"),
        ("array(['cat'], dtype=object)", "expected a Python list of texts"),
        ("nan", "expected a Python list of texts"),
    ],
)
def test_what_is_no_list_of_texts_is_refused_and_not_evaluated(tmp_path, cell, message):
    with pytest.raises(MeaningsError, match=message) as refusal:
        read_lists(write(tmp_path, f"word_original,en,fr\ncat,['cat'],\"{cell}\"\n"))
    assert (
        re.search("line [23]", str(refusal.value))
        and "\n" not in str(refusal.value)
        and len(str(refusal.value)) < 500
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("word_original,fr\ncat,['chat']\n", r"1 language columns \('fr'"),
        (
            "word_original,en,fr\ncat,['cat'],['chat']\ncat,['cat'],['chat']\n",
            "'cat' is already on line 2",
        ),
        ("word_original,en,fr\n,['cat'],['chat']\n", "line 2, column 'word_original': empty"),
        ("word_original,en,fr\ncat,['cat'],[]\n", "no concept with a word in every language"),
    ],
)
def test_a_malformed_file_of_lists_is_refused(tmp_path, content, message):
    with pytest.raises(MeaningsError, match=message):
        read_lists(write(tmp_path, content))


LONG = """id,Lang,word,rank,preferred,domain,note
1,eng_Latn,cat,2,,animal,x
1,en,feline,1,,animal,
1,fra,chat,2,,animal,
1,fra,matou,1,,animal,
1,fra,minet,3,true,,
2,eng,dog,,,,
2,fr,chien,,,,
2,fr,clebs,1,,,
3,eng,owl,,,,
"""


def test_a_long_file_orders_its_words_and_drops_concepts_that_a_language_lacks(tmp_path):
    entries = read_long(write(tmp_path, LONG))
    assert entries.languages == ("en", "fr") and list(entries.words) == ["1", "2"]
    assert entries.words["1"] == {"en": ("feline", "cat"), "fr": ("minet", "matou", "chat")}
    assert entries.words["2"]["fr"] == ("clebs", "chien") and entries.categories == {"1": "animal"}
    assert (
        infer_layout(tmp_path / "words.csv") == "long"
        and load_lexicon(tmp_path / "words.csv").word("1", "fr") == "minet"
    )


def test_a_column_named_concept_goes_before_an_identifier(tmp_path):
    entries = read_long(
        write(tmp_path, "id,concept,language,word\n1,cat,en,cat\n1,cat,zho_Hans,猫\n")
    )
    assert entries.words == {"cat": {"en": ("cat",), "zh": ("猫",)}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "concept,language,spelling\ncat,en,cat\n",
            "no column for the word; expected one of 'word', 'form'",
        ),
        (
            "concept,language,word\ncat,xx,cat\n",
            r"words in none only \(not known: 'xx'\); expected two or more of 'en'",
        ),
        ("concept,language,word\ncat,rus_Latn,kot\n", "not known: 'rus_Latn'"),
        (
            "concept,language,word\ncat,,kot\n",
            "line 2, column 'language': empty; expected one of 'en'",
        ),
        ("concept,language,word\n,en,cat\n", "line 2, column 'concept': empty"),
        ("concept,language,word\ncat,en,\n", "line 2, column 'word': empty"),
        ('concept,language,word\ncat,en,"a""b"\n', "line 2, column 'word': .* double quote"),
        (
            "concept,language,word\ncat,en,cat\ncat,eng,cat\n",
            "line 3, column 'word': 'cat' occurs twice for concept 'cat' in 'en'",
        ),
        ("concept,language,word\ncat,en,cat\n", "words in 'en' only"),
        (
            "concept,language,word\ncat,en,cat\ndog,fr,chien\n",
            "no concept with a word in every language",
        ),
        (
            "concept,language,word,rank\ncat,en,cat,first\n",
            "line 2, column 'rank': 'first'; expected a whole number",
        ),
        (
            "concept,language,word,preferred\ncat,en,cat,maybe\n",
            "line 2, column 'preferred': 'maybe'",
        ),
        (
            "concept,language,word,category\ncat,en,cat,pet\ncat,fr,chat,animal\n",
            "line 3, column 'category': 'animal', but",
        ),
    ],
)
def test_a_malformed_long_file_is_refused_in_one_line_that_names_the_place(
    tmp_path, content, message
):
    with pytest.raises(MeaningsError, match=message) as refusal:
        read_long(write(tmp_path, content))
    assert "\n" not in str(refusal.value)
