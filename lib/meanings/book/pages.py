"""What a page reads and says: its typed parameters, its cells and published tables, and the
words it hands to its prose.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from meanings.book import chapter_parameters, chapters, downloaded
from meanings.book.chapter_parameters import ChapterParameters
from meanings.core.errors import MeaningsError
from meanings.core.formatting import unsigned_zeros
from meanings.core.paths import data_folder, parameters_file
from meanings.labels.label import in_words
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.cell_files import cell_path, read_metadata
from meanings.measures.results import published, read_cells
from meanings.models.checkpoints import trajectory
from meanings.statistics.resampling import RESAMPLES, SEED_COLUMN
from meanings.statistics.selection import described, followed, last_checkpoint
from meanings.study.grid import DEFAULT_PAIRS

READ_WITH = ("meanings", "pandas", "scipy", "seaborn", "sacrebleu")


def typed_parameters(name: str, values: Mapping[str, Any]) -> ChapterParameters:
    """Read the chapter's typed parameters from the notebook's variables. Raises MeaningsError where
    one is missing or invalid.
    """
    fields = chapters.chapter_class(name).model_fields
    missing = [key for key in fields if key not in values]
    if missing:
        raise MeaningsError(
            f"chapter {name}: the page's parameters cell lacks {', '.join(missing)}"
            "; add them to the cell"
        )
    return chapters.validated(
        name, {key: tuple(v) if isinstance(v := values[key], list) else v for key in fields}
    )


def as_published(name: str, root: str | Path = ".") -> ChapterParameters:
    """The parameters that the book's own page of this chapter has."""
    return chapters.read_parameters(name, parameters_file(name, Path(root)))


def measured(parameters: ChapterParameters, results: str | Path) -> pd.DataFrame:
    """The cells that were measured for these parameters, as one table, in the order of the plan.

    A cell is opened by its key: the hash of all that was asked, of the weights, the method and the
    floating type too. So cells of another model, dtype or version in the same folder are left
    alone, and the order in which files were written does not matter.

    - `results`: the folder of cells, or a page's downloaded table (a Parquet file).

    Raises MeaningsError where there are none.
    """
    if downloaded.is_table(results):
        return downloaded.cells(parameters, results)
    from meanings.study.plan import plan_study

    folder = Path(results)
    planned = plan_study(chapter_parameters.grid_of(parameters), folder).keys
    keys = [key for key in planned if cell_path(folder, key).is_file()]
    if not keys:
        raise MeaningsError(
            f"{folder}: nothing measured for these parameters yet; run 'meanings study', or the "
            "chapter through 'meanings chapter'"
        )
    return read_cells(folder, keys)


def shipped(parameters: ChapterParameters, pairs: Sequence[str] = ()) -> pd.DataFrame | None:
    """The published table of the same model, of all its training seeds and checkpoints; None where
    none ships.

    - `pairs`: of these language pairs; of all, where none are named.
    """
    name = trajectory(parameters.model, parameters.training_seed).model
    if not (data_folder() / "published" / f"{name}.parquet").is_file():
        return None
    same = {
        "lexicon_sha256": [load_lexicon(parameters.lexicon).sha256],
        "template": [parameters.template],
        "shots": [parameters.shots],
    }
    return published(name, where=same | ({"pair": pairs} if pairs else {}))


