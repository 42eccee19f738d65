"""Means with intervals of a table of cells: curves, onsets, and the means that are published."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError, one_of
from meanings.measures.cells import LATER
from meanings.measures.results import read_cells
from meanings.statistics.bootstrap import interval, paired_difference
from meanings.statistics.matching import shared_cells
from meanings.statistics.onset import OWN, Rule, onset
from meanings.statistics.resampling import RESAMPLES
from meanings.study.publish import _path


def curves(
    chosen: pd.DataFrame,
    conditions: Sequence[str],
    by: Sequence[str] = ("condition", "tokens"),
    value: str = "p_source",
) -> pd.DataFrame:
    """Means and intervals by condition and training tokens, in the order of `conditions`, over the
    cells that these conditions share.

    Columns as `interval`. Raises MeaningsError where they share none.
    """
    rows = shared_cells(chosen, conditions)
    table = interval(rows, value, list(by), n=RESAMPLES)
    order = {name: place for place, name in enumerate(conditions)}
    if "condition" in by:
        table = table.assign(condition=table["condition"].astype(str))
        table = table.sort_values("condition", key=lambda column: column.map(order), kind="stable")
    return table.reset_index(drop=True)


def onsets(
    chosen: pd.DataFrame, conditions: Sequence[str], fraction: float = 0.5, height_of: str = OWN
) -> pd.DataFrame:
    """Onset of P(source) of each condition, in training tokens, over the floor of the wrong-concept
    null at the end.

    All over the cells that these conditions and the null share. Columns as those of `onset`.

    - `fraction`: of the way from the floor to the height at the end that a curve must have come.
    - `height_of`: the condition whose height it is, such as `src_unpatched`; else its own.
    """
    rows, floor = over_null(chosen, conditions)
    table = onset(
        rows, "p_source", ["condition"], step="tokens", rule=Rule(floor, fraction, height_of)
    )
    return in_order(table, conditions)


def over_null(chosen: pd.DataFrame, conditions: Sequence[str]) -> tuple[pd.DataFrame, float]:
    """The rows of the conditions in the cells that they share with the wrong-concept null, and the
    null's mean at the end of training, 0 where it was not measured.
    """
    shared = shared_cells(chosen, [*conditions, "null_concept"])
    shared = shared.assign(condition=shared["condition"].astype(str))
    null = shared[shared["condition"] == "null_concept"]
    null = null[null["tokens"] == null["tokens"].max()]["p_source"]
    return shared[shared["condition"].isin(conditions)], float(null.mean()) if len(null) else 0.0


def in_order(table: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """One row per condition, in the order of `conditions`."""
    there = set(table["condition"])
    return table.set_index("condition").loc[[c for c in conditions if c in there]].reset_index()


# What is compared concept by concept: is it the concept, does the mean hurt, is it English, is it
# the output language?
COMPARED = (("seen", "null_concept"), ("seen", "tgt"), ("en_en", "seen"), ("self", "seen"))

# What a number is a mean over language pairs at: all of a cell but the pair, what was generated,
# and names of the same.
SETTING = (
    "model",
    "training_seed",
    "step",
    "tokens",
    "weights_sha256",
    "lexicon",
    "lexicon_sha256",
    "prompt_seed",
    "n_pairs",
    "shots",
    "template",
    "score",
    *LATER,
)


def publish_means(folder: Path, name: str, keys: Iterable[str] | None = None) -> Path:
    """Write `data/published/<name>.csv`: `means` of the cells, with what tells model and lexicon;
    as `publish` otherwise.
    """
    path = _path(name, "csv")
    cells = read_cells(folder, keys)
    one = {
        field: cells[field].astype(str).unique()
        for field in (
            "model",
            "weights_sha256",
            "lexicon",
            "lexicon_sha256",
            "n_pairs",
            "shots",
            "template",
        )
    }
    several = [field for field, values in one.items() if len(values) > 1]
    if several:
        raise MeaningsError(
            f"{folder}: the cells have several values of {', '.join(several)}; name the grid to "
            f"publish"
        )
    table = means(cells).assign(**{field: values[0] for field, values in one.items()})
    with atomic_file(path) as aside:
        table.to_csv(aside, index=False, float_format="%.6g", lineterminator="\n")
    return path


def publish_concepts(
    folder: Path, name: str, keys: Iterable[str] | None = None, add: bool = False
) -> Path:
    """Write `data/published/<name>.parquet`: `concept_means` of the cells, for words that may be
    redistributed; as `publish` otherwise.

    - `add`: to the rows that the table has; those of the same settings and conditions are replaced.
    """
    path = _path(name, "parquet")
    means = concept_means(read_cells(folder, keys))
    if add and path.is_file():
        means = added(pd.read_parquet(path), means)
    table = pa.Table.from_pandas(means, preserve_index=False)
    floats = ["p_source", "p_target"]
    with atomic_file(path) as aside:
        pq.write_table(
            table,
            aside,
            compression="zstd",
            compression_level=15,
            use_byte_stream_split=floats,
            use_dictionary=[column for column in table.column_names if column not in floats],
        )
    return path


def added(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """The rows of `new` after those of `old`, without the old ones of a setting and condition that
    `new` has.

    A table older than a field of the cell stays without it (`cells.LATER`).

    Raises MeaningsError where the two have other columns, or `new` has other values of such a
    field than the table was measured with.
    """
    later = [name for name in new if name in LATER and name not in old]
    differs = [name for name in later if (new[name] != LATER[name]).any()]
    if set(old) != set(new) - set(later) or differs:
        columns = differs or sorted(set(old) ^ (set(new) - set(later)))
        raise MeaningsError(
            f"the published table and the cells differ in the columns {one_of(columns)}: publish "
            "all of its grids again, without --add"
        )
    new = new[list(old)].astype(old.dtypes)
    cell = [name for name in (*SETTING, "condition") if name in old]
    replaced = pd.MultiIndex.from_frame(old[cell]).isin(pd.MultiIndex.from_frame(new[cell]))
    return pd.concat([old[~replaced], new], ignore_index=True)


def concept_means(cells: pd.DataFrame) -> pd.DataFrame:
    """P(source concept) and P(target concept) of each source concept, means over language pairs,
    for comparing settings concept by concept.

    Columns: what the setting is (`SETTING`), `pairs` (the language pairs, joined by spaces),
    `condition`, `first_layer`, `source_concept`, `p_source`, `p_target`.
    """
    by = [*SETTING, "condition", "first_layer", "source_concept"]
    cells = cells.astype(
        {column: "object" for column in by if isinstance(cells[column].dtype, pd.CategoricalDtype)}
    )
    groups = cells.groupby(by, sort=True)
    table = groups[["p_source", "p_target"]].mean().astype("float32")
    names = cells.groupby([*SETTING, "condition"])["pair"].agg(lambda p: " ".join(sorted(set(p))))
    settings = table.index.droplevel(["first_layer", "source_concept"])
    table["pairs"] = names.reindex(settings).to_numpy()
    return table.reset_index()[
        [*SETTING, "pairs", "condition", "first_layer", "source_concept", "p_source", "p_target"]
    ]


def means(cells: pd.DataFrame) -> pd.DataFrame:
    """Means over concepts of P(source concept), with bootstrap intervals, of one checkpoint's
    cells.

    Rows: `pair`, `what` (a condition) and `first_layer` (-1 unpatched). Of `pair` = `all`: the
    conditions that are defined for every pair, over the cells that they share (a condition of fewer
    pairs, such as `self`, has no such row: it would take pairs from all others); and `what` =
    `a - b`, the difference concept by concept, over the cells that these two share.

    Columns: `mean`, `low`, `high`, `n_units` (concepts), `n_language_pairs`, `p_target`, `correct`
    (share of answers that are the source concept; NaN where none were generated).
    """
    cells = cells.assign(correct=cells["answer_correct_source"].astype("float64"))
    conditions = list(cells["condition"].unique())
    found = []
    pairs = cells.groupby("condition", observed=True)["pair"].nunique()
    everywhere = [name for name in conditions if pairs[name] == pairs.max()]
    for names, rows in ((["pair"], cells), ([], shared_cells(cells, everywhere))):
        by = [*names, "condition", "first_layer"]
        rest = rows.groupby(by, observed=True)[["p_target", "correct"]].mean().reset_index()
        found.append(
            interval(rows, "p_source", by).merge(rest, on=by).rename(columns={"condition": "what"})
        )
    for a, b in COMPARED:
        if {a, b} <= set(conditions):
            found.append(
                paired_difference(cells, "p_source", a, b, ["first_layer"]).assign(
                    what=f"{a} - {b}"
                )
            )
    columns = (
        "pair what first_layer mean low high n_units n_language_pairs p_target correct".split()
    )
    table = pd.concat(
        [each.astype({name: str for name in ("pair", "what") if name in each}) for each in found],
        ignore_index=True,
    )
    table["n_language_pairs"] = table["n_language_pairs"].fillna(1).astype(int)
    return table.assign(pair=table["pair"].fillna("all"))[columns]
