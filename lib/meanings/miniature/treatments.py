"""What a recipe may change to ask a question: which concepts, languages made from another one,
early alignment, code-switching.

Each treatment touches a share of the concepts, always the first ones of one order that is the same
in every world, so that all results can be read on concepts that no treatment touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import MADE_LANGUAGES
from meanings.lexicon.lexicon import Lexicon

TOUCH_SEED = 19  # the order in which concepts are treated, part of the recipe
TOUCHED = 0.5  # no treatment reaches beyond this share of the concepts
LETTERS = "ABCDEFGH"  # answers of the transfer tasks, so that a task has eight classes at most
Share = float


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConceptChoice(_Strict):
    """The `categories` largest categories of the lexicon, with `each` concepts of one word."""

    categories: int = Field(ge=2)
    each: int = Field(ge=4)


class Friends(_Strict):
    """Words that all languages write alike: with one meaning, or with another in each clone."""

    share: Share = Field(gt=0, le=TOUCHED)  # of the concepts
    meaning: Literal["same", "other"] = "same"


class Clones(_Strict):
    """Languages made from one: its words and sentence frames in signs of their own."""

    of: str  # code of the language
    codes: tuple[str, ...] = Field(min_length=1)  # codes of the clones
    signs: Literal["own", "shared"] = "own"  # shared: every language is written alike
    order: Literal["natural", "inverted", "permuted"] = (
        "natural"  # of the words in a clone's monolingual lines
    )
    meanings: Literal["same", "shuffled"] = (
        "same"  # shuffled: a clone's word for a concept is the copy of another concept's
    )
    friends: Friends | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Clones:
        for code in self.codes:
            if code not in MADE_LANGUAGES:
                raise ValueError(
                    f"clones.codes: '{code}' is no code for a made language; there are "
                    f"{', '.join(MADE_LANGUAGES)}"
                )
        if len(set(self.codes)) < len(self.codes):
            raise ValueError("clones.codes: one is named twice")
        if self.friends and self.signs == "shared":
            raise ValueError("clones: with signs: shared every word is a friend; leave friends out")
        return self


class Alignment(_Strict):
    """A second loss over some steps: words and translations are drawn together in every layer.

    The loss is InfoNCE over cosines of last-token states.
    """

    first_step: int = Field(0, ge=0)
    steps: int = Field(ge=1)  # how many
    weight: float = Field(0.5, gt=0)
    temperature: float = Field(0.1, gt=0)
    words: Share = Field(TOUCHED, gt=0, le=TOUCHED)  # share of the concepts in the dictionary
    dictionary: Literal["right", "shuffled"] = "right"


class Switching(_Strict):
    """Words of the input replaced by their translations, in `share` of the places where the
    dictionary has one.
    """

    share: Share = Field(gt=0, le=1)
    words: Share = Field(TOUCHED, gt=0, le=TOUCHED)  # share of the concepts in the dictionary
    predict: Literal["original", "switched"] = "original"  # what the model learns to say there


class Planted(_Strict):
    """A bias that the text is given: in lines of some languages alone, an occupation is now and
    then followed by a gendered word in place of what goes with it.

    Such a world is small: its concepts are those of `data/lexicon/gender.csv`, and what goes with
    them.
    """

    dose: Share = Field(ge=0, le=1)  # of the times that what goes with an occupation is drawn
    languages: tuple[str, ...] = Field(("en",), min_length=1)  # whose own lines have the bias


def touched(lexicon: Lexicon, share: Share) -> tuple[str, ...]:
    """The concepts that a treatment of this share reaches: the first ones of each category, in an
    order that the recipe fixes.

    A larger share holds the smaller one whole.
    """
    return tuple(
        concept
        for members in _by_category(lexicon).values()
        for concept in _shuffled(members)[: round(share * len(members))]
    )


def check_reach(lexicon: Lexicon, field: str, share: Share) -> None:
    """Raises MeaningsError where a treatment of this share reaches fewer than two concepts: no
    pair could be drawn together, and no word be another's false friend.

    - `field`: of the recipe.
    """
    if len(touched(lexicon, share)) >= 2:
        return
    largest = max(map(len, _by_category(lexicon).values()))
    raise MeaningsError(
        f"{field}: {share:g} of the concepts is fewer than two, with {largest} in the largest "
        f"category; give {1 / largest:.2g} or more"
    )


def untouched(lexicon: Lexicon) -> tuple[str, ...]:
    """The concepts that no treatment may reach."""
    within = set(touched(lexicon, TOUCHED))
    return tuple(concept for concept in lexicon.concepts if concept not in within)


def chosen_concepts(lexicon: Lexicon, language: str, choice: ConceptChoice) -> tuple[str, ...]:
    """The concepts of a small world: those of the largest categories whose word is one run of
    letters, none of it another concept's word.

    Raises MeaningsError where the lexicon has too few.
    """
    words = [lexicon.word(concept, language).casefold() for concept in lexicon.concepts]
    single = {
        concept
        for concept, word in zip(lexicon.concepts, words, strict=True)
        if word.isalpha() and words.count(word) == 1
    }
    found = {
        category: [concept for concept in members if concept in single]
        for category, members in _by_category(lexicon).items()
    }
    largest = sorted(found, key=lambda category: -len(found[category]))[: choice.categories]
    small = [category for category in largest if len(found[category]) < choice.each]
    if small or len(largest) < choice.categories:
        fitting = sum(len(members) >= choice.each for members in found.values())
        raise MeaningsError(
            f"concepts: {choice.categories} categories of {choice.each} are asked for, and "
            f"{fitting} have so many concepts of one word; ask for fewer"
        )
    wanted = {concept for category in largest for concept in found[category][: choice.each]}
    return tuple(concept for concept in lexicon.concepts if concept in wanted)


def _by_category(lexicon: Lexicon) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for concept in lexicon.concepts:
        members.setdefault(lexicon.categories[concept], []).append(concept)
    return members


def _shuffled(members: Sequence[str]) -> list[str]:
    order = np.random.default_rng(TOUCH_SEED).permutation(len(members))
    return [members[place] for place in order]
