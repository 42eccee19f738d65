"""All measures by name: a new one is one line here."""

from __future__ import annotations

from meanings.core.errors import MeaningsError, one_of
from meanings.measures import (
    abilities,
    cka,
    clamping,
    expert_units,
    gender,
    language_id,
    meaning_in_context,
    neuron_overlap,
    relations,
    retrieval,
    structure,
)
from meanings.measures.base import Measure
from meanings.measures.patching import PATCHING

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        PATCHING,
        cka.MEASURE,
        retrieval.MEASURE,
        language_id.MEASURE,
        expert_units.MEASURE,
        structure.MEASURE,
        neuron_overlap.MEASURE,
        abilities.MEASURE,
        clamping.MEASURE,
        relations.MEASURE,
        meaning_in_context.MEASURE,
        gender.MEASURE,
    )
}


def measure_named(name: str) -> Measure:
    """The measure of this name. Raises MeaningsError naming those that there are."""
    if name not in MEASURES:
        raise MeaningsError(f"unknown measure {name!r}: allowed are {one_of(MEASURES)}")
    return MEASURES[name]
