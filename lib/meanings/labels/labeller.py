"""Automatic labels of generated answers: what kind of right or wrong an answer is, with the
evidence.

The labels are in `meanings.labels.label`, the rules in `meanings.labels.rules`. The same rules hold
for every answer, and each says why.
"""

from functools import lru_cache

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.labels.label import LABELS, Label
from meanings.labels.rules import Labeller
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.relations import Relations

__all__ = ["ANSWER_IS_TARGET", "LABELS", "Label", "Labeller", "expectation", "label_answers"]

# Conditions in which the prompt's own concept is the right answer.
ANSWER_IS_TARGET = ("tgt_tgt", "tgt_unpatched")


def expectation(source: str, target: str, condition: str) -> tuple[str, str]:
    """The expected concept and the query concept of a prompt: the target concept is expected where
    nothing, or the prompt itself, is patched into the target prompt.
    """
    return (target if condition in ANSWER_IS_TARGET else source), (
        source if condition == "src_unpatched" else target
    )


@lru_cache(maxsize=4)
def _labeller(lexicon: Lexicon, relations: Relations) -> Labeller:
    """One labeller for all the tables of a page: it remembers what it has labelled."""
    return Labeller(lexicon, relations)


def label_answers(df: pd.DataFrame, lexicon: Lexicon, relations: Relations) -> pd.DataFrame:
    """The rows with columns `label` and `evidence`; missing where there is no answer.

    - `df`: rows of `results.read_cells`.

    `few_shot` is given where the rows have the columns `source_shots` and `target_shots` (a patched
    prompt has the target's); `attrs["few_shot"]` of what is returned says whether. Evidence is of
    the languages of `seen_languages`, those that the model was trained on, where the rows have that
    column.

    Raises MeaningsError where no row has an answer.
    """
    rows = df[df["answer"].notna()]
    if rows.empty:
        raise MeaningsError("no row has an answer to label; measure with generate above 0")
    labeller = _labeller(lexicon, relations)
    columns = ["answer", "pair", "source_concept", "target_concept", "condition"]
    shots = pd.Series("", index=rows.index)
    if has_shots := {"source_shots", "target_shots"} <= set(df.columns):
        source_prompt = rows["condition"] == "src_unpatched"
        shots = (
            rows["source_shots"]
            .astype(object)
            .where(source_prompt, rows["target_shots"].astype(object))
            .fillna("")
        )
    seen = rows["seen_languages"] if "seen_languages" in rows else pd.Series("", index=rows.index)
    told = rows[columns].astype(object).assign(shots=shots.astype(object), seen=seen.astype(object))
    found = []
    for answer, pair, source, target, name, examples, trained in told.itertuples(False, None):
        expected, query = expectation(source, target, name)
        concepts = tuple(filter(None, examples.split("|")))
        prompt = parse_pair(pair), expected, query, concepts, tuple(trained.split())
        found.append(labeller.label(answer, *prompt))
    labels = pd.DataFrame(
        {"label": [x.name for x in found], "evidence": [x.evidence for x in found]},
        index=rows.index,
    )
    labelled = df.join(
        labels.assign(label=pd.Categorical(labels["label"], categories=list(LABELS)))
    )
    labelled.attrs["few_shot"] = has_shots
    return labelled
