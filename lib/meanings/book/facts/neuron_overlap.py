"""What the chapter Neuron overlap and transfer says."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts import companions, wording
from meanings.book.tables import experiments
from meanings.core.formatting import span
from meanings.measures.results import published_csv
from meanings.statistics.companions import at_best, over_seeds


def coverage(rows: pd.DataFrame, label: str) -> dict[str, object]:
    """What the page's rows are of."""
    return {"no_label": label, "no_words": companions.words(rows)}


def levels(rows: pd.DataFrame, languages: Collection[str]) -> dict[str, object]:
    """Probe and transfer at the end of training, and the share of the largest category."""
    said = {}
    for variant in ("probe", "transfer"):
        chosen = at_best(rows, variant, languages)
        last = chosen[chosen["step"] == chosen["step"].max()]
        row = over_seeds(last).iloc[0]
        said[f"no_{variant}"] = span(row["value"], row["low"], row["high"])
        said["no_majority"] = f"{row['null']:.0%} of the words"
    return said


def correlation() -> dict[str, object]:
    """Overlap and transfer, within checkpoints and pooled, and the training step beside them."""
    if not experiments.there(experiments.CORRELATIONS, "csv"):
        return {"no_correlation": "(Not measured.)"}
    return {
        "no_correlation": (
            "Overlap of dimensions and the transfer of the probe have a rank correlation of "
            f"{_rho('within')} within a checkpoint (mean over checkpoints; intervals resample "
            f"languages), of {_rho('checkpoint')} at the last checkpoint, and of {_rho('pooled')} "
            "over all checkpoints pooled. The training step alone, which knows nothing of any "
            f"pair, reaches {_rho('pooled', 'training step')} pooled: a pooled correlation alone "
            "is no evidence."
        )
    }


def _rho(scope: str, measure: str = "neuron_overlap overlap") -> str:
    """A measure's correlation with the transfer of the probe; of one checkpoint, the last."""
    rows = published_csv(experiments.CORRELATIONS, "meanings validity transfer")
    rows = rows[(rows["transfer"] == "probe") & (rows["scope"] == scope)]
    row = rows[rows["measure"] == measure].sort_values("step").iloc[-1]
    return span(row["rho"], row["low"], row["high"])


def correlated() -> str:
    """The correlation of overlap and transfer within checkpoints, and at the last."""
    if not experiments.there(experiments.CORRELATIONS, "csv"):
        return "(Not measured.)"
    return (
        "Within a checkpoint, overlap and transfer have a rank correlation of "
        f"{_rho('within')} on average, and of {_rho('checkpoint')} at the last."
    )


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"no_says_{name.removeprefix('overlap_')}": text
        for name, text in wording.statements(claims).items()
    }


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets the paper beside this page."""
    said = wording.statements(claims)
    return [
        (
            "The overlap of the dimensions that serve a probe goes along with zero-shot transfer "
            "over the training of a multilingual model (Wang et al.).",
            correlated(),
            "in part",
            "Within a checkpoint the correlation is near zero before there is transfer, and grows "
            "with it. One training run, categories of words instead of grammar.",
        ),
        (
            "Two languages share the dimensions of a category.",
            said["overlap_above_chance"],
            "in part",
            "Overlap has to be held against what two random draws share.",
        ),
    ]
