"""The study's instruments in one form: what each says of two languages at a checkpoint.

    instrument   one variant of a measure, with what a high value takes
    shape        the words of two languages are arranged alike, wherever they lie
    place        they lie at the same place: no map is fitted between the languages
    use          the model says the right word

A *reading* is a value of an instrument at one layer, for two languages (or one alone), in one
training run at one checkpoint, beside its permutation null. Sets of concepts are weighted by their
size, and both directions of a pair count alike. The layer is chosen on the other half of the
language pairs (`meanings.statistics.companions.at_layer`), in patching on the other half of the
concepts (`meanings.statistics.layer_choice`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.companions import ENDS, PAIR, SHARED, at_layer
from meanings.statistics.layer_choice import at_chosen_layer
from meanings.statistics.resampling import SEED_COLUMN

Kind = Literal["shape", "place", "use", "language"]
PLACE = [SEED_COLUMN, "step", "tokens", *PAIR]
RESAMPLES = 400  # of the concepts of a language pair
CELL = ["pair", "prompt_seed", "source_concept"]


@dataclass(frozen=True)
class Instrument:
    """A measure's variant that stands for it.

    - `measure`: as `meanings measures` names it, and its published table; `kind`: see the module.
    - `label`: in tables and figures; `zero`: whether it is zero where nothing is shared by chance
      alone, so that its value says something without a null.
    """

    measure: str
    variant: str
    label: str
    kind: Kind
    zero: bool = True

    @property
    def name(self) -> str:
        """Measure and variant."""
        return f"{self.measure} {self.variant}"


PATCHING = Instrument("patching", "seen", "patching", "use")
CKA = Instrument("cka", "rbf", "CKA", "shape")
REGRESSED = Instrument("cka", "rbf_regressed", "CKA, length and frequency removed", "shape")
RETRIEVAL = Instrument("retrieval", "csls", "retrieval (CSLS)", "place")
# From the weakest demand on the model to the strongest.
INSTRUMENTS = (
    Instrument("language_id", "accuracy", "language identity", "language", False),
    CKA,
    REGRESSED,
    Instrument("structure", "rsa", "arrangement of categories (RSA)", "shape"),
    Instrument("expert_units", "overlap", "overlap of expert units", "place", False),
    Instrument("relations", "direction_associate", "direction of relations", "place"),
    RETRIEVAL,
    Instrument("neuron_overlap", "transfer", "transfer of a probe on few units", "place", False),
    Instrument("abilities", "category_across", "transfer of a category probe", "place", False),
    Instrument("meaning_in_context", "gain", "meaning in context", "place", False),
    Instrument("abilities", "translation", "translation without examples", "use"),
    PATCHING,
)


def named(name: str) -> Instrument:
    """The instrument of that name. Raises MeaningsError where there is none."""
    for instrument in INSTRUMENTS:
        if instrument.name == name:
            return instrument
    raise MeaningsError(
        f"no instrument {name!r}; there are {', '.join(each.name for each in INSTRUMENTS)}"
    )


def rows_of(
    table: pd.DataFrame, instrument: Instrument, languages: Collection[str] = ()
) -> pd.DataFrame:
    """The rows of a companion measure's table that an instrument reads, at every layer: between two
    languages, or of one alone where the instrument asks about one.

    - `languages`: rows in these only; all, where none are named.

    Raises MeaningsError where there are none.
    """
    # Compared as categories, and cut down at once: a published table has 200,000 rows.
    rows = table[(table["variant"] == instrument.variant) & (table["split"] != SHARED)]
    sides = rows[PAIR].astype(str)
    alone = sides["language_b"] == ""
    kept = alone if instrument.kind == "language" else ~alone
    kept &= sides["language_a"] != sides["language_b"]
    for side in PAIR if languages else ():
        kept &= sides[side].isin([*languages, ""])
    if not kept.any():
        raise MeaningsError(
            f"no rows of {instrument.name} in these languages; measure and publish them"
        )
    rows = rows[kept]
    ordered = np.sort(sides[kept].to_numpy(), axis=1)
    if instrument.kind == "language":
        ordered = ordered[:, ::-1]
    return rows.assign(language_a=ordered[:, 0], language_b=ordered[:, 1])


def readings(
    table: pd.DataFrame,
    instrument: Instrument,
    languages: Collection[str] = (),
    pairs: Collection[str] = (),
) -> pd.DataFrame:
    """Readings of a companion measure: `instrument`, `training_seed`, `step`, `tokens`,
    `language_a`, `language_b` in alphabetical order, `value`, `low`, `high`, `null`, `null_low`,
    `null_high` (NaN where there is none), `n` concepts.

    - `pairs`: unordered language pairs `a-b` that are read, and in which the layer is chosen; all,
      where none are named.

    Raises MeaningsError where there are no such rows.
    """
    rows = rows_of(table, instrument, languages)
    if pairs and instrument.kind != "language":
        wanted = {frozenset(pair.split("-")) for pair in pairs}
        sides = rows[PAIR].to_numpy()
        rows = rows[[frozenset(each) in wanted for each in sides]]
        if rows.empty:
            raise MeaningsError(
                f"no rows of {instrument.name} in the pairs {', '.join(pairs)}"
                "; measure and publish them"
            )
    rows = at_layer(rows)
    found = over_sets(rows, PLACE)
    return found.assign(instrument=instrument.name)


def over_sets(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Means over sets of concepts (and both directions of a pair), weighted by their size: `by`,
    `value`, `low`, `high`, `null`, `null_low`, `null_high`, `n`.
    """
    values = ["value", *ENDS]
    weighted = rows.assign(**{name: rows[name] * rows["n"] for name in values})
    sums = weighted.groupby(list(by), observed=True)[[*values, "n"]].sum(min_count=1)
    return sums[values].div(sums["n"], axis=0).assign(n=sums["n"]).reset_index()


