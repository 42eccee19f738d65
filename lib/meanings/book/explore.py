"""What the page *Explore* ships to its reader's browser: means, answers and companion readings of
published tables, as one small JSON that a plain script draws.

    models       for each model: checkpoints, layers, and by language pair and condition the mean
                 score at each checkpoint and first layer, with its interval
    answers      for each model and language pair: what the model said in each cell, with prompts
    instruments  companion measures of the miniature by language pair, checkpoint and layer

Scores are whole numbers out of a thousand: the page shows two decimals.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from meanings.core.paths import data_folder
from meanings.labels.label import LABELS, in_words
from meanings.labels.labeller import label_answers
from meanings.lexicon.languages import language, parse_pair
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.lexicon.relations import load_relations
from meanings.measures.results import published
from meanings.models.checkpoints import trajectory
from meanings.models.trajectories import seen_languages
from meanings.prompts.prompt import prompt_text
from meanings.statistics import instruments
from meanings.statistics.companions import PAIR
from meanings.statistics.instruments import INSTRUMENTS, PATCHING
from meanings.statistics.resampling import SEED_COLUMN, point_means, resampled_means, to_grid

MODELS = ("miniature", "gemma-3-270m")
RESAMPLES = 400
SCALE = 1000
CELL = ("pair", "condition", "step", "first_layer")
READ = (*CELL, "tokens", "source_concept", "p_source", SEED_COLUMN)


def whole(values: Any) -> list[int | None]:
    """Scores as whole numbers out of a thousand, one after another; None where there is none."""
    scaled = np.asarray(values, dtype=float).ravel() * SCALE
    return [None if np.isnan(each) else int(np.rint(each)) for each in scaled]


def blocks_of(
    table: pd.DataFrame, place: Sequence[str], columns: Sequence[str]
) -> dict[tuple[Any, ...], np.ndarray]:
    """The rows of `columns` of each place, in the table's order, places in theirs."""
    values = table[list(columns)].to_numpy()
    rows = table.reset_index(drop=True).groupby(list(place), observed=True).indices
    return {key: values[rows[key]] for key in sorted(rows)}


def means(model: str) -> dict[str, Any]:
    """The scores of a model: `runs`, `concepts`, `tokens` by checkpoint, `layers`, and `cells`: by
    `pair condition` and checkpoint, `[mean, low, high]` of each first layer one after another (of
    one, where the prompt is not patched).

    Intervals resample concepts and training runs.
    """
    cells = published(model, columns=list(READ))
    steps = cells[["step", "tokens"]].drop_duplicates().sort_values("step")
    grid = to_grid(cells, "p_source", list(CELL), "source_concept")
    drawn = resampled_means(grid.values, RESAMPLES)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    point = point_means(grid.values)
    table = grid.groups.assign(
        low=np.minimum(low, point), mean=point, high=np.maximum(high, point)
    ).sort_values(list(CELL))
    place = {step: number for number, step in enumerate(steps["step"])}
    found: dict[str, dict[int, list[int | None]]] = {}
    blocks = blocks_of(table, CELL[:3], ["mean", "low", "high"])
    for (pair, condition, step), rows in blocks.items():
        found.setdefault(f"{pair} {condition}", {})[place[step]] = whole(rows)
    return {
        "runs": len(grid.seeds),
        "concepts": len(grid.units),
        "tokens": [int(each) for each in steps["tokens"]],
        "layers": int(cells["first_layer"].max()) + 1,
        "cells": found,
    }


