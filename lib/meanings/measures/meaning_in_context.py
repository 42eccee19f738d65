"""Meaning in context: whether a word with several meanings carries the one that its context asks
for, in the words of another language.

    cos(x w, v)     state of the homograph w behind an associate x of one sense, and of the other
                    language's word v for a sense; each language's mean is subtracted
    nearer          share of contexts in which the word of the sense that x goes with is nearer than
                    that of the other sense; mean over homographs; chance level .5
    auc             how well the cosine tells (x w, v) with the right sense from those with the
                    other one
    accuracy        the same with one threshold, chosen on the other half of the homographs
    word_only       `nearer` of w alone, whose answer cannot depend on x: .5
    context_only    `nearer` of x alone: how far the context alone gives the sense away
    other_word      `nearer` of a word u behind x that has neither sense: what x leaves in the word
                    behind it, whichever that is
    gain            nearer - other_word, context by context

Intervals and nulls stand at `nearer` and `gain`; `auc` has an interval, and its chance level is .5.
Null: the senses that the contexts go with are dealt out anew for each homograph. It says that the
context tells the senses apart; only `gain` says that the homograph is read in one of them. The rows
of AM2iCo, of words in sentences of two languages, are in `meanings.measures.word_in_context`.
Source of the question: Liu et al. 2021.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float
from pydantic import Field

from meanings.core.hashing import content_hash
from meanings.measures import companion
from meanings.measures.ability_texts import ability_texts
from meanings.measures.base import About, Checked, Moment, Shared, column
from meanings.measures.companion import Companion, Null, Texts, rng_of
from meanings.measures.discrimination import auc, drawn, thresholds
from meanings.measures.homograph_states import (
    KINDS,
    HomographStates,
    Items,
    cosines,
    items_of,
    read_homographs,
)
from meanings.measures.homographs import FEWEST, Homographs, homographs_of
from meanings.measures.word_in_context import Am2icoSettings, WordsInContext, word_in_context_rows

RESAMPLES = 200
# Parts of 1 in which numbers are given, so that the table stays small: intervals are some .2 wide.
VALUE_PARTS, END_PARTS = 512, 64
VARIANTS = {kind: kind for kind in KINDS} | {"in_context": "nearer"}
OWN = {
    "language_a": column("language_a", pa.string(), "language of the word in context"),
    "language_b": column("language_b", pa.string(), "language that it is compared with"),
    "split": column("split", pa.string(), "never (no text side by side), all; AM2iCo: dev, test"),
    "n": column("n", pa.int32(), "homographs; AM2iCo: pairs of contexts"),
}
COLUMNS = pa.schema([OWN.get(each.name, each) for each in companion.COLUMNS])


class Settings(companion.WordSettings):
    """What a grid may say."""

    am2ico: Am2icoSettings | None = Field(
        None, description="words in sentences of two languages, in place of homographs"
    )


class Request(companion.Request):
    """What is asked of a checkpoint.

    - `items_sha256`: of the homographs and their contexts; empty for AM2iCo, whose hash is the
      data's.
    """

    items_sha256: str


@dataclass(frozen=True)
class HomographTexts(Texts):
    """Words, with those of several meanings and their contexts."""

    homographs: Homographs = field(default_factory=lambda: Homographs({}))

    def states(self, model: Any, shared: Shared) -> HomographStates:
        """The states of homographs in context, and of all words."""
        return read_homographs(model, self.lexicon, self.homographs, shared)


class MeaningInContext(Companion):
    """Senses of words with several meanings, by layer and ordered pair of languages."""

    name = "meaning_in_context"
    Request = Request
    Settings = Settings
    columns = COLUMNS
    unit = "homograph"
    about = About(
        paper="arXiv 2104.08639",
        sees="a word with several meanings lies near the other language's word for the one that "
        "its context asks for",
        blind="contexts right of the word; senses that the lexicon lacks",
        needs=f"{FEWEST} words with two concepts and associations in data/miniature, or AM2iCo",
        cost="forwards: contexts of homographs; pairs of languages x layers x draws x contexts",
    )

    def check(self, settings, lexicon, trajectories):
        """Raises MeaningsError where the lexicon has too few homographs, or AM2iCo's files are not
        as asked.
        """
        if settings.am2ico is not None:
            return Checked(settings, WordsInContext.of(settings.am2ico))
        checked = super().check(settings, lexicon, trajectories)
        return Checked(checked.settings, _with_homographs(checked.data))

    def data(self, lexicon, run, prompts=None):
        """See `Measure.data`."""
        return _with_homographs(super().data(lexicon, run))

    def plan(self, checked: Checked, moment: Moment) -> Iterator[Request]:
        """One request per checkpoint; its key holds a hash of the homographs and their contexts."""
        data = checked.data
        own = content_hash(data.homographs.contexts) if isinstance(data, HomographTexts) else ""
        for request in super().plan(checked, moment):
            yield Request(**request.model_dump(), items_sha256=own)

    def rows(self, states, data, request):
        """Rows of homographs, or of AM2iCo."""
        if isinstance(data, WordsInContext):
            yield from word_in_context_rows(states, request.permutations, request.seed)
        else:
            yield from homograph_rows(states, data, request)


def _with_homographs(data: Texts) -> HomographTexts:
    associations = dict(ability_texts(data.lexicon).associations)
    return HomographTexts(data.lexicon, data.text, homographs_of(data.lexicon, associations))


def homograph_rows(
    states: HomographStates, data: HomographTexts, request: Request
) -> Iterator[dict[str, Any]]:
    """Rows of every ordered pair of languages with 8 homographs or more."""
    words = states.words
    pieces = {c: dict(zip(words.concepts, own, strict=True)) for c, own in words.pieces.items()}
    centred = {c: each - each.mean(axis=1, keepdims=True) for c, each in words.hidden.items()}
    for a, b in permutations(words.languages, 2):
        items = items_of(data.lexicon, data.homographs.contexts[a], b, pieces[a], pieces[b])
        if items.n < FEWEST:
            continue
        split = "all" if data.text is None or data.text.held_out(a, b) is not None else "never"
        base = {"language_a": a, "language_b": b, "split": split, "n": items.n}
        pair = _Pair(items, rng_of(a, b, request.seed, 31), request.permutations)
        for layer in range(states.depth):
            near = {
                kind: cosines(each[layer, items.rows], centred[b][layer][items.senses])
                for kind, each in states.of[a].items()
            }
            for variant, values in pair.values(near):
                yield {"variant": variant, "layer": layer, **base, **coarse(values)}


class _Pair:
    """Weightings of the contexts of a pair of languages: as they are, resampled, dealt out anew."""

    def __init__(self, items: Items, rng: np.random.Generator, permutations: int) -> None:
        true, n = items.first[None], items.n
        shuffled = np.concatenate([true, items.shuffled(rng, permutations)])
        self.items, self.first = items, shuffled
        self.weights = items.weights(shuffled)
        self.resampled = drawn(items.unit, rng, RESAMPLES) * self.weights[0]
        self.sides = tuple(
            (each * first, each * ~first)
            for each, first in ((self.weights, shuffled), (self.resampled, true))
        )
        half = np.isin(items.unit, rng.permutation(n)[: n // 2])
        self.half = np.tile(half, 2)  # pairs with the first sense's word, then with the second's

    def values(
        self, near: Mapping[str, Float[np.ndarray, "item 2"]]
    ) -> Iterator[tuple[str, dict[str, float]]]:
        """Each variant's value, interval and null."""
        yield from self._nearer(near)
        yield from self._told_apart(near["in_context"].T.ravel())

    def _nearer(
        self, near: Mapping[str, Float[np.ndarray, "item 2"]]
    ) -> Iterator[tuple[str, dict[str, float]]]:
        found = {}
        for kind in KINDS:
            for_first = (np.sign(near[kind][:, 0] - near[kind][:, 1]) + 1) / 2
            found[kind] = tuple(
                one @ for_first + other @ (1 - for_first) for one, other in self.sides
            )
            whole = _summary(*found[kind])
            yield VARIANTS[kind], whole if kind == "in_context" else {"value": whole["value"]}
        pairs = zip(found["in_context"], found["other_word"], strict=True)
        yield "gain", _summary(*(one - other for one, other in pairs))

    def _told_apart(
        self, scores: Float[np.ndarray, " pair"]
    ) -> Iterator[tuple[str, dict[str, float]]]:
        sense = np.concatenate([self.first[0], ~self.first[0]])
        draws = np.tile(np.concatenate([self.weights[:1], self.resampled]), 2)
        true, false = draws * sense, draws * ~sense
        areas = auc(scores, true, false)
        low, high = np.quantile(areas[1:], [0.025, 0.975])
        yield "auc", {"value": float(areas[0]), "low": float(low), "high": float(high)}
        right = np.zeros(len(scores))
        for mask in (self.half, ~self.half):
            cut = thresholds(scores, true[:1] * ~mask, false[:1] * ~mask)
            right[mask] = ((scores > cut) == sense)[mask]
        yield "accuracy", {"value": float((draws[0] * right).sum() / draws[0].sum())}


def _summary(
    values: Float[np.ndarray, " draw"], resampled: Float[np.ndarray, " resample"]
) -> dict[str, float]:
    """The first value, its 95 % interval over resampled homographs, and the null of the others."""
    null = Null.of(values[1:])
    low, high = np.quantile(resampled, [0.025, 0.975])
    return {
        "value": float(values[0]), "low": float(low), "high": float(high),
        "null": null.mean, "null_low": null.low, "null_high": null.high,
    }  # fmt: skip


def coarse(values: Mapping[str, float]) -> dict[str, float]:
    """Values in multiples of 1 / 512, ends of intervals and nulls of 1 / 64."""
    parts = {name: VALUE_PARTS if name == "value" else END_PARTS for name in values}
    return {name: round(each * parts[name]) / parts[name] for name, each in values.items()}


MEASURE = MeaningInContext()
