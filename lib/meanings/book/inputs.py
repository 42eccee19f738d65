"""What a page is made of, as one hash: its text, its parameters, the library, and what it says that
it reads.

A page names in its front matter what it reads, so that a change of it, and of nothing else, makes
the page stale:

    reads: [results, data/lexicon/lexicon.csv, data/published/*.parquet]

`results` are the measured cells; `data/...` lies in the data folder, `book/...` in the project.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from meanings.core.errors import MeaningsError
from meanings.core.hashing import content_hash
from meanings.core.paths import data_folder, library_files

PACKAGES = (
    "meanings", "matplotlib", "seaborn", "pandas", "numpy", "scipy", "myst-nb", "sacrebleu",
    "torch", "transformers", "nnsight",
)  # fmt: skip


def declared(source: Path) -> tuple[str, ...]:
    """What a page says that it reads. Raises MeaningsError where it does not say so, or where an
    entry is neither `results` nor a path under `data/` or `book/`.
    """
    header = source.read_text(encoding="utf-8").removeprefix("---\n").split("\n---\n")[0]
    found = yaml.safe_load(header).get("reads")
    if not isinstance(found, list):
        raise MeaningsError(
            f"{source}: the page does not say what it reads: add 'reads: [results, data/...]' to "
            "its front matter, 'reads: []' for nothing"
        )
    for entry in found:
        if not re.fullmatch(r"results|(data|book)/\S+", str(entry)):
            raise MeaningsError(
                f"{source}: reads {entry!r}; expected 'results', or a path under data/ or book/"
            )
    return tuple(found)


def files(pattern: str, root: Path) -> list[Path]:
    """The files that a path stands for, which may have `*` in it, sorted."""
    place, _, rest = pattern.partition("/")
    folder = data_folder() if place == "data" else root / place
    return sorted(file for file in folder.glob(rest) if file.is_file())


def n_read(source: Path, root: Path) -> int:
    """How many files a page says that it reads."""
    return sum(len(files(entry, root)) for entry in declared(source) if entry != "results")


def page_hash(
    source: Path, parameters: Mapping[str, Any], root: Path, cells: Collection[str]
) -> str:
    """One hash of all that decides what the executed page shows.

    - `cells`: the keys of the measured cells, which are hashes of what was asked.

    Other files count by name and content. A parameter that names a file, such as a lexicon of
    one's own, counts as read.
    """
    read: list[Any] = []
    for entry in declared(source):
        if entry == "results":
            read.append(sorted(cells))
            continue
        for file in files(entry, root):
            read += [file.name, file]
    given = [Path(value) for value in parameters.values() if isinstance(value, str)]
    read += [file for file in given if file.is_file()]
    return content_hash(source, dict(parameters), _library(), *read)


@cache
def _library() -> str:
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    return content_hash(*library_files(), packages)
