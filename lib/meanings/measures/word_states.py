"""What a checkpoint holds of every word of a lexicon, read once for all measures that need it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.base import Shared

STORE = "word_states"


@dataclass(frozen=True)
class WordStates:
    """States at the last token of each concept's word, behind the mark that begins a text.

    - `concepts`: the axis that all languages share, in the lexicon's order.
    - `hidden[language]`, `units[language]`: see `meanings.models.activations`.
    - `pieces[language]`: the token ids of each concept's word.
    """

    concepts: tuple[str, ...]
    hidden: dict[str, Float[np.ndarray, "depth concept d_model"]]
    units: dict[str, Float[np.ndarray, "layer concept d_mlp"]]
    pieces: dict[str, tuple[tuple[int, ...], ...]]

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages, in the lexicon's order."""
        return tuple(self.hidden)

    @property
    def depth(self) -> int:
        """Number of states of a word: the embedding and every layer's output."""
        return len(next(iter(self.hidden.values())))

    def tokens(self, language: str) -> Int[np.ndarray, " concept"]:
        """The number of tokens of each concept's word."""
        return np.array([len(ids) for ids in self.pieces[language]])

    def shares_token(self, a: str, b: str) -> Bool[np.ndarray, " concept"]:
        """Whether a concept's words in two languages have a token in common."""
        pairs = zip(self.pieces[a], self.pieces[b], strict=True)
        return np.array([not set(one).isdisjoint(other) for one, other in pairs])


def word_states(model: Any, lexicon: Lexicon, shared: Shared) -> WordStates:
    """The states of a loaded checkpoint's words; measures of one checkpoint share them.

    - `model`: a `meanings.models.loading.PatchableModel`.
    """
    there = shared.checkpoint.get(STORE)
    if there is None:
        shared.report("reading the states of words", 0, 0)
        there = _read(model, lexicon, lexicon.languages)
        check_states(model.name, there)
        shared.checkpoint[STORE] = there
    return there


def check_states(name: str, states: WordStates) -> None:
    """Raises MeaningsError where a state is not finite, or a layer has one state for all words."""
    for what, found in (("states", states.hidden), ("MLP units", states.units)):
        for code, layers in found.items():
            for layer, each in enumerate(layers, what != "states"):
                place = f"{name}: the {what} of layer {layer} for the words of {code!r}"
                if not np.isfinite(each).all():
                    raise MeaningsError(f"{place} are not finite; use dtype float32 or bfloat16")
                if each.size and (each == each[0]).all():  # sentences have no units
                    raise MeaningsError(
                        f"{place} are the same for all words, so that there is nothing to compare; "
                        "measure another checkpoint"
                    )


def _read(model: Any, lexicon: Lexicon, languages: Sequence[str]) -> WordStates:
    from meanings.models.activations import activations

    words = {code: [lexicon.word(c, code) for c in lexicon.concepts] for code in languages}
    found = activations(model, [word for each in words.values() for word in each])
    n = len(lexicon)
    places = {code: slice(i * n, (i + 1) * n) for i, code in enumerate(languages)}
    return WordStates(
        lexicon.concepts,
        {code: found.hidden[:, place] for code, place in places.items()},
        {code: found.units[:, place] for code, place in places.items()},
        {
            code: tuple(
                tuple(model.tokenizer(word, add_special_tokens=False)["input_ids"])
                for word in words[code]
            )
            for code in languages
        },
    )
