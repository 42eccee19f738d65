"""What is known of the text that a model was trained on: which words stood side by side, how often.

Of the miniature it is known to the last line, and `trajectory.json` says it under `text`. Measures
split the concepts by it, and nothing else depends on it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meanings.core.errors import MeaningsError


@dataclass(frozen=True)
class TrainingText:
    """Pairs of languages that stand side by side in a training text, and how frequent concepts are.

    - `side_by_side`: `fr-es`-like pairs with the concepts that never stand side by side in them.
    - `frequency`: concept -> its share of all mentions of concepts.
    - `languages`: codes of the languages of the text.
    """

    languages: tuple[str, ...]
    side_by_side: tuple[tuple[str, tuple[str, ...]], ...]
    frequency: tuple[tuple[str, float], ...]

    def held_out(self, a: str, b: str) -> frozenset[str] | None:
        """Concepts that never stand side by side in two languages; None where no concept does."""
        pairs = dict(self.side_by_side)
        found = pairs.get(f"{a}-{b}", pairs.get(f"{b}-{a}"))
        return None if found is None else frozenset(found)

    @property
    def sha256(self) -> str:
        """Hash of all that is known."""
        content = json.dumps([self.languages, self.to_dict()], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """As it stands in `trajectory.json`."""
        return {
            "side_by_side": {pair: list(held) for pair, held in self.side_by_side},
            "frequency": dict(self.frequency),
        }

    @classmethod
    def from_dict(cls, values: Any, languages: tuple[str, ...], where: str) -> TrainingText:
        """Read it, checked. Raises MeaningsError naming the file where it is of another form."""
        try:
            return cls(
                languages,
                tuple((str(pair), _words(held)) for pair, held in values["side_by_side"].items()),
                tuple((str(name), _share(share)) for name, share in values["frequency"].items()),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise MeaningsError(
                f"{where}: text ({type(error).__name__}: {str(error)[:80]}); expected "
                "{side_by_side: {fr-es: [concepts held out]}, frequency: {concept: share}}"
            ) from None


def _words(held: Any) -> tuple[str, ...]:
    if not isinstance(held, list) or not all(isinstance(word, str) for word in held):
        raise TypeError(f"a list of concepts was expected, not {held!r}")
    return tuple(held)


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(f"a share above 0 was expected, not {value!r}")
    return float(value)


def text_of(content: Mapping[str, Any], where: str) -> TrainingText | None:
    """The training text that a `trajectory.json` describes, None where it says nothing of it."""
    if "text" not in content:
        return None
    return TrainingText.from_dict(content["text"], tuple(content.get("seen", ())), where)
