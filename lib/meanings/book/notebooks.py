"""A chapter's way from MyST text to an executed notebook: converted, run with typed parameters,
stripped, named by content.

papermill writes a notebook even where a cell fails, so it works on a file aside that is moved on
success only.
"""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill

from meanings.book.chapters import CHAPTERS
from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError

# Progress bars and notes on missing widgets are no part of a page.
KERNEL_ENVIRONMENT = {
    "PYTHONWARNINGS": "ignore:IProgress not found",
    "TRANSFORMERS_VERBOSITY": "error",
    "TQDM_DISABLE": "1",
}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def convert(source: Path) -> nbformat.NotebookNode:
    """The notebook of a MyST text file. Raises MeaningsError where it has no cell tagged
    `parameters`.
    """
    notebook = jupytext.read(source)
    notebook.metadata["kernelspec"] = dict(KERNEL)
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise MeaningsError(
            f"{source}: {len(tagged)} cells are tagged `parameters`; a chapter has exactly one"
        )
    tagged[0].metadata["tags"] = ["parameters", "remove-cell"]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    return notebook


def execute(source: Path, parameters: dict[str, Any], target: Path, root: Path) -> None:
    """Runs `source` with `parameters` in folder `root`; on success, and only then, moves the
    notebook to `target`.

    Raises MeaningsError naming the chapter and the last line of the error where a cell fails.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".aside-") as aside:
        draft, done = Path(aside) / "draft.ipynb", Path(aside) / "done.ipynb"
        nbformat.write(convert(source), draft)
        try:
            with quiet_kernel(Path(aside) / "kernel.log"):
                papermill.execute_notebook(
                    str(draft),
                    str(done),
                    parameters=parameters,
                    cwd=str(root),
                    kernel_name="python3",
                    progress_bar=False,
                )
        except papermill.PapermillExecutionError as error:
            raise MeaningsError(
                f"chapter {source.stem}: cell {error.cell_index} failed with {error.ename}: "
                f"{error.evalue}"
            ) from error
        notebook = nbformat.read(done, as_version=4)
        clean(notebook, source.stem)
        with atomic_file(target) as whole:
            nbformat.write(notebook, whole)


@contextmanager
def quiet_kernel(log: Path) -> Iterator[None]:
    """Sends what the kernel's own process writes to standard error (not a cell's: that is in the
    notebook) to a file.
    """
    kept, before = os.dup(2), dict(os.environ)
    os.environ.update(KERNEL_ENVIRONMENT)
    with log.open("wb") as stream:
        os.dup2(stream.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.environ.clear()
            os.environ.update(before)


def clean(notebook: nbformat.NotebookNode, chapter: str) -> None:
    """Takes out what differs between two runs (times, paths, counts) and gives every figure its alt
    text and caption.

    Raises MeaningsError where a figure has no alt text: `figures.show` writes it beside the image.
    """
    kept = {"kernelspec": dict(KERNEL), "language_info": {"name": "python"}}
    notebook.metadata.clear()
    notebook.metadata.update(kept)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        cell["execution_count"] = None
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["source"] = cell["source"].replace(
                "# Parameters\n", "# the parameters of this page\n"
            )
            cell.metadata["tags"] = [
                "injected-parameters",
                "hide-input" if chapter in CHAPTERS else "remove-cell",
            ]
            cell.metadata["mystnb"] = {
                "code_prompt_show": "Show the parameters of this page",
                "code_prompt_hide": "Hide the parameters",
            }
        for output in cell.outputs:
            if "execution_count" in output:
                output["execution_count"] = None
            if output.output_type == "stream" and output.name == "stderr":
                raise MeaningsError(
                    f"chapter {chapter}: cell {number} wrote to standard error: "
                    f"{' '.join(output.text.split())[:300]}"
                )
            if "image/png" in output.get("data", {}):
                described(cell, output, f"chapter {chapter}: cell {number}")


def described(cell: nbformat.NotebookNode, output: nbformat.NotebookNode, where: str) -> None:
    """Moves the words that `figures.show` put beside an image to where MyST-NB looks for them."""
    words = output.metadata.pop("meanings", {})
    if not words.get("alt"):
        raise MeaningsError(
            f"{where} shows a figure without alt text; show it with figures.show(figure, alt=..., "
            "caption=...)"
        )
    figure = {"caption": words["caption"], "name": words["name"]}
    cell.metadata["mystnb"] = {"image": {"alt": words["alt"]}, "figure": figure}
