"""Word lists as people have them: CLDF data sets and tables, pairs of words, PanLex's tables."""

import json

import pytest

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import load_lexicon
from meanings.lexicon.word_pairs import pair_named
from stand_ins.cldf_data_set import write_data_set

ROWS = [("cat", "cat", "chat"), ("dog", "dog", "chien")]


@pytest.mark.parametrize("own", [False, True])
def test_a_cldf_data_set_is_read_by_folder_metadata_or_table(tmp_path, own):
    metadata = write_data_set(tmp_path, ROWS, own)
    words = {"cat": {"en": ("cat",), "fr": ("chat",)}, "dog": {"en": ("dog",), "fr": ("chien",)}}
    for path in (metadata, tmp_path, tmp_path / ("lexemes.csv" if own else "forms.csv")):
        assert load_lexicon(path).entries == words
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "cldf").symlink_to(tmp_path)
    assert load_lexicon(tmp_path / "outer").entries == words


def test_words_of_a_data_set_keep_their_order_and_count_once_also_from_two_dialects(tmp_path):
    write_data_set(tmp_path, ROWS)
    with (tmp_path / "forms.csv").open("a", encoding="utf-8", newline="") as file:
        file.write("3,f,cat,matou\n4,f,cat,chat\n5,q,cat,minet\n6,x,cat,#N/A\n")
    with (tmp_path / "languages.csv").open("a", encoding="utf-8", newline="") as file:
        header = (tmp_path / "languages.csv").read_text("utf-8").splitlines()[0].split(",")
        for known in ({"ID": "q", "ISO639P3code": "fra"}, {"ID": "x", "Glottocode": "basq1248"}):
            file.write(",".join(known.get(name, "") for name in header) + "\n")
    with pytest.warns(UserWarning, match="languages 'basq1248' left out"):
        found = load_lexicon(tmp_path)
    assert found.words("cat", "fr") == ("chat", "matou", "minet")


def test_concepts_of_a_data_set_have_names_unless_these_recur(tmp_path):
    metadata = write_data_set(tmp_path, [("1", "cat", "chat"), ("2", "dog", "chien")])
    table = tmp_path / "parameters.csv"
    first = table.read_text("utf-8")
    table.write_text(first.replace("1,1", "1,THE CAT").replace("2,2", "2,THE DOG"), "utf-8")
    assert load_lexicon(metadata).concepts == ("THE CAT", "THE DOG")
    table.write_text(first.replace("1,1", "1,PET").replace("2,2", "2,PET"), "utf-8")
    assert load_lexicon(metadata).concepts == ("1", "2")


def test_a_cldf_table_alone_needs_no_library(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pycldf", None)
    path = tmp_path / "my forms.csv"
    path.write_text("ID,Language_ID,Parameter_ID,Form\n1,eng,cat,cat\n2,stan1290,cat,chat\n")
    assert load_lexicon(path).words("cat", "fr") == ("chat",)
    (tmp_path / "x-metadata.json").write_text("{}")
    with pytest.raises(MeaningsError, match="not installed; run 'pip install pycldf'"):
        load_lexicon(tmp_path / "x-metadata.json")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"url": "forms.csv"', '"url": "none.csv"', "not readable as CLDF .*none.csv"),
        ('"url": "forms.csv"', '"url": "https://x.org/forms.csv"', "is on another machine"),
        ("terms.rdf#languageReference", "terms.rdf#source", "not readable as CLDF|no table"),
        ('"tables"', '"tablets"', "not readable as CLDF|no table of words"),
    ],
)
def test_a_broken_data_set_is_refused_in_one_line(tmp_path, old, new, message):
    metadata = write_data_set(tmp_path, ROWS)
    text = json.dumps(json.loads(metadata.read_text("utf-8")))
    assert old in text
    metadata.write_text(text.replace(old, new).replace("Language_ID", "Which"), "utf-8")
    with pytest.raises(MeaningsError, match=message) as refusal:
        load_lexicon(metadata)
    assert "\n" not in str(refusal.value)


def test_a_folder_without_one_data_set_is_refused(tmp_path):
    with pytest.raises(
        MeaningsError, match="a folder with 0 files '.-metadata.json'; expected one"
    ):
        load_lexicon(tmp_path)
    for name in "ab":
        (tmp_path / f"{name}-metadata.json").write_text("{}")
    with pytest.raises(MeaningsError, match="2 files '.-metadata.json'; expected one"):
        load_lexicon(tmp_path)


@pytest.mark.parametrize("mark", [" ", "\t", "  ", " \t"])
def test_pairs_of_muse_accept_every_word_of_an_english_one(tmp_path, mark):
    text = "".join(f"{a}{mark}{b}\r\n" for a, b in [("cat", "chat"), ("cat", "matou"), ("a", "un")])
    (tmp_path / "en-fr.0-5000.txt").write_bytes(text.encode())
    found = load_lexicon(tmp_path / "en-fr.0-5000.txt")
    assert found.entries == {
        "cat": {"en": ("cat",), "fr": ("chat", "matou")},
        "a": {"en": ("a",), "fr": ("un",)},
    }
    assert found.languages == ("en", "fr")


def test_pairs_are_named_by_their_english_word_or_by_the_first(tmp_path):
    (tmp_path / "fr-en.txt").write_text("chat cat\nmatou cat\nchat cat\n\n")
    assert load_lexicon(tmp_path / "fr-en.txt").entries == {
        "cat": {"fr": ("chat", "matou"), "en": ("cat",)}
    }
    (tmp_path / "fra-deu.txt").write_text("chat\tKatze\npomme de terre\tKartoffel\n")
    assert load_lexicon(tmp_path / "fra-deu.txt").words("pomme de terre", "de") == ("Kartoffel",)


