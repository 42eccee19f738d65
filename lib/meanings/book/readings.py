"""From cells on disk to the small tables that a chapter draws and writes about. Nothing here measures, nothing needs torch."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from meanings.book import chapters
from meanings.cells import LATER
from meanings.checkpoints import trajectory
from meanings.errors import MeaningsError
from meanings.folders import data_folder
from meanings.lexicon import load_lexicon
from meanings.onset import onset
from meanings.results import cell_path, finished, published, read_cells, read_metadata
from meanings.statistics import SEED_COLUMN, interval, paired_difference, split_half_best_layer

PATCHED = ("seen", "en_en", "self", "tgt")
NULLS = ("null_concept", "null_mean")
UNPATCHED = ("src_unpatched", "tgt_unpatched")
RESAMPLES = 1000  # more would change an interval's ends in the third decimal


def asked(name: str, values: Mapping[str, Any]) -> chapters.ChapterParameters:
    """The chapter's typed parameters, out of a page's variables. Raises MeaningsError where one is missing or refused."""
    fields = chapters.chapter_class(name).model_fields
    missing = [key for key in fields if key not in values]
    if missing:
        raise MeaningsError(f"chapter {name}: the page's parameters cell lacks {', '.join(missing)}")
    return chapters.validated(name, {key: tuple(v) if isinstance(v := values[key], list) else v for key in fields})


def as_published(name: str, root: str | Path = ".") -> chapters.ChapterParameters:
    """The parameters that the book's own page of this chapter has."""
    return chapters.read_parameters(name, Path(root) / "book" / "parameters" / f"{name}.yaml")


def measured(parameters: chapters.ChapterParameters, results: str | Path) -> pd.DataFrame:
    """The cells that were measured for these parameters, as one table.

    Where a model was trained again under its name, the cells written last count. Raises MeaningsError where there are none.
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
    steps = set(path.thin(parameters.checkpoints).steps) if step is None else {path.last.step if step < 0 else step}
    chosen: dict[tuple, tuple] = {}
    for key in finished(folder):
        cell = LATER | read_metadata(cell_path(folder, key))["cell"]
        if any(cell[name] != value for name, value in wanted.items()) or cell["step"] not in steps or cell["pair"] not in parameters.pair:
            continue
        place = (cell["step"], cell["pair"], cell["condition"])
        rank = (cell["generate"] > 0, cell_path(folder, key).stat().st_mtime_ns, key)
        chosen[place] = max(chosen.get(place, (False, 0, "")), rank)
    if not chosen:
        raise MeaningsError(f"{folder}: nothing measured for these parameters yet; run 'meanings study', or the chapter through 'meanings chapter'")
    return read_cells(folder, [key for _, _, key in chosen.values()])


def shipped(parameters: chapters.ChapterParameters) -> pd.DataFrame | None:
    """The published table of the same model, of all its training seeds and checkpoints; None where none ships."""
    name = trajectory(parameters.model, parameters.training_seed).model
    if not (data_folder() / "published" / f"{name}.parquet").is_file():
        return None
    table = published(name)
    same = (table["lexicon_sha256"] == load_lexicon(parameters.lexicon).sha256) & (table["template"] == parameters.template)
    return table[same & (table["shots"] == parameters.shots)]


def at_chosen_layer(table: pd.DataFrame, first_layer: int = -1, value: str = "p_source", seed: int = 0) -> pd.DataFrame:
    """One first patched layer for each condition, and the unpatched rows as they are.

    - `first_layer`: that layer; -1 chooses each condition's best on half of the concepts and reports the other half. The
      nulls and `tgt_tgt` take the layers chosen for `seen`, so that they are not given a choice of their own.
    """
    patched = table[table["first_layer"] >= 0]
    parts = [table[table["first_layer"] < 0]]
    if first_layer >= 0:
        layers = sorted(patched["first_layer"].unique())
        if first_layer not in layers:
            raise MeaningsError(f"first_layer={first_layer}: the model's layers run from {layers[0]} to {layers[-1]}")
        return pd.concat([*parts, patched[patched["first_layer"] == first_layer]], ignore_index=True)
    own = patched[patched["condition"].isin(PATCHED)]
    for name in own["condition"].unique():
        parts.append(split_half_best_layer(own[own["condition"] == name], value, seed=seed))
    lead = "seen" if "seen" in set(own["condition"]) else str(own["condition"].iloc[0])
    best = next(part for part in parts[1:] if (part["condition"] == lead).all())
    layer_of = best.drop_duplicates("source_concept").set_index("source_concept")["best_layer"]
    rest = patched[~patched["condition"].isin(PATCHED)]
    follows = rest["source_concept"].astype(object).map(layer_of)
    parts.append(rest[rest["first_layer"] == follows])
    return pd.concat(parts, ignore_index=True)


def layer_chosen(chosen: pd.DataFrame, condition: str = "seen") -> str:
    """The layers that were chosen for a condition, as text: `4`, or `4 and 5` where the halves differ."""
    layers = sorted(chosen.loc[chosen["condition"] == condition, "first_layer"].unique())
    return " and ".join(str(layer) for layer in layers)


def curves(chosen: pd.DataFrame, conditions: Sequence[str], by: Sequence[str] = ("condition", "tokens"), value: str = "p_source") -> pd.DataFrame:
    """Means and intervals by condition and training tokens, in the order of `conditions`."""
    rows = chosen[chosen["condition"].isin(conditions)]
    table = interval(rows, value, list(by), n=RESAMPLES)
    order = {name: place for place, name in enumerate(conditions)}
    if "condition" in by:
        table = table.assign(condition=table["condition"].astype(str))
        table = table.sort_values("condition", key=lambda column: column.map(order), kind="stable")
    return table.reset_index(drop=True)


def widest(parameters: chapters.ChapterParameters, cells: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The published rows of the page's pairs, where there are any, else the page's own cells; and what to call it."""
    table = shipped(parameters)
    if table is not None:
        table = table[table["pair"].isin(parameters.pair)]
        if len(table):
            return table, _label("published tables", table)
    return cells, _label("measured for this page", cells)


