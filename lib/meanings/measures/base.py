"""The interface of a measure: what it asks of a checkpoint, and the rows that it answers with.

A measure is one module with one object of a subclass of `Measure`, and one line in
`meanings.measures.catalogue`. A study calls, in this order,

    check      settings against lexicon and model, before anything is run
    plan       the requests to one checkpoint; each becomes a cell, one result file
    together   which requests are measured, and resumed, as one group
    measure    the rows of a group's requests, with the checkpoint loaded
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Real
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from meanings.core.status_line import Report, unreported
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.timing import Estimate, Spent
from meanings.models.trajectories import Trajectory


class Request(BaseModel):
    """What one cell asks of a checkpoint: a measure's own fields of the cell's key.

    - `later`: fields that were added later. At their default they are left out of keys and files,
      so that what was measured before they existed keeps its key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    later: ClassVar[frozenset[str]] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """Its fields as plain values, without those of `later` at their default."""
        values = self.model_dump()
        for name in self.later:
            if values[name] == type(self).model_fields[name].default:
                del values[name]
        return values


class NoSettings(BaseModel):
    """The settings of a measure that has none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class DataSet:
    """Identity of what a measure reads: a name, the hash of its content, and its languages."""

    name: str
    sha256: str
    languages: tuple[str, ...]


@runtime_checkable
class Data(Protocol):
    """What a measure reads, with its identity, which is a part of every cell's key."""

    @property
    def identity(self) -> DataSet:
        """Name, hash and languages."""
        ...


@dataclass(frozen=True)
class Words:
    """Words and prompts that a measure reads.

    - `prompts`: a file of prompts (`meanings.prompts.shared.SharedPrompts`) that several models
      share; None where prompts are drawn.
    """

    lexicon: Lexicon
    prompts: Any = None

    @property
    def identity(self) -> DataSet:
        """The lexicon's name, hash and languages."""
        return DataSet(self.lexicon.name, self.lexicon.sha256, self.lexicon.languages)


