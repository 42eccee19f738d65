"""What readers take along from each page: its notebook, its tables, their data dictionary.

_build/downloads       notebooks, tables as Parquet and CSV, dictionary.csv
_build/html/downloads  the same beside the pages
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

from meanings.book import boxes, cards, chapter_parameters, chapters, inputs, light, staging
from meanings.book.chapter_parameters import CompanionChapter
from meanings.book.shelf import FOLDER, Offer, Shelf
from meanings.book.sites import site
from meanings.measures.cell_files import cell_path
from meanings.study import table_cards

CELLS_OF = {"index": "emergence"}  # pages that read another page's cells


def write(root: Path, results: Path) -> Path:
    """Write what all pages offer, and put a box with the links at the end of each executed page;
    the folder of the files.

    Raises MeaningsError where a page reads a table that has no card.
    """
    folder, where = root / "_build" / FOLDER, site()
    shelf, pages = Shelf(folder), staging.notebook_pages(root, results)
    tables: dict[str, Offer] = {}
    boxed = []
    for page in pages:
        own = own_cells(page.name, root, results, shelf)
        offers = (
            [own] if own else [],
            [shelf.published(name) for name in published_of(page.source, root)],
        )
        tables |= {offer.name: offer for kind in offers for offer in kind}
        beside = own.parquet if own else beside_of(page.name)
        values = light.glued(page.target)
        notebook = light.notebook_of(page.source, values, page.parameters, beside, where.url)
        shelf.text(f"{page.name}.ipynb", nbformat.writes(notebook) + "\n")
        boxed.append((page, offers))
    if cards.PAGE in staging.pages(root):
        tables |= {name: shelf.published(name) for name in table_cards.table_files()}
    if tables:
        shelf.text(boxes.DICTIONARY, cards.dictionary(tables.values(), folder))
    for page, offers in boxed:
        boxes.put(page.target, boxes.box(page.name, *offers, folder, where))
    shelf.close()
    return folder


def own_cells(name: str, root: Path, results: Path, shelf: Shelf) -> Offer | None:
    """The table of the cells that were measured for a page; None where it reads none, or where
    they are not in the folder.
    """
    from meanings.study.plan import plan_study

    of = CELLS_OF.get(name, name)
    kind = chapters.CHAPTERS.get(of)
    if kind is None or issubclass(kind, CompanionChapter):
        return None
    file = root / "book" / "parameters" / f"{of}.yaml"
    grid = chapter_parameters.grid_of(chapters.read_parameters(of, file))
    keys = [key for key in plan_study(grid, results).keys if cell_path(results, key).is_file()]
    return shelf.cells(of, keys, results) if keys else None


def beside_of(name: str) -> str:
    """What a companion chapter's notebook reads: the one table of its measure, or the folder where
    its tables lie; empty for other pages.
    """
    kind = chapters.CHAPTERS.get(name)
    if kind is None or not issubclass(kind, CompanionChapter):
        return ""
    return f"{kind.measures[0]}.parquet" if len(kind.measures) == 1 else "."


def published_of(source: Path, root: Path) -> list[str]:
    """The published tables that a page says it reads, by name."""
    patterns = [each for each in inputs.declared(source) if each.startswith("data/published/")]
    files = [file for pattern in patterns for file in inputs.files(pattern, root)]
    known = re.compile(r"\.(parquet|csv)$")
    return sorted({file.stem for file in files if known.search(file.name)})


def publish(folder: Path, html: Path) -> None:
    """Put the files beside the pages, and remove what is no longer offered. Wheels that lie there
    stay.
    """
    target = html / FOLDER
    for file in folder.glob("*"):
        staging.copy(file, target / file.name)
    for file in target.glob("*"):
        if file.suffix != ".whl" and not (folder / file.name).is_file():
            file.unlink()
