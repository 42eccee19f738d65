"""The tables of the chapter Emergence: controls of the patch, ways of writing it, onsets."""

from numbers import Real

import pandas as pd

from meanings.book.figures.palette import CONDITIONS, Look, look
from meanings.core.formatting import span
from meanings.measures.results import published
from meanings.statistics import layer_choice, selection, sensitivity
from meanings.statistics.bootstrap import interval
from meanings.statistics.onset_tables import FRACTIONS
from meanings.statistics.resampling import RESAMPLES

CONTROLS = {
    "seen": "mean over other languages (seen)",
    "null_concept": "a third concept (null)",
    "null_category": "a third concept of the same category",
    "random": "random directions of the same length",
    "reversed": "seen, its layers in reversed order",
}
ALONE = "alone"
WAYS = {
    "seen": CONDITIONS["seen"]._replace(label="layer j and all later ones"),
    "reversed": CONDITIONS["reversed"]._replace(label="the same, vectors in reversed order"),
    ALONE: Look("layer j alone", "#56B4E9", "s"),
    "null_concept": CONDITIONS["null_concept"]._replace(label="a third concept (null)"),
}
HEADINGS = {"own": "own final height", "direct": "direct score", "level": "P"}


def published_controls() -> pd.DataFrame:
    """`data/published/controls.parquet`: every control by training seed, pair and first layer."""
    return published("controls")


def controls(table: pd.DataFrame) -> pd.DataFrame:
    """One row per vector: P(source concept) and P(its own concept), each with its interval, at the
    layers chosen for `seen`.

    - `table`: as `published_controls`.
    """
    chosen = layer_choice.at_chosen_layer(table).astype({"condition": str})
    rows = {}
    for name, words in CONTROLS.items():
        part = chosen[chosen["condition"] == name]
        own = "" if part["p_own"].isna().all() else _in_short(part, "p_own")
        rows[words] = {
            "P(source concept)": _in_short(part, "p_source"),
            "P(the vector's own concept)": own,
            "concepts": part["source_concept"].nunique(),
        }
    return pd.DataFrame(rows).T.rename_axis("vector")


def _in_short(rows: pd.DataFrame, value: str) -> str:
    found = interval(rows, value, n=RESAMPLES).iloc[0]
    if found["mean"] >= 0.1:
        return span(found["mean"], found["low"], found["high"])
    return f"{found['mean']:.4f} [{found['low']:.4f}, {found['high']:.4f}]"


def ways_of_writing(table: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """P(source concept) by layer and way of writing the vectors (`WAYS`): `way`, `first_layer`,
    `mean`, `low`, `high`, `n_units`.

    - `table`: as `published_controls`; `settings`: the published table of settings, which has the
      sweep of single layers.
    """
    one = table[table["training_seed"] == table["training_seed"].min()].astype({"condition": str})
    swept = interval(one, "p_source", ["condition", "first_layer"], n=RESAMPLES)
    single = single_layers(settings)
    single = single[single["condition"] == "seen"]
    alone = interval(single, "p_source", ["first_layer"], n=RESAMPLES).assign(way=ALONE)
    found = pd.concat([swept.assign(way=swept["condition"]), alone], ignore_index=True)
    return found[found["way"].isin(WAYS)].reset_index(drop=True)


def single_layers(settings: pd.DataFrame) -> pd.DataFrame:
    """The rows of the published table of settings in which one layer alone is overwritten."""
    rows = sensitivity.around(settings, "layers")
    return rows[(rows["layers"] == "only") & (rows["first_layer"] >= 0)]


def onset_shares(moments: pd.DataFrame, last: Real) -> pd.DataFrame:
    """Share of the training after which each condition reaches each height, in per cent.

    - `moments`: `meanings.statistics.onset_tables.onset_table`; `last`: tokens at the end.
    """
    columns = {}
    for height, heading in HEADINGS.items():
        part = moments[moments["height"] == height]
        for fraction in sorted(part["fraction"].unique()):
            name = f"P = {fraction:g}" if height == "level" else f"{fraction:.0%} of {heading}"
            rows = part[part["fraction"] == fraction].set_index("condition")
            columns[name] = (rows["onset"] / last).map(lambda share: f"{share:.0%}")
    found = pd.DataFrame(columns).replace("inf%", "not reached")
    order = list(dict.fromkeys(moments["condition"]))
    return found.loc[order].rename(index=lambda name: look(name).label).rename_axis("condition")


def reached(moments: pd.DataFrame, condition: str, last: Real) -> dict[float, str]:
    """By fraction, the share of the training after which a condition reaches it of its own final
    height, `29 %`.
    """
    found = {}
    for fraction in FRACTIONS:
        row = selection.one(moments, condition=condition, height="own", fraction=fraction)
        share = row["onset"] / last
        found[fraction] = f"{share:.0%}" if share < 1 else "more than 100%"
    return found
