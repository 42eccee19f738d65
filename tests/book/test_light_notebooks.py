"""Notebooks that readers take along: prose that Jupyter shows, cells that need no model."""

import os
import re
import shutil
from pathlib import Path

import nbformat
import pandas as pd
import pyarrow.parquet as pq
import pytest

from meanings.book import chapters, downloaded, downloads, light, pages, readable, staging
from meanings.book.shelf import ELSEWHERE, Shelf
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from stand_ins import book_data, light_reading

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
NAMES = [name for name in staging.pages(ROOT) if staging.is_notebook(BOOK / f"{name}.md")]
WORKS = BOOK / "references.bib"
SITE = "https://example.org/book"


class Anything(dict):
    """A value for every name."""

    def __missing__(self, name):
        return f"<{name}>"


def notebook(name, table="", site="", **parameters):
    return light.notebook_of(BOOK / f"{name}.md", Anything(), parameters, table, site)


@pytest.mark.parametrize("name", NAMES)
def test_no_role_and_no_directive_is_left_in_the_prose(name):
    found = notebook(name)
    nbformat.validate(found)
    for cell in found.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\{[a-z:_-]+\}`|^ *(`{3}|:{3,})\{", cell.source, re.M), (
                cell.source
            )
        else:
            assert not cell.outputs and cell.execution_count is None
            compile(cell.source, name, "exec")


def test_roles_and_directives_become_markdown():
    text = (
        "A {term}`concept <concepts>` of {glue:text}`n` {cite:p}`koerner2026meanings`, see "
        "[Method](method.md#x).\n\n```{admonition} Takeaway\n:class: important\n"
        "It is {glue:text}`n`.\n```\n\n1. Why?\n\n   :::{dropdown} Solution\n   So.\n   :::\n"
    )
    assert readable.plain(text, {"n": "3"}, WORKS).splitlines() == [
        "A concept of 3 (Körner et al., 2026), see Method.",
        "",
        "> **Takeaway**",
        ">",
        "> It is 3.",
        "",
        "1. Why?",
        "",
        "   <details><summary>Solution</summary>",
        "",
        "   So.",
        "",
        "   </details>",
    ]
    assert f"[Method]({SITE}/method.html#x)" in readable.plain(text, {"n": "3"}, WORKS, SITE)
    with pytest.raises(KeyError, match="n"):
        readable.plain(text, {}, WORKS)
    assert "*When Meanings Meet" in readable.references(text, WORKS)


def test_the_parameters_are_the_pages_and_point_at_the_table_beside():
    found = notebook("cka", "cka.parquet", pair=["en-fr"], layer=-1, results="_build/results")
    assert any(
        cell.source == 'pair = ["en-fr"]\nlayer = -1\nresults = "cka.parquet"'
        for cell in found.cells
    )


def test_the_first_cell_installs_this_version_where_it_is_missing_and_never_else():
    published = light.installation("cka.parquet", SITE)
    assert f"%pip install -q {SITE}/downloads/{light.WHEEL}" in published
    assert f'urlretrieve("{SITE}/downloads/cka.parquet", "cka.parquet")' in published
    assert published.index("find_spec") < published.index("%pip")
    assert re.search(r"meanings-\d[^-]*-py3-none-any\.whl", published)
    assert "urlretrieve" not in light.installation(".", SITE)
    local = light.installation("", "")
    assert "%pip" not in local and "http" not in local
    exec(local, {})  # the package is here


@pytest.fixture
def cells(results):
    """Parameters of a chapter that the synthetic results fit, and its cells."""
    given = ["pair=" + ",".join(book_data.PAIRS[:2]), "checkpoints=4"]
    parameters = chapters.parse_assignments("emergence", given)
    return parameters, pages.measured(parameters, results)


def offered(parameters, results, folder) -> Path:
    from meanings.book import chapter_parameters
    from meanings.measures.cell_files import cell_path
    from meanings.study.plan import plan_study

    planned = plan_study(chapter_parameters.grid_of(parameters), results).keys
    keys = [key for key in planned if cell_path(results, key).is_file()]
    return folder / Shelf(folder).cells("emergence", keys, results).parquet


