"""Results that look like a study's, without a model: for the tests of figures, chapters and the
book.

Curves rise over training and fall with the first patched layer, so that every figure and every
verdict has something to say.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.measures.cell_files import write_cell
from meanings.measures.cells import Cell
from meanings.patching.conditions import CONDITIONS
from stand_ins.cells import patching_cell

STEPS = (0, 100, 200, 400, 800, 1600, 3200, 6400)
PAIRS = ("fr-es", "es-fr", "en-de", "de-en", "fr-pl", "pl-fi")
SEEN = ("en", "fr", "de", "es", "it", "ru", "pl", "zh", "fi", "et", "yue")
SHARES = dict(
    zip(SEEN, (0.3, 0.14, 0.14, 0.14, 0.1, 0.05, 0.05, 0.04, 0.015, 0.015, 0.01), strict=True)
) | {"cy": 0.0, "sw": 0.0}
TOKENS_A_STEP = 8192
LEVELS = {"seen": 0.65, "en_en": 0.5, "self": 0.55, "tgt": 0.7}
N_LAYERS = 6


def rise(step: int, middle: float) -> float:
    """Logistic growth over the logarithm of the step."""
    return 1 / (1 + np.exp(-3 * (np.log(step + 1) - np.log(middle))))


def rows(lexicon: Lexicon, cell: Cell, n_prompts: int) -> pd.DataFrame:
    """The rows of one cell; the numbers depend on the cell only."""
    random = np.random.Generator(np.random.PCG64(int(cell.key[:12], 16)))
    layers = range(N_LAYERS) if CONDITIONS[cell.request.condition].patched else [-1]
    x, y = cell.request.pair.input, cell.request.pair.output
    concepts = lexicon.concepts
    drawn = (
        np.random.Generator(np.random.PCG64(cell.request.prompt_seed))
        .permutation(len(concepts))[: 3 * n_prompts]
        .reshape(3, -1)
    )
    trained = rise(cell.subject.step, 500 + 8 / (SHARES[y] + SHARES[x] + 0.01))
    skill = trained * (0.6 + 0.4 * min(1, SHARES[y] * 8))
    made = []
    for layer in layers:
        for prompt, (s, t, n) in enumerate(drawn.T):
            source, target, null = (concepts[i] for i in (s, t, n))
            depth = 1 if layer < 0 else 1 / (1 + np.exp(2 * (layer - N_LAYERS / 2)))
            noise = random.beta(20, 4)
            p_source = {
                "tgt_tgt": 0.003,
                "tgt_unpatched": 0.003,
                "null_concept": 0.004,
                "null_mean": 0.006,
            }.get(cell.request.condition)
            p_source = (
                p_source * random.random()
                if p_source
                else LEVELS.get(cell.request.condition, 0.9) * skill * depth * noise
            )
            kept = (
                0.9 if cell.request.condition in ("tgt_tgt", "tgt_unpatched") else 0.8 * (1 - depth)
            )
            p_target = 0.003 if cell.request.condition == "src_unpatched" else kept * skill * noise
            says = random.choice(
                ["source", "target", "copy", "other"], p=_shares(p_source, p_target)
            )
            answer = {
                "source": lexicon.word(source, y),
                "target": lexicon.word(target, y),
                "copy": lexicon.word(target, x),
                "other": "<b>x</b>",
            }[says]
            others = [code for code in cell.data.languages if code != y]
            made.append(
                {
                    "first_layer": layer,
                    "prompt": prompt,
                    "query": lexicon.word(target, x),
                    "source_concept": source,
                    "target_concept": target,
                    "null_concept": null,
                    "p_source": p_source,
                    "p_target": p_target,
                    "answer": answer,
                }
                | {
                    f"p_{concept}_{code}": 0.02 * random.random()
                    for concept in ("source", "target")
                    for code in others
                }
                | {
                    "answer_correct_source": says == "source",
                    "answer_correct_target": says == "target",
                }
            )
    return pd.DataFrame(made)


def _shares(p_source: float, p_target: float) -> list[float]:
    rest = max(0.0, 1 - p_source - p_target)
    shares = np.array([p_source, p_target, rest / 2, rest / 2])
    return list(shares / shares.sum())


def write_results(
    folder: Path,
    *,
    steps=STEPS,
    pairs=PAIRS,
    seeds=(0,),
    n_prompts: int = 16,
    prompt_seed: int = 42,
    weights: Mapping[int, str] | None = None,
    **other,
) -> None:
    """A results folder of synthetic cells: all conditions, pairs and steps of the fake miniature.

    - `weights`: the hash of each step's weights; `other`: fields of the cells, such as `dtype`.
    """
    lexicon = load_lexicon("embedded")
    for seed in seeds:
        for step in steps:
            for pair in pairs:
                for name in CONDITIONS:
                    if name == "self" and pair.endswith("-en"):
                        continue
                    answered = step == max(steps) or not CONDITIONS[name].patched
                    given = dict(
                        model="miniature",
                        training_seed=seed,
                        step=step,
                        tokens=step * TOKENS_A_STEP,
                        weights_sha256=(weights or {}).get(step, "0" * 64),
                        lexicon="embedded",
                        lexicon_sha256=lexicon.sha256,
                        languages=lexicon.languages,
                        pair=pair,
                        condition=name,
                        prompt_seed=prompt_seed,
                        n_pairs=64,
                        shots=5,
                        template="quoted",
                        seen_languages=tuple(sorted(SEEN)),
                        generate=8 if answered else 0,
                    )
                    cell = patching_cell(**given | other)
                    write_cell(
                        folder,
                        cell,
                        rows(lexicon, cell, n_prompts),
                        {"versions": {"python": "3.11.0", "torch": "2.13.0"}},
                    )


def write_trajectory(folder: Path, steps=STEPS) -> None:
    """The file that lists the fake miniature's checkpoints, and their (empty) folders."""
    folder.mkdir(parents=True)
    tiers = {
        code: "high"
        if share >= 0.1
        else "middle"
        if share >= 0.04
        else "low"
        if share
        else "unseen"
        for code, share in SHARES.items()
    }
    names = [f"step-{step:06d}" for step in steps]
    for name in names:
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps({"step": name}))
    content = {
        "model": "miniature",
        "training_seed": 0,
        "seen": list(SEEN),
        "languages": {
            code: {"tier": tiers[code], "share": share} for code, share in SHARES.items()
        },
        "checkpoints": [
            {"step": s, "tokens": s * TOKENS_A_STEP, "folder": n}
            for s, n in zip(steps, names, strict=True)
        ],
    }
    (folder / "trajectory.json").write_text(json.dumps(content, indent=1))
