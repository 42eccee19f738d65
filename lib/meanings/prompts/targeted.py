"""Concept pairs for targeted query words, each beside a matched control.

A query word and its control stand in the same language pair, with the same few-shot examples and
the same target prompt, so that a difference between them is one of the words. Controls are plain
words (`meanings.lexicon.targeted`) of the same category, length in tokens and frequency as near as
can be: a minimum-cost assignment, every control once per kind and language pair.

    cost = 8 [another category] + 4 |difference in tokens| + |difference in log2 of the token ids|

Tokenizers number their tokens in the order in which they were merged, the frequent ones first, so
that a word's token ids stand for its frequency in the text that the tokenizer was learnt on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import linear_sum_assignment

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.targeted import KINDS, PLAIN, Query, targeted_queries
from meanings.prompts.answers import OPEN_QUOTE
from meanings.prompts.concept_pair import ConceptPair
from meanings.prompts.concept_pairs import disjoint_concepts
from meanings.prompts.seeded import SeededDraws

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BLOCK = 12  # items that share their few-shot examples
TARGETS = 4  # target concepts among which the items of a block take turns
OTHER_CATEGORY, OTHER_LENGTH = 8.0, 4.0


@dataclass(frozen=True)
class Item:
    """A targeted query word with its control, as prompts of one language pair.

    - `number`: from 0, within the language pair.
    - `query`, `control`: their words; `pairs`: the concept pairs of the two, in this order.
    """

    number: int
    query: Query
    control: Query
    pairs: tuple[ConceptPair, ConceptPair]


def draw_items(
    lexicon: Lexicon,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[LanguagePair],
    per_kind: int,
    shots: int,
    seed: int,
    left_out: Collection[str] = (),
) -> dict[LanguagePair, list[Item]]:
    """At most `per_kind` query words of each kind over all language pairs, with controls and
    few-shot examples; language pairs without one are left out.

    Words are taken in turns from the language pairs, those first that were not taken in another
    pair. A word without a plain word left for its control is left out.

    - `left_out`: concepts that no prompt may hold.

    Raises MeaningsError where the lexicon lacks a language, or concepts for the prompts.
    """
    usable = lexicon.restrict(concepts=[c for c in lexicon.concepts if c not in set(left_out)])
    queries = targeted_queries(usable, pairs)
    sizes = WordSizes(tokenizer)
    disjoint = DisjointConcepts(usable, tokenizer)
    found: dict[LanguagePair, list[Item]] = {}
    taken = [query for kind in KINDS for query in _some(queries, kind, per_kind, seed)]
    for pair in pairs:
        plain = [query for query in queries if query.kind == PLAIN and query.pair == pair]
        matched = [
            couple
            for kind in KINDS
            for couple in match_controls(
                [query for query in taken if query.kind == kind and query.pair == pair],
                plain,
                sizes,
            )
        ]
        if matched:
            found[pair] = _prompted(pair, matched, plain, disjoint, shots, seed)
    return found


def _some(queries: Sequence[Query], kind: str, count: int, seed: int) -> list[Query]:
    """Up to `count` queries of a kind: language pairs take turns, new words come first."""
    own = [query for query in queries if query.kind == kind]
    own = [own[i] for i in SeededDraws(seed).permutation(len(own))]
    words: Counter = Counter()
    ranked = []
    for query in own:
        place = query.pair.input, query.word
        ranked.append((words[place], query))
        words[place] += 1
    ranked.sort(key=lambda entry: entry[0])  # stable: the drawn order stays
    turns: Counter = Counter()
    ordered = []
    for again, query in ranked:
        ordered.append((again, turns[query.pair], query))
        turns[query.pair] += 1
    ordered.sort(key=lambda entry: entry[:2])
    return [query for _, _, query in ordered[:count]]


class WordSizes:
    """A word's number of tokens, and the mean log2 of their ids, after an open quote."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._known: dict[str, tuple[int, float]] = {}

    def of(self, word: str) -> tuple[int, float]:
        """Both numbers."""
        if word not in self._known:
            quoted = self._tokenizer(OPEN_QUOTE + word, add_special_tokens=False)["input_ids"]
            ids = quoted[1:] or quoted
            self._known[word] = len(ids), float(np.mean(np.log2(np.array(ids) + 1.0)))
        return self._known[word]


