"""What a page asks for: its typed parameters, the cells and published tables that it reads, and the
words it hands to its prose.
"""

from collections.abc import Mapping
from importlib.metadata import version
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from meanings.book import chapters
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.cells import LATER
from meanings.measures.results import cell_path, finished, published, read_cells, read_metadata
from meanings.models.checkpoints import trajectory
from meanings.statistics.resampling import RESAMPLES, SEED_COLUMN
from meanings.statistics.selection import described, followed, last_checkpoint
from meanings.study.grid import DEFAULT_PAIRS


def asked(name: str, values: Mapping[str, Any]) -> chapters.ChapterParameters:
    """The chapter's typed parameters, out of a page's variables. Raises MeaningsError where one is
    missing or refused.
    """
    fields = chapters.chapter_class(name).model_fields
    missing = [key for key in fields if key not in values]
    if missing:
        raise MeaningsError(
            f"chapter {name}: the page's parameters cell lacks {', '.join(missing)}"
        )
    return chapters.validated(
        name, {key: tuple(v) if isinstance(v := values[key], list) else v for key in fields}
    )


def as_published(name: str, root: str | Path = ".") -> chapters.ChapterParameters:
    """The parameters that the book's own page of this chapter has."""
    return chapters.read_parameters(name, Path(root) / "book" / "parameters" / f"{name}.yaml")


def measured(parameters: chapters.ChapterParameters, results: str | Path) -> pd.DataFrame:
    """The cells that were measured for these parameters, as one table.

    Where a model was trained again under its name, the cells written last count. Raises
    MeaningsError where there are none.
    """
    folder = Path(results)
    path = trajectory(parameters.model, parameters.training_seed)
    wanted = {
        "model": path.model,
        "training_seed": parameters.training_seed,
        "lexicon_sha256": load_lexicon(parameters.lexicon).sha256,
        "prompt_seed": parameters.prompt_seed,
        "shots": parameters.shots,
        "n_pairs": parameters.n_pairs,
        "template": parameters.template,
        "score": "first_token",
    } | LATER
    step = getattr(parameters, "step", None)
    steps = (
        set(path.thin(parameters.checkpoints).steps)
        if step is None
        else {path.last.step if step < 0 else step}
    )
    chosen: dict[tuple, tuple] = {}
    for key in finished(folder):
        cell = LATER | read_metadata(cell_path(folder, key))["cell"]
        if (
            any(cell[name] != value for name, value in wanted.items())
            or cell["step"] not in steps
            or cell["pair"] not in parameters.pair
        ):
            continue
        place = (cell["step"], cell["pair"], cell["condition"])
        rank = (cell["generate"] > 0, cell_path(folder, key).stat().st_mtime_ns, key)
        chosen[place] = max(chosen.get(place, (False, 0, "")), rank)
    if not chosen:
        raise MeaningsError(
            f"{folder}: nothing measured for these parameters yet; run 'meanings study', or the "
            "chapter through 'meanings chapter'"
        )
    return read_cells(folder, [key for _, _, key in chosen.values()])


def shipped(parameters: chapters.ChapterParameters) -> pd.DataFrame | None:
    """The published table of the same model, of all its training seeds and checkpoints; None where
    none ships.
    """
    name = trajectory(parameters.model, parameters.training_seed).model
    if not (data_folder() / "published" / f"{name}.parquet").is_file():
        return None
    table = published(name)
    same = (table["lexicon_sha256"] == load_lexicon(parameters.lexicon).sha256) & (
        table["template"] == parameters.template
    )
    return table[same & (table["shots"] == parameters.shots)]


def widest(parameters: chapters.ChapterParameters, cells: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The published rows of the page's pairs, where there are any, else the page's own cells; and
    what to call it.
    """
    table = shipped(parameters)
    if table is not None:
        table = table[table["pair"].isin(parameters.pair)]
        if len(table):
            return table, _label("published tables", table)
    return cells, _label("measured for this page", cells)


def broadest(
    parameters: chapters.ChapterParameters, cells: pd.DataFrame
) -> tuple[pd.DataFrame, str]:
    """All published pairs where the page asks for the book's own, else the page's own cells; and
    what to call it.

    A page that was asked for other pairs shows these.
    """
    table = shipped(parameters)
    if table is not None and len(table) and parameters.pair == DEFAULT_PAIRS:
        return table, _label("published tables", table)
    return cells, _label("measured for this page", cells)


def _label(origin: str, table: pd.DataFrame) -> str:
    n, curves = described(table), followed(table)["pair"].nunique()
    some = f" ({curves} of them at every checkpoint)" if curves < n["pairs"] else ""
    return f"{origin}: training runs {n['seeds']}, checkpoints {n['checkpoints']}, pairs {n['pairs']}{some}"


def answered_elsewhere(parameters: chapters.ChapterParameters) -> pd.DataFrame | None:
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


def say(**texts: Any) -> None:
    """Hands values to the page's prose, where `{glue:text}` with the same name shows them."""
    from myst_nb import glue

    for name, text in texts.items():
        glue(name, str(text), display=False)


def share_of_training(moment: Real, table: pd.DataFrame) -> str:
    """An onset in tokens as a clause."""
    if not np.isfinite(moment):
        return "within this training it has no onset"
    return f"half of that is there after {moment / table['tokens'].max():.0%} of the training"


def provenance(
    parameters: chapters.ChapterParameters, table: pd.DataFrame, source: str, results: str | Path
) -> pd.DataFrame:
    """The box at a chapter's end: what was measured, on what, with what. Columns `what`, `value`."""
    covered = described(table)
    path = trajectory(parameters.model, parameters.training_seed)
    hashes = sorted({str(h)[:12] for h in last_checkpoint(table)["weights_sha256"]})
    read_with = ", ".join(
        f"{name} {version(name)}"
        for name in ("meanings", "pandas", "scipy", "seaborn", "sacrebleu")
    )
    file = cell_path(Path(results), str(table["key"].iloc[0])) if "key" in table else Path()
    written = read_metadata(file)["provenance"].get("versions", {}) if file.is_file() else {}
    rows = {
        "tables": source,
        "model": f"{path.model}, training seed {', '.join(str(s) for s in sorted(table[SEED_COLUMN].unique()))}",
        "weights of the last checkpoint (sha256)": ", ".join(hashes),
        "lexicon": f"{parameters.lexicon}, sha256 {', '.join(sorted({str(h)[:12] for h in table['lexicon_sha256']}))}",
        "grid": f"{covered['checkpoints']} checkpoints, {covered['pairs']} pairs, {covered['conditions']} conditions, {covered['layers']} first layers",
        "prompts": f"seed {', '.join(str(s) for s in sorted(table['prompt_seed'].unique()))}; {parameters.n_pairs} concept pairs; {parameters.shots} solved lines; template {parameters.template}",
        "intervals": f"95 %, percentile bootstrap over concepts and training seeds, {RESAMPLES} resamples",
        "floating type": ", ".join(sorted(table["dtype"].astype(str).unique())),
        "measured with": ", ".join(f"{name} {number}" for name, number in written.items())
        or "see the published table",
        "read with": read_with,
    }
    return pd.DataFrame({"what": list(rows), "value": list(rows.values())}).set_index("what")


def listing(entries: Mapping[str, str], name: str, meaning: str) -> pd.DataFrame:
    """A table of names and what they mean."""
    return pd.DataFrame(
        {name: [key.replace("_", " ") for key in entries], meaning: list(entries.values())}
    ).set_index(name)


def verdict(condition: bool | np.bool_, yes: str, no: str) -> str:
    """One of two readings, whichever the numbers say."""
    return yes if condition else no
