"""The text of the book: its contents, links, citations, and that no number in its prose was typed
by hand.
"""

import ast
import importlib
import inspect
import re
from pathlib import Path

import jupytext
import pandas as pd
import pytest
import yaml

from meanings.book import staging
from meanings.book.chapters import CHAPTERS
from meanings.book.tables import html as html_tables
from stand_ins.fresh_imports import loaded_by

ROOT = Path(__file__).parents[2]
PAGES = staging.pages(ROOT)
NOTEBOOKS = [name for name in PAGES if staging.is_notebook(ROOT / "book" / f"{name}.md")]
# Pages whose text reports results.
TRAINED = ["shared_vocabulary", "early_alignment", "transfer", "gender"]
RESULTS = [*CHAPTERS, "index", "miniature", "real_model", "trust", "costs", "teach", *TRAINED]


def source(name: str) -> str:
    return (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")


def cells(name: str, kind: str) -> list:
    return [
        cell for cell in jupytext.read(ROOT / "book" / f"{name}.md").cells if cell.cell_type == kind
    ]


def prose(name: str) -> str:
    """The markdown of a page without code, formulas, roles, link targets and list numbers."""
    text = "\n".join(cell.source for cell in cells(name, "markdown"))
    for pattern in (
        r"```.*?```",
        r"\$\$.*?\$\$",
        r"\$[^$\n]*\$",
        r"\{[a-z:]+\}`[^`]*`",
        r"`[^`]*`",
        r"\]\([^)]*\)",
        r"^\s*\d+\.\s",
        r":class:.*",
    ):
        text = re.sub(
            pattern, " ", text, flags=re.S | re.M if pattern.startswith(("```", r"\$\$")) else re.M
        )
    return text


def test_the_table_of_contents_is_the_book():
    assert sorted(f"{name}.md" for name in PAGES) == sorted(
        file.name for file in (ROOT / "book").glob("*.md")
    )
    assert PAGES[0] == "index" and set(CHAPTERS) <= set(PAGES)


@pytest.mark.parametrize("name", RESULTS)
def test_no_number_in_the_prose_was_typed_by_hand(name):
    allowed = prose(name).replace("95 %", "")
    assert not re.findall(r"[^\n]*\d[^\n]*", allowed)


FACTS = [name for name in NOTEBOOKS if "pages.say(" in source(name)]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_page_shows_the_values_of_its_facts_and_no_others(name):
    used = set(re.findall(r"\{glue:text\}`([a-z0-9_]+)`", source(name)))
    if name not in FACTS:
        assert not used
        return
    prefix = f"{next(iter(used)).split('_')[0]}_"
    given, composed = set(), set()
    for module in facts_of(name):
        tree = list(ast.walk(ast.parse(inspect.getsource(module))))
        inside = {
            id(part) for node in tree if isinstance(node, ast.JoinedStr) for part in node.values
        }
        looked_up = {id(node.slice) for node in tree if isinstance(node, ast.Subscript)}
        for node in tree:
            if id(node) in looked_up:
                continue
            if isinstance(node, ast.Constant) and str(node.value).startswith(prefix):
                (composed if id(node) in inside or node.value == prefix else given).add(node.value)
    # Names that are put together, such as those of claims, begin as one of the composed does; that
    # each is there is seen when the page is built.
    assert given <= used
    assert all(used_name.startswith(tuple(composed)) for used_name in used - given)


def facts_of(name):
    """The modules of facts that a page imports."""
    named = re.findall(r"^from meanings\.book\.facts import (\w+)", source(name), re.M)
    return [importlib.import_module(f"meanings.book.facts.{each}") for each in named]


@pytest.mark.parametrize("name", FACTS)
def test_a_page_hands_its_facts_over_in_one_statement(name):
    module = importlib.import_module(f"meanings.book.facts.{name}")
    public = {
        key
        for key, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and key[0] != "_"
        and inspect.signature(value).return_annotation == dict[str, object]
    }
    handed = [cell.source for cell in cells(name, "code") if "pages.say(" in cell.source]
    (statement,) = ast.parse(handed[0]).body
    assert len(handed) == 1 and ast.unparse(statement).startswith("pages.say(**")
    shown = "\n".join(cell.source for cell in cells(name, "code"))
    assert public <= set(re.findall(r"\bfacts\.([a-z_]+)\(", shown)), "every fact is handed over"


@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name != "index"])
def test_the_analysis_is_in_the_open(name):
    """Hidden are the facts that are handed over; folded are imports and boxes; all else is seen."""
    for cell in cells(name, "code"):
        tags = cell.metadata.get("tags", [])
        if "remove-cell" in tags:
            assert cell.source.startswith("pages.say(")
        assert "remove-input" not in tags


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_cells_are_short_and_their_lines_fit(name):
    for cell in cells(name, "code"):
        tags = cell.metadata.get("tags", [])
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if "parameters" in tags or "remove-cell" in tags or "remove-input" in tags:
            continue
        assert len(lines) <= 10, cell.source
        assert max(map(len, lines)) <= 84, cell.source


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_figure_is_shown_with_caption_and_a_name_of_its_own(name):
    calls = re.findall(r"\.show\(", source(name))
    names = re.findall(r'"(fig-[a-z-]+)"\)', source(name))
    assert len(calls) == len(names) == len(set(names))
    everywhere = [
        found for page in NOTEBOOKS for found in re.findall(r'"(fig-[a-z-]+)"\)', source(page))
    ]
    assert len(everywhere) == len(set(everywhere))
    assert "plt.show" not in source(name) and "matplotlib" not in source(name)


