"""Words that stand for several concepts, with contexts that ask for one of them.

    de Bank       bank             money Bank        Geld Bank     true: banque    false: banc
                  bench            park Bank         Park Bank     true: banc      false: banque

A homograph is a form that a language has for two or more concepts of the lexicon, its main word for
one of them at least (the word that is written into the training text most). Its contexts are the
main words of concepts that go with exactly one sense, in either direction of the table of
associations: `x` with `c` where one is listed for the other. A context stands left of the word,
because a decoder reads from left to right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from meanings.core.errors import MeaningsError
from meanings.lexicon.forms import normal_form
from meanings.lexicon.lexicon import Lexicon

FEWEST = 8  # homographs of a pair of languages below which no number is given
Associations = Mapping[str, tuple[str, ...]]


class Context(NamedTuple):
    """A homograph behind a context.

    - `form`: its normal form, the unit; `word`: as it is written.
    - `sense`: the concept that the context goes with; `other`: another of its concepts.
    - `context`: the concept whose word stands left; `neutral`: one that goes with no sense and with
      no context of the homograph, and takes its place in a control.
    """

    form: str
    word: str
    sense: str
    other: str
    context: str
    neutral: str


@dataclass(frozen=True)
class Homographs:
    """The contexts of each language's homographs, those of one form and pair of senses in a row."""

    contexts: dict[str, tuple[Context, ...]]

    def forms(self, language: str) -> tuple[str, ...]:
        """The homographs of a language, each once."""
        return tuple(dict.fromkeys(each.form for each in self.contexts[language]))


def homographs_of(lexicon: Lexicon, associations: Associations) -> Homographs:
    """All homographs of a lexicon with a context for each of two senses.

    Raises MeaningsError where no language has 8 of them.
    """
    near = _neighbours(associations)
    found = {code: tuple(_contexts(lexicon, code, near)) for code in lexicon.languages}
    kept = Homographs(found)
    most = max(len(kept.forms(code)) for code in lexicon.languages)
    if most < FEWEST:
        raise MeaningsError(
            f"meaning_in_context: lexicon {lexicon.name!r} has at most {most} words per language "
            f"that stand for two concepts with associates of their own; {FEWEST} are needed, such "
            "as those of the embedded lexicon"
        )
    return kept


def _neighbours(associations: Associations) -> dict[str, set[str]]:
    near: dict[str, set[str]] = {}
    for concept, others in associations.items():
        for other in others:
            near.setdefault(concept, set()).add(other)
            near.setdefault(other, set()).add(concept)
    return near


def _contexts(lexicon: Lexicon, code: str, near: Mapping[str, set[str]]) -> Iterator[Context]:
    words: dict[str, dict[str, str]] = {}  # form -> concept -> the word as it is written
    main = {concept: normal_form(lexicon.word(concept, code)) for concept in lexicon.concepts}
    for concept in lexicon.concepts:
        for word in lexicon.words(concept, code):
            words.setdefault(normal_form(word), {})[concept] = word
    for form, senses in words.items():
        for pair in combinations(senses, 2):
            if form not in (main[pair[0]], main[pair[1]]):
                continue
            sides = [
                [x for x in lexicon.concepts if _goes_with(x, one, other, near) and main[x] != form]
                for one, other in (pair, pair[::-1])
            ]
            if not all(sides):
                continue
            written = next(senses[concept] for concept in pair if main[concept] == form)
            there = {*sides[0], *sides[1]}
            far = [c for c in lexicon.concepts if c not in there and _is_far(c, there, near)]
            free = [c for c in far if c not in senses and _is_far(c, senses, near)]
            rng = np.random.default_rng([31, *f"{code}-{form}-{pair}".encode()])
            neutral = free[rng.integers(len(free))]
            for (one, other), contexts in zip((pair, pair[::-1]), sides, strict=True):
                for x in contexts:
                    yield Context(form, written, one, other, x, neutral)


def _goes_with(x: str, sense: str, other: str, near: Mapping[str, set[str]]) -> bool:
    return x in near.get(sense, ()) and x not in near.get(other, ()) and x not in (sense, other)


def _is_far(concept: str, others: Iterable[str], near: Mapping[str, set[str]]) -> bool:
    """Whether it goes with none of the others."""
    return near.get(concept, set()).isdisjoint(others)
