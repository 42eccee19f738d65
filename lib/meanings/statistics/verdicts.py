"""The book's claims, put to the same rules in every training run and in the real model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import parse_pair
from meanings.measures.results import published
from meanings.statistics import claims, layer_choice, selection, summaries
from meanings.statistics.matching import CELL, shared_cells
from meanings.study.grid import DEFAULT_PAIRS

# What the rules read of a published table.
COLUMNS = (
    "model", "training_seed", "step", "tokens", "pair", "prompt_seed", "condition", "first_layer",
    "source_concept", "p_source", "answer", "answer_correct_source",
)  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """A claim of the book, what would refute it, and what its rule needs.

    - `claim`, `refuted`: in words, and what would refute it; `chapter`: where it is made.
    - `holds(last, curves)`: by a chapter's own rule, from the last checkpoint's cells at the chosen
      layers, and from those of all checkpoints.
    - `conditions`, `columns`: must have values in the table; `checkpoints`, `outputs`: so many
      checkpoints and output languages at least. Where these are missing, the claim cannot be asked.
    """

    claim: str
    chapter: str
    refuted: str
    holds: Callable[[pd.DataFrame, pd.DataFrame], bool]
    conditions: tuple[str, ...]
    columns: tuple[str, ...] = ("p_source",)
    checkpoints: int = 1
    outputs: int = 1

    def lacking(self, table: pd.DataFrame) -> str:
        """What a table lacks for the claim's rule, in words; empty where it lacks nothing."""
        if unknown := [name for name in self.columns if name not in table]:
            return f"no column {', '.join(unknown)}"
        needed = {"condition", *CELL, *self.columns}
        rows = table[[name for name in table if name in needed]].dropna(subset=[*self.columns])
        if missing := sorted(set(self.conditions) - set(rows["condition"].unique())):
            return f"no {' and '.join(self.columns)} under {', '.join(missing)}"
        rows = rows[rows["condition"].isin(self.conditions)]
        if (found := rows["tokens"].nunique()) < self.checkpoints:
            return f"{found} checkpoint; {self.checkpoints} are needed"
        outputs = {parse_pair(str(pair)).output for pair in rows["pair"].unique()}
        if (found := len(outputs)) < self.outputs:
            return f"{found} output language; {self.outputs} are needed"
        try:
            shared_cells(rows, self.conditions)
        except MeaningsError as error:
            return str(error)
        return ""


def _shared(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    return claims.conditions_differ(last, "seen", "null_concept") == 1


def _emerges(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    onset = summaries.onsets(curves, ["seen"]).iloc[0]
    return claims.emerges_in_training(onset, curves["tokens"])


def _mean_does_not_hurt(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    return claims.conditions_differ(last, "seen", "tgt") >= 0


def _not_english(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    return claims.conditions_differ(last, "seen", "en_en") >= 0


def _no_net_gain(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    answered = last[last["answer"].notna() & last["condition"].isin(["seen", "src_unpatched"])]
    right = answered.assign(right=answered["answer_correct_source"].astype(float))
    return claims.patching_gains(right) <= 0


def _depends(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    return claims.depends_on_language(claims.alignment_rows(last))


def _self_first(last: pd.DataFrame, curves: pd.DataFrame) -> bool:
    found = summaries.onsets(curves, ["seen", "self"]).set_index("condition")
    return claims.onset_order(found.loc["self"], found.loc["seen"]) == -1


CLAIMS = (
    Claim(
        "other languages' mean carries the concept",
        "emergence",
        "seen not above the null of a third concept",
        _shared,
        ("seen", "null_concept"),
    ),
    Claim(
        "this is learned during training",
        "emergence",
        "an onset interval that reaches the first or the last checkpoint",
        _emerges,
        ("seen", "null_concept"),
        checkpoints=2,
    ),
    Claim(
        "averaging over languages costs nothing",
        "emergence",
        "seen below tgt, concept by concept",
        _mean_does_not_hurt,
        ("seen", "tgt"),
    ),
    Claim(
        "English copying does no better than other languages",
        "emergence",
        "seen below en_en, concept by concept",
        _not_english,
        ("seen", "en_en"),
    ),
    Claim(
        "a language's own space comes first",
        "emergence",
        "onset of self not before that of seen, beyond their intervals",
        _self_first,
        ("seen", "self", "null_concept"),
        checkpoints=2,
    ),
    Claim(
        "alignment depends on the language",
        "language dependence",
        "Friedman's test over concepts does not tell output languages apart",
        _depends,
        ("seen",),
        outputs=2,
    ),
    Claim(
        "patching gains no more right answers than it loses",
        "error analysis",
        "more gained than lost, concept by concept",
        _no_net_gain,
        ("seen", "src_unpatched"),
        columns=("answer", "answer_correct_source"),
    ),
)


def by_run(table: pd.DataFrame, book: Sequence[Claim] = CLAIMS) -> pd.Series:
    """Whether each claim holds in one training run (or final model), by its rule, over the cells
    that its conditions share: True, False, or None where it cannot be asked.
    """
    found, chosen = {}, {}
    for claim in book:
        if claim.lacking(table):
            found[claim.claim] = None
            continue
        if claim.conditions not in chosen:
            chosen[claim.conditions] = layer_choice.at_chosen_layer(
                table, conditions=claim.conditions
            )
        curves = chosen[claim.conditions]
        found[claim.claim] = bool(claim.holds(selection.last_checkpoint(curves), curves))
    return pd.Series(found, dtype=object)


def verdicts() -> pd.DataFrame:
    """One row a claim: `claim`, `chapter`, `refuted by`, a column for each training seed and for
    Gemma, and `verdict`.

    The runs are those of the published table, in the default pairs; the answers of Gemma are of the
    two pairs in which they were generated.
    """
    own = published("miniature", COLUMNS, {"pair": DEFAULT_PAIRS})
    seeds = {f"seed {seed}": by_run(rows) for seed, rows in own.groupby("training_seed")}
    real = _of_gemma()
    rows = [
        {"claim": claim.claim, "chapter": claim.chapter, "refuted by": claim.refuted}
        | {name: _word(found[claim.claim]) for name, found in seeds.items()}
        | {"Gemma, 4 bits": _word(real[claim.claim])}
        | {"verdict": verdict([found[claim.claim] for found in seeds.values()], real[claim.claim])}
        for claim in CLAIMS
    ]
    return pd.DataFrame(rows).set_index("claim")


def _of_gemma() -> dict[str, bool | None]:
    """By claim, from the first published table of which it can be asked."""
    probabilities, answers = (
        by_run(published(name)) for name in ("gemma-3-270m", "gemma-3-270m-answers")
    )
    return {
        name: answers[name] if found is None else found for name, found in probabilities.items()
    }


def _word(holds: bool | None) -> str:
    return "-" if holds is None else "yes" if holds else "no"


def verdict(seeds: Sequence[bool | None], real: bool | None) -> str:
    """What the training runs and the real model say of a claim, in words; None: cannot be asked."""
    found = [holds for holds in seeds if holds is not None]
    rest = "" if len(found) == len(seeds) else ", cannot be asked in the others"
    if not found:
        return "cannot be asked"
    if all(found):
        text = f"holds in {len(found)} of {len(seeds)} seeds" if rest else "holds in every seed"
        of_real = {None: "", True: ", and in the real model", False: ", not in the real model"}
        return text + rest + of_real[real]
    if not any(found):
        return "does not hold" + rest
    return f"holds in {sum(found)} of {len(seeds)} seeds only" + rest
