"""The published table of correlations with transfer, from the published tables of measures.

data/published/transfer_correlations.csv   rows of `meanings.statistics.transfer.correlations`, for
                                           two kinds of transfer, beside model and layer
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.statistics.transfer import correlations, pair_values, patching_values

VARIANTS = {
    "cka": ("rbf", "rbf_regressed"),
    "retrieval": ("csls", "centred"),
    "expert_units": ("overlap",),
    "structure": ("rsa",),
    "neuron_overlap": ("overlap",),
    "relations": ("pairs_associate", "direction_associate"),
}
PROBE = ("neuron_overlap", "transfer")  # trained in one language, tested in the other


def transfer_table(
    layer: int, folder: Path | None = None, model: str = "miniature"
) -> pd.DataFrame:
    """Columns `model`, `layer`, `transfer` (`patching` or `probe`), and those of `correlations`.

    - `layer`: of measures and probe; patching has a layer of its own.
    - `folder`: of the published tables; without it the project's own.

    Raises MeaningsError where no table of a companion measure is published.
    """
    folder = folder or data_folder() / "published"
    measures = {}
    for name, variants in VARIANTS.items():
        rows = _rows(folder / f"{name}.parquet", model)
        for variant in variants:
            if rows is not None and (rows["variant"] == variant).any():
                measures[f"{name} {variant}"] = pair_values(rows, variant, layer)
    if not measures:
        raise MeaningsError(
            f"{folder}: no table of {model!r} of any of {', '.join(VARIANTS)}; measure and publish "
            "one, with meanings study and meanings publish"
        )
    kinds = {"patching": _patching(folder, model)}
    probe = _rows(folder / f"{PROBE[0]}.parquet", model)
    if probe is not None:
        kinds["probe"] = pair_values(probe, PROBE[1], layer)
    found = [
        correlations(measures, transfer).assign(transfer=kind)
        for kind, transfer in kinds.items()
        if transfer is not None
    ]
    table = pd.concat(found, ignore_index=True).assign(model=model, layer=layer)
    first = ["model", "layer", "transfer"]
    return table[[*first, *(name for name in table if name not in first)]]


def _rows(path: Path, model: str) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    rows = pd.read_parquet(path)
    rows = rows[rows["model"] == model]
    return None if rows.empty else rows


def _patching(folder: Path, model: str) -> pd.DataFrame | None:
    path = folder / f"{model}.parquet"
    if not path.is_file():
        return None
    names = ["training_seed", "step", "pair", "condition", "first_layer", "p_source"]
    return patching_values(pd.read_parquet(path, columns=names))
