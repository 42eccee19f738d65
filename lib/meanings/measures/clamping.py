"""Clamping: what a model says when the units that respond to a category, or to a language, are
held at the response they have to it.

    units      the 50 MLP units of all layers with the highest average precision, see `expert_units`
    held       each at its median response to the words of the category, or of the language
    control    50 other units, each the nearest in mean activation, held at *their* median response
    texts      100, sampled from the mark that begins a text, under the same draws in all conditions

    category   share of texts that name a word of the category; its units are found in one language
    elsewhere  share that name such a word of another language, which is no word of that one
    same       share whose language is the one that the category's units were found in
    language   share whose language is the one that the units respond to

A text's language is the one that most of its words of the lexicon belong to; a text without any, or
with a tie, has none. Texts are looked up word by word, so words of several parts are not found.
Source of the idea: arXiv 2506.01629.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field

from meanings.lexicon.forms import normal_form
from meanings.lexicon.lexicon import Lexicon
from meanings.measures import base
from meanings.measures.base import About, Measurement, Moment, Shared, column
from meanings.measures.companion import Companion, Texts
from meanings.measures.expert_units import average_precisions, memberships, varies
from meanings.measures.word_states import WordStates, word_states

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
CONCEPTS = 150  # whose words tell a language's units
Units = Float[np.ndarray, "word unit"]


class Settings(BaseModel):
    """What a grid may say of clamping."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    units: int = Field(50, ge=1, description="held, of all layers' units together")
    generations: int = Field(100, ge=20, le=10_000, description="texts per condition")
    length: int = Field(12, ge=1, le=200, description="tokens of a text")
    sources: int = Field(2, ge=1, description="languages in which a category's units are found")
    seed: int = Field(0, ge=0, description="draws the texts")


class Request(base.Request):
    """What clamping asks of a checkpoint."""

    units: int
    generations: int
    length: int  # tokens of a text
    sources: int
    seed: int

    def __str__(self) -> str:
        return "generations"


COLUMNS = pa.schema(
    [
        column("variant", pa.string(), "category, elsewhere, same, language: see the measure"),
        column("target", pa.string(), "the category or language whose units are held"),
        column("language_a", pa.string(), "the language that the units are found in"),
        column("value", pa.float32(), "share of texts", low=0, high=1),
        column("low", pa.float32(), "lower end of its 95 % interval (Wilson)"),
        column("high", pa.float32(), "upper end of its 95 % interval (Wilson)"),
        column("null", pa.float32(), "share with the control's units held"),
        column("null_low", pa.float32(), "lower end of its 95 % interval (Wilson)"),
        column("null_high", pa.float32(), "upper end of its 95 % interval (Wilson)"),
        column("unclamped", pa.float32(), "share with no unit held"),
        column("n", pa.int32(), "texts"),
    ]
)


class Named(NamedTuple):
    """What a text names: its language, empty where it has none, and its words of the lexicon, each
    with all (concept, language) that it may be.
    """

    language: str
    words: tuple[frozenset[tuple[str, str]], ...]


