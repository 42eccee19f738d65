"""The lecture's deck: what it names is there, its numbers come from claims and pages, and its plan
is the page's.
"""

import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from meanings.book import deck, lecture, notebooks, slides, staging
from meanings.core.errors import MeaningsError
from meanings.validity.claims import catalogue

ROOT = Path(__file__).parents[2]
TEXT = slides.source(ROOT).read_text(encoding="utf-8")
SLIDES = re.split(r"^(?=## )", TEXT, flags=re.M)[1:]
PNG = b"\x89PNG\r\n\x1a\n"


def row(name: str, value: float = 0.5, verdict: str = "holds") -> dict:
    return {
        "id": name,
        "statement": f"It is so ({name}).",
        "value": value,
        "low": value - 0.1,
        "high": value + 0.1,
        "smallest_effect": 0.25,
        "n_concepts": 64,
        "n_pairs": 6,
        "n_seeds": 3,
        "verdict": verdict,
    }


def figure(name: str) -> deck.Figure:
    caption = f"What {name} shows. Made: 64 concepts; 95 % intervals resample concepts."
    return deck.Figure(PNG, f"alternative of {name}: [a] b", caption, "A page")


def material(text: str) -> deck.Material:
    """Something for all that a deck shows, with the verdicts that its titles expect."""
    verdicts = {
        name: verdict for verdict, names in deck.RESTS.findall(text) for name in names.split(", ")
    }
    return deck.Material(
        {name: f"<{name}>" for role, name in deck.ROLE.findall(text) if role == "glue:text"},
        {name: figure(name) for name in deck.FIGURE.findall(text)},
        {name: row(name, verdict=verdicts.get(name, "holds")) for name in deck.claims_in(text)},
    )


def split(text: str) -> list[str]:
    return re.split(r"^(?=## )", text, flags=re.M)


def test_no_number_of_the_deck_was_typed_by_hand():
    text = re.sub(r"^% .*$|```bash.*?```|\{[a-z:]+\}`[^`]*`|`[^`]*`", " ", TEXT, flags=re.M | re.S)
    assert not re.findall(r"[^\n]*\d[^\n]*", text)


def test_what_the_deck_shows_is_in_the_book():
    sources = slides.page_sources(ROOT)
    pages = deck.pages_for(TEXT, sources)
    assert pages[0] == "index" and {"method", "trust", "synthesis"} <= set(pages)
    assert set(deck.claims_in(TEXT)) <= {claim.id for claim in catalogue.all_claims()}
    with pytest.raises(MeaningsError, match="no page of the book has: fig-none, sy_none"):
        deck.pages_for("```{figure} fig-none\n```\n{glue:text}`sy_none`", sources)


def test_every_slide_has_a_title_and_something_to_say_and_to_ask():
    assert 20 <= len(SLIDES) <= 30
    titles = [re.match(r"## (.+)", slide)[1] for slide in SLIDES]
    assert len(set(titles)) == len(titles)
    for slide in SLIDES[:-1]:
        notes = slide.split(deck.NOTES)[1]
        for kind in ("Say: ", "Ask: ", "Answer: "):
            assert len(re.findall(rf"^{kind}", notes, re.M)) == 1, slide
    assert "Say: " in SLIDES[-1]


def test_the_blocks_of_the_deck_are_those_of_the_plan():
    assert deck.BLOCK.findall(TEXT) == list(lecture.spans("lecture"))
    assert lecture.length("lecture") == lecture.length("lab") == 90
    assert list(lecture.spans("lecture").values())[:2] == ["0 to 8", "8 to 23"]


def test_the_lab_has_one_set_of_commands():
    page = (ROOT / "book" / "teach.md").read_text(encoding="utf-8")
    for entry in lecture.commands().values():
        assert f"`{entry['command']}`" in page and entry["command"] in TEXT
        assert entry["seconds"] > 0
    assert set(lecture.commands()) < set(lecture.spans("lab"))


@pytest.mark.parametrize("name", deck.claims_in(TEXT))
def test_a_claim_with_another_value_changes_the_slides_that_name_it_and_no_others(name):
    given = material(TEXT)
    before = split(deck.filled(TEXT, given))
    given.claims[name] = row(name, 0.7, given.claims[name]["verdict"])
    after = split(deck.filled(TEXT, given))
    for source, old, new in zip(split(TEXT), before, after, strict=True):
        shown = re.search(rf"\{{(value|claim)\}}`{name}`", source)
        assert (old != new) == bool(shown)


def test_values_of_pages_are_shown_as_text_and_not_as_markup():
    text = "# Deck\n\n## A slide\n\nIt is {glue:text}`sy_first` of {value}`a`, {counts}`a`.\n"
    given = deck.Material({"sy_first": "*one*"}, {}, {"a": row("a")})
    assert "It is \\*one\\* of 0.50 \\[0.40, 0.60\\], 64 concepts, 6 pairs, 3 runs." in deck.filled(
        text, given
    )


