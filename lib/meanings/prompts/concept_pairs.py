"""Concept pairs drawn under one tokenizer or several, so that no two concepts share a first
token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon
from meanings.prompts.answers import first_tokens
from meanings.prompts.concept_pair import ConceptPair
from meanings.prompts.matching import maximum_matching
from meanings.prompts.seeded import SeededDraws

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def draw_concept_pairs(
    lexicon: Lexicon,
    tokenizer: PreTrainedTokenizerBase,
    languages: Sequence[str],
    n_pairs: int,
    shots: int,
    seed: int,
) -> list[ConceptPair]:
    """`n_pairs` concept pairs that are eligible under one tokenizer; see `draw_shared_pairs`."""
    return draw_shared_pairs(lexicon, [tokenizer], languages, n_pairs, shots, seed)


def draw_shared_pairs(
    lexicon: Lexicon,
    tokenizers: Sequence[PreTrainedTokenizerBase],
    languages: Sequence[str],
    n_pairs: int,
    shots: int,
    seed: int,
) -> list[ConceptPair]:
    """Concept pairs, `n_pairs` of them, drawn by `SeededDraws(seed)`.

    The order of the lexicon and of the languages does not matter.

    Two concepts are eligible if the first tokens of all their accepted words, pooled over
    `languages`, are disjoint under each of the tokenizers; the null concept is eligible with both.
    No concept is used more than ceil(n_pairs / concepts) times on a side unless no other eligible
    pair is left. No ordered pair of concepts is drawn twice.

    Raises MeaningsError where there are too few concepts or eligible pairs.
    """
    if n_pairs < 1 or shots < 0:
        raise MeaningsError(
            f"asked for {n_pairs} concept pairs of {shots} shots: at least 1 pair and 0 shots are "
            "needed"
        )
    concepts = tuple(sorted(lexicon.concepts))
    if len(concepts) < 2 * shots + 3:
        raise MeaningsError(
            f"lexicon {lexicon.name!r} has {len(concepts)} concepts: {shots} shots per prompt "
            f"need at least {2 * shots + 3}; ask for fewer shots, or use a larger lexicon"
        )
    draws = SeededDraws(seed)
    disjoint = np.logical_and.reduce(
        [disjoint_concepts(lexicon, each, concepts, sorted(languages)) for each in tokenizers]
    )
    pairs = match(disjoint & (disjoint.astype(np.int32) @ disjoint > 0), n_pairs, draws)
    if len(pairs) < n_pairs:
        raise MeaningsError(
            f"lexicon {lexicon.name!r} has only {len(pairs)} eligible concept pairs in "
            f"{'+'.join(sorted(languages))}, "
            f"{n_pairs} were asked for: ask for fewer, or use fewer languages (first tokens are "
            "pooled over them)"
            + (f", or fewer of the {len(tokenizers)} models" if len(tokenizers) > 1 else "")
        )
    return [
        _with_null_and_shots(concepts, disjoint, source, target, shots, draws)
        for source, target in pairs
    ]


def disjoint_concepts(
    lexicon: Lexicon,
    tokenizer: PreTrainedTokenizerBase,
    concepts: Sequence[str],
    languages: Sequence[str],
) -> np.ndarray:
    """[concept, concept] bool: whether two concepts share no first token in any of the
    languages.
    """
    pooled = [
        first_tokens(
            tokenizer, [word for code in languages for word in lexicon.words(concept, code)]
        )
        for concept in concepts
    ]
    said = np.zeros(
        (len(concepts), max((max(tokens, default=0) for tokens in pooled), default=0) + 1),
        dtype=np.float32,
    )
    for row, tokens in enumerate(pooled):
        said[row, sorted(tokens)] = 1
    return said @ said.T == 0


def match(eligible: np.ndarray, n_pairs: int, draws: SeededDraws) -> list[tuple[int, int]]:
    """Up to `n_pairs` distinct (source, target) indices; in each round every concept serves at most
    once on a side.

    A round is a maximum matching of randomly ordered concepts, so that no use is wasted before the
    next round.
    """
    free = eligible.copy()
    np.fill_diagonal(free, False)
    drawn: list[tuple[int, int]] = []
    while len(drawn) < n_pairs and free.any():
        sources, targets = (np.array(draws.permutation(len(free))) for _ in range(2))
        partner = maximum_matching(free[np.ix_(sources, targets)])
        matched = np.flatnonzero(partner >= 0)[: n_pairs - len(drawn)]
        free[sources[matched], targets[partner[matched]]] = False
        drawn += [(int(sources[i]), int(targets[partner[i]])) for i in matched]
    return drawn


def _with_null_and_shots(
    concepts: Sequence[str],
    disjoint: np.ndarray,
    source: int,
    target: int,
    shots: int,
    draws: SeededDraws,
) -> ConceptPair:
    nulls = np.flatnonzero(disjoint[source] & disjoint[target])
    null = draws.choice(nulls.tolist())
    others = [i for i in range(len(concepts)) if i not in (source, target, null)]
    chosen = [concepts[i] for i in draws.sample(others, 2 * shots)]
    return ConceptPair(
        concepts[source],
        concepts[target],
        concepts[null],
        tuple(chosen[:shots]),
        tuple(chosen[shots:]),
    )
