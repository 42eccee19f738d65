"""Relations: whether the step from a concept to a related one points the same way in two languages.

    step         state of a concept's word - state of the related word, states standardised per
                 language; the related concept is a broader one, or one that it is associated with
    direction    cosine of the mean step in a and in b, from pairs of *disjoint* halves of the
                 concepts; null: every pair's two words change places or not, at random
    pairs        mean cosine of a pair's step in a with the same pair's step in b; null: the related
                 words are dealt out anew among the pairs of b
    rsa          rank correlation of the distances between the mean steps of categories (that of the
                 concept), from disjoint halves; null: categories change places in b

A mean step is the mean of the concepts minus the mean of the related concepts, so dealing out the
related words anew leaves it as it is: `direction` sees that there is a direction from narrow to
broad, and only `pairs` sees who belongs to whom. In `pairs` the concept itself is shared, so its
null is high where concepts lie at one place. An associate is often a word that many concepts are
associated with: `direction_associate` may see how frequent words are.
Source of the idea: arXiv 2310.12794.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.relations import load_relations
from meanings.measures import companion
from meanings.measures.base import About, Checked, Moment
from meanings.measures.companion import FEWEST, Companion, Null, Texts
from meanings.measures.structure import prototypes, ranked, rsa, standardised
from meanings.measures.word_states import WordStates

HALVES = 5  # random halves of the concepts
MOST = 400  # pairs of a relation in `pairs`
DEALT = 50  # times that related words are dealt out anew
GROUP = 24  # pairs of a category
CATEGORIES = 5  # at least, for `rsa`

Steps = Float[np.ndarray, "pair d_model"]


class Request(companion.Request):
    """What relations ask of a checkpoint."""

    relations_sha256: str  # of the pairs


class Relation(NamedTuple):
    """Pairs of places in the lexicon's concepts: a concept, and one that it is related to."""

    name: str
    pairs: Int[np.ndarray, "pair 2"]


def relations_of(lexicon: Lexicon) -> tuple[Relation, ...]:
    """The relations between concepts of a lexicon that have enough pairs: `broader`, `associate`.

    Raises MeaningsError where there are none.
    """
    place = {concept: i for i, concept in enumerate(lexicon.concepts)}
    tables = {"broader": load_relations().broader, "associate": _associations()}
    found = []
    for name, table in tables.items():
        pairs = sorted(
            (place[concept], place[other])
            for concept, others in table.items()
            for other in others
            if concept in place and other in place and concept != other
        )
        if len(pairs) >= FEWEST:
            found.append(Relation(name, np.array(pairs)))
    if not found:
        raise MeaningsError(
            f"relations: lexicon {lexicon.name!r} has fewer than {FEWEST} pairs of a concept and a "
            "broader one, or an associate; its concepts must be those of data/lexicon"
        )
    return tuple(found)


def _associations() -> dict[str, tuple[str, ...]]:
    path = data_folder() / "miniature" / "associations.csv"
    return _read_associations(path) if path.is_file() else {}


@lru_cache(maxsize=4)
def _read_associations(path: Path) -> dict[str, tuple[str, ...]]:
    with path.open(encoding="utf-8", newline="") as table:
        return {
            row["concept"]: tuple(row["associations"].split("|")) for row in csv.DictReader(table)
        }


def steps_of(states: Float[np.ndarray, "concept d_model"], relation: Relation) -> Steps:
    """State of the concept minus that of the related one, pair by pair."""
    return states[relation.pairs[:, 0]] - states[relation.pairs[:, 1]]


