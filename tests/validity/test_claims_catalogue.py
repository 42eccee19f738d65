"""The catalogue of claims: every claim once, its numbers in its statement, its runs apart."""

import json
import string

import pandas as pd
import pytest
from typer.testing import CliRunner

from meanings.cli import main
from meanings.core.errors import MeaningsError
from meanings.statistics.effects import Effect
from meanings.validity.claims import catalogue, estimates
from meanings.validity.claims.claim import Claim

CHAPTERS = {*catalogue.MODULES, "method"}


def mean_of(tables):
    rows = tables["a table"]
    if rows.empty:
        raise MeaningsError("no rows")
    value = float(rows["p"].mean())
    return Effect(value, value - 0.01, value + 0.01, len(rows), 1, rows["training_seed"].nunique())


def claim(**changes):
    fields = {
        "id": "a-claim",
        "chapter": "trust",
        "statement": "It is {value:.2f} [{low:.2f}, {high:.2f}].",
        "unit": "probability",
        "side": "above",
        "smallest_effect": 0.1,
        "refuted_by": "it is not",
        "tables": ("a table",),
        "effect": mean_of,
    }
    return Claim(**(fields | changes))


TABLE = pd.DataFrame({"training_seed": [0, 0, 1, 1], "p": [0.5, 0.5, 0.05, 0.05]})


def test_a_row_has_the_columns_and_each_run_by_itself():
    (row,) = catalogue.rows([claim()], {"a table": TABLE})
    assert tuple(row) == catalogue.COLUMNS
    assert row["statement"] == "It is 0.28 [0.27, 0.29]." and row["verdict"] == "holds"
    assert {seed: run["verdict"] for seed, run in row["by_seed"].items()} == {
        "0": "holds",
        "1": "refuted",
    }
    (single,) = catalogue.rows([claim()], {"a table": TABLE[:2]})
    assert single["by_seed"] == {} and single["n_seeds"] == 1


def test_what_was_not_measured_is_said():
    (row,) = catalogue.rows([claim()], {"a table": TABLE[:0]})
    assert row["verdict"] == "undecided" and row["value"] is None and row["n_seeds"] is None
    assert row["statement"].startswith("It is (not measured)")


def test_two_claims_of_one_id_are_refused(monkeypatch):
    from meanings.validity.claims import trust

    monkeypatch.setattr(trust, "CLAIMS", (claim(), claim()))
    with pytest.raises(MeaningsError, match="two claims have the id a-claim"):
        catalogue.all_claims()


@pytest.mark.parametrize("one", catalogue.all_claims(), ids=lambda one: one.id)
def test_a_claim_is_a_sentence_with_its_numbers(one):
    assert one.chapter in CHAPTERS and one.refuted_by and one.statement.endswith(".")
    fields = {field for _, field, _, _ in string.Formatter().parse(one.statement) if field}
    assert fields <= {"value", "low", "high"}


def test_shares_have_an_interval_at_their_ends_too():
    everything, nothing = estimates.share(15, 15), estimates.share(0, 15)
    assert everything.value == everything.high == 1 and everything.low == pytest.approx(
        0.796, abs=1e-3
    )
    assert nothing.low == 0 and nothing.high == pytest.approx(1 - everything.low)
    apart = estimates.difference_of_shares(everything, nothing)
    assert apart.value == 1 and apart.low < 0.8 and apart.high == pytest.approx(1)
    # Newcombe's own example: 56 of 70 against 48 of 80, .0524 to .3339.
    found = estimates.difference_of_shares(estimates.share(56, 70), estimates.share(48, 80))
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    with pytest.raises(MeaningsError, match="no trials"):
        estimates.share(0, 0)


def test_the_command_lists_them(monkeypatch):
    (row,) = catalogue.rows([claim()], {"a table": TABLE})
    monkeypatch.setattr(catalogue, "all_claims", lambda: (claim(),))
    monkeypatch.setattr(catalogue, "tables_of", lambda claims: {"a table": TABLE})
    run = CliRunner().invoke
    listed, as_json = run(main.app, ["claims"]), run(main.app, ["claims", "--json"])
    assert listed.output.startswith("a-claim: holds, 0.275 [0.265, 0.285] probability")
    assert "refuted by: it is not" in listed.output
    assert json.loads(as_json.output) == [row]
