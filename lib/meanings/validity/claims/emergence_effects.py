"""The effects behind the claims of the chapter Emergence, out of the published tables."""

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics import cognates, layer_choice, onset_tables, selection
from meanings.statistics.bootstrap import interval, paired_difference
from meanings.statistics.effects import Effect
from meanings.statistics.onset import OWN
from meanings.statistics.remembering import remembered
from meanings.statistics.resampling import RESAMPLES, SEED_COLUMN
from meanings.study.grid import DEFAULT_PAIRS
from meanings.validity.claims.claim import Tables
from meanings.validity.claims.estimates import from_row

COMPARED = ("src_unpatched", "seen", "en_en", "self", "tgt")


def chosen(tables: Tables, conditions: tuple[str, ...]) -> pd.DataFrame:
    """The published cells of these conditions in the book's own pairs, in the cells that they
    share, at the layers chosen on the other half of the concepts.

    Raises MeaningsError where the table lacks one of them.
    """
    return _chosen(tables["miniature"], conditions)


@remembered(6)
def _chosen(table: pd.DataFrame, conditions: tuple[str, ...]) -> pd.DataFrame:
    rows = table[table["pair"].isin(DEFAULT_PAIRS) & table["condition"].isin(conditions)]
    if missing := set(conditions) - set(rows["condition"].unique()):
        raise MeaningsError(f"the table has no {', '.join(sorted(missing))}; publish them first")
    return layer_choice.at_chosen_layer(rows, conditions=conditions)


def of_ends(ends: tuple[float, float, float], rows: pd.DataFrame) -> Effect:
    """An estimate with its interval as an effect, with the numbers of what it rests on."""
    counts = (rows[name].nunique() for name in ("source_concept", "pair", SEED_COLUMN))
    return Effect(*ends, *counts)


def difference(tables: Tables, a: str, b: str) -> Effect:
    """P(source) under one condition minus another at the end of training, within concepts."""
    last = selection.last_checkpoint(chosen(tables, (a, b)))
    return from_row(paired_difference(last, "p_source", a, b, n=RESAMPLES).iloc[0])


def rise(tables: Tables, late: float, early: float) -> Effect:
    """P(source) of `seen` after one share of training minus another, within concepts."""
    rows = chosen(tables, ("seen", "null_concept"))
    rows = rows[rows["condition"] == "seen"]
    tokens = sorted(rows["tokens"].unique())
    if len(tokens) < 2:
        raise MeaningsError("one checkpoint only; a rise needs two or more")
    a, b = (max(t for t in tokens if t <= share * tokens[-1]) for share in (late, early))
    rows = rows.assign(moment=rows["tokens"].map({a: "late", b: "early"}))
    rows = rows.dropna(subset="moment").drop(columns=["step", "tokens"])
    found = paired_difference(rows, "p_source", "late", "early", between="moment", n=RESAMPLES)
    return from_row(found.iloc[0])


def earlier(tables: Tables, first: str, second: str, height_of: str = OWN) -> Effect:
    """Share of training that one condition needs less than another for half of the way to the
    height of `height_of`.
    """
    rows = chosen(tables, (*COMPARED, "null_concept"))
    ends = onset_tables.needs_less_training(rows, first, second, COMPARED, height_of=height_of)
    return of_ends(ends, rows)


def _controls(tables: Tables) -> pd.DataFrame:
    """The controls at the layers chosen for `seen`."""
    if tables["controls"].empty:
        raise MeaningsError("no controls; measure them with 'meanings validity controls'")
    return layer_choice.at_chosen_layer(tables["controls"])


def control(tables: Tables, condition: str, value: str) -> Effect:
    """A column's mean under one control, at the layers chosen for `seen`."""
    rows = _controls(tables)
    rows = rows[rows["condition"] == condition]
    return from_row(interval(rows, value, n=RESAMPLES).iloc[0])


def reversed_order(tables: Tables) -> Effect:
    """P(source) of `seen` minus that of its vectors in reversed order of layers."""
    rows = _controls(tables)
    return from_row(paired_difference(rows, "p_source", "seen", "reversed", n=RESAMPLES).iloc[0])


def resemblance(tables: Tables) -> Effect:
    """What words in common add to P(source) within an output language, at the end of training."""
    table = tables["miniature"]
    rows = selection.last_checkpoint(table[table["condition"] == "seen"])
    if rows.empty or tables["word_overlap"].empty:
        raise MeaningsError("no cells of seen, or no words; publish both tables first")
    rows = cognates.marked(layer_choice.at_chosen_layer(rows), tables["word_overlap"])
    return of_ends(cognates.added_by_resemblance(rows), rows)


def dose(tables: Tables) -> Effect:
    """P(source) of `seen` with all parallel documents in two languages minus that with none."""
    table = tables["worlds"]
    models = table["model"].astype(str)
    rows = table[(table["condition"] == "seen") & models.isin(["parallel-0", "parallel-100"])]
    if rows.empty:
        raise MeaningsError("no parallel-0 and parallel-100; publish the short miniatures first")
    rows = selection.last_checkpoint(rows).astype({"model": str})
    best = layer_choice.split_half_best_layer(rows, "p_source", ["model"])
    pair = ("parallel-100", "parallel-0")
    return from_row(
        paired_difference(best, "p_source", *pair, between="model", n=RESAMPLES).iloc[0]
    )
