"""The claims of the chapter *Language dependence*: writing, reading, does averaging help."""

from collections.abc import Sequence

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.models.gemma import NAME as GEMMA
from meanings.statistics import reading, selection
from meanings.statistics.bootstrap import paired_difference
from meanings.statistics.effects import Effect
from meanings.statistics.equivalence import (
    largest_deviation,
    matched_ratios,
    ratio_contrast,
)
from meanings.statistics.languages import INPUTS, from_same_inputs
from meanings.statistics.layer_choice import at_chosen_layer
from meanings.validity.claims.claim import Claim, Tables

CHAPTER = "language_dependence"
# Of the recipe of the miniature, data/miniature/mix.yaml.
TRAINED = ("en", "fr", "es", "de", "ru", "pl", "zh", "fi", "et")
UNSEEN = ("cy", "sw")
MUCH_TEXT, LITTLE_TEXT = ("en", "fr", "es", "de"), ("fi", "et")
# Of the direct score: how far apart the nine languages' ratios may lie and still count as equal.
MARGIN = 0.15
SMALLEST = 0.05
READING, GEMMA_READING = "reading", f"{GEMMA}-reading"
# The input languages whose vectors were measured in Gemma.
GEMMA_SINGLE = ("fr", "ru", "zh")


def writing_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the other-language mean and of the direct score at the last checkpoint, from the same
    inputs, with `input` and `output`.

    - `table`: cells of the miniature, all conditions and checkpoints.
    """
    wanted = table["condition"].isin(["seen", "src_unpatched"])
    last = selection.last_checkpoint(table[wanted])
    chosen = at_chosen_layer(last, conditions=["seen", "src_unpatched"])
    rows = selection.split_pairs(chosen)
    return from_same_inputs(rows)


def reading_chosen(table: pd.DataFrame) -> pd.DataFrame:
    """A table of reading at the last checkpoint and the layers of `seen`, in its target pairs, with
    the mean of single languages as the condition `single`.

    - `table`: cells under `from_XX`, as `published("reading")` has them.
    """
    chosen = reading.at_layer_of_seen(selection.last_checkpoint(table))
    own = chosen[chosen["pair"].isin(reading.target_pairs(chosen))]
    return reading.with_single(own, str(table["seen_languages"].iloc[0]).split())


def reading_of(table: pd.DataFrame, languages: Sequence[str]) -> pd.DataFrame:
    """Patched and direct rows of these input languages at the last checkpoint, in the target
    pairs.
    """
    chosen = reading.at_layer_of_seen(selection.last_checkpoint(table))
    rows = reading.reading_rows(chosen)
    own = rows["pair"].isin(reading.target_pairs(chosen))
    return rows[own & rows["language"].isin(list(languages))].reset_index(drop=True)


def _writing(tables: Tables) -> Effect:
    rows = writing_rows(tables["miniature"])
    rows = rows[rows["output"].isin(TRAINED)]
    return largest_deviation(matched_ratios(rows, "seen", "src_unpatched"))


def _reading(tables: Tables) -> Effect:
    rows = reading_of(tables[READING], MUCH_TEXT + LITTLE_TEXT)
    both = reading.PATCHED, reading.DIRECT
    return ratio_contrast(rows, *both, (MUCH_TEXT, LITTLE_TEXT), "language", between="what")


def _lost(tables: Tables) -> Effect:
    rows = reading_of(tables[READING], ("zh", *LITTLE_TEXT))
    return _effect(
        paired_difference(rows, "p_source", reading.PATCHED, reading.DIRECT, between="what")
    )


def _order(tables: Tables) -> Effect:
    rows = reading_of(tables[READING], TRAINED)
    value, low, high = reading.order_agreement(rows, TRAINED)
    seeds = rows["training_seed"].nunique()
    return Effect(value, low, high, rows["source_concept"].nunique(), rows["pair"].nunique(), seeds)


def _difference(table: str, a: str, b: str):
    def effect(tables: Tables) -> Effect:
        return _effect(paired_difference(reading_chosen(tables[table]), "p_source", a, b))

    return effect


def _gemma_single(tables: Tables) -> Effect:
    chosen = reading_chosen(tables[GEMMA_READING])
    rows = reading.with_single(chosen, GEMMA_SINGLE)
    return _effect(paired_difference(rows, "p_source", "seen", reading.SINGLE))


def own_pair_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the other-language mean, with all of its prompts, and of the target pair's own vector
    between trained languages, at the last checkpoint, with `input` and `output`.
    """
    rows = table[table["condition"].isin(["seen", "tgt"])]
    chosen = at_chosen_layer(selection.last_checkpoint(rows), conditions=["seen", "tgt"])
    rows = selection.split_pairs(chosen)
    return rows[rows["input"].isin(TRAINED) & rows["output"].isin(TRAINED)]


