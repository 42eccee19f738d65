"""Conditions: where the concept vector that is patched into a target prompt `x-y` comes from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, partial
from itertools import permutations
from typing import Literal

from meanings.core.errors import MeaningsError, one_of
from meanings.lexicon.languages import LANGUAGES, LanguagePair
from meanings.prompts.concept_pair import ConceptPair

Pairs = tuple[LanguagePair, ...]


@dataclass(frozen=True)
class Condition:
    """A source of concept vectors, averaged over its language pairs.

    - `patched`: False where the prompts are only read (then the pairs say of which prompts).
    - `concept`: whose representation it is; `mean` is the mean over all source concepts.
    - `solved`: which prompt's few-shot examples the source prompts carry.
    - `source_pairs(pair, seen_languages)`: the language pairs of the source prompts, or None where
      the condition is not defined for the target pair.
    - `varies`: what a concept's source prompts differ in: their language pairs, or, in one language
      pair, their few-shot examples.
    - `needs`: what must be there for it to be defined for a language pair, in words.
    """

    name: str
    description: str
    patched: bool
    concept: Literal["source", "target", "null", "mean"]
    solved: Literal["source", "target"]
    source_pairs: Callable[[LanguagePair, Collection[str]], Pairs | None]
    varies: Literal["pairs", "shots"] = "pairs"
    needs: str = "the pair alone"

    def prompts_at_most(self, pair: LanguagePair, seen_languages: Collection[str]) -> int:
        """Source prompts that enter a concept's vector where all are taken; 0 where the condition
        is not defined.

        Solved lines could be drawn without end: their number is that of the language pairs of
        `seen`.
        """
        if self.source_pairs(pair, seen_languages) is None:
            return 0
        return len(
            (self.source_pairs if self.varies == "pairs" else _seen)(pair, seen_languages) or ()
        )

    @property
    def is_null(self) -> bool:
        """Whether its vector carries another concept than the source's, or none."""
        return self.concept in ("null", "mean")

    def concept_of(self, pair: ConceptPair) -> str:
        """The concept that its source prompts ask for (of `mean`: that enters the mean)."""
        return {
            "source": pair.source,
            "target": pair.target,
            "null": pair.null,
            "mean": pair.source,
        }[self.concept]

    def shots_of(self, pair: ConceptPair) -> tuple[str, ...]:
        """The concepts of the few-shot examples of its source prompts."""
        return pair.source_shots if self.solved == "source" else pair.target_shots


def _seen(pair: LanguagePair, seen_languages: Collection[str]) -> Pairs | None:
    others = sorted(set(seen_languages) - {"en", pair.input, pair.output})
    return tuple(LanguagePair(a, b) for a, b in permutations(others, 2)) or None


def _english(pair: LanguagePair, seen_languages: Collection[str]) -> Pairs:
    return (LanguagePair("en", "en"),)


def _self(pair: LanguagePair, seen_languages: Collection[str]) -> Pairs | None:
    return None if pair.output == "en" else (LanguagePair(pair.output, pair.output),)


def _same(pair: LanguagePair, seen_languages: Collection[str]) -> Pairs:
    return (pair,)


def _from_language(code: str, pair: LanguagePair, seen_languages: Collection[str]) -> Pairs | None:
    if code in (pair.input, pair.output):
        return None
    outputs = sorted(set(seen_languages) - {"en", code, pair.input, pair.output})
    return tuple(LanguagePair(code, output) for output in outputs) or None


_OTHERS = "at least two seen languages besides English and those of the pair"
_NO_ENGLISH = "an output language other than English"

CONDITIONS: dict[str, Condition] = {
    condition.name: condition
    for condition in (
        Condition(
            "seen",
            "mean over pairs of other seen languages",
            True,
            "source",
            "source",
            _seen,
            needs=_OTHERS,
        ),
        Condition("en_en", "English to English copying", True, "source", "source", _english),
        Condition(
            "self",
            "copying in the output language",
            True,
            "source",
            "source",
            _self,
            needs=_NO_ENGLISH,
        ),
        Condition(
            "tgt", "source concept in the target pair itself", True, "source", "source", _same
        ),
        Condition("tgt_tgt", "target prompt patched into itself", True, "target", "target", _same),
        Condition("src_unpatched", "source prompts, no patch", False, "source", "source", _same),
        Condition("tgt_unpatched", "target prompts, no patch", False, "target", "target", _same),
        Condition(
            "null_concept",
            "as seen, but a third concept",
            True,
            "null",
            "source",
            _seen,
            needs=_OTHERS,
        ),
        Condition(
            "null_mean",
            "as seen, averaged over all source concepts",
            True,
            "mean",
            "source",
            _seen,
            needs=_OTHERS,
        ),
    )
}

# What tells averaging from being free of a language; a grid's `all` leaves them out.
CONTROLS: dict[str, Condition] = {
    condition.name: condition
    for condition in (
        Condition(
            "one_pair",
            "mean over few-shot examples in one pair of other seen languages",
            True,
            "source",
            "source",
            _seen,
            "shots",
            _OTHERS,
        ),
        Condition(
            "tgt_mean",
            "mean over few-shot examples in the target pair itself",
            True,
            "source",
            "source",
            _same,
            "shots",
        ),
    )
}


FROM, NULL_FROM = "from_", "null_from_"


def input_language(name: str) -> str:
    """The language code of a condition of one input language (`ru` of `from_ru` and of
    `null_from_ru`); empty for any other name.
    """
    code = name.removeprefix("null_").removeprefix(FROM)
    return code if name in (FROM + code, NULL_FROM + code) and code in LANGUAGES else ""


@cache
def _of_language(name: str, code: str) -> Condition:
    """The condition `from_<code>`, or its null twin with a third concept.

    Every input language has one, seen or not; a grid's `all` leaves them out.
    """
    language, null = LANGUAGES[code].name, name.startswith(NULL_FROM)
    said = f"mean over pairs from {language} to other seen languages"
    return Condition(
        name,
        f"as {FROM}{code}, but a third concept" if null else said,
        True,
        "null" if null else "source",
        "source",
        partial(_from_language, code),
        needs=(
            f"a pair without {language}, and a seen language besides English, {language} and those "
            "of the pair"
        ),
    )


def condition(name: str) -> Condition:
    """The condition or control of `name`, or that of one input language (`from_ru`). Raises
    MeaningsError naming them.
    """
    known = CONDITIONS | CONTROLS
    if name in known:
        return known[name]
    if code := input_language(name):
        return _of_language(name, code)
    raise MeaningsError(
        f"unknown condition {name!r}: allowed are {one_of(known)}; and {FROM}XX or {NULL_FROM}XX "
        f"with an input language of {one_of(LANGUAGES)}"
    )


NULLS = tuple(name for name, entry in CONDITIONS.items() if entry.is_null)
UNPATCHED = tuple(name for name, entry in CONDITIONS.items() if not entry.patched)
PATCHED = tuple(  # with the source concept: each may choose a layer of its own
    name for name, entry in CONDITIONS.items() if entry.patched and entry.concept == "source"
)
