"""Train the worlds of `worlds.yaml` and measure what is asked of them; what is there is not done
again.

    FOLDER/NAME/seed-SEED/     a training run
    FOLDER/results/            cells of patching and of companion measures, as of any study
    FOLDER/rows/               Parquet files of tasks, twin embeddings and cosines, one a run
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from meanings.core.atomic_files import atomic_file
from meanings.core.paths import data_folder
from meanings.core.status_line import Report, unreported
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.cell_files import cell_path
from meanings.miniature.corpus import Corpus, load_corpus
from meanings.miniature.run_folder import HALVES, SIGNS, run_tokenizer
from meanings.miniature.training import train
from meanings.miniature.worlds import World, load_world
from meanings.models.checkpoints import trajectory
from meanings.statistics.resampling import SEED_COLUMN
from meanings.study.grid import Grid
from meanings.study.plan import plan_study
from meanings.study.run import run_study

RESULTS, ROWS = "results", "rows"
OWN_ROWS = ("embeddings", "cosines", "text")  # of clones, at the end of training, beside the tasks
FIRST_LAYER = 1  # of clones: the first patched layer; the whole sweep is for the end of training


def finish_run(folder: Path, name: str, seed: int, report: Report = unreported) -> Path:
    """The folder of a world's training run, trained to the end and measured.

    - `report`: is told what is being done.

    Raises BeingTrained where another process trains it, and what training and measuring raise.
    """
    recipe, lexicon = data_folder() / "miniature", load_lexicon("embedded")
    world = load_world(recipe, name)
    home = folder / name / f"seed-{seed}"
    corpus = load_corpus(recipe, world.mix, lexicon)
    if not (home / "trajectory.json").is_file():
        train(corpus, seed, folder / name, progress=False, name=name, report=report)
    for grid in grids_of(world, home):
        report(f"measuring {', '.join(grid.measures)}", 0, 0)
        run_study(grid, folder / RESULTS, progress=False)
    if world.mix.clones is not None:
        for kind, rows in _own_rows(world, home, corpus):
            path = rows_path(folder, kind, name, seed)
            if not path.is_file():
                report(f"measuring {kind}", 0, 0)
                _write(pd.DataFrame(rows()), path, world, seed)
    return home


def grids_of(world: World, home: Path) -> tuple[Grid, ...]:
    """What is measured of a world's run, with its own lexicon.

    Clones are measured on the half of the concepts that no treatment touched, and patched on the
    other half too.
    """
    asked, run = world.asked, trajectory(home)
    common = {
        "model": str(home),
        "training_seeds": (run.training_seed,),
        "steps": tuple(sorted({*asked.steps, run.last.step})),
        "languages": run.seen,
    }
    patching = {"pairs": asked.pairs, "conditions": asked.conditions, "generate": 0}
    companion = {
        "steps": tuple(sorted(asked.measured)) or common["steps"],
        "measures": asked.measures,
    }
    if world.mix.clones is None:
        words = {**common, "lexicon": lexicon_of(home)}
        patched = [Grid(**words, **patching)] if asked.pairs else []
        others = [Grid(**{**words, **companion})] if asked.measures else []
        return (*patched, *others)
    halves = {half: str(home / name) for half, name in HALVES.items()}
    few = {"n_pairs": 48, "first_layers": (FIRST_LAYER,)}
    grids = [Grid(**common, **patching, **few, lexicon=halves[half]) for half in halves]
    if asked.measures:
        grids.append(Grid(**{**common, **companion}, lexicon=halves["untouched"]))
    return tuple(grids)


def lexicon_of(home: Path) -> str:
    """The lexicon of a run as a grid names it: signs of its own, or the embedded one."""
    return str(home / SIGNS) if (home / SIGNS).is_file() else "embedded"


def measured(folder: Path, world: World, home: Path) -> bool:
    """Whether all that is asked of a world is measured of this run."""
    seed = trajectory(home).training_seed
    plans = (plan_study(grid, folder / RESULTS) for grid in grids_of(world, home))
    cells = (key for plan in plans for key in plan.keys)
    rows = (rows_path(folder, kind, world.name, seed) for kind in (*world.asked.tasks, *OWN_ROWS))
    return all(cell_path(folder / RESULTS, key).is_file() for key in cells) and all(
        path.is_file() for path in rows
    )


def rows_path(folder: Path, kind: str, name: str, seed: int) -> Path:
    """Where the rows of one kind (such as `facts` or `embeddings`) of a run lie."""
    return folder / ROWS / f"{kind}-{name}-seed-{seed}.parquet"


def _own_rows(world: World, home: Path, corpus: Corpus) -> Iterator[tuple]:
    """Kinds of rows of clones, each with a function that measures them at the end of training."""
    from meanings.miniature.transfer import transfer_rows
    from meanings.miniature.twin_embeddings import embedding_rows
    from meanings.miniature.twins import text_rows
    from meanings.miniature.word_cosines import cosine_rows

    last = world.mix.training.steps
    for task in world.asked.tasks:
        yield task, lambda task=task: transfer_rows(home, last, task)
    own = (
        lambda: embedding_rows(home, last, corpus),
        lambda: cosine_rows(home, last),
        lambda: text_rows(corpus, run_tokenizer(home, corpus)),
    )
    yield from zip(OWN_ROWS, own, strict=True)


def _write(rows: pd.DataFrame, path: Path, world: World, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.insert(0, "world", world.name)
    rows.insert(1, SEED_COLUMN, seed)
    with atomic_file(path) as aside:
        rows.to_parquet(aside, index=False)
