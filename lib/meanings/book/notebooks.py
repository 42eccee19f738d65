"""A chapter's way from MyST text to an executed notebook: converted, run with typed parameters,
stripped, named by content.

papermill writes a notebook even where a cell fails, so it works on a file aside that is moved on
success only.
"""

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill

from meanings.book import reading_time
from meanings.book.chapter_parameters import CHAPTERS
from meanings.core.errors import MeaningsError
from meanings.validity.claims import kept_rows

# Progress bars and notes on missing widgets are no part of a page.
KERNEL_ENVIRONMENT = {
    # What a word list leaves out is said where the chapter is asked for.
    "PYTHONWARNINGS": "ignore:IProgress not found,ignore:word list",
    "TRANSFORMERS_VERBOSITY": "error",
    "TQDM_DISABLE": "1",
    kept_rows.FOLDER: "_build/claims",  # of the folder in which the page runs
}
PATIENCE = 600  # seconds for a kernel to start or to hand its output over on a busy machine
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def convert(source: Path) -> nbformat.NotebookNode:
    """The notebook of a MyST text file, with the time that it takes. Raises MeaningsError where it
    has no cell tagged `parameters`.
    """
    notebook, page = jupytext.read(source), source.read_text(encoding="utf-8")
    notebook.metadata["kernelspec"] = dict(KERNEL)
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise MeaningsError(
            f"{source}: {len(tagged)} cells are tagged `parameters`; a chapter has exactly one"
        )
    tagged[0].metadata["tags"] = ["parameters", "remove-cell"]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        if cell.cell_type == "markdown":
            cell["source"] = reading_time.filled_in(cell["source"], page)
    return notebook


def execute(source: Path, parameters: dict[str, Any], target: Path, root: Path) -> None:
    """Runs `source` with `parameters` in folder `root`; on success, and only then, moves the
    notebook to `target`.

    Raises MeaningsError naming the chapter and the last line of the error where a cell fails; what
    the kernel wrote, and the whole traceback, are then in `_build/logs/<chapter>.log`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    log = root / "_build" / "logs" / f"{source.stem}.log"
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".aside-") as aside:
        draft, done = Path(aside) / "draft.ipynb", Path(aside) / "done.ipynb"
        written = Path(aside) / "kernel.log"
        nbformat.write(convert(source), draft)
        try:
            with quiet_kernel(written):
                papermill.execute_notebook(
                    str(draft),
                    str(done),
                    parameters=parameters,
                    cwd=str(root),
                    kernel_name="python3",
                    progress_bar=False,
                    start_timeout=PATIENCE,
                    iopub_timeout=PATIENCE,
                )
            notebook = nbformat.read(done, as_version=4)
            clean(notebook, source.stem)
        except papermill.PapermillExecutionError as error:
            keep_log(log, written, "\n".join(error.traceback))
            said = " ".join(f"{error.ename}: {error.evalue}".split())
            raise MeaningsError(
                f"chapter {source.stem}: cell {error.cell_index} failed with {said} (log: {log})"
            ) from error
        except Exception as error:  # a kernel that died, a cell that wrote what it must not
            keep_log(log, written, f"{type(error).__name__}: {error}")
            said = " ".join(str(error).split())
            raise MeaningsError(f"chapter {source.stem}: {said} (log: {log})") from error
        nbformat.write(notebook, done)
        os.replace(done, target)


def keep_log(log: Path, written: Path, traceback: str) -> None:
    """Keep what the kernel wrote to standard error, and the traceback without colours."""
    log.parent.mkdir(parents=True, exist_ok=True)
    kernel = written.read_text(encoding="utf-8", errors="replace") if written.exists() else ""
    log.write_text(kernel + re.sub(r"\x1b\[[0-9;]*m", "", traceback) + "\n", encoding="utf-8")


@contextmanager
def quiet_kernel(log: Path) -> Iterator[None]:
    """Send what the kernel's own process writes to standard error (not a cell's: that is in the
    notebook) to a file.
    """
    stderr, before = os.dup(2), dict(os.environ)
    os.environ.update(KERNEL_ENVIRONMENT)
    with log.open("wb") as stream:
        os.dup2(stream.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            os.environ.clear()
            os.environ.update(before)


def clean(notebook: nbformat.NotebookNode, chapter: str) -> None:
    """Remove what differs between two runs (times, paths, counts) and gives every figure its alt
    text and caption.

    Raises MeaningsError where a figure has no alt text (`Picture.show` writes it beside the image)
    and where a cell wrote to standard error.
    """
    notebook.metadata.clear()
    notebook.metadata.update({"kernelspec": dict(KERNEL), "language_info": {"name": "python"}})
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell["execution_count"] = None
            _fold_parameters(cell, chapter)
            _clean_outputs(cell, f"cell {number}")


def _fold_parameters(cell: nbformat.NotebookNode, chapter: str) -> None:
    """Folds the injected parameters of a chapter away, and removes those of other pages."""
    if "injected-parameters" not in cell.metadata.get("tags", []):
        return
    cell["source"] = cell["source"].replace("# Parameters\n", "# the parameters of this page\n")
    folded = "hide-input" if chapter in CHAPTERS else "remove-cell"
    cell.metadata["tags"] = ["injected-parameters", folded]
    cell.metadata["mystnb"] = {
        "code_prompt_show": "Show the parameters of this page",
        "code_prompt_hide": "Hide the parameters",
    }


def _clean_outputs(cell: nbformat.NotebookNode, where: str) -> None:
    for output in cell.outputs:
        if "execution_count" in output:
            output["execution_count"] = None
        if output.output_type == "stream" and output.name == "stderr":
            said = " ".join(output.text.split())[:300]
            raise MeaningsError(
                f"{where} wrote to standard error: {said}"
                "; correct the cell, a page's cells print nothing there"
            )
        if "image/png" in output.get("data", {}):
            describe(cell, output, where)


def describe(cell: nbformat.NotebookNode, output: nbformat.NotebookNode, where: str) -> None:
    """Move the words that `Picture.show` put beside an image to where MyST-NB looks for them."""
    words = output.metadata.pop("meanings", {})
    if not words.get("alt"):
        raise MeaningsError(
            f"{where} shows a figure without alt text; show it with Picture.show(caption, name)"
        )
    figure = {"caption": words["caption"], "name": words["name"]}
    cell.metadata["mystnb"] = {"image": {"alt": words["alt"]}, "figure": figure}
