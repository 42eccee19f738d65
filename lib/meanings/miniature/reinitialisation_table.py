"""The published table of re-initialisation, written after every short training, and its gaps.

data/published/reinitialisation.parquet   scores by model, source language, draw, block, language
                                          and held-out concept
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pandas as pd
import pyarrow as pa

from meanings.core.paths import data_folder
from meanings.core.status_line import Report, unreported
from meanings.miniature.corpus import Corpus
from meanings.miniature.reinitialisation import CONTROL, PLAN, Asked, Plan, trainings
from meanings.models.trajectories import Trajectory
from meanings.models.weights import hash_weights
from meanings.study.publish import write_table

PLACE = ["model", "training_seed", "step", "weights_sha256", "source", "draw", "block"]
DECIMALS = 4


def publish_reinitialisation(
    run: Trajectory,
    corpus: Corpus,
    sources: Sequence[str],
    draws: int,
    blocks: Sequence[int],
    report: Report = unreported,
    plan: Plan = PLAN,
    path: Path | None = None,
) -> Path:
    """Train what the table lacks, and write it after each training, so that a killed command goes
    on; rows of other runs stay.

    - `blocks`: from 1; the control is always trained.
    """
    path = path or data_folder() / "published" / "reinitialisation.parquet"
    weights = hash_weights(run.last.path)
    identity = (run.model, run.training_seed, run.last.step, weights)
    table = pd.read_parquet(path) if path.is_file() else pd.DataFrame(columns=PLACE)
    there = set(table[PLACE].itertuples(index=False, name=None))
    asked = [
        Asked(source, draw, block)
        for draw, source, block in product(range(draws), sources, (CONTROL, *blocks))
        if (*identity, source, draw, block) not in there
    ]
    named = dict(zip(PLACE, identity, strict=False))
    report("short trainings", 0, len(asked))
    for done, rows in enumerate(trainings(run, corpus, asked, plan), 1):
        table = pd.concat([table, rows.assign(**named)], ignore_index=True)
        write_table(_ready(table), path)
        report("short trainings", done, len(asked))
    return path


def _ready(table: pd.DataFrame) -> pa.Table:
    order = [*PLACE, "language", "concept"]
    table = table.sort_values(order)[[*order, "auc", "nats"]].round(DECIMALS)
    small = {"draw": "int8", "block": "int8", "training_seed": "int16", "step": "int32"}
    table = table.astype(small | {"auc": "float32", "nats": "float32"})
    return pa.Table.from_pandas(table, preserve_index=False)
