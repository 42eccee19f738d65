"""What a study measures: a typed grid, read from YAML, checked against lexicon and model before
anything is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from meanings.core.errors import MeaningsError, one_of
from meanings.core.yaml_files import read_yaml, validated
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.measures.base import Checked
from meanings.measures.catalogue import measure_named
from meanings.measures.patching_settings import DEFAULT_PAIRS, All, PatchingSettings
from meanings.models.checkpoints import trajectory
from meanings.models.trajectories import Trajectory

__all__ = [
    "CHECKPOINTS",
    "DEFAULT_PAIRS",
    "MODEL",
    "TOKENIZER",
    "CheckedGrid",
    "Checkpoints",
    "Grid",
    "TokenizerWays",
    "check_grid",
    "parse_grid",
    "read_grid",
]

MODEL = "miniature, a model that `meanings models` lists, or a folder that holds trajectory.json"
Checkpoints = Annotated[int, Field(ge=2)] | Annotated[str, Field(min_length=1)]
CHECKPOINTS = (
    "how many, spread from the first to the last; or a rule such as: first 10, then every 5th, and "
    "the last; or default, the model's rule"
)
TOKENIZER = (
    "agreed: tokenizer.json as it stands, an error where transformers makes other tokens of a "
    "prompt; file: as it stands all the same; library: as transformers has it"
)
TokenizerWays = Literal["agreed", "file", "library"]
DTypes = Literal["float32", "float16", "bfloat16"]


class Subjects(BaseModel):
    """Which checkpoints are measured, on which words, by which measures."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model: str = Field("miniature", min_length=1, description=MODEL)
    training_seeds: tuple[int, ...] = Field(
        (0,), min_length=1, description="which training runs of the model"
    )
    checkpoints: Checkpoints = Field(8, description=CHECKPOINTS)
    steps: tuple[int, ...] = Field(
        (), description="these training steps instead; empty leaves it to `checkpoints`"
    )
    dtype: DTypes = Field("float32", description="floating type of the weights")
    tokenizer: TokenizerWays = Field("agreed", description=TOKENIZER)
    lexicon: str = Field(
        "embedded",
        min_length=1,
        description="embedded, targeted (with more words of several meanings), or the path of a "
        "word list",
    )
    languages: All | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        "all",
        description="all, or language codes: in these languages concepts are scored and kept apart",
    )
    measures: tuple[str, ...] = Field(
        ("patching",), min_length=1, description="what is measured of each checkpoint"
    )
    settings: dict[str, dict[str, Any]] = Field(
        {}, description="settings of measures beside patching, by the measure's name"
    )


class Grid(PatchingSettings, Subjects):
    """What a study measures: its checkpoints, and the settings of patching beside them; the
    defaults are the book's own grid.
    """


@dataclass(frozen=True)
class CheckedGrid:
    """A grid with what it names.

    - `lexicon`: restricted to the grid's languages; `trajectories`: each training seed's
      checkpoints of the grid.
    - `measures`: by name, each measure's checked settings and data.
    """

    grid: Grid
    lexicon: Lexicon
    trajectories: tuple[Trajectory, ...]
    measures: Mapping[str, Checked]


def read_grid(path: Path) -> Grid:
    """A grid from a YAML file. Raises MeaningsError, one line, on what is unknown, doubled or of
    the wrong type.
    """
    return read_yaml(path, Grid, noun="parameter")


def parse_grid(values: Mapping[Any, Any], where: str = "") -> Grid:
    """A grid from plain values, lists for tuples. Raises MeaningsError naming the parameter and
    what is allowed.
    """
    return validated(Grid, values, where, noun="parameter")


def check_grid(grid: Grid) -> CheckedGrid:
    """That model, lexicon and measures have what the grid asks for.

    Raises MeaningsError, one line, on a checkpoint, seed, language or measure that does not exist,
    a value that is named twice, and what a measure's own check refuses.
    """
    for name in ("training_seeds", "steps", "languages", "measures"):
        values = getattr(grid, name)
        if values != "all" and len(set(values)) < len(values):
            raise MeaningsError(f"{name} {one_of(values)}: one is named twice; name each once")
    settings = {name: _settings(grid, name) for name in grid.measures}
    if unused := sorted(set(grid.settings) - set(grid.measures)):
        raise MeaningsError(
            f"settings of {unused[0]!r}: it is not among the measures {one_of(grid.measures)}; add "
            "it there, or leave its settings out"
        )
    lexicon = load_lexicon(grid.lexicon)
    if grid.languages != "all":
        lexicon = lexicon.restrict(languages=grid.languages)
    runs = tuple(trajectory(grid.model, seed) for seed in grid.training_seeds)
    if any(run.training_seed != seed for run, seed in zip(runs, grid.training_seeds, strict=True)):
        raise MeaningsError(
            f"training_seeds {one_of(grid.training_seeds)}: {grid.model} holds training seed "
            f"{runs[0].training_seed} only; ask for this one"
        )
    chosen = tuple(_checkpoints(run, grid) for run in runs)
    checked = {
        name: measure_named(name).check(own, lexicon, runs) for name, own in settings.items()
    }
    return CheckedGrid(grid, lexicon, chosen, checked)


def _settings(grid: Grid, name: str) -> BaseModel:
    """A measure's settings: the grid itself where it has them, else what `settings` says."""
    wanted = measure_named(name).Settings
    if isinstance(grid, wanted):
        return grid
    return validated(wanted, grid.settings.get(name, {}), f"settings of {name!r}: ")


def _checkpoints(run: Trajectory, grid: Grid) -> Trajectory:
    if not grid.steps:
        return run.thin(grid.checkpoints)
    return replace(run, checkpoints=tuple(run.at(step) for step in sorted(grid.steps)))
