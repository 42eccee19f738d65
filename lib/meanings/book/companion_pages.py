"""What a chapter on a companion measure reads: its rows, the world with nothing to share, and the
onset of patching beside which its curves stand.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from meanings.book import downloaded
from meanings.book.chapter_parameters import ChapterParameters, CompanionChapter, grid_of
from meanings.book.pages import READ_WITH
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.cell_files import cell_path
from meanings.measures.results import published, read_cells
from meanings.models.checkpoints import trajectory
from meanings.models.trajectories import Trajectory, seen_languages
from meanings.statistics import layer_choice, summaries
from meanings.statistics.companions import (
    PAIR,
    across,
    at_layer,
    floor_at,
    of_variant,
    over_seeds,
)
from meanings.statistics.resampling import SEED_COLUMN
from meanings.statistics.selection import followed, last_checkpoint

# What an onset is computed from: a cell, the layer that is patched, and the score.
ONSET = (
    "model", "training_seed", "step", "tokens", "pair", "prompt_seed", "source_concept",
    "condition", "first_layer", "p_source",
)  # fmt: skip
APART = "apart"  # the world of data/miniature/worlds.yaml whose languages share nothing


def run_of(page: ChapterParameters) -> Trajectory:
    """The training run that the page looks at."""
    return trajectory(page.model, page.training_seed)


def trained(page: ChapterParameters) -> tuple[str, ...]:
    """Codes of the lexicon's languages that the model was trained on."""
    return tuple(seen_languages(run_of(page), load_lexicon(page.lexicon)))


def shipped(measure: str, model: str, lexicon: str = "") -> pd.DataFrame | None:
    """The published rows of a measure for a model, of all training seeds; None where none ship.

    - `lexicon`: only where these words were measured, in the languages of the table; any, where
      none is named.
    """
    if not (data_folder() / "published" / f"{measure}.parquet").is_file():
        return None
    where = {"model": [model]}
    if lexicon:
        same = _hash_in_table(measure, where, lexicon)
        if not same:
            return None
        where |= {"lexicon_sha256": [same]}
    table = published(measure, where=where)
    return table if len(table) else None


def _hash_in_table(measure: str, where: dict, lexicon: str) -> str:
    """The hash that the lexicon has in the languages of a table, if the table has it, else ''."""
    columns = ["languages", "lexicon_sha256"]
    found = published(measure, columns, where).astype(str).drop_duplicates()
    words = load_lexicon(lexicon)
    for languages, there in found.itertuples(index=False):
        codes = languages.split()
        if set(codes) <= set(words.languages):
            if words.restrict(languages=codes).sha256 == there:
                return there
    return ""


def is_shipped(page: ChapterParameters) -> bool:
    """Whether published tables hold all that the page reads, so that nothing is to be measured."""
    if not isinstance(page, CompanionChapter):
        return False
    name = run_of(page).model
    if page.patches and not (data_folder() / "published" / f"{name}.parquet").is_file():
        return False
    return all(shipped(measure, name, page.lexicon) is not None for measure in page.measures)


def rows(page: CompanionChapter, measure: str, results: str | Path) -> tuple[pd.DataFrame, str]:
    """The rows of a measure, and what to call them: the published ones, of all training seeds,
    where the model has some; else those that were measured for the page.

    - `results`: the folder of cells, or a downloaded table (a Parquet file), which goes first; or
      a folder that holds the downloaded table of the measure.

    Raises MeaningsError where there are none.
    """
    beside = Path(results) if downloaded.is_table(results) else Path(results, f"{measure}.parquet")
    table, origin = shipped(measure, run_of(page).model, page.lexicon), "published table"
    if beside.is_file():
        table = downloaded.measure_rows(beside, measure, run_of(page).model)
        origin = "downloaded table"
    if table is None:
        table, origin = measured(page, measure, Path(results)), "measured for this page"
    table = _followed(table, page.pair)
    seeds, steps = table[SEED_COLUMN].nunique(), table["step"].nunique()
    runs = f"{seeds} training run{'s' * (seeds > 1)}"
    return table, f"{origin}: {runs}, {steps} checkpoints"


