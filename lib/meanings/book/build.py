"""The book: chapters executed into a staging folder, then rendered by Jupyter Book, warnings as
errors.

    _build/results   cells (study)
    _build/stage     book/*.md, executed *.ipynb, configuration: what is rendered
    _build/html      the pages
    _build/chapters  single chapters run with other parameters

What has not changed is not done again: a chapter is executed when its source, parameters, tables or
the library differ.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import yaml

from meanings.book import chapters, notebooks
from meanings.core import hashing
from meanings.core.atomic_files import atomic_folder
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder

VERSIONS = ("meanings", "matplotlib", "seaborn", "pandas", "numpy", "scipy", "myst-nb", "sacrebleu")
REDIRECT = '<!doctype html><html lang="en"><meta charset="utf-8"><title>{0}</title><meta http-equiv="refresh" content="0; url={1}"><a href="{1}">{0}</a></html>\n'


def pages(root: Path) -> list[str]:
    """The stems of the pages in the table of contents, root first."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]


def is_notebook(source: Path) -> bool:
    """Whether a page has cells to execute."""
    return "{code-cell}" in source.read_text(encoding="utf-8")


def parameters_of(root: Path, name: str) -> dict:
    """What a page is executed with: a chapter's YAML file, validated; other pages take no
    parameters.
    """
    if name not in chapters.CHAPTERS:
        return {}
    return chapters.read_parameters(name, root / "book" / "parameters" / f"{name}.yaml").model_dump(
        mode="json"
    )


def stage(root: Path, results: Path, report=print) -> Path:
    """Executes what has changed, copies the rest; the folder that Jupyter Book renders.

    A page's state is one hash of source, parameters, tables, library and versions, kept beside the
    stage.
    """
    build, folder = root / "_build", root / "_build" / "stage"
    (build / "state").mkdir(parents=True, exist_ok=True)
    common = hashing.content_hash(
        *library_files(), *tables(results), [f"{name} {version(name)}" for name in VERSIONS]
    )
    executed = [name for name in pages(root) if is_notebook(root / "book" / f"{name}.md")]
    wanted = set()
    for name in pages(root):
        source, state = root / "book" / f"{name}.md", build / "state" / name
        target = folder / (f"{name}.ipynb" if is_notebook(source) else f"{name}.md")
        wanted.add(target)
        if target.suffix == ".md":
            write(target, relink(source.read_text(encoding="utf-8"), executed))
            continue
        parameters = parameters_of(root, name) | {"results": shown(results, root)}
        now = hashing.content_hash(source, parameters, common)
        if target.exists() and state.exists() and state.read_text() == now:
            continue
        report(f"executing {name}")
        notebooks.execute(source, parameters, target, root)
        write(target, relink(target.read_text(encoding="utf-8"), executed))
        state.write_text(now)
    for file in (
        root / "_config.yml",
        root / "_toc.yml",
        root / "book" / "references.bib",
        *(root / "book" / "_static").glob("*"),
    ):
        wanted.add(folder / ("_static" if file.parent.name == "_static" else "") / file.name)
        copy(file, folder / ("_static" if file.parent.name == "_static" else "") / file.name)
    for file in folder.rglob("*"):
        if file.is_file() and file not in wanted:
            file.unlink()
    return folder


def library_files() -> list[Path]:
    """The library's own source, which may change what a chapter shows."""
    return sorted(Path(__file__).parents[1].rglob("*.py"))


def tables(results: Path) -> list:
    """What chapters read: shipped tables by content, cells by name (their name is the hash of what
    was asked).
    """
    shipped = [
        file
        for pattern in ("published/*", "miniature/*.csv", "miniature/*.json")
        for file in data_folder().glob(pattern)
    ]
    return [
        *sorted(file for file in shipped if file.is_file()),
        sorted(file.name for file in results.rglob("*.parquet")),
    ]


