"""A cell: one unit of work and one result file, named by the hash of what changes its numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

from meanings.measures.base import DataSet, Request
from meanings.measures.catalogue import measure_named
from meanings.measures.patching import LATER as LATER_OF_PATCHING
from meanings.measures.patching import PATCHING

__all__ = ["CELL_FIELDS", "LATER", "Cell", "Subject"]

# Cells of patching are older than other measures: their files hold their fields side by side, in
# this order, and `method` for the version. These are also the columns of published tables.
CELL_FIELDS = (
    "model", "training_seed", "step", "tokens", "weights_sha256", "lexicon", "lexicon_sha256",
    "languages", "pair", "condition", "prompt_seed", "n_pairs", "shots", "template", "generate",
    "seen_languages", "dtype", "patched_tokens", "score", "method",
    "prompts_sha256", "layers", "source_pairs", "first_layers", "tokenizer",
)  # fmt: skip
# Fields that older cells lack, and the value that these were measured with: it stays out of keys.
LATER: dict[str, Any] = {**LATER_OF_PATCHING, "tokenizer": "file"}


@dataclass(frozen=True)
class Subject:
    """What is measured: a model at one moment of its training.

    - `step`: optimiser steps done; `tokens`: tokens seen.
    - `weights_sha256`: what the weights are, whatever the model is called; `dtype`: how they are
      loaded.
    - `tokenizer`: `file`, as it stands, or `library`, as transformers has it where that differs.
    """

    model: str
    training_seed: int
    step: int
    tokens: int
    weights_sha256: str
    dtype: str = "float32"
    tokenizer: str = "file"

    def to_dict(self) -> dict[str, Any]:
        """Its fields as plain values, without a later one at its default."""
        values = asdict(self)
        return {k: v for k, v in values.items() if k != "tokenizer" or v != LATER[k]}

    def __str__(self) -> str:
        return f"{self.model} seed {self.training_seed} step {self.step}"


@dataclass(frozen=True)
class Cell:
    """What is measured, by which measure in which version, on which data, and what is asked."""

    measure: str
    version: int
    subject: Subject
    data: DataSet
    request: Request

    @cached_property
    def key(self) -> str:
        """SHA-256, hex, of the cell as canonical JSON."""
        return hashlib.sha256(
            json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":")).encode()
        ).hexdigest()

    def __str__(self) -> str:
        return f"{self.subject} {self.request}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they are hashed and written; those of patching side by side."""
        if self.measure != PATCHING.name:
            return {
                "measure": self.measure,
                "version": self.version,
                "subject": self.subject.to_dict(),
                "data": asdict(self.data),
                "request": self.request.to_dict(),
            }
        values = self.flat()
        return {name: values[name] for name in CELL_FIELDS if name in values}

    def flat(self) -> dict[str, Any]:
        """Its fields side by side, without later ones at their default."""
        return {
            **({} if self.measure == PATCHING.name else {"measure": self.measure}),
            **self.subject.to_dict(),
            "lexicon": self.data.name,
            "lexicon_sha256": self.data.sha256,
            "languages": self.data.languages,
            "method": self.version,
            **self.request.to_dict(),
        }

    def columns(self) -> dict[str, Any]:
        """Its key and all its fields as values of a table's columns: tuples joined by spaces."""
        values = (
            asdict(self.subject)
            | self.flat()
            | {name: getattr(self.request, name) for name in type(self.request).later}
        )
        names = CELL_FIELDS if self.measure == PATCHING.name else values
        return {"key": self.key} | {
            name: " ".join(v) if isinstance(v := values[name], tuple) else v for name in names
        }

    def with_values(self, **values: Any) -> Cell:
        """The cell with other values of fields of its subject, data or request, named as in a file
        of patching.
        """
        return Cell._of_flat(self.measure, self.flat() | values)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Cell:
        """A cell from plain values, lists for tuples; later fields may be missing.

        Raises MeaningsError for an unknown measure, ValueError, KeyError or TypeError where it is
        none.
        """
        if "measure" not in values:
            return cls._of_flat(PATCHING.name, values)
        measure = measure_named(values["measure"])
        data = DataSet(**values["data"] | {"languages": tuple(values["data"]["languages"])})
        request = measure.Request.model_validate(values["request"])
        return cls(measure.name, values["version"], Subject(**values["subject"]), data, request)

    @classmethod
    def of_row(cls, values: Mapping[str, Any]) -> Cell:
        """A cell from the columns of a table, as `columns` gives them, with other ones beside."""
        languages = {k: v.split() for k, v in values.items() if k == "languages"}
        return cls._of_flat(values["measure"], dict(values) | languages)

    @classmethod
    def _of_flat(cls, name: str, values: Mapping[str, Any]) -> Cell:
        measure = measure_named(name)
        subject = {f.name: values[f.name] for f in fields(Subject) if f.name in values}
        data = DataSet(values["lexicon"], values["lexicon_sha256"], tuple(values["languages"]))
        asked = {k: values[k] for k in measure.Request.model_fields if k in values}
        version = values.get("method", measure.version)
        return cls(name, version, Subject(**subject), data, measure.Request.model_validate(asked))
