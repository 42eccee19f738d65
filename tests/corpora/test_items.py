"""Parallel treebanks and the items that languages are compared over."""

from collections import Counter
from pathlib import Path

import pytest

from meanings.core.errors import MeaningsError
from meanings.corpora.items import items_of
from meanings.corpora.parallel import read_parallel, sha256_of
from stand_ins.treebank import CODES, write_treebank

PUD = Path(__file__).parents[3] / "shared" / "data" / "companion" / "pud"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_treebank(tmp_path_factory.mktemp("made"))


def word_at(parallel, code, place):
    return [word for each in parallel.sentences[code] for word in each.words][place]


def test_a_draw_of_sentences_is_the_same_in_all_languages_and_smaller_draws_are_in_larger(folder):
    small, large = (read_parallel(folder, CODES, n, 0) for n in (20, 30))
    for code in CODES:
        assert [each.name for each in small.sentences[code]] == list(small.names)
    assert set(small.names) < set(large.names) and list(small.names) == sorted(small.names)
    assert read_parallel(folder, CODES, 20, 1).names != small.names
    assert len(read_parallel(folder, CODES, 0, 0).names) == 40


def test_an_item_is_a_word_of_its_class_in_its_sentence_in_every_language(folder):
    parallel = read_parallel(folder, CODES, 0, 0)
    items = items_of(parallel, "upos", 15, 0)
    assert set(Counter(items.categories.values()).values()) == {15}
    assert set(items.categories.values()) == {"NOUN", "VERB", "ADJ", "ADV", "DET"}
    for code in CODES:
        for concept, (place,), number in zip(
            items.concepts, items.places[code], items.sentences, strict=True
        ):
            name, label = concept.split()
            assert parallel.names[number] == name and place // 7 == number
            assert word_at(parallel, code, place).upos == label


def test_a_relation_is_a_head_and_its_dependent(folder):
    parallel = read_parallel(folder, CODES, 0, 0)
    items = items_of(parallel, "relations", 100, 0)
    assert set(items.categories.values()) == {"nsubj", "obj", "amod", "advmod", "det"}
    for code in CODES:
        for concept, (head, dependent) in zip(items.concepts, items.places[code], strict=True):
            word = word_at(parallel, code, dependent)
            assert word.relation == concept.split()[1]
            assert head - dependent // 7 * 7 == word.head - 1


def test_a_feature_is_of_nouns(folder):
    items = items_of(read_parallel(folder, CODES, 0, 0), "number", 100, 0)
    assert set(items.categories.values()) == {"Number=Sing", "Number=Plur"} and len(items) == 40


def test_the_hash_is_of_the_text_and_its_annotation(folder, tmp_path):
    before = sha256_of(read_parallel(folder, CODES, 0, 0))
    again = write_treebank(tmp_path / "again")
    assert sha256_of(read_parallel(again, CODES, 0, 0)) == before
    file = again / "de_made-ud-test.conllu"
    file.write_text(file.read_text().replace("Number=Sing", "Number=Plur", 1))
    assert sha256_of(read_parallel(again, CODES, 0, 0)) != before


@pytest.mark.parametrize(
    ("change", "asked", "said"),
    [
        (lambda f: None, (("de", "pl"), 0), "0 files pl_.* it has files of de, es, fr"),
        (lambda f: None, (CODES, 41), "40 sentences, 41 are asked for"),
        (lambda f: (f / "de_other.conllu").write_text("x"), (CODES, 0), "2 files de_"),
        (
            lambda f: (f / "es_made-ud-test.conllu").write_text(
                (f / "es_made-ud-test.conllu").read_text().replace("n005", "n905")
            ),
            (CODES, 0),
            "sent_id 'n005' is in one of them only",
        ),
    ],
)
def test_files_that_are_not_parallel_are_refused(tmp_path, change, asked, said):
    made = write_treebank(tmp_path / "made")
    change(made)
    with pytest.raises(MeaningsError, match=said):
        read_parallel(made, *asked, 0)
    with pytest.raises(MeaningsError, match="is not a folder"):
        read_parallel(tmp_path / "none", CODES, 0, 0)


def test_automatic_annotation_is_refused(folder, tmp_path):
    made = write_treebank(tmp_path / "made")
    (made / "fr_made-ud-test.conllu").rename(made / "en_made-ud-test.conllu")
    parallel = read_parallel(made, ("de", "en"), 0, 0)
    assert len(items_of(parallel, "upos", 9, 0)) == 45
    with pytest.raises(MeaningsError, match="number of 'en' are annotated automatically"):
        items_of(parallel, "number", 9, 0)


def test_every_language_of_pud_is_read_whole():
    if not PUD.is_dir():
        pytest.skip("PUD is not here; it does not ship with the study")
    codes = tuple(sorted(file.name[:2] for file in PUD.glob("*.conllu.gz")))
    parallel = read_parallel(PUD, codes, 0, 0)
    assert len(codes) == 20 and len(parallel.names) == 1000
    heads = [word.head for sentence in parallel.sentences["en"] for word in sentence.words]
    assert heads.count(0) == 1000 and len(heads) == 21180
