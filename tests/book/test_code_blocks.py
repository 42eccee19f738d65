"""What the README and the pages tell a reader to type works: Python runs or its names are there,
YAML and JSON load through the types that read them, commands and their options exist.
"""

import ast
import importlib
import inspect
import json
import re
import shlex
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

from bench.__main__ import main as bench
from meanings.book.chapters import chapter_class, from_text
from meanings.cli.main import app
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.core.yaml_files import validated
from meanings.lexicon.languages import parse_pair
from meanings.measures.cell_files import write_cell
from meanings.measures.patching_settings import DEFAULT_PAIRS
from meanings.miniature.worlds import load_world, world_names
from meanings.models.registry import registry
from meanings.models.trajectories import read_trajectory
from meanings.patching.conditions import CONDITIONS, CONTROLS
from meanings.study.grid import read_grid
from meanings.study.slurm import read_slurm
from stand_ins.cells import CELL, rows

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "book").glob("*.md"))]


class Block(NamedTuple):
    """A fenced block: its file, the line on which it begins, its kind and its text."""

    file: Path
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.name}:{self.line}"


def blocks_of(file: Path) -> list[Block]:
    text = file.read_text(encoding="utf-8")
    return [
        Block(file, text[: found.start()].count("\n") + 1, found[1].strip(), found[2])
        for found in re.finditer(r"^```(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE)
    ]


BLOCKS = [block for file in PAGES for block in blocks_of(file)]
PROSE = ("", "{admonition} Takeaway", "{glossary}", "{bibliography}")


def of_kind(*kinds: str) -> list[Block]:
    return [block for block in BLOCKS if block.kind in kinds]


def test_every_block_is_of_a_kind_that_is_tested():
    tested = ("bash", "yaml", "json", "python", "{code-cell} python", *PROSE)
    assert not [f"{block}: {block.kind}" for block in BLOCKS if block.kind not in tested]
    assert all(of_kind(kind) for kind in tested)
    fences = sum(len(re.findall("^```", file.read_text("utf-8"), re.M)) for file in PAGES)
    assert fences == 2 * len(BLOCKS)


# --- Python -------------------------------------------------------------------------------------


def section_of(block: Block) -> str:
    """The heading above a block."""
    above = block.file.read_text(encoding="utf-8").splitlines()[: block.line]
    return next((line for line in reversed(above) if line.startswith("## ")), "")


# Python "At scale" reads what the commands before it publish: `study/test_at_scale.py` runs both.
HERE = [block for block in of_kind("python") if section_of(block) != "## At scale"]


@pytest.mark.parametrize("block", HERE, ids=str)
def test_python_to_copy_runs_where_results_are(block, tmp_path, monkeypatch):
    write_cell(tmp_path / "_build" / "results", CELL, rows(), {"seconds": 1})
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    *before, last = ast.parse(block.text).body
    exec(compile(ast.Module(before, []), str(block), "exec"), found)
    shown = eval(compile(ast.Expression(last.value), str(block), "eval"), found)
    assert len(shown) and shown["mean"].between(0, 1).all()


def cells_of(file: Path) -> str:
    return "\n".join(
        re.sub(r"^:\w+:.*$", "", block.text, flags=re.M)
        for block in blocks_of(file)
        if block.kind == "{code-cell} python"
    )


@pytest.mark.parametrize("file", [file for file in PAGES if cells_of(file)], ids=lambda f: f.name)
def test_names_in_the_cells_of_a_page_are_there(file):
    tree = ast.parse(cells_of(file))
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
                known[alias.asname or alias.name] = getattr(module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name] = importlib.import_module(alias.name)
    modules = {name: value for name, value in known.items() if inspect.ismodule(value)}
    missing = [
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
        and not hasattr(modules[node.value.id], node.attr)
    ]
    assert known and not missing


# --- YAML and JSON ------------------------------------------------------------------------------


def read_models(file: Path) -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEANINGS_MODELS", str(file))
        return registry()


def read_world(file: Path) -> list:
    """The worlds of a block, put under those that ship."""
    recipe, own = data_folder() / "miniature", file.parent / "recipe"
    own.mkdir()
    (own / "mix.yaml").symlink_to(recipe / "mix.yaml")
    added = textwrap.indent(file.read_text(encoding="utf-8"), "  ")
    text = (recipe / "worlds.yaml").read_text(encoding="utf-8") + added
    (own / "worlds.yaml").write_text(text, encoding="utf-8")
    names = set(world_names(own)) - set(world_names(recipe))
    return [load_world(own, name) for name in names]


@pytest.mark.parametrize("block", of_kind("yaml"), ids=str)
def test_yaml_is_a_grid_models_a_cluster_or_a_world(block, tmp_path):
    (tmp_path / "it.yaml").write_text(block.text, encoding="utf-8")
    refusals = []
    for read in (read_grid, read_models, read_slurm, read_world):
        try:
            read(tmp_path / "it.yaml")
        except MeaningsError as refusal:
            refusals.append(str(refusal))
    assert len(refusals) == 3, refusals


def seen_in_examples(tmp_path: Path) -> dict[str, tuple[str, ...]]:
    """The seen languages of every model of a user's own that a page writes out."""
    found = {}
    shipped = registry()
    for block in of_kind("yaml"):
        (tmp_path / "it.yaml").write_text(block.text, encoding="utf-8")
        try:
            own = read_models(tmp_path / "it.yaml")
        except MeaningsError:
            continue
        found |= {name: entry.languages for name, entry in own.items() if name not in shipped}
    for block in of_kind("json"):
        content = json.loads(block.text)
        folder = tmp_path / str(block).replace(":", "-")
        for checkpoint in content["checkpoints"]:
            (folder / checkpoint["folder"]).mkdir(parents=True)
        (folder / "trajectory.json").write_text(block.text, encoding="utf-8")
        run = read_trajectory(folder / "trajectory.json")
        assert len(run.checkpoints) == len(content["checkpoints"])
        found[run.model] = run.seen
    return found


def test_the_models_that_pages_write_out_have_seen_enough_for_every_condition(tmp_path):
    found = seen_in_examples(tmp_path)
    assert set(found) == {"my-model", "my-other-model", "mine"}
    for name, seen in found.items():
        for pair in map(parse_pair, (*DEFAULT_PAIRS, "fr-es")):
            lacking = [
                each.name
                for each in (CONDITIONS | CONTROLS).values()
                if each.name != "self" and not each.source_pairs(pair, seen)
            ]
            assert not lacking, f"{name} {pair}"


# --- Commands -----------------------------------------------------------------------------------

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.M))


