"""What the chapter *Error analysis* claims of targeted query words."""

from functools import partial

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.effects import Effect, Verdict
from meanings.statistics.remembering import remembered
from meanings.statistics.targeted import UNIT, answered, at_one_layer, changes, compared
from meanings.validity.claims.claim import Claim, Tables

TABLE = "targeted"
CHAPTER = "error_analysis"
# Shares of answers: smaller effects are of no interest, whatever their interval.
SMALLEST = 0.05
POINTS = "5 percentage points"  # SMALLEST in words
MODELS = {"miniature": "the miniature", "gemma-3-270m": "Gemma 3 270M"}


def changed(tables: Tables, model: str, condition: str = "seen") -> pd.DataFrame:
    """Before and after of a model's targeted words at its last checkpoint."""
    if TABLE not in tables:
        raise MeaningsError(f"no table {TABLE!r}; measure with 'meanings targeted study'")
    return _changed(tables[TABLE], model, condition)


@remembered(8)
def _changed(table: pd.DataFrame, model: str, condition: str) -> pd.DataFrame:
    return changes(at_one_layer(answered(table, model)), condition)


def effect(
    tables: Tables, *, model: str, kind: str, what: str, outcome: str, condition: str = "seen"
) -> Effect:
    """The change of an outcome for a kind of word.

    - `what`: `query`, `control`, or `difference` of the two; `kind`: `all` for all kinds.
    """
    rows = changed(tables, model, condition)
    own = rows if kind == "all" else rows[rows["kind"] == kind]
    if own.empty:
        raise MeaningsError(
            f"table {TABLE!r} has no {kind} words of {model}"
            "; measure with 'meanings targeted study'"
        )
    # All kinds are resampled together, so that the pages' tables have the same intervals.
    by = "all" if kind == "all" else "kind"
    found = compared(rows.assign(all="all"), outcome, by=(by,))
    found = found[found[by] == kind].set_index("what").loc[what]
    return Effect(
        float(found["mean"]),
        float(found["low"]),
        float(found["high"]),
        int(own[UNIT].nunique()),
        int(own["pair"].nunique()),
        int(own["training_seed"].nunique()),
    )


def _difference(model: str, kind: str, words: str) -> Claim:
    short = model.partition("-")[0]
    return Claim(
        id=f"errors-{words.replace(' ', '-')}-{short}",
        chapter=CHAPTER,
        statement=f"On {MODELS[model]} a patch with the other-language mean helps {words} "
        "more than matched plain words: the change of accuracy is {value:z.2f} "
        "[{low:z.2f}, {high:z.2f}] larger.",
        unit="share of answers",
        side="above",
        smallest_effect=SMALLEST,
        refuted_by=f"accuracy on {words} changes by at most {POINTS} more than on controls",
        tables=(TABLE,),
        effect=partial(effect, model=model, kind=kind, what="difference", outcome="right"),
    )


def _copying(model: str) -> Claim:
    return Claim(
        id=f"errors-copying-{model.partition('-')[0]}",
        chapter=CHAPTER,
        statement=f"On {MODELS[model]} a patch with the other-language mean changes the share of "
        "false friends that are copied by {value:z.2f} [{low:z.2f}, {high:z.2f}].",
        unit="share of answers",
        side="below",
        smallest_effect=SMALLEST,
        refuted_by=f"the share of copied false friends falls by at most {POINTS}",
        tables=(TABLE,),
        effect=partial(effect, model=model, kind="false_friend", what="query", outcome="copied"),
    )


def _cognates(model: str) -> Claim:
    return Claim(
        id=f"errors-cognates-{model.partition('-')[0]}",
        chapter=CHAPTER,
        statement=f"On {MODELS[model]} the same patch costs cognates, for which the copy is right, "
        "more than matched plain words: the difference in accuracy is {value:z.2f} "
        "[{low:z.2f}, {high:z.2f}].",
        unit="share of answers",
        side="below",
        smallest_effect=SMALLEST,
        refuted_by=f"accuracy on cognates falls by at most {POINTS} more than on controls",
        tables=(TABLE,),
        effect=partial(effect, model=model, kind="cognate", what="difference", outcome="right"),
    )


def _plain(model: str) -> Claim:
    return Claim(
        id=f"errors-plain-{model.partition('-')[0]}",
        chapter=CHAPTER,
        statement=f"On {MODELS[model]} the same patch leaves plain words as they are, within 5 "
        "percentage points: their accuracy changes by {value:z.2f} [{low:z.2f}, {high:z.2f}].",
        unit="share of answers",
        side="within",
        smallest_effect=SMALLEST,
        refuted_by=f"the accuracy of controls changes by more than {POINTS}",
        tables=(TABLE,),
        effect=partial(effect, model=model, kind="all", what="control", outcome="right"),
    )


CLAIMS: tuple[Claim, ...] = tuple(
    claim
    for model in MODELS
    for claim in (
        _difference(model, "false_friend", "false friends"),
        _difference(model, "polysemous", "words of several senses"),
        _copying(model),
        _cognates(model),
        _plain(model),
    )
)


def decided(tables: Tables) -> dict[str, tuple[Effect | None, Verdict]]:
    """Each claim's effect and verdict; without the table, undecided."""
    if TABLE in tables:
        return _decided(tables[TABLE])
    return {claim.id: claim.decide(tables) for claim in CLAIMS}


@remembered(2)
def _decided(table: pd.DataFrame) -> dict[str, tuple[Effect | None, Verdict]]:
    return {claim.id: claim.decide({TABLE: table}) for claim in CLAIMS}