def answers(model: str) -> dict[str, Any]:
    """What a model said, of one training run: `words` and `labels` that occur, and by language pair
    the `source` and `target` concepts, their `prompts`, and `said`: by `condition checkpoint
    layer`, the number of the word, of the label and the score of each concept, one after another.

    Checkpoints are numbered as in `means`.
    """
    rows = published(f"{model}-answers")
    steps = sorted(published(model, columns=["step"])["step"].unique().tolist())
    lexicon = load_lexicon(str(rows["lexicon"].iloc[0]))
    labelled = label_answers(rows, lexicon, load_relations())
    words = sorted(set(labelled["answer"].astype(str)))
    number = {word: place for place, word in enumerate(words)}
    kinds = {name: place for place, name in enumerate(LABELS)}
    labelled = labelled.astype({"pair": str, "condition": str}).sort_values(["pair", "prompt"])
    numbered = labelled.assign(
        word=labelled["answer"].astype(str).map(number).to_numpy(),
        kind=labelled["label"].astype(str).map(kinds).to_numpy(),
        score=whole(labelled["p_source"]),
    )
    said: dict[str, dict[str, list[int]]] = {}
    place = ["pair", "condition", "step", "first_layer"]
    blocks = blocks_of(numbered, place, ["word", "kind", "score"])
    for (pair, condition, step, layer), block in blocks.items():
        cell = f"{condition} {steps.index(step)} {layer}"
        said.setdefault(pair, {})[cell] = block.ravel().tolist()
    pairs = {}
    for pair, own in labelled.groupby("pair"):
        one = own[own["condition"] == own["condition"].iloc[0]].drop_duplicates("prompt")
        pairs[pair] = {
            "source": one["source_concept"].astype(str).tolist(),
            "target": one["target_concept"].astype(str).tolist(),
            "prompts": _prompts(one, lexicon, str(pair)),
            "said": said[str(pair)],
        }
    return {
        "seed": int(rows[SEED_COLUMN].iloc[0]),
        "words": words,
        "labels": [in_words(name) for name in LABELS],
        "pairs": pairs,
    }


def _prompts(rows: pd.DataFrame, lexicon: Lexicon, pair: str) -> dict[str, list[str]]:
    """The target prompt and the source prompt of each concept pair, as the model reads them."""
    languages, found = parse_pair(pair), {}
    for side in ("source", "target"):
        found[side] = [
            prompt_text(lexicon, languages, concept, tuple(shots.split("|")), template)[0]
            for concept, shots, template in zip(
                rows[f"{side}_concept"].astype(str),
                rows[f"{side}_shots"].astype(str),
                rows["template"].astype(str),
                strict=True,
            )
        ]
    return found


def readings(model: str, languages: Sequence[str]) -> list[dict[str, Any]]:
    """Each companion instrument of a model, where it is published: `label`, `steps` (numbers of its
    tokens), and `cells`: by language pair and checkpoint, `[value, low, high, null]` of each layer
    one after another, means over training runs.
    """
    found = []
    for instrument in INSTRUMENTS:
        path = data_folder() / "published" / f"{instrument.measure}.parquet"
        if instrument is PATCHING or not path.is_file():
            continue
        table = published(instrument.measure, where={"model": [model]})
        rows = instruments.rows_of(table, instrument, languages)
        place = ["step", "tokens", *PAIR, "layer"]
        run = instruments.over_sets(rows, [*place, SEED_COLUMN])
        mean = run.groupby(place, observed=True).agg(
            value=("value", "mean"), low=("low", "min"), high=("high", "max"), null=("null", "mean")
        )
        found.append(_reading(instrument, mean.reset_index()))
    return found


def _reading(instrument: instruments.Instrument, mean: pd.DataFrame) -> dict[str, Any]:
    tokens = sorted(mean["tokens"].unique().tolist())
    cells: dict[str, dict[int, list[int | None]]] = {}
    ordered = mean.astype(dict.fromkeys(PAIR, str)).sort_values("layer")
    blocks = blocks_of(ordered, [*PAIR, "tokens"], ["value", "low", "high", "null"])
    for (a, b, moment), rows in blocks.items():
        key = f"{a}-{b}" if b else str(a)
        cells.setdefault(key, {})[tokens.index(moment)] = whole(rows)
    return {
        "label": instrument.label,
        "kind": instrument.kind,
        "tokens": [int(each) for each in tokens],
        "layers": sorted(int(each) for each in mean["layer"].unique()),
        "cells": cells,
    }


def data(models: Sequence[str] = MODELS) -> dict[str, Any]:
    """All that the page ships. Companion measures are those of the miniature, in the languages that
    it was trained on.
    """
    there = [each for each in models if (data_folder() / "published" / f"{each}.parquet").is_file()]
    lexicon = load_lexicon("embedded")
    trained = seen_languages(trajectory("miniature", 0), lexicon)
    return {
        "scale": SCALE,
        "languages": {code: language(code).name for code in lexicon.languages},
        "models": {model: means(model) for model in there},
        "answers": {model: answers(model) for model in there},
        "instruments": readings("miniature", trained),
    }


def element(content: dict[str, Any]) -> str:
    """HTML: the tables as JSON, and the place that `explore.js` fills. No word of the JSON can end
    the element that holds it.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return (
        f'<script type="application/json" id="explore-data">{text}</script>'
        '<div id="explorer"><p>Choosing needs JavaScript; the figure above does not.</p></div>'
    )