def patched_readings(
    cells: pd.DataFrame, condition: str = "seen", null: str = "null_concept"
) -> pd.DataFrame:
    """Readings of patching, as `readings`: P(source concept) at the chosen first layer.

    The interval resamples the concepts of a language pair; `null` is that of a wrong concept, in
    the same cells, and `null_high` leaves `value - null_high` at the lower end of the interval of
    the difference.

    Raises MeaningsError where the two conditions share no cell.
    """
    chosen = at_chosen_layer(cells, conditions=(condition, null))
    return _over_concepts(chosen, condition, null, PLACE[:3]).assign(instrument=PATCHING.name)


def patched_by_layer(
    cells: pd.DataFrame, condition: str = "seen", null: str = "null_concept"
) -> pd.DataFrame:
    """As `patched_readings` at every first layer, with a column `layer`."""
    rows = cells[cells["first_layer"] >= 0].rename(columns={"first_layer": "layer"})
    return _over_concepts(rows, condition, null, [*PLACE[:3], "layer"]).assign(
        instrument=PATCHING.name
    )


def _over_concepts(rows: pd.DataFrame, condition: str, null: str, by: list[str]) -> pd.DataFrame:
    """Means over concepts by `by` and unordered pair, with intervals of value and difference."""
    rows = rows[rows["condition"].isin([condition, null])]
    rows = rows.assign(condition=rows["condition"].astype(str), pair=rows["pair"].astype(str))
    sides = {pair: "-".join(sorted(pair.split("-"))) for pair in rows["pair"].unique()}
    rows = rows.assign(pair=rows["pair"].map(sides))
    wide = (
        rows.pivot_table(
            index=[*by, "pair", "source_concept"],
            columns="condition",
            values="p_source",
            observed=True,
        )
        .reindex(columns=[condition, null])
        .dropna()
    )
    if wide.empty:
        raise MeaningsError(f"{condition} and {null} share no cell; measure both in the same pairs")
    found = []
    for place, part in wide.groupby([*by, "pair"], observed=True):
        a, b = place[-1].split("-")
        own = dict(zip(by, place, strict=False)) | {"language_a": a, "language_b": b}
        found.append(own | _interval(part[condition].to_numpy(), part[null].to_numpy()))
    return pd.DataFrame(found)


def _interval(values: np.ndarray, nulls: np.ndarray) -> dict[str, float]:
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    value, null = float(values.mean()), float(nulls.mean())
    below = float(np.quantile((values - nulls)[drawn].mean(axis=1), 0.025))
    return {
        "value": value, "low": min(low, value), "high": max(high, value), "null": null,
        "null_low": null, "null_high": min(low, value) - below, "n": len(values),
    }  # fmt: skip


def above_null(readings: pd.DataFrame) -> pd.DataFrame:
    """The readings with their null taken off: `value`, `low` and `high` above its mean."""
    null = readings["null"].fillna(0.0)
    return readings.assign(**{name: readings[name] - null for name in ("value", "low", "high")})
