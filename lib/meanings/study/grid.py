"""What a study measures: a typed grid, read from YAML, checked against lexicon and model before
anything is run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from meanings.core.errors import MeaningsError, one_of
from meanings.core.yaml_files import read_yaml, validated
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.models.checkpoints import Trajectory, seen_languages, trajectory

if TYPE_CHECKING:
    from meanings.prompts.shared import SharedPrompts


All = Literal["all"]
MODEL = "miniature, a model that `meanings models` lists, or a folder that holds trajectory.json"
Checkpoints = Annotated[int, Field(ge=2)] | Annotated[str, Field(min_length=1)]
CHECKPOINTS = "how many, spread from the first to the last; or a rule such as: first 10, then every 5th, and the last; or default, the model's rule"
# The language pairs of the book's own grid and chapters, input-output.
DEFAULT_PAIRS = ("en-fr", "de-en", "fr-es", "fr-de", "fr-pl", "en-fi")
DTypes = Literal["float32", "float16", "bfloat16"]


class Grid(BaseModel):
    """The product of checkpoints, pairs, conditions and prompt seeds; the defaults are the book's
    own grid.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model: str = Field("miniature", min_length=1, description=MODEL)
    training_seeds: tuple[int, ...] = Field(
        (0,), min_length=1, description="which training runs of the model"
    )
    checkpoints: Checkpoints = Field(8, description=CHECKPOINTS)
    steps: tuple[int, ...] = Field(
        (), description="these training steps instead; empty leaves it to `checkpoints`"
    )
    lexicon: str = Field(
        "embedded", min_length=1, description="embedded, or the path of a CSV word list"
    )
    languages: All | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        "all",
        description="all, or language codes: in these languages concepts are scored and kept apart",
    )
    pairs: tuple[str, ...] = Field(
        DEFAULT_PAIRS,
        min_length=1,
        description='language pairs input-output, such as "fr-es"',
    )
    conditions: All | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        "all", description="sources of the concept vector"
    )
    prompt_seeds: tuple[int, ...] = Field(
        (42,), min_length=1, description="seeds that draw concept pairs and solved lines"
    )
    n_pairs: int = Field(64, ge=1, description="concept pairs a language pair")
    shots: int = Field(5, ge=0, le=50, description="solved lines before the query")
    template: str = Field("quoted", description="how a line of the prompt is written")
    prompts: str = Field(
        "drawn",
        min_length=1,
        description="drawn, or the path of a JSON file of `meanings prompts write`",
    )
    generate: int = Field(
        8, ge=0, le=256, description="tokens generated greedily for the answers, 0 for none"
    )
    generate_patched: Literal["every", "last", "never"] = Field(
        "last",
        description="checkpoints at which patched prompts are answered too; unpatched ones always are",
    )
    score: Literal["first_token", "word"] = Field(
        "first_token",
        description="probability of a concept's first tokens, or of its whole words; beside these nothing is generated",
    )
    layers: Literal["from", "only"] = Field(
        "from", description="overwrite the first layer and all later ones, or that layer alone"
    )
    source_pairs: int = Field(
        0,
        ge=0,
        description="source prompts in a concept vector's mean, 0 for all of the condition's",
    )
    dtype: DTypes = Field("float32", description="floating type of the weights")


@dataclass(frozen=True)
class Asked:
    """A grid with what it names: the lexicon, restricted to its languages, and each training seed's
    checkpoints.
    """

    grid: Grid
    lexicon: Lexicon
    trajectories: tuple[Trajectory, ...]
    conditions: tuple[str, ...]
    prompts: "SharedPrompts | None" = None


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


