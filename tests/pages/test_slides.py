"""The lecture's slides in headless Chromium. They need `make slides` before.

Where the slides or a browser are missing they are skipped; `MEANINGS_PAGES=required` makes that a
failure.
"""

import os
import re
from pathlib import Path

import pytest

from meanings.book import printing
from meanings.core.errors import MeaningsError
from stand_ins.heard_page import heard

ROOT = Path(__file__).parents[2]
PAGE = Path(os.environ.get("MEANINGS_SLIDES", ROOT / "_build" / "slides")) / "index.html"
DECK = (ROOT / "book" / "slides" / "deck.md").read_text(encoding="utf-8")
TITLES = re.findall(r"^##? (.+)$", DECK, re.M)
WIDTH, HEIGHT = 1280, 720
SMALLEST = 24  # CSS pixels

try:
    printing.browser()
    missing = "" if PAGE.is_file() else "no slides: run 'make slides'"
except MeaningsError as error:
    missing = str(error)
if missing:
    if os.environ.get("MEANINGS_PAGES") == "required":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing, allow_module_level=True)

SLIDE = """() => {
  const slide = Reveal.getCurrentSlide();
  const words = [...slide.querySelectorAll('h1, h2, p, li, pre, code')].filter(
    e => !e.closest('aside'));
  const box = e => e.getBoundingClientRect();
  const all = [...words, ...slide.querySelectorAll('img')];
  return {
    title: slide.querySelector('h1, h2').innerText,
    notes: (slide.querySelector('aside.notes') || {innerText: ''}).textContent,
    low: Math.max(...all.map(e => box(e).bottom)),
    right: Math.max(...all.map(e => box(e).right)),
    smallest: Math.min(...words.map(e => parseFloat(getComputedStyle(e).fontSize))),
    images: [...slide.querySelectorAll('img')].map(
      i => ({alt: i.alt, width: i.naturalWidth, shown: i.clientWidth, left: box(i).right})),
    text: Math.min(...words.map(e => box(e).left)),
  };
}"""


def opened(browser, troubles: list[str], query: str = ""):
    """The deck in a window of its own; what goes wrong is written into `troubles`."""
    page = heard(browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}), troubles)
    page.set_default_timeout(600_000)  # milliseconds, for a busy machine
    page.goto(PAGE.as_uri() + query)
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    return page


def test_the_slides_are_complete_and_fit_and_every_key_press_shows_the_next_one(browser):
    troubles: list[str] = []
    page = opened(browser, troubles)
    assert page.evaluate("Reveal.getTotalSlides()") == len(TITLES)
    seen = []
    for number in range(len(TITLES)):
        page.wait_for_function(
            "[...Reveal.getCurrentSlide().querySelectorAll('img')].every(i => i.complete)"
        )
        found = page.evaluate(SLIDE)
        seen.append(found["title"])
        assert 0 < found["low"] <= HEIGHT and found["right"] <= WIDTH, found
        assert found["smallest"] >= SMALLEST, found
        assert len(found["notes"]) > 80
        for image in found["images"]:
            assert len(image["alt"]) > 40 and image["width"] > 0 and image["shown"] > 500
            assert image["left"] <= found["text"], "the words stand beside the figure"
        if number + 1 < len(TITLES):
            page.keyboard.press("Space")
    page.close()
    straight = [re.sub("’", "'", title) for title in seen]
    assert straight == TITLES and not troubles


def test_the_figures_are_those_of_the_deck(browser):
    page = opened(browser, [])
    shown = page.eval_on_selector_all(
        ".slides img", "all => all.map(i => i.getAttribute('src') || i.dataset.src)"
    )
    page.close()
    assert [Path(source).stem for source in shown] == re.findall(
        r"^```\{figure\} (\S+)", DECK, re.M
    )


def test_print_has_a_page_for_every_slide(browser):
    troubles: list[str] = []
    page = opened(browser, troubles, "?print-pdf")
    page.wait_for_selector(".pdf-page")
    boxes = page.eval_on_selector_all(
        ".pdf-page",
        "all => all.map(p => { const q = p.getBoundingClientRect();"
        " return [...p.querySelectorAll('h1, h2, img, p, li')].filter(e => !e.closest('aside'))"
        ".every(e => e.getBoundingClientRect().bottom <= q.bottom + 1) })",
    )
    page.close()
    assert len(boxes) == len(TITLES) and all(boxes) and not troubles
