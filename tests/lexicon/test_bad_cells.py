"""Every cell that is no word is refused in every layout, with what helps; every word is taken."""

import csv
import io
import json
import re
import unicodedata
from pathlib import Path

import pytest

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import load_lexicon
from meanings.lexicon.readers import infer_layout
from stand_ins.cldf_data_set import write_data_set

ROWS = [("cat", "cat", "CELL"), ("dog", "dog", "chien"), ("owl", "owl", "hibou")]


def table(header: list[str], rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue()


def wide(rows):
    return table(["concept", "en", "fr"], [list(row) for row in rows])


def wide_by_iso_codes(rows):
    return table(["concept", "eng", "fra_Latn"], [list(row) for row in rows])


def long(rows):
    words = [
        [c, code, word] for c, *pair in rows for code, word in zip(("en", "fr"), pair, strict=True)
    ]
    return table(["concept", "language", "word"], words)


def panlex(rows):
    uids = ("eng-000", "fra-000")
    words = [
        [n, uid, w] for n, (_, *pair) in enumerate(rows) for uid, w in zip(uids, pair, strict=True)
    ]
    return table(["meaning", "uid", "txt"], words)


def cldf(rows):
    codes = ("stan1293", "fra")
    words = [[f"{c}-{k}", c, k, w] for c, *pair in rows for k, w in zip(codes, pair, strict=True)]
    return table(["ID", "Parameter_ID", "Language_ID", "Form"], words)


def multi_simlex(rows):
    words = [[str(n), "nouns", en, f"{en}s", fr, f"autre{n}"] for n, (_, en, fr) in enumerate(rows)]
    return table(["ID", "PoS", "ENG 1", "ENG 2", "FRA 1", "FRA 2"], words)


def lists(rows):
    words = [[c, repr([en]), repr([fr])] for c, en, fr in rows]
    return table(["word_original", "en", "fr"], words)


def pairs(rows):
    return "".join(f"{en}\t{fr}\n" for _, en, fr in rows)


TEXTS = {f.__name__: f for f in (wide, wide_by_iso_codes, long, panlex, cldf, multi_simlex, lists)}
LINE = {"pairs": 1, "wide": 2, "wide_by_iso_codes": 2, "multi_simlex": 2, "lists": 2}  # else 3
LAYOUTS = [*TEXTS, "pairs", "cldf_data_set", "cldf_own_tables"]


def written(folder: Path, layout: str, cell: str) -> Path:
    """A word list whose French word for *cat* is the cell."""
    rows = [tuple(cell if text == "CELL" else text for text in row) for row in ROWS]
    if layout.startswith("cldf_"):
        return write_data_set(folder, rows, own=layout == "cldf_own_tables")
    path = folder / ("en-fr.txt" if layout == "pairs" else "words.csv")
    path.write_text(pairs(rows) if layout == "pairs" else TEXTS[layout](rows), encoding="utf-8")
    return path


BAD = {
    'cha"t': "double quote",
    'cha""t': "double quote",
    "cha\x07t": r"U\+0007 .* cannot be seen; delete it",
    "cha\x1bt": r"U\+001B .* delete it",
    "cha\x9ft": r"U\+009F .* delete it",
    "chat\x00": r"U\+0000 .* delete it",
    "chat\x0bnoir": r"U\+000B .* delete it",
    "chat\u2028noir": r"U\+2028 \(line separator\)",
    "cha\u200bt": r"U\+200B \(zero width space\)",
    "cha\u200dt": r"U\+200D \(zero width joiner\)",
    "\ufeffchat": r"U\+FEFF \(zero width no-break space\)",
    "chat\u200f": r"U\+200F \(right-to-left mark\)",
    "\u202achat\u202c": r"U\+202A \(left-to-right embedding\)",
    "\u2067chat\u2069": r"U\+2067 \(right-to-left isolate\)",
    "cha\u00adt": r"U\+00AD \(soft hyphen\)",
    "chat\ufe0f": r"U\+FE0F \(variation selector-16\)",
    "\u3164": r"U\+3164 \(hangul filler\)",
    "cha\ue000t": r"U\+E000 .* cannot be seen",
    "ch\ufffdt": r"U\+FFFD in place of a lost letter; export it again .* as UTF-8",
    "chat\ufffd": r"U\+FFFD",
    "Ã©tÃ©": "looks like 'été' read in a wrong encoding; export it again as UTF-8",
    "ÐºÐ¾Ñ‚": "looks like 'кот' read in a wrong encoding",
    "&eacute;t&eacute;": "has an HTML entity; write 'été'",
    "\u0301chat": "begins with a combining mark",
    "\u05b4חתול": "begins with a combining mark",
    "#N/A": "is a spreadsheet's error; write the word, or leave out the concept",
    "#REF!": "is a spreadsheet's error",
    "#VALUE!": "is a spreadsheet's error",
    "#NAME?": "is a spreadsheet's error",
    "#BEZUG!": "is a spreadsheet's error",
    "#NV": "is a spreadsheet's error",
    "Err:502": "is a spreadsheet's error",
    "=B2": "is a formula",
    "?": "is a placeholder, no word; write the word, or leave out the concept",
    "???": "is a placeholder",
    "-": "is a placeholder",
    "–": "is a placeholder",
    "—": "is a placeholder",
    "_": "is a placeholder",
    ".": "is a placeholder",
    "…": "is a placeholder",
    "☀": "is a placeholder",
    "()": "is a placeholder",
    "N/A": "is a placeholder",
    "n.a.": "is a placeholder",
    "<NA>": "is a placeholder",
    "<unk>": "is a placeholder",
    "TODO": "is a placeholder",
    "['chat' 'chatte']": "brackets of a printed list; write the words themselves",
    "['chat', 'chatte']": "brackets of a printed list",
    "[]": "placeholder|printed list",
    "{chat}": "brackets of a printed list",
    "chat; chatte": "has ';', which is in no word",
    "chat, chatte": "has ',', which is in no word",
    "“chat”": "has the quotation mark '“'; prompts put words between double quotes",
    "« chat »": "has the quotation mark '«'",
    "„chat“": "has the quotation mark '„'",
    "「chat」": "has the quotation mark '「'",
    r"ch\u00e2t": "has a backslash; an escape such as .* write the letter",
    "%C3%A9t%C3%A9": "has encoded letters, as in an address; write 'été'",
    "chat_noir": "has '_', which WordNet and BabelNet write for a space; write a space",
    "1-May": "is a date, which a spreadsheet may have made of a word",
    "Mar-01": "is a date",
    "01/05/2024": "is a date",
    "2024-05-01": "is a date",
    "chat " * 41: "has 204 characters; expected a word of at most 200",
    "chat、chatte": "has '、', which is in no word",
    "chat/matou": "has '/' between two words; write one word, or ",
    "chat / matou": "has '/' between two words",
    "chat/ matou": "has '/' between two words",
    "ver /vers": "has '/' between two words",
    "chat/matou/minet": "has '/' between two words",
    "chat noir/matou": "has '/' between two words",
    "猫/貓": "has '/' between two words",
    "고양이/괭이": "has '/' between two words",
    "बिल्ली/बिलाव": "has '/' between two words",
    "кот/кошка": "has '/' between two words",
    "Chat/Matou": "has '/' between two words",
    "*chat": r"begins with '\*', which marks a form that is not attested; write an attested word",
    "*chat noir": "marks a form that is not attested",
    "**kattuz": "marks a form that is not attested",
    "undefined": "is a placeholder, no word in 'fr'; write the word, or leave out the concept",
    "None": "is a placeholder, no word in 'fr'",
    "<nil>": "is a placeholder",
    "N.A.": "is a placeholder",
}
WORDS = [
    "null", "NA", "nan", "NaN", "nil", "none", "todo", "inf", "true", "1", "3D", "aujourd'hui",
    "U-Boot", "palec (u nogi)", "AT&T", "Œuvre", "ÅÄÖ", "Straße", "слово", "猫", "חתול", "قطة",
    "l’eau", "e.g", "chat noir", "C#", "x=y", "Ça", "100 %", "50%", "24/7", "1.5", "V-2", "12-mer",
    "km/h", "and/or", "HIV/AIDS", "I/O", "TCP/IP", "n/2", "Student*in", "le/la", "ab" * 100,
]  # fmt: skip


def place(folder: Path, number: int) -> Path:
    """A folder of its own for each of a test's word lists."""
    made = folder / str(number)
    made.mkdir()
    return made


def what_is_wrong(folder: Path, layout: str, cell: str) -> str:
    """What the refusal of a bad cell lacks; nothing where it is as it should be."""
    path = written(folder, layout, cell)
    try:
        load_lexicon(path)
    except MeaningsError as refusal:
        said = str(refusal)
    else:
        return "is taken"
    right = {
        "says what is wrong": re.search(BAD[cell], said),
        "says where": f"line {LINE.get(layout, 3)}" in said and path.parent.name in said,
        "is one short line": said.isprintable() and len(said) < 400,
    }
    return "; ".join(f"never {what}: {said}" for what, holds in right.items() if not holds)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_bad_cell_is_refused_in_one_line_that_says_where_and_what_helps(tmp_path, layout):
    # A line of pairs holds no line break.
    bad = [cell for cell in BAD if layout != "pairs" or cell.splitlines() == [cell]]
    assert len(bad) >= len(BAD) - 2
    wrong = {
        cell: what_is_wrong(place(tmp_path, number), layout, cell)
        for number, cell in enumerate(bad)
    }
    assert not {cell: what for cell, what in wrong.items() if what}


APART = {
    "wide": r"put '\|' between words",
    "wide_by_iso_codes": r"put '\|' between words",
    "lists": "give each word its own quotes, with a comma between",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_two_words_in_one_cell_are_told_how_the_layout_has_them(tmp_path, layout):
    with pytest.raises(MeaningsError, match=APART.get(layout, "give each word its own row") + "$"):
        load_lexicon(written(tmp_path, layout, "chat/matou"))


def test_what_programs_write_for_no_value_stays_where_it_is_a_word(tmp_path):
    text = "concept,en,de\nunclear,undefined,unklar\nninth,none|None,None\n"
    (tmp_path / "words.csv").write_text(text)
    found = load_lexicon(tmp_path / "words.csv")
    assert found.words("unclear", "en") == ("undefined",)
    assert found.words("ninth", "de") == ("None",)
    (tmp_path / "words.csv").write_text(text.replace("unklar", "undefined"))
    with pytest.raises(MeaningsError, match="line 2, column 'de'.* no word in 'de'"):
        load_lexicon(tmp_path / "words.csv")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_line_break_or_tab_inside_a_word_is_refused(tmp_path, layout):
    for mark in "\t\n\r\x85":
        (tmp_path / f"{ord(mark)}").mkdir()
        path = written(tmp_path / f"{ord(mark)}", layout, f"chat{mark}noir")
        with pytest.raises(MeaningsError, match="cannot be seen|expected two words|expected a P"):
            load_lexicon(path)


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if "wide" not in layout])
def test_a_bar_is_refused_where_the_layout_has_none(tmp_path, layout):
    with pytest.raises(MeaningsError, match=r"'chat\|chatte' has '\|', .* wide layout only"):
        load_lexicon(written(tmp_path, layout, "chat|chatte"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_word_is_taken_in_every_layout(tmp_path, layout):
    wrong = {}
    for number, word in enumerate(WORDS):
        try:
            found = load_lexicon(written(place(tmp_path, number), layout, word))
        except MeaningsError as refusal:
            wrong[word] = str(refusal)
            continue
        concept = "0" if layout == "panlex" else "cat"
        if found.words(concept, "fr") != (word,) or found.languages != ("en", "fr"):
            wrong[word] = found
    assert not wrong


@pytest.mark.parametrize("layout", LAYOUTS)
def test_words_are_read_in_normal_form_c_with_single_spaces(tmp_path, layout):
    word = unicodedata.normalize("NFD", "élève\u00a0\u3000d'été")
    found = load_lexicon(written(tmp_path, layout, f" {word} "))
    assert found.words(found.concepts[0], "fr") == ("élève d'été",)


@pytest.mark.parametrize("layout", ["wide", "wide_by_iso_codes", "long", "cldf", "lists"])
@pytest.mark.parametrize("name", ["ca\u200bt", "#REF!", "?", "c\ufffdt", "\u0301", "cat\nowl"])
def test_a_bad_name_of_a_concept_is_refused(tmp_path, name, layout):
    rows = [(name, "cat", "chat"), *ROWS[1:]]
    (tmp_path / "words.csv").write_text(TEXTS[layout](rows), encoding="utf-8")
    with pytest.raises(
        MeaningsError, match="line [234], column .*(cannot be seen|U.FFFD|is a|begin)"
    ):
        load_lexicon(tmp_path / "words.csv")


SEPARATED = {
    "concept;en;fr\ncat;cat;chat\n": "has semicolons; expected commas between columns",
    "concept\ten\tfr\ncat\tcat\tchat\n": "has tabs; expected commas between columns",
    "concept;en;fr (le, la)\ncat;cat;chat\n": "has semicolons",
    "sep=;\nconcept;en;fr\ncat;cat;chat\n": "Excel's note of the separator; delete this line",
    "sep=,\nconcept,en,fr\ncat,cat,chat\n": "delete this line, and save the file with commas",
    '"sep=\t"\nconcept\ten\tfr\n': "delete this line",
    "word_original;en;fr\ncat;['cat'];['chat']\n": "has semicolons",
    "concept;language;word\ncat;en;cat\n": "has semicolons",
    "ID;Parameter_ID;Language_ID;Form\n1;cat;en;cat\n": "has semicolons",
    "ID\tPoS\tENG 1\tENG 2\tFRA 1\tFRA 2\n1\tnouns\ta\tb\tc\td\n": "has tabs",
}


@pytest.mark.parametrize("text", SEPARATED)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_other_separators_than_commas_get_the_message_that_helps(tmp_path, text, mark):
    (tmp_path / "words.csv").write_text(mark + text, encoding="utf-8")
    for layout in ("infer", "wide", "long", "cldf", "multi-simlex", "lists"):
        with pytest.raises(MeaningsError, match=SEPARATED[text]):
            load_lexicon(tmp_path / "words.csv", layout)


def test_a_spreadsheet_and_a_row_number_get_the_message_that_helps(tmp_path):
    (tmp_path / "words.xlsx").write_bytes(b"PK\x03\x04\x14\x00")
    with pytest.raises(MeaningsError, match="export it as CSV with commas, in UTF-8"):
        load_lexicon(tmp_path / "words.xlsx")
    (tmp_path / "words.csv").write_text(",concept,en,fr\n0,cat,cat,chat\n")
    with pytest.raises(MeaningsError, match=r"column 1 has no name.*index=False"):
        load_lexicon(tmp_path / "words.csv")


# One language beside English, which is not known; and the words that name it.
FEW = {
    "concept,en,xx\ncat,cat,kat\n": r"1 language columns \('en'; not known: 'xx'\)",
    "concept,language,word\ncat,en,cat\ncat,xx,kat\n": r"words in 'en' only \(not known: 'xx'\)",
    "ID,Parameter_ID,Language_ID,Form\n1,c,eng,cat\n2,c,xxx,k\n": r"'en' only \(not known: 'xxx'",
    "meaning,uid,txt\n1,eng-000,cat\n1,cmn-001,貓\n": r"words in 'en' only \(not known: 'cmn-001'",
    "word_original,en,xx\ncat,['cat'],['kat']\n": r"1 language columns \('en'; not known: 'xx'",
    "PoS,ENG 1,ENG 2,ARA 1,ARA 2\nN,cat,dog,a,b\n": "words in 'en' only",
    "PoS,ENG 1,ENG 2,XXX 1,XXX 2\nN,cat,dog,a,b\n": "expected ENG and one or more of",
}


@pytest.mark.parametrize("text", FEW)
def test_fewer_than_two_languages_left_are_refused(tmp_path, text):
    (tmp_path / "words.csv").write_text(text, encoding="utf-8")
    with pytest.raises(MeaningsError, match=FEW[text]):
        load_lexicon(tmp_path / "words.csv")


UNKNOWN = {
    "concept,en,xx,fr,note\ncat,cat,kat,chat,?\n": "columns 'note', 'xx' left out",
    "word_original,en,senses,xx,fr\ncat,['cat'],[1],[],['chat']\n": "columns 'xx' left out",
    "concept,language,word\ncat,en,cat\ncat,xx,#N/A\ncat,fr,chat\n": "languages 'xx' left out",
    "meaning,uid,txt\ncat,eng-000,cat\ncat,cmn-001,貓\ncat,fra-000,chat\n": "'cmn-001' left out",
    "ID,Parameter_ID,Language_ID,Form\n1,cat,eng,cat\n2,cat,x,k\n3,cat,stan1290,chat\n": "'x' left",
    "PoS,ENG 1,ENG 2,XXX 1,XXX 2,FRA 1,FRA 2\nN,cat,dog,?,b,chat,chien\n": "'XXX' left out",
}


@pytest.mark.parametrize("text", UNKNOWN)
def test_an_unknown_language_or_column_is_left_out_with_a_warning(tmp_path, text):
    path = tmp_path / "words.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.warns(UserWarning, match=f"^word list .*{UNKNOWN[text]}") as said:
        found = load_lexicon(path)
    assert found.languages == ("en", "fr") and found.words("cat", "fr") == ("chat",)
    assert len(said) == 1 and "\n" not in str(said[0].message)


def test_a_language_in_two_columns_is_refused(tmp_path):
    (tmp_path / "words.csv").write_text("concept,en,fr,fra\ncat,cat,chat,matou\n")
    with pytest.raises(MeaningsError, match="columns 'fr', 'fra' are the same language; keep one"):
        load_lexicon(tmp_path / "words.csv")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layout_is_known_without_being_named(tmp_path, layout):
    expected = {"wide_by_iso_codes": "wide", "panlex": "long", "multi_simlex": "multi-simlex"}
    name = "cldf" if layout.startswith("cldf") else expected.get(layout, layout)
    path = written(tmp_path, layout, "chat")
    assert infer_layout(path) == name
    assert load_lexicon(path, name).entries == load_lexicon(path).entries


def test_what_is_no_json_of_cldf_is_refused(tmp_path):
    for text in ("{", "[]", "{}", json.dumps({"tables": [{"url": "x.csv"}]})):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(MeaningsError, match="x.json: (not readable as CLDF|no table of words)"):
            load_lexicon(tmp_path / "x.json")
