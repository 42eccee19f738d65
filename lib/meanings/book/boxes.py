"""The box at a page's end, *Take it with you*: links to its notebook, its tables, their dictionary,
and, on a published site, to a place that runs the notebook.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from nbformat.v4 import new_markdown_cell

from meanings.book import light, staging
from meanings.book.shelf import FOLDER, Offer
from meanings.book.sites import Site
from meanings.core.formatting import size

TAG = "take-it-with-you"
DICTIONARY = "dictionary.csv"
MOST = 20  # tables that a box lists


def put(target: Path, text: str) -> None:
    """Make `text` the last cell of an executed notebook, in place of an older box."""
    content = json.loads(target.read_text(encoding="utf-8"))
    cell = dict(new_markdown_cell(text, metadata={"tags": [TAG]}), id=TAG)
    cells = [each for each in content["cells"] if TAG not in each["metadata"].get("tags", [])]
    content["cells"] = [*cells, cell]
    staging.write(target, json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def box(
    name: str, own: Sequence[Offer], published: Sequence[Offer], folder: Path, site: Site
) -> str:
    """The box of a page.

    - `own`: the table that was measured for the page, if any; `published`: those that it reads, of
      which a page that reads most of them lists none.
    - `folder`: where the files lie.
    """
    lines = [f"Notebook: {link(f'{name}.ipynb', folder)}, without outputs. {_runs(name, site)}"]
    page = '<a href="tables.html">page of tables</a>'
    listed = [*own, *published] if len(published) <= MOST else own
    tables = [_table(offer, folder) for offer in listed]
    if len(published) > MOST:
        tables.append(f"all published tables, on the {page}")
    if tables:
        lines.append(f"Tables: {'; '.join(tables)}.")
        lines.append(f"What their columns mean: {link(DICTIONARY, folder)}, or the {page}.")
    items = "".join(f"<li>{line}</li>" for line in lines)
    title = "<p><strong>Take it with you</strong></p>"
    return f'<aside class="take-along">{title}<ul>{items}</ul></aside>'


def link(file: str, folder: Path) -> str:
    """A link to a file beside the pages, with its size."""
    path = folder / file
    said = f" ({size(path.stat().st_size)})" if path.is_file() else ""
    return f'<a href="{FOLDER}/{file}" download>{escape(file)}</a>{said}'


def _table(offer: Offer, folder: Path) -> str:
    of_means = "" if offer.whole else ", means"
    return f"{link(offer.parquet, folder)}, {link(offer.csv, folder)}{of_means}"


def _runs(name: str, site: Site) -> str:
    if name in light.HEAVY:
        return light.HEAVY[name].replace("`", "")
    if not site.url:
        return "It runs without torch or a model, once the package is installed (pip install .)."
    address = site.colab(name)
    opens = f' <a href="{escape(address)}">Open it in Colab</a>.' if address else ""
    return f"It runs without torch or a model; its first cell installs {light.WHEEL}.{opens}"
