"""Estimates of claims on several instruments together, from their published tables.

See `meanings.statistics.ladder` for onsets, floors and doses, and what their intervals resample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics import agreement, instruments, ladder, rungs
from meanings.statistics.companions import PAIR
from meanings.statistics.effects import Effect
from meanings.statistics.instruments import PATCHING, Instrument
from meanings.statistics.proportions import wilson
from meanings.statistics.remembering import remembered
from meanings.statistics.resampling import SEED_COLUMN
from meanings.statistics.selection import followed, last_checkpoint
from meanings.validity.claims.claim import Tables
from meanings.validity.claims.companion_estimates import APART, MINIATURE, TRAINED

WORLDS = "worlds"
PARALLEL = "parallel-100"  # trained as `apart`, with parallel text
RESAMPLES = 1000
Estimate = Callable[[Tables], Effect]
Claimed = Literal["face", "above", "beyond"]


def tables_for(*names: Instrument) -> tuple[str, ...]:
    """The published tables that claims on these instruments read."""
    return tuple(
        dict.fromkeys(
            table
            for each in names
            for table in ([MINIATURE, WORLDS] if each is PATCHING else [each.measure])
        )
    )


def later(first: Instrument, second: Instrument) -> Estimate:
    """How much later the second instrument rises, as a share of the miniature's training, in the
    pairs of trained languages that both have at every checkpoint.
    """

    def estimate(tables: Tables) -> Effect:
        one, other = (_of_miniature(tables, each) for each in (first, second))
        last = float(one["tokens"].max())
        found = ladder.delay(one, other)
        ends = found.later / last, found.low / last, found.high / last
        if not np.isfinite(ends).all():
            raise MeaningsError(
                f"{second.name} has no onset within this training; measure more of the training"
            )
        return Effect(*ends, round(float(one["n"].mean())), found.n_pairs, found.n_runs)

    return estimate


def height_where_nothing_is_shared(instrument: Instrument) -> Estimate:
    """The height of an instrument in a model that shares nothing, as a share of that in a model
    whose parallel text is all in two languages, after the same training and above their nulls; from
    the lowest to the highest training seed.
    """

    def estimate(tables: Tables) -> Effect:
        whole, apart = (_of_world(tables, instrument, name) for name in (PARALLEL, APART))
        value, low, high = ladder.share_at_floor(whole, apart)
        return Effect(value, low, high, *_counts(apart))

    return estimate


def claimed(instrument: Instrument, how: Claimed, model: str = APART) -> Estimate:
    """The share of cells (a layer, a language pair and a training run) in which an instrument says
    that something is shared, at the end of a training: see `ladder.false_claims`.

    The interval is Wilson's, for as many independent cells as there are pairs and training runs:
    the layers of one model are not independent of each other.
    """

    def estimate(tables: Tables) -> Effect:
        rows = _cells(tables, instrument, model)
        found = ladder.false_claims(rows)
        n = len(rows[[*PAIR, SEED_COLUMN]].drop_duplicates())
        low, high = wilson(round(found[how] * n), n)
        return Effect(found[how], min(low, found[how]), max(high, found[how]), *_counts(rows))

    return estimate


def concordance(names: Sequence[Instrument]) -> Estimate:
    """Kendall's W of instruments over the pairs of languages that never stand side by side in the
    training text, minus the 97.5 % quantile of its null; without instruments that do not rise. The
    interval leaves out one language at a time (jackknife).
    """

    def estimate(tables: Tables) -> Effect:
        taught = _taught(tables)
        parts = [last_checkpoint(_all_pairs(tables, each)) for each in names]
        rows = pd.concat([part for part in parts if ladder.rises(part)], ignore_index=True)
        sides = rows[PAIR].astype(str).to_numpy().tolist()
        rows = rows[[frozenset(pair) not in taught for pair in sides]]
        whole = agreement.pair_matrix(rows)
        codes = sorted({code for pair in whole.index for code in pair})
        found = agreement.concordance(whole)
        value = found["w"] - found["null_high"]
        without = [
            agreement.coefficient(whole[[code not in pair for pair in whole.index]])
            for code in codes
        ]
        spread = np.sqrt((len(codes) - 1) * np.var(without))
        low = value - 1.96 * spread
        high = min(value + 1.96 * spread, 1.0 - found["null_high"])
        n = round(float(rows["n"].mean()))
        return Effect(value, low, high, n, len(whole), rows[SEED_COLUMN].nunique())

    return estimate


def trend(instrument: Instrument) -> Estimate:
    """How well an instrument orders training runs by their dose of parallel text: the share of
    pairs of runs with different doses in which the higher dose has the higher value, minus one
    half. The interval resamples the runs of each dose.
    """

    def estimate(tables: Tables) -> Effect:
        parts = [
            last_checkpoint(_of_world(tables, instrument, name)).assign(dose=dose)
            for name, dose in rungs.DOSES.items()
        ]
        rows = pd.concat(parts, ignore_index=True)
        groups = [part.to_numpy() for _, part in rungs.by_run(rows).groupby("dose")]
        dose = np.repeat(np.arange(len(groups)), [len(each) for each in groups])
        value = float(ladder.share_in_order(np.concatenate(groups)[None], dose)[0])
        rng = np.random.default_rng(0)
        resampled = [
            np.concatenate([rng.choice(each, len(each)) for each in groups])
            for _ in range(RESAMPLES)
        ]
        drawn = ladder.share_in_order(np.array(resampled), dose)
        low, high = np.quantile(drawn, [0.025, 0.975])
        if low == high == 1.0:  # all in order: no resample differs, which is no certainty
            n = sum(map(len, groups))
            low, high = wilson(n, n)
        low, high, value = low - 0.5, high - 0.5, value - 0.5
        return Effect(value, float(min(low, value)), float(max(high, value)), *_counts(rows))

    return estimate


def _counts(rows: pd.DataFrame) -> tuple[int, int, int]:
    pairs = rows[PAIR].astype(str).drop_duplicates()
    return round(float(rows["n"].mean())), len(pairs), rows[SEED_COLUMN].nunique()


def _of_miniature(tables: Tables, instrument: Instrument) -> pd.DataFrame:
    """Readings of the miniature over training."""
    if instrument is PATCHING:
        return _patched(tables[MINIATURE])
    return _read(tables[instrument.measure], instrument, MINIATURE)


def _all_pairs(tables: Tables, instrument: Instrument) -> pd.DataFrame:
    """As `_of_miniature`, of all pairs that are there at the last checkpoint."""
    if instrument is PATCHING:
        return _patched(tables[MINIATURE], True)
    return _read(tables[instrument.measure], instrument, MINIATURE)


def _of_world(tables: Tables, instrument: Instrument, model: str) -> pd.DataFrame:
    if instrument is PATCHING:
        return _patched_world(tables[WORLDS], model)
    return _read(tables[instrument.measure], instrument, model)


@remembered(24)
def _read(table: pd.DataFrame, instrument: Instrument, model: str) -> pd.DataFrame:
    rows = _of_model(table, model)
    return instruments.readings(rows, instrument, TRAINED if model == MINIATURE else ())


@remembered(4)
def _patched(table: pd.DataFrame, end: bool = False) -> pd.DataFrame:
    rows = table[table["condition"].isin(["seen", "null_concept"])]
    rows = last_checkpoint(rows) if end else followed(rows)
    return instruments.patched_readings(rows[_trained(rows)])


@remembered(8)
def _patched_world(table: pd.DataFrame, model: str) -> pd.DataFrame:
    return instruments.patched_readings(_of_model(table, model))


def _trained(rows: pd.DataFrame) -> pd.Series:
    known = {p: set(p.split("-")) <= set(TRAINED) for p in rows["pair"].unique()}
    return rows["pair"].astype(str).map(known).astype(bool)


def _cells(tables: Tables, instrument: Instrument, model: str) -> pd.DataFrame:
    if instrument is PATCHING:
        return instruments.patched_by_layer(last_checkpoint(_of_model(tables[WORLDS], model)))
    rows = _of_model(tables[instrument.measure], model)
    return last_checkpoint(instruments.rows_of(rows, instrument))


def _of_model(table: pd.DataFrame, model: str) -> pd.DataFrame:
    rows = table[table["model"] == model]
    if rows.empty:
        raise MeaningsError(f"the table has no rows of the model {model!r}; measure and publish it")
    return rows


def _taught(tables: Tables) -> set[frozenset[str]]:
    """Pairs of languages that stand side by side in the miniature's text."""
    rows = _of_model(tables["cka"], MINIATURE)
    taught = rows[rows["split"].isin(["taught", "held_out"])]
    sides = taught[PAIR].astype(str).drop_duplicates().to_numpy().tolist()
    return {frozenset(pair) for pair in sides}
