from pathlib import Path

import jupytext
import nbformat
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from meanings.book import build as book
from meanings.book import chapters, notebooks, pages
from meanings.book.chapters import (
    CHAPTERS,
    check_world,
    from_text,
    help_text,
    parse_assignments,
    read_parameters,
    validated,
)
from meanings.core.errors import MeaningsError
from meanings.statistics import layer_choice, selection, summaries
from meanings.study import grid
from stand_ins import book_data

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Synthetic results; the data folder beside them is the one in use."""
    folder = tmp_path_factory.mktemp("chapters")
    found = book_data.make(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEANINGS_DATA", str(folder / "data"))
        yield found


def refusal(name: str, *assignments: str) -> str:
    with pytest.raises(MeaningsError) as caught:
        parse_assignments(name, assignments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_assignments_are_laid_over_the_defaults(results):
    parameters = parse_assignments("emergence", ["pair=fr-es,es-fr", "prompt_seed=1"])
    assert parameters == chapters.Emergence(pair=("fr-es", "es-fr"), prompt_seed=1)
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
    assert max(map(len, said.splitlines())) <= 84  # what a page's box holds


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


def test_check_world_returns_the_trajectory(results):
    assert check_world("emergence", CHAPTERS["emergence"]()).steps == book_data.STEPS


def test_only_what_was_asked_for_is_read(results):
    page = validated("emergence", {"pair": ("fr-es",), "checkpoints": 2})
    cells = pages.measured(page, results)
    assert set(cells["pair"]) == {"fr-es"} and set(cells["step"]) == {0, book_data.STEPS[-1]}
    with pytest.raises(MeaningsError, match="nothing measured for these parameters"):
        pages.measured(validated("emergence", {"prompt_seed": 1}), results)


def make_root(folder: Path, *names: str) -> Path:
    """A project folder whose table of contents has these pages."""
    (folder / "book").mkdir(parents=True)
    for entry in (ROOT / "book").iterdir():
        (folder / "book" / entry.name).symlink_to(entry)
    (folder / "_config.yml").symlink_to(ROOT / "_config.yml")
    toc = {
        "format": "jb-book",
        "root": names[0],
        "parts": [{"caption": "x", "chapters": [{"file": name} for name in names[1:]]}],
    }
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    return folder


@pytest.fixture(scope="module")
def executed(results, tmp_path_factory):
    """The chapter Emergence, executed with two pairs in a folder of its own."""
    root = make_root(tmp_path_factory.mktemp("root"), "emergence", "glossary", "references")
    parameters = CHAPTERS["emergence"](pair=("fr-es", "de-en"), checkpoints=4).model_dump(
        mode="json"
    )
    target = root / "out" / "emergence.ipynb"
    notebooks.execute(
        ROOT / "book" / "emergence.md", parameters | {"results": str(results)}, target, root
    )
    return target


def test_an_executed_chapter_tells_neither_time_nor_place(executed, results):
    text = executed.read_text()
    for trace in ("input_path", "start_time", "duration", str(Path.home())):
        assert trace not in text.replace(str(results), "")
    assert list(executed.parent.iterdir()) == [executed]  # nothing is left aside


def test_every_figure_of_an_executed_chapter_has_alt_text_and_caption(executed):
    notebook = nbformat.read(executed, as_version=4)
    shown = [
        cell
        for cell in notebook.cells
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))
    ]
    assert len(shown) >= 4
    for cell in shown:
        assert (
            len(cell.metadata["mystnb"]["image"]["alt"]) > 60
            and cell.metadata["mystnb"]["figure"]["caption"]
        )


def test_an_executed_chapter_imports_no_torch(executed):
    assert "torch" not in "".join(
        cell.source
        for cell in nbformat.read(executed, as_version=4).cells
        if cell.cell_type == "code"
    )


def test_a_chapter_that_fails_writes_nothing(results, tmp_path):
    source = tmp_path / "emergence.md"
    source.write_text(
        (ROOT / "book" / "emergence.md")
        .read_text()
        .replace("page = pages.asked", "1 / 0\npage = pages.asked")
    )
    with pytest.raises(MeaningsError, match="ZeroDivisionError"):
        notebooks.execute(source, {"results": str(results)}, tmp_path / "out" / "x.ipynb", tmp_path)
    assert not list((tmp_path / "out").iterdir())


def test_a_figure_without_alt_text_is_refused():
    cell = nbformat.v4.new_code_cell(
        "f", outputs=[nbformat.v4.new_output("display_data", {"image/png": "x"})]
    )
    with pytest.raises(MeaningsError, match="figure without alt text"):
        notebooks.clean(nbformat.v4.new_notebook(cells=[cell]), "emergence")


def test_what_a_cell_warns_about_is_refused():
    cell = nbformat.v4.new_code_cell(
        "f", outputs=[nbformat.v4.new_output("stream", name="stderr", text="UserWarning: odd\n")]
    )
    with pytest.raises(MeaningsError, match="standard error: UserWarning: odd"):
        notebooks.clean(nbformat.v4.new_notebook(cells=[cell]), "emergence")


def test_an_unchanged_page_is_not_executed_again(results, tmp_path, monkeypatch):
    root = make_root(tmp_path, "rerun", "glossary")
    done = []
    monkeypatch.setattr(
        notebooks,
        "execute",
        lambda source, parameters, target, root: (
            done.append(source.stem),
            target.parent.mkdir(parents=True, exist_ok=True),
            target.write_text("{}"),
        ),
    )
    book.stage(root, results, report=lambda text: None)
    book.stage(root, results, report=lambda text: None)
    assert done == ["rerun"]
    (root / "book" / "rerun.md").unlink()
    (root / "book" / "rerun.md").write_text((ROOT / "book" / "rerun.md").read_text() + "\nMore.\n")
    book.stage(root, results, report=lambda text: None)
    assert done == ["rerun", "rerun"]


def test_links_to_pages_that_are_not_there_become_words():
    text = '["a", "[Method](method.md), [x](glossary.md) and [y](index.md#z)"]'
    assert book.unlink(text, ["index", "method"]) == '["a", "Method, [x](glossary.md) and y"]'


def test_links_to_executed_pages_are_turned_and_others_kept():
    text = "[a](method.md), [b](glossary.md#term) and [c](method.md#x)"
    assert (
        book.relink(text, ["method"])
        == "[a](method.ipynb), [b](glossary.md#term) and [c](method.ipynb#x)"
    )


def test_published_tables_widen_a_page_and_are_called_so(results, tmp_path, monkeypatch):
    from meanings.study.publish import publish
    from stand_ins import synthetic_cells

    folder = tmp_path / "world"
    book_data.make(folder)
    synthetic_cells.write_results(
        tmp_path / "more", steps=(0, 6400), pairs=("fr-es", "pl-fi"), seeds=(0, 1), n_prompts=4
    )
    monkeypatch.setenv("MEANINGS_DATA", str(folder / "data"))
    page = validated("emergence", {"pair": ("fr-es", "en-de"), "checkpoints": 2})
    cells = pages.measured(page, folder / "results")
    assert pages.widest(page, cells)[1].startswith("measured for this page")
    publish(tmp_path / "more", "miniature")
    wide, label = pages.widest(page, cells)
    assert label == "published tables: training runs 2, checkpoints 2, pairs 1" and set(
        wide["pair"]
    ) == {"fr-es"}
    assert pages.broadest(page, cells)[1].startswith(
        "measured for this page"
    )  # it asks for pairs of its own
    own = validated("emergence", {"checkpoints": 2})
    assert set(pages.broadest(own, cells)[0]["pair"]) == {"fr-es", "pl-fi"}
    ends = pages.shipped(own)
    ends = ends[(ends["pair"] == "fr-es") | (ends["step"] == 6400)]
    assert set(selection.followed(ends)["pair"]) == {"fr-es"} and pages._label("x", ends).endswith(
        "pairs 2 (1 of them at every checkpoint)"
    )
    curves = summaries.curves(layer_choice.at_chosen_layer(wide), ["seen", "null_concept"])
    assert (curves["n_seeds"] == 2).all() and curves["low"].le(curves["mean"]).all()
