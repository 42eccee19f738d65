"""Trained worlds as data: `worlds.yaml` has bases, each a short training run and what is asked of
it, and worlds, each a base with some fields changed.

    bases:
      clones:
        asked: {pairs: [en-qaa], conditions: [seen, null_concept], steps: [0, 600], tasks: [facts]}
        parallel_share: 0          # fields of mix.yaml that the base changes
    worlds:
      clone: {base: clones}
      dose: {base: clones, parallel_share: 0.2}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from meanings.core.errors import MeaningsError, one_of
from meanings.core.yaml_files import validated
from meanings.miniature.recipe import Mix, checked_mix, read_recipe
from meanings.miniature.treatments import LETTERS

WORLDS = "worlds.yaml"
FIRST_BASE = "four"  # of worlds that name none
MERGED = ("model", "training", "clones")  # of these only the fields that are named change
FORM = (
    "expected `bases` with names, what is `asked` and fields of mix.yaml, and `worlds` with names, "
    "a `base` and the fields that each changes"
)


class Asked(BaseModel):
    """What is measured of every world of a base, at the same steps for all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pairs: tuple[str, ...] = ()  # patched, input-output
    conditions: tuple[str, ...] = ()  # of patching
    steps: tuple[int, ...] = Field(min_length=1)  # training steps that are measured
    measures: tuple[str, ...] = ()  # companion measures ...
    measured: tuple[int, ...] = ()  # ... at these steps; empty: at `steps`
    recovery: tuple[str, ...] = ()  # pairs whose recovery is measured at the end of training
    tasks: tuple[Literal["facts", "class"], ...] = ()  # zero-shot transfer, at the end of training

    @model_validator(mode="after")
    def _something(self) -> Asked:
        if not (self.pairs or self.measures):
            raise ValueError("name pairs to patch, or measures")
        if bool(self.pairs) != bool(self.conditions):
            raise ValueError("pairs and conditions of patching go together")
        return self


@dataclass(frozen=True)
class World:
    """A short training run and what is asked of it."""

    name: str
    base: str
    mix: Mix
    asked: Asked


def load_world(folder: Path, name: str) -> World:
    """The world of that name in `worlds.yaml`: `mix.yaml` beside it, with the fields of its base
    and then its own laid over it.

    Raises MeaningsError listing the worlds, or naming file, world, field and what is allowed.
    """
    content = _content(folder)
    path = folder / WORLDS
    if name not in content["worlds"]:
        raise MeaningsError(f"no world {name!r}: {path} has {one_of(content['worlds'])}")
    own = dict(content["worlds"][name])
    base = own.pop("base", FIRST_BASE)
    if base not in content["bases"]:
        raise MeaningsError(
            f"{path}: {name}: base {base!r} is not there; there are {one_of(content['bases'])}"
        )
    fields = dict(content["bases"][base])
    asked = validated(Asked, fields.pop("asked", {}), f"{path}: bases: {base}: asked: ")
    values = _laid_over(_laid_over(read_recipe(folder / "mix.yaml"), fields), own)
    mix = checked_mix(values, f"{path}: {name}")
    _check_asked(asked, mix, f"{path}: bases: {base}: asked")
    return World(name, base, mix, asked)


def world_names(folder: Path, base: str | None = None) -> tuple[str, ...]:
    """The names of the worlds, in the file's order; those of one base only, where it is given.

    Raises MeaningsError where the file is not of that form.
    """
    worlds = _content(folder)["worlds"]
    return tuple(
        name for name in worlds if base is None or worlds[name].get("base", FIRST_BASE) == base
    )


def _content(folder: Path) -> dict[str, Any]:
    content = read_recipe(folder / WORLDS)
    tables = [content.get(key) for key in ("bases", "worlds")]
    if set(content) != {"bases", "worlds"} or not all(
        isinstance(table, dict)
        and all(isinstance(k, str) and isinstance(v, dict) for k, v in table.items())
        for table in tables
    ):
        raise MeaningsError(f"{folder / WORLDS}: {FORM}")
    return content


def _laid_over(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return values | {
        field: values[field] | value
        if field in MERGED and isinstance(value, dict) and isinstance(values.get(field), dict)
        else value
        for field, value in changes.items()
    }


def _check_asked(asked: Asked, mix: Mix, where: str) -> None:
    """Raises MeaningsError on what could not be measured once the world is trained."""
    from meanings.measures.catalogue import measure_named
    from meanings.patching.conditions import condition

    steps = (*asked.steps, *asked.measured)
    lacking = [step for step in steps if step not in mix.training.checkpoints]
    if lacking:
        raise MeaningsError(
            f"{where}: step {lacking[0]} is no checkpoint of the training; these are "
            f"{one_of(mix.training.checkpoints)}"
        )
    for name in asked.measures:
        measure_named(name)
    for name in asked.conditions:
        condition(name)
    if asked.tasks and (mix.concepts is None or mix.concepts.categories > len(LETTERS)):
        raise MeaningsError(
            f"{where}: tasks {one_of(asked.tasks)} have {len(LETTERS)} classes: they need concepts "
            f"of {len(LETTERS)} categories at most; set concepts, or leave the tasks out"
        )
    for pair in (*asked.pairs, *asked.recovery):
        unknown = [code for code in pair.split("-") if code not in mix.seen_languages]
        if unknown:
            raise MeaningsError(
                f"{where}: pair {pair!r} names {unknown[0]!r}; the world's languages are "
                f"{one_of(mix.seen_languages)}"
            )