def match_costs(
    queries: Sequence[Query], plain: Sequence[Query], sizes: WordSizes
) -> Float[np.ndarray, "query plain"]:
    """The cost of each plain word as the control of each query word."""

    def columns(words: Sequence[Query]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        both = np.array([sizes.of(each.word) for each in words])
        return np.array([each.category for each in words]), both[:, 0], both[:, 1]

    (kind_a, tokens_a, ids_a), (kind_b, tokens_b, ids_b) = columns(queries), columns(plain)
    return (
        OTHER_CATEGORY * (kind_a[:, None] != kind_b)
        + OTHER_LENGTH * np.abs(tokens_a[:, None] - tokens_b)
        + np.abs(ids_a[:, None] - ids_b)
    )


def match_controls(
    queries: Sequence[Query], plain: Sequence[Query], sizes: WordSizes
) -> list[tuple[Query, Query]]:
    """The query words of one kind and language pair with their controls, at the least total cost;
    a query word without one is left out.
    """
    if not queries or not plain:
        return []
    rows, columns = linear_sum_assignment(match_costs(queries, plain, sizes))
    return [(queries[i], plain[j]) for i, j in zip(rows, columns, strict=True)]


class DisjointConcepts:
    """Whether two concepts share no first token in any language of a lexicon."""

    def __init__(self, lexicon: Lexicon, tokenizer: PreTrainedTokenizerBase) -> None:
        self._place = {concept: i for i, concept in enumerate(lexicon.concepts)}
        self._disjoint: Bool[np.ndarray, "concept concept"] = disjoint_concepts(
            lexicon, tokenizer, lexicon.concepts, lexicon.languages
        )

    def all(self, *concepts: str) -> bool:
        """Whether no two of the concepts share a first token."""
        places = [self._place[concept] for concept in concepts]
        return all(self._disjoint[a, b] for i, a in enumerate(places) for b in places[:i])


def _prompted(
    pair: LanguagePair,
    matched: Sequence[tuple[Query, Query]],
    plain: Sequence[Query],
    disjoint: DisjointConcepts,
    shots: int,
    seed: int,
) -> list[Item]:
    """The matched words as items, in blocks that share their few-shot examples."""
    draws = SeededDraws(seed)
    order = [matched[i] for i in draws.permutation(len(matched))]
    items: list[Item] = []
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        used = {query.concept for couple in block for query in couple}
        free = [query.concept for query in plain if query.concept not in used]
        free = [free[i] for i in draws.permutation(len(free))]
        examples, rest = free[: 2 * shots], free[2 * shots :]
        if len(examples) < 2 * shots or not rest:
            raise MeaningsError(
                f"pair {pair}: {len(free)} plain words are left for {shots} few-shot examples per "
                f"prompt; ask for fewer, or use a larger lexicon"
            )
        source_shots, target_shots = tuple(examples[:shots]), tuple(examples[shots:])
        for place, (query, control) in enumerate(block):
            target = _target(rest, place % TARGETS, query, control, disjoint)
            both = tuple(
                ConceptPair(
                    each.concept,
                    target,
                    _null(each.concept, target, block, place, rest, disjoint),
                    source_shots,
                    target_shots,
                )
                for each in (query, control)
            )
            items.append(Item(len(items), query, control, (both[0], both[1])))
    return items


def _target(
    free: Sequence[str], turn: int, query: Query, control: Query, disjoint: DisjointConcepts
) -> str:
    """The first free concept from a place on that shares no first token with either word's."""
    for concept in (*free[turn:], *free[:turn]):
        if disjoint.all(concept, query.concept) and disjoint.all(concept, control.concept):
            return concept
    raise MeaningsError(
        f"pair {query.pair}: every concept shares a first token with {query.concept!r} or "
        f"{control.concept!r}; use fewer languages (first tokens are pooled over them)"
    )


def _null(
    source: str,
    target: str,
    block: Sequence[tuple[Query, Query]],
    place: int,
    free: Sequence[str],
    disjoint: DisjointConcepts,
) -> str:
    """A third concept: another word of the block, whose source prompts are run anyway, or a free
    one.
    """
    others = [query.concept for couple in (*block[place + 1 :], *block[:place]) for query in couple]
    for concept in (*others, *free):
        if concept not in (source, target) and disjoint.all(source, target, concept):
            return concept
    raise MeaningsError(
        f"every third concept shares a first token with {source!r} or {target!r}; use fewer "
        "languages (first tokens are pooled over them)"
    )


def concept_pairs(items: Sequence[Item]) -> list[ConceptPair]:
    """The concept pairs of one language pair's items: query word, control, next query word, ..."""
    return [pair for item in items for pair in item.pairs]


def distances(items: Mapping[LanguagePair, Sequence[Item]], sizes: WordSizes) -> dict[str, float]:
    """How well controls are matched: shares of items with the `same_category` and the
    `same_length`, and the mean difference in log2 of the token ids, `token_ids`.
    """
    found = defaultdict(list)
    for item in (item for own in items.values() for item in own):
        (tokens_a, ids_a), (tokens_b, ids_b) = (
            sizes.of(each.word) for each in (item.query, item.control)
        )
        found["same_category"].append(item.query.category == item.control.category)
        found["same_length"].append(tokens_a == tokens_b)
        found["token_ids"].append(abs(ids_a - ids_b))
    return {name: float(np.mean(values)) for name, values in found.items()}
