"""A pair of concepts: one gives its representation, the representation of the other is replaced."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConceptPair:
    """A source concept to patch into the target concept's prompt, and a third one for the
    wrong-concept null.

    The shots are the concepts of the few-shot examples: disjoint between the two prompts, none of
    the three concepts.
    """

    source: str
    target: str
    null: str
    source_shots: tuple[str, ...]
    target_shots: tuple[str, ...]
