"""What the chapter Emergence says."""

from collections.abc import Mapping

import pandas as pd

from meanings.book.chapters import ChapterParameters
from meanings.book.facts.wording import either, interval
from meanings.core.formatting import amount
from meanings.statistics import claims, layer_choice, selection

MEAN_OVER_LANGUAGES = {
    1: "helps",
    -1: "costs something",
    0: "makes no difference that can be told from chance",
}
FIRST = {
    0: "no order of the two can be told",
    -1: "the shared space comes first",
    1: "the language's own space comes first",
}


NO_NULL = "a value that is not defined here"


def coverage(page: ChapterParameters, cells: pd.DataFrame) -> dict[str, object]:
    """What the page's cells are of: model, checkpoints, pairs, concepts, layers; and which
    condition it follows where `seen` does not exist.
    """
    n, lead = selection.described(cells), selection.lead(cells)
    return {
        "em_model": page.model,
        "em_checkpoints": n["checkpoints"],
        "em_pairs": n["pairs"],
        "em_concepts": n["concepts"],
        "em_layers": n["layers"],
        "em_last": amount(cells["tokens"].max()),
        "em_pair_names": ", ".join(page.pair),
        "em_lead": either(
            lead == "seen",
            "",
            "The languages of this model leave no pair to average over: seen and its nulls are not "
            f"defined, and where this page says seen its numbers are those of {lead}.",
        ),
    }


def final_levels(
    curves: pd.DataFrame, chosen: pd.DataFrame, lead: str = "seen"
) -> dict[str, object]:
    """P(source) at the last checkpoint: other languages' mean, null and ceiling; and at the first.

    - `curves`: means by condition and tokens; `chosen`: the rows at the chosen layers; `lead`: the
      condition that is followed. The null may be missing.
    """
    end = selection.last_checkpoint(curves)
    seen, ceiling = (selection.one(end, condition=name) for name in (lead, "src_unpatched"))
    start = selection.one(curves[curves["tokens"] == curves["tokens"].min()], condition=lead)
    last = selection.last_checkpoint(chosen)
    if (end["condition"] == "null_concept").any():
        null = interval(selection.one(end, condition="null_concept"))
        shared = either(
            claims.conditions_differ(last, lead, "null_concept") > 0,
            "so the vector carries the concept across languages",
            "so no concept that carries across languages can be told from chance",
        )
    else:
        null, shared = NO_NULL, "so nothing says that the vector carries the concept"
    return {
        "em_curve_pairs": chosen["pair"].nunique(),
        "em_seen": interval(seen),
        "em_null": null,
        "em_top": interval(ceiling),
        "em_start": f"{start['mean']:.3f}",
        "em_layer": layer_choice.layer_chosen(last, lead),
        "em_shared": shared,
        "em_share": f"{seen['mean'] / ceiling['mean']:.0%}" if ceiling["mean"] > 0 else "none",
    }


def cost_of_averaging(differences: pd.DataFrame) -> dict[str, object]:
    """What the mean over languages loses against the pair itself (`tgt`).

    - `differences`: `seen` minus another condition, named in `against`; `tgt` may be missing.
    """
    rows = differences[differences["against"] == "tgt"]
    if rows.empty:
        return {"em_diff": "not measured", "em_helped": "is not compared with it"}
    row = rows.iloc[0]
    return {"em_diff": interval(row), "em_helped": MEAN_OVER_LANGUAGES[claims.sign(row)]}


def layers(
    by_layer: pd.DataFrame, over_layers: pd.DataFrame, lead: str = "seen"
) -> dict[str, object]:
    """The first patched layer with the highest mean, and what is left at the last layer.

    - `by_layer`: `lead` by first layer and tokens; `over_layers`: by condition and first layer.
    """
    peak = selection.last_checkpoint(by_layer).sort_values("mean").iloc[-1]
    seen = over_layers[over_layers["condition"] == lead]
    late = seen.sort_values("first_layer").iloc[-1]
    return {
        "em_peak": int(peak["first_layer"]),
        "em_peak_value": f"{peak['mean']:.2f}",
        "em_late": f"{late['mean']:.3f}",
        "em_late_says": either(
            late["mean"] < 0.5 * peak["mean"],
            "by the last layer the patch comes too late",
            "even the last layer still carries it",
        ),
    }


def onsets(moments: pd.DataFrame, lead: str = "seen") -> dict[str, object]:
    """When each space is there, and which comes first.

    - `moments`: one row a condition that has an onset, in tokens; `lead`: that of the shared space.
    """
    rows = {row["condition"]: row for _, row in moments.iterrows()}
    seen, own = rows.get(lead), rows.get("self")
    return {
        "em_onset_seen": _moment(seen),
        "em_onset_self": _moment(own),
        "em_onset_top": _moment(rows.get("src_unpatched")),
        "em_order": FIRST[claims.onset_order(seen, own)],
    }


def _moment(row: pd.Series | None) -> str:
    if row is None or row["onset"] == float("inf"):
        return "not within the training measured"
    return f"{amount(row['onset'])} tokens [{amount(row['low'])}, {amount(row['high'])}]"


def more_runs(curves: pd.DataFrame, table: pd.DataFrame) -> dict[str, object]:
    """The last level of the condition that is followed over all published runs."""
    n, lead = selection.described(table), selection.lead(table)
    end = selection.one(selection.last_checkpoint(curves), condition=lead)
    return {
        "em_wide": interval(end),
        "em_wide_n": n["seeds"],
        "em_wide_k": n["checkpoints"],
    }


def dose(levels: pd.DataFrame, rises: Mapping[int, bool]) -> dict[str, object]:
    """How `seen` rises with the share of parallel documents.

    - `levels`: means by dose and condition; `rises`: by training seed, whether it rises throughout.
    """
    seen = levels[levels["condition"] == "seen"].sort_values("dose")
    none, everything = (seen.iloc[place] for place in (0, -1))
    return {
        "em_dose_runs": len(rises),
        "em_dose_rises": sum(rises.values()),
        "em_dose_none": interval(none),
        "em_dose_all": interval(everything),
        "em_dose_count": seen["dose"].nunique(),
    }
