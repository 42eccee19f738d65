"""Train the short miniatures, ask all of them the same, and publish what they answer.

    data/published/worlds.parquet   cells: P(source) of every world, training seed, checkpoint, pair, condition and first layer
    data/published/reach.csv        means of `meanings.reach` at the end of training, with intervals, verdict and attention
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from ..checkpoints import Trajectory, trajectory
from ..errors import MeaningsError
from ..folders import data_folder
from ..grid import Grid
from ..languages import parse_pair
from ..lexicon import Lexicon, load_lexicon
from ..models import PatchableModel
from ..prompts import merged_query_words, translation_prompt
from ..pairing import draw_concept_pairs
from ..reach import STEPS, attention_to_query, reach, verdict
from ..publish import publish
from ..statistics import interval
from ..study import plan_study, run_study
from .corpus import load_corpus
from .mix import load_world, world_names
from .training import SIGNS, train

PAIRS = ("en-fr", "de-en", "en-es")
REACHED = ("en-fr", "de-en")  # pairs whose reach is asked
STEPS_MEASURED = (0, 200, 400, 600, 1000)
CONDITIONS = ("seen", "tgt", "null_concept", "src_unpatched")
MEASURES = (*STEPS, "seen", "null_concept")
ATTENDING = 16  # prompts over which attention is averaged


def train_worlds(folder: Path, names: Iterable[str], seeds: Iterable[int], progress: bool = True) -> list[Path]:
    """Train what is not trained, into `folder/WORLD/seed-SEED`; the trajectories' folders."""
    recipe, lexicon = data_folder() / "miniature", load_lexicon("embedded")
    homes = []
    for seed in seeds:
        for name in names:
            home = folder / name / f"seed-{seed}"
            if not (home / "trajectory.json").is_file():
                train(load_corpus(recipe, load_world(recipe, name), lexicon), seed, folder / name, progress, name=name)
            homes.append(home)
    return homes


def grid_of(home: Path) -> Grid:
    """What every short miniature is asked: the same pairs, conditions and moments, in its own words."""
    run = trajectory(home)
    return Grid(
        model=str(home),
        training_seeds=(run.training_seed,),
        steps=STEPS_MEASURED,
        lexicon=words_of(home),
        languages=run.seen,
        pairs=PAIRS,
        conditions=CONDITIONS,
        generate=0,
    )


def words_of(home: Path) -> str:
    """The lexicon of a run: signs of its own, or the embedded one."""
    return str(home / SIGNS) if (home / SIGNS).is_file() else "embedded"


def measure_worlds(homes: Sequence[Path], out: Path, progress: bool = True) -> list[str]:
    """Measure what is missing of all runs into `out`; the keys of all cells."""
    keys: list[str] = []
    for home in homes:
        run_study(grid_of(home), out, progress=progress)
        keys += plan_study(grid_of(home), out).keys
    return keys


def publish_worlds(folder: Path, seeds: Sequence[int] = (0, 1, 2), progress: bool = True) -> list[Path]:
    """Train, measure and write both tables, with the shipped miniature beside the short ones in `reach.csv`."""
    homes = train_worlds(folder, world_names(data_folder() / "miniature"), seeds, progress)
    table = publish(folder / "results", "worlds", measure_worlds(homes, folder / "results", progress))
    rows = [reach_of(trajectory(home), words_of(home), pair) for home in homes for pair in REACHED]
    rows += [reach_of(trajectory("miniature"), "embedded", pair) for pair in (*REACHED, "fr-es", "en-fi")]
    return [table, write_reach(rows)]


def write_reach(rows: Sequence[dict]) -> Path:
    """`data/published/reach.csv`, one row a model, training seed and pair."""
    path = data_folder() / "published" / "reach.csv"
    aside = path.with_suffix(f".{os.getpid()}.aside")
    pd.DataFrame(rows).to_csv(aside, index=False, float_format="%.5g", lineterminator="\n")
    os.replace(aside, path)
    return path


def reach_of(run: Trajectory, words: str, pair: str, n_pairs: int = 64) -> dict:
    """One row: means with intervals over concepts, the verdict, and the attention of the layer and head with most of it.

    Raises MeaningsError where the lexicon lacks a language of the pair.
    """
    model = run.last.load()
    lexicon = load_lexicon(words)
    lexicon = lexicon.restrict(languages=[code for code in lexicon.languages if code in run.seen])
    languages = parse_pair(pair)
    if not {languages.input, languages.output} <= set(lexicon.languages):
        raise MeaningsError(f"pair {pair!r}: {run.model} was trained on {', '.join(lexicon.languages)}; choose two of these")
    rows = reach(model, lexicon, languages, run.seen, n_pairs=n_pairs)
    row: dict = {"model": run.model, "training_seed": run.training_seed, "step": run.last.step, "pair": pair, "n_pairs": n_pairs}
    for name in MEASURES:
        found = interval(rows.dropna(subset=name), name).iloc[0] if rows[name].notna().any() else {}
        row |= {name: found.get("mean"), f"{name}_low": found.get("low"), f"{name}_high": found.get("high")}
    attention = attending(model, lexicon, pair)
    layer, head = divmod(int(attention.argmax()), attention.shape[1])
    row |= {"attention": float(attention.max()), "attention_layer": layer, "attention_head": head}
    row |= {f"attention_{i}": float(value) for i, value in enumerate(attention.amax(1))}
    return row | {"verdict": verdict(rows)}


def attending(model: PatchableModel, lexicon: Lexicon, pair: str):
    """Attention of the answer's position to the query word, by layer and head, over a few prompts."""
    merged = {c for concepts in merged_query_words(lexicon, model.tokenizer, lexicon.languages).values() for c in concepts}
    usable = lexicon.restrict(concepts=[c for c in lexicon.concepts if c not in merged])
    drawn = draw_concept_pairs(usable, model.tokenizer, lexicon.languages, ATTENDING, 5, 42)
    return attention_to_query(model, [translation_prompt(lexicon, model.tokenizer, parse_pair(pair), d.source, d.target_shots) for d in drawn])