@pytest.mark.parametrize(
    ("wanted", "now", "title"),
    [
        ("holds", "holds", "## A slide\n"),
        ("holds", "refuted", "## Refuted: “A slide”\n"),
        ("holds", "undecided", "## Not decided: “A slide”\n"),
        ("undecided", "holds", "## Decided by now: “A slide”\n"),
        ("undecided", "undecided", "## A slide\n"),
    ],
)
def test_a_title_says_where_its_claim_has_another_verdict(wanted, now, title):
    text = f"# Deck\n\n## A slide\n% {wanted}: a, b\n\nText.\n"
    claims = {"a": row("a", verdict=now), "b": row("b", verdict=wanted)}
    filled = deck.filled(text, deck.Material({}, {}, claims))
    assert title in filled and "%" not in filled


def test_a_figure_brings_its_alternative_text_and_what_it_rests_on():
    text = (
        "# D\n\n## S\n% block: method\n\n```{figure} fig-x\n```\n\n```{revealjs-notes}\nSay.\n```\n"
    )
    filled = deck.filled(text, deck.Material({}, {"fig-x": figure("fig-x")}, {}))
    assert "```{figure} figures/fig-x.png\n:alt: alternative of fig-x: [a] b\n```" in filled
    assert "From the page *A page*. Made: 64 concepts; 95 % intervals resample concepts." in filled
    notes = filled.split(deck.NOTES)[1]
    assert notes.startswith("Minutes 8 to 23: method.\n\nSay.\n\nThe figure: What fig-x shows.")
    last = replace(figure("x"), caption="Over 64 concepts. In brackets: pairs.")
    assert last.basis == last.caption
    assert replace(last, caption="A drawing. Read it so.").basis == "Read it so."


def test_what_is_lacking_is_named_in_one_line():
    text = "# D\n\n## S\n\n```{figure} fig-x\n```\n{claim}`a` {glue:text}`b`\n"
    with pytest.raises(MeaningsError, match="the deck lacks a, b, fig-x; run 'make book'"):
        deck.filled(text, deck.Material())
    with pytest.raises(MeaningsError, match="no claim has the id no-such"):
        catalogue.of_ids(["no-such", "emergence-shared"])


def test_values_and_figures_are_read_from_executed_pages(tmp_path):
    glued = new_output(
        "display_data",
        {"application/papermill.record/text/plain": '"it\'s"'},
        metadata={"scrapbook": {"name": "em_x", "mime_prefix": "application/papermill.record/"}},
    )
    drawn = new_output("display_data", {"image/png": "iVBORw0KGgo="})
    words = {"image": {"alt": "alt"}, "figure": {"name": "fig-x", "caption": "Caption."}}
    cells = [
        new_markdown_cell("# Emergence\n\nText"),
        new_code_cell("# no title", outputs=[glued]),
        new_code_cell("x", outputs=[drawn], metadata={"mystnb": words}),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "page.ipynb")
    found = deck.read_pages([tmp_path / "page.ipynb"])
    assert found.values == {"em_x": "it's"}
    assert found.figures == {"fig-x": deck.Figure(PNG, "alt", "Caption.", "Emergence")}


def test_only_the_pages_that_the_deck_shows_are_executed(make_root, tmp_path, monkeypatch):
    done = []

    def execute(source, parameters, target, root):
        done.append(source.stem)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("{}")

    monkeypatch.setattr(notebooks, "execute", execute)
    root = make_root(tmp_path, "rerun", "costs", "glossary")
    found = staging.executed_pages(root, tmp_path / "results", list, ["costs"])
    assert done == ["costs"] and [page.name for page in found] == ["rerun", "costs"]


def test_without_its_package_slides_say_so_in_one_line(monkeypatch):
    monkeypatch.setattr(slides, "find_spec", lambda name: None)
    with pytest.raises(MeaningsError, match="sphinx-revealjs, .*; run 'make setup'"):
        slides.check_packages()


def test_the_slides_are_rendered_with_notes_and_nothing_from_elsewhere(tmp_path):
    text = "# Deck\n\n## A slide\n\n{value}`a`\n\n```{revealjs-notes}\nSay {claim}`a`\n```\n"
    (tmp_path / "book" / "slides").mkdir(parents=True)
    (tmp_path / "book" / "slides" / "static").symlink_to(ROOT / "book" / "slides" / "static")
    page = slides.render(text, deck.Material({}, {}, {"a": row("a")}), tmp_path)
    html = page.read_text(encoding="utf-8")
    assert "<p>0.50 [0.40, 0.60]</p>" in html and html.count('<aside class="notes">Say') == 1
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", html)
    assert (page.parent / "_static" / "slides.css").is_file()
    assert [path.name for path in (tmp_path / "_build").iterdir()] == ["slides"]
