import os
import shutil
from pathlib import Path

import pytest

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.build import LANGUAGES, build_lexicon, extract_cldr, write_lexicon
from meanings.lexicon.check import agreement, before_and_after, traps
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.lexicon.readers import read_wide

TABLES = data_folder() / "lexicon"


@pytest.fixture(scope="module")
def embedded() -> Lexicon:
    return load_lexicon("embedded")


def small(**cells: str) -> Lexicon:
    """`small(cat_en="cat", cat_fr="chat|chatte")`"""
    entries: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, words in cells.items():
        concept, code = name.rsplit("_", 1)
        entries.setdefault(concept, {})[code] = tuple(words.split("|"))
    return Lexicon("small", tuple(next(iter(entries.values()))), entries, {})


def test_the_shipped_lexicon_is_what_its_tables_make(tmp_path):
    write_lexicon(build_lexicon(TABLES), tmp_path / "lexicon.csv")
    assert (tmp_path / "lexicon.csv").read_bytes() == (TABLES / "lexicon.csv").read_bytes()


def test_every_concept_has_words_in_every_language(embedded):
    assert embedded.languages == LANGUAGES
    assert len(embedded) >= 500
    for concept in embedded.concepts:
        for code in embedded.languages:
            words = embedded.words(concept, code)
            assert words and all(words) and len(set(words)) == len(words)
            assert embedded.word(concept, code) == words[0]


def test_the_embedded_lexicon_has_its_traps(embedded):
    homographs = embedded.homographs()
    assert len(homographs.drop_duplicates(["language_a", "language_b", "form"])) >= 40
    assert len(embedded.polysemous()) >= 40
    gift = homographs[(homographs["form"] == "gift") & (homographs["language_b"] == "de")].iloc[0]
    assert (gift["language_a"], gift["concept_a"], gift["concept_b"]) == ("en", "gift", "poison")
    spanish = embedded.polysemous().set_index(["language", "form"])["concepts"]
    assert set(spanish["es", "muñeca"]) == {"wrist", "doll"}


def test_a_cognate_is_a_shared_form_and_no_homograph():
    lexicon = small(piano_en="piano", piano_fr="Piano", gift_en="gift", gift_fr="cadeau")
    assert lexicon.shared_forms().to_numpy().tolist() == [["en", "fr", "piano", "piano"]]
    assert lexicon.homographs().empty


def test_a_form_right_for_both_concepts_in_one_language_is_no_homograph():
    lexicon = small(hand_ru="рука", hand_pl="ręka|рука", arm_ru="рука", arm_pl="ramię")
    assert lexicon.homographs().empty
    assert lexicon.polysemous().to_numpy().tolist() == [["ru", "рука", ("hand", "arm")]]


def test_a_homograph_names_languages_and_concepts_in_order():
    lexicon = small(gift_en="gift", gift_de="Geschenk", poison_en="poison", poison_de="Gift")
    assert lexicon.homographs().to_numpy().tolist() == [["en", "gift", "de", "poison", "gift"]]


def test_the_hash_sees_words_categories_and_order_but_not_the_name():
    lexicon = small(cat_en="cat", cat_fr="chat", dog_en="dog", dog_fr="chien")
    renamed = Lexicon("other", lexicon.languages, lexicon.entries, {})
    assert renamed.sha256 == lexicon.sha256 and hash(renamed) == hash(lexicon)
    others = [
        small(cat_en="cat", cat_fr="chat|chatte", dog_en="dog", dog_fr="chien"),
        small(dog_en="dog", dog_fr="chien", cat_en="cat", cat_fr="chat"),
        small(cat_fr="chat", cat_en="cat", dog_fr="chien", dog_en="dog"),
        Lexicon("small", lexicon.languages, lexicon.entries, {"cat": "animal"}),
    ]
    assert len({lexicon.sha256, *(other.sha256 for other in others)}) == 5


def test_restrict_keeps_the_lexicons_order_and_refuses_the_unknown(embedded):
    part = embedded.restrict(languages=["fr", "en"], concepts=["dog", "cat"])
    assert part.languages == ("en", "fr")
    assert part.concepts == tuple(c for c in embedded.concepts if c in {"dog", "cat"})
    assert part.categories == {"dog": "animal", "cat": "animal"}
    with pytest.raises(MeaningsError, match="'he'.*it has en, fr"):
        embedded.restrict(languages=["he"])
    with pytest.raises(MeaningsError, match="'unicorns'"):
        embedded.restrict(concepts=["unicorns"])
    with pytest.raises(MeaningsError, match="'he'.*it has"):
        embedded.words("cat", "he")
    with pytest.raises(MeaningsError, match="'unicorns'"):
        embedded.word("unicorns", "en")


def test_an_incomplete_lexicon_is_refused():
    with pytest.raises(MeaningsError, match="'cat' has no word in 'fr'"):
        Lexicon("small", ("en", "fr"), {"cat": {"en": ("cat",), "fr": ()}}, {})
    with pytest.raises(MeaningsError, match="'dog'"):
        Lexicon("small", ("en",), {"cat": {"en": ("cat",)}}, {"dog": "animal"})


