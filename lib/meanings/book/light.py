"""A page as a notebook that a reader takes along: prose with its values, no outputs, and cells that
need no more than the installed package and the table beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from meanings.book import notebooks, readable

RECORD = "application/papermill.record/text/plain"
WHEEL = f"meanings-{version('meanings')}-py3-none-any.whl"
# Pages whose cells need more than the core packages, and what.
HEAVY = {
    "method": "It loads a checkpoint of the miniature, so it needs `meanings[study]` (torch, "
    "transformers, nnsight) and a clone of the project, whose folder `data` has the weights.",
    "costs": "It splits words with a tokenizer and looks at measured cells, so it needs "
    "`meanings[study]` and the folder of results of `meanings study`.",
}


def glued(executed: Path) -> dict[str, str]:
    """The values that an executed page handed to its prose, by name."""
    found = {}
    for cell in nbformat.read(executed, as_version=4).cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name and RECORD in output.get("data", {}):
                found[name] = str(ast.literal_eval("".join(output["data"][RECORD])))
    return found


def notebook_of(
    source: Path,
    values: Mapping[str, str],
    parameters: Mapping[str, Any],
    table: str,
    site: str = "",
) -> nbformat.NotebookNode:
    """The notebook that a page offers.

    - `source`: its text; `values`: those of its prose, by name.
    - `parameters`: what the book's page was executed with; `table`: name of the file beside the
      notebook that it reads, empty where it reads the installed package's tables.
    - `site`: address of the published book, from which wheel and table are fetched where they are
      missing; without it the first cell says what to install.
    """
    notebook = notebooks.convert(source)
    bibliography = source.parent / "references.bib"
    works = readable.references("\n".join(cell.source for cell in notebook.cells), bibliography)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        cell.metadata = nbformat.NotebookNode()
        if cell.cell_type == "markdown":
            cell.source = readable.plain(cell.source, values, bibliography, site)
        elif "parameters" in tags:
            cell.source = assignments({**parameters, **({"results": table} if table else {})})
    notebook.cells.insert(1, new_markdown_cell(_origin(source.stem, table, site)))
    notebook.cells.insert(2, new_code_cell(installation(table, site)))
    if works:
        notebook.cells.append(new_markdown_cell(f"## References\n\n{works}"))
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    notebook.metadata.clear()
    notebook.metadata.update(
        {"kernelspec": dict(notebooks.KERNEL), "language_info": {"name": "python"}}
    )
    return notebook


def assignments(parameters: Mapping[str, Any]) -> str:
    """Parameters as lines of Python."""
    lines = [f"{name} = {value!r}".replace("'", '"') for name, value in parameters.items()]
    return "\n".join(lines)


def _origin(name: str, table: str, site: str) -> str:
    page = f"[{name}]({site}/{name}.html)" if site else f"*{name}*"
    reads = f" and the file `{table}` in this folder" if table else ""
    needs = HEAVY.get(name, f"It needs the package `meanings`{reads}; no torch, no model.")
    return (
        f"> The page {page} of *When Meanings Meet* as a notebook. {needs} Numbers in the text are "
        "those of the book's own run; the table of facts near the end shows yours."
    )


def installation(table: str, site: str) -> str:
    """The first code cell: installs exactly this version where the package is missing, and fetches
    the table where it is not beside the notebook.
    """
    lines = ["from importlib.util import find_spec", "from pathlib import Path", ""]
    lines.append('if find_spec("meanings") is None:')
    if not site:
        said = "install the package: 'pip install .' in the project's folder"
        return "\n".join([*lines, f'    raise ImportError("{said}")'])
    lines.append(f"    %pip install -q {site}/downloads/{WHEEL}")
    if table.endswith(".parquet"):
        lines += [
            f'if not Path("{table}").exists():',
            "    from urllib.request import urlretrieve",
            "",
            f'    urlretrieve("{site}/downloads/{table}", "{table}")',
        ]
    return "\n".join(lines)
