"""Claims on tables that were tampered with: a verdict changes where it must, and n is counted.

`CHANGES` has, for each claim, a change of its tables after which it may no longer hold.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from meanings.validity.claims import catalogue
from stand_ins.published_claims import decided, swapped


def exchanged(a, b):
    """The two conditions exchanged for a random half of the concepts: neither has more of
    anything.
    """

    def change(table):
        concepts = sorted(table["source_concept"].unique())
        chosen = np.random.default_rng(0).permutation(concepts)[: len(concepts) // 2]
        names = table["condition"].astype(str)
        swapped = names.map({a: b, b: a}).fillna(names)
        return table.assign(condition=swapped.where(table["source_concept"].isin(chosen), names))

    return change


def relabelled(column, new, old):
    """The rows of `new` under the label `old`, whose own rows go."""

    def change(table):
        names = table[column].astype(str)
        return table[names == new].assign(**{column: old})

    return change


def as_if(condition, other):
    """The rows of `condition` are those of `other` instead."""

    def change(table):
        names = table["condition"].astype(str)
        taken = table[names == other].assign(condition=condition)
        rest = table[names != condition].astype({"condition": str})
        return pd.concat([rest, taken], ignore_index=True)

    return change


def before_training(table):
    return table[table["step"] == table["step"].min()]


def half_of_the_networks(table):
    return table.groupby(["what", "by"], group_keys=False).nth(slice(None, None, 3))


def always_reported(table):
    return table.assign(reported=table["true"].clip(lower=0))


def covered_less(table):
    ends = ["reported", "low", "high"]
    return table.assign(**{name: table[name] - 0.2 for name in ends})


def at_its_null(table):
    """Values as they are under permutation."""
    return table.assign(**{name: table["null"] for name in ("value", "low", "high")})


CHANGES = {
    "trust-meeting-layer": (half_of_the_networks, "undecided"),
    "trust-false-alarms": (always_reported, "refuted"),
    "trust-coverage": (covered_less, "refuted"),
    "trust-false-positives": (swapped("version", "now", "before"), "refuted"),
    "trust-nothing-shared": (relabelled("model", "parallel-100", "apart"), "refuted"),
    "trust-blind-spot": (swapped("model", "one-token", "parallel-100"), "refuted"),
    "trust-embedding": (swapped("model", "one-token", "parallel-100"), "refuted"),
    "trust-settings": (exchanged("seen", "null_concept"), "refuted"),
    "trust-separators": (exchanged("seen", "null_concept"), "refuted"),
    "trust-no-quotes": (exchanged("seen", "null_concept"), "refuted"),
    "trust-other-lines": (swapped("template", "no_names", "slash"), "refuted"),
    "trust-averaging": (exchanged("seen", "one_pair"), "undecided"),
    "real-concept": (exchanged("seen", "null_concept"), "refuted"),
    "real-concept-simlex": (swapped("what", "seen - null_concept", "seen - tgt"), "refuted"),
    "real-mean-and-own-pair": (as_if("tgt", "null_concept"), "refuted"),
    "real-english": (exchanged("en_en", "seen"), "refuted"),
    "real-own-language": (exchanged("self", "seen"), "refuted"),
    "real-treebank-cka": (at_its_null, "refuted"),
    "real-treebank-retrieval": (at_its_null, "refuted"),
    "real-treebank-language": (at_its_null, "refuted"),
    "real-treebank-without": (swapped("variant", "with", "without"), "refuted"),
    "real-treebank-units": (swapped("variant", "overlap", "same_shuffle"), "refuted"),
    "real-treebank-structure": (at_its_null, "refuted"),
    "real-treebank-transfer": (at_its_null, "refuted"),
    "miniature-translates": (before_training, "refuted"),
    "miniature-never-beside": (before_training, "refuted"),
    "method-identity": (as_if("tgt_tgt", "seen"), "refuted"),
}
# Chapters whose claims a test beside this one puts to changes.
ELSEWHERE = {
    "emergence",
    "language_dependence",
    "error_analysis",
    "cka",
    "retrieval",
    "language_identity",
    "neuron_overlap",
    "structure",
    "abilities",
    "meaning_in_context",
    "shared_vocabulary",
    "early_alignment",
    "transfer",
    "gender",
    "synthesis",
}
CLAIMS = {claim.id: claim for claim in catalogue.all_claims() if claim.chapter not in ELSEWHERE}


@lru_cache(maxsize=1)
def ends():
    """The rows of the largest table that claims read: its first and last checkpoint."""
    table = catalogue.table("miniature")
    conditions = ["tgt_unpatched", "tgt_tgt", "seen"]
    kept = table["step"].isin([table["step"].min(), table["step"].max()])
    return table[kept & table["condition"].isin(conditions)]


def tables_of(claim):
    tables = catalogue.tables_of([claim])
    return tables | ({"miniature": ends()} if "miniature" in tables else {})


def test_every_claim_is_put_to_a_change():
    assert set(CHANGES) == set(CLAIMS)


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_verdict_changes_where_it_must(name):
    claim, (change, said) = CLAIMS[name], CHANGES[name]
    tables = tables_of(claim)
    assert decided(claim)[1] == "holds"
    _, verdict = claim.decide({table: change(rows) for table, rows in tables.items()})
    assert verdict == said


@pytest.mark.parametrize("name", list(CLAIMS))
def test_without_rows_a_claim_is_undecided_and_nothing_is_estimated(name):
    claim = CLAIMS[name]
    tables = {table: rows.head(0) for table, rows in tables_of(claim).items()}
    assert claim.decide(tables) == (None, "undecided")


@pytest.mark.parametrize("name", list(CLAIMS))
def test_half_of_the_concepts_are_counted_as_half(name):
    claim = CLAIMS[name]
    tables = tables_of(claim)
    if not all("source_concept" in rows for rows in tables.values()):
        pytest.skip("its table has no concepts")
    effect, _ = decided(claim)
    unit = "target_concept" if name.startswith(("miniature", "method")) else "source_concept"
    halved = {}
    for table, rows in tables.items():
        concepts = sorted(rows[unit].unique())
        halved[table] = rows[rows[unit].isin(concepts[::2])]
    fewer, _ = claim.decide(halved)
    assert fewer.n_concepts == pytest.approx(effect.n_concepts / 2, abs=1)


def test_pairs_of_a_condition_that_go_are_no_longer_counted():
    claim = CLAIMS["real-concept"]
    tables = catalogue.tables_of([claim])
    (name, rows), effect = next(iter(tables.items())), decided(claim)[0]
    gone = (rows["condition"] == "seen") & (rows["pair"] != "fr-es")
    fewer, _ = claim.decide({name: rows[~gone]})
    assert (effect.n_pairs, fewer.n_pairs) == (rows["pair"].nunique(), 1)
