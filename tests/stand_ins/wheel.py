"""The wheel, built once from a copy of the checkout without weights and unpacked into a folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
WITHOUT = shutil.ignore_patterns("*.safetensors", "__pycache__", "*.egg-info", "gemma-3-270m")


def copied(folder: Path) -> Path:
    """The checkout's sources and data without weights, but for a stand-in of what must stay out."""
    folder.mkdir()
    for name in SOURCES:
        shutil.copy(ROOT / name, folder / name)
    for name in ("lib", "data", "book/parameters"):
        shutil.copytree(ROOT / name, folder / name, ignore=WITHOUT)
    for name in ("gemma-3-270m/seed-0", "miniature/seed-0/step-000000"):
        (folder / "data" / name).mkdir(parents=True, exist_ok=True)
        (folder / "data" / name / "model.safetensors").write_text("weights")
    return folder


def installed(folder: Path) -> Path:
    """`folder/target`, into which the wheel was installed without its dependencies."""
    source, dist, target = copied(folder / "source"), folder / "dist", folder / "target"
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-index"]
    _done([*pip, "wheel", "--no-build-isolation", *alone, "-w", str(dist), str(source)])
    (wheel,) = dist.glob("*.whl")
    _done([*pip, "install", *alone, "--no-compile", "--target", str(target), str(wheel)])
    shutil.rmtree(source)
    return target


def _done(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr


def environment(target: Path) -> dict[str, str]:
    """The environment of a process that knows the package from `target` only."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEANINGS")}
    return kept | {"PYTHONPATH": str(target), "PYTHONWARNINGS": "ignore"}


def run(target: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Python with these arguments in a folder, which knows the package from `target` only."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(target),
        capture_output=True,
        text=True,
    )
