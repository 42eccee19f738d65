"""How far annotators agree, and how far the automatic labels agree with them.

    alpha = 1 - observed disagreement / disagreement expected by chance     (Krippendorff, nominal)
    precision of label c = weight of answers with automatic c and gold c / weight with automatic c
    recall of label c    = weight of answers with automatic c and gold c / weight with gold c

The gold label of an answer is the one that more than half of its annotators gave (of two, both).
Answers without one are counted, enter alpha, and are left out of precision and recall. Weights undo
the sampling (`sample.draw`).
"""

from dataclasses import dataclass
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.labels.annotation.gold import read_key, read_passes, read_sample
from meanings.labels.annotation.sample import relabelled
from meanings.labels.labeller import LABELS
from meanings.lexicon.lexicon import load_lexicon
from meanings.lexicon.relations import load_relations
from meanings.models.checkpoints import trajectory
from meanings.models.registry import registry


@dataclass(frozen=True)
class Agreement:
    """How far annotators agree, and the automatic labels with them.

    - `answers`: number of answers with two labels or more (with one where there is one annotator).
    - `alpha`, `low`, `high`: Krippendorff's alpha and its interval; NaN where undefined.
    - `undecided`: number of answers without a gold label.
    - `classes`: by label `precision`, `recall`, `f1` (NaN where undefined) and counts of answers
      `automatic`, `gold`, `both`.
    - `macro_f1`: mean of `f1` over the labels that occur in gold or automatic labels.
    """

    answers: int
    alpha: float
    low: float
    high: float
    undecided: int
    classes: pd.DataFrame
    macro_f1: float

    def as_json(self) -> dict:
        """`answers`, `alpha`, `macro_f1` and `classes`: label -> `precision`, `recall` and counts;
        null where undefined.
        """
        columns = ["precision", "recall", "automatic", "gold", "both"]
        rows = {name: {c: _null(row[c]) for c in columns} for name, row in self.classes.iterrows()}
        return {
            "answers": self.answers,
            "alpha": _null(self.alpha),
            "macro_f1": _null(self.macro_f1),
            "classes": rows,
        }


def gold_agreement(folder: Path | None = None, *, again: bool = True) -> Agreement:
    """Agreement of the study's own reference labels, `data/annotation/gold`, or of another such
    folder; raises MeaningsError as its readers do.

    - `again`: automatic labels by the current rules; else those of the day when the sample was
      drawn.
    """
    place = folder or data_folder() / "annotation" / "gold"
    key = read_key(place)
    if again:
        sheet = read_sample(place)
        answers = dict(zip(sheet["id"], sheet["answer"], strict=True))
        trained = {name: trained_languages(name) for name in key["model"].unique()}
        key = relabelled(key, answers, load_lexicon(), load_relations(), trained)
    return agreement(read_passes(place), key)


def trained_languages(model: str) -> tuple[str, ...]:
    """The languages that a model was trained on: of the registry, or of a shipped run."""
    entry = registry().get(model)
    return tuple(entry.languages if entry else trajectory(model, 0).seen)


def agreement(
    passes: dict[str, pd.DataFrame], key: pd.DataFrame, n: int = 1000, seed: int = 0
) -> Agreement:
    """Agreement of the passes (`gold.read_passes`) and of the key's automatic labels with their
    consensus.

    - `n`: resamples of answers for alpha's 95 % bootstrap interval, drawn by PCG64(seed).

    Raises MeaningsError where an answer is not in the key, or no answer has as many labels as are
    needed.
    """
    labels = pd.DataFrame({name: rows.set_index("id")["label"] for name, rows in passes.items()})
    strange = sorted(set(labels.index) - set(key["id"]))
    if strange:
        raise MeaningsError(
            f"answer {strange[0]!r} has a label but is not in the key; use the key of this sample"
        )
    needed = min(2, len(passes))
    labels = labels[labels.notna().sum(axis=1) >= needed]
    if labels.empty:
        raise MeaningsError(
            f"no answer has labels from {needed} annotators; the passes must share answers"
        )
    codes = (
        labels.apply(lambda column: column.map(list(LABELS).index, na_action="ignore"))
        .to_numpy(dtype=float)
        .T
    )
    random = np.random.Generator(np.random.PCG64(seed))
    drawn = [
        alpha(codes[:, random.integers(codes.shape[1], size=codes.shape[1])]) for _ in range(n)
    ]
    drawn = [value for value in drawn if not np.isnan(value)]
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (np.nan, np.nan)
    gold = consensus(labels)
    joined = key.set_index("id").loc[gold.index].assign(gold=gold)
    classes = by_class(joined["label"], joined["gold"], joined["weight"])
    macro = float(classes["f1"].mean()) if len(classes) else np.nan
    return Agreement(
        len(labels), alpha(codes), float(low), float(high), len(labels) - len(gold), classes, macro
    )


def alpha(codes: np.ndarray) -> float:
    """Krippendorff's nominal alpha of [annotator, answer] codes, NaN for no label; NaN where all
    labels are one, or nobody is compared.
    """
    if len(codes) < 2 or len(np.unique(codes[~np.isnan(codes)])) < 2:
        return float("nan")
    return float(
        krippendorff.alpha(
            reliability_data=codes,
            level_of_measurement="nominal",
            value_domain=list(range(len(LABELS))),
        )
    )


def consensus(labels: pd.DataFrame) -> pd.Series:
    """The label by answer that more than half of its annotators gave; answers without one are left
    out.
    """
    counts = (
        labels.apply(lambda row: row.value_counts(), axis=1).reindex(columns=list(LABELS)).fillna(0)
    )
    decided = counts[counts.max(axis=1) * 2 > counts.sum(axis=1)]
    return decided.idxmax(axis=1)


def by_class(automatic: pd.Series, gold: pd.Series, weight: pd.Series) -> pd.DataFrame:
    """Precision, recall and F1 by label, weighted, with the counts that they rest on; labels that
    neither gave are left out.
    """
    rows = {}
    for name in LABELS:
        a, g = automatic == name, gold == name
        if a.any() or g.any():
            both, all_a, all_g = (float(weight[mask].sum()) for mask in (a & g, a, g))
            rows[name] = {
                "precision": both / all_a if all_a else np.nan,
                "recall": both / all_g if all_g else np.nan,
                "f1": 2 * both / (all_a + all_g),
                "automatic": int(a.sum()),
                "gold": int(g.sum()),
                "both": int((a & g).sum()),
            }
    columns = ["precision", "recall", "f1", "automatic", "gold", "both"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype(
        dict.fromkeys(columns[3:], int)
    )


def _null(value: float) -> float | int | None:
    value = value.item() if isinstance(value, np.generic) else value
    return (
        None
        if value != value
        else int(value)
        if float(value).is_integer() and not isinstance(value, float)
        else value
    )
