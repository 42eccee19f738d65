"""Companion measures: what other instruments say of the checkpoints that patching is put to.

Each reads the states that a checkpoint holds of the lexicon's words and answers with rows of one
form: a value for a pair of languages, a layer and a set of concepts, beside its permutation null.

    all            every concept, where nothing is known of the training text
    taught         concepts that stand side by side in these two languages in the training text
    held_out       concepts that never do, in a pair of languages of which others do
    never          every concept, of a pair of languages that never stand side by side
    shared_token   concepts whose two words have a token in common
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field

from meanings.core.errors import MeaningsError, one_of
from meanings.lexicon.lexicon import Lexicon
from meanings.measures import base
from meanings.measures.base import Checked, DataSet, Measure, Measurement, Moment, Shared, column
from meanings.measures.treebank_states import Treebank, TreebankSettings
from meanings.measures.word_states import WordStates, word_states
from meanings.models.training_text import TrainingText
from meanings.models.trajectories import Trajectory

SPLITS = ("all", "taught", "held_out", "never", "shared_token")
FEWEST = 20  # concepts below which no number is given


class WordSettings(BaseModel):
    """What a grid may say of a companion measure."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    permutations: int = Field(200, ge=20, le=10_000, description="of the null")
    seed: int = Field(0, ge=0, description="draws the permutations and the folds")


class Settings(WordSettings):
    """What a grid may say of one that reads states alone."""

    treebank: TreebankSettings | None = Field(
        None, description="items of a parallel treebank in place of the lexicon's words"
    )


class Request(base.Request):
    """What a companion measure asks of a checkpoint."""

    permutations: int
    seed: int
    text_sha256: str  # of what is known of the training text, empty where nothing is

    def __str__(self) -> str:
        return "words"


COLUMNS = pa.schema(
    [
        column("variant", pa.string(), "what is computed, as the measure's chapter names it"),
        column(
            "layer", pa.int16(), "0 is the embedding, l the output of decoder layer l, -1 an answer"
        ),
        column("language_a", pa.string(), "one language, or the only one"),
        column("language_b", pa.string(), "the other language, empty where there is none"),
        column("split", pa.string(), f"set of concepts: {', '.join(SPLITS)}"),
        column("value", pa.float32(), "the measure", low=-1e9, high=1e9),
        column("low", pa.float32(), "lower end of its 95 % interval", optional=True),
        column("high", pa.float32(), "upper end of its 95 % interval", optional=True),
        column("null", pa.float32(), "its mean under the permutation null", optional=True),
        column("null_low", pa.float32(), "2.5 % quantile of the null", optional=True),
        column("null_high", pa.float32(), "97.5 % quantile of the null", optional=True),
        column("n", pa.int32(), "concepts"),
    ]
)


@dataclass(frozen=True)
class Texts:
    """The words of a lexicon, and what is known of the text that the model was trained on."""

    lexicon: Lexicon
    text: TrainingText | None = None
    paired: ClassVar[bool] = True  # a concept's words are translations

    @property
    def items(self) -> Lexicon:
        """What languages are compared over: `name`, `concepts` and `categories`."""
        return self.lexicon

    def states(self, model: Any, shared: Shared) -> WordStates:
        """The states of the items; measures of one checkpoint share them."""
        return word_states(model, self.lexicon, shared)

    @property
    def identity(self) -> DataSet:
        """The lexicon's name, hash and languages."""
        return DataSet(self.lexicon.name, self.lexicon.sha256, self.lexicon.languages)

    @property
    def text_sha256(self) -> str:
        """Hash of what is known of the training text; empty where nothing is."""
        return "" if self.text is None else self.text.sha256


class Pair(NamedTuple):
    """Two languages and the sets of concepts that a measure is asked for."""

    a: str
    b: str
    splits: dict[str, Bool[np.ndarray, " concept"]]


class Null(NamedTuple):
    """Mean and 95 % range of a measure under its null."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, draws: Float[np.ndarray, " draw"]) -> Null:
        """The null of values under permutation."""
        return cls(float(draws.mean()), *map(float, np.quantile(draws, [0.025, 0.975])))


# The two sources of items: see `meanings.measures.treebank_states`.
Source = Texts | Treebank


@runtime_checkable
class Readable(Protocol):
    """A source of states: one of items, or one of a measure's own, such as pairs of contexts."""

    def states(self, model: Any, shared: Shared) -> Any:
        """What the measure's `rows` are given."""


