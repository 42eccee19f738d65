"""The rendered pages, in headless Chromium, as a reader meets them: seen, searched, read aloud and
printed. They need `make book` before.

Where the book or a browser is missing they are skipped; `MEANINGS_PAGES=required` makes that a
failure.
"""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest

from meanings.book import printing, staging
from meanings.core.errors import MeaningsError
from meanings.patching.conditions import CONDITIONS
from stand_ins.heard_page import heard

ROOT = Path(__file__).parents[2]
HTML = Path(os.environ.get("MEANINGS_HTML", ROOT / "_build" / "html"))
FILES = sorted(HTML.glob("*.html"))
SHOWN = sorted(file.stem for file in FILES if file.stem not in ("search", "genindex"))
CHAPTERS = ("index", "method", "emergence", "language_dependence", "error_analysis", "miniature")

try:
    printing.browser()
    missing = "" if FILES else "no rendered book: run 'make book'"
except MeaningsError as error:
    missing = str(error)
if missing:
    if os.environ.get("MEANINGS_PAGES") == "required":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing, allow_module_level=True)


class Targets(HTMLParser):
    """What a page links to, and the places in it that may be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list) -> None:
        named = dict(attributes)
        self.places.update(named[key] for key in ("id", "name") if named.get(key))
        self.links += [
            named[key]
            for key in ("href", "src")
            if named.get(key) and tag in ("a", "img", "script", "link", "source", "iframe")
        ]


def targets(file: Path) -> Targets:
    found = Targets()
    found.feed(file.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_internal_link_resolves_and_nothing_is_loaded_from_elsewhere(file):
    for link in targets(file).links:
        parts = urlsplit(link)
        if parts.scheme in ("http", "https", "mailto", "data"):
            continue
        path = (file.parent / unquote(parts.path)).resolve() if parts.path else file
        assert path.is_file(), link
        if parts.fragment and path.suffix == ".html":
            assert unquote(parts.fragment) in targets(path).places, link


def test_the_whole_book_was_rendered():
    assert {file.stem for file in FILES} >= {*CHAPTERS, "rerun", "glossary", "references"}


def test_every_page_with_cells_offers_its_notebook_and_the_tables_it_reads():
    book = Path(__file__).parents[2] / "book"
    for file in FILES:
        source = book / f"{file.stem}.md"
        if source.is_file() and "{code-cell}" in source.read_text(encoding="utf-8"):
            links = targets(file).links
            assert f"downloads/{file.stem}.ipynb" in links, file.stem
            for name in re.findall(r"- data/published/([a-z0-9_-]+)\.", source.read_text("utf-8")):
                assert {f"downloads/{name}.parquet", f"downloads/{name}.csv.gz"} <= set(links)


def patient(page):
    """The page, on which a busy machine may take long."""
    page.set_default_timeout(600_000)  # milliseconds
    return page


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", SHOWN)
def test_a_page_shows_its_figures_in_silence(browser, name, width):
    troubles: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = heard(patient(context.new_page()), troubles)
    page.goto((HTML / f"{name}.html").as_uri())
    page.wait_for_load_state("load")
    images = page.eval_on_selector_all(
        "main img",
        "all => all.map(i => ({alt: i.alt, width: i.naturalWidth, shown: i.clientWidth}))",
    )
    scroll = page.evaluate("document.documentElement.scrollWidth")
    formulas = page.eval_on_selector_all(
        "math", "all => all.map(m => m.getBoundingClientRect().width)"
    )
    context.close()
    assert not troubles
    for image in images:
        assert len(image["alt"]) > 40 and image["width"] > 0 and 0 < image["shown"] <= width
    assert scroll <= width + 1
    assert all(formula > 0 for formula in formulas)
    if name in CHAPTERS and name != "miniature":
        assert images
    if name in ("method", "emergence", "language_dependence"):
        assert formulas


def test_solutions_are_folded_and_open_on_a_click(browser):
    page = patient(browser.new_page())
    page.goto((HTML / "emergence.html").as_uri())
    solution = page.locator("details.sd-dropdown").first
    assert not solution.evaluate("e => e.open")
    solution.locator("summary").click()
    assert solution.evaluate("e => e.open")
    page.close()


def test_a_dark_page_keeps_figures_readable(browser):
    context = browser.new_context(color_scheme="dark")
    page = patient(context.new_page())
    page.goto((HTML / "emergence.html").as_uri())
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert (
        page.locator("main figure img").first.evaluate("i => getComputedStyle(i).filter")
        == "invert(0.88) hue-rotate(180deg)"
    )
    context.close()


def chosen(page, **choices: str) -> str:
    """What the page *Explore* says after these choices, each by its list's name."""
    for name, value in choices.items():
        page.select_option(f"#explore-{name}", value)
    return page.inner_text(".explore-said")