def _own_pair_all(tables: Tables) -> Effect:
    rows = own_pair_rows(tables["miniature"])
    return _effect(paired_difference(rows[rows["input"].isin(INPUTS)], "p_source", "seen", "tgt"))


def _effect(found: pd.DataFrame) -> Effect:
    row = found.iloc[0]
    if not row["low"] <= row["mean"] <= row["high"]:
        raise MeaningsError("one concept has no interval; measure more")
    return Effect(
        float(row["mean"]),
        float(row["low"]),
        float(row["high"]),
        int(row["n_units"]),
        int(row["n_language_pairs"]),
        int(row["n_seeds"]),
    )


CLAIMS = (
    Claim(
        "language-writing",
        CHAPTER,
        "Between the nine trained languages, alignment does not depend on the language that is "
        "written: as a share of the direct score, each lies within 0.15 of the mean of all.",
        "share of the direct score, largest deviation from the mean",
        "within",
        MARGIN,
        "an output language whose ratio deviates by more than the margin",
        tables=("miniature",),
        effect=_writing,
    ),
    Claim(
        "language-reading",
        CHAPTER,
        "As a share of the direct score, English, French, Spanish and German are read {value:z.2f} "
        "better than Finnish and Estonian.",
        "share of the direct score, difference",
        "above",
        MARGIN,
        "languages with little text read as well, for what is known of them, as those with much",
        tables=(READING,),
        effect=_reading,
    ),
    Claim(
        "language-reading-loss",
        CHAPTER,
        "For Chinese, Finnish and Estonian words the patched score is lower than the direct one: "
        "the difference is {value:z.2f}.",
        "probability, difference",
        "below",
        SMALLEST,
        "patched scores as high as the direct ones from the same language into the same output",
        tables=(READING,),
        effect=_lost,
    ),
    Claim(
        "language-reading-order",
        CHAPTER,
        "Languages that the model translates from well are also read well: over the nine trained "
        "languages the rank correlation of the two is {value:z.2f}.",
        "rank correlation",
        "above",
        0.5,
        "a rank correlation of .5 or less",
        tables=(READING,),
        effect=_order,
    ),
    Claim(
        "language-averaging-single",
        CHAPTER,
        "The mean over languages carries the concept better than the vector of a single language "
        "does on average, at the same number of prompts: by {value:z.2f}.",
        "probability, difference",
        "above",
        SMALLEST,
        "the mean over languages no better than the average single language",
        tables=(READING,),
        effect=_difference(READING, "seen", reading.SINGLE),
    ),
    Claim(
        "language-averaging-english",
        CHAPTER,
        "The mean over languages does not reach the vector of the language with most text: "
        "minus that of English, it is {value:z.2f}.",
        "probability, difference",
        "below",
        SMALLEST,
        "the mean over languages as good as English by itself",
        tables=(READING,),
        effect=_difference(READING, "seen", "from_en"),
    ),
    Claim(
        "language-averaging-own-pair",
        CHAPTER,
        "The mean over languages falls short of the target pair's own vector, at the same "
        "number of prompts: the difference is {value:z.2f}.",
        "probability, difference",
        "below",
        SMALLEST,
        "the mean over languages as good as the pair's own vector",
        tables=(READING,),
        effect=_difference(READING, "seen", "tgt_mean"),
    ),
    Claim(
        "language-averaging-own-pair-all",
        CHAPTER,
        "With all of its prompts the mean over languages does as well as the target pair's own "
        "vector, where the pair is read from English, French, German or Spanish.",
        "probability, difference",
        "within",
        SMALLEST,
        "a difference of more than the smallest effect",
        tables=("miniature",),
        effect=_own_pair_all,
    ),
    Claim(
        "language-averaging-control",
        CHAPTER,
        "Averaging by itself is not what helps: as many prompts of one language pair give "
        "{value:z.2f} less than prompts of several.",
        "probability, difference",
        "above",
        SMALLEST,
        "as many prompts of one pair as good as those of several",
        tables=(READING,),
        effect=_difference(READING, "seen", "one_pair"),
    ),
    Claim(
        "language-averaging-gemma",
        CHAPTER,
        "On Gemma 3 270M, into English, the mean over languages carries the concept better than "
        "the vectors of French, Russian and Chinese do on average, at two prompts each: by "
        "{value:z.2f}.",
        "probability, difference",
        "above",
        SMALLEST,
        "the mean over languages no better than these three on average",
        tables=(GEMMA_READING,),
        effect=_gemma_single,
    ),
)
