"""Exercises that check themselves: right answers, typical mistakes, what is no answer, and the
solutions that pages show.
"""

import ast
import builtins
import re
from functools import cache
from pathlib import Path
from textwrap import dedent

import jupytext
import pytest

from meanings.book import staging
from meanings.book.exercises import Exercise, check
from meanings.book.facts import language_dependence
from meanings.book.solutions import EXERCISES
from meanings.book.solutions.tables import table
from meanings.book.tables import real_model
from meanings.core.errors import MeaningsError

ROOT = Path(__file__).parents[2]
TEXTS = {
    name: (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8") for name in staging.pages(ROOT)
}
CHAPTERS = [name for name, text in TEXTS.items() if "\n## Exercises\n" in text]
ASKED = r'^check\("([a-z-]+)", your_answer\)$'


@pytest.fixture(scope="module", autouse=True)
def read_once():
    """What takes seconds to read is read once, and no more of it than exercises need."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(real_model, "gemma", cache(real_model.gemma))
        patch.setattr(language_dependence, "tables", lambda: {"reading": table("reading")})
        yield


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answer_is_right_and_others_are_not(name):
    right = EXERCISES[name].solution()
    assert check(name, right) == "Right."
    if isinstance(right, str):
        assert check(name, f" {right.upper()} ") == "Right."
        wrong = [f"not {right}", "", 3, None]
    else:
        wrong = [right + 2 * EXERCISES[name].tolerance + 0.01, right - 10, "one", True, None]
    assert all(check(name, answer).startswith("Not yet: ") for answer in wrong)
    assert repr(check(name, right)) == "Right."  # as a notebook shows it


@pytest.mark.parametrize("name", EXERCISES)
def test_every_typical_mistake_is_told_from_the_others(name):
    """A mistake that gives the right answer, or that of another mistake, teaches nothing."""
    said = {hint: check(name, give()) for hint, give in EXERCISES[name].mistakes.items()}
    assert said and said == {hint: f"Not yet: {hint}" for hint in said}


def test_an_answer_is_held_against_the_solution_and_then_against_mistakes(monkeypatch):
    mistakes = {"too high.": lambda: 3.0, "too low.": lambda: 1.0}
    monkeypatch.setitem(EXERCISES, "two", Exercise(lambda: 2.0, mistakes, tolerance=0.1))
    monkeypatch.setitem(EXERCISES, "word", Exercise(lambda: "fi", {"no.": lambda: "sw"}))
    assert [check("two", x) for x in (2, 2.09, 1.95)] == ["Right."] * 3
    assert check("two", 3.05) == "Not yet: too high." and check("two", 1) == "Not yet: too low."
    assert check("two", 2.2) == check("word", "en") != check("two", 3)
    assert check("two", "2") == "Not yet: a number is expected, and this is of type str."
    assert check("word", 2) == "Not yet: a word is expected, and this is of type int."
    assert check("two", True) == "Not yet: a number is expected, and this is of type bool."
    assert check("word", " SW") == "Not yet: no."


def test_dots_are_no_answer_and_an_unknown_exercise_is_refused():
    assert check(next(iter(EXERCISES)), ...).startswith("No answer yet")
    with pytest.raises(MeaningsError, match="unknown exercise 'cka-tree'"):
        check("cka-tree", 1)


def test_every_exercise_is_asked_on_a_page():
    asked = [name for text in TEXTS.values() for name in re.findall(ASKED, text, re.M)]
    assert sorted(asked) == sorted(EXERCISES)


# --- The solutions that pages show ------------------------------------------------------------


def shown(page: str) -> list[str]:
    """The code in the solutions of a page's exercises, in their order."""
    exercises = TEXTS[page].partition("\n## Exercises\n")[2]
    found = re.findall(r"^   ```python\n(.*?)^   ```$", exercises, re.S | re.M)
    return [dedent(code) for code in found]


def names_in(code: ast.AST, kind: type) -> set[str]:
    """Names that code binds (`ast.Store`) or reads (`ast.Load`)."""
    found = {n.id for n in ast.walk(code) if isinstance(n, ast.Name) and isinstance(n.ctx, kind)}
    if kind is ast.Store:
        for node in ast.walk(code):
            if isinstance(node, ast.alias):
                found.add((node.asname or node.name).split(".")[0])
            elif isinstance(node, ast.FunctionDef):
                found.add(node.name)
    return found


def memory(page: str, codes: list[str]) -> dict:
    """What a page has in memory, as far as some code reads it: only the statements that lead to
    it are run.
    """
    cells = jupytext.reads(TEXTS[page], fmt="md:myst").cells
    statements = [
        statement
        for cell in cells
        if cell.cell_type == "code"
        for statement in ast.parse(cell.source).body
    ]
    wanted: set[int] = set()

    def want(code: ast.AST, before: int, own: set[str] = frozenset()) -> None:
        for name in names_in(code, ast.Load) - set(dir(builtins)) - own:
            binding = [i for i in range(before) if name in names_in(statements[i], ast.Store)]
            if binding and binding[-1] not in wanted:
                wanted.add(binding[-1])
                want(statements[binding[-1]], binding[-1])

    for code in codes:
        tree = ast.parse(code)
        want(tree, len(statements), names_in(tree, ast.Store))
    found: dict = {}
    tree = ast.Module([statements[i] for i in sorted(wanted)], [])
    exec(compile(tree, page, "exec"), found)
    return found


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_solution_that_a_page_shows_is_right(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    codes = shown(page)
    there = memory(page, codes) | {"check": check}
    named = []
    for code in codes:
        *before, last = ast.parse(code).body
        own = dict(there)
        exec(compile(ast.Module(before, []), page, "exec"), own)
        named.append(last.value.args[0].value)
        assert eval(compile(ast.Expression(last.value), page, "eval"), own) == "Right.", code
    assert named == re.findall(ASKED, TEXTS[page], re.M) and len(named) >= 3


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_code_of_a_solution_is_short_and_its_lines_fit(page):
    for code in shown(page):
        lines = [line for line in code.splitlines() if line.strip()]
        assert len(lines) <= 10 and max(map(len, lines)) <= 84, code
