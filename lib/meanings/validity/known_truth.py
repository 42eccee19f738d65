"""The instrument held against known truth: every choice of layers, every choice of checkpoint, and
how often intervals cover.

Layers and checkpoints are measured as a study measures them, through prompts, source vectors, sweep
and scores; onsets as the book's chapters do. Only coverage, which needs hundreds of worlds, draws
the curves of `seen` from the construction's own formula, which the network follows
(tests/test_known_truth.py).
"""

from dataclasses import replace

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
from meanings.validity.ground_truth import GAIN, NEVER, TOKENS_A_STEP, World

PAIR = "fr-es"
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
    world: World,
    checkpoint: int,
    conditions: tuple[str, ...] = MEASURED,
    pair: str = PAIR,
    shots: int = 2,
    layers: str = "from",
) -> pd.DataFrame:
    """The cells of one checkpoint, as a study of it has them; one prompt per concept.

    - `layers`: `from` overwrites the first patched layer and all later ones, `only` that layer alone.
    """
    requests = [
        Request(
            pair=parse_pair(pair),
            condition=name,
            prompt_seed=42,
            n_pairs=world.n_concepts,
            shots=shots,
            template="quoted",
            generate=0,
            seen_languages=tuple(sorted(world.languages)),
            layers=layers,
        )
        for name in conditions
    ]
    model = constructed_network.load(world, checkpoint)
    data = Words(constructed_network.lexicon(world))
    found = PATCHING.measure(model, data, requests, Shared())
    step = world.steps[checkpoint]
    place = {"training_seed": 0, "step": step, "tokens": TOKENS_A_STEP * step, "pair": pair}
    return pd.concat(
        [found[request].rows.assign(**place, condition=request.condition) for request in requests],
        ignore_index=True,
    )


def layers_reported(world: World) -> pd.DataFrame:
    """True and reported layers at the last checkpoint, a row an answer: where languages meet
    (patches at one layer alone; and what the published sweep would say), and where the word is read
    (published sweep).
    """
    last, conditions = len(world.steps) - 1, ("seen", "null_concept")
    swept = measured(world, last, conditions)
    alone = measured(world, last, conditions, layers="only")
    meets = (
        world.meeting_layer
        if world.meeting_layer < world.reading_layer and world.meets_from != NEVER
        else -1
    )
    first, last = (depth(table).set_index("what") for table in (alone, swept))
    rows = [
        ("meeting layer", "one layer alone", meets, first.loc["first"]),
        ("meeting layer", "all later layers", meets, last.loc["first"]),
        (
            "reading layer",
            "all later layers",
            world.reading_layer if meets >= 0 else -1,
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
        meeting_layer=world.meeting_layer, reading_layer=world.reading_layer, worlds=1
    )[COLUMNS]


def onsets_reported(world: World) -> pd.DataFrame:
    """True and reported onset in tokens, a row a condition, read as the chapters read it: `seen`
    meets when it was told to, `self` and `tgt` always did.
    """
    cells = pd.concat(
        [measured(world, checkpoint) for checkpoint in range(len(world.steps))], ignore_index=True
    )
    chosen = layer_choice.at_chosen_layer(cells)
    table = summaries.onsets(chosen, ["seen", "self", "tgt"])
    truth = {"seen": world.onset, "self": 0.0, "tgt": 0.0}
    return table.assign(
        what="onset, a step" if world.ramp == world.scatter == 0 else "onset, a ramp", by=table["condition"],
        true=table["condition"].map(truth), reported=table["onset"], meeting_layer=world.meeting_layer, reading_layer=world.reading_layer, worlds=1,
    )[COLUMNS]  # fmt: skip


def coverage(world: World, worlds: int = 200, n: int = 500) -> dict[str, float]:
    """How often the 95 % interval of the onset covers the true one, over worlds that differ in
    their concepts: `covers`, with `low`, `high` (Wilson).
    """
    tokens = np.repeat(world.tokens, world.n_concepts)
    hits = 0
    for seed in range(worlds):
        curves = world.probability(GAIN * world.drawn(world.n_concepts, seed + 1))
        rows = pd.DataFrame(
            {
                "tokens": tokens,
                "source_concept": list(range(world.n_concepts)) * len(world.steps),
                "p_source": curves.ravel(),
            }
        )
        found = onset(rows, "p_source", step="tokens", n=n, seed=seed).iloc[0]
        hits += bool(found["low"] <= world.onset <= found["high"])
    low, high = binomtest(hits, worlds).proportion_ci(method="wilson")
    return {"covers": hits / worlds, "low": float(low), "high": float(high)}


def coverages(base: World = World(), worlds: int = 200) -> pd.DataFrame:
    """Coverage for every checkpoint but the first, of 24 and of 64 concepts."""
    rows = []
    for when in range(1, len(base.steps)):
        for concepts in (24, 64):
            world = replace(base, meets_from=when, n_concepts=concepts, **NOISE)
            found = coverage(world, worlds)
            rows.append(
                {
                    "what": "coverage",
                    "by": f"{concepts} concepts",
                    "meeting_layer": base.meeting_layer,
                    "reading_layer": base.reading_layer,
                }
                | {
                    "true": world.onset,
                    "reported": found["covers"],
                    "low": found["low"],
                    "high": found["high"],
                    "worlds": worlds,
                }
            )
    return pd.DataFrame(rows)[COLUMNS]


def table(base: World = World(), worlds: int = 200) -> pd.DataFrame:
    """All trials: every meeting and reading layer, every checkpoint as a step and (where the ramp
    fits) as a ramp, and coverage.

    Columns: `what`, `by`, `meeting_layer`, `reading_layer` (of the world), `true`, `reported`,
    `low`, `high`, `worlds` (1, or how many a rate is over).
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
