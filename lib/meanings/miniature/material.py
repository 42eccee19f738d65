"""What the miniature's documents are made of: words, their associations, sentence frames, passages,
and the mix that they are drawn by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.miniature.draws import draw, some
from meanings.miniature.recipe import Mix, folds

FREQUENCY_SEED = (
    11  # which concepts are frequent is part of the recipe, the same for every training seed
)


@dataclass(frozen=True)
class Material:
    """The words, their associations, sentence frames, passages, and draws of them by the mix.

    - `associations`: concept -> the concepts that it is associated with.
    - `patterns`: language -> category or "any" -> sentence frames.
    - `passages`: language -> paragraphs of running text.
    - `planted`: occupation -> the gendered concepts that may follow it, where the mix plants some.
    """

    mix: Mix
    lexicon: Lexicon
    associations: dict[str, tuple[str, ...]]
    patterns: dict[str, dict[str, tuple[str, ...]]]
    passages: dict[str, tuple[str, ...]]
    planted: dict[str, tuple[str, ...]] = field(default_factory=dict, kw_only=True)

    @cached_property
    def folds(self) -> dict[str, int]:
        """The fold of each concept, from 0 to `mix.folds - 1`."""
        return folds(self.lexicon.concepts, self.mix.folds)

    @cached_property
    def by_category(self) -> dict[str, tuple[str, ...]]:
        """The concepts of each category that has four or more."""
        members: dict[str, list[str]] = {}
        for concept in self.lexicon.concepts:
            members.setdefault(self.lexicon.categories[concept], []).append(concept)
        return {
            category: tuple(concepts) for category, concepts in members.items() if len(concepts) > 3
        }

    def side_by_side(self, a: str, b: str) -> tuple[str, ...]:
        """The concepts whose words in `a` and `b` occur in parallel somewhere in the text; all
        where a == b.
        """
        if a == b:
            return self.lexicon.concepts
        return self._side_by_side.get(frozenset((a, b)), ())

    @cached_property
    def _side_by_side(self) -> dict[frozenset[str], tuple[str, ...]]:
        found = {}
        for name, pair in self.mix.pairs.items():
            languages = parse_pair(name)
            found[frozenset((languages.input, languages.output))] = tuple(
                concept
                for concept in self.lexicon.concepts
                if self.folds[concept] != pair.held_out_fold
            )
        return found

    def draw_language(self, rng: np.random.Generator) -> str:
        """The code of a seen language, drawn by the mix."""
        codes = self.mix.seen_languages
        return draw(rng, codes, tuple(self.mix.languages[code].share for code in codes))

    def draw_pair(self, rng: np.random.Generator) -> tuple[str, str]:
        """A taught pair in either order; one language twice where the mix has not all parallel
        documents in two.
        """
        if self.mix.parallel_share < 1 and rng.random() >= self.mix.parallel_share:
            language = self.draw_language(rng)
            return language, language
        languages = parse_pair(
            draw(rng, tuple(self.mix.pairs), tuple(pair.weight for pair in self.mix.pairs.values()))
        )
        return (
            (languages.input, languages.output)
            if rng.random() < 0.5
            else (languages.output, languages.input)
        )

    @cached_property
    def frequencies(self) -> dict[str, float]:
        """Zipf's law: a concept's relative frequency is 1 over its rank, in an order that the
        recipe fixes.
        """
        order = np.random.default_rng(FREQUENCY_SEED).permutation(len(self.lexicon.concepts))
        ranked = zip(self.lexicon.concepts, order, strict=True)
        return {concept: 1.0 / (int(rank) + 1) for concept, rank in ranked}

    def draw_concepts(
        self, rng: np.random.Generator, pool: Sequence[str], fewest: int, most: int
    ) -> list[str]:
        """Different concepts of the pool: all alike in some documents, by Zipf's law in the others.

        Frequent words form the circuits early, the even share gives the rare ones enough to be
        learned.
        """
        if rng.random() >= self.mix.zipf_share:
            return some(rng, pool, fewest, most)
        weights = np.array([self.frequencies[concept] for concept in pool])
        count = min(int(rng.integers(fewest, most + 1)), len(pool))
        return [
            pool[i] for i in rng.choice(len(pool), count, replace=False, p=weights / weights.sum())
        ]

    def others(
        self, rng: np.random.Generator, concept: str, count: int, language: str | None = None
    ) -> list[str]:
        """Different concepts that go with a concept; one of them a gendered one now and then,
        where the mix plants a bias in lines of this language alone.

        - `language`: of the line; without one it has two, and nothing is planted.
        """
        found = some(rng, self.associations[concept], count, count)
        gendered = self.planted.get(concept)
        if gendered and language in self.mix.planted.languages:
            if rng.random() < self.mix.planted.dose:
                found[rng.integers(len(found))] = gendered[rng.integers(len(gendered))]
        return found

    def word(self, rng: np.random.Generator, concept: str, language: str) -> str:
        """The concept's word, now and then one of its synonyms."""
        words = self.lexicon.words(concept, language)
        if len(words) > 1 and rng.random() < self.mix.synonym_share:
            return words[rng.integers(len(words))]
        return words[0]
