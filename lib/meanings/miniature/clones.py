"""Cloned languages: one language's words and sentence frames in signs of their own, and how a world
writes them down.

A document is drawn with every language in its own signs, so that each word says which language it
is of. Then it is written as the world says: a clone's lines in another order, words that all
languages share in one further block of signs. So the draws of two worlds of one base are the same,
and a world differs from another in its treatment alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from meanings.lexicon.lexicon import Lexicon
from meanings.miniature.script_cipher import FIRST, LAST, Signs
from meanings.miniature.treatments import Clones, touched

SHARED = "shared"  # the block of signs that every language may use
MEANING_SEED = 23  # which other meaning a word has in a clone, part of the recipe
WORD = re.compile(f"[{chr(FIRST)}-{chr(LAST)}]+")


@dataclass(frozen=True)
class ClonedTexts:
    """A language and its clones, as documents are drawn: each in its own signs.

    - `lexicon`: every concept with one word in each language.
    - `patterns`, `passages`: as of `Material`.
    - `spelling`: how a drawn document is written down.
    """

    lexicon: Lexicon
    patterns: dict[str, dict[str, tuple[str, ...]]]
    passages: dict[str, tuple[str, ...]]
    spelling: Spelling


def clone_texts(
    clones: Clones,
    lexicon: Lexicon,
    patterns: Mapping[str, Sequence[str]],
    passages: Sequence[str],
) -> ClonedTexts:
    """The texts of `clones.of` and its clones.

    - `lexicon`: with the one language; `patterns`: its frames by category; `passages`: its
      paragraphs.
    """
    codes = (clones.of, *clones.codes)
    said = [
        *(lexicon.word(concept, clones.of) for concept in lexicon.concepts),
        *(frame for frames in patterns.values() for frame in frames),
        *passages,
    ]
    signs = Signs({code: said for code in (*codes, SHARED)})
    meant = {code: _meanings(clones, lexicon, code) for code in codes}
    entries = {
        concept: {
            code: (signs.write(lexicon.word(meant[code][concept], clones.of), code),)
            for code in codes
        }
        for concept in lexicon.concepts
    }
    return ClonedTexts(
        Lexicon("clones", codes, entries, lexicon.categories),
        {
            code: {
                kind: tuple(signs.frame(frame, code) for frame in frames)
                for kind, frames in patterns.items()
            }
            for code in codes
        },
        {code: tuple(signs.write(passage, code) for passage in passages) for code in codes},
        Spelling(signs, codes, clones, _friends(clones, lexicon, signs)),
    )


@dataclass(frozen=True)
class Spelling:
    """How a drawn document is written down.

    - `friends[language]`: a word in the language's own signs -> the shared word written for it.
    """

    signs: Signs
    languages: tuple[str, ...]
    clones: Clones
    friends: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def document(self, text: str, rng: np.random.Generator) -> str:
        """The document in the order and the words of the world.

        Random numbers are spent on lines in random order alone.
        """
        if self.clones.order != "natural":
            text = "\n".join(self._ordered(line, rng) for line in text.split("\n"))
        return self.words(text)

    def words(self, text: str) -> str:
        """The text with shared words in the shared signs; the order stays."""
        if self.clones.signs == "shared":
            return text.translate(self._to_shared)
        if not self.friends:
            return text
        return WORD.sub(lambda found: self._written(found.group()), text)

    def lexicon(self, lexicon: Lexicon, name: str) -> Lexicon:
        """The lexicon as the world writes it, under another name."""
        entries = {
            concept: {code: (self.words(words[0]),) for code, words in entry.items()}
            for concept, entry in lexicon.entries.items()
        }
        return Lexicon(name, lexicon.languages, entries, lexicon.categories)

    def language_of(self, word: str) -> str:
        """The language in whose own signs a word is drawn."""
        return self.signs.block_of(word[0])

    def _written(self, word: str) -> str:
        return self.friends.get(self.language_of(word), {}).get(word, word)

    def _ordered(self, line: str, rng: np.random.Generator) -> str:
        """A clone's own line with its words turned round or shuffled; any other line as it is."""
        languages = {self.language_of(word) for word in WORD.findall(line)}
        if len(languages) != 1 or not languages <= set(self.clones.codes):
            return line
        words = line.split(" ")
        if self.clones.order == "inverted":
            return " ".join(reversed(words))
        return " ".join(words[place] for place in rng.permutation(len(words)))

    @cached_property
    def _to_shared(self) -> dict[int, int]:
        return self.signs.between(self.languages, SHARED)


def _meanings(clones: Clones, lexicon: Lexicon, code: str) -> dict[str, str]:
    """For each concept, the concept whose word a language copies."""
    concepts = lexicon.concepts
    if clones.meanings == "same" or code == clones.of:
        return {concept: concept for concept in concepts}
    return deranged(concepts, clones.codes.index(code))


def _friends(clones: Clones, lexicon: Lexicon, signs: Signs) -> dict[str, dict[str, str]]:
    """For each language, its own words for the touched concepts -> the words that all share.

    False friends: a clone uses the shared word of another touched concept.
    """
    if clones.friends is None:
        return {}
    shared = touched(lexicon, clones.friends.share)
    found: dict[str, dict[str, str]] = {}
    for code in (clones.of, *clones.codes):
        other = clones.friends.meaning == "other" and code != clones.of
        said = deranged(shared, clones.codes.index(code)) if other else {c: c for c in shared}
        found[code] = {
            signs.write(lexicon.word(concept, clones.of), code): signs.write(
                lexicon.word(said[concept], clones.of), SHARED
            )
            for concept in shared
        }
    return found


def deranged(items: Sequence[str], place: int) -> dict[str, str]:
    """Each item with another one: a cycle through all of them in an order that the recipe fixes.

    Two clones have different cycles, so that what is wrong in one is wrong in another way in the
    next.
    """
    order = np.random.default_rng([MEANING_SEED, place]).permutation(len(items))
    return {items[a]: items[b] for a, b in zip(order, np.roll(order, -1), strict=True)}
