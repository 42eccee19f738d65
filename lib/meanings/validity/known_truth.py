"""The method measured on constructed networks: every choice of layers, every choice of checkpoint,
and how often intervals cover the truth.

Layers and checkpoints are measured as a study measures them, through prompts, source vectors, sweep
and scores; onsets as the book's chapters do. Only coverage, which needs hundreds of runs, draws the
curves of `seen` from the construction's own formula, which the network follows
(tests/validity/test_known_truth.py).
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from meanings.lexicon.languages import parse_pair
from meanings.measures.base import Shared, Words
from meanings.measures.patching import PATCHING, Request
from meanings.statistics import layer_choice, summaries
from meanings.statistics.depth import depth
from meanings.statistics.onset import onset
from meanings.validity import constructed_network
from meanings.validity.ground_truth import GAIN, NEVER, TOKENS_A_STEP, GroundTruth

PAIR = "fr-es"
DEFAULT = GroundTruth()
MEASURED = ("seen", "self", "tgt", "null_concept", "src_unpatched")
NOISE = {"ramp": 0.5, "scatter": 1.0, "uneven": 0.5}
COLUMNS = [
    "what",
    "by",
    "meeting_layer",
    "reading_layer",
    "true",
    "reported",
    "low",
    "high",
    "worlds",
]


def measured(
    truth: GroundTruth,
    checkpoint: int,
    conditions: tuple[str, ...] = MEASURED,
    pair: str = PAIR,
    shots: int = 2,
    layers: str = "from",
    process: dict[str, Any] | None = None,
) -> pd.DataFrame:
    """The cells of one checkpoint, as a study of it has them; one prompt per concept.

    - `layers`: `from` overwrites the first patched layer and all later ones, `only` that layer.
    - `process`: what calls for one run share (`meanings.measures.base.Shared`), such as its prompts
      and that patches reach this network; nothing where it is not given.
    """
    requests = [
        Request(
            pair=parse_pair(pair),
            condition=name,
            prompt_seed=42,
            n_pairs=truth.n_concepts,
            shots=shots,
            template="quoted",
            generate=0,
            seen_languages=tuple(sorted(truth.languages)),
            layers=layers,
        )
        for name in conditions
    ]
    model = constructed_network.load(truth, checkpoint)
    data = Words(constructed_network.lexicon(truth))
    shared = Shared(process={} if process is None else process)
    found = PATCHING.measure(model, data, requests, shared)
    step = truth.steps[checkpoint]
    place = {"training_seed": 0, "step": step, "tokens": TOKENS_A_STEP * step, "pair": pair}
    return pd.concat(
        [found[request].rows.assign(**place, condition=request.condition) for request in requests],
        ignore_index=True,
    )


def layers_reported(truth: GroundTruth) -> pd.DataFrame:
    """True and reported layers at the last checkpoint: where languages meet, by patches at one
    layer alone and by the sweep over all later layers, and where the word is read, by the sweep.
    """
    last, conditions = len(truth.steps) - 1, ("seen", "null_concept")
    process: dict[str, Any] = {}
    swept = measured(truth, last, conditions, process=process)
    alone = measured(truth, last, conditions, layers="only", process=process)
    meets = (
        truth.meeting_layer
        if truth.meeting_layer < truth.reading_layer and truth.meets_from != NEVER
        else -1
    )
    first, last = (depth(table).set_index("what") for table in (alone, swept))
    rows = [
        ("meeting layer", "one layer alone", meets, first.loc["first"]),
        ("meeting layer", "all later layers", meets, last.loc["first"]),
        (
            "reading layer",
            "all later layers",
            truth.reading_layer if meets >= 0 else -1,
            last.loc["last"] + (last.loc["last"] >= 0),
        ),
    ]
    found = [
        {
            "what": what,
            "by": by,
            "true": true,
            "reported": got["layer"],
            "low": got["low"],
            "high": got["high"],
        }
        for what, by, true, got in rows
    ]
    return pd.DataFrame(found).assign(
        meeting_layer=truth.meeting_layer, reading_layer=truth.reading_layer, worlds=1
    )[COLUMNS]


def onsets_reported(truth: GroundTruth) -> pd.DataFrame:
    """True and reported onset in tokens of each condition, computed as in the chapters: `seen` has
    the run's onset, `self` and `tgt` are there from the start.
    """
    process: dict[str, Any] = {}
    checkpoints = range(len(truth.steps))
    cells = pd.concat(
        [measured(truth, checkpoint, process=process) for checkpoint in checkpoints],
        ignore_index=True,
    )
    chosen = layer_choice.at_chosen_layer(cells)
    table = summaries.onsets(chosen, ["seen", "self", "tgt"])
    onsets = {"seen": truth.onset, "self": 0.0, "tgt": 0.0}
    return table.assign(
        what="onset, a step" if truth.ramp == truth.scatter == 0 else "onset, a ramp",
        by=table["condition"],
        true=table["condition"].map(onsets),
        reported=table["onset"],
        meeting_layer=truth.meeting_layer,
        reading_layer=truth.reading_layer,
        worlds=1,
    )[COLUMNS]


def coverage(truth: GroundTruth, runs: int = 200, n: int = 500) -> dict[str, float]:
    """How often the 95 % interval of the onset covers the true one, over runs that differ in their
    concepts: `covers`, with `low`, `high` (Wilson).
    """
    tokens = np.repeat(truth.tokens, truth.n_concepts)
    hits = 0
    for seed in range(runs):
        curves = truth.probability(GAIN * truth.amounts_of(truth.n_concepts, seed + 1))
        rows = pd.DataFrame(
            {
                "tokens": tokens,
                "source_concept": list(range(truth.n_concepts)) * len(truth.steps),
                "p_source": curves.ravel(),
            }
        )
        found = onset(rows, "p_source", step="tokens", n=n, seed=seed).iloc[0]
        hits += bool(found["low"] <= truth.onset <= found["high"])
    low, high = binomtest(hits, runs).proportion_ci(method="wilson")
    return {"covers": hits / runs, "low": float(low), "high": float(high)}


def coverages(base: GroundTruth = DEFAULT, runs: int = 200) -> pd.DataFrame:
    """Coverage for every checkpoint but the first, of 24 and of 64 concepts."""
    rows = []
    for when in range(1, len(base.steps)):
        for concepts in (24, 64):
            truth = replace(base, meets_from=when, n_concepts=concepts, **NOISE)
            found = coverage(truth, runs)
            rows.append(
                {
                    "what": "coverage",
                    "by": f"{concepts} concepts",
                    "meeting_layer": base.meeting_layer,
                    "reading_layer": base.reading_layer,
                }
                | {
                    "true": truth.onset,
                    "reported": found["covers"],
                    "low": found["low"],
                    "high": found["high"],
                    "worlds": runs,
                }
            )
    return pd.DataFrame(rows)[COLUMNS]


def table(base: GroundTruth = DEFAULT, worlds: int = 200) -> pd.DataFrame:
    """All trials: every meeting and reading layer, every checkpoint as a step and (where the ramp
    fits) as a ramp, and coverage.

    Columns: `what`, `by`, `meeting_layer`, `reading_layer` (of the truth), `true`, `reported`,
    `low`, `high`, `worlds` (runs: 1, or how many a rate is over).
    """
    parts = []
    for reading in range(1, base.n_layers):
        for meeting in range(base.n_layers):
            parts.append(
                layers_reported(replace(base, meeting_layer=meeting, reading_layer=reading))
            )
    for when in range(NEVER, len(base.steps)):
        parts.append(onsets_reported(replace(base, meets_from=when)))
        if when >= 0:
            parts.append(onsets_reported(replace(base, meets_from=when, **NOISE)))
    parts.append(coverages(base, worlds))
    return pd.concat(parts, ignore_index=True)
