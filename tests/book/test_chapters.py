"""The typed parameters of chapters."""

from pathlib import Path

import jupytext
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from meanings.book import chapters
from meanings.book.chapters import (
    CHAPTERS,
    COLUMNS,
    check_available,
    from_text,
    help_text,
    parse_assignments,
    read_parameters,
)
from meanings.core.errors import MeaningsError
from meanings.study import grid
from stand_ins import book_data

ROOT = Path(__file__).parents[2]


def refusal(name: str, *assignments: str) -> str:
    with pytest.raises(MeaningsError) as caught:
        parse_assignments(name, assignments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_assignments_are_laid_over_the_defaults(results):
    parameters = parse_assignments("emergence", ["pair=fr-es,es-fr", "prompt_seed=1"])
    assert parameters == CHAPTERS["emergence"](pair=("fr-es", "es-fr"), prompt_seed=1)
    assert parameters.shots == 5


@pytest.mark.parametrize("name", CHAPTERS)
def test_an_unknown_name_is_refused_with_the_allowed_ones(results, name):
    message = refusal(name, "layers=3")
    assert "'layers'" in message and all(key in message for key in CHAPTERS[name].model_fields)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("shots=five", "whole number"),
        ("shots=1e5", "whole number"),
        ("shots=007", "whole number"),
        ("shots=5.0", "whole number"),
        ("shots=", "whole number"),
        ("shots=0", "greater than or equal to 1"),
        ("prompt_seed=-1", "greater than or equal to 0"),
        ("pair=", "language pair ''"),
        ("pair=fr", "language pair 'fr'"),
        ("pair=fr-xx", "unknown language 'xx'"),
        ("pair=no", "language pair 'no'"),
        ("pair=fr-es,fr-es", "names a pair twice"),
        ("pair=fr-ar", "lacks language 'ar'; allowed are en, fr"),
        ("model=nowhere", "'nowhere'"),
        ("training_seed=7", "training seed 7"),
        ("lexicon=nowhere.csv", "no such file"),
        ("checkpoints=1", "greater than or equal to 2"),
        ("shots", "write name=value"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(results, assignment, said):
    assert said in refusal("emergence", assignment)


def test_a_value_given_twice_is_refused(results):
    assert "twice" in refusal("emergence", "shots=3", "shots=4")


def test_a_checkpoint_that_does_not_exist_is_refused_with_those_that_do(results):
    message = refusal("error_analysis", "step=33")
    assert "33" in message and all(str(step) in message for step in book_data.STEPS)


def test_a_condition_that_does_not_exist_is_refused_with_those_that_do(results):
    message = refusal("language_dependence", "condition=sideways")
    assert "'seen', 'en_en', 'self' or 'tgt'" in message


def test_an_unknown_chapter_is_refused_with_those_that_exist():
    with pytest.raises(
        MeaningsError, match="method, emergence, language_dependence, error_analysis"
    ):
        chapters.chapter_class("emergency")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pair: [no]\n", "pair"),
        ("shots: 1e1\n", "shots"),
        ("shots: '5'\n", "shots"),
        ("shots: true\n", "shots"),
        ("- 1\n", "expected lines"),
        ("a: [\n", "YAML"),
        ("depth: 3\n", "allowed are"),
    ],
)
def test_yaml_is_taken_by_its_types(results, tmp_path, text, said):
    file = tmp_path / "emergence.yaml"
    file.write_text(text)
    with pytest.raises(MeaningsError, match=said):
        read_parameters("emergence", file)


@given(st.integers(-(10**9), 10**9))
def test_whole_numbers_are_read_as_written(number):
    assert from_text("emergence", "shots", str(number), int) == number


@given(st.text(max_size=12))
def test_anything_else_is_no_whole_number(text):
    try:
        assert from_text("emergence", "shots", text, int) == int(text) and str(int(text)) in (
            text,
            text.lstrip("-"),
        )
    except MeaningsError:
        pass


@given(st.lists(st.from_regex(r"[a-z]{2,3}-[a-z]{2,3}", fullmatch=True), min_size=1, max_size=5))
def test_lists_are_read_at_commas(pairs):
    assert from_text("emergence", "pair", ",".join(pairs), tuple[str, ...]) == tuple(pairs)


@pytest.mark.parametrize("name", CHAPTERS)
def test_help_lists_every_parameter_with_its_default(name):
    said = help_text(name)
    for key, field in CHAPTERS[name].model_fields.items():
        assert f"\n  {key}=" in said and field.description in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= COLUMNS


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_page_the_class_and_the_yaml_have_the_same_parameters(results, name):
    notebook = jupytext.read(ROOT / "book" / f"{name}.md")
    source = next(
        cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])
    )
    written: dict = {}
    exec(source, written)
    defaults = CHAPTERS[name]().model_dump(mode="json")
    assert {key: written[key] for key in defaults} == defaults
    assert set(written) - {"__builtins__"} == {*defaults, "results"}
    listed = yaml.safe_load((ROOT / "book" / "parameters" / f"{name}.yaml").read_text())
    assert listed == defaults


def test_the_books_default_grid_is_the_one_that_the_chapters_read():
    default = grid.read_grid(ROOT / "book" / "parameters" / "default.yaml")
    emergence = CHAPTERS["emergence"]()
    assert (default.model, default.pairs, default.checkpoints, default.n_pairs, default.shots) == (
        emergence.model, emergence.pair, emergence.checkpoints, emergence.n_pairs, emergence.shots,
    )  # fmt: skip
    assert (
        default.checkpoints >= 8
        and len(default.pairs) >= 6
        and default.n_pairs >= 64
        and default.conditions == "all"
    )


def test_check_available_returns_the_trajectory(results):
    assert check_available("emergence", CHAPTERS["emergence"]()).steps == book_data.STEPS
