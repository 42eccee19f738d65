"""YAML files that users write: lines `name: value`, each name once, read into a typed model."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from meanings.core.errors import MeaningsError, one_of

Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 2**20  # a larger file is no list of parameters, and would be slow to refuse


def read_yaml(path: Path, kind: type[Model], noun: str = "field") -> Model:
    """The typed content of a YAML file. Raises MeaningsError, one line that begins with the path,
    where `read_mapping` or `validated` does.
    """
    return validated(kind, read_mapping(path), f"{path}: ", noun)


def validated(
    kind: type[Model],
    values: Mapping[Any, Any],
    where: str = "",
    noun: str = "field",
    also_allowed: Sequence[str] = (),
) -> Model:
    """The model `kind` of plain values (lists for tuples), with nothing converted in strict models.

    - `where`: begins the message, such as `grid.yaml: `.
    - `noun`: what the message calls a field.
    - `also_allowed`: names that the caller has taken out of `values`, for the message.

    Raises MeaningsError, one line, on an unknown or missing name and a value of the wrong type or
    range.
    """
    for name in values:
        if name not in kind.model_fields:
            allowed = one_of([*also_allowed, *kind.model_fields])
            raise MeaningsError(f"{where}unknown {noun} {name!r}; allowed are {allowed}")
    try:
        # Through JSON: in strict mode its lists are tuples, and nothing else is converted.
        return kind.model_validate_json(json.dumps(dict(values), ensure_ascii=False).encode())
    except (TypeError, UnicodeEncodeError):
        name = next(name for name, value in values.items() if not _is_plain(value))
        raise MeaningsError(
            f"{where}{name}={_short(values[name])} is not a text, a number or a list of these; "
            "put text in quotes"
        ) from None
    except ValidationError as error:
        raise MeaningsError(where + refusal(error, kind, values, noun)) from None


def refusal(
    error: ValidationError,
    kind: type[BaseModel],
    values: Mapping[Any, Any] | None = None,
    noun: str = "field",
) -> str:
    """The first error in one line: which value, where, what is wrong with it, what the field means.

    - `values`: what was validated, where it is at hand: it tells names from pydantic's own tags.
    """
    # Of a union (all, or a list) the list's complaint is the telling one, unless a text was given.
    found = error.errors()
    first = next((e for e in found if e["type"] != "literal_error"), found[0])
    message = first["msg"].removeprefix("Value error, ")
    if message == first["msg"]:  # pydantic's own words
        message = (message[0].lower() + message[1:]).replace("array", "list")
        message = message.replace("tuple", "list")
    if not first["loc"]:
        return message
    field = kind.model_fields.get(str(first["loc"][0]))
    meaning = f" ({field.description})" if field is not None and field.description else ""
    place = _place(first["loc"], values, missing=first["type"] in ("missing", "extra_forbidden"))
    if first["type"] == "missing":
        return f"{noun} {place!r} is missing{meaning}"
    if first["type"] == "extra_forbidden":
        return f"unknown {noun} {place!r}{meaning}"
    hint = ""
    if isinstance(first["input"], bool):
        hint = "; YAML reads an unquoted no, off, yes or on as false or true: put a word in quotes"
    return f"{place}={_short(first['input'])} is refused: {message}{hint}{meaning}"


def _place(loc: Sequence[str | int], values: Any, missing: bool) -> str:
    """`pairs[0]`, `languages.fr.share`: without pydantic's tags of a union's members."""
    place, here = "", values
    for number, part in enumerate(loc, 1):
        if isinstance(part, int):
            place += f"[{part}]"
            here = here[part] if isinstance(here, Sequence) and part < len(here) else here
            continue
        names = (
            {str(key): value for key, value in here.items()} if isinstance(here, Mapping) else {}
        )
        if values is None or part in names or (missing and number == len(loc)):
            place += f".{part}" if place else part
            here = names.get(part)
    return place or str(loc[0])


_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = 120


def _short(value: Any) -> str:
    return _shortened.repr(value)


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (TypeError, UnicodeEncodeError):
        return False
    return True


def read_mapping(path: Path) -> dict:
    """The names and values of a YAML file; an empty file has none.

    Raises MeaningsError, one line, where it cannot be read, is not YAML, holds something else, has
    a name twice, or refers from one value to another, which could grow without bound.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise IsADirectoryError
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        large = len(raw) > MAX_BYTES
        content = None if large else yaml.load(raw.decode("utf-8"), Loader=_NoDuplicates)
    except (OSError, UnicodeDecodeError) as error:
        raise MeaningsError(
            f"{path}: cannot be read ({type(error).__name__}); expected a YAML file, in UTF-8, "
            "with lines `name: value`"
        ) from None
    except yaml.YAMLError as error:
        raise MeaningsError(
            f"{path}: not valid YAML: {' '.join(str(error).split())}"
            "; correct the line that it names"
        ) from None
    except RecursionError:
        raise MeaningsError(
            f"{path}: not valid YAML: nested too deep; expected lines `name: value`"
        ) from None
    except ValueError as error:  # the YAML library lets a day or number through that cannot be
        raise MeaningsError(
            f"{path}: not valid YAML: a value cannot be read ({error}); put text in quotes, and "
            f"write "
            "numbers in a few digits"
        ) from None
    if large:
        raise MeaningsError(
            f"{path}: too large; expected a YAML file of at most {MAX_BYTES >> 20} MiB"
        )
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise MeaningsError(f"{path}: expected lines `name: value`, found {type(content).__name__}")
    return content


class _NoDuplicates(yaml.SafeLoader):
    """YAML in which a name that occurs twice is an error, not the last one's value, and no value
    refers to another.
    """

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(
                None,
                None,
                f"a reference, *{event.anchor}: write the value out",
                event.start_mark,
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node, deep=False):
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for name in names:
            if isinstance(name, list | dict | set):
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"{name!r} is no name: expected lines `name: value`",
                    node.start_mark,
                )
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{name!r} occurs twice", node.start_mark
                )
        return super().construct_mapping(node, deep)