def rng_of(a: str, b: str, *seeds: int) -> np.random.Generator:
    """A generator that depends on two languages and on seeds: a pair's rows are then the same
    whatever other languages are measured beside it.
    """
    return np.random.default_rng([*seeds, *f"{a}-{b}".encode()])


class Companion(Measure):
    """A measure of the states of words, or of a treebank's items: one cell per checkpoint."""

    version = 1
    Request = Request
    Settings = Settings
    columns = COLUMNS
    unit = "concept"

    @abstractmethod
    def rows(self, states: WordStates, data: Source, request: Request) -> Iterator[dict[str, Any]]:
        """The rows of one checkpoint, as `COLUMNS`."""

    def check(
        self, settings: BaseModel, lexicon: Lexicon, trajectories: Sequence[Trajectory]
    ) -> Checked:
        """Raises MeaningsError where the lexicon has one language, or fewer concepts than 20."""
        if isinstance(settings, Settings) and settings.treebank is not None:
            treebank = Treebank.of(settings.treebank)
            self.fits(treebank)
            return Checked(settings, treebank)
        if len(lexicon.languages) < 2 or len(lexicon) < FEWEST:
            raise MeaningsError(
                f"{self.name} compares languages over concepts: lexicon {lexicon.name!r} has "
                f"{len(lexicon)} concepts in {one_of(lexicon.languages)}; at least {FEWEST} in 2 "
                "languages are needed"
            )
        texts = {run.text for run in trajectories}
        if len(texts) > 1:
            raise MeaningsError(
                f"{self.name}: the training runs were trained on different text; measure them in "
                "grids of their own"
            )
        found = Texts(lexicon, texts.pop())
        self.fits(found)
        return Checked(settings, found)

    def fits(self, data: Source) -> None:
        """Raises MeaningsError where the items lack what the measure needs."""
        if len(data.items) < FEWEST:
            raise MeaningsError(
                f"{self.name}: {data.items.name} has {len(data.items)} items; at least {FEWEST} "
                "are needed; draw more sentences"
            )

    def data(self, lexicon: Lexicon, run: Trajectory, prompts: Any = None) -> Texts:
        """See `Measure.data`."""
        return Texts(lexicon, run.text)

    def plan(self, checked: Checked, moment: Moment) -> Iterable[Request]:
        """One request per checkpoint."""
        settings = checked.settings
        yield Request(
            permutations=settings.permutations,
            seed=settings.seed,
            text_sha256=checked.data.text_sha256,
        )

    def together(self, request: Request) -> Hashable:
        """Each request by itself."""
        return request

    def measure(
        self, model: Any, data: Readable, requests: Sequence[Request], shared: Shared
    ) -> Mapping[Request, Measurement]:
        """Rows as in `COLUMNS`."""
        states = data.states(model, shared)
        found = {}
        for request in requests:
            shared.report(f"computing {self.name}", 0, 0)
            rows = lean(pd.DataFrame(list(self.rows(states, data, request))))
            found[request] = Measurement(rows, {})
        return found


def lean(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with values in multiples of 1 / 16,384, ends of intervals and nulls of 1 / 4,096.

    What is rounded off lies far below every interval, and random digits fill most of a file.
    """
    steps = dict.fromkeys(("low", "high", "null", "null_low", "null_high"), 4096) | {"value": 16384}
    found = rows.reindex(columns=COLUMNS.names)
    for name, parts in steps.items():
        found[name] = np.round(found[name].astype(float) * parts) / parts
    found["low"] = np.minimum(found["low"], found["value"])
    found["high"] = np.maximum(found["high"], found["value"])
    return found


def pairs(states: WordStates, text: TrainingText | None) -> Iterator[Pair]:
    """Each unordered pair of languages with its sets of concepts; those below 20 are left out."""
    for a, b in combinations(states.languages, 2):
        every = np.ones(len(states.concepts), bool)
        held_out = text.held_out(a, b) if text is not None else None
        if held_out is not None:
            held = np.array([concept in held_out for concept in states.concepts])
            splits = {"taught": ~held, "held_out": held}
        else:
            splits = {"all" if text is None else "never": every}
        splits["shared_token"] = states.shares_token(a, b)
        yield Pair(a, b, {name: each for name, each in splits.items() if each.sum() >= FEWEST})
