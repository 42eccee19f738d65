"""Items of a parallel treebank: what its languages are compared over.

    sentences    a sentence and its translations
    upos         a word of a class (NOUN, VERB, ...) in a sentence
    number       a noun in the singular, plural, ...; gender: a noun; tense: a verb or auxiliary
    features     these three together, `Number=Sing`, `Gender=Fem`, `Tense=Past`, ...
    relations    a head and its dependent (nsubj, obj, ...) in a sentence

An item is a sentence and a class, such as `n01001011 NOUN`; it is there where every language has a
word of the class in this sentence, and one of them is drawn. The words of an item are therefore of
one class and in one sentence, but not always translations: PUD is not aligned word by word. What
carries one string in all languages is left out: punctuation, symbols, numerals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int

from meanings.core.errors import MeaningsError, one_of
from meanings.corpora.conllu import Sentence
from meanings.corpora.parallel import Parallel

Kind = Literal["sentences", "upos", "number", "gender", "tense", "features", "relations"]
FEATURES = {"Number": ("NOUN",), "Gender": ("NOUN",), "Tense": ("VERB", "AUX")}
LEFT_OUT = ("PUNCT", "SYM", "NUM", "X", "INTJ")
LEFT_OUT_RELATIONS = ("punct", "root", "dep", "nummod", "goeswith", "reparandum", "orphan")
# Languages whose annotation no person made in PUD, as their READMEs say; in all others it is manual
# or converted from manual annotation.
AUTOMATIC_CLASSES = ("is", "sv")
AUTOMATIC_FEATURES = ("en", "gl", "is", "sv", "zh")
Place = tuple[int, ...]


@dataclass(frozen=True)
class Items:
    """The axis that all languages share, and where each language has it.

    - `categories[concept]`: its class; sentences have none.
    - `places[language]`: of each item, the number of its sentence, its word, or its head and its
      dependent; words count through all sentences.
    - `sentences`: the number of each item's sentence.
    """

    name: str
    kind: Kind
    concepts: tuple[str, ...]
    categories: dict[str, str]
    places: dict[str, Int[np.ndarray, "item part"]]
    sentences: Int[np.ndarray, " item"]

    def __len__(self) -> int:
        return len(self.concepts)


def items_of(parallel: Parallel, kind: Kind, most: int, seed: int) -> Items:
    """The items of a kind, at most `most` of each class, drawn with a seed.

    Raises MeaningsError where a language's annotation is automatic, or there is no item.
    """
    name = f"{parallel.name}-{kind}"
    if kind == "sentences":
        own = np.arange(len(parallel.names))
        places = dict.fromkeys(parallel.languages, own[:, None])
        return Items(name, kind, parallel.names, {}, places, own)
    _check_manual(parallel, kind)
    rng = np.random.default_rng([seed, 21])
    members: dict[str, list[tuple[int, dict[str, Place]]]] = {}
    for number, there in enumerate(_by_class(parallel, kind)):
        shared = sorted(set.intersection(*map(set, there.values())))
        for label in shared:
            drawn = {code: own[label][rng.integers(len(own[label]))] for code, own in there.items()}
            members.setdefault(label, []).append((number, drawn))
    kept = {
        label: [own[i] for i in sorted(rng.permutation(len(own))[:most])]
        for label, own in sorted(members.items())
    }
    rows = [(label, number, drawn) for label, own in kept.items() for number, drawn in own]
    if not rows:
        raise MeaningsError(
            f"{name}: no class is in one sentence of all of {one_of(parallel.languages)}; ask for "
            "more sentences or other items"
        )
    concepts = tuple(f"{parallel.names[number]} {label}" for label, number, _ in rows)
    return Items(
        name,
        kind,
        concepts,
        dict(zip(concepts, (label for label, *_ in rows), strict=True)),
        {code: np.array([drawn[code] for *_, drawn in rows]) for code in parallel.languages},
        np.array([number for _, number, _ in rows], int),
    )


def _check_manual(parallel: Parallel, kind: Kind) -> None:
    automatic = AUTOMATIC_CLASSES if kind in ("upos", "relations") else AUTOMATIC_FEATURES
    if wrong := [code for code in parallel.languages if code in automatic]:
        raise MeaningsError(
            f"{parallel.name}: {kind} of {wrong[0]!r} are annotated automatically; leave out "
            f"{one_of(automatic)}"
        )


def _by_class(parallel: Parallel, kind: Kind) -> Iterator[dict[str, dict[str, list[Place]]]]:
    """For each sentence the places of each class in each language."""
    begins = dict.fromkeys(parallel.languages, 0)
    for row in zip(*parallel.sentences.values(), strict=True):
        there = {}
        for code, sentence in zip(parallel.languages, row, strict=True):
            found: dict[str, list[Place]] = {}
            for label, place in _classes(sentence, kind):
                found.setdefault(label, []).append(tuple(begins[code] + each for each in place))
            there[code] = found
            begins[code] += len(sentence.words)
        yield there


def _classes(sentence: Sentence, kind: Kind) -> Iterator[tuple[str, Place]]:
    """The classes of a sentence's words, each with the numbers from 0 of the words that have it."""
    for number, word in enumerate(sentence.words):
        if kind == "upos":
            if word.upos not in LEFT_OUT:
                yield word.upos, (number,)
        elif kind == "relations":
            if word.relation not in LEFT_OUT_RELATIONS:
                yield word.relation, (word.head - 1, number)
        else:
            for feature, classes in FEATURES.items():
                value = word.features.get(feature, "")
                wanted = kind in ("features", feature.lower())
                if wanted and value and "," not in value and word.upos in classes:
                    yield f"{feature}={value}", (number,)
