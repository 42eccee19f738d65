"""The book's claims, put to the same rules in every training run, in the real model, and where
nothing is to be found.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.measures.results import published
from meanings.statistics import claims, layer_choice, selection, summaries
from meanings.study.grid import DEFAULT_PAIRS


@dataclass(frozen=True)
class Claim:
    """- `claim`, `refuted`: in words, and what would refute it; `chapter`: where it is made.
    - `holds(last, curves)`: by a chapter's own rule, from the last checkpoint's cells at the chosen
      layers, and from those of all checkpoints.
    - `over_training`: needs checkpoints, so that a final model cannot have it.
    """

    claim: str
    chapter: str
    refuted: str
    holds: Callable[[pd.DataFrame, pd.DataFrame], bool]
    over_training: bool = False


def _shared(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    return claims.conditions_differ(last, "seen", "null_concept") == 1


def _emerges(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    row = summaries.onsets(curves, ["seen"]).iloc[0]
    return bool(curves["tokens"].min() < row["low"] and row["high"] < curves["tokens"].max())


def _mean_does_not_hurt(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    return claims.conditions_differ(last, "seen", "tgt") >= 0


def _not_english(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    return claims.conditions_differ(last, "seen", "en_en") >= 0


def _loses(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    answered = last[last["answer"].notna() & last["condition"].isin(["seen", "src_unpatched"])]
    right = answered.assign(right=answered["answer_correct_source"].astype(float))
    return claims.patching_gains(right) <= 0


def _depends(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    return claims.depends_on_language(claims.alignment_rows(last))


def _self_first(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    found = summaries.onsets(curves, ["seen", "self"]).set_index("condition")
    rows = [found.loc[name] if name in found.index else None for name in ("self", "seen")]
    return claims.onset_order(*rows) == -1


CLAIMS = (
    Claim(
        "other languages' mean carries the concept",
        "emergence",
        "seen not above the null of a third concept",
        _shared,
    ),
    Claim(
        "this is learned during training",
        "emergence",
        "an onset interval that reaches the first or the last checkpoint",
        _emerges,
        over_training=True,
    ),
    Claim(
        "averaging over languages costs nothing",
        "emergence",
        "seen below tgt, concept by concept",
        _mean_does_not_hurt,
    ),
    Claim(
        "English copying does no better than other languages",
        "emergence",
        "seen below en_en, concept by concept",
        _not_english,
    ),
    Claim(
        "a language's own space comes first",
        "emergence",
        "onset of self not before that of seen, beyond their intervals",
        _self_first,
        over_training=True,
    ),
    Claim(
        "alignment depends on the language",
        "language dependence",
        "Friedman's test over concepts does not tell output languages apart",
        _depends,
    ),
    Claim(
        "patching gains no more right answers than it loses",
        "error analysis",
        "more gained than lost, concept by concept",
        _loses,
    ),
)


def by_run(table: pd.DataFrame, over_training: bool = True) -> pd.Series:
    """Whether each claim holds in one training run (or final model), by its rule: True, False or
    None where it cannot be asked.
    """
    curves = layer_choice.at_chosen_layer(table)
    last = selection.last_checkpoint(curves)
    found = {}
    for claim in CLAIMS:
        try:
            found[claim.claim] = (
                None if claim.over_training and not over_training else claim.holds(last, curves)
            )
        except (MeaningsError, KeyError, IndexError):
            found[claim.claim] = None
    return pd.Series(found, dtype=object)


def verdicts() -> pd.DataFrame:
    """One row a claim: `claim`, `chapter`, `refuted by`, a column for each training seed and for
    Gemma, and `verdict`.

    The runs are those of the published table, in the default pairs; the answers of Gemma are of the
    two pairs in which it was asked for them.
    """
    table = published("miniature")
    own = table[table["pair"].isin(DEFAULT_PAIRS)]
    columns = {f"seed {seed}": by_run(rows) for seed, rows in own.groupby("training_seed")}
    columns["Gemma, 4 bits"] = _of_gemma()
    wide = pd.DataFrame(columns)
    seeds = [name for name in wide if name.startswith("seed")]
    rows = [
        {"claim": claim.claim, "chapter": claim.chapter, "refuted by": claim.refuted}
        | {name: _word(wide.loc[claim.claim, name]) for name in wide}
        | {
            "verdict": _verdict(
                wide.loc[claim.claim, seeds], wide.loc[claim.claim, "Gemma, 4 bits"]
            )
        }
        for claim in CLAIMS
    ]
    return pd.DataFrame(rows).set_index("claim")


def _of_gemma() -> pd.Series:
    found = by_run(published("gemma-3-270m"), over_training=False)
    answers = by_run(published("gemma-3-270m-answers"), over_training=False)
    name = CLAIMS[-1].claim
    found[name] = answers[name]
    return found


def _word(holds: object) -> str:
    return "-" if holds is None else "yes" if holds else "no"


def _verdict(seeds: pd.Series, real: object) -> str:
    if all(seeds):
        return "holds in every seed" + (
            "" if real is None else ", and in the real model" if real else ", not in the real model"
        )
    return (
        "does not hold"
        if not any(seeds)
        else f"holds in {sum(map(bool, seeds))} of {len(seeds)} seeds only"
    )
