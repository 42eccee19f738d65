"""Tables of what is done beside the companion measures: blocks that are reset, units that are held,
correlations with transfer, steps between concepts, onsets in pairs.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from meanings.book.tables.companions import span
from meanings.core.formatting import amount
from meanings.core.paths import data_folder
from meanings.lexicon.languages import LANGUAGES
from meanings.measures.results import published, published_csv
from meanings.statistics import ability_onsets, companions, reinitialisation
from meanings.statistics.instruments import INSTRUMENTS

CORRELATIONS = "transfer_correlations"
OTHER_LABELS = {  # variants that no instrument stands for
    "neuron_overlap overlap": "overlap of chosen dimensions",
    "relations pairs_associate": "relations, step of the same pair",
    "retrieval centred": "retrieval (centred cosine)",
}
COSTS = "companion_costs"
HELD = {
    "category": "names a word of the category",
    "elsewhere": "names one in another language",
    "same": "is in the language in which the category's units were found",
    "language": "is in the language whose units are held",
}
STEPS = {
    "direction": "mean step, disjoint concepts",
    "pairs": "step of the same pair",
    "rsa": "arrangement of the categories' steps",
}


def there(name: str, suffix: str = "parquet") -> bool:
    """Whether a published table ships."""
    return (data_folder() / "published" / f"{name}.{suffix}").is_file()


def reinitialised() -> pd.DataFrame:
    """What is lost where one block gets its initial weights and one language is trained on: in that
    language and in the others; empty where the table does not ship.
    """
    if not there("reinitialisation"):
        return pd.DataFrame()
    gaps = reinitialisation.gaps(published("reinitialisation"))
    gaps["text"] = [
        f"{r['mean']:z.3f} [{r['low']:z.3f}, {r['high']:z.3f}]" for _, r in gaps.iterrows()
    ]
    parts = {"source": "lost there", "others": "lost in other languages", "gap": "difference"}
    gaps = gaps.assign(
        part=gaps["part"].map(parts), language=[LANGUAGES[code].name for code in gaps["source"]]
    )
    wide = gaps.pivot(index=["language", "block"], columns="part", values="text")
    return wide[list(parts.values())].rename_axis(
        index={"language": "trained on", "block": "block reset"}, columns=None
    )


def clamped() -> pd.DataFrame:
    """What texts say while expert units are held, while as active others are, and without."""
    if not there("clamping"):
        return pd.DataFrame()
    rows = published("clamping")
    last = rows[rows["step"] == rows["step"].max()].astype({"variant": str})
    found = []
    for name, meaning in HELD.items():
        part = last[last["variant"] == name]
        sides = {"expert units": "value", "control units": "null", "none": "unclamped"}
        counts = {
            side: int((part[column] * part["n"]).sum().round()) for side, column in sides.items()
        }
        total = int(part["n"].sum())
        shares = {
            side: f"{count / total:.1%} ({count} of {total})" for side, count in counts.items()
        }
        found.append({"a text": meaning} | shares)
    return pd.DataFrame(found).set_index("a text")


def transfer_correlations() -> pd.DataFrame:
    """Rank correlation of each measure with transfer, within checkpoints and pooled."""
    if not there(CORRELATIONS, "csv"):
        return pd.DataFrame()
    rows = published_csv(CORRELATIONS, "meanings validity transfer")
    rows = rows[rows["scope"].isin(["within", "pooled"])]
    labels = [_label(name) for name in rows["measure"]]
    rows = rows.assign(measure=labels, text=[_rho(row) for _, row in rows.iterrows()])
    wide = rows.pivot(index=["transfer", "measure"], columns="scope", values="text")
    names = {"within": "within a checkpoint", "pooled": "all checkpoints pooled"}
    return wide[list(names)].rename(columns=names).rename_axis(columns=None)


def _label(measure: str) -> str:
    """What a row is called that a measure and its variant name."""
    labels = {each.name: each.label for each in INSTRUMENTS} | OTHER_LABELS
    return labels.get(measure, measure)


def companion_costs() -> pd.DataFrame:
    """Processor seconds and memory of each companion measure at one checkpoint of the miniature,
    and how many times as long twice the layers and twice the width take; empty where none ships.
    """
    if not there(COSTS, "csv"):
        return pd.DataFrame()
    rows = published_csv(COSTS, "python -m bench --only measures")
    whole = rows[rows["grown"] == "checkpoint"].set_index("measure")
    grown = {
        f"{axis} {small} to {large}": _growth(rows, axis, small, large)
        for axis, small, large in (("layers", 4, 8), ("width", 64, 128))
    }
    seconds = whole["seconds"].map("{:.1f}".format)
    memory = whole["mebibytes"].map("{:.0f}".format)
    table = pd.DataFrame({"processor seconds": seconds, "peak memory (MiB)": memory} | grown)
    table.loc["together"] = [f"{whole['seconds'].sum():.0f}", "", "", ""]
    return table.fillna("").rename_axis(index="measure")


def _growth(rows: pd.DataFrame, axis: str, small: int, large: int) -> pd.Series:
    """Seconds at one size over those at another, by measure, as `x 2.1`."""
    part = rows[rows["grown"] == axis].pivot(index="measure", columns="size", values="seconds")
    return (part[large] / part[small]).map("x {:.1f}".format)


def _rho(row: pd.Series) -> str:
    if not np.isfinite(row["rho"]):
        return "does not vary"
    return f"{row['rho']:z.2f} [{row['low']:z.2f}, {row['high']:z.2f}]"


def relations(languages: Collection[str]) -> pd.DataFrame:
    """Each way of comparing steps at the last checkpoint, beside its null."""
    if not there("relations"):
        return pd.DataFrame()
    rows = published("relations")
    rows = rows[rows["model"] == "miniature"]
    found = []
    for variant in sorted(set(rows["variant"].astype(str))):
        chosen = companions.of_variant(rows, variant, languages)
        last = chosen[chosen["step"] == chosen.groupby("training_seed")["step"].transform("max")]
        end = companions.over_seeds(companions.at_layer(last)).iloc[0]
        way, _, relation = variant.partition("_")
        found.append(
            {
                "relation": relation,
                "compared": STEPS.get(way, way),
                "value": span(end),
                "null up to": f"{end['null_high']:z.2f}",
                "pairs": f"{end['n']:.0f}",
            }
        )
    return pd.DataFrame(found).set_index("relation").sort_index()


def paired_onsets(rows: pd.DataFrame, languages: Collection[str]) -> pd.DataFrame:
    """By layer, the median onset of the category's probe in its own language and across languages,
    in tokens, and how much later it comes across languages.
    """
    names = ability_onsets.Names("category", "category_across")
    chosen = pd.concat([companions.of_variant(rows, name, languages) for name in names])
    delays = ability_onsets.delays(ability_onsets.paired_onsets(chosen, names))
    last = chosen[chosen["step"] > 0].iloc[0]
    per_step = last["tokens"] / last["step"]
    table = pd.DataFrame(
        {
            "layer": delays["layer"],
            "own language": [_tokens(value, per_step) for value in delays["inside"]],
            "other language": [_tokens(value, per_step) for value in delays["across"]],
            "later by": [
                f"{_tokens(r.later, per_step)} [{_tokens(r.low, per_step)}, "
                f"{_tokens(r.high, per_step)}]"
                for r in delays.itertuples()
            ],
            "never across": [f"{share:.0%}" for share in delays["share_never"]],
            "pairs": delays["n_pairs"],
            "verdict": delays["verdict"],
        }
    )
    return table.set_index("layer")


def _tokens(steps: float, per_step: float) -> str:
    if np.isnan(steps):
        return "-"
    return "never" if np.isinf(steps) else amount(steps * per_step)
