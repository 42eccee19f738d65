"""What the page *Explore* says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from meanings.book.facts import wording
from meanings.core.formatting import amount
from meanings.statistics.resampling import SEED_COLUMN


def based_on(cell: pd.DataFrame) -> str:
    """How many concepts and training runs a figure rests on."""
    return (
        f"{cell['source_concept'].nunique()} concepts, "
        f"{wording.plural(cell[SEED_COLUMN].nunique(), 'training run')}"
    )


def kept(content: Mapping[str, Any]) -> dict[str, object]:
    """Of which models, pairs and checkpoints answers were kept.

    - `content`: as `meanings.book.explore.data`.
    """
    said = []
    for model, answers in content["answers"].items():
        steps = {int(key.split()[1]) for own in answers["pairs"].values() for key in own["said"]}
        tokens = content["models"][model]["tokens"]
        when = f"after {amount(tokens[min(steps)])}"
        if len(steps) > 1:
            when = f"at {len(steps)} checkpoints ({when} to {amount(tokens[max(steps)])} tokens)"
        else:
            when += " tokens"
        pairs = wording.plural(len(answers["pairs"]), "language pair")
        said.append(f"of {model} in {pairs}, {when}")
    return {"ex_kept": f"Answers were kept {'; '.join(said)}."}