def broadest(parameters: chapters.ChapterParameters, cells: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """All published pairs where the page asks for the book's own, else the page's own cells; and what to call it.

    A page that was asked for other pairs shows these.
    """
    table = shipped(parameters)
    if table is not None and len(table) and parameters.pair == chapters.DEFAULT_PAIRS:
        return table, _label("published tables", table)
    return cells, _label("measured for this page", cells)


def _label(origin: str, table: pd.DataFrame) -> str:
    n, curves = described(table), followed(table)["pair"].nunique()
    some = f" ({curves} of them at every checkpoint)" if curves < n["pairs"] else ""
    return f"{origin}: training runs {n['seeds']}, checkpoints {n['checkpoints']}, pairs {n['pairs']}{some}"


def followed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the pairs that were measured at every checkpoint: means over training are of these, the same pairs throughout."""
    checkpoints = table.groupby("pair", observed=True)["step"].nunique()
    return table[table["pair"].isin(checkpoints.index[checkpoints == table["step"].nunique()])]


def stack(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tables one under the other."""
    return pd.concat(tables, ignore_index=True)


def answered_elsewhere(parameters: chapters.ChapterParameters) -> pd.DataFrame | None:
    """The published answers of the real model, where they are of the page's lexicon and the page is not that model's own."""
    name = "gemma-3-270m"
    if trajectory(parameters.model, parameters.training_seed).model == name or not (data_folder() / "published" / f"{name}-answers.parquet").is_file():
        return None
    table = published(f"{name}-answers")
    return table if parameters.lexicon == "embedded" else None


def say(**texts: Any) -> None:
    """Hands values to the page's prose, where `{glue:text}` with the same name shows them."""
    from myst_nb import glue

    for name, text in texts.items():
        glue(name, str(text), display=False)


def one(table: pd.DataFrame, **where: Any) -> pd.Series:
    """The one row with these values. Raises MeaningsError where there is none, or more."""
    rows = table
    for name, value in where.items():
        rows = rows[rows[name].astype(type(value)) == value]
    if len(rows) != 1:
        raise MeaningsError(f"{len(rows)} rows with {where}; expected one")
    return rows.iloc[0]


def onsets(chosen: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """Onset of P(source) of each condition, in training tokens, over the floor of the wrong-concept null at the end.

    Columns `condition`, `onset`, `low`, `high`, `plateau`, `share_reached`. Source of the definition: `meanings.onset`.
    """
    rows = chosen[chosen["condition"].isin(conditions)].assign(condition=lambda t: t["condition"].astype(str))
    null = chosen[(chosen["condition"] == "null_concept") & (chosen["tokens"] == chosen["tokens"].max())]["p_source"]
    floor = float(null.mean()) if len(null) else 0.0
    table = onset(rows, "p_source", ["condition"], step="tokens", floor=floor, n=RESAMPLES)
    return table.set_index("condition").loc[[c for c in conditions if c in set(table["condition"])]].reset_index()


def share_of_training(moment: Real, table: pd.DataFrame) -> str:
    """An onset in tokens as a clause."""
    if not np.isfinite(moment):
        return "within this training it has no onset"
    return f"half of that is there after {moment / table['tokens'].max():.0%} of the training"


def last_checkpoint(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last checkpoint."""
    return table[table["tokens"] == table["tokens"].max()]


def split_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """The table with columns `input` and `output` from `pair`."""
    halves = table["pair"].astype(str).str.split("-", n=1)
    return table.assign(input=halves.str[0], output=halves.str[1])


def described(table: pd.DataFrame) -> dict[str, Any]:
    """What a table covers, for prose: counts of checkpoints, pairs, concepts, training seeds, and layers."""
    return {
        "checkpoints": table["step"].nunique(),
        "pairs": table["pair"].nunique(),
        "concepts": table["source_concept"].nunique(),
        "seeds": table[SEED_COLUMN].nunique(),
        "layers": int(table["first_layer"].max()) + 1,
        "conditions": table["condition"].nunique(),
    }


def provenance(parameters: chapters.ChapterParameters, table: pd.DataFrame, source: str, results: str | Path) -> pd.DataFrame:
    """The box at a chapter's end: what was measured, on what, with what. Columns `what`, `value`."""
    covered = described(table)
    path = trajectory(parameters.model, parameters.training_seed)
    hashes = sorted({str(h)[:12] for h in last_checkpoint(table)["weights_sha256"]})
    read_with = ", ".join(f"{name} {version(name)}" for name in ("meanings", "pandas", "scipy", "seaborn", "sacrebleu"))
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
        "measured with": ", ".join(f"{name} {number}" for name, number in written.items()) or "see the published table",
        "read with": read_with,
    }
    return pd.DataFrame({"what": list(rows), "value": list(rows.values())}).set_index("what")


def listing(entries: Mapping[str, str], name: str, meaning: str) -> pd.DataFrame:
    """A table of names and what they mean."""
    return pd.DataFrame({name: [key.replace("_", " ") for key in entries], meaning: list(entries.values())}).set_index(name)


def verdict(condition: bool | np.bool_, yes: str, no: str) -> str:
    """One of two readings, whichever the numbers say."""
    return yes if condition else no


def above(table: pd.DataFrame, a: str, b: str) -> bool:
    """Whether P(source) under condition `a` lies above that under `b`, concept by concept: the interval of the difference is above zero."""
    return bool(paired_difference(table, "p_source", a, b, n=RESAMPLES)["low"].iloc[0] > 0)
