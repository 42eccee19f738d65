"""What a new user meets first: `meanings` alone, and what the tab key completes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from meanings.book.chapter_parameters import CHAPTERS
from meanings.cli import completion, main, progress
from meanings.core.paths import data_folder
from meanings.models.registry import registry

LIBRARY = Path(__file__).parents[2] / "lib"


def command_line(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "meanings.cli.main", *words],
        env=os.environ | {"PYTHONPATH": str(LIBRARY), "COLUMNS": "120"} | environment,
        capture_output=True,
        text=True,
    )


def completed(*words: str, folder: Path = Path()) -> list[str]:
    """What bash is offered for the last of these words."""
    said = subprocess.run(
        [sys.executable, "-c", "from meanings.cli.main import app; app(prog_name='meanings')"],
        env=os.environ
        | {
            "PYTHONPATH": str(LIBRARY),
            "_MEANINGS_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(("meanings", *words)),
            "COMP_CWORD": str(len(words)),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.split()


def test_the_command_alone_shows_the_five_that_matter_and_how_to_see_the_rest(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["meanings"])
    with pytest.raises(SystemExit) as end:
        main.main()
    said = capsys.readouterr()
    shown = [line.split()[1] for line in said.out.splitlines() if line.startswith("  meanings ")]
    assert (end.value.code, said.err) == (0, "")
    assert shown == ["book", "chapter", "study", "models", "export"]
    assert set(shown) <= set(get_command(main.app).commands)
    assert "meanings --help" in said.out and "--install-completion" in said.out
    assert all(len(line) <= 96 for line in said.out.splitlines())


def test_an_error_ends_with_a_code_that_is_not_zero_and_one_line():
    said = command_line("chapter", "emergense")
    assert said.returncode == 2 and said.stdout == "" and said.stderr.count("\n") == 1
    assert "choose one of method, emergence" in said.stderr


def test_completion_can_be_installed():
    # Named here: which shell started the tests is not known.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    assert "complete_bash" in command_line("--show-completion", "bash", **named).stdout


def test_the_tab_key_completes_what_is_there(tmp_path):
    (tmp_path / "mine.csv").touch()
    (tmp_path / "models.yaml").write_text("my-model: {like: minilingua-1b}\n")
    assert completed("chapter", "e") == ["emergence", "error_analysis"]
    assert completed("checkpoints", "mi", folder=tmp_path) == ["miniature", "minilingua-1b"]
    assert completed("checkpoints", "my", folder=tmp_path) == ["my-model"]
    assert completed("study", "--lexicon", "", folder=tmp_path) == ["embedded", "mine.csv"]
    assert "miniature" in completed("export", "--published", "m")


def test_a_broken_file_of_models_completes_nothing_and_says_nothing(tmp_path):
    (tmp_path / "models.yaml").write_text("a: [")
    assert completed("checkpoints", "m", folder=tmp_path) == []


def test_what_is_completed_is_what_the_commands_know(monkeypatch):
    assert list(CHAPTERS) == list(completion.CHAPTERS)
    assert set(completion.models("")) - {"miniature"} == set(registry())
    assert set(completion.tables("")) == {
        file.stem for file in (data_folder() / "published").glob("*.parquet")
    }


@pytest.mark.parametrize(
    ("terminal", "quiet", "shown"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_a_command_at_work_says_so_on_a_terminal_only(monkeypatch, terminal, quiet, shown):
    lines = []

    class Line:
        def __init__(self, text, shown):
            self.text, self.shown = text, shown

        def __enter__(self):
            lines.append((self.text(), self.shown))

        def __exit__(self, *error):
            lines.append((self.text(), self.shown))

    monkeypatch.setattr(progress, "StatusLine", Line)
    monkeypatch.setattr(progress, "on_terminal", lambda: terminal)
    with progress.working("claims", quiet) as report:
        report("decided", 3, 7)
    (before, _), (after, seen) = lines
    assert before.startswith("claims, ") and after.startswith("claims: decided 3 of 7, ")
    assert after.endswith(" s") and seen == shown
