"""Claims of the chapter *Gender*, on worlds with a planted bias and on Gemma 3 270M.

Geometry is the mean over layers above the embedding, so that no layer is chosen; in Gemma it is
read at half of the depth.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics import gender
from meanings.statistics.effects import SMALLEST_EFFECT, Effect
from meanings.validity.claims.claim import Claim, Tables

CHAPTER = "gender"
TABLE, GEMMA = "gender", "gemma-3-270m-gender"
DOSE = 0.5
OTHERS = ("fr", "de", "es")


def planted(variant: str, languages: tuple[str, ...]) -> Callable[[Tables], Effect]:
    """A variant in the world with the large dose minus that without, mean over training runs."""

    def effect(tables: Tables) -> Effect:
        runs = gender.by_dose(tables[TABLE], variant)
        return _effect(gender.differences(runs, DOSE, languages), runs, len(languages))

    return effect


def only_where_planted(variant: str) -> Callable[[Tables], Effect]:
    """How much larger that difference is in English than in the other languages, on average."""

    def effect(tables: Tables) -> Effect:
        runs = gender.by_dose(tables[TABLE], variant)
        one, other = (
            gender.differences(runs, DOSE, languages) for languages in ((gender.PLANTED,), OTHERS)
        )
        value = one[0] - other[0]
        down = np.hypot(one[0] - one[1], other[2] - other[0])
        up = np.hypot(one[2] - one[0], other[0] - other[1])
        return _effect((value, value - down, value + up), runs, 1 + len(OTHERS))

    return effect


def _effect(found: tuple[np.ndarray, ...], runs: pd.DataFrame, languages: int) -> Effect:
    value, low, high = (float(each.mean()) for each in found)
    return Effect(value, low, high, round(float(runs["n"].mean())), languages, len(found[0]))


def _gemma(tables: Tables, variant: str, languages: tuple[str, ...]) -> pd.DataFrame:
    rows = tables[GEMMA]
    chosen = rows[rows["variant"].astype(str).eq(variant) & rows["language_a"].isin(languages)]
    if chosen.empty:
        raise MeaningsError(
            f"the table of Gemma has no rows of {variant!r}; measure and publish it"
        )
    return chosen


def falls(variant: str) -> Callable[[Tables], Effect]:
    """Gemma at half of the depth minus its embedding, mean over the four languages."""

    def effect(tables: Tables) -> Effect:
        rows = _gemma(tables, variant, (gender.PLANTED, *OTHERS))
        means = rows.groupby("layer")[["value", "low", "high", "n"]].mean()
        one, other = means.loc[means.index.max() // 2], means.loc[0]
        value = one["value"] - other["value"]
        down = np.hypot(one["value"] - one["low"], other["high"] - other["value"])
        up = np.hypot(one["high"] - one["value"], other["value"] - other["low"])
        ends = (float(each) for each in (value, value - down, value + up))
        return Effect(*ends, round(one["n"]), 1 + len(OTHERS), 1)

    return effect


def forms(tables: Tables) -> Effect:
    """How much nearer to female words female forms lie, in Gemma at half of the depth."""
    rows = _gemma(tables, "forms", OTHERS)
    middle = rows[rows["layer"] == rows["layer"].max() // 2]
    value, low, high, n = (float(middle[name].mean()) for name in ("value", "low", "high", "n"))
    return Effect(value, low, high, round(n), len(OTHERS), 1)


CLAIMS = (
    Claim(
        id="gender-answers",
        chapter=CHAPTER,
        statement=(
            "Where half of the English lines on occupations name a word of the planted gender, the "
            "model's answers in English favour that gender by {value:.1f} nats more than without."
        ),
        unit="nats",
        side="above",
        smallest_effect=0.5,
        refuted_by="at most half a nat",
        tables=(TABLE,),
        effect=planted("said", (gender.PLANTED,)),
    ),
    Claim(
        id="gender-answers-stay",
        chapter=CHAPTER,
        statement=(
            "In answers the planted bias is {value:.1f} nats larger in English, where it was "
            "planted, than in French, German and Spanish."
        ),
        unit="nats",
        side="above",
        smallest_effect=0.5,
        refuted_by="a bias that crosses to the other languages, to within half a nat",
        tables=(TABLE,),
        effect=only_where_planted("said"),
    ),
    Claim(
        id="gender-signed",
        chapter=CHAPTER,
        statement=(
            "The signed distance of English occupations to gendered words is {value:z.3f} larger "
            "with half of the lines planted than without."
        ),
        unit="cosine distance",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a difference of at most .02",
        tables=(TABLE,),
        effect=planted("signed", (gender.PLANTED,)),
    ),
    Claim(
        id="gender-in-bias",
        chapter=CHAPTER,
        statement=(
            "In-bias of English occupations, as published, changes by {value:z.3f} when half of "
            "the lines are planted, and so does not follow the dose."
        ),
        unit="cosine distance",
        side="within",
        smallest_effect=0.04,  # half of what it is without a dose
        refuted_by="a change of more than .04",
        tables=(TABLE,),
        effect=planted("raw", (gender.PLANTED,)),
    ),
    Claim(
        id="gender-narrow",
        chapter=CHAPTER,
        statement=(
            "From the embedding to half of its depth, raw in-bias of Gemma changes by "
            "{value:z.3f}: the space is narrower there."
        ),
        unit="cosine distance",
        side="below",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="raw in-bias that falls by at most .02",
        tables=(GEMMA,),
        effect=falls("raw"),
    ),
    Claim(
        id="gender-forms",
        chapter=CHAPTER,
        statement=(
            "In Gemma, at half of the depth, female forms of occupations lie {value:.3f} nearer to "
            "female words than male forms do, in French, German and Spanish."
        ),
        unit="cosine distance",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="at most .02",
        tables=(GEMMA,),
        effect=forms,
    ),
)
