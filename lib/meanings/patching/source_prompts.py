"""Which source prompts enter a concept's vector: all of a condition's, or some of them, drawn once
and for all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair
from meanings.patching.conditions import Condition
from meanings.prompts.concept_pair import ConceptPair
from meanings.prompts.seeded import SeededDraws

# Language pair, concept, concepts of the few-shot examples.
Key = tuple[LanguagePair, str, tuple[str, ...]]


def source_prompts(
    condition: Condition,
    pair: LanguagePair,
    drawn: ConceptPair,
    seen_languages: Collection[str],
    concepts: Sequence[str],
    count: int = 0,
    seed: int = 0,
) -> tuple[Key, ...]:
    """The source prompts whose states are averaged for one concept pair; empty where the condition
    is not defined for `pair`.

    - `count`: how many, 0 for all. Fewer are nested: the first two contain the first one.
    - `concepts`: those that may stand in few-shot examples; only conditions that vary these draw
      from them.
    - `seed`: with target pair and concept pair it decides which are taken. Every concept pair draws
      language pairs of its own, so that an interval over concepts also covers which ones were
      drawn.

    One prompt of `one_pair` is the one prompt of `seen`, and one of `tgt_mean` is that of `tgt`.

    Raises MeaningsError where there are fewer than `count`, or the lexicon has too few concepts for
    one more solved prompt.
    """
    languages, most = (
        condition.source_pairs(pair, seen_languages),
        condition.prompts_at_most(pair, seen_languages),
    )
    if languages is None:
        return ()
    if condition.varies == "pairs" and count > most:
        raise MeaningsError(
            f"source_pairs {count}: condition {condition.name!r} has {most} for {pair}; ask for "
            "fewer, or 0 for all"
        )
    concept, shots = condition.concept_of(drawn), condition.shots_of(drawn)
    order = _draws("pairs", seed, pair, drawn).permutation(len(languages))
    if condition.varies == "pairs":
        chosen = sorted(order[:count]) if count else range(len(languages))
        return tuple((languages[i], concept, shots) for i in chosen)
    return tuple(
        (languages[order[0]], concept, lines)
        for lines in shot_sets(drawn, concepts, count or most, seed)
    )


def shot_sets(
    drawn: ConceptPair, concepts: Sequence[str], count: int, seed: int
) -> list[tuple[str, ...]]:
    """`count` sets of concepts for few-shot examples, the concept pair's own source shots first.

    The others hold none of the pair's three concepts and none of its shots, and no concept twice
    among them until all have been used. Raises MeaningsError where the concepts do not suffice for
    one set.
    """
    size = len(drawn.source_shots)
    taken = {drawn.source, drawn.target, drawn.null, *drawn.source_shots, *drawn.target_shots}
    free = sorted(set(concepts) - taken)
    if count > 1 and not 0 < size <= len(free):
        raise MeaningsError(
            "a mean over few-shot examples needs at least 1 shot and more concepts than "
            f"{len(concepts)} for {size} shots; ask for other shots, or use a larger lexicon"
        )
    draws, found = _draws("shots", seed, "", drawn), [drawn.source_shots]
    while len(found) < count:
        order = [free[i] for i in draws.permutation(len(free))]
        found += [
            tuple(order[start : start + size]) for start in range(0, len(order) - size + 1, size)
        ]
    return found[:count]


def _draws(purpose: str, seed: int, pair: LanguagePair | str, drawn: ConceptPair) -> SeededDraws:
    """A stream of draws of its own for each purpose, seed and concept pair."""
    content = f"{purpose} {seed} {pair} {drawn.source} {drawn.target}"
    return SeededDraws(int(hashlib.sha256(content.encode()).hexdigest()[:16], 16))
