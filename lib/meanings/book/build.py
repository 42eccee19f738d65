"""The book: chapters executed into a staging folder, then rendered by Jupyter Book.

    _build/results   cells (study)
    _build/stage     book/*.md, executed *.ipynb, configuration: what is rendered
    _build/state     what each executed page was made of
    _build/logs      what a chapter's kernel wrote, of chapters that failed
    _build/rendered  hash of the stage that was rendered last
    _build/html      the pages, and in html/downloads what they offer
    _build/downloads notebooks and tables that pages offer
    _build/book.pdf  the pages as one PDF (`meanings.book.printing`)
    _build/chapters  single chapters run with other parameters

What has not changed is not done again.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from meanings.book import chapters, downloads, inputs, notebooks, rendering
from meanings.book.staging import Report, shown, stage
from meanings.core import status_line
from meanings.core.errors import MeaningsError
from meanings.core.hashing import content_hash
from meanings.core.status_line import unreported

REDIRECT = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{0}</title>'
    '<meta http-equiv="refresh" content="0; url={1}"><a href="{1}">{0}</a></html>\n'
)


def build_book(
    root: Path, results: Path, report: Report = print, within: status_line.Report = unreported
) -> Path:
    """Execute and render the book from measured tables; returns the path of its first page.

    What is rendered already is left as it is.

    - `report`: is told each step; `within`: how far rendering is.
    """
    folder = stage(root, results, report)
    files = downloads.write(root, results)
    page, state = root / "_build" / "html" / "index.html", root / "_build" / "rendered"
    now = rendering.stage_hash(folder)
    if page.exists() and state.exists() and state.read_text(encoding="utf-8") == now:
        downloads.publish(files, page.parent)
        return page
    report("rendering")
    page = rendering.render(folder, root, within) / "index.html"
    downloads.publish(files, page.parent)
    state.write_text(now, encoding="utf-8")
    return page


def build_chapter(
    name: str,
    assignments: Sequence[str],
    root: Path,
    results: Path,
    report: Report = print,
    within: status_line.Report = unreported,
) -> Path:
    """One chapter with other parameters, from tables measured before:
    `_build/chapters/<name>-<hash>.{ipynb,html}`.

    The hash is of source, parameters and library, so the same question has the same name.
    """
    parameters = chapters.parse_assignments(name, assignments).model_dump(mode="json")
    source = root / "book" / f"{name}.md"
    stem = f"{name}-{content_hash(source, parameters, *inputs.library_files())[:12]}"
    folder = root / "_build" / "chapters"
    report(f"executing {stem}")
    given = parameters | {"results": shown(results, root)}
    notebooks.execute(source, given, folder / f"{stem}.ipynb", root)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".aside-") as aside:
        small = rendering.stage_alone(folder / f"{stem}.ipynb", root, Path(aside) / "stage")
        html = rendering.render(small, Path(aside), within)
        shutil.rmtree(folder / stem, ignore_errors=True)
        os.replace(html, folder / stem)
    page = folder / f"{stem}.html"
    page.write_text(REDIRECT.format(stem, f"{stem}/{stem}.html"), encoding="utf-8")
    return page


def project_root() -> Path:
    """The checkout: where book/ and _toc.yml lie, here or above the package. Raises MeaningsError
    where neither has them.
    """
    for folder in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if (folder / "_toc.yml").is_file() and (folder / "book").is_dir():
            return folder
    raise MeaningsError("no _toc.yml and book/ here; run this in the project's folder")
