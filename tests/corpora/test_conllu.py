"""CoNLL-U read strictly: every refusal names file, line and column."""

import gzip
from pathlib import Path

import pytest

from meanings.core.errors import MeaningsError
from meanings.corpora.conllu import read_conllu

GOOD = """\
# sent_id = a1
# text = Im Haus  (alt), ja
1-2\tIm\t_\t_\t_\t_\t_\t_\t_\t_
1\tin\tin\tADP\t_\t_\t3\tcase\t_\t_
2\tdem\tder\tDET\t_\tCase=Dat|Number=Sing\t3\tdet\t_\t_
3\tHaus\tHaus\tNOUN\t_\tNumber=Sing\t0\troot\t_\t_
3.1\tist\tsein\tAUX\t_\t_\t_\t_\t_\t_
4\t(\t(\tPUNCT\t_\t_\t5\tpunct\t_\tSpaceAfter=No
5\talt\talt\tADJ\t_\t_\t3\tamod:x\t_\tSpaceAfter=No
6\t)\t)\tPUNCT\t_\t_\t5\tpunct\t_\tSpaceAfter=No
7\t,\t,\tPUNCT\t_\t_\t8\tpunct\t_\t_
8\tja\tja\tINTJ\t_\t_\t3\tdiscourse\t_\t_

# sent_id = a2
# text = Nein
1\tNein\tnein\tINTJ\t_\t_\t0\troot\t_\t_
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "de_x.conllu"
    path.write_text(text, encoding="utf-8")
    return path


def test_words_know_their_characters_head_class_and_features(tmp_path):
    one, two = read_conllu(write(tmp_path, GOOD))
    assert (one.name, two.name, len(one.words), len(two.words)) == ("a1", "a2", 8, 1)
    spans = [one.text[word.start : word.end] for word in one.words]
    assert spans == ["Im", "Im", "Haus", "(", "alt", ")", ",", "ja"]
    assert [word.head for word in one.words] == [3, 3, 0, 5, 3, 5, 8, 3]
    assert one.words[4].relation == "amod" and one.words[4].upos == "ADJ"
    assert one.words[1].features == {"Case": "Dat", "Number": "Sing"}


def test_a_packed_file_holds_the_same(tmp_path):
    path = tmp_path / "de_x.conllu.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert read_conllu(path) == read_conllu(write(tmp_path, GOOD))


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("3\tHaus\tHaus\tNOUN\t_\t", "3\tHaus\tHaus\tNOUN\t", 6, "9 columns, expected 10"),
        ("3\tHaus", "4\tHaus", 6, "column ID: '4'; expected word 3"),
        ("3\tHaus", "x\tHaus", 6, "column ID: 'x'"),
        ("1-2\tIm", "1-1\tIm", 3, "column ID: '1-1'"),
        ("3\tHaus", "3\tHau", 6, "column MISC: no SpaceAfter=No, but 's' follows 'Hau'"),
        ("3\tHaus", "3\tHof", 6, "column FORM: 'Hof'"),
        ("\tNOUN\t", "\tNomen\t", 6, "column UPOS: 'Nomen'"),
        ("Case=Dat|Number=Sing", "Case=Dat|Number", 5, "column FEATS: 'Case=Dat|Number'"),
        ("3\tcase", "9\tcase", 4, "column HEAD: '9'; expected a number, 0 to 8"),
        ("3\tcase", "_\tcase", 4, "column HEAD: '_'"),
        ("0\troot", "0\tobj", 6, "column DEPREL: 'obj' with HEAD 0"),
        ("# sent_id = a1\n", "", 1, "no '# sent_id"),
        ("# text = Im Haus  (alt), ja\n", "", 1, "no '# text"),
        ("8\tja\tja\tINTJ\t_\t_\t3\tdiscourse\t_\t_\n", "", 4, "column HEAD|words end before"),
        ("sent_id = a2", "sent_id = a1", None, "sent_id 'a1' occurs twice"),
    ],
)
def test_a_malformed_row_is_refused_by_file_line_and_column(tmp_path, old, new, line, said):
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(MeaningsError, match="|".join(map(_literal, said.split("|")))) as error:
        read_conllu(path)
    text = str(error.value)
    assert text.startswith(str(path)) and "\n" not in text
    if line is not None and "|" not in said:
        assert f", line {line}" in text


def _literal(text: str) -> str:
    import re

    return re.escape(text)


def test_what_is_no_treebank_is_one_line(tmp_path):
    for name, content, said in (
        ("empty.conllu", b"\n", "no sentence"),
        ("latin.conllu", b"# sent_id = a\n# text = \xe9", "line 2: not UTF-8"),
        ("broken.conllu.gz", b"\x1f\x8b\x08", "not readable"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MeaningsError, match=said):
            read_conllu(tmp_path / name)
    with pytest.raises(MeaningsError, match="not readable"):
        read_conllu(tmp_path / "none.conllu")