def check_grid(grid: Grid) -> Asked:
    """That lexicon and model have what the grid asks for.

    Raises MeaningsError on a language that one of them lacks, a checkpoint, seed, condition or
    template that does not exist, a pair of one language, and a value that is named twice.
    """
    from meanings.patching.conditions import (
        CONDITIONS,
        condition,  # imports torch
    )
    from meanings.prompts.prompt import TEMPLATES

    for name in ("training_seeds", "steps", "languages", "pairs", "conditions", "prompt_seeds"):
        values = getattr(grid, name)
        if values != "all" and len(set(values)) < len(values):
            raise MeaningsError(f"{name} {one_of(values)}: one is named twice; name each once")
    if grid.template not in TEMPLATES:
        raise MeaningsError(f"template {grid.template!r}: allowed are {one_of(TEMPLATES)}")
    if min(grid.prompt_seeds) < 0:
        raise MeaningsError(f"prompt_seeds {one_of(grid.prompt_seeds)}: a seed is 0 or more")
    names = (
        tuple(CONDITIONS)
        if grid.conditions == "all"
        else tuple(condition(name).name for name in grid.conditions)
    )
    lexicon = load_lexicon(grid.lexicon)
    if grid.languages != "all":
        lexicon = lexicon.restrict(languages=grid.languages)
    found = tuple(trajectory(grid.model, seed) for seed in grid.training_seeds)
    if any(run.training_seed != seed for run, seed in zip(found, grid.training_seeds, strict=True)):
        raise MeaningsError(
            f"training_seeds {one_of(grid.training_seeds)}: {grid.model} holds training seed "
            f"{found[0].training_seed} only"
        )
    for text in grid.pairs:
        pair = parse_pair(text)
        if pair.input == pair.output:
            raise MeaningsError(
                f"pair {text!r}: a pair to translate has two languages; copying is the conditions' "
                "business"
            )
        for code in (pair.input, pair.output):
            for run in found:
                known = [c for c in lexicon.languages if not run.languages or c in run.languages]
                if code not in known:
                    lacking = (
                        f"lexicon {grid.lexicon}"
                        if code not in lexicon.languages
                        else f"model {grid.model}"
                    )
                    raise MeaningsError(
                        f"pair {text!r}: {lacking} lacks language {code!r}; allowed are "
                        f"{one_of(known)}"
                    )
    chosen = tuple(_checkpoints(run, grid) for run in found)
    for run in found:
        seen = seen_languages(run, lexicon)
        undefined = [
            name
            for name in names
            if not any(condition(name).source_pairs(parse_pair(text), seen) for text in grid.pairs)
        ]
        # Of `all`, what the pairs leave undefined (`self` into English) is left out; what the model
        # leaves undefined is not.
        if undefined and (grid.conditions != "all" or not seen):
            raise MeaningsError(
                f"condition {undefined[0]!r} is defined for none of the pairs "
                f"{one_of(grid.pairs)}: the seen languages of {grid.model} "
                f'are {one_of(seen)} ("seen" in its trajectory.json); leave the condition out or '
                "choose other pairs"
            )
        for name in names:
            most = min(
                (
                    n
                    for text in grid.pairs
                    if (n := condition(name).prompts_at_most(parse_pair(text), seen))
                ),
                default=0,
            )
            if condition(name).varies == "pairs" and 1 < most < grid.source_pairs:
                raise MeaningsError(
                    f"source_pairs {grid.source_pairs}: condition {name!r} has {most} for one of "
                    "the pairs; ask for fewer, or 0 for all"
                )
    varied = [name for name in names if condition(name).varies == "shots"]
    if varied and grid.shots == 0:
        raise MeaningsError(
            f"condition {varied[0]!r} is a mean over solved lines, and shots=0 leaves none: ask "
            "for 1 or more"
        )
    return Asked(grid, lexicon, chosen, names, _prompts(grid, lexicon))


def _prompts(grid: Grid, lexicon: Lexicon) -> "SharedPrompts | None":
    """The grid's file of prompts, none where they are drawn."""
    if grid.prompts == "drawn":
        return None
    from meanings.prompts.shared import read_prompts

    found = read_prompts(Path(grid.prompts))
    found.fit(lexicon, grid.template, grid.shots, grid.n_pairs, grid.prompt_seeds)
    return found


def _checkpoints(run: Trajectory, grid: Grid) -> Trajectory:
    if not grid.steps:
        return run.thin(grid.checkpoints)
    return replace(run, checkpoints=tuple(run.at(step) for step in sorted(grid.steps)))
