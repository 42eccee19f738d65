"""Every call of the library in these tests is checked against its types, axes included."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from jaxtyping import Float, TypeCheckError
from torch import Tensor

from meanings.core import formatting
from meanings.lexicon.lexicon import Lexicon
from meanings.patching.token_probability import concept_probability, token_columns
from stand_ins.type_checks import checked, names_axes


@checked
def scaled(values: Float[Tensor, "row column"], by: Float[Tensor, " column"]) -> "Tensor":
    return values * by


@checked
def doubled(number: "int", said: "NotHere | None" = None) -> str:  # noqa: F821
    return str(2 * number) if number else number


@checked
def upwards(start: int) -> Iterator[int]:
    yield start


@checked
@dataclass
class Named:
    name: str


def test_a_wrong_type_is_refused_in_arguments_results_and_fields():
    assert doubled(2, said=3.5) == "4" and list(upwards(1)) == [1] and Named("x").name == "x"
    for call in (
        lambda: doubled("2"),
        lambda: doubled(0),
        lambda: next(upwards("1")),
        lambda: Named(3),
    ):
        with pytest.raises(TypeCheckError):
            call()


def test_axes_of_one_name_have_one_size():
    assert scaled(torch.ones(2, 3), torch.ones(3)).shape == (2, 3)
    for by in (torch.ones(2), torch.ones(3, 1), torch.ones(3, dtype=torch.int64)):
        with pytest.raises(TypeCheckError):
            scaled(torch.ones(2, 3), by)


def test_the_librarys_own_functions_and_dataclasses_are_checked():
    for call in (
        lambda: formatting.duration("soon"),
        lambda: Lexicon("x", ["en"], {}, {}),
        lambda: concept_probability(torch.zeros(3), token_columns([[frozenset({0})]])),
    ):
        with pytest.raises(TypeCheckError):
            call()


def test_axes_are_found_within_other_types_and_annotations_stay_as_written():
    assert names_axes(dict[str, Float[Tensor, " x"] | None])
    assert not names_axes(dict[str, Tensor | None])
    assert inspect.signature(doubled).parameters["number"].annotation == "int"
