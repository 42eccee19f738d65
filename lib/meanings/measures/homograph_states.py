"""Homographs behind their contexts, as a checkpoint holds them, and how near they lie to the words
of another language.

    in_context    `x w`, at the last token of the homograph w
    word_only     w alone
    context_only  x alone
    other_word    `x u`, at the last token of a word u that has to do with neither sense

From each state the mean of the language's states of the same kind is subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from meanings.lexicon.forms import normal_form
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.base import Shared
from meanings.measures.homographs import Context, Homographs
from meanings.measures.word_states import WordStates, word_states

KINDS = ("in_context", "word_only", "context_only", "other_word")
States = Float[np.ndarray, "depth context d_model"]


@dataclass(frozen=True)
class HomographStates:
    """States that are read of a lexicon's homographs.

    - `words`: of every concept's main word; `of[language][kind]`: of its contexts, centred.
    """

    words: WordStates
    of: dict[str, dict[str, States]]

    @property
    def depth(self) -> int:
        """Number of states of a word: the embedding and every layer's output."""
        return self.words.depth


def read_homographs(
    model: Any, lexicon: Lexicon, homographs: Homographs, shared: Shared
) -> HomographStates:
    """The states of a loaded checkpoint.

    - `model`: a `meanings.models.loading.PatchableModel`.
    """
    from meanings.models.activations import activations

    words = word_states(model, lexicon, shared)
    place = {concept: i for i, concept in enumerate(lexicon.concepts)}
    found = {}
    for done, (code, contexts) in enumerate(homographs.contexts.items()):
        shared.report("reading homographs in context", done, len(homographs.contexts))
        if not contexts:
            continue
        texts = _texts(lexicon, code, contexts)
        every = {text: i for i, text in enumerate(dict.fromkeys(chain(*texts.values())))}
        states = activations(model, list(every)).hidden
        read = {kind: states[:, [every[text] for text in own]] for kind, own in texts.items()}
        read = {kind: each - _mean(each, texts[kind]) for kind, each in read.items()}
        own = words.hidden[code]
        alone = own - own.mean(axis=1, keepdims=True)
        found[code] = read | {"context_only": alone[:, [place[each.context] for each in contexts]]}
    return HomographStates(words, found)


def _texts(lexicon: Lexicon, code: str, contexts: tuple[Context, ...]) -> dict[str, list[str]]:
    left = [lexicon.word(each.context, code) for each in contexts]
    neutral = [lexicon.word(each.neutral, code) for each in contexts]
    return {
        "in_context": [f"{x} {each.word}" for x, each in zip(left, contexts, strict=True)],
        "word_only": [each.word for each in contexts],
        "other_word": [f"{x} {u}" for x, u in zip(left, neutral, strict=True)],
    }


def _mean(states: States, texts: list[str]) -> Float[np.ndarray, "depth one d_model"]:
    """Over texts, each counted once."""
    _, once = np.unique(texts, return_index=True)
    return states[:, once].mean(axis=1, keepdims=True)


class Items(NamedTuple):
    """The contexts of language a's homographs that words of b can tell apart.

    - `rows`: their places among the contexts of a; `unit`, `contrast`: numbers of the homograph
      and of its pair of senses, in a row.
    - `first`: whether the context goes with the first sense of the pair.
    - `senses`: places of the two senses' concepts in the lexicon.
    """

    rows: Int[np.ndarray, " item"]
    unit: Int[np.ndarray, " item"]
    contrast: Int[np.ndarray, " item"]
    first: Bool[np.ndarray, " item"]
    senses: Int[np.ndarray, "item 2"]

    @property
    def n(self) -> int:
        """Homographs."""
        return int(self.unit.max()) + 1 if len(self.unit) else 0

    def weights(self, first: Bool[np.ndarray, "draw item"]) -> Float[np.ndarray, "draw item"]:
        """The weight of each context, 1 in all: homographs count alike, in each its pairs of
        senses, in each the two senses, in each its contexts.
        """
        contrasts = np.eye(self.contrast.max() + 1)[self.contrast]  # item, contrast
        own = np.where(first, first @ contrasts @ contrasts.T, ~first @ contrasts @ contrasts.T)
        of = np.unique(np.stack([self.unit, self.contrast]), axis=1)[0]
        return 1 / (self.n * np.bincount(of)[self.unit] * 2 * own)

    def shuffled(self, rng: np.random.Generator, draws: int) -> Bool[np.ndarray, "draw item"]:
        """`first` with the senses dealt out anew among the contexts of each pair of senses."""
        keys = self.contrast + rng.random((draws, len(self.contrast)))
        return self.first[keys.argsort(axis=1)]


def items_of(
    lexicon: Lexicon,
    contexts: tuple[Context, ...],
    b: str,
    pieces_a: Mapping[str, tuple[int, ...]],
    pieces_b: Mapping[str, tuple[int, ...]],
) -> Items:
    """The contexts of homographs for which b has two words: its main word of either sense is no
    word of the other one, and neither has a token in common with the context's word.

    - `pieces_a`, `pieces_b`: concept -> token ids of its main word.
    """
    place = {concept: i for i, concept in enumerate(lexicon.concepts)}
    forms = {c: set(map(normal_form, lexicon.words(c, b))) for c in lexicon.concepts}
    kept: dict[tuple[str, ...], list[int]] = {}  # form and its two senses in order -> rows
    for row, each in enumerate(contexts):
        senses = sorted((each.sense, each.other), key=place.__getitem__)
        one, other = (normal_form(lexicon.word(concept, b)) for concept in senses)
        shared = {*pieces_b[senses[0]], *pieces_b[senses[1]]}.intersection(pieces_a[each.context])
        if one not in forms[senses[1]] and other not in forms[senses[0]] and not shared:
            kept.setdefault((each.form, *senses), []).append(row)
    rows, unit, contrast = [], [], []
    numbers: dict[str, int] = {}
    contrasts = 0
    for (form, *senses), own in kept.items():
        if {contexts[row].sense for row in own} != set(senses):
            continue
        rows += own
        unit += [numbers.setdefault(form, len(numbers))] * len(own)
        contrast += [contrasts] * len(own)
        contrasts += 1
    pairs = [sorted((contexts[r].sense, contexts[r].other), key=place.__getitem__) for r in rows]
    return Items(
        np.array(rows, int),
        np.array(unit, int),
        np.array(contrast, int),
        np.array([contexts[r].sense == pair[0] for r, pair in zip(rows, pairs, strict=True)], bool),
        np.array([[place[c] for c in pair] for pair in pairs], int).reshape(-1, 2),
    )


def cosines(
    states: Float[np.ndarray, "item d_model"], words: Float[np.ndarray, "item 2 d_model"]
) -> Float[np.ndarray, "item 2"]:
    """Cosine of each state with the words of its two senses; 0 where one has no length."""
    return np.einsum("id,isd->is", _unit(states), _unit(words))


def _unit(states: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(states, axis=-1, keepdims=True)
    return states / np.where(norms > 0, norms, 1)
