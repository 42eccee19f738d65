"""Chapters executed: what the notebook holds, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from meanings.book import execution, notebooks
from meanings.book.chapters import CHAPTERS
from meanings.core.errors import MeaningsError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def executed(results, make_root, tmp_path_factory):
    """A chapter executed with two pairs in a folder of its own; `test_light_notebooks` runs another
    one.
    """
    name = "language_dependence"
    root = make_root(tmp_path_factory.mktemp("root"), name, "glossary", "references")
    parameters = CHAPTERS[name](pair=("fr-es", "de-en"), checkpoints=4).model_dump(mode="json")
    target = root / "out" / f"{name}.ipynb"
    notebooks.execute(
        ROOT / "book" / f"{name}.md", parameters | {"results": str(results)}, target, root
    )
    return target


def test_an_executed_chapter_tells_neither_time_nor_place(executed, results):
    text = executed.read_text()
    for trace in ("input_path", "start_time", "duration", str(Path.home())):
        assert trace not in text.replace(str(results), "")
    assert list(executed.parent.iterdir()) == [executed]  # nothing is left aside


def test_every_figure_of_an_executed_chapter_has_alt_text_and_caption(executed):
    notebook = nbformat.read(executed, as_version=4)
    shown = [
        cell
        for cell in notebook.cells
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))
    ]
    assert len(shown) >= 4
    for cell in shown:
        assert (
            len(cell.metadata["mystnb"]["image"]["alt"]) > 60
            and cell.metadata["mystnb"]["figure"]["caption"]
        )


def test_an_executed_chapter_imports_no_torch(executed):
    assert "torch" not in "".join(
        cell.source
        for cell in nbformat.read(executed, as_version=4).cells
        if cell.cell_type == "code"
    )


def test_a_chapter_that_fails_writes_nothing(tmp_path):
    source = tmp_path / "emergence.md"
    source.write_text(CHAPTER % "1 / 0")
    with pytest.raises(MeaningsError, match="ZeroDivisionError"):
        notebooks.execute(source, {"results": ""}, tmp_path / "out" / "x.ipynb", tmp_path)
    assert not list((tmp_path / "out").iterdir())


def test_a_figure_without_alt_text_is_refused():
    cell = nbformat.v4.new_code_cell(
        "f", outputs=[nbformat.v4.new_output("display_data", {"image/png": "x"})]
    )
    with pytest.raises(MeaningsError, match="figure without alt text"):
        notebooks.clean(nbformat.v4.new_notebook(cells=[cell]), "emergence")


def test_what_a_cell_warns_about_is_refused():
    cell = nbformat.v4.new_code_cell(
        "f", outputs=[nbformat.v4.new_output("stream", name="stderr", text="UserWarning: odd\n")]
    )
    with pytest.raises(MeaningsError, match="standard error: UserWarning: odd"):
        notebooks.clean(nbformat.v4.new_notebook(cells=[cell]), "emergence")


def test_a_kernel_is_silent_about_what_a_word_list_leaves_out(tmp_path):
    (tmp_path / "words.csv").write_text("concept,en,fr,note\ncat,cat,chat,x\n")
    code = (
        f"from meanings.lexicon.lexicon import load_lexicon as l; l({str(tmp_path)!r} '/words.csv')"
    )
    for environment, said in (({}, "columns 'note' left out"), (notebooks.KERNEL_ENVIRONMENT, "")):
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0 and said in run.stderr and bool(run.stderr) == bool(said)


CHAPTER = """---
reads: []
---

```{code-cell} python
:tags: [parameters]
results = ""
```

```{code-cell} python
%s
```
"""


def tasks(folder: Path, **cells: str) -> list[execution.Task]:
    """A chapter of one cell for each name."""
    for name, code in cells.items():
        (folder / f"{name}.md").write_text(CHAPTER % code)
    return [
        execution.Task(folder / f"{name}.md", {"results": ""}, folder / "out" / f"{name}.ipynb")
        for name in cells
    ]


@pytest.mark.parametrize("processes", [1, 2])
def test_chapters_are_reported_in_order_and_failures_after_all_are_done(tmp_path, processes):
    done, said = [], []
    first = "import time; time.sleep(1)" if processes > 1 else "2"  # the others end before it
    with pytest.raises(MeaningsError) as caught:
        execution.execute_all(
            tasks(tmp_path, a=first, b="1 / 0", c="3", d="{}['x']"),
            tmp_path,
            done.append,
            said.append,
            processes,
        )
    message = str(caught.value)
    assert "\n" not in message and message.startswith("2 chapters failed: (1) chapter b: ")
    assert "ZeroDivisionError" in message and "(2) chapter d: " in message
    assert done == [0, 2] and said == [
        "executing a, b, c, d",
        "executed a (1 of 4)",
        "executed c (3 of 4)",
    ]
    assert sorted(file.stem for file in (tmp_path / "out").iterdir()) == ["a", "c"]


def test_the_log_of_a_failed_chapter_is_kept_and_named_until_it_succeeds(tmp_path):
    code = "import os; os.write(2, b'heard from below\\n'); 1 / 0"
    log = tmp_path / "_build" / "logs" / "a.log"
    with pytest.raises(MeaningsError, match=r"logs/a\.log"):
        execution.execute_all(tasks(tmp_path, a=code), tmp_path, list, list)
    text = log.read_text()
    assert "Traceback" in text and "1 / 0" in text and "\x1b" not in text
    execution.execute_all(tasks(tmp_path, a="1"), tmp_path, lambda number: None, list)
    assert not log.exists()