def test_load_reads_a_file_and_refuses_the_unknown(tmp_path, embedded):
    write_lexicon(embedded, tmp_path / "mine.csv")
    mine = load_lexicon(tmp_path / "mine.csv")
    assert (mine.name, mine.sha256) == ("mine", embedded.sha256)
    with pytest.raises(MeaningsError, match="expected 'embedded' or the path"):
        load_lexicon("embeded")
    with pytest.raises(
        MeaningsError, match="'wide', 'long', 'cldf', 'multi-simlex', 'lists', 'pairs'"
    ):
        load_lexicon(tmp_path / "mine.csv", layout="tall")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("xx,cat,chat,added", "line 4807, column 'language': 'xx'"),
        ("fr,unicorns,licorne,added", "column 'concept': 'unicorns'"),
        ("fr,tail,queue,added", "a second row for 'tail' in fr"),
        ("fr,cat,,synonyms", "column 'words': empty"),
        ("fr,cat,chat,", "column 'comment': empty"),
    ],
)
def test_a_wrong_correction_is_refused_by_line_and_column(tmp_path, row, message):
    for name in ("concepts.csv", "cldr_names.csv", "corrections.csv"):
        shutil.copy(TABLES / name, tmp_path)
    corrections = tmp_path / "corrections.csv"
    lines = [
        line
        for line in corrections.read_text("utf-8").splitlines()
        if not line.startswith("fr,cat,")
    ]
    corrections.write_text("\n".join([*lines, row]) + "\n", "utf-8")
    message = message.replace("4807", str(len(lines) + 1))
    with pytest.raises(MeaningsError, match=message):
        build_lexicon(tmp_path)


def test_a_cell_without_a_word_is_refused(tmp_path):
    for name in ("concepts.csv", "cldr_names.csv", "corrections.csv"):
        shutil.copy(TABLES / name, tmp_path)
    corrections = tmp_path / "corrections.csv"
    lines = [
        line
        for line in corrections.read_text("utf-8").splitlines()
        if not line.startswith("fr,tail,")
    ]
    corrections.write_text("\n".join(lines), "utf-8")
    with pytest.raises(MeaningsError, match="'tail' has no word in fr; add rows"):
        build_lexicon(tmp_path)


def test_another_package_is_refused(tmp_path):
    shutil.copy(TABLES / "concepts.csv", tmp_path)
    (tmp_path / "package.tgz").write_bytes(b"not the pinned one")
    with pytest.raises(
        MeaningsError,
        match="not the package cldr-annotations-full@48.0.0: sha256 .* expected 6ada74c15f05",
    ):
        extract_cldr(tmp_path, tmp_path / "package.tgz")
    with pytest.raises(MeaningsError, match="no such file"):
        extract_cldr(tmp_path, tmp_path / "missing.tgz")


def test_agreement_counts_cells_that_share_a_word_in_any_case():
    ours = small(
        cat_en="cat",
        cat_fr="chat|Chatte",
        cat_de="Katze",
        bat_en="bat",
        bat_fr="chauve-souris",
        bat_de="Fledermaus",
    )
    theirs = small(
        x_en="Cat",
        x_fr="chatte",
        x_de="Kater",
        y_en="bat",
        y_fr="batte",
        y_de="fledermaus",
        z_en="z",
        z_fr="z",
        z_de="z",
    )
    result = agreement(ours, theirs)
    assert result.table.to_numpy().tolist() == [
        ["fr", 2, 1, 0.5],
        ["de", 2, 1, 0.5],
        ["all", 4, 2, 0.5],
    ]
    assert result.disagreements[["gloss", "language"]].to_numpy().tolist() == [
        ["cat", "de"],
        ["bat", "fr"],
    ]


def test_agreement_compares_concepts_with_one_english_word_together():
    ours = small(bat_en="bat", bat_fr="chauve-souris", club_en="bat", club_fr="batte")
    theirs = small(y_en="bat", y_fr="batte")
    assert agreement(ours, theirs).table["share"].tolist() == [1.0, 1.0]


def test_agreement_before_and_after_is_of_the_same_concepts():
    names = small(cat_en="cat", cat_fr="minou", dog_en="dog", dog_fr="chien")
    corrected = small(
        cat_en="cat", cat_fr="chat|minou", dog_en="dog", dog_fr="chien", owl_en="owl", owl_fr="duc"
    )
    reference = small(x_en="cat", x_fr="chat", y_en="dog", y_fr="chien", z_en="owl", z_fr="hibou")
    table, after = before_and_after(names, corrected, reference)
    assert table.to_numpy().tolist()[-1] == ["all", 2, 0.5, 1.0, 3, 2 / 3]
    assert after.disagreements["gloss"].tolist() == ["owl"]
    assert traps(names) == {
        "concepts": 2, "languages": 2, "shared_forms": 0, "homograph_pairs": 0,
        "homograph_forms": 0, "polysemous_words": 0,
    }  # fmt: skip


def test_corrections_raise_nothing_that_the_names_alone_did_not_have():
    names = build_lexicon(TABLES, corrected=False)
    assert 300 <= len(names) < len(build_lexicon(TABLES))


def test_the_wide_file_reads_back_as_it_was_written(tmp_path, embedded):
    write_lexicon(embedded, tmp_path / "again.csv")
    entries = read_wide(Path(tmp_path / "again.csv"))
    assert Lexicon("again", *entries).sha256 == embedded.sha256


REFERENCE = Path(
    os.environ.get(
        "MULTI_SIMLEX", Path(__file__).parents[3] / "shared" / "data" / "multi_simlex.csv"
    )
)


@pytest.mark.skipif(
    not REFERENCE.is_file(),
    reason="Multi-SimLex is not here; name its CSV in the environment variable MULTI_SIMLEX",
)
def test_the_embedded_lexicon_agrees_with_multi_simlex():
    """At least nine cells in ten share an accepted word, in every language, and the corrections are
    what brings it about.
    """
    table, _ = before_and_after(
        build_lexicon(TABLES, corrected=False), load_lexicon("embedded"), load_lexicon(REFERENCE)
    )
    table = table.set_index("language")
    assert table.loc["all", "cells_all"] > 2000
    assert (table["share_all"] >= 0.9).all() and (table["share_corrected"] >= 0.9).all()
    assert (table["share"] < table["share_corrected"]).all()
    assert 0.55 < table["share"].min() and table["share"].max() < 0.9