@dataclass(frozen=True)
class Checked:
    """A measure's settings, found to fit lexicon and model, and the data that it reads."""

    settings: BaseModel
    data: Data

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know before it is measured: what of the settings is left out."""
        return ()


@dataclass(frozen=True)
class Moment:
    """What a plan knows of one checkpoint.

    - `seen_languages`: codes of the languages that the model is trained on, of those in the data.
    - `is_last`: whether it is the last of the grid's checkpoints in its training run.
    """

    seen_languages: tuple[str, ...]
    is_last: bool


@dataclass
class Shared:
    """What a measure keeps between calls of `measure`.

    - `planned`: all requests to the loaded checkpoint, finished ones too: a resumed run then
      computes what requests share in the same batches as an unbroken one.
    - `process`: kept for all checkpoints of a process; `checkpoint`: kept while this one is loaded.
    - `report`: to be told what is being computed. Parts that are counted are units of the work that
      requests share (`Measure.shared_work`).
    """

    planned: Sequence[Request] = ()
    process: dict[str, Any] = field(default_factory=dict)
    checkpoint: dict[str, Any] = field(default_factory=dict)
    report: Report = unreported


class Measurement(NamedTuple):
    """Rows of one request, and what is to be noted beside them in the file."""

    rows: pd.DataFrame
    provenance: dict[str, Any]


class About(NamedTuple):
    """What a reader should know of a measure before choosing it.

    - `paper`: where it comes from; `sees`: what a high value says; `blind`: what it cannot see;
      `needs`: beside a lexicon in two languages; `cost`: what the time grows with.
    """

    paper: str
    sees: str
    blind: str
    needs: str
    cost: str


class Measure(ABC):
    """A measure of checkpoints.

    - `name`, `version`: the version is raised whenever the way a number is computed changes, so
      that old result files are not taken for new ones.
    - `Request`: its fields of a cell's key; `Settings`: what a grid may say.
    - `columns`: its rows; see `column`.
    - `unit`: the column over which intervals resample, such as `source_concept`.
    - `about`: what it sees, and what not.
    """

    name: str
    version: int
    Request: type[Request]
    Settings: type[BaseModel] = NoSettings
    columns: pa.Schema
    unit: str
    about: About

    @property
    def place(self) -> tuple[str, ...]:
        """Columns that tell the rows of one cell from those of another in a table, in the order in
        which a published table is sorted.
        """
        return "model", "training_seed", "step", "lexicon", *self.Request.model_fields

    def check(
        self, settings: BaseModel, lexicon: Lexicon, trajectories: Sequence[Trajectory]
    ) -> Checked:
        """The settings with what they name. Raises MeaningsError, one line, where lexicon or model
        lack what the settings ask for.
        """
        return Checked(settings, Words(lexicon))

    def data(self, lexicon: Lexicon, run: Trajectory, prompts: Any = None) -> Data:
        """What `measure` reads, for cells that are measured again without their grid.

        - `prompts`: the file of prompts that the cells name, None where they name none.
        """
        return Words(lexicon, prompts)

    @abstractmethod
    def plan(self, checked: Checked, moment: Moment) -> Iterable[Request]:
        """The requests to one checkpoint, those measured together side by side."""

    @abstractmethod
    def together(self, request: Request) -> Hashable:
        """The group in which the request is measured, and measured again after a kill."""

    @abstractmethod
    def measure(
        self, model: Any, data: Data, requests: Sequence[Request], shared: Shared
    ) -> Mapping[Request, Measurement]:
        """Rows of each request of one group.

        - `model`: a `meanings.models.loading.PatchableModel`; modules that need torch are imported
          here, so that planning and reading need none.
        """

    def cost_class(self, request: Request) -> Hashable:
        """Requests of one class take about as long as each other."""
        return self.name

    def shared_work(self, requests: Sequence[Request]) -> int:
        """Units of work that these requests to one checkpoint share, such as source prompts: each
        is done, and reported, once.
        """
        return 0

    def longer_at_most(self, request: Request) -> float:
        """How many times as long as the measure's quickest requests it may take, where none of its
        `cost_class` has been measured yet.
        """
        return 1.0

    def estimate(
        self,
        model: Any,
        data: Data,
        requests: Mapping[Hashable, Sequence[Request]],
        clock: Callable[[], Spent],
        load: Spent,
    ) -> Estimate:
        """Seconds for the requests, found by measuring the last group and scaling it up.

        - `requests`: by checkpoint; `load`: what loading one checkpoint took.
        """
        groups = [(place, self.together(r)) for place, each in requests.items() for r in each]
        last = [r for r in list(requests.values())[-1] if self.together(r) == groups[-1][1]]
        start = clock()
        self.measure(model, data, last, Shared())
        whole = (clock() - start) * len(set(groups)) + load * len(requests)
        return Estimate.of(whole, f"from a trial of {len(last)} cells")


def column(
    name: str,
    type_: pa.DataType,
    description: str,
    *,
    low: Real | None = None,
    high: Real | None = None,
    optional: bool = False,
) -> pa.Field:
    """A column of a measure's rows, for its schema.

    - `name`: one that ends in `*` stands for every column that begins so.
    - `low`, `high`: the range of its values, where it has one.
    - `optional`: whether rows may lack it.
    """
    said = {"description": description, "optional": str(optional).lower()}
    if low is not None and high is not None:
        said["range"] = f"{low:g} to {high:g}"
    return pa.field(name, type_, metadata=said)


@lru_cache(maxsize=4096)
def column_of(columns: pa.Schema, name: str) -> pa.Field | None:
    """The schema's field for a column: its own, else the longest that ends in `*` and fits."""
    if name in columns.names:
        return columns.field(name)
    fitting = [f for f in columns if f.name.endswith("*") and name.startswith(f.name[:-1])]
    return max(fitting, key=lambda f: len(f.name), default=None)


def required(columns: pa.Schema) -> tuple[str, ...]:
    """The columns that all rows have."""
    return tuple(f.name for f in columns if f.metadata[b"optional"] == b"false")


@lru_cache(maxsize=4096)
def value_range(column: pa.Field) -> tuple[float, float] | None:
    """The lowest and the highest value that a column may have; None where it has no range."""
    said = column.metadata.get(b"range")
    if said is None:
        return None
    low, high = said.decode().split(" to ")
    return float(low), float(high)
