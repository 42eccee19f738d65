"""YAML read into typed models: what is refused is named in one line."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from meanings.core.errors import MeaningsError
from meanings.core.yaml_files import read_yaml, validated


class Share(BaseModel):
    model_config = ConfigDict(extra="forbid")
    share: float = Field(ge=0)


class Recipe(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(min_length=1, description="of the recipe")
    codes: Literal["all"] | Annotated[tuple[str, ...], Field(min_length=1)] = "all"
    shares: dict[str, Share] = Field({}, description="of each language")


def test_lists_are_tuples_and_nothing_else_is_converted(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("name: a\ncodes: [en, fr]\nshares: {en: {share: 1.5}}")
    assert read_yaml(path, Recipe) == Recipe(
        name="a", codes=("en", "fr"), shares={"en": Share(share=1.5)}
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nam: a", "unknown field 'nam'; allowed are name, codes, shares"),
        ("7: a", "unknown field 7; allowed are name"),
        ("codes: all", "field 'name' is missing (of the recipe)"),
        ("name: 3", "name=3 is refused: input should be a valid string (of the recipe)"),
        ("name: ''", "name='' is refused: string should have at least 1 character"),
        ("name: 2024-01-01", "name=datetime.date(2024, 1, 1) is not a text, a number or a list"),
        ("{name: a, codes: some}", "codes='some' is refused: input should be a valid list"),
        ("{name: a, codes: [en, no]}", "codes[1]=False is refused: input should be a valid string; "
         "YAML reads an unquoted no, off, yes or on as false or true: put a word in quotes"),
        ("{name: a, codes: []}", "codes=[] is refused: list should have at least 1 item"),
        ("{name: a, shares: {en: {share: -1}}}", "shares.en.share=-1 is refused: input should be "
         "greater than or equal to 0 (of each language)"),
        ("{name: a, shares: {en: {}}}", "field 'shares.en.share' is missing"),
        ("{name: a, shares: {en: {share: 1, more: 2}}}", "unknown field 'shares.en.more'"),
        (f"name: [{'x' * 9000}]", "xxx...xxx"),
    ],
)  # fmt: skip
def test_a_refusal_names_file_field_value_and_meaning_in_one_line(tmp_path, content, message):
    path = tmp_path / "recipe.yaml"
    path.write_text(content)
    with pytest.raises(MeaningsError) as refused:
        read_yaml(path, Recipe)
    said = str(refused.value)
    assert said.startswith(f"{path}: ") and message in said and len(said) < len(str(path)) + 400


def test_the_caller_words_place_and_noun():
    with pytest.raises(
        MeaningsError, match="grid g: unknown parameter 'x'; allowed are like, name"
    ):
        validated(Recipe, {"x": 1}, "grid g: ", noun="parameter", also_allowed=["like"])
