"""Companion measures over the items of a treebank, from files to a published table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.corpora.items import items_of
from meanings.corpora.parallel import read_parallel
from meanings.measures import retrieval
from meanings.measures.base import Shared
from meanings.measures.companion import Request
from meanings.measures.results import finished, provenance_of, published, read_cells
from meanings.measures.treebank_states import Treebank, TreebankSettings, item_states
from meanings.models.context_states import ContextStates, last_tokens
from meanings.study.column_descriptions import description, kind_of
from meanings.study.export import export
from meanings.study.grid import Grid, check_grid
from meanings.study.publish import publish, published_cells
from meanings.study.run import run_study
from meanings.study.table_kinds import COMPANION
from stand_ins import small_model
from stand_ins.study_data import make_world
from stand_ins.treebank import CODES, write_treebank

ITEMS = {
    "cka": "sentences",
    "retrieval": "sentences",
    "language_id": "sentences",
    "structure": "relations",
    "expert_units": "upos",
    "neuron_overlap": "number",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_treebank(tmp_path_factory.mktemp("made") / "made")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "data"
    with pytest.MonkeyPatch.context() as patch:
        make_world(folder)
        (folder / "published").mkdir()
        patch.setenv("MEANINGS_DATA", str(folder))
        yield folder


def grid(folder, store="", **items):
    settings = {
        name: {
            "permutations": 20,
            "treebank": {
                "folder": str(folder), "items": kind, "languages": list(CODES),
                "sentences": 30, "store": str(store),
            },
        }
        for name, kind in items.items()
    }  # fmt: skip
    return Grid(checkpoints=2, steps=(10,), measures=tuple(items), settings=settings)


@pytest.fixture(scope="module")
def measured(data, folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    store = tmp_path_factory.mktemp("store")
    return out, run_study(grid(folder, store, **ITEMS), out, progress=False), store


@pytest.mark.parametrize("name", ITEMS)
def test_it_is_measured_over_the_treebanks_languages(measured, name):
    out, plan, _ = measured
    (key,) = [cell.key for cell in plan.cells if cell.measure == name]
    assert key in finished(out)
    table = read_cells(out, [key])
    assert set(table["lexicon"]) == {f"made-{ITEMS[name]}"} and table["value"].notna().all()
    assert {code for code in table["language_b"].astype(str) if code} <= set(CODES)
    assert set(table["split"]) == {"all"}
    assert "nearest" not in set(table["variant"])  # its words are no translations
    assert set(table["layer"]) == set(range(1 if name == "expert_units" else 0, 4))


def test_states_are_kept_on_disk_and_read_again_to_the_same_numbers(
    measured, data, folder, tmp_path, monkeypatch
):
    out, plan, store = measured
    assert len(list(store.iterdir())) == len(CODES)
    monkeypatch.setattr("meanings.models.context_states.context_states", None)
    again = run_study(grid(folder, store, retrieval="sentences"), tmp_path, progress=False)
    assert [cell.key for cell in again.cells] == [
        cell.key for cell in plan.cells if cell.measure == "retrieval"
    ]
    before, after = (read_cells(each, [again.cells[0].key]) for each in (out, tmp_path))
    pd.testing.assert_series_equal(before["value"], after["value"])


def test_each_measures_table_is_published_with_all_columns_explained(measured, data, tmp_path):
    out, plan, _ = measured
    for name in ITEMS:
        keys = [cell.key for cell in plan.cells if cell.measure == name]
        publish(out, f"made-{name}".replace("_", "-"), measure=name)
        table = published(f"made-{name}".replace("_", "-"))
        assert kind_of(table.columns) is COMPANION
        assert all(description(column, COMPANION) for column in table)
        assert [cell.key for cell in published_cells(f"made-{name}".replace("_", "-"))] == keys
    assert set(provenance_of(out)["model"]) == {"miniature"}
    said = export(tmp_path / "out", out, table="made-cka", layout="csv")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "A row is a companion measure" in card and not any("left out" in line for line in said)


@pytest.mark.parametrize(
    ("measure", "kind", "said"),
    [
        ("cka", "gender", "made-gender: no class is in one sentence of all of de, es, fr"),
        ("expert_units", "sentences", "made-sentences has no units; .* items: upos"),
        ("expert_units", "relations", "made-relations has no units; .* items: upos"),
        ("structure", "number", "structure compares classes: made-number has 2 .* 5 are needed"),
        ("relations", "sentences", "of .relations.: unknown field .treebank."),
        ("abilities", "sentences", "of .abilities.: unknown field .treebank."),
        ("cka", "words", "treebank.items='words' is refused: .* 'sentences', 'upos'"),
    ],
)
def test_what_does_not_fit_is_one_line(data, folder, measure, kind, said):
    with pytest.raises(MeaningsError, match=said) as error:
        check_grid(grid(folder, **{measure: kind}))
    assert "\n" not in str(error.value)


def test_a_words_last_token_is_the_last_that_begins_before_its_end():
    # "ab cd.": a token for `ab`, one for ` c`, one for `d`, one for `.`
    offsets = [(0, 2), (2, 4), (4, 5), (5, 6)]
    assert last_tokens(offsets, [2, 5, 6]).tolist() == [0, 2, 3]
    assert last_tokens([(0, 6)], [2, 5, 6]).tolist() == [0, 0, 0]


def test_sentences_and_words_are_those_of_a_forward_of_their_own():
    from meanings.models.activations import activations
    from meanings.models.context_states import context_states

    model = small_model.model(small_model.tokenizer(small_model.lexicon()))
    texts = ["the cat", "a dog sees the house", "hund"]
    found = context_states(model, texts, [[3, 7], [1, 5, 10], [4]])
    whole = activations(model, texts, "mean")
    np.testing.assert_allclose(found.sentences, whole.hidden, atol=1e-4)
    begun = activations(model, ["the", "the cat", "a", "a dog", "a dog sees", "hund"])
    np.testing.assert_allclose(found.words, begun.hidden, atol=1e-4)
    np.testing.assert_allclose(found.units, begun.units, rtol=2e-3, atol=2e-3)
    assert [len(each) for each in found.pieces] == whole.tokens.tolist()


def made_states(parallel, turn):
    """States of known truth: a sentence has its own vector in all languages, up to a rotation of
    some and a shift of each; a word has its class's and its sentence's.
    """
    rng = np.random.default_rng(0)
    own = rng.normal(size=(len(parallel.names), 16))
    found = {}
    for number, (code, sentences) in enumerate(parallel.sentences.items()):
        moved = (own @ turn if number else own) + 5 * number
        words = np.array(
            [
                own[i] + 9 * (word.head == 0)
                for i, each in enumerate(sentences)
                for word in each.words
            ]
        )
        found[code] = ContextStates(
            moved[None].astype(np.float32),
            words[None].astype(np.float32),
            np.zeros((0, len(words), 3), np.float16),
            tuple(tuple(range(len(each.words))) for each in sentences),
        )
    return found


@pytest.mark.parametrize("rotated", [False, True])
def test_what_is_shared_up_to_a_shift_is_retrieved_and_up_to_a_rotation_has_one_shape(
    folder, rotated
):
    treebank = Treebank.of(TreebankSettings(folder=str(folder), languages=CODES, sentences=30))
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(16, 16)))[0] if rotated else np.eye(16)
    states = item_states(treebank.items, made_states(treebank.parallel, turn))
    request = Request(permutations=20, seed=0, text_sha256="")
    rows = pd.DataFrame(retrieval.MEASURE.rows(states, treebank, request))
    first = rows[(rows["language_a"] == CODES[0])].groupby("variant")["value"].mean()
    assert first["csls"] == pytest.approx(0 if rotated else 1, abs=0.15)
    assert rotated or first["raw"] < 0.7  # the shift hides what is shared
    from meanings.measures import cka

    rows = pd.DataFrame(cka.MEASURE.rows(states, treebank, request)).set_index("variant")
    assert rows.loc["rbf", "value"].min() == pytest.approx(1, abs=1e-4)
    assert rows.loc["rbf", "null_high"].max() < 0.2


def test_a_relation_is_the_heads_state_minus_the_dependents(folder):
    parallel = read_parallel(folder, CODES, 30, 0)
    items = items_of(parallel, "relations", 60, 0)
    states = item_states(items, made_states(parallel, np.eye(16)))
    for code in CODES:
        for row, label in zip(states.hidden[code][0], items.categories.values(), strict=True):
            of_root = label in ("nsubj", "obj", "advmod")  # what depends on the verb
            np.testing.assert_allclose(row, 9.0 if of_root else 0.0, atol=1e-5)


def test_states_are_read_once_for_all_kinds_of_items(folder, monkeypatch):
    model = small_model.model(small_model.tokenizer(small_model.lexicon()))
    shared = Shared()
    sentences, words = (
        Treebank.of(TreebankSettings(folder=str(folder), items=kind, languages=CODES, sentences=30))
        for kind in ("sentences", "upos")
    )
    sentences.states(model, shared)
    monkeypatch.setattr("meanings.models.context_states.context_states", None)
    assert words.states(model, shared).depth == sentences.states(model, shared).depth
    assert words.identity.sha256 != sentences.identity.sha256


def test_the_grids_of_the_book_name_a_treebank():
    for file in (Path(__file__).parents[2] / "book" / "parameters" / "gemma-pud").glob("*.yaml"):
        from meanings.study.grid import read_grid

        grid = read_grid(file)
        assert all("treebank" in grid.settings[name] for name in grid.measures)
