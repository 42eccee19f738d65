"""The models known by name: `registry.yaml`, and a file of the user's own.

An entry says where the checkpoints of a model are, how their names tell steps and tokens, and what
it was trained on.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from meanings.core.errors import MeaningsError, one_of
from meanings.core.yaml_files import read_mapping, validated
from meanings.lexicon.languages import LANGUAGES
from meanings.models.own_models import own_file
from meanings.models.subsampling import parse_rule

SHIPPED = Path(__file__).with_name("registry.yaml")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
PLACES = {"step": "[0-9]+", "billions": "[0-9]+"}


class Entry(BaseModel):
    """One model; the fields are explained at the head of `registry.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    hub: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$",
        description="owner/name on the model hub",
    )
    folders: list[str] = Field(
        [], description="patterns of folders below root, such as phase-1/iter_{step}"
    )
    root: str | None = Field(None, description="folder in which `folders` lie")
    revisions: str | None = Field(
        None, description="pattern of revision names, such as step{step}-tokens{billions}B"
    )
    subfolders: str | None = Field(
        None,
        description="pattern of the checkpoints' folders in the hub's repository, such as "
        "run-a/iter_{step}",
    )
    tokens: int = Field(0, ge=0, description="tokens that the one checkpoint was trained on")
    tokens_per_step: int = Field(0, ge=0, description="tokens a step; 0 where they are not known")
    subsample: str = Field(
        "all", description="rule such as: first 10, then every 5th, and the last"
    )
    seen: list[str] | Literal["all"] = Field(description="codes of languages trained on, or all")
    seen_from: str = Field("", description="where `seen` is said")
    context: int = Field(0, ge=0, description="longest prompt in tokens; 0 where it is not known")
    note: str = Field("", description="what one should know")

    @field_validator("revisions", "subfolders")
    @classmethod
    def _has_step(cls, value):
        if value is not None:
            compiled(value)
        return value

    @field_validator("folders")
    @classmethod
    def _innermost_has_step(cls, value):
        for pattern in value:
            compiled(Path(pattern).name)
        return value

    @field_validator("subsample")
    @classmethod
    def _is_rule(cls, value: str) -> str:
        parse_rule(value)
        return value

    @field_validator("seen")
    @classmethod
    def _are_languages(cls, value):
        unknown = [code for code in value if code not in LANGUAGES] if value != "all" else []
        if unknown:
            raise ValueError(
                f"unknown language {unknown[0]!r}; known codes are {one_of(LANGUAGES)}"
            )
        return value

    @model_validator(mode="after")
    def _one_place(self):
        if bool(self.hub) == bool(self.folders):
            raise ValueError("give either `hub` or `folders`")
        if self.root and not self.folders:
            raise ValueError("`root` goes with `folders`")
        if self.subfolders and (self.folders or self.revisions):
            raise ValueError("`subfolders` goes with `hub`, and without `revisions`")
        return self

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that the model was trained on."""
        return tuple(LANGUAGES) if self.seen == "all" else tuple(self.seen)

    @property
    def place(self) -> str:
        """Where it is, for a table."""
        if self.hub:
            return "/".join((self.hub, *(self.subfolders or "").split("/")[:-1]))
        return f"{self.root or '(root not given)'}/{self.folders[0].split('/')[0]}"


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern with `{step}`, and perhaps `{billions}`, as a regular expression. Raises ValueError
    on any other.
    """
    parts = re.split(r"\{(.*?)\}", pattern)
    if (
        parts[1::2].count("step") != 1
        or not set(parts[1::2]) <= set(PLACES)
        or len(set(parts[1::2])) < len(parts[1::2])
    ):
        raise ValueError(
            f"pattern {pattern!r} needs {{step}} once, {{billions}} at most once, and nothing else "
            "in braces"
        )
    return re.compile(
        "".join(
            f"(?P<{part}>{PLACES[part]})" if i % 2 else re.escape(part)
            for i, part in enumerate(parts)
        )
    )


def registry() -> dict[str, Entry]:
    """All entries by name, the user's own laid over the shipped ones.

    Raises MeaningsError, one line naming file, entry, field and what is allowed.
    """
    shipped = read_mapping(SHIPPED)
    found = {
        name: _entry(SHIPPED, name, _like(SHIPPED, name, values, shipped))
        for name, values in shipped.items()
    }
    own = own_file()
    if own is not None:
        found |= {
            name: _entry(own, name, _like(own, name, values, shipped))
            for name, values in read_mapping(own).items()
        }
    return found


def _like(file: Path, name: object, values: object, shipped: dict) -> dict:
    """The entry's values, laid over those of the shipped one that `like` names."""
    if not isinstance(values, dict):
        raise MeaningsError(
            f"{file}: {name}: expected lines `field: value` below the name, found "
            f"{type(values).__name__}"
        )
    like = values.get("like")
    if like is None:
        return values
    if not isinstance(like, str) or like not in shipped:
        raise MeaningsError(
            f"{file}: {name}: like={like!r} is no shipped model; allowed are {one_of(shipped)}"
        )
    return shipped[like] | {field: value for field, value in values.items() if field != "like"}


def _entry(file: Path, name: object, values: object) -> Entry:
    where = f"{file}: {name}"
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise MeaningsError(
            f"{where}: a model's name has lower case letters, digits, '.', '-' and '_'"
        )
    return validated(Entry, values, f"{where}: ", also_allowed=["like"])
