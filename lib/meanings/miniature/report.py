"""What the miniature shows, from the published tables alone: each measure with its interval, its
target and whether it is met.
"""

from __future__ import annotations

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.results import published
from meanings.miniature.recipe import Mix, folds, load_mix
from meanings.statistics.bootstrap import interval
from meanings.statistics.layer_choice import split_half_best_layer

TABLE = "miniature"

# measure -> (what it is, target as text, how the mean is held against it); a target is the
# project's, set before training
MEASURES = {
    "step0_accuracy": (
        "word accuracy before training, high-resource pairs",
        "<= 0.01",
        lambda mean: mean <= 0.01,
    ),
    "step0_p_source": (
        "P(source concept) before training, mean of other languages patched in, layer as below",
        "<= 0.01",
        lambda mean: mean <= 0.01,
    ),
    "supervised_accuracy": (
        "word accuracy, high-resource pairs, concepts taught side by side",
        ">= 0.85",
        lambda mean: mean >= 0.85,
    ),
    "zero_shot_accuracy": (
        "word accuracy, high-resource pairs, concepts never side by side",
        ">= 0.60",
        lambda mean: mean >= 0.60,
    ),
    "low_resource_accuracy": (
        "word accuracy, pairs of a high- and a low-resource language",
        "clearly less",
        None,
    ),
    "unseen_accuracy": (
        "word accuracy, pairs with a language never seen",
        "near 0",
        lambda mean: mean <= 0.05,
    ),
    "seen_p_source": (
        "P(source concept), mean of other languages patched in, best first layer",
        ">= 0.50",
        lambda mean: mean >= 0.50,
    ),
    "null_p_source": (
        "the same with a third concept patched in",
        "<= 0.02",
        lambda mean: mean <= 0.02,
    ),
}


# What the report reads of the published table.
COLUMNS = (
    "training_seed", "step", "pair", "condition", "first_layer", "source_concept",
    "target_concept", "p_source", "answer_correct_target",
)  # fmt: skip


def report_table() -> pd.DataFrame:
    """One row per measure: `measure`, `description`, `mean`, `low`, `high` (95 %, over concepts and
    seeds), `target`, `met`.

    Accuracies are of whole words, unpatched, greedy, at the last checkpoint where nothing else is
    said. The first patched layer of `seen_p_source` is chosen on one half of the concepts and
    reported on the other; the null, and the value before training, are reported at the same layers.
    """
    measured = published(TABLE, COLUMNS)
    rows = measured_rows(measured, load_mix(data_folder() / "miniature" / "mix.yaml"))
    table = pd.DataFrame(
        {
            "measure": name,
            "description": MEASURES[name][0],
            **_interval(*rows[name]),
            "target": MEASURES[name][1],
        }
        for name in MEASURES
    )
    means = table.set_index("measure")["mean"]
    clearly_less = bool(
        table.set_index("measure")["high"]["low_resource_accuracy"] < means["supervised_accuracy"]
    )
    checks = {name: check for name, (_, _, check) in MEASURES.items()}
    return table.assign(
        met=[
            clearly_less if checks[name] is None else bool(checks[name](mean))
            for name, mean in zip(table["measure"], table["mean"], strict=True)
        ]
    )


def report_json() -> dict:
    """`{measure: {"mean": , "low": , "high": }, ..., "seeds": [training seeds]}`."""
    table = report_table().set_index("measure")[["mean", "low", "high"]]
    return table.to_dict("index") | {
        "seeds": sorted(
            int(seed) for seed in published(TABLE, ["training_seed"])["training_seed"].unique()
        )
    }


def measured_rows(table: pd.DataFrame, mix: Mix) -> dict[str, tuple[pd.DataFrame, str, str]]:
    """The rows behind each measure, the column that is averaged, and the column that names the
    unit.
    """
    first, last = int(table["step"].min()), int(table["step"].max())
    table = table.assign(kind=kinds(table, mix))
    unpatched = table[table["condition"] == "tgt_unpatched"]
    correct = ("answer_correct_target", "target_concept")
    end = unpatched[unpatched["step"] == last]
    high = ("taught", "untaught")
    sweeps = (
        table[table["kind"].isin(high) & (table["first_layer"] >= 0)]
        .set_index(["step", "condition"])
        .sort_index()
    )
    seen = split_half_best_layer(sweeps.loc[(last, "seen")].reset_index(), "p_source", ["pair"])
    chosen = seen[["pair", "source_concept", "best_layer"]].drop_duplicates()

    def at_chosen(step: int, condition: str) -> pd.DataFrame:
        rows = sweeps.loc[(step, condition)].merge(chosen, on=["pair", "source_concept"])
        return rows[rows["first_layer"] == rows["best_layer"]]

    return {
        "step0_accuracy": (
            unpatched[(unpatched["step"] == first) & unpatched["kind"].isin(high)],
            *correct,
        ),
        "step0_p_source": (at_chosen(first, "seen"), "p_source", "source_concept"),
        "supervised_accuracy": (end[end["kind"] == "taught"], *correct),
        "zero_shot_accuracy": (end[end["kind"] == "untaught"], *correct),
        "low_resource_accuracy": (end[end["kind"] == "low"], *correct),
        "unseen_accuracy": (end[end["kind"] == "unseen"], *correct),
        "seen_p_source": (seen, "p_source", "source_concept"),
        "null_p_source": (at_chosen(last, "null_concept"), "p_source", "source_concept"),
    }


def kinds(table: pd.DataFrame, mix: Mix) -> pd.Series:
    """For each row what its pair and target concept are to the miniature.

    `taught`, `untaught` (two high-resource languages; whether the target concept's words occur side
    by side), `low` (a high- and a low-resource language), `unseen` (one of them never seen), else
    `other`.
    """
    fold = folds(load_lexicon("embedded").concepts, mix.folds)
    known = table[["pair", "target_concept"]].drop_duplicates()
    kind = [_kind(str(row.pair), fold[row.target_concept], mix) for row in known.itertuples()]
    lookup = dict(zip(known.itertuples(index=False, name=None), kind, strict=True))
    places = zip(table["pair"], table["target_concept"], strict=True)
    return pd.Series([lookup[place] for place in places], index=table.index)


def _kind(name: str, fold: int, mix: Mix) -> str:
    pair = parse_pair(name)
    tiers = {mix.languages[pair.input].tier, mix.languages[pair.output].tier}
    if "unseen" in tiers:
        return "unseen"
    if tiers == {"high", "low"}:
        return "low"
    if tiers != {"high"}:
        return "other"
    taught = mix.taught(pair.input, pair.output)
    return "taught" if taught and taught.held_out_fold != fold else "untaught"


def _interval(rows: pd.DataFrame, value: str, unit: str) -> dict[str, float]:
    if rows.empty:
        raise MeaningsError(
            f"the published table {TABLE!r} has no rows for a measure of {value!r}; measure its "
            "grid and publish it again"
        )
    right = value.startswith("answer_correct")
    row = interval(rows.dropna(subset=[value]), value, unit=unit, proportion=right).iloc[0]
    return {name: float(row[name]) for name in ("mean", "low", "high")}
