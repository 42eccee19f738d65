"""Draws are frozen: as numpy and scipy drew the published cells, and the same for ever."""

import hashlib
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from meanings.core.paths import data_folder
from meanings.measures.cells import Cell
from meanings.models.checkpoints import trajectory
from meanings.models.loading import load_tokenizer
from meanings.prompts.concept_pairs import draw_concept_pairs
from meanings.prompts.matching import maximum_matching
from meanings.prompts.prompt import merged_query_words
from meanings.prompts.seeded import SeededDraws
from meanings.study.recompute import lexicon_of


@pytest.mark.parametrize("seed", [0, 42, 2**63 + 11])
def test_todays_numpy_draws_the_same(seed):
    ours, numpys = SeededDraws(seed), np.random.Generator(np.random.PCG64(seed))
    for n in (1, 2, 3, 7, 100, 383, 1000):
        assert ours.permutation(n) == numpys.permutation(n).tolist()
        assert ours.choice(range(n)) == numpys.choice(np.arange(n))
        assert ours.below(2**31 + n) == numpys.integers(2**31 + n)  # where many are redrawn
        size = min(n, 10)
        assert (
            ours.sample(range(n), size) == numpys.choice(np.arange(n), size, replace=False).tolist()
        )
        assert ours.sample(range(n), 0) == []


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.floats(0, 1), st.integers(0, 999))
def test_todays_scipy_matches_the_same(rows, columns, density, seed):
    edges = np.random.default_rng(seed).random((rows, columns)) < density
    found = maximum_matching(edges)
    assert (
        found.tolist() == maximum_bipartite_matching(csr_array(edges), perm_type="column").tolist()
    )


@pytest.mark.parametrize("density", [0.005, 0.02, 0.1, 0.5, 0.95])
def test_large_graphs_are_matched_as_scipy_does(density):
    for seed in range(3):
        edges = np.random.default_rng(seed).random((250, 250)) < density
        scipys = maximum_bipartite_matching(csr_array(edges), perm_type="column")
        assert maximum_matching(edges).tolist() == scipys.tolist()


def test_a_matching_by_hand():
    """Row 0 could take either column, row 1 only the first."""
    assert maximum_matching(np.array([[1, 1], [1, 0]], dtype=bool)).tolist() == [1, 0]
    assert maximum_matching(np.zeros((2, 3), dtype=bool)).tolist() == [-1, -1]


@pytest.fixture(scope="module")
def words():
    """The embedded lexicon without merged query words, under the miniature's tokenizer."""
    last = trajectory("miniature").last
    tokenizer = load_tokenizer(last.path, tokenizer=last.tokenizer)
    cell = published_cell(42)[0]
    lexicon = lexicon_of(cell)
    merged = merged_query_words(lexicon, tokenizer, lexicon.languages)
    out = {concept for concepts in merged.values() for concept in concepts}
    usable = lexicon.restrict(concepts=[c for c in lexicon.concepts if c not in out])
    return usable, lexicon.languages, tokenizer


def published_cell(prompt_seed):
    """A published cell of the miniature with this prompt seed, and its concepts by prompt."""
    path = data_folder() / "published" / "miniature.parquet"
    filters = [("prompt_seed", "=", prompt_seed), ("condition", "=", "tgt_unpatched")]
    table = pq.read_table(path, filters=filters).to_pandas()
    rows = table[table["key"] == table["key"].iloc[0]].sort_values("prompt")
    row = rows.iloc[0].to_dict()
    texts = {name: row[name].split() for name in ("languages", "seen_languages")}
    cell = Cell.from_dict(row | texts)
    assert cell.key == row["key"]
    return cell, rows


def prompt_seeds():
    path = data_folder() / "published" / "miniature.parquet"
    return sorted(pq.read_table(path, columns=["prompt_seed"])["prompt_seed"].unique().to_pylist())


@pytest.mark.parametrize("prompt_seed", prompt_seeds())
def test_published_concepts_are_drawn_again(words, prompt_seed):
    lexicon, languages, tokenizer = words
    cell, rows = published_cell(prompt_seed)
    asked = cell.request
    pairs = draw_concept_pairs(
        lexicon, tokenizer, languages, asked.n_pairs, asked.shots, prompt_seed
    )
    columns = ["source_concept", "target_concept", "null_concept", "source_shots", "target_shots"]
    drawn = [
        [p.source, p.target, p.null, "|".join(p.source_shots), "|".join(p.target_shots)]
        for p in pairs
    ]
    assert rows[columns].astype(str).values.tolist() == drawn


# Of the draws that numpy 2.4 and scipy 1.17 made: sha256, the first 16 digits.
GOLDEN = {
    (0, 64): "bc3ea2ce3a00e896",
    (1, 64): "1a628d689c1178f7",
    (42, 256): "e601b7b63cc4b3e9",
    (43, 400): "c34b6e34569c9fcb",
    (7, 1000): "00f3801b919c00ac",
}


@pytest.mark.parametrize(("seed", "n_pairs"), [(0, 64), (1, 64), (42, 256), (43, 400), (7, 1000)])
def test_draws_of_the_embedded_lexicon_stay(words, seed, n_pairs):
    lexicon, languages, tokenizer = words
    pairs = draw_concept_pairs(lexicon, tokenizer, languages, n_pairs, 5, seed)
    content = json.dumps([vars(pair) for pair in pairs]).encode()
    assert hashlib.sha256(content).hexdigest()[:16] == GOLDEN[seed, n_pairs]
