"""Rows of claims kept on disk, so that the pages of one book decide each claim once.

Only where the environment variable `MEANINGS_CLAIMS` names a folder, as it does while pages run. A
file's name has a hash of all that decides its rows: the data but for weights, the library, and the
packages that compute. A change of any of them decides anew.
"""

import json
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from meanings.core.atomic_files import atomic_file
from meanings.core.hashing import content_hash
from meanings.core.paths import data_folder, library_files

FOLDER = "MEANINGS_CLAIMS"
DATA = (".parquet", ".csv", ".yaml", ".json")
PACKAGES = ("numpy", "pandas", "pyarrow", "scipy", "scikit-learn")

Row = dict[str, Any]


def read(chapter: str) -> list[Row] | None:
    """The rows that were kept of a chapter, or None."""
    path = _path(chapter)
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path else None
    except (FileNotFoundError, ValueError):  # none yet, or a file that somebody broke
        return None


def keep(chapter: str, rows: list[Row]) -> list[Row]:
    """These rows, kept in place of a chapter's older ones where a folder is named."""
    if path := _path(chapter):
        with atomic_file(path) as aside:
            aside.write_text(json.dumps(rows), encoding="utf-8")
        for older in path.parent.glob(f"{chapter}-*.json"):
            if older != path:
                older.unlink(missing_ok=True)
    return rows


def _path(chapter: str) -> Path | None:
    folder = os.environ.get(FOLDER)
    return Path(folder) / f"{chapter}-{_decided_by(data_folder())[:16]}.json" if folder else None


@cache
def _decided_by(folder: Path) -> str:
    data = sorted(file for file in folder.rglob("*") if file.suffix in DATA)
    names = [str(file.relative_to(folder)) for file in data]
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    return content_hash(names, packages, *data, *library_files())
