"""Generated answers before and after a patch: labels, right answers, chrF against the accepted
words.
"""

import numpy as np
import pandas as pd
from sacrebleu.metrics import CHRF

from meanings.lexicon.forms import plain_form
from meanings.lexicon.lexicon import Lexicon
from meanings.statistics.bootstrap import interval
from meanings.statistics.matching import shared_cells
from meanings.statistics.resampling import RESAMPLES
from meanings.statistics.selection import split_pairs

GROUPS = {"src_unpatched": "source prompt", "tgt_unpatched": "target prompt"}
PATCHED_GROUP = "target prompt, patched"
RIGHT = ("correct", "synonym")  # as scored; `other_form` is no accepted word


def answered(chosen: pd.DataFrame, condition: str) -> pd.DataFrame:
    """The rows with a generated answer: both unpatched prompts and the patched one, of the cells
    that they share, with columns `group`, `input`, `output`, `wanted`.

    - `answer`: in plain form, as chrF compares letters.
    - `wanted`: the concept whose word would be right: the source's on source prompts and after a
      patch, else the target's.
    """
    rows = shared_cells(chosen[chosen["answer"].notna()], [*GROUPS, condition])
    names = rows["condition"].astype(str)
    before = names == "tgt_unpatched"
    wanted = np.where(
        before, rows["target_concept"].astype(str), rows["source_concept"].astype(str)
    )
    return split_pairs(rows).assign(
        group=names.map(GROUPS).fillna(PATCHED_GROUP).to_numpy(),
        wanted=wanted,
        answer=rows["answer"].astype(str).map(plain_form),
    )


def references(rows: pd.DataFrame, lexicon: Lexicon) -> list[tuple[str, ...]]:
    """The accepted words of each row's wanted concept in its output language."""
    return [
        lexicon.words(concept, code)
        for concept, code in zip(rows["wanted"], rows["output"], strict=True)
    ]


def right_rate(labelled: pd.DataFrame) -> pd.DataFrame:
    """Share of right answers (an accepted word of the wanted concept) with its interval: `group`,
    `mean`, `low`, `high`.
    """
    rows = labelled.assign(right=labelled["label"].isin(RIGHT).astype(float))
    return interval(rows, "right", ["group"], n=RESAMPLES, proportion=True)


def with_chrf(rows: pd.DataFrame, lexicon: Lexicon) -> tuple[pd.DataFrame, str]:
    """The rows with `chrf` (0 to 100) of each answer against the accepted words, and sacrebleu's
    signature.

    Source: Popović 2015; Post 2018.
    """
    metric, words = CHRF(), references(rows, lexicon)
    scores = [
        metric.sentence_score(answer, list(accepted)).score
        for answer, accepted in zip(rows["answer"], words, strict=True)
    ]
    # The signature tells of what was counted last: of all answers, whose numbers of accepted words
    # differ.
    columns = [
        [accepted[i] if i < len(accepted) else None for accepted in words]
        for i in range(max(map(len, words)))
    ]
    metric.corpus_score(list(rows["answer"]), columns)
    return rows.assign(chrf=scores), str(metric.get_signature())


def errors(labelled: pd.DataFrame, by: str = "group") -> pd.DataFrame:
    """How many wrong answers of each group have each label: `group`, `label`, `n`."""
    rows = labelled.astype({"label": str, by: str})
    wrong = rows[~rows["label"].isin(RIGHT)]
    return (
        wrong.groupby([by, "label"]).size().rename("n").reset_index().rename(columns={by: "group"})
    )


def right_counts(labelled: pd.DataFrame, by: str = "group") -> dict[str, str]:
    """What a legend says of each group: `target prompt: 30 of 64 right`."""
    rows = labelled.assign(right=labelled["label"].isin(RIGHT))
    return {
        str(name): f"{name}: {own['right'].sum()} of {len(own)} right"
        for name, own in rows.groupby(by, observed=True)
    }


def quality(cells: pd.DataFrame, lexicon: Lexicon, condition: str) -> pd.DataFrame:
    """P(source) and chrF of each answer under a condition, at every first layer: `pair`,
    `first_layer`, `probability`, `chrf`.
    """
    rows, _ = with_chrf(answered(cells[cells["condition"] == condition], condition), lexicon)
    names = {"p_source": "probability"}
    return rows.astype({"pair": str}).rename(columns=names)[
        ["pair", "first_layer", "probability", "chrf"]
    ]


def quality_means(by_answer: pd.DataFrame) -> pd.DataFrame:
    """Means of `quality` over the answers of each language pair and first layer."""
    return by_answer.groupby(["pair", "first_layer"]).mean().reset_index()
