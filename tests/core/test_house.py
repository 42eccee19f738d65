"""The house: rooms import only from rooms above them, what needs no model loads none, and what is
public is short and explained.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from stand_ins.fresh_imports import loaded_by

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "lib" / "meanings"
ROOMS = (
    "core",
    "lexicon",
    "corpora",
    "models",
    "prompts",
    "patching",
    "measures",
    "study",
    "statistics",
    "labels",
    "miniature",
    "validity",
    "book",
    "cli",
)


def imports_of(file: Path) -> set[str]:
    """Rooms of the library that a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "meanings":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {
                parts[1]
                for alias in node.names
                if (parts := alias.name.split("."))[0] == "meanings" and len(parts) > 1
            }
    return found


def test_the_rooms_are_those_of_the_map():
    there = {path.name for path in LIBRARY.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert there == set(ROOMS)
    assert [path.name for path in LIBRARY.glob("*.py")] == ["__init__.py"]
    listed = (LIBRARY / "__init__.py").read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in listed if line.startswith("    ")] == list(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_rooms_above_it(room):
    above = set(ROOMS[: ROOMS.index(room) + 1])
    climbs = [
        f"{file.relative_to(LIBRARY)} imports {other}"
        for file in sorted((LIBRARY / room).rglob("*.py"))
        for other in sorted(imports_of(file) - above)
    ]
    assert not climbs


def test_nothing_but_the_command_line_imports_the_book():
    others = [
        file
        for file in LIBRARY.rglob("*.py")
        if file.relative_to(LIBRARY).parts[0] not in ("book", "cli")
    ]
    assert not [file for file in others if "book" in imports_of(file)]


# What a fresh process may not have loaded after importing these modules.
LIGHT = {
    "core": ("torch", "transformers", "matplotlib", "pandas"),
    "lexicon": ("torch", "transformers", "matplotlib"),
    "models.registry": ("torch", "transformers", "matplotlib"),
    "models.checkpoints": ("torch", "transformers", "matplotlib"),
    "patching.conditions": ("torch", "transformers", "matplotlib"),
    "measures": ("torch", "transformers", "matplotlib"),
    "study.grid": ("torch", "transformers", "matplotlib"),
    "study.plan": ("torch", "transformers", "matplotlib"),
    "study.run": ("torch", "transformers", "matplotlib"),
    "study.estimate": ("torch", "transformers", "matplotlib"),
    "study.publish": ("torch", "transformers", "matplotlib"),
    "study.export": ("torch", "transformers", "matplotlib"),
    "study.budget": ("torch", "transformers", "matplotlib"),
    "study.budget_report": ("torch", "transformers", "matplotlib"),
    "statistics": ("torch", "transformers", "matplotlib"),
    "labels": ("torch", "transformers", "matplotlib"),
    "miniature.report": ("torch", "transformers", "matplotlib"),
    "validity.claims": ("torch", "transformers", "matplotlib"),
    "book.chapters": ("torch", "transformers", "matplotlib"),
    "book.pages": ("torch", "transformers", "matplotlib"),
    "book.figures": ("torch", "transformers"),
    "book.tables": ("torch", "transformers", "matplotlib"),
    "cli": ("torch", "transformers", "matplotlib", "pandas", "numpy"),
}


def modules_of(name: str) -> list[str]:
    """A module, or all modules of a package."""
    place = LIBRARY.joinpath(*name.split("."))
    if not place.is_dir():
        return [f"meanings.{name}"]
    files = sorted(place.rglob("*.py"))
    return [
        ".".join(("meanings", *file.relative_to(LIBRARY).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        for file in files
    ]


# What most of them load, and none is forbidden that is forbidden no `pandas`.
SHARED = (
    "numpy", "pandas", "pyarrow.parquet", "pydantic", "scipy.stats", "meanings.measures.results",
    "meanings.study.plan",
)  # fmt: skip


@pytest.fixture(scope="module")
def loaded():
    """The packages that a process has loaded after importing each of these modules."""
    found = {}
    for shared in ((), SHARED):
        codes = {
            name: "\n".join(f"import {module}" for module in modules_of(name))
            for name, heavy in LIGHT.items()
            if ("pandas" in heavy) == (not shared)
        }
        found |= loaded_by(codes, shared)
    return found


@pytest.mark.parametrize("name", LIGHT)
def test_a_light_room_loads_neither_torch_nor_matplotlib(loaded, name):
    assert "meanings" in loaded[name] and not loaded[name] & set(LIGHT[name])


FILES = sorted(LIBRARY.rglob("*.py"))
LONGEST = 60  # lines of a function
LONGEST_MODULE = 300  # lines
MOST_ARGUMENTS = 8  # by position, in one call


@cache
def trees() -> dict[Path, ast.Module]:
    """The library's modules, parsed."""
    return {file: ast.parse(file.read_text("utf-8")) for file in FILES}


def place(file: Path, node: ast.AST) -> str:
    return f"{file.relative_to(LIBRARY)}:{node.lineno} {getattr(node, 'name', '')}".rstrip()


def public(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Classes and functions without an underscore, and the methods of those classes."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name[0] != "_":
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def test_what_is_public_says_what_it_is():
    silent = []
    for file, tree in trees().items():
        if not ast.get_docstring(tree):
            silent.append(str(file.relative_to(LIBRARY)))
        silent += [place(file, node) for node in public(tree.body) if not ast.get_docstring(node)]
    assert not silent


def test_no_function_is_long():
    nodes = [(file, node) for file, tree in trees().items() for node in ast.walk(tree)]
    assert not [
        place(file, node)
        for file, node in nodes
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= LONGEST
    ]


def test_no_module_is_long():
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert not [
        f"{file.relative_to(LIBRARY)}: {length} lines"
        for file, length in lengths.items()
        if length > LONGEST_MODULE
    ]


def test_no_call_has_many_arguments_by_position():
    nodes = [(file, node) for file, tree in trees().items() for node in ast.walk(tree)]
    assert not [
        place(file, node)
        for file, node in nodes
        if isinstance(node, ast.Call) and len(node.args) > MOST_ARGUMENTS
    ]


def test_the_folders_of_tests_are_the_rooms():
    tests = ROOT / "tests"
    there = {
        folder.name for folder in tests.iterdir() if folder.is_dir() and list(folder.glob("*.py"))
    }
    assert there == {*ROOMS, "bench", "pages", "stand_ins"}
    assert [file.name for file in tests.glob("*.py")] == ["conftest.py"]
    assert not list(tests.glob("*/*/*.py"))


# Words with which a message says what to do, or what is allowed.
CURES = re.compile(
    r"; |: (?:write|point|register|install|publish|convert|measure)\b|allowed|expected|choose"
    r"|run '|ask for|\b(?:use|give|add|leave|name|take|correct)\b|known codes are|there are"
    r"|it has|its steps are|is trained on|or more|at least|is needed|must|runs? from|counted from"
    r"|be asked for once|models.yaml write|the first may be any|by commas"
)
# What is quoted says it: `{error}` and its like.
QUOTED = re.compile(r"\{[^{}]*(?:error|cure|message|failure|flaw|said|bad|listed|FORM|refusal)")


def test_an_error_says_how_to_mend_it():
    silent = []
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "MeaningsError":
                said = ast.unparse(node.args[0])
                if not isinstance(node.args[0], ast.JoinedStr | ast.Constant):
                    continue
                if not CURES.search(said) and not QUOTED.search(said):
                    silent.append(f"{place(file, node)}: {said}")
    assert not silent
