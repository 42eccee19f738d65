"""What the chapter Gender says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from meanings.book.facts import wording
from meanings.core.paths import data_folder
from meanings.lexicon.gender import gender_list
from meanings.miniature.worlds import load_world
from meanings.statistics import gender
from meanings.statistics.resampling import SEED_COLUMN

OTHERS = ("fr", "de", "es")


def design() -> dict[str, object]:
    """What is planted: counts of the list and of the worlds."""
    genders, mix = gender_list(), load_world(data_folder() / "miniature", "planted-50").mix
    female = [c for c, gender_ in genders.occupations.items() if gender_ == "female"]
    return {
        "gd_occupations": len(genders.occupations),
        "gd_pairs": len(genders.pairs),
        "gd_female": ", ".join(female),
        "gd_male": ", ".join(c for c in genders.occupations if c not in female),
        "gd_steps": mix.training.steps,
    }


def doses(table: pd.DataFrame) -> dict[str, object]:
    """Answers and geometry of the planted worlds at their end."""
    said, signed = (gender.by_dose(table, name) for name in ("said", "signed"))
    return {
        "gd_runs": _runs(said),
        "gd_said": _at(said, (gender.PLANTED,), 1, " nats"),
        "gd_said_times": f"{np.exp(_value(said, (gender.PLANTED,), 0.5)):.0f}",
        "gd_said_others": _at(said, OTHERS, 1, " nats"),
        "gd_signed": _at(signed, (gender.PLANTED,), 3),
        "gd_signed_others": _at(signed, OTHERS, 3),
        "gd_outside": _outside(signed),
        "gd_said_outside": _outside(said),
    }


def _runs(runs: pd.DataFrame) -> str:
    numbers = runs.groupby("dose")[SEED_COLUMN].nunique()
    return ", ".join(f"{n} at dose {dose:g}" for dose, n in numbers.items())


def counted(runs: pd.DataFrame) -> str:
    """What the figure of doses rests on."""
    languages = wording.plural(runs["language_a"].nunique(), "language")
    return f"{runs['n'].max():.0f} occupations, {languages}; training runs: {_runs(runs)}"


def counted_lists(gemma: pd.DataFrame) -> str:
    """What the figure of Gemma rests on."""
    languages = wording.plural(gemma["language_a"].nunique(), "language")
    return f"{gemma['n'].max()} occupations, {languages}, one model"


def _value(runs: pd.DataFrame, languages: Sequence[str], dose: float) -> float:
    return float(runs[runs["language_a"].isin(languages) & runs["dose"].eq(dose)]["value"].mean())


def _at(runs: pd.DataFrame, languages: Sequence[str], digits: int, unit: str = "") -> str:
    """`.0, .1 and 2.1 at doses 0, 0.1 and 0.5`, of means over languages and training runs."""
    each = sorted(runs["dose"].unique())
    values = [f"{_value(runs, languages, dose):z.{digits}f}" for dose in each]
    return f"{_listed(values)}{unit} at doses {_listed([f'{dose:g}' for dose in each])}"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _outside(runs: pd.DataFrame) -> str:
    """In how many English runs of the largest dose the value lies above its null."""
    own = runs[runs["language_a"].eq(gender.PLANTED) & runs["dose"].eq(runs["dose"].max())]
    return f"{int((own['value'] > own['null_high']).sum())} of {len(own)}"


def narrowing(table: pd.DataFrame, gemma: pd.DataFrame) -> dict[str, object]:
    """Raw in-bias where nothing was learned, and in Gemma by depth."""
    start = table[table["model"].astype(str).eq("miniature") & table["step"].eq(0)]
    english = start[start["language_a"].astype(str).eq(gender.PLANTED)]
    raw = english[english["variant"].astype(str).eq("raw")].groupby("layer")["value"].mean()
    found = {
        "gd_untrained_first": f"{raw.loc[0]:.3f}",
        "gd_untrained_last": f"{raw.loc[raw.index.max()]:.3f}",
    }
    for variant in ("raw", "centred"):
        rows = gemma[gemma["variant"].astype(str).eq(variant)]
        means = rows.groupby("layer")[["value", "null"]].mean()
        middle = means.index.max() // 2
        found |= {
            f"gd_gemma_{variant}_first": f"{means['value'].loc[0]:.3f}",
            f"gd_gemma_{variant}_middle": f"{means['value'].loc[middle]:.3f}",
        }
    upper = gemma[gemma["layer"].gt(0) & gemma["variant"].astype(str).eq("centred")]
    ratios = (upper["value"] / upper["null"]).groupby(upper["language_a"].astype(str)).mean()
    english = gemma[
        gemma["layer"].gt(0)
        & gemma["variant"].astype(str).eq("raw")
        & gemma["language_a"].astype(str).eq(gender.PLANTED)
    ]
    return found | {
        "gd_gemma_raw_en": f"{(english['value'] / english['null']).mean():.2f}",
        "gd_gemma_raw_above": int((english["value"] > english["null_high"]).sum()),
        "gd_gemma_layers": len(english),
        "gd_gemma_ratios": ", ".join(f"{code} {ratio:.2f}" for code, ratio in ratios.items()),
        "gd_gemma_occupations": int(gemma["n"].max()),
    }


def middle_layers(gemma: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Gemma's in-bias over layers, mean over languages: raw and centred, by title."""
    titles = {"raw": "raw", "centred": "mean of the language removed"}
    columns = ["value", "low", "high", "null_low", "null_high"]
    return {
        title: gemma[gemma["variant"].astype(str).eq(variant)]
        .groupby("layer")[columns]
        .mean()
        .reset_index()
        for variant, title in titles.items()
    }


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"gd_says_{name.removeprefix('gender_')}": text
        for name, text in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    return [
        (
            "In-bias measures how biased the word vectors of a language are.",
            said["gender_in_bias"],
            "no",
            "In-bias is a mean of absolute values; it differs as much between two trainings as "
            "between doses.",
        ),
        (
            "Languages and spaces can be compared by their in-bias; aligning spaces changes it.",
            said["gender_narrow"],
            "in part",
            "A narrower space has a smaller in-bias at the same bias.",
        ),
        (
            "Languages with grammatical gender carry gender in the forms of occupations.",
            said["gender_forms"],
            "yes",
            "",
        ),
    ]
