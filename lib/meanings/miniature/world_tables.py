"""The published tables of the trained worlds.

worlds.parquet              cells of the worlds of four natural languages, every seed and checkpoint
MEASURE.parquet             their companion measures, added to the table that the miniature has
reach.csv                   recovery at the end of their training, with verdict and attention
gender.parquet              of planted worlds, beside the rows of the miniature
clones-patching.parquet     P of the source concept in the clones, one row a prompt
clones-retrieval.parquet    and clones-cka.parquet: companion measures of untouched concepts
clones-tasks.parquet        zero-shot transfer, one row a task, language and concept
clones-embeddings.parquet   retrieval of twin tokens' input embeddings
clones-cosines.parquet      likeness of words' states, by what two words have in common
clones-text.parquet         which blocks of signs the tokens of the training text belong to
clones-training.parquet     tokens and processor seconds up to each checkpoint
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.measures.results import read_cells
from meanings.miniature.run_folder import HALVES, seconds_of
from meanings.miniature.world_runs import RESULTS, ROWS, grids_of, lexicon_of, measured
from meanings.miniature.worlds import World, load_world, world_names
from meanings.models.checkpoints import trajectory
from meanings.statistics.recovery import recovery_row, write_recovery
from meanings.statistics.resampling import SEED_COLUMN
from meanings.study.plan import plan_study
from meanings.study.publish import MEASURE, publish, publish_each

DIGITS = 5  # of probabilities and similarities
SHIPPED = ("en-fr", "de-en", "fr-es", "en-fi")  # recovery of the shipped miniature, for comparison
PATCHED = ("training_seed", "step", "half", "pair", "condition", "source_concept", "p_source")
COMPANION = ("training_seed", "step", "variant", "layer", "language_a", "language_b", "split")
VALUES = ("value", "null", "null_low", "null_high", "n")


def publish_worlds(folder: Path, base: str, seeds: Sequence[int]) -> list[Path]:
    """Write the tables of a base from its finished runs in `folder`; the paths.

    Of clones, the runs that are there, beside those that are published already and not here; of
    natural languages, all are needed.

    Raises MeaningsError where there are none, or one is trained and not yet measured.
    """
    recipe = data_folder() / "miniature"
    runs = [
        (world, folder / name / f"seed-{seed}")
        for name in world_names(recipe, base)
        for world in [load_world(recipe, name)]
        for seed in seeds
        if (folder / name / f"seed-{seed}" / "trajectory.json").is_file()
    ]
    if not runs:
        raise MeaningsError(
            f"{folder}: no finished run of {base}; run 'meanings miniature worlds' first"
        )
    if not runs[0][0].asked.pairs:
        return _companions(folder, runs)
    if runs[0][0].mix.clones is None:
        return _natural(folder, runs)
    return _cloned(folder, runs)


def _natural(folder: Path, runs: Sequence[tuple[World, Path]]) -> list[Path]:
    patched = [key for run in runs for key in _keys(*run, folder, ("patching",))]
    rows = [
        recovery_row(trajectory(home), lexicon_of(home), pair)
        for world, home in runs
        for pair in world.asked.recovery
    ]
    rows += [recovery_row(trajectory("miniature"), "embedded", pair) for pair in SHIPPED]
    table = publish(folder / RESULTS, "worlds", patched)
    return [table, *_companions(folder, runs), write_recovery(rows)]


def _companions(folder: Path, runs: Sequence[tuple[World, Path]]) -> list[Path]:
    """Their companion measures, added to the table of each measure."""
    keys = [key for run in runs for key in _keys(*run, folder, run[0].asked.measures)]
    return publish_each(folder / RESULTS, MEASURE, keys, add=True) if keys else []


def _cloned(folder: Path, runs: Sequence[tuple[World, Path]]) -> list[Path]:
    patched, companions, trained = [], {}, []
    for world, home in runs:
        if not measured(folder, world, home):
            raise MeaningsError(
                f"{home}: trained, but not all that is asked of it is measured; run 'meanings "
                f"miniature worlds {world.name} --seeds {trajectory(home).training_seed}' first"
            )
        for grid, half in zip(grids_of(world, home), (*HALVES, ""), strict=False):
            cells = plan_study(grid, folder / RESULTS).keys
            if half:
                patched.append(_patched(read_cells(folder / RESULTS, cells), world, half))
                continue
            for measure in grid.measures:
                own = plan_study(grid.model_copy(update={"measures": (measure,)}), folder / RESULTS)
                table = read_cells(folder / RESULTS, own.keys)
                companions.setdefault(measure, []).append(_companion(table, world))
        trained.append(_trained(world, home))
    tables = {"patching": patched, **companions, "training": trained}
    tables["tasks"] = list(_tasks(folder, runs))
    for name in ("embeddings", "cosines", "text"):
        tables[name] = list(_rows(folder, (name,), runs))
    return [_write(pd.concat(parts), name) for name, parts in tables.items() if parts]


def _keys(world: World, home: Path, folder: Path, measures: tuple[str, ...]) -> Iterable[str]:
    """Keys of a run's cells of these measures, as far as they are asked of its world."""
    for grid in grids_of(world, home):
        if own := tuple(name for name in grid.measures if name in measures):
            yield from plan_study(grid.model_copy(update={"measures": own}), folder / RESULTS).keys


