"""The published tables on the instrument itself: trials against known truth, and false claims under
shuffled labels.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from meanings.measures.results import published_csv
from meanings.validity.ground_truth import GroundTruth


def known_truth() -> pd.DataFrame:
    """True and reported layers, onsets (in tokens; inf = never) and coverage: the columns of
    `meanings.validity.known_truth.table`.
    """
    return published_csv("known_truth", "meanings validity known-truth")


def false_positives() -> pd.DataFrame:
    """How often each claim is made where labels were shuffled: the columns of
    `meanings.validity.false_positives.table`.
    """
    return published_csv("false_positives", "meanings validity false-positives")


def detections(trials: pd.DataFrame) -> pd.DataFrame:
    """How often each layer is found in the networks that have one, and reported in those that have
    none.

    - `trials`: `known_truth`. Index `layer` and `patched`; columns `found` and `false alarms`, as
      `15 of 15`.
    """
    rows = trials[trials["what"].str.endswith("layer")]
    right, there = rows["true"] == rows["reported"], rows["true"] >= 0
    counted = pd.DataFrame(
        {"layer": rows["what"], "patched": rows["by"], "hit": right & there, "there": there}
        | {"alarm": ~right & ~there, "absent": ~there}
    )
    n = counted.groupby(["layer", "patched"])[["hit", "there", "alarm", "absent"]].sum()
    text = {"found": ("hit", "there"), "false alarms": ("alarm", "absent")}
    return pd.DataFrame(
        {
            heading: [f"{a} of {b}" for a, b in zip(n[some], n[whole], strict=True)]
            for heading, (some, whole) in text.items()
        },
        index=n.index,
    )


def counted_layers(trials: pd.DataFrame) -> str:
    """`30 networks a panel, 15 of them with a meeting layer`."""
    rows = trials[(trials["what"] == "meeting layer") & (trials["by"] == "one layer alone")]
    return f"{len(rows)} networks per panel, {(rows['true'] >= 0).sum()} with a meeting layer"


def counted_onsets(trials: pd.DataFrame) -> str:
    """How many runs have an onset that is drawn, of how many concepts, and how many have none."""
    rows = trials[(trials["by"] == "seen") & trials["what"].str.startswith("onset")]
    there = int(np.isfinite(rows["true"]).sum())
    return (
        f"{there} runs of {GroundTruth().n_concepts} concepts each; not drawn, because languages "
        f"never meet: {len(rows) - there}"
    )


def counted_runs(coverage: pd.DataFrame) -> str:
    """How many runs each mark of the coverage stands for."""
    return f"{int(coverage['worlds'].min())} runs per mark"


def counted_permutations(rates: pd.DataFrame) -> str:
    """How many rules there are, and how many permutations each was put to."""
    low, high = int(rates["shuffles"].min()), int(rates["shuffles"].max())
    return f"{len(rates)} rules, {low:,} to {high:,} permutations each"


def paper(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """What the paper and this study do about their reliability: rows of `tables.agreement`.

    - `rows`: of `meanings.validity.claims.catalogue`.
    """
    n_shared = {row["id"]: row for row in rows}["trust-nothing-shared"]
    return [
        (
            "One training seed; no intervals.",
            "Intervals over concepts and training seeds, and three seeds of the miniature.",
            "not comparable",
            "Three seeds estimate the variance between runs badly; language pairs and prompt seeds "
            "are fixed.",
        ),
        (
            "No null condition for the concept vector.",
            "A third concept's vector is the null. In a model that shares nothing the two differ "
            f"by {n_shared['value']:z.3f}.",
            "not comparable",
            "The paper reports none.",
        ),
        (
            "The patch overwrites all layers from j on.",
            "In constructed networks this finds the layer that reads the word, and not the "
            "layer at which languages meet.",
            "not comparable",
            "The paper has no networks with a known truth.",
        ),
    ]