def test_a_downloaded_table_is_read_as_the_cells_are(cells, results, tmp_path, monkeypatch):
    parameters, measured = cells
    table = offered(parameters, results, tmp_path)
    monkeypatch.setattr("meanings.study.plan.plan_study", None)
    found = pages.measured(parameters, str(table))
    pd.testing.assert_frame_equal(found, measured[list(found)], check_categorical=False)
    assert set(measured) - set(found) == {c for c in measured if c.startswith(ELSEWHERE)}
    fewer = parameters.model_copy(update={"pair": parameters.pair[:1]})
    part = pages.measured(fewer, str(table))
    assert list(part["pair"].unique()) == list(part["pair"].cat.categories) == [fewer.pair[0]]
    other = parameters.model_copy(update={"prompt_seed": 7})
    with pytest.raises(MeaningsError, match="nothing measured for prompt_seed=7; the table has 42"):
        pages.measured(other, str(table))
    with pytest.raises(MeaningsError, match="download it from the chapter's page"):
        pages.measured(parameters, str(tmp_path / "missing.parquet"))


def test_measured_cells_of_one_content_are_one_table(results, tmp_path):
    from meanings.measures.cell_files import finished

    keys = sorted(finished(results))[:3]
    shelf = Shelf(tmp_path / "downloads")
    first, second = (shelf.cells(name, keys, results) for name in ("emergence", "language"))
    assert first == second and first.parquet == "emergence.parquet"
    assert shelf.cells("other", keys[:2], results).parquet == "other.parquet"
    shelf.close()
    table = pq.read_table(tmp_path / "downloads" / first.parquet)
    assert not [name for name in table.column_names if name.startswith("p_source_")]
    assert table["key"].unique().to_pylist() == keys


def test_a_companion_table_beside_the_notebook_goes_before_the_installed_one(tmp_path):
    from meanings.book import companion_pages

    page = pages.as_published("language_identity", ROOT)
    source = data_folder() / "published" / "language_id.parquet"
    few = pd.read_parquet(source, filters=[("training_seed", "==", 0)])
    few.to_parquet(tmp_path / "language_id.parquet", index=False)
    table, label = companion_pages.rows(page, "language_id", str(tmp_path))
    assert set(table["training_seed"]) == {0} and label.startswith("downloaded table: 1 training")
    assert set(table["model"]) == {"miniature"} and len(table) < len(few)
    units, label = companion_pages.rows(page, "expert_units", str(tmp_path))
    assert label.startswith("published table") and len(units)
    with pytest.raises(MeaningsError, match="no rows of cka of miniature; it has language_id of"):
        downloaded.measure_rows(tmp_path / "language_id.parquet", "cka", "miniature")


def test_facts_are_shown_where_the_book_s_packages_are_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "myst_nb", None)
    assert pages.say(a=-0.0, b="x")["value"].to_dict() == {"a": "0.0", "b": "x"}


def test_a_chapter_on_cells_runs_from_its_downloads_alone(cells, results, tmp_path):
    parameters, _ = cells
    offered(parameters, results, tmp_path)
    found = notebook("emergence", "emergence.parquet", **parameters.model_dump(mode="json"))
    nbformat.write(found, tmp_path / "emergence.ipynb")
    said = light_reading.run(tmp_path / "emergence.ipynb", results.parent / "data")
    assert said["shown"] > 8 and not set(said["loaded"]) & set(light_reading.MISSING)


def test_a_companion_chapter_runs_from_its_downloads_alone(tmp_path):
    shutil.copy(data_folder() / "published" / "cka.parquet", tmp_path)
    parameters = pages.as_published("cka", ROOT).model_dump(mode="json")
    found = notebook("cka", downloads.beside_of("cka"), **parameters)
    nbformat.write(found, tmp_path / "cka.ipynb")
    said = light_reading.run(tmp_path / "cka.ipynb")
    assert said["shown"] > 5 and not set(said["loaded"]) & set(light_reading.MISSING)
    assert sorted(os.listdir(tmp_path)) == ["cka.ipynb", "cka.parquet"]


@pytest.mark.parametrize("there", [True, False])
def test_a_caption_stands_below_a_figure_where_no_page_shows_it(there, monkeypatch):
    from meanings.book.figures import style

    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *given, **_: shown.append(given[0]))
    monkeypatch.setattr(style, "find_spec", lambda name: object() if there else None)
    with style.canvas(1) as (figure, _):
        style.Picture(figure, "What it shows.").show("A caption.", "fig-x")
    assert [getattr(each, "data", "figure") for each in shown] == ["figure", "A caption."][
        : 1 + (not there)
    ]
