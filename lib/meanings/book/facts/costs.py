"""What the page What a study costs says.

Tables of hours have one row per model, algorithm (`ours`, `published`), and with or without
answers.
"""

import pandas as pd

from meanings.book.facts.wording import either
from meanings.book.tables.costs import span
from meanings.core.formatting import amount
from meanings.patching.flops import Lengths
from meanings.statistics import selection
from meanings.study import budget, budget_report
from meanings.study.budget import Extent

MODEL = "EuroLLM-1.7B"
LARGER, LARGEST = list(budget_report.MODELS)[1:]
SHOTS = 5
NIGHT_HOURS = 14
FEWER_TOKENS = 0.6  # of the miniature's, with a larger vocabulary


def study(extent: Extent) -> dict[str, object]:
    """What the papers' full study asks for."""
    prompts = budget.source_prompts(extent)
    return {
        "co_model": MODEL,
        "co_checkpoints": extent.checkpoints,
        "co_pairs": len(extent.pairs),
        "co_languages": len(budget.LANGUAGES),
        "co_prompts": extent.prompts,
        "co_shots": SHOTS,
        "co_conditions": len(extent.conditions),
        "co_alone": prompts.alone,
        "co_kept": prompts.distinct,
        "co_wide": f"{extent.checkpoints * 8}",
    }


def full_study(hours: pd.DataFrame, extent: Extent, lengths: Lengths) -> dict[str, object]:
    """Hours of the full study, by this library and by the published algorithm."""
    factors = [_factor(hours, model=model) for model in budget_report.MODELS]
    answered = _row(hours, answers=True)
    shorter = budget_report.hours(
        extent,
        budget_report.shorter(lengths, FEWER_TOKENS),
        {MODEL: budget_report.MODELS[MODEL]},
    )
    return {
        "co_passes": amount(_row(hours)["passes"]),
        "co_published": amount(_row(hours, algorithm="published")["passes"]),
        "co_hours": span(_row(hours)),
        "co_answered": span(answered),
        "co_theirs": span(_row(hours, algorithm="published")),
        "co_factors": f"{min(factors):.0f} to {max(factors):.0f}",
        "co_factor_answers": f"{_factor(hours, answers=True):.0f}",
        "co_seven_name": LARGER,
        "co_seven": span(_row(hours, model=LARGER)),
        "co_seventy": span(_row(hours, model=LARGEST)),
        "co_seventy_theirs": span(_row(hours, model=LARGEST, algorithm="published")),
        "co_fits": either(
            answered["high"] < NIGHT_HOURS,
            "fits into a night",
            "does not fit into a night at the low end of the range",
        ),
        "co_shorter": f"{_row(shorter)['hours'] / _row(hours)['hours']:.0%}",
    }


def one_night(hours: pd.DataFrame, extent: Extent) -> dict[str, object]:
    """Minutes of a first look at all checkpoints."""
    row = _row(hours)
    return {
        "co_night_pairs": len(extent.pairs),
        "co_night_prompts": extent.prompts,
        "co_night": f"{60 * row['hours']:.0f}",
        "co_night_low": f"{60 * row['low']:.0f}",
        "co_night_high": f"{60 * row['high']:.0f}",
        "co_night_seven": span(_row(hours, model=LARGER, answers=True)),
        "co_night_factor": f"{_factor(hours):.0f}",
    }


def disk_and_memory(room: pd.DataFrame, extent: Extent) -> dict[str, object]:
    """Checkpoints, results and states.

    - `room`: one column per model, one row per thing that takes room.
    """
    every = f"all {extent.checkpoints} checkpoints"
    return {
        "co_every": room.loc[every, MODEL],
        "co_download": room.loc["their download, hours", MODEL],
        "co_results": room.loc["results", MODEL],
        "co_states": room.loc["source states of a checkpoint", LARGEST],
        "co_gpus": room.loc["GPUs that hold the weights", LARGEST],
        "co_every_seventy": room.loc[every, LARGEST],
    }


def _row(
    hours: pd.DataFrame, model: str = MODEL, algorithm: str = "ours", answers: bool = False
) -> pd.Series:
    return selection.one(hours, model=model, algorithm=algorithm, answers=answers)


def _factor(hours: pd.DataFrame, model: str = MODEL, answers: bool = False) -> float:
    """How many times as many operations the published algorithm takes."""
    theirs = _row(hours, model, "published", answers)["operations"]
    return float(theirs / _row(hours, model, "ours", answers)["operations"])
