"""What CONTRIBUTING.md adds works: its lines go into a copy of the library, its commands run."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from meanings.measures.cell_files import finished
from stand_ins.commands import run_all
from stand_ins.study_data import STEPS, make_world

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```(\w+)\n((?:.*\n)*?)```$", (ROOT / "CONTRIBUTING.md").read_text(), re.M)


def with_lines(source: str, where: str, lines: str) -> str:
    """A module with lines added to the tuple from which `NAME` is made (`in NAME`), or imports."""
    body = ast.parse(source).body
    if where == "imports":
        first = next(node for node in body if getattr(node, "module", "") not in ("", "__future__"))
        place = first.lineno - 1
    else:
        name = where.removeprefix("in ")
        (made,) = (n for n in body if isinstance(n, ast.AnnAssign) and n.target.id == name)
        place = (
            max(
                (node for node in ast.walk(made.value) if isinstance(node, ast.Tuple)),
                key=lambda node: len(node.elts),
            )
            .elts[-1]
            .end_lineno
        )
    kept = source.splitlines(keepends=True)
    return "".join([*kept[:place], lines, *kept[place:]])


def write(folder: Path, text: str) -> Path:
    """Write a block where its first line says."""
    head, lines = text.split("\n", 1)
    file, _, where = head.removeprefix("# ").partition(", ")
    path = folder / file
    assert path.is_file() == bool(where), head
    path.write_text(with_lines(path.read_text(), where, lines) if where else lines)
    return path


def environment(folder: Path) -> dict[str, str]:
    """The environment of a process that knows the library to which the lines were added."""
    return os.environ | {"PYTHONPATH": str(folder / "lib"), "MEANINGS_DATA": str(folder / "data")}


def check(folder: Path, code: str) -> str:
    """What some Python prints where the lines were added."""
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """A copy of the library and a small world, with all that CONTRIBUTING.md adds."""
    folder = tmp_path_factory.mktemp("changed")
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "lib", folder / "lib", ignore=unwanted)
    run = make_world(folder / "data") / "miniature" / "seed-0"
    for step in STEPS:
        shutil.copytree(run / f"step-{step:06}", folder / "checkpoints" / f"step_{step}")
        shutil.copytree(
            run / "tokenizer", folder / "checkpoints" / f"step_{step}", dirs_exist_ok=True
        )
    for kind, text in BLOCKS:
        if kind != "bash":
            write(folder, text)
    return folder


def test_the_commands_run_and_know_what_was_added(changed):
    (commands,) = (text.splitlines() for kind, text in BLOCKS if kind == "bash")
    words = [line.split()[1:] for line in commands]
    measures, checkpoints, study = said = run_all(words, changed, environment(changed))
    assert [each.code for each in said] == [0, 0, 0], said
    assert "\ncentroids\n" in measures.out and "two languages lie in one place" in measures.out
    assert "3 checkpoints" in checkpoints.out
    assert "6 cells in _build/results, 6 of them new" in study.out
    assert len(finished(changed / "_build" / "results")) == 6


def test_a_language_and_its_words_are_read(changed):
    code = (
        "from meanings.lexicon.languages import language, parse_pair\n"
        "from meanings.lexicon.lexicon import load_lexicon\n"
        "words = load_lexicon('words.csv').words('cat', 'nl')\n"
        "print(language('nl').native, parse_pair('en-nl'), words)"
    )
    assert check(changed, code) == "Nederlands en-nl ('kat', 'poes')\n"


def test_what_is_added_takes_few_lines():
    added = [text for kind, text in BLOCKS if kind == "python" and ", in " in text.split("\n")[0]]
    assert len(added) == 3 and all(len(text.splitlines()) <= 13 for text in added)
