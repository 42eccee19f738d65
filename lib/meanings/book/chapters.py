"""The typed parameters of each chapter: what may be asked of it, read from text, checked against
lexicon and model.

A value is one type; a list is written with commas (`pair=fr-es,es-fr`). What is unknown, of the
wrong type, or not to be had from the lexicon or the model is refused before anything is measured.
"""

import re
import textwrap
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from meanings.book.chapter_parameters import (
    CHAPTERS,
    ChapterParameters,
    PatchedCondition,
    PatchingChapter,
)
from meanings.core import yaml_files
from meanings.core.errors import MeaningsError, one_of
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import load_lexicon
from meanings.models.checkpoints import trajectory
from meanings.models.trajectories import Trajectory, seen_languages
from meanings.patching.conditions import condition
from meanings.study.grid import Checkpoints

COLUMNS = 70  # of a listing on a page: more would be cut off


def chapter_class(name: str) -> type[ChapterParameters]:
    """The parameters of the chapter `name`. Raises MeaningsError listing the chapters."""
    if name not in CHAPTERS:
        raise MeaningsError(
            f"no chapter {name!r} takes parameters: choose one of {one_of(CHAPTERS)}"
        )
    return CHAPTERS[name]


def parse_assignments(name: str, assignments: Sequence[str]) -> ChapterParameters:
    """The chapter's parameters with `name=value` texts laid over the defaults.

    Raises MeaningsError on an unknown name, one given twice, a value of the wrong type, and what
    `check_available` refuses.
    """
    kind, values = chapter_class(name), {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise MeaningsError(
                f"chapter {name}: {assignment!r} is not a parameter; write name=value with a name "
                f"of "
                f"{one_of(kind.model_fields)}"
            )
        if key in values:
            raise MeaningsError(
                f"chapter {name}: parameter {key!r} is given twice; give it once, lists with commas"
            )
        if key not in kind.model_fields:
            raise MeaningsError(
                f"chapter {name}: unknown parameter {key!r}; allowed are "
                f"{one_of(kind.model_fields)}"
            )
        values[key] = from_text(name, key, text, kind.model_fields[key].annotation)
    return validated(name, values)


def from_text(chapter: str, key: str, text: str, annotation: Any) -> Any:
    """A value of the field's type from the text of a command line: no guessing (`no` stays text,
    `007` is no number).
    """
    if annotation is int or (annotation == Checkpoints and re.fullmatch(r"-?[0-9]{1,15}", text)):
        if not re.fullmatch(r"-?(0|[1-9][0-9]{0,14})", text):
            raise MeaningsError(
                f"chapter {chapter}: {key}={text[:60]!r} is not a whole number; write it in plain "
                f"digits, 15 at most, as {key}=5"
            )
        return int(text)
    if typing.get_origin(annotation) is tuple:
        return tuple(part.strip() for part in text.split(","))
    return text


def read_parameters(name: str, path: Path) -> ChapterParameters:
    """The chapter's parameters from a YAML file; lists stand for tuples."""
    return validated(name, yaml_files.read_mapping(path), where=f"{path}: ")


def validated(name: str, values: Mapping[str, Any], where: str = "") -> ChapterParameters:
    """Checks types, lexicon, model. Raises MeaningsError, one line, naming what is allowed."""
    kind = chapter_class(name)
    parameters = yaml_files.validated(kind, values, f"{where}chapter {name}: ", noun="parameter")
    check_available(name, parameters, where)
    return parameters


def check_available(name: str, parameters: ChapterParameters, where: str = "") -> Trajectory:
    """Checks that lexicon and model have what is asked for; returns the trajectory.

    Raises MeaningsError on a language that one of them lacks, a pair named twice, and a checkpoint
    that does not exist, and a condition that is not defined for any of the pairs.
    """
    lexicon = load_lexicon(parameters.lexicon)
    path = trajectory(parameters.model, parameters.training_seed)
    known = [code for code in lexicon.languages if not path.languages or code in path.languages]
    for text in parameters.pair:
        pair = parse_pair(text)
        for code in (pair.input, pair.output):
            if code not in known:
                lacking = (
                    f"lexicon {parameters.lexicon}"
                    if code not in lexicon.languages
                    else f"model {parameters.model}"
                )
                raise MeaningsError(
                    f"{where}chapter {name}: pair={text!r}: {lacking} lacks language {code!r}; "
                    f"allowed are {one_of(known)}"
                )
    if len(set(parameters.pair)) < len(parameters.pair):
        raise MeaningsError(
            f"{where}chapter {name}: pair={','.join(parameters.pair)!r} names a pair twice; name "
            "each once"
        )
    path.thin(parameters.checkpoints)
    if getattr(parameters, "step", -1) >= 0:
        path.at(parameters.step)
    _check_condition(name, parameters, seen_languages(path, lexicon), where)
    return path


def _check_condition(
    name: str, parameters: ChapterParameters, seen: Sequence[str], where: str
) -> None:
    """That the condition which the chapter follows exists for one of its pairs."""
    if not isinstance(parameters, PatchingChapter) or name == "emergence":
        return  # *Emergence* follows another condition where there is no `seen`
    followed = condition(getattr(parameters, "condition", "seen"))
    pairs = [parse_pair(text) for text in parameters.pair]
    if any(followed.source_pairs(pair, seen) for pair in pairs):
        return
    others = [
        other
        for other in get_args(PatchedCondition)
        if any(condition(other).source_pairs(pair, seen) for pair in pairs)
    ]
    cure = (
        f"take condition={others[-1]}, or choose other pairs"
        if hasattr(parameters, "condition")
        else "choose another model or pair"
    )
    raise MeaningsError(
        f"{where}chapter {name}: condition {followed.name!r} is not defined for any of the pairs "
        f"{one_of(pairs)} of {parameters.model}, which has seen {one_of(seen)}; {cure}"
    )


def help_text(name: str) -> str:
    """Each parameter's name, default, type and meaning; from the typed class, so that it cannot go
    stale.
    """
    lines = []
    for key, field in chapter_class(name).model_fields.items():
        default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        said = f"{key}={default}  ({type_name(field.annotation)}) {field.description}"
        lines.append(
            textwrap.fill(
                said,
                COLUMNS,
                initial_indent="  ",
                subsequent_indent="      ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return f"parameters of {name}:\n" + "\n".join(lines)


def type_name(annotation: Any) -> str:
    """A type in a reader's words."""
    if typing.get_origin(annotation) is Literal:
        return " | ".join(typing.get_args(annotation))
    if isinstance(annotation, types.GenericAlias):
        return "list of text"
    if annotation == Checkpoints:
        return "whole number | text"
    return {int: "whole number", str: "text"}[annotation]