@pytest.mark.parametrize("text", ["cat\n", "ice cream glace\n", "a\tb\tc\n", "cat\t\n"])
def test_a_line_that_is_no_pair_is_refused(tmp_path, text):
    (tmp_path / "en-fr.txt").write_text(f"dog chien\n{text}")
    with pytest.raises(MeaningsError, match="line 2: .*; expected two words, or a tab between"):
        load_lexicon(tmp_path / "en-fr.txt")


def test_pairs_in_a_file_of_another_name_say_how_to_name_it(tmp_path):
    for name in ("words.txt", "en-xx.txt", "en-en.txt", "EN-FR.csv"):
        (tmp_path / name).write_text("cat chat\n")
        assert pair_named(tmp_path / name) is None
        with pytest.raises(MeaningsError, match="name it as 'en-fr.txt'"):
            load_lexicon(tmp_path / name, "pairs")
        with pytest.raises(MeaningsError, match=r"or a file named as 'en-fr.txt' \(pairs\)"):
            load_lexicon(tmp_path / name)


def test_a_table_of_panlex_keeps_the_variety_in_the_usual_script(tmp_path):
    rows = ["7,eng-000,cat,5", "7,cmn-000,猫,5", "7,cmn-001,貓,9", "7,yue-000,貓,1"]
    (tmp_path / "words.csv").write_text("\n".join(["meaning,uid,txt,quality", *rows]), "utf-8")
    with pytest.warns(UserWarning, match="languages 'cmn-001' left out"):
        found = load_lexicon(tmp_path / "words.csv")
    assert found.entries == {"7": {"en": ("cat",), "zh": ("猫",), "yue": ("貓",)}}


@pytest.mark.parametrize(
    ("code", "words", "other"),
    [
        ("ru", ("êîò", "ñîáàêà", "сова"), "ru_Latn"),  # Windows-1251 read as Latin-1
        ("fr", ("кот", "собака", "hibou"), "fr_Cyrl"),
        ("zh", ("māo", "gǒu", "猫头鹰"), "zh_Latn"),
        ("he", ("cat", "dog", "owl"), "he_Latn"),
        ("en", ("猫", "狗", "owl"), "en_Hans"),
    ],
)
def test_a_language_in_anothers_script_is_refused_and_may_be_left_out(tmp_path, code, words, other):
    def write(name):
        rows = [f"c{i},mot{i},{word}" for i, word in enumerate(words * 2)]
        (tmp_path / "words.csv").write_text("\n".join([f"concept,it,{name}", *rows]), "utf-8")
        return tmp_path / "words.csv"

    with pytest.raises(
        MeaningsError, match=f"language '{code}': [46] of 6 words .*'{other}' to leave"
    ):
        load_lexicon(write(code))
    with pytest.raises(MeaningsError, match=f"not known: '{other}'"):
        load_lexicon(write(other))


def test_a_few_words_in_another_script_and_unknown_scripts_are_words(tmp_path):
    cells = ["DVD,ꀀꀁ", "CD,ꀂ", "USB,ꀃ", "T恤,ꀄ", "猫,ꀅ", "狗,ꀆ"]
    rows = [f"{number},word{number},{cell}" for number, cell in enumerate(cells)]
    (tmp_path / "words.csv").write_text("\n".join(["concept,en,zh,ru", *rows]), "utf-8")
    found = load_lexicon(tmp_path / "words.csv")
    assert found.words("0", "zh") == ("DVD",) and found.words("0", "ru") == ("ꀀꀁ",)
    rows = [row.replace("T恤", "DVD") for row in rows[:-1]]  # one more of fewer than six
    (tmp_path / "words.csv").write_text("\n".join(["concept,en,zh,ru", *rows]), "utf-8")
    assert len(load_lexicon(tmp_path / "words.csv")) == 5


def test_columns_are_known_in_any_case(tmp_path):
    path = tmp_path / "words.csv"
    path.write_text("Concept,Category,EN,Fr\ncat,animal,cat,chat\n")
    found = load_lexicon(path)
    assert found.concepts == ("cat",) and found.categories == {"cat": "animal"}
    path.write_text("Word_Original,EN,Fr,Senses\ncat,['cat'],['chat'],2\n")
    assert load_lexicon(path).entries == {"cat": {"en": ("cat",), "fr": ("chat",)}}


def test_a_long_table_without_its_words_is_told_which_column_it_lacks(tmp_path):
    (tmp_path / "words.csv").write_text("concept,language,lemma\ncat,en,cat\ncat,fr,chat\n")
    with pytest.raises(MeaningsError, match="no column for the word; expected one of 'word'"):
        load_lexicon(tmp_path / "words.csv")


def test_a_quote_that_is_never_closed_is_found_by_the_line_of_its_row(tmp_path):
    path = tmp_path / "words.csv"
    path.write_text('concept,en,fr\ncat,cat,chat\ndog,"dog,chien\n' + "owl,owl,hibou\n" * 20)
    with pytest.raises(MeaningsError, match="line 23: not readable .* the row begins on line 3"):
        load_lexicon(path)
    path.write_text('concept,en,"fr\ncat,cat,chat\n' + "owl,owl,hibou\n" * 20)
    with pytest.raises(MeaningsError, match="not readable as CSV|line 1: "):
        load_lexicon(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_named(tmp_path, encoding):
    path = tmp_path / "words.csv"
    path.write_bytes("concept,en,fr\nsummer,summer,été\n".encode(encoding))
    with pytest.raises(MeaningsError, match="UTF-16, which spreadsheets call Unicode text"):
        load_lexicon(path)