def lines_of(block: Block) -> list[str]:
    return [line for line in block.text.splitlines() if shlex.split(line, comments=True)]


LINES = [(block, line) for block in of_kind("bash") for line in lines_of(block)]
BENCH = typer.Typer()
BENCH.command(name="bench")(bench)
PROGRAMS = "(meanings|make|python -m bench)"
INLINE = sorted(
    {
        (file.name, " ".join(span.split()))
        for file in PAGES
        for span in re.findall(rf"(?<!`)`({PROGRAMS}(?: [^`]*)?)`(?!`)", file.read_text("utf-8"))
        for span in [span[0]]
    }
)


def check_make(words: list[str]) -> None:
    targets = [word for word in words if "=" not in word]
    variables = dict(word.split("=", 1) for word in words if "=" in word)
    assert targets and set(targets) <= TARGETS, targets
    assert all(f"$({name})" in MAKEFILE for name in variables), variables
    if "PARAMS" in variables and targets == ["chapter"]:
        check_parameters(variables["NAME"], variables["PARAMS"].split())


def check_parameters(name: str, assignments: list[str]) -> None:
    kind = chapter_class(name)
    values = dict(assignment.split("=", 1) for assignment in assignments)
    assert set(values) <= set(kind.model_fields), values
    typed = {
        key: from_text(name, key, text, kind.model_fields[key].annotation)
        for key, text in values.items()
    }
    validated(kind, typed, f"chapter {name}: ")


def check_command(command, words: list[str], whole: bool) -> None:
    """The command and its options are there, and in its help; `whole`: it could be run as it is."""
    name = command.name
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{name} has no command {words[0]!r}"
        command, *words = command.commands[words[0]], *words[1:]
        name = f"{name} {command.name}"
    assert not command.hidden, name
    options = {option: each for each in command.params for option in each.opts if "-" in option}
    for word in words:
        if word.startswith("--") and word != "--help":
            assert word in options and not options[word].hidden, f"{name} has no option {word}"
    if whole:
        command.make_context(name, list(words))
        if name.endswith(" chapter"):
            check_parameters(words[0], [word for word in words[1:] if "=" in word])


def check_openssl(words: list[str]) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    said = subprocess.run(["openssl", words[0], "-help"], capture_output=True, text=True)
    for word in words[1:]:
        if word.startswith("-"):
            assert re.search(rf"^ {word}\b", said.stderr + said.stdout, re.M), word


def check_line(line: str, whole: bool) -> None:
    program, *words = shlex.split(line, comments=True)
    if program == "make":
        check_make(words)
    elif program.removeprefix(".venv/bin/") == "meanings":
        check_command(typer.main.get_command(app), words, whole and bool(words))
    elif [program, *words[:2]] == ["python", "-m", "bench"]:
        check_command(typer.main.get_command(BENCH), words[2:], whole)
    elif program == "openssl":
        check_openssl(words)
    else:
        pytest.fail(f"{program!r} is no program that is checked here")


@pytest.mark.parametrize(("block", "line"), LINES, ids=lambda part: str(part)[:60])
def test_a_command_to_copy_can_be_run(block, line):
    check_line(line, whole=True)


@pytest.mark.parametrize(("page", "span"), INLINE, ids=lambda part: part[:60])
def test_a_command_in_a_sentence_is_there(page, span):
    *path, _ = words = span.split(" | ")[0].split(" ")
    for other in span.split(" | ")[1:]:  # `meanings annotate export | import`
        check_line(" ".join([*path, other]), whole=False)
    check_line(" ".join(words), whole=False)


def options_of(command) -> set[str]:
    """The options that the help of a command, or of the commands in it, shows."""
    own = {option for each in command.params if not each.hidden for option in each.opts}
    return own.union(*map(options_of, getattr(command, "commands", {}).values()))


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_an_option_in_a_sentence_is_one_of_some_command(file):
    commands = [typer.main.get_command(app), typer.main.get_command(BENCH)]
    known = {"--help"}.union(*map(options_of, commands))
    spans = re.findall(r"(?<!`)`(--[a-z-]+)[^`]*`(?!`)", file.read_text(encoding="utf-8"))
    assert not set(spans) - known


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("meanings studdy", "no command 'studdy'"),
        ("meanings study --dry", "no option --dry"),
        ("meanings reach miniature", "reach"),
        ("make chapters", "chapters"),
        ("make chapter NAEM=emergence", "NAEM"),
        ('make chapter NAME=emergence PARAMS="pairs=fr-es"', "pairs"),
        ('make chapter NAME=emergence PARAMS="n_pairs=2"', "n_pairs=2 is refused"),
        ("python -m bench --onyl sweep", "no option --onyl"),
        ("meanings export", "Missing parameter: folder"),
        ("rm -rf _build", "is no program that is checked"),
    ],
)
def test_a_wrong_command_is_found(line, message):
    with pytest.raises(BaseException, match=message):
        check_line(line, whole=True)
