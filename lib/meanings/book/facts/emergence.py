"""What the chapter Emergence says."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import pandas as pd

from meanings.book.chapter_parameters import ChapterParameters
from meanings.book.facts.wording import either, interval, statements
from meanings.core.formatting import amount
from meanings.lexicon.languages import LANGUAGES
from meanings.statistics import claims, layer_choice, longer, selection
from meanings.statistics.bootstrap import interval as bootstrap_interval
from meanings.statistics.cognates import ALL, APART
from meanings.statistics.onset_tables import LEVEL
from meanings.statistics.resampling import RESAMPLES
from meanings.validity.claims.emergence import LATE

Rows = Sequence[Mapping[str, Any]]  # of `meanings.validity.claims.catalogue`


NO_NULL = "a value that is not defined here"
DEEP = 3  # the last layer from which a patch still works at the end of the shipped run


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
    """P(source) at the last checkpoint: other-language mean, null and direct score; and at the
    first.

    - `curves`: means by condition and tokens; `chosen`: the rows at the chosen layers; `lead`: the
      condition that is followed. The null may be missing.
    """
    end = selection.last_checkpoint(curves)
    seen, direct = (selection.one(end, condition=name) for name in (lead, "src_unpatched"))
    start = selection.one(curves[curves["tokens"] == curves["tokens"].min()], condition=lead)
    last = selection.last_checkpoint(chosen)
    if (end["condition"] == "null_concept").any():
        null = _small(selection.one(end, condition="null_concept"))
        shared = either(
            claims.conditions_differ(last, lead, "null_concept") > 0,
            "so the vector carries the concept across languages",
            "and the interval of the difference includes zero",
        )
    else:
        null, shared = NO_NULL, "so we cannot say that the vector carries the concept"
    return {
        "em_curve_pairs": chosen["pair"].nunique(),
        "em_seen": interval(seen),
        "em_null": null,
        "em_top": interval(direct),
        "em_start": f"{start['mean']:.3f}",
        "em_layer": layer_choice.layer_chosen(last, lead),
        "em_shared": shared,
        "em_share": f"{seen['mean'] / direct['mean']:.0%}" if direct["mean"] > 0 else "none",
    }


def _small(row: pd.Series) -> str:
    return f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


def cost_of_averaging(differences: pd.DataFrame) -> dict[str, object]:
    """The mean over languages against the pair itself (`tgt`).

    - `differences`: `seen` minus another condition, named in `against`; `tgt` may be missing.
    """
    rows = differences[differences["against"] == "tgt"]
    return {"em_diff": "not measured" if rows.empty else interval(rows.iloc[0])}


def layers(by_layer: pd.DataFrame, depth: pd.DataFrame) -> dict[str, object]:
    """The first patched layer with the highest mean, and where languages meet and are read.

    - `by_layer`: the followed condition by first layer and tokens; `depth`: of patches at one layer
      alone, `meanings.statistics.depth.depth`.
    """
    peak = selection.last_checkpoint(by_layer).sort_values("mean").iloc[-1]
    meeting, reading = (selection.one(depth, what=what) for what in ("first", "last"))
    return {
        "em_peak": int(peak["first_layer"]),
        "em_peak_value": f"{peak['mean']:.2f}",
        "em_meeting": _layer(meeting),
        "em_meeting_says": either(meeting["layer"] == 0, ", the lowest there is", ""),
        "em_reading": _layer(reading),
        "em_read_by": int(reading["layer"]) + 1,
    }


def _layer(row: pd.Series) -> str:
    return f"{row['layer']} [{row['low']}, {row['high']}]"


def onsets(moments: pd.DataFrame, tokens: pd.Series, lead: str = "seen") -> dict[str, object]:
    """When the shared space reaches a quarter, half and three quarters of its final height.

    - `moments`: `meanings.statistics.onset_tables.onset_table`; `tokens`: of the checkpoints;
      `lead`: the condition that stands for the shared space.
    """
    last = tokens.max()
    own = moments[(moments["condition"] == lead) & (moments["height"] == "own")]
    shares = {row["fraction"]: _share(row["onset"], last) for _, row in own.iterrows()}
    halves = moments[(moments["height"] == "own") & (moments["fraction"] == 0.5)]
    latest = str(halves.sort_values("onset").iloc[-1]["condition"])
    return {
        "em_quarter": shares.get(0.25),
        "em_half": shares.get(0.5),
        "em_three_quarters": shares.get(0.75),
        "em_level": f"{LEVEL:g}",
        "em_level_tokens": _moment(selection.one(moments, condition=lead, height="level")),
        "em_latest_says": either(
            latest == lead,
            f"{lead} is the latest of the {len(halves)} curves",
            f"the latest of the {len(halves)} curves is {latest}",
        ),
    }


def _share(moment: Real, last: Real) -> str:
    return "more than 100%" if moment == float("inf") else f"{moment / last:.0%}"


def _moment(row: pd.Series) -> str:
    if row["onset"] == float("inf"):
        return "not within the training measured"
    return f"{amount(row['onset'])} tokens [{amount(row['low'])}, {amount(row['high'])}]"


def resemblance(by_output: pd.DataFrame) -> dict[str, object]:
    """P(source concept) where no word resembles another language's.

    - `by_output`: `meanings.statistics.cognates.by_output`.
    """
    every, apart = (
        by_output[by_output["words"] == words].set_index("output") for words in (ALL, APART)
    )
    alone = [code for code in apart.index if apart["n_units"][code] == every["n_units"][code]]
    added = (every["mean"] - apart["mean"]).sort_values(ascending=False)
    return {
        "em_apart_alone": ", ".join(f"{_name(c)} {every['mean'][c]:.2f}" for c in alone) or "none",
        "em_apart_outputs": len(every),
        "em_apart_most": ", ".join(f"{_name(code)} {added[code]:z.2f}" for code in added.index[:2]),
    }


def _name(code: str) -> str:
    return LANGUAGES[code].name


def orders(rows: Rows) -> dict[str, object]:
    """How much less training the earlier curve needs in single training runs, `34% to 46%`.

    - `rows`: the chapter's claims.
    """
    return {
        "em_self_range": _ends(rows, "emergence-self-first"),
        "em_direct_range": _ends(rows, "emergence-direct-first"),
        "em_direct_holds": _holding(rows, "emergence-direct-first"),
    }


def claimed(rows: Rows) -> dict[str, object]:
    """The statements of the chapter's claims; one that does not hold says so.

    - `rows`: the chapter's claims.
    """
    said = {name.removeprefix("emergence_"): text for name, text in statements(rows).items()}
    return {
        "em_says_shared": said["shared"],
        "em_says_learned": said["learned"],
        "em_says_refines": said["refines"],
        "em_says_longer": said["longer"],
        "em_says_early": said["early"],
        "em_says_early_full_rate": said["early_full_rate"],
        "em_says_plateau": said["plateau"],
        "em_says_together": said["together"],
        "em_says_beyond_self": said["beyond_self"],
        "em_says_decay": said["decay"],
        "em_says_self_first": said["self_first"],
        "em_says_direct_first": said["direct_first"],
        "em_says_self_lower": said["self_lower"],
        "em_says_mean_own_pair": said["mean_own_pair"],
        "em_says_not_cognates": said["not_cognates"],
        "em_says_positive_control": said["positive_control"],
        "em_says_same_category": said["same_category"],
        "em_says_order_of_layers": said["order_of_layers"],
        "em_says_dose": said["dose"],
    }


def _ends(rows: Rows, claim: str) -> str:
    runs = next(row["by_seed"] for row in rows if row["id"] == claim)
    values = sorted(run["value"] for run in runs.values())
    return f"{values[0]:.0%} to {values[-1]:.0%}" if values else "not measured"


def _holding(rows: Rows, claim: str) -> str:
    runs = next(row["by_seed"] for row in rows if row["id"] == claim)
    return f"{sum(run['verdict'] == 'holds' for run in runs.values())} of {len(runs)}"


def long_run(table: pd.DataFrame, shipped: pd.DataFrame) -> dict[str, object]:
    """Shares of the final height after longer training, and levels at the full learning rate.

    - `table`: of `meanings.statistics.longer.published_long_run`; `shipped`: of `shipped_run`.
    """
    rows = longer.chosen(table)
    stages = longer.levels(rows).pivot(index="step", columns=["model", "condition"], values="mean")
    done, trunk = stages[longer.FINISHED].dropna(), stages[longer.TRUNK].dropna()
    first, last = longer.compared_steps(rows)
    start, end = longer.branched_off(rows)
    late = trunk["seen"].loc[longer.late_steps(rows)]
    shares, ratios = (done / done.loc[last]).iloc[0], done["seen"] / done["src_unpatched"]
    pairs = longer.shares_by_pair(rows, first).sort_values()
    whole = longer.shipped_cells(shipped, rows)
    before = longer.shipped_cells(shipped, rows, until=LATE * shipped["step"].max())
    return {
        "em_long_steps": f"{last:,}",
        "em_long_decay": end - start,
        "em_long_n_pairs": rows["pair"].nunique(),
        "em_long_first": f"{done.index[0]:,}",
        "em_long_first_share": f"{shares['seen']:.0%}",
        "em_long_first_direct": f"{shares['src_unpatched']:.0%}",
        "em_long_first_ratio": f"{ratios.iloc[0]:.2f}",
        "em_long_ratio_finished": _from_to(ratios.iloc[1:]),
        "em_long_ratio_trunk": _from_to(trunk["seen"] / trunk["src_unpatched"]),
        "em_long_pairs": f"from {pairs.iloc[0]:.0%} ({pairs.index[0]}) to {pairs.iloc[-1]:.0%} "
        f"({pairs.index[-1]})",
        "em_long_deep_layer": DEEP,
        "em_long_deep": f"{longer.share_from_layer(table, first, DEEP):.0%}",
        "em_long_before": f"{_mean(before):.2f}",
        "em_long_before_step": f"{int(before['step'].iloc[0]):,}",
        "em_long_trunk_first": f"{trunk['seen'].iloc[0]:.2f}",
        "em_long_trunk_first_step": f"{trunk.index[0]:,}",
        "em_long_trunk_noise": f"{late.diff().abs().max():.2f}",
        "em_long_self_early": f"{done.loc[first, 'self']:.2f}",
        "em_long_self_late": f"{done.loc[last, 'self']:.2f}",
        "em_long_shipped": interval(bootstrap_interval(whole, "p_source", n=RESAMPLES).iloc[0]),
    }


def _mean(rows: pd.DataFrame) -> float:
    return float(rows.groupby("source_concept", observed=True)["p_source"].mean().mean())


def _from_to(values: pd.Series) -> str:
    low, high = f"{values.min():.2f}", f"{values.max():.2f}"
    return f"{low} to {high}" if low < high else low


def control_runs(table: pd.DataFrame) -> dict[str, object]:
    """Which training runs and how many language pairs the controls were measured in."""
    seeds = sorted(table["training_seed"].unique())
    return {
        "em_control_runs": "training seed " + ", ".join(map(str, seeds)),
        "em_control_pairs": table["pair"].nunique(),
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