def measured(page: CompanionChapter, measure: str, folder: Path) -> pd.DataFrame:
    """The cells of a measure that were measured for the page.

    Raises MeaningsError where there are none.
    """
    from meanings.study.plan import plan_study

    grid = grid_of(page).model_copy(update={"measures": (measure,)})
    keys = [key for key in plan_study(grid, folder).keys if cell_path(folder, key).is_file()]
    if not keys:
        raise MeaningsError(
            f"{folder}: {measure} was not measured for these parameters yet; run the chapter "
            "through 'meanings chapter'"
        )
    return read_cells(folder, keys)


def _followed(table: pd.DataFrame, texts: Collection[str]) -> pd.DataFrame:
    """The rows of some language pairs, either way, and of their languages alone."""
    if not texts:
        return table
    wanted = {frozenset((pair.input, pair.output)) for pair in map(parse_pair, texts)}
    alone = {frozenset((code,)) for pair in wanted for code in pair} | {frozenset()}
    sets = [frozenset(filter(None, names)) for names in table[PAIR].astype(str).to_numpy()]
    return table[[each in wanted or each in alone for each in sets]]


def world(measure: str, name: str = APART) -> pd.DataFrame | None:
    """The published rows of a measure in a short miniature, None where none ship."""
    return shipped(measure, name)


def floor(
    curves: pd.DataFrame, other: pd.DataFrame | None, variant: str, layer: int = -1
) -> pd.DataFrame | None:
    """The level of a world with nothing to share at a page's checkpoints: `tokens`, `floor`, and
    whether they lie `beyond` the world's last step; None where there is no such world.

    - `other`: the world's rows of the measure.
    """
    if other is None:
        return None
    chosen = at_layer(across(of_variant(other, variant)), layer)
    levels = over_seeds(chosen, ["step"])
    steps = curves[["step", "tokens"]].drop_duplicates().sort_values("step")
    return floor_at(list(steps["step"]), levels).merge(steps, on="step")


def patching_onset(page: ChapterParameters) -> tuple[float, float] | None:
    """The interval of the onset of patching under `seen`, in tokens, from the published table of
    the page's model; None where none ships.

    It is of the pairs of trained languages that were patched at every checkpoint. At the last one
    there are more, and a height over those would not belong to the curve.
    """
    name = run_of(page).model
    if not (data_folder() / "published" / f"{name}.parquet").is_file():
        return None
    sha = load_lexicon(page.lexicon).sha256
    conditions = {"condition": ["seen", "null_concept"], "lexicon_sha256": [sha]}
    cells = published(name, ONSET, where=conditions)
    if cells.empty or cells["step"].nunique() < 2:
        return None
    cells = between(followed(cells), trained(page))
    moments = summaries.onsets(layer_choice.at_chosen_layer(cells), ["seen"])
    return float(moments["low"].iloc[0]), float(moments["high"].iloc[0])


def between(cells: pd.DataFrame, languages: Collection[str]) -> pd.DataFrame:
    """The cells of pairs of these languages."""
    known = set(languages)
    kept = {p: set(p.split("-")) <= known for p in cells["pair"].unique()}
    return cells[cells["pair"].astype(str).map(kept).astype(bool)]


def provenance(
    page: CompanionChapter, table: pd.DataFrame, source: str, unit: str = "concepts"
) -> pd.DataFrame:
    """The box at a chapter's end: what was measured, on what, with what; `what`, `value`.

    - `unit`: what intervals resample.
    """
    last = last_checkpoint(table)
    layers = (table["layer"].drop_duplicates() >= 0).sum()  # -1: read off the answer
    told = {
        "tables": source,
        "model": f"{run_of(page).model}, training seed {_values(table[SEED_COLUMN])}",
        "weights of the last checkpoint (sha256)": _values(last["weights_sha256"].astype(str), 12),
        "lexicon": f"{page.lexicon}, sha256 {_values(table['lexicon_sha256'].astype(str), 12)}",
        "grid": f"{table['step'].nunique()} checkpoints, {layers} layers, "
        f"{len(table[PAIR].drop_duplicates())} languages and language pairs",
        "null": f"{_values(table['permutations'])} permutations, seed {_values(table['seed'])}",
        "intervals": f"95 %, over {unit}; of a mean over training runs the outermost ends; of "
        "differences of values without intervals, over languages",
        "floating type": _values(table["dtype"].astype(str)),
        "read with": ", ".join(f"{name} {version(name)}" for name in READ_WITH),
    }
    return pd.DataFrame({"what": list(told), "value": list(told.values())}).set_index("what")


def _values(column: pd.Series, letters: int = 80) -> str:
    return ", ".join(sorted({str(value)[:letters] for value in column.unique()}))
