"""Where the time of a sweep goes: each part's operations that must be done, those that are done,
and the share of the machine's peak.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from unittest.mock import patch

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.shapes import columns, drawn, some_vectors, target_prompts
from bench.timing import PAIR, seconds
from meanings.models.loading import PatchableModel
from meanings.patching import flops, sweep_run, targets
from meanings.patching.query_states import hidden_states
from meanings.patching.sweeping import sweep_conditions

# part -> where the function that does it is looked up
PLACES = {
    "prefix": (targets, "run_prefixes"),
    "unpatched": (targets, "run_unpatched"),
    "vectors": (targets, "write_layers"),
    "suffix": (targets, "run_above"),
    "score": (sweep_run, "concept_probability"),
    "generation": (sweep_run, "continue_greedily"),
}


def parts(model: PatchableModel, *, prompts: int, generate: int) -> pd.DataFrame:
    """One row per part of a sweep of seven conditions, and one for the sources that two of them
    would need.

    - `must`, `done`: floating-point operations, in 1e9; `done` counts matrix products and is NaN
      where none is meant.
    - `seconds`; `peak`: share of the operations a second that a large matrix product reaches on
      this machine.
    """
    pairs = drawn(model, prompts)
    prompts_, sets = target_prompts(model, PAIR, pairs), columns(model, pairs)
    vectors = some_vectors(model, prompts, flops.CONDITIONS)
    lengths = flops.Lengths.of(prompts_)
    must = {
        part: prompts * each
        for part, each in flops.floor(model, lengths, generate=generate).items()
    }
    must["sources"] = prompts * flops.Cost.of(model).run(lengths.source, lengths.source / 2, 0)
    clock: dict[str, float] = {}
    done: dict[str, float] = {}

    def work() -> None:
        sweep_conditions(model, prompts_, vectors, sets, generate=generate)

    with _watched(model, lambda run: seconds_into(clock, run)):
        whole = seconds(work)
        clock["sources"] = seconds(lambda: hidden_states(model, prompts_))
    with _watched(model, lambda run: operations_into(done, run)):
        work()
        done["sources"] = _operations(lambda: hidden_states(model, prompts_))
    for table in (clock, done):
        # The vocabulary's share is inside the forwards that ask for logits.
        table["suffix"] = table.get("suffix", 0.0) - table.get("logits", 0.0)
    clock["the rest"] = whole - sum(t for part, t in clock.items() if part != "sources")
    peak = _peak()
    rows = []
    for part in [*must, *(part for part in clock if part not in must)]:
        if part not in clock:
            continue
        operations = done.get(part) or float("nan")
        rows.append(
            (
                part,
                must.get(part, float("nan")) / 1e9,
                operations / 1e9,
                clock[part],
                operations / clock[part] / peak,
            )
        )
    return pd.DataFrame(rows, columns=["part", "must", "done", "seconds", "peak"])


@contextmanager
def _watched(model: PatchableModel, into: Callable) -> Iterator[None]:
    """Every part's function wrapped by `into(part)`; the output embedding is the part `logits`, but
    for generation's.
    """
    with ExitStack() as stack:
        for part, (module, name) in PLACES.items():
            stack.enter_context(patch.object(module, name, into(part)(getattr(module, name))))
        head = model.network.get_output_embeddings()
        stack.enter_context(patch.object(head, "forward", into("logits")(head.forward)))
        yield


def seconds_into(clock: dict[str, float], part: str) -> Callable:
    def wrap(function: Callable) -> Callable:
        def wrapped(*args, **kwargs):
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                clock[part] = clock.get(part, 0.0) + time.perf_counter() - start

        return wrapped

    return wrap


def operations_into(done: dict[str, float], part: str) -> Callable:
    def wrap(function: Callable) -> Callable:
        def wrapped(*args, **kwargs):
            with FlopCounterMode(display=False) as counter:
                result = function(*args, **kwargs)
            done[part] = done.get(part, 0.0) + counter.get_total_flops()
            return result

        return wrapped

    return wrap


def _operations(run: Callable) -> float:
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def _peak(size: int = 2048) -> float:
    """Operations a second of a square matrix product in float32, median of seven."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    return 2.0 * size**3 / median(seconds(lambda: a @ b) for _ in range(7))
