"""Expert units: whether the same MLP units respond to a category of words in two languages.

    response    a unit's activation at a word's last token
    AP          average precision of ranking all words by the response, for the words of a category
    experts     the tenth of a layer's units with the highest AP
    overlap     |experts in a and in b| / number of experts

Chance is a tenth. `same_shuffle` deals the categories out anew, *alike in all languages*: whatever
overlap is left comes from concepts that lie at one place in both languages, not from the category.
Source of the idea: average precision of units, Suau et al. 2022; overlap across languages, S2.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from meanings.core.errors import MeaningsError
from meanings.corpora.items import Items
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.base import About
from meanings.measures.companion import Companion, Null, Request, Source, rng_of
from meanings.measures.word_states import WordStates

SHARE = 0.1  # of a layer's units are experts
FEWEST = 8  # words of a category
SHUFFLES = 20

Members = Bool[np.ndarray, "category concept"]


def average_precisions(
    responses: Float[np.ndarray, "concept unit"], members: Members
) -> Float[np.ndarray, "category unit"]:
    """The average precision of each unit as a detector of each category.

    Mean, over the category's words, of the precision among the words that respond at least as much.
    Words with equal responses count in the order of the lexicon. A unit that has one response to
    all words ranks nothing: its precision is 0, below that of every other unit.
    """
    order = np.argsort(-responses, axis=0, kind="stable")
    ranks = np.arange(1, len(responses) + 1)[:, None]
    found = np.empty((len(members), responses.shape[1]))
    for place, each in enumerate(members):
        hit = each[order]
        found[place] = (np.cumsum(hit, axis=0) / ranks * hit).sum(axis=0) / max(each.sum(), 1)
    found[:, ~varies(responses)] = 0
    return found


def varies(responses: Float[np.ndarray, "concept unit"]) -> Bool[np.ndarray, " unit"]:
    """Which units respond differently to some words."""
    return (responses != responses[:1]).any(axis=0)


def experts(
    precisions: Float[np.ndarray, "category unit"], share: float = SHARE
) -> Bool[np.ndarray, "category unit"]:
    """The units with the highest average precision, the same number in every category; a unit that
    never varies is none of them, so that there are fewer where most are of this kind.
    """
    count = max(1, round(share * precisions.shape[1]))
    chosen = np.argsort(-precisions, axis=1, kind="stable")[:, :count]
    found = np.zeros(precisions.shape, bool)
    np.put_along_axis(found, chosen, True, axis=1)
    return found & (precisions > 0)


def overlap(
    a: Bool[np.ndarray, "category unit"], b: Bool[np.ndarray, "category unit"]
) -> Float[np.ndarray, " category"]:
    """Share of the experts of one language that are experts in the other."""
    return (a & b).sum(axis=1) / np.maximum(a.sum(axis=1), 1)


def memberships(
    lexicon: Lexicon | Items, measure: str = "expert_units", fewest: int = 2
) -> tuple[tuple[str, ...], Members]:
    """The categories with at least 8 words, and which concepts belong to each.

    Raises MeaningsError where there are fewer than a measure needs.
    """
    of = [lexicon.categories.get(concept) for concept in lexicon.concepts]
    names = [name for name in dict.fromkeys(of) if name and of.count(name) >= FEWEST]
    if len(names) < fewest:
        raise MeaningsError(
            f"{measure} compares categories: lexicon {lexicon.name!r} has {len(names)} with at "
            f"least {FEWEST} concepts, {fewest} are needed; add a column `category`"
            if isinstance(lexicon, Lexicon)
            else f"{measure} compares classes: {lexicon.name} has {len(names)} with at least "
            f"{FEWEST} items, {fewest} are needed; ask for other items, or more sentences"
        )
    return tuple(names), np.array([[each == name for each in of] for name in names])


class ExpertUnits(Companion):
    """Overlap of the units that respond to a category, between two languages, by layer."""

    name = "expert_units"
    about = About(
        paper="arXiv 2506.01629",
        sees="the same MLP units respond to a category in two languages",
        blind="concepts at one place make units agree without a category",
        needs="categories of 8 words",
        cost="languages x layers x units x concepts x categories",
    )

    def fits(self, data: Source) -> None:
        """Raises MeaningsError where the items have too few categories."""
        super().fits(data)
        if getattr(data.items, "kind", "upos") in ("sentences", "relations"):
            raise MeaningsError(
                f"{self.name}: {data.items.name} has no units; they are read at words, so ask for "
                "items: upos"
            )
        memberships(data.items)

    def rows(self, states: WordStates, data: Source, request: Request) -> Iterator[dict[str, Any]]:
        """Variants `overlap`, with chance and its range as null (independent shuffles), and
        `same_shuffle`; intervals over categories. Layer l holds the units of decoder layer l.
        """
        _, members = memberships(data.items)
        rng = np.random.default_rng([request.seed, 5])
        orders = [rng.permutation(len(states.concepts)) for _ in range(SHUFFLES)]
        draws = rng.integers(len(members), size=(200, len(members)))
        for layer in range(states.depth - 1):
            found, alike, apart = {}, {}, {}
            for code, each in states.units.items():
                responses = each[layer].astype(np.float32)
                found[code] = experts(average_precisions(responses, members))
                alike[code] = [
                    experts(average_precisions(responses, members[:, order]))
                    for order in orders[:2]
                ]
                own = rng_of(code, "", request.seed, 5, layer)
                apart[code] = [_random(found[code], own) for _ in range(SHUFFLES)]
            for a, b in combinations(states.languages, 2):
                base = {
                    "layer": layer + 1, "language_a": a, "language_b": b, "split": "all",
                    "n": int(members.any(axis=0).sum()),
                }  # fmt: skip
                chance = [overlap(x, y).mean() for x, y in zip(apart[a], apart[b], strict=True)]
                null = Null.of(np.array(chance))
                shuffled = [overlap(x, y).mean() for x, y in zip(alike[a], alike[b], strict=True)]
                scores = overlap(found[a], found[b])
                low, high = np.quantile(scores[draws].mean(axis=1), [0.025, 0.975])
                yield base | {
                    "variant": "overlap", "value": float(scores.mean()), "low": float(low),
                    "high": float(high), "null": null.mean, "null_low": null.low,
                    "null_high": null.high,
                }  # fmt: skip
                yield base | {"variant": "same_shuffle", "value": float(np.mean(shuffled))}


def _random(chosen: Bool[np.ndarray, "category unit"], rng: np.random.Generator) -> np.ndarray:
    """As many units in each category, drawn at random."""
    return rng.permuted(chosen, axis=1)


MEASURE = ExpertUnits()