def _patched(cells: pd.DataFrame, world: World, half: str) -> pd.DataFrame:
    table = cells.assign(half=half)[list(PATCHED)]
    table.insert(0, "world", world.name)
    return table


def _companion(cells: pd.DataFrame, world: World) -> pd.DataFrame:
    kept = [name for name in (*COMPANION, *VALUES) if name in cells]
    table = cells[kept]
    table.insert(0, "world", world.name)
    return table


def _trained(world: World, home: Path) -> pd.DataFrame:
    run, seconds = trajectory(home), seconds_of(home)
    return pd.DataFrame(
        [
            {
                "world": world.name,
                "training_seed": run.training_seed,
                "step": checkpoint.step,
                "tokens": checkpoint.tokens,
                "seconds": seconds[str(checkpoint.step)],
            }
            for checkpoint in run.checkpoints
        ]
    )


def _tasks(folder: Path, runs: Sequence[tuple[World, Path]]) -> Iterable[pd.DataFrame]:
    from meanings.miniature.transfer import TASKS, shared_pieces

    for run in runs:
        pieces = shared_pieces(run[1])
        for rows in _rows(folder, TASKS, [run]):
            places = zip(rows["language"], rows["concept"], strict=True)
            yield rows.assign(pieces=[pieces[place] for place in places])


def _rows(
    folder: Path, kinds: Iterable[str], runs: Sequence[tuple[World, Path]]
) -> Iterable[pd.DataFrame]:
    for kind in kinds:
        for world, home in runs:
            path = folder / ROWS / f"{kind}-{world.name}-{home.name}.parquet"
            if path.is_file():
                yield pd.read_parquet(path)


def _write(table: pd.DataFrame, name: str) -> Path:
    """Write `data/published/clones-NAME.parquet`, numbers rounded, text dictionary-coded; rows of
    published runs that are not among these stay.
    """
    path = data_folder() / "published" / f"clones-{name}.parquet"
    table = _joined(table, path)
    for column in table.select_dtypes("float"):
        table[column] = table[column].round(DIGITS).astype("float32")
    for column in table.select_dtypes(["object", "string"]):
        table[column] = table[column].astype("category")
    with atomic_file(path) as aside:
        table.to_parquet(aside, index=False, compression="zstd", compression_level=15)
    return path


def _joined(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The table with the rows of a published one whose runs it lacks, in the order of the recipe's
    worlds; worlds that the recipe no longer has go.
    """
    run = ["world", SEED_COLUMN]
    if path.is_file():
        known = pd.read_parquet(path)
        known = known.astype({n: str for n in known.select_dtypes("category").columns})
        here = set(table[run].itertuples(index=False, name=None))
        other = [key not in here for key in known[run].itertuples(index=False, name=None)]
        table = pd.concat([table, known[other]])
    order = {name: place for place, name in enumerate(world_names(data_folder() / "miniature"))}
    table = table[table["world"].isin(order)]
    places = table["world"].map(order)
    table = table.assign(_place=places).sort_values(["_place", SEED_COLUMN], kind="stable")
    return table.drop(columns="_place").reset_index(drop=True)
