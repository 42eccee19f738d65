"""The staging folder that Jupyter Book renders: executed notebooks, copied pages, configuration.

A page is executed when the hash of what it is made of (`meanings.book.inputs`) differs from the one
that is kept in `_build/state`.
"""

import re
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from meanings.book import cards, chapters, execution, inputs
from meanings.measures.cell_files import finished

Report = Callable[[str], object]


def pages(root: Path) -> list[str]:
    """The stems of the pages in the table of contents, root first."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]


def is_notebook(source: Path) -> bool:
    """Whether a page has cells to execute."""
    return "{code-cell}" in source.read_text(encoding="utf-8")


def parameters_of(root: Path, name: str) -> dict[str, Any]:
    """What a page is executed with: a chapter's YAML file, validated; other pages take no
    parameters.
    """
    if name not in chapters.CHAPTERS:
        return {}
    file = root / "book" / "parameters" / f"{name}.yaml"
    return chapters.read_parameters(name, file).model_dump(mode="json")


@dataclass(frozen=True)
class Page:
    """A page with cells, and the hash of what it is made of."""

    name: str
    source: Path
    target: Path
    state: Path
    parameters: dict[str, Any]
    hash: str

    @property
    def stale(self) -> bool:
        """Whether it has to be executed again."""
        there = self.target.exists() and self.state.exists()
        return not there or self.state.read_text(encoding="utf-8") != self.hash


def notebook_pages(root: Path, results: Path) -> list[Page]:
    """The pages that have cells, in the order of the contents."""
    build, cells, found = root / "_build", finished(results), []
    for name in pages(root):
        source = root / "book" / f"{name}.md"
        if not is_notebook(source):
            continue
        parameters = parameters_of(root, name) | {"results": shown(results, root)}
        page_hash = inputs.page_hash(source, parameters, root, cells)
        target = build / "stage" / f"{name}.ipynb"
        found.append(Page(name, source, target, build / "state" / name, parameters, page_hash))
    return found


def stage(root: Path, results: Path, report: Report = print) -> Path:
    """Executes what is stale, copies the rest; the folder that Jupyter Book renders."""
    folder = root / "_build" / "stage"
    notebooks = executed_pages(root, results, report)
    executed = [page.name for page in notebooks]
    wanted = {page.target for page in notebooks}
    for name in set(pages(root)) - set(executed):
        text = (root / "book" / f"{name}.md").read_text(encoding="utf-8")
        wanted.add(folder / f"{name}.md")
        write(folder / f"{name}.md", relink(cards.filled(text), executed))
    for file, target in _as_they_are(root, folder).items():
        wanted.add(target)
        copy(file, target)
    for file in folder.rglob("*"):
        if file.is_file() and file not in wanted:
            file.unlink()
    return folder


def executed_pages(
    root: Path, results: Path, report: Report = print, names: Collection[str] | None = None
) -> list[Page]:
    """Executes the pages that are stale, of these names where some are given; all pages with cells
    are returned.
    """
    notebooks = notebook_pages(root, results)
    executed = [page.name for page in notebooks]
    stale = [page for page in notebooks if page.stale and (names is None or page.name in names)]
    # What reads most comes last: it finds the claims of the others decided.
    stale.sort(key=lambda page: inputs.n_read(page.source, root))
    tasks = [execution.Task(page.source, page.parameters, page.target) for page in stale]

    def finish(number: int) -> None:
        """Keeps what the page was made of."""
        page = stale[number]
        write(page.target, relink(page.target.read_text(encoding="utf-8"), executed))
        page.state.parent.mkdir(parents=True, exist_ok=True)
        page.state.write_text(page.hash, encoding="utf-8")

    execution.execute_all(tasks, root, finish, report)
    return notebooks


def _as_they_are(root: Path, folder: Path) -> dict[Path, Path]:
    """Files that are copied, by where they lie now."""
    single = (root / "_config.yml", root / "_toc.yml", root / "book" / "references.bib")
    static = (root / "book" / "_static").glob("*")
    return {file: folder / file.name for file in single} | {
        file: folder / "_static" / file.name for file in static
    }


def shown(path: Path, root: Path) -> str:
    """A path as a page may show it: relative to the project where it lies in it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def relink(text: str, executed: Sequence[str]) -> str:
    """Links to `page.md` become links to the executed `page.ipynb`: in the text they can be
    followed where it is read raw.
    """
    if not executed:
        return text
    return re.sub(rf"\]\(({'|'.join(executed)})\.md([#)])", r"](\1.ipynb\2", text)


def unlink(text: str, others: Sequence[str]) -> str:
    """Links to pages that are not there become plain words."""
    return re.sub(rf"\[([^\[\]]+)\]\((?:{'|'.join(others)})\.(?:md|ipynb)[^)]*\)", r"\1", text)


def write(target: Path, text: str) -> None:
    """Writes only what differs: Sphinx reads a page again when its file is newer."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


def copy(source: Path, target: Path) -> None:
    """Copies only what differs: Sphinx reads a page again when its file is newer."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)