@pytest.mark.parametrize("name", [*CHAPTERS, *TRAINED, "miniature", "real_model", "trust", "costs"])
def test_a_chapter_has_question_takeaway_and_exercises_with_hidden_solutions(name):
    text = source(name)
    assert re.search(r"^\*\*[^*]+\?\*\*$", text, re.M)
    takeaway, exercises = text.index("## Takeaway"), text.index("## Exercises")
    assert takeaway < exercises
    asked = re.findall(r"^\d\. ", text[exercises:], re.M)
    assert len(asked) >= 2 and len(asked) == text[exercises:].count(":::{dropdown} Solution")


@pytest.mark.parametrize("name", [*CHAPTERS, *TRAINED, "miniature", "real_model", "trust"])
def test_a_chapter_sets_its_findings_beside_the_paper(name):
    text = source(name)
    assert re.search(r"^## The paper and this (page|chapter)$", text, re.M)
    tables = ("agreement(", "agreement.agreement(", "agreement_tables.", "tables.paper_and_here(")
    assert any(line.startswith(tables) for line in text.splitlines())


@pytest.mark.parametrize("name", [*CHAPTERS, *TRAINED])
def test_a_chapter_ends_in_a_box_of_provenance(name):
    assert re.search(r"(pages|walkthrough)\.provenance\(", source(name))


LIGHT = [name for name in NOTEBOOKS if name != "method"]


# What most pages import; where one of these loads torch, every page does.
SHARED = (
    "IPython.display", "pyarrow.parquet", "scipy.stats", "seaborn", "sklearn",
    "meanings.book.pages", "meanings.book.tables.html", "meanings.validity.claims.catalogue",
)  # fmt: skip


@pytest.fixture(scope="module")
def loaded():
    """The packages that a process has loaded after what each page imports."""
    imports = {
        name: "\n".join(
            ast.unparse(node)
            for cell in cells(name, "code")
            for node in ast.parse(cell.source).body
            if isinstance(node, ast.Import | ast.ImportFrom)
        )
        for name in LIGHT
    }
    return loaded_by(imports, SHARED)


@pytest.mark.parametrize("name", LIGHT)
def test_only_method_loads_a_model(loaded, name):
    """What a page imports loads no torch."""
    assert "meanings" in loaded[name] and "torch" not in loaded[name]


@pytest.mark.parametrize("name", PAGES)
def test_citations_and_links_resolve(name):
    keys = set(
        re.findall(
            r"@\w+\{([^,]+),", (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
        )
    )
    for group in re.findall(r"\{cite:p\}`([^`]+)`", source(name)):
        assert set(re.split(r",\s*", group)) <= keys
    text = re.sub(r"```.*?```", "", source(name), flags=re.S)
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert target.removesuffix(".md") in PAGES, target


def test_every_reference_is_cited():
    keys = set(
        re.findall(
            r"@\w+\{([^,]+),", (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
        )
    )
    cited = {
        key
        for name in PAGES
        for group in re.findall(r"\{cite:p\}`([^`]+)`", source(name))
        for key in re.split(r",\s*", group)
    }
    assert cited == keys


def test_nothing_on_a_page_is_fetched_from_elsewhere():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert (
        config["sphinx"]["config"]["html_math_renderer"] == "mathml"
        and config["execute"]["execute_notebooks"] == "off"
    )
    assert not re.search(r"https?://", (ROOT / "book" / "_static" / "book.css").read_text())


def test_what_a_model_wrote_is_no_markup_on_a_page():
    html = html_tables.to_html(
        pd.DataFrame(
            {"answer": ["<script>alert(1)</script>", "a&b"]},
            index=pd.Index(["<i>"] * 2, name="pair"),
        )
    )
    assert (
        "<script" not in html
        and "<i>" not in html
        and "&lt;script&gt;" in html
        and "a&amp;b" in html
    )


def test_sentences_in_a_table_are_marked_for_their_width_and_words_are_not():
    table = pd.DataFrame(
        {"why": ["a & b in a sentence of some length", "word"]}, index=["s" * 30, "t"]
    )
    html = html_tables.to_html(table)
    assert '<td class="long">a &amp; b in a sentence of some length</td>' in html
    assert f'<th class="long">{"s" * 30}</th>' in html and "<td>word</td>" in html


def test_a_table_keeps_whole_texts_and_one_header_line():
    html = html_tables.to_html(
        pd.DataFrame({"value": ["x" * 300]}, index=pd.Index(["a"], name="what"))
    )
    assert "x" * 300 in html and html.count("<tr") == 2 and ">what<" in html
