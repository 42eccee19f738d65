"""Questions without examples: what a model is given, and the words that answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from meanings.lexicon.languages import language
from meanings.lexicon.lexicon import Lexicon
from meanings.prompts.prompt import TEMPLATES


@dataclass(frozen=True)
class Asked:
    """One question to a model: what it is given, and the words that answer it.

    - `others`: words of another concept, which are the null; none where it is not asked for.
    """

    prompt: str
    words: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def is_quoted(self) -> bool:
        """Whether the answer stands behind an open quote, and a quote must close it."""
        return self.prompt.endswith('"')


def quoted(lexicon: Lexicon, a: str, b: str, concepts: Sequence[str], nulls: int) -> list[Asked]:
    """The study's prompt without examples, for each concept; the null is the concept before it, of
    the first `nulls`.
    """
    form, names = TEMPLATES["quoted"], {"input": language(a).native, "output": language(b).native}
    before, between = form.before.format(**names), form.between.format(**names)
    return [
        Asked(
            before + lexicon.word(concept, a) + between,
            (lexicon.word(concept, b),),
            (lexicon.word(other, b),) if place < nulls else (),
        )
        for place, (concept, other) in enumerate(zip(concepts, np.roll(concepts, 1), strict=True))
    ]


def associated(
    lexicon: Lexicon,
    code: str,
    concepts: Sequence[str],
    associations: Mapping[str, tuple[str, ...]],
    nulls: int,
) -> list[Asked]:
    """What goes with each concept, asked as in a list of associations: heading, word, space."""
    native = language(code).native
    heading = native[0].upper() + native[1:]
    asked = []
    for place, (concept, other) in enumerate(zip(concepts, np.roll(concepts, 1), strict=True)):
        own = associations[concept]
        strange = [each for each in associations[other] if each not in (*own, concept)]
        strange = strange if place < nulls else []
        words = [
            tuple(f" {lexicon.word(each, code)}" for each in those) for those in (own, strange)
        ]
        asked.append(Asked(f"{heading}\n{lexicon.word(concept, code)}", *words))
    return asked