class WordTable:
    """Words of a lexicon, to be found in text."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.of: dict[str, set[tuple[str, str]]] = {}
        for concept in lexicon.concepts:
            for code in lexicon.languages:
                for word in lexicon.words(concept, code):
                    self.of.setdefault(normal_form(word), set()).add((concept, code))

    def named(self, text: str) -> Named:
        """The words that a text names, and its language."""
        forms = (normal_form(match.group()) for match in WORD.finditer(text))
        words = tuple(frozenset(self.of[form]) for form in forms if form in self.of)
        counts = Counter(code for each in words for code in {code for _, code in each})
        most = counts.most_common(2)
        clear = most and (len(most) == 1 or most[0][1] > most[1][1])
        return Named(most[0][0] if clear else "", words)


class Choice(NamedTuple):
    """Units that are held, of all layers, and the values that they are held at."""

    units: Int[np.ndarray, " unit"]
    values: Float[np.ndarray, " unit"]


def choose(
    responses: Units, members: Bool[np.ndarray, " word"], count: int
) -> tuple[Choice, Choice]:
    """The units that respond most to some of the words, and their control.

    The control's units are taken one by one, each the nearest in mean activation to a chosen one,
    of those that are not chosen or taken. Units that never vary are neither chosen nor taken: held
    at their median they are as they were. At most half of the others are chosen.
    """
    precisions = average_precisions(responses, members[None])[0]
    free = varies(responses)
    chosen = np.argsort(-precisions, kind="stable")[: min(count, free.sum() // 2)]
    mean = responses.mean(axis=0)
    free[chosen] = False
    others = []
    for unit in chosen:
        gaps = np.where(free, np.abs(mean - mean[unit]), np.inf)
        others.append(int(gaps.argmin()))
        free[others[-1]] = False
    other = np.array(others, int)
    median = np.median(responses[members], axis=0)
    return Choice(chosen, median[chosen]), Choice(other, median[other])


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion."""
    from scipy.stats import binomtest

    found = binomtest(int(hits), n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


class Clamping(Companion):
    """What a model says with the units of a category or a language held."""

    name = "clamping"
    version = 1
    Request = Request
    Settings = Settings
    columns = COLUMNS
    unit = "target"
    about = About(
        paper="arXiv 2506.01629",
        sees="units that respond to a category or language make the model say its words",
        blind="what no list of words has",
        needs="2 categories of 8 words; generation",
        cost="categories and languages x 2 x texts x tokens of a text",
    )

    def check(self, settings, lexicon, trajectories):
        """Raises MeaningsError where the lexicon has too few categories."""
        memberships(lexicon, self.name)
        return super().check(settings, lexicon, trajectories)

    def plan(self, checked: base.Checked, moment: Moment) -> Iterator[Request]:
        """One request per checkpoint."""
        yield Request(**checked.settings.model_dump())

    def rows(self, states: WordStates, data: Texts, request: Request) -> Iterator[dict[str, Any]]:
        """Rows come with the model, from `measure`."""
        raise NotImplementedError("clamping generates text: call `measure`")

    def measure(
        self, model: Any, data: Texts, requests: Sequence[Request], shared: Shared
    ) -> Mapping[Request, Measurement]:
        """Rows as in `COLUMNS`."""
        states = word_states(model, data.lexicon, shared)
        found = {}
        for request in requests:
            rows = pd.DataFrame(list(_rows(model, states, data.lexicon, request, shared)))
            found[request] = Measurement(rows[COLUMNS.names], {})
        return found


class _Speaker:
    """A model that says texts, with units held or not, and what is named in them."""

    def __init__(self, model: Any, lexicon: Lexicon, request: Request) -> None:
        import torch

        rng = np.random.default_rng([request.seed, 14])
        self.draws = torch.from_numpy(rng.random((request.generations, request.length)))
        self.model, self.table = model, WordTable(lexicon)

    def said(self, choice: Choice, width: int) -> list[Named]:
        """What the texts name with these units held; units count through all layers."""
        import torch

        from meanings.models.clamping import Held, clamped, generate

        held = {}
        for layer in np.unique(choice.units // width):
            here = choice.units // width == layer
            held[int(layer)] = Held(
                torch.from_numpy(choice.units[here] % width).to(self.model.device),
                torch.from_numpy(choice.values[here]).to(self.model.device),
            )
        with clamped(self.model, held):
            return [self.table.named(text) for text in generate(self.model, self.draws)]


def _rows(
    model: Any, states: WordStates, lexicon: Lexicon, request: Request, shared: Shared
) -> Iterator[dict[str, Any]]:
    speaker = _Speaker(model, lexicon, request)
    names, members = memberships(lexicon, "clamping")
    width = next(iter(states.units.values())).shape[-1]
    everything = {code: np.concatenate(each, axis=1) for code, each in states.units.items()}
    nothing = speaker.said(Choice(np.array([], int), np.array([])), width)
    sources = states.languages[: request.sources]
    total, done = len(sources) * len(names) + len(states.languages), 0

    def both(responses: Units, wanted: Bool[np.ndarray, " word"]) -> list[list[Named]]:
        nonlocal done
        shared.report("clamping units", done, total)
        done += 1
        pair = choose(responses, wanted, request.units)
        return [*(speaker.said(each, width) for each in pair), nothing]

    for code in sources:
        for name, own in zip(names, members, strict=True):
            concepts = {states.concepts[place] for place in np.flatnonzero(own)}
            texts = both(everything[code], own)
            for variant, hit in _category_hits(concepts, code).items():
                yield {"variant": variant, "target": name, "language_a": code, **_of(texts, hit)}
    some = np.random.default_rng([request.seed, 15]).permutation(len(states.concepts))[:CONCEPTS]
    stacked = np.concatenate([each[some] for each in everything.values()])
    for place, code in enumerate(states.languages):
        wanted = np.repeat(np.arange(len(states.languages)) == place, len(some))
        texts = both(stacked, wanted)
        hits = _of(texts, lambda named, code=code: named.language == code)
        yield {"variant": "language", "target": code, "language_a": code, **hits}


def _category_hits(concepts: set[str], code: str) -> dict[str, Any]:
    """What counts as a hit, by variant."""

    def category(named: Named) -> bool:
        return any(concept in concepts for word in named.words for concept, _ in word)

    def elsewhere(named: Named) -> bool:
        foreign = (word for word in named.words if code not in {of for _, of in word})
        return any(concept in concepts for word in foreign for concept, _ in word)

    return {
        "category": category,
        "elsewhere": elsewhere,
        "same": lambda named: named.language == code,
    }


def _of(texts: Sequence[Sequence[Named]], hit: Any) -> dict[str, float]:
    """Shares of hits with the units held, the control's, and none."""
    n = len(texts[0])
    held, control, nothing = (sum(map(hit, each)) for each in texts)
    (low, high), (null_low, null_high) = wilson(held, n), wilson(control, n)
    return {
        "value": held / n, "low": low, "high": high, "null": control / n, "null_low": null_low,
        "null_high": null_high, "unclamped": nothing / n, "n": n,
    }  # fmt: skip


MEASURE = Clamping()
