"""What a large study costs beside measuring: planning, looking what is there, writing and reading.

The grid is that of a full study: 26 checkpoints, all 110 ordered pairs of 11 languages, 9
conditions. Its measure costs nothing: it gives the same rows for every request.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.base import Measurement
from meanings.measures.catalogue import MEASURES
from meanings.measures.patching import Patching
from meanings.measures.results import read_cells
from meanings.models.checkpoint import Checkpoint, weights_identity
from meanings.patching.conditions import condition
from meanings.study.grid import Grid
from meanings.study.plan import plan_study
from meanings.study.worker import Worker

LANGUAGES = ("en", "fr", "de", "es", "it", "ru", "pl", "fi", "et", "zh", "yue")
CHECKPOINTS = 26
LAYERS, PROMPTS = 6, 64
CHAPTER = ("en-fr", "de-en", "fr-es", "fr-de", "fr-pl", "en-fi")


class Free(Patching):
    """Patching whose rows are there already."""

    def __init__(self) -> None:
        random, n = np.random.Generator(np.random.PCG64(0)), LAYERS * PROMPTS
        words = np.array(load_lexicon("embedded").concepts[:PROMPTS])
        rows = {
            "first_layer": np.repeat(range(LAYERS), PROMPTS),
            "prompt": np.tile(range(PROMPTS), LAYERS),
        }
        names = ("query", "source_concept", "target_concept", "null_concept")
        rows |= {name: np.tile(np.roll(words, i), LAYERS) for i, name in enumerate(names)}
        scored = ["p_source", "p_target"] + [
            f"p_{role}_{code}" for role in ("source", "target") for code in LANGUAGES[1:]
        ]
        rows |= {name: random.random(n) for name in scored}
        answers = dict.fromkeys(("answer", "answer_correct_source", "answer_correct_target"))
        self._patched = pd.DataFrame(rows).assign(**answers)
        self._read = self._patched[:PROMPTS].assign(first_layer=-1)

    def measure(self, model, data, requests, shared):
        """The same rows for every request."""
        return {
            request: Measurement(
                self._patched if condition(request.condition).patched else self._read,
                {"concepts_left_out": []},
            )
            for request in requests
        }


def figures(checkpoints: int = CHECKPOINTS, languages: tuple[str, ...] = LANGUAGES) -> dict:
    """Seconds to plan and to read a chapter, milliseconds per cell of each checkpoint."""
    with tempfile.TemporaryDirectory() as folder, _free():
        home = _write_model(Path(folder) / "model", checkpoints)
        out = Path(folder) / "results"
        pairs = tuple(f"{a}-{b}" for a, b in permutations(languages, 2))
        grid = Grid(model=str(home), checkpoints="all", pairs=pairs, languages=languages)
        start = time.perf_counter()
        plan = plan_study(grid, out)
        planned = time.perf_counter() - start
        cpu = time.process_time()
        each = _milliseconds(plan.tasks, out)
        cpu = time.process_time() - cpu
        start = time.perf_counter()
        again = plan_study(grid, out)
        resumed = time.perf_counter() - start
        assert not again.missing
        of_chapter = tuple(pair for pair in CHAPTER if pair in pairs)
        chapter = grid.model_copy(update={"pairs": of_chapter, "checkpoints": min(8, checkpoints)})
        start = time.perf_counter()
        keys = plan_study(chapter, out).keys
        table = read_cells(out, keys)
        read = time.perf_counter() - start
        size = sum(file.stat().st_size for file in out.glob("??/*.parquet"))
    count = len(plan.cells)
    return {
        "cells": count,
        "mebibytes": round(size / 2**20, 1),
        "plan_seconds": round(planned, 2),
        "plan_of_finished_seconds": round(resumed, 2),
        "milliseconds_per_cell": [round(value, 2) for value in each],
        "overhead_milliseconds": round(sum(each) / len(each) + 1000 * planned / count, 2),
        "processor_milliseconds": round(1000 * cpu / count, 2),
        "last_to_first": round(float(np.median(each[-5:]) / np.median(each[:5])), 2),
        "chapter_cells": len(keys),
        "chapter_rows": len(table),
        "chapter_seconds": round(read, 2),
    }


def lines(found: dict) -> list[str]:
    """The figures in words."""
    each = found["milliseconds_per_cell"]
    return [
        f"{found['cells']} cells, {found['mebibytes']} MiB: planned in {found['plan_seconds']} s, "
        f"and in {found['plan_of_finished_seconds']} s when all of them are there",
        f"overhead {found['overhead_milliseconds']} ms per cell, planning included "
        f"({found['processor_milliseconds']} ms of the processor); the last five "
        f"checkpoints take {found['last_to_first']} of what the first five take",
        f"by checkpoint, in ms per cell: {each}",
        f"a chapter's table of {found['chapter_cells']} of these cells "
        f"({found['chapter_rows']} rows) opens in {found['chapter_seconds']} s",
    ]


def _milliseconds(tasks, out: Path) -> list[float]:
    """Of each checkpoint, milliseconds per cell."""
    worker, each = Worker("cpu"), []
    from meanings.prompts import draws  # noqa: F401 (torch is imported once, and not timed)

    for task in tasks:
        start = time.perf_counter()
        worker.measure(task, out)
        each.append(1000 * (time.perf_counter() - start) / len(task.cells))
    return each


@contextmanager
def _free() -> Iterator[None]:
    """The free measure in the place of patching, and checkpoints that load at once."""
    usual, load = MEASURES["patching"], Checkpoint.load

    def nothing(self, **_):
        tokenizer = SimpleNamespace(backend_tokenizer=SimpleNamespace(to_str=str))
        return SimpleNamespace(
            device=SimpleNamespace(type="cpu"),
            n_layers=LAYERS,
            d_model=8,
            weights_sha256=weights_identity(self),
            read=None,
            tokenizer=tokenizer,
        )

    MEASURES["patching"], Checkpoint.load = Free(), nothing
    try:
        yield
    finally:
        MEASURES["patching"], Checkpoint.load = usual, load


def _write_model(folder: Path, checkpoints: int) -> Path:
    """A trajectory of checkpoints without a network."""
    rows = []
    for step in range(checkpoints):
        place = folder / f"step-{step}"
        place.mkdir(parents=True)
        (place / "config.json").write_text("{}")
        (place / "model.safetensors").write_bytes(os.urandom(64))
        rows.append({"step": step, "tokens": step, "folder": place.name})
    content = {"model": "many-cells", "training_seed": 0, "seen": LANGUAGES, "checkpoints": rows}
    (folder / "trajectory.json").write_text(json.dumps(content))
    return folder
