"""Staged pages rendered by Jupyter Book, warnings as errors."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import yaml

from meanings.book.staging import copy, pages, unlink
from meanings.core.errors import MeaningsError
from meanings.core.hashing import content_hash
from meanings.core.status_line import Report, unreported


def stage_hash(folder: Path) -> str:
    """One hash of all that decides what is rendered: the staged files and what renders them."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    names = [str(file.relative_to(folder)) for file in files]
    renderers = [f"{name} {version(name)}" for name in ("jupyter-book", "sphinx", "myst-nb")]
    extensions = [
        Path(__file__).with_name(f"{name}.py") for name in ("offline_pages", "glossary_links")
    ]
    return content_hash(names, *files, renderers, *extensions)


def render(stage_folder: Path, output: Path, report: Report = unreported) -> Path:
    """Jupyter Book over the stage, warnings as errors; the folder `output/_build/html`.

    Raises MeaningsError with the warnings. A failed build leaves nothing that would hide its
    warnings the next time.
    """
    run = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", run, "build", str(stage_folder)]
    command += ["--path-output", str(output), "-W", "--keep-going"]
    said: list[str] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    ) as running:
        for line in running.stdout or ():
            said.append(re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip())
            if step := re.match(r"(reading|writing)\b.*\[ *([0-9]+)%\]", said[-1]):
                report(f"rendering: {step[1]} pages, {step[2]}%")
    if running.returncode:
        shutil.rmtree(output / "_build" / ".doctrees", ignore_errors=True)
        lines = [line for line in said if re.search(r"WARNING|ERROR|Error", line)]
        raise MeaningsError(
            "the book does not render: "
            + " | ".join(lines[:10] or said[-5:])
            + "; correct the pages named, and run the command again"
        )
    return output / "_build" / "html"


def stage_alone(notebook: Path, root: Path, folder: Path) -> Path:
    """Stages a book of one chapter, its glossary and its references; links to other chapters become
    plain words.
    """
    folder.mkdir(parents=True)
    others = sorted(set(pages(root)) - {"glossary", "references"})
    texts = [notebook]
    texts += [root / "book" / name for name in ("glossary.md", "references.md", "references.bib")]
    for file in texts:
        text = unlink(file.read_text(encoding="utf-8"), others)
        (folder / file.name).write_text(text, encoding="utf-8")
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
