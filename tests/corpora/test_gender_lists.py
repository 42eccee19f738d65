"""Lists of occupations read strictly: every refusal names file and row; the shipped copy is the
published one with its listed corrections.
"""

import csv
import gzip
import json
from pathlib import Path

import pytest

from meanings.core.errors import MeaningsError
from meanings.corpora.gender_lists import Forms, read_gender_lists, sha256_of

SHIPPED = Path(__file__).resolve().parents[2] / "data" / "gender"
PUBLISHED = SHIPPED.parents[2] / "shared" / "data" / "companion" / "multilingual-bias"
LANGUAGES = ("en", "de", "es", "fr")


@pytest.fixture
def folder(tmp_path):
    """English and German, two occupations."""
    files = {
        "en_male_def_occ": "actor\nbaker\n",
        "en_female_def_occ": "actress\nbaker\n",
        "de_male_def_occ": "baker\tBäcker\nactor\tSchauspieler\n",
        "de_female_def_occ": "baker\tBäckerin\nactress\tSchauspielerin",
        "en_gender_pairs.json": '[["woman", "man"], ["she", "he"]]',
        "de_gender_pairs.json": '[["Frau", "Mann"]]',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_languages_have_the_same_occupations_in_one_order(folder):
    lists = read_gender_lists(folder, ("en", "de"))
    assert list(lists["de"].occupations) == list(lists["en"].occupations)
    assert lists["de"].occupations["actor", "actress"] == Forms("Schauspieler", "Schauspielerin")
    assert lists["en"].occupations["baker", "baker"] == Forms("baker", "baker")
    assert lists["de"].pairs == (Forms("Mann", "Frau"),)


def test_a_packed_file_is_read_alike_and_a_changed_word_changes_the_hash(folder):
    before = sha256_of(read_gender_lists(folder, ("en", "de")))
    plain = folder / "de_male_def_occ"
    (folder / "de_male_def_occ.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert sha256_of(read_gender_lists(folder, ("en", "de"))) == before
    plain.write_text("baker\tBaecker\nactor\tSchauspieler\n")
    assert sha256_of(read_gender_lists(folder, ("en", "de"))) != before


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("de_male_def_occ", "baker\t\tBäcker\nactor\tS\n", "occ, row 1: 3 columns; expected an En"),
        ("de_male_def_occ", "baker\nactor\tS\n", "row 1: 1 columns; expected an English word, one"),
        ("en_male_def_occ", "actor\tx\nbaker\n", "row 1: 2 columns; expected one word"),
        ("de_male_def_occ", "baker\t\nactor\tS\n", "row 1, column 2: empty; give a word"),
        ("de_male_def_occ", "baker\tB\n", "female_def_occ: 2 rows, and the male list has 1"),
        ("en_male_def_occ", "actor\nchef\n", "no row for baker/baker, which de has; add one"),
        ("de_gender_pairs.json", '[["Frau", "Mann"', "not readable as JSON"),
        ("de_gender_pairs.json", '[["Frau"]]', "expected pairs of words"),
        ("de_gender_pairs.json", '[["a", "b"], ["a", "c"]]', "pair 2: 'a' stands in an earlier"),
    ],
)
def test_a_row_that_breaks_the_layout_is_refused(folder, name, text, message):
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(MeaningsError, match=message):
        read_gender_lists(folder, ("en", "de"))


def test_a_second_row_of_one_occupation_is_refused(folder):
    for gender, word in (("male", "actor"), ("female", "actress")):
        (folder / f"en_{gender}_def_occ").write_text(f"{word}\nbaker\n{word}\n")
    with pytest.raises(MeaningsError, match="row 3: actor/actress is there twice; leave one out"):
        read_gender_lists(folder, ("en", "de"))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\n", "no UTF-8 at byte 0"), (None, "no such file; the folder has de_male_def_occ")],
)
def test_a_damaged_or_missing_file_is_refused(folder, content, message):
    path = folder / "de_female_def_occ"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(MeaningsError, match=message):
        read_gender_lists(folder, ("de",))


def test_the_shipped_lists_have_all_forms_in_all_languages():
    lists = read_gender_lists(SHIPPED, LANGUAGES)
    assert {len(words.occupations) for words in lists.values()} == {104}
    for code in LANGUAGES:
        forms = list(lists[code].occupations.values())
        assert len(set(forms)) == len(forms), code  # no occupation counts twice
    assert lists["fr"].occupations["captain", "captain"].male == "capitaine"


needs_published = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason=f"the published lists are not shipped; there is no {PUBLISHED}"
)


@needs_published
def test_the_published_lists_are_refused():
    for code in ("de", "es", "fr"):
        with pytest.raises(MeaningsError, match="row 28: 3 columns"):
            read_gender_lists(PUBLISHED, (code,))


@needs_published
def test_the_corrections_make_the_published_lists_the_shipped_ones():
    with (SHIPPED / "corrections.csv").open(encoding="utf-8", newline="") as table:
        corrections = list(csv.DictReader(table))
    dropped = {row["published"] for row in corrections if row["language"] == "all"}
    for code in LANGUAGES:
        changed = {
            (row["row"], row["list"]): row["corrected"]
            for row in corrections
            if row["language"] == code
        }
        found = {}
        columns = [
            (PUBLISHED / f"{code}_{gender}_def_occ").read_text(encoding="utf-8").rstrip("\n")
            for gender in ("male", "female")
        ]
        rows = zip(*(column.split("\n") for column in columns), strict=True)
        for number, (male, female) in enumerate(rows, start=1):
            english = tuple(line.split("\t")[0].strip() for line in (male, female))
            own = [
                changed.get((str(number), gender), line.split("\t")[-1].strip())
                for gender, line in (("male", male), ("female", female))
            ]
            found.setdefault(english, own)
        shipped = read_gender_lists(SHIPPED, (code,))[code]
        assert {"/".join(e) for e in found} - {"/".join(e) for e in shipped.occupations} <= dropped
        for english, forms in shipped.occupations.items():
            assert [w.casefold() for w in found[english]] == [w.casefold() for w in forms]
        _check_pairs(code, changed, shipped.pairs)


def _check_pairs(code, changed, shipped):
    published = json.loads((PUBLISHED / f"{code}_gender_pairs.json").read_text(encoding="utf-8"))
    found = []
    for number, pair in enumerate(published, start=1):
        new = changed.get((str(number), "pairs"))
        if new is None:
            found.append(pair)
        elif "/" in new:
            found.append(new.split("/"))
        elif new:  # one word of the pair
            old = next(
                row["published"]
                for row in _corrections()
                if (row["language"], row["row"], row["list"]) == (code, str(number), "pairs")
            )
            found.append([new if word == old else word for word in pair])
    assert [[w.casefold() for w in pair] for pair in found] == [
        [forms.female.casefold(), forms.male.casefold()] for forms in shipped
    ]


def _corrections():
    with (SHIPPED / "corrections.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))
