"""The pins, the conda file, the package's own ranges and the commands in the README agree."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stand_ins.slow_tests import SLOW

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKE = shutil.which("make")
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
        "slides",
        "test",
        "test-pages",
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
    assert len(said.splitlines()) == 16 and "make chapter" in said


@pytest.mark.parametrize("name", SLOW)
def test_what_is_left_out_of_the_fast_tests_is_there(name):
    file, _, test = name.partition("::")
    place = ROOT / "tests" / file
    assert place.exists() and (not test or f"def {test}" in place.read_text())


def on_machine(folder: Path, system: str, gpu: bool, python: str = "python3") -> dict[str, str]:
    """The environment of a machine of this system, with an NVIDIA driver or without, where Python
    has this name.
    """
    programs = folder / f"{system}-{gpu}"
    programs.mkdir(exist_ok=True)
    for name in ("uname", "nvidia-smi") if gpu else ("uname",):
        (programs / name).write_text(f"#!/bin/sh\necho {system}\n")
        (programs / name).chmod(0o755)
    for name in ("sh", "grep", "echo", "test", "touch"):
        (programs / name).unlink(missing_ok=True)
        (programs / name).symlink_to(shutil.which(name))
    if python:
        (programs / python).unlink(missing_ok=True)
        (programs / python).symlink_to(sys.executable)
    # Run by `make test TORCH=cpu`, this make would else have it too.
    kept = {name: value for name, value in os.environ.items() if name not in MAKES}
    return kept | {"PATH": str(programs)}


def setup_commands(
    folder: Path,
    *variables: str,
    system: str = "Linux",
    gpu: bool = False,
    python: str = "python3",
) -> subprocess.CompletedProcess[str]:
    """What `make setup` would do in a new environment."""
    return subprocess.run(
        [MAKE, "--no-print-directory", "-n", "setup", f"VENV={folder / 'new'}", *variables],
        cwd=ROOT,
        env=on_machine(folder, system, gpu, python),
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("asked", "system", "gpu", "cpu"),
    [
        ((), "Linux", False, True),
        ((), "Linux", True, False),
        ((), "Darwin", False, False),
        (("TORCH=cpu",), "Linux", True, True),
        (("TORCH=pypi",), "Linux", False, False),
    ],
)
def test_a_linux_machine_without_a_gpu_is_spared_cuda(tmp_path, pip, asked, system, gpu, cpu):
    said = setup_commands(tmp_path, *asked, system=system, gpu=gpu).stdout.splitlines()
    lines = [line for line in said if "pip install" in line]
    first = "--no-deps --timeout 10 --retries 1 --index-url https://download.pytorch.org/whl/cpu "
    assert len(lines) == 2 + cpu and "-r requirements.txt" in lines[cpu]
    assert cpu == (f"{first}torch=={pip['torch']}" in lines[0])
    # Who asks for the CPU build gets it or an error; who asks for nothing gets PyPI's instead.
    assert ("|| echo" in lines[0]) == (cpu and not asked)
    assert Requirement(f"torch=={pip['torch']}").specifier.contains(f"{pip['torch']}+cpu")


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3", "python"])
def test_python_is_found_under_any_of_its_names(tmp_path, name):
    said = setup_commands(tmp_path, python=name).stdout
    assert re.search(rf"/{re.escape(name)} -m venv ", said)


def test_where_there_is_no_python_one_line_says_what_to_install(tmp_path):
    made = subprocess.run(
        [MAKE, "--no-print-directory", "-s", "setup", f"VENV={tmp_path / 'new'}"],
        cwd=ROOT,
        env=on_machine(tmp_path, "Linux", False, python=""),
        capture_output=True,
        text=True,
    )
    assert made.returncode and made.stderr.startswith("no Python is found: install Python 3.11")


@pytest.mark.parametrize(
    ("version", "refused"),
    [((3, 10), True), ((3, 11), False), ((3, 12), False), ((3, 13), False), ((3, 14), True)],
)
def test_a_python_that_the_pins_do_not_fit_is_refused_in_one_line(tmp_path, version, refused):
    said = setup_commands(tmp_path).stdout
    code = re.search(r"-c '(import sys; .*)'", said)[1]
    code = code.replace("sys.version_info[:2]", repr(version))
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == refused and ran.stderr.count("\n") == refused
    assert not refused or "make setup PYTHON=python3.11" in ran.stderr


def test_an_unknown_build_of_torch_is_refused(tmp_path):
    wrong = setup_commands(tmp_path, "TORCH=cuda")
    assert wrong.returncode and "TORCH=cuda: expected auto, cpu, or pypi" in wrong.stderr


@pytest.mark.parametrize("asked", [(), ("TORCH=cpu",)])
def test_where_there_are_no_cpu_builds_pypis_is_installed_and_one_line_says_so(tmp_path, asked):
    calls, programs = tmp_path / "calls", tmp_path / "new" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").write_text(
        f'#!/bin/sh\necho "$*" >> {calls}\n'
        'case "$*" in *download.pytorch.org*) echo "ERROR: none" >&2; exit 1;; esac\n'
    )
    (programs / "python").chmod(0o755)
    made = subprocess.run(
        [MAKE, "--no-print-directory", "-s", "setup", f"VENV={tmp_path / 'new'}", *asked],
        cwd=ROOT,
        env=on_machine(tmp_path, "Linux", False),
        capture_output=True,
        text=True,
    )
    installed = "-r requirements.txt" in calls.read_text()
    if asked:
        assert made.returncode and "ERROR: none" in made.stderr and not installed
    else:
        assert made.returncode == 0 and installed and made.stderr.count("\n") == 1
        assert "PyPI's build is installed" in made.stderr


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


def test_what_says_how_to_cite_names_the_same_version_licence_and_paper():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    meta = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0" and cited["title"].startswith(meta["name"])
    assert cited["version"] == meta["version"] == PROJECT["version"]
    assert cited["license"] == PROJECT["license"] == meta["license"].rpartition("/")[2]
    assert meta["description"] == PROJECT["description"] and meta["identifier"] == PROJECT["name"]
    assert [who["name"] for who in cited["authors"]] == [who["name"] for who in meta["author"]]
    assert cited["references"][0]["title"] == meta["referencePublication"]["name"]
    required = {Requirement(text).name for text in PROJECT["dependencies"]}
    assert set(meta["softwareRequirements"]) <= required
    assert meta["programmingLanguage"]["version"] == PROJECT["requires-python"]


def test_the_package_is_built_and_published_beside_the_pages():
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "-m build --no-isolation" in checks and "_build/html/downloads" in checks
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text())["jobs"]
    commands = "\n".join(step.get("run", "") for job in jobs.values() for step in job["steps"])
    assert "MEANINGS_SITE=" in commands and "MEANINGS_NOTEBOOKS=" in commands
    only_main = "github.ref == 'refs/heads/main' && github.event_name == 'push'"
    assert jobs["publish"]["if"] == jobs["notebooks"]["if"] == only_main