def test_exploring_shows_the_numbers_of_the_published_tables(browser):
    from meanings.measures.results import published
    from meanings.statistics import companions

    cells = {"pair": ["fr-pl"], "condition": ["tgt"], "step": [2700], "first_layer": [2]}
    rows = published("miniature", where=cells)
    steps = sorted(published("miniature", columns=["step"])["step"].unique().tolist())
    page = patient(browser.new_page())
    page.goto((HTML / "explore.html").as_uri())
    place = {"pair": "fr-pl", "condition": "tgt", "layer": "2", "step": str(steps.index(2700))}
    said = chosen(page, **place)
    # The explorer takes the place of nothing else: title, figure and text are there.
    assert page.inner_text("h1").startswith("Explore") and page.locator("main figure img").count()
    assert f"{rows['p_source'].mean():.2f}".lstrip("0") in said.split("[")[0]
    assert "French to Polish" in said
    # An answer of the table stands in its row.
    answers = published("miniature-answers", where=cells)
    concepts = page.locator(".explore-answers tbody tr")
    assert concepts.count() == len(answers)
    for row in answers.head(5).itertuples():
        line = concepts.nth(int(row.prompt))
        assert line.locator("th").inner_text() == str(row.source_concept)
        assert line.locator("td").nth(2).inner_text() == str(row.answer)
    # A companion measure, and a choice by keyboard alone.
    table = published("retrieval", where={"model": ["miniature"], "variant": ["csls"]})
    languages = table[["language_a", "language_b"]].astype(str).apply(set, axis=1)
    last = table[(table["step"] == table["step"].max()) & (languages == {"de", "fr"})]
    own = last[(last["layer"] == 4) & (last["split"] != companions.SHARED)]
    shares = own.assign(v=own["value"] * own["n"]).groupby("training_seed")[["v", "n"]].sum()
    page.select_option("#explore-show", label="retrieval (CSLS)")
    said = chosen(page, pair="de-fr", layer="4", step=str(table["step"].nunique() - 1))
    page.focus("#explore-layer")
    page.keyboard.press("ArrowUp")
    assert "layer 3" in page.inner_text(".explore-said")
    assert f"{(shares['v'] / shares['n']).mean():.2f}".lstrip("0") in said.split("[")[0]
    page.close()


def test_a_patch_can_be_stepped_through(browser):
    page = patient(browser.new_page())
    page.goto((HTML / "method.html").as_uri())
    text = page.locator(".stepper-text")
    assert "without a patch" in text.inner_text()
    following, seen = page.get_by_role("button", name="Next"), []
    while following.is_enabled():
        following.click()
        seen.append(text.inner_text())
    for said in ("Read:", "Overwritten:", "What later tokens see:", "The answer is read"):
        assert any(each.startswith(said) for each in seen), said
    assert page.locator(".stepper-table td.written").count() > 0
    page.close()


WCAG = """async () => (await axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], resultTypes: ["violations"],
})).violations.map(one => `${one.id}: ${one.nodes.map(node => node.html).join(" ")}`)"""


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_a_page_keeps_the_rules_of_accessibility(browser, name, scheme, width):
    from axe_playwright_python.base import AXE_SCRIPT

    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = patient(context.new_page())
    page.goto((HTML / f"{name}.html").as_uri())
    page.wait_for_load_state("load")
    page.add_script_tag(content=AXE_SCRIPT)
    violations = page.evaluate(WCAG)
    context.close()
    assert not violations


FOUND = "[...document.querySelectorAll('#search-results li a')].map(a => a.getAttribute('href'))"
SEARCHED = {
    **{name: f"glossary.html#term-{name}" for name in CONDITIONS},
    "from_ru": "glossary.html#term-from_ru",
    "CKA": "cka.html",
    "RSA": "structure.html",
    "retrieval": "retrieval.html",
    "in-bias": "gender.html",
    "language identity": "language_identity.html",
    "residual stream": "glossary.html#term-residual-stream",
}


@pytest.mark.parametrize("asked", SEARCHED)
def test_the_search_finds_conditions_and_measures(browser, asked):
    troubles: list[str] = []
    page = patient(browser.new_page())
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{(HTML / 'search.html').as_uri()}?q={quote(asked)}")
    page.wait_for_function(
        "document.querySelector('#search-results .search-summary')?.innerText.includes('page(s)')"
    )
    page.wait_for_function(f"{FOUND}.includes('{SEARCHED[asked]}')")
    first = page.evaluate(FOUND)[0]
    page.close()
    assert first.startswith("glossary.html#term-") and not troubles


def test_a_glossary_term_is_a_quiet_link_with_its_definition(browser):
    page = patient(browser.new_page())
    page.goto((HTML / "method.html").as_uri())
    link = page.locator("a.glossary-link", has_text="query word").first
    assert len(link.get_attribute("title")) > 20
    assert link.evaluate("a => getComputedStyle(a).textDecorationStyle") == "dotted"
    around = link.evaluate("a => getComputedStyle(a.closest('p')).color")
    assert link.evaluate("a => getComputedStyle(a).color") == around
    page.close()


def test_the_book_is_printed_with_all_chapters(tmp_path):
    from pypdf import PdfReader

    (tmp_path / "_build").mkdir()
    (tmp_path / "_build" / "html").symlink_to(HTML)
    for name in ("_toc.yml", "_config.yml", "book"):
        (tmp_path / name).symlink_to(ROOT / name)
    out, command = tmp_path / "_build" / "book.pdf", [sys.executable, "-m", "meanings.cli.main"]
    said = subprocess.run([*command, "pdf"], cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode == 0 and str(out) in said.stdout and not said.stderr, said.stderr
    reader = PdfReader(out)
    named = {str(entry.title): entry for entry in reader.outline if not isinstance(entry, list)}
    cover = " ".join(reader.pages[0].extract_text().split())
    assert len(named) == len(staging.pages(ROOT))
    for title, entry in named.items():
        number = reader.get_destination_page_number(entry)
        assert f"{title} {number + 1}" in cover
        assert title in " ".join(reader.pages[number].extract_text().split())
    method, after = (
        reader.get_destination_page_number(named[title]) for title in ("Method", "Emergence")
    )
    text = " ".join(page.extract_text() for page in reader.pages[method:after])
    assert "Solution" in text and "Show code" not in text and "Skip to main" not in text
    assert not list(HTML.glob(".*.html"))