def halved(
    relation: Relation, concepts: int, rng: np.random.Generator
) -> list[Bool[np.ndarray, " pair"]]:
    """Pairs inside one half of the concepts, and those inside the other: no concept is in both."""
    first = np.zeros(concepts, bool)
    first[rng.permutation(concepts)[: concepts // 2]] = True
    sides = first[relation.pairs]
    return [sides.all(axis=1), ~sides.any(axis=1)]


def mean_steps(
    steps: Steps, flips: Float[np.ndarray, "draw pair"]
) -> Float[np.ndarray, "draw d_model"]:
    """Directions of the mean step, of length 1; a pair counts backwards where its flip is -1."""
    means = flips @ steps
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)


def unit(steps: Float[np.ndarray, "*any d_model"]) -> Float[np.ndarray, "*any d_model"]:
    """Steps of length 1."""
    return steps / np.maximum(np.linalg.norm(steps, axis=-1, keepdims=True), 1e-12)


class Relations(Companion):
    """Steps from concepts to related ones, in two languages, by layer."""

    name = "relations"
    Request = Request
    Settings = companion.WordSettings
    about = About(
        paper="arXiv 2310.12794",
        sees="the step to a broader or associated concept points the same way",
        blind="relations that are no shift",
        needs="concepts of data/lexicon",
        cost="pairs of languages x layers x draws x pairs of concepts x width",
    )

    def check(self, settings, lexicon, trajectories):
        """Raises MeaningsError where the lexicon has no pairs of related concepts."""
        relations_of(lexicon)
        return super().check(settings, lexicon, trajectories)

    def plan(self, checked: Checked, moment: Moment) -> Iterator[Request]:
        """One request per checkpoint; its key holds a hash of the related concepts."""
        data = checked.data
        named = [
            [r.name, [[data.lexicon.concepts[i] for i in pair] for pair in r.pairs]]
            for r in relations_of(data.lexicon)
        ]
        sha256 = hashlib.sha256(json.dumps(named).encode()).hexdigest()
        for request in super().plan(checked, moment):
            yield Request(**request.model_dump(), relations_sha256=sha256)

    def rows(self, states: WordStates, data: Texts, request: Request) -> Iterator[dict[str, Any]]:
        """Variants `direction_broader`, `pairs_broader`, `rsa_broader`, and those of `associate`;
        intervals are the range over halves, in `pairs` over resampled pairs.
        """
        for relation in relations_of(data.lexicon):
            prepared = [_Direction(relation, states, request), _Pairs(relation, request)]
            arrangement = _Arrangement(relation, states, request, _groups(relation, data.lexicon))
            if len(arrangement.groups) >= CATEGORIES:
                prepared.append(arrangement)
            for layer in range(states.depth):
                ready = {
                    code: standardised(each[layer].astype(np.float64))
                    for code, each in states.hidden.items()
                }
                for each in prepared:
                    for (a, b), values in each.compared(ready):
                        yield {
                            "variant": f"{each.variant}_{relation.name}", "layer": layer,
                            "language_a": a, "language_b": b, "split": "all", "n": each.n, **values,
                        }  # fmt: skip


class _Direction:
    variant = "direction"

    def __init__(self, relation: Relation, states: WordStates, request: Request) -> None:
        rng = np.random.default_rng([request.seed, 11])
        self.relation, self.n = relation, len(relation.pairs)
        self.halves = [halved(relation, len(states.concepts), rng) for _ in range(HALVES)]
        shape = (2, request.permutations, self.n)
        flips = rng.choice(np.array([-1.0, 1.0]), size=shape)
        straight = np.ones((2, 1, self.n))
        self.flips = np.concatenate([straight, flips], axis=1)

    def compared(self, ready):
        sides = {}
        for code, each in ready.items():
            steps = steps_of(each, self.relation)
            sides[code] = [
                [
                    mean_steps(steps[half], flips[:, half])
                    for half, flips in zip(both, self.flips, strict=True)
                ]
                for both in self.halves
            ]
        for a, b in combinations(ready, 2):
            found = [
                (one[0] * other[1]).sum(axis=1)
                for one, other in zip(sides[a], sides[b], strict=True)
            ]
            yield (a, b), _over_halves(found)


class _Pairs:
    variant = "pairs"

    def __init__(self, relation: Relation, request: Request) -> None:
        rng = np.random.default_rng([request.seed, 12])
        chosen = np.sort(rng.permutation(len(relation.pairs))[:MOST])
        self.relation, self.n = relation._replace(pairs=relation.pairs[chosen]), len(chosen)
        self.orders = np.array([rng.permutation(self.n) for _ in range(DEALT)])
        self.draws = rng.integers(self.n, size=(200, self.n))

    def compared(self, ready):
        first, other = self.relation.pairs.T
        own = {code: unit(each[first] - each[other]) for code, each in ready.items()}
        for b, states in list(ready.items())[1:]:
            dealt = unit(states[first] - states[other[self.orders]])
            for a in list(ready)[: list(ready).index(b)]:
                found = (own[a] * own[b]).sum(axis=1)
                low, high = np.quantile(found[self.draws].mean(axis=1), [0.025, 0.975])
                null = Null.of(np.einsum("nd,knd->k", own[a], dealt) / self.n)
                yield (a, b), {
                    "value": float(found.mean()), "low": float(low), "high": float(high),
                    "null": null.mean, "null_low": null.low, "null_high": null.high,
                }  # fmt: skip


class _Arrangement:
    variant = "rsa"

    def __init__(
        self,
        relation: Relation,
        states: WordStates,
        request: Request,
        groups: Bool[np.ndarray, "category pair"],
    ) -> None:
        rng = np.random.default_rng([request.seed, 13])
        self.halves = [halved(relation, len(states.concepts), rng) for _ in range(HALVES)]
        # A category without a pair in some half has no step there, and is left out of all of them.
        found = [(groups & half).any(axis=1) for both in self.halves for half in both]
        groups = groups[np.all(found, axis=0)]
        self.relation, self.groups, self.n = relation, groups, int(groups.sum())
        same = np.arange(len(groups))
        self.orders = np.array(
            [same, *(rng.permutation(same) for _ in range(request.permutations))]
        )

    def compared(self, ready):
        sides = {}
        for code, each in ready.items():
            steps = steps_of(each, self.relation)
            sides[code] = [
                [ranked(prototypes(steps, self.groups & half)) for half in both]
                for both in self.halves
            ]
        for a, b in combinations(ready, 2):
            found = [
                rsa(one[0], other[1], self.orders)
                for one, other in zip(sides[a], sides[b], strict=True)
            ]
            yield (a, b), _over_halves(found)


def _over_halves(found: Sequence[Float[np.ndarray, " draw"]]) -> dict[str, float]:
    """Mean over halves and their range; the first draw is the value, the others the null."""
    values = [float(each[0]) for each in found]
    null = Null.of(np.mean([each[1:] for each in found], axis=0))
    return {
        "value": float(np.mean(values)), "low": min(values), "high": max(values),
        "null": null.mean, "null_low": null.low, "null_high": null.high,
    }  # fmt: skip


def _groups(relation: Relation, lexicon: Lexicon) -> Bool[np.ndarray, "category pair"]:
    """Which pairs belong to each category that has enough, by the category of the concept."""
    of = [lexicon.categories.get(lexicon.concepts[i]) for i in relation.pairs[:, 0]]
    names = [name for name in dict.fromkeys(of) if name and of.count(name) >= GROUP]
    found = np.array([[each == name for each in of] for name in names], dtype=bool)
    return found.reshape(-1, len(of))


MEASURE = Relations()
