"""AM2iCo read strictly: every refusal names file, row and column."""

import gzip
from pathlib import Path

import pytest

from meanings.core.errors import MeaningsError
from meanings.corpora.am2ico import KNOWN, Context, read_am2ico

HEADER = "context1\tcontext2\tlabel\n"
ROWS = (
    "Sie ging zur  <word>Bank</word> .\tShe went to the  <word>bank</word> .\tT\n"
    '" Die <word>Bank</word> , im Park\t<word>Banks</word> lend money\tF\n'
)
REAL = Path(__file__).parents[3] / "shared" / "data" / "companion" / "am2ico"


def write(folder, code="de", rows=ROWS, name="{code}-{split}.tsv"):
    for split in ("dev", "test"):
        path = folder / name.format(code=code, split=split)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = (HEADER + rows).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder


def test_a_word_and_what_stands_left_of_it(tmp_path):
    found = read_am2ico(write(tmp_path / "set"), ("de",))
    assert (found.name, found.languages) == ("set", ("de",))
    one, two = found.rows["de"]["dev"]
    assert one.other == Context("Sie ging zur ", "Bank")  # white space is one space
    assert one.english == Context("She went to the ", "bank") and one.same
    assert two.other == Context('" Die ', "Bank")  # a quote is a character
    assert two.english == Context("", "Banks") and not two.same


def test_a_word_that_touches_its_context_keeps_doing_so(tmp_path):
    rows = ROWS + "我去<word>銀行</word>。\tthe <word>bank</word>\tF\n"
    row = read_am2ico(write(tmp_path, rows=rows), ("de",)).rows["de"]["test"][2]
    assert row.other == Context("我去", "銀行")


@pytest.mark.parametrize(
    "name", ["{code}/{split}.tsv", "{code}-{split}.tsv.gz", "{code}/{split}.tsv.gz"]
)
def test_every_layout_holds_the_same(tmp_path, name):
    plain = read_am2ico(write(tmp_path / "plain" / "x"), ("de",))
    other = read_am2ico(write(tmp_path / "other" / "x", name=name), ("de",))
    assert other == plain and other.sha256 == plain.sha256


def test_the_hash_knows_content_and_languages_and_the_registered_files(tmp_path):
    folder = write(write(tmp_path), "fi")
    found = read_am2ico(folder, ("de",))
    assert read_am2ico(folder, ("de", "fi")).sha256 != found.sha256
    changed = read_am2ico(write(folder, rows=ROWS.replace("Park", "Hof")), ("de",))
    assert changed.sha256 != found.sha256
    assert found.unknown == ("de-dev", "de-test")  # reported, not refused


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\tT\n", "\n", "row 2: 2 columns, expected 3"),
        ("\tT\n", "\tT\tx\n", "row 2: 4 columns, expected 3"),
        ("\tF\n", "\tf\n", "row 3, column label: 'f'; allowed are T and F"),
        ("\tF\n", "\tT\n", "2 rows without both labels"),
        (">Banks</word>", ">Banks", "row 3, column context2: 1 <word> and 0 </word>"),
        ("Park", "<word>Park</word>", "row 3, column context1: 2 <word> and 2 </word>"),
        ("<word>Banks</word>", "<word> </word>", "row 3, column context2: 1 <word> and 1"),
        ("<word>Banks</word>", "</word>Banks<word>", "row 3, column context2: 1 <word> and 1"),
    ],
)
def test_a_malformed_row_is_refused_in_one_line(tmp_path, old, new, said):
    with pytest.raises(MeaningsError) as error:
        read_am2ico(write(tmp_path, rows=ROWS.replace(old, new)), ("de",))
    assert said in str(error.value) and "de-dev.tsv" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_or_damaged_file_is_refused_in_one_line(tmp_path):
    with pytest.raises(MeaningsError, match="no dev file of 'tr'; expected tr/dev.tsv"):
        read_am2ico(write(tmp_path), ("tr",))
    (tmp_path / "de-dev.tsv").write_bytes(HEADER.encode() + b"\xff\n")
    with pytest.raises(MeaningsError, match="de-dev.tsv, row 2: not UTF-8"):
        read_am2ico(tmp_path, ("de",))
    (tmp_path / "de-dev.tsv").write_text("a\tb\tc\n", encoding="utf-8")
    with pytest.raises(MeaningsError, match="row 1: columns a, b, c; expected context1"):
        read_am2ico(tmp_path, ("de",))
    (tmp_path / "de-dev.tsv").unlink()
    (tmp_path / "de-dev.tsv.gz").write_bytes(b"no archive")
    with pytest.raises(MeaningsError, match=r"de-dev\.tsv\.gz: not readable"):
        read_am2ico(tmp_path, ("de",))


@pytest.mark.skipif(not REAL.is_dir(), reason="AM2iCo is not in ../shared/data")
def test_the_registered_files_are_read_whole():
    codes = tuple(sorted({name[:2] for name in KNOWN}))
    found = read_am2ico(REAL, codes)
    assert found.unknown == ()
    for code in codes:
        sizes = {split: len(rows) for split, rows in found.rows[code].items()}
        assert sizes == {"dev": 500, "test": 1000}
        assert sum(row.same for row in found.rows[code]["test"]) == 500