def widest(parameters: ChapterParameters, cells: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The published rows of the page's pairs, where there are any, else the page's own cells; and
    what to call it.
    """
    table = shipped(parameters, parameters.pair)
    if table is not None and len(table):
        return table, _label("published tables", table)
    return cells, _label("measured for this page", cells)


def broadest(parameters: ChapterParameters, cells: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """All published pairs where the page asks for the book's own, else the page's own cells; and
    what to call it.

    A page that was asked for other pairs shows these.
    """
    table = shipped(parameters) if parameters.pair == DEFAULT_PAIRS else None
    if table is not None and len(table):
        return table, _label("published tables", table)
    return cells, _label("measured for this page", cells)


def _label(origin: str, table: pd.DataFrame) -> str:
    n, curves = described(table), followed(table)["pair"].nunique()
    some = f" ({curves} of them at every checkpoint)" if curves < n["pairs"] else ""
    runs, checkpoints = n["seeds"], n["checkpoints"]
    return f"{origin}: training runs {runs}, checkpoints {checkpoints}, pairs {n['pairs']}{some}"


def answered_elsewhere(parameters: ChapterParameters) -> pd.DataFrame | None:
    """The published answers of the real model, where they are of the page's lexicon and the page is
    not that model's own.
    """
    name = "gemma-3-270m"
    if (
        trajectory(parameters.model, parameters.training_seed).model == name
        or not (data_folder() / "published" / f"{name}-answers.parquet").is_file()
    ):
        return None
    table = published(f"{name}-answers")
    return table if parameters.lexicon == "embedded" else None


def say(**texts: Any) -> pd.DataFrame | None:
    """Pass values to the page's prose, where `{glue:text}` with the same name shows them.

    In a notebook that is read without the book's packages they are returned as a table.
    """
    said = {name: unsigned_zeros(str(text)) for name, text in texts.items()}
    try:
        from myst_nb import glue
    except ImportError:
        return pd.DataFrame({"fact": list(said), "value": list(said.values())}).set_index("fact")
    for name, text in said.items():
        glue(name, text, display=False)
    return None


def provenance(
    parameters: ChapterParameters, table: pd.DataFrame, source: str, results: str | Path
) -> pd.DataFrame:
    """The box at a chapter's end: what was measured, on what, with what; `what`, `value`."""
    n, run = described(table), trajectory(parameters.model, parameters.training_seed)
    written = measured_with(table, results)
    rows = {
        "tables": source,
        "model": f"{run.model}, training seed {_values(table[SEED_COLUMN])}",
        "weights of the last checkpoint (sha256)": _hashes(
            last_checkpoint(table)["weights_sha256"]
        ),
        "lexicon": f"{parameters.lexicon}, sha256 {_hashes(table['lexicon_sha256'])}",
        "grid": ", ".join(
            f"{n[name]} {word}{'' if n[name] == 1 else 's'}"
            for name, word in (
                ("checkpoints", "checkpoint"),
                ("pairs", "pair"),
                ("conditions", "condition"),
                ("layers", "first layer"),
            )
        ),
        "prompts": f"seed {_values(table['prompt_seed'])}; {parameters.n_pairs} concept pairs; "
        f"{parameters.shots} few-shot examples; template {parameters.template}",
        "intervals": "95 %, percentile bootstrap over concepts and training seeds, "
        f"{RESAMPLES} resamples",
        "floating type": _values(table["dtype"].astype(str)),
        "measured with": _versions(written) or "see the published table",
        "read with": _versions({name: version(name) for name in READ_WITH}),
    }
    return pd.DataFrame({"what": list(rows), "value": list(rows.values())}).set_index("what")


def measured_with(table: pd.DataFrame, results: str | Path) -> dict[str, str]:
    """The versions of the packages that measured a table's first cell; empty where unknown."""
    if downloaded.is_table(results):
        return downloaded.versions(results)
    file = cell_path(Path(results), str(table["key"].iloc[0])) if "key" in table else Path()
    return read_metadata(file)["provenance"].get("versions", {}) if file.is_file() else {}


def _values(column: pd.Series) -> str:
    return ", ".join(str(value) for value in sorted(column.unique()))


def _hashes(column: pd.Series) -> str:
    return ", ".join(sorted({str(value)[:12] for value in column.unique()}))


def _versions(numbers: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items())


def listing(entries: Mapping[str, str], name: str, meaning: str) -> pd.DataFrame:
    """A table of labels and what they mean."""
    return pd.DataFrame(
        {name: [in_words(key) for key in entries], meaning: list(entries.values())}
    ).set_index(name)
