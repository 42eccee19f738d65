"""The house: rooms import only from rooms above them, and what needs no model loads none."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "lib" / "meanings"
ROOMS = (
    "core",
    "lexicon",
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
    "study.budget": ("torch", "matplotlib"),
    "statistics": ("torch", "transformers", "matplotlib"),
    "labels": ("torch", "transformers", "matplotlib"),
    "miniature.report": ("torch", "transformers", "matplotlib"),
    "book.chapters": ("torch", "transformers", "matplotlib"),
    "book.pages": ("torch", "transformers", "matplotlib"),
    "book.figures": ("torch", "transformers"),
    "book.tables": ("torch", "transformers", "matplotlib"),
    "cli": ("torch", "transformers", "matplotlib", "pandas"),
}


def modules_of(name: str) -> list[str]:
    """A module, or all modules of a package."""
    place = LIBRARY.joinpath(*name.split("."))
    if not place.is_dir():
        return [f"meanings.{name}"]
    files = sorted(place.rglob("*.py"))
    return [
        ".".join(("meanings", *file.relative_to(LIBRARY).with_suffix("").parts)) for file in files
    ]


@pytest.mark.parametrize("name", LIGHT)
def test_a_light_room_loads_neither_torch_nor_matplotlib(name):
    code = f"import sys\nfor name in {modules_of(name)!r}: __import__(name.removesuffix('.__init__'))\n"
    code += f"print([heavy for heavy in {LIGHT[name]!r} if heavy in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