def shown(path: Path, root: Path) -> str:
    """A path as a page may show it: relative to the project where it lies in it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def relink(text: str, executed: Sequence[str]) -> str:
    """Links to `page.md` become links to the executed `page.ipynb`: in the text they can be
    followed where it is read raw.
    """
    return (
        re.sub(rf"\]\(({'|'.join(executed)})\.md([#)])", r"](\1.ipynb\2", text)
        if executed
        else text
    )


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


def render(stage_folder: Path, output: Path) -> Path:
    """Jupyter Book over the stage, warnings as errors; the folder `output/_build/html`.

    Raises MeaningsError with the warnings. A failed build leaves nothing that would hide its
    warnings the next time.
    """
    command = [
        sys.executable,
        "-c",
        "from jupyter_book.cli.main import main; main()",
        "build",
        str(stage_folder),
    ]
    command += ["--path-output", str(output), "-W", "--keep-going", "-q"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONWARNINGS": "ignore"}
    )
    if done.returncode:
        shutil.rmtree(output / "_build" / ".doctrees", ignore_errors=True)
        said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
        lines = [line for line in said.splitlines() if re.search(r"WARNING|ERROR|Error", line)]
        raise MeaningsError(
            "the book does not render: " + " | ".join(lines[:10] or [done.stderr[-500:]])
        )
    return output / "_build" / "html"


def build_book(root: Path, results: Path, report=print) -> Path:
    """Executes and renders the book from tables that were measured before; its first page."""
    folder = stage(root, results, report)
    report("rendering")
    return render(folder, root) / "index.html"


def build_chapter(
    name: str, assignments: Sequence[str], root: Path, results: Path, report=print
) -> Path:
    """One chapter with other parameters, from tables measured before:
    `_build/chapters/<name>-<hash>.{ipynb,html}`.

    The hash is of source, parameters and library, so the same question has the same name.
    """
    parameters = chapters.parse_assignments(name, assignments).model_dump(mode="json")
    source = root / "book" / f"{name}.md"
    stem = f"{name}-{hashing.content_hash(source, parameters, *library_files())[:12]}"
    folder = root / "_build" / "chapters"
    report(f"executing {stem}")
    notebooks.execute(
        source, parameters | {"results": shown(results, root)}, folder / f"{stem}.ipynb", root
    )
    with tempfile.TemporaryDirectory(dir=folder, prefix=".aside-") as aside:
        small = alone(folder / f"{stem}.ipynb", root, Path(aside) / "stage")
        html = render(small, Path(aside))
        shutil.rmtree(folder / stem, ignore_errors=True)
        with atomic_folder(folder / stem) as whole:
            os.replace(html, whole)
    page = folder / f"{stem}.html"
    page.write_text(REDIRECT.format(stem, f"{stem}/{stem}.html"), encoding="utf-8")
    return page


def alone(notebook: Path, root: Path, folder: Path) -> Path:
    """A book of one chapter, its glossary and its references; links to other chapters become plain
    words.
    """
    folder.mkdir(parents=True)
    others = sorted(set(pages(root)) - {"glossary", "references"})
    (folder / notebook.name).write_text(
        unlink(notebook.read_text(encoding="utf-8"), others), encoding="utf-8"
    )
    for name in ("glossary.md", "references.md", "references.bib"):
        (folder / name).write_text(
            unlink((root / "book" / name).read_text(encoding="utf-8"), others), encoding="utf-8"
        )
    for file in (root / "book" / "_static").glob("*"):
        copy(file, folder / "_static" / file.name)
    copy(root / "_config.yml", folder / "_config.yml")
    toc = {
        "format": "jb-book",
        "root": notebook.stem,
        "chapters": [{"file": "glossary"}, {"file": "references"}],
    }
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    return folder


def project_root() -> Path:
    """The checkout: where book/ and _toc.yml lie, here or above the package. Raises MeaningsError
    where neither has them.
    """
    for folder in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if (folder / "_toc.yml").is_file() and (folder / "book").is_dir():
            return folder
    raise MeaningsError("no _toc.yml and book/ here: run this in the project's folder")
