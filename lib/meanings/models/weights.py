"""What a checkpoint's weights are, whatever the folder is called: a hash of their content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.paths import PACKAGE, WITHOUT_WEIGHTS


def hash_weights(folder: Path) -> str:
    """SHA-256 over the names and contents of the folder's safetensors files and its config, hex.

    Computed once per process for files of the same size and time of change. Raises OSError where
    one cannot be read, MeaningsError where the folder lies in an installed package, which comes
    without weights.
    """
    check_shipped(folder)
    files = [folder / "config.json", *sorted(folder.glob("*.safetensors"))]
    stats = [file.stat() for file in files]
    return _hash(tuple(files), tuple((s.st_size, s.st_mtime_ns, s.st_ino) for s in stats))


@lru_cache(maxsize=4096)
def _hash(files: tuple[Path, ...], _state: tuple[tuple[int, int, int], ...]) -> str:
    """- `_state`: size, time of change and inode of each file; other ones are hashed anew."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()


def check_shipped(folder: Path) -> None:
    """Raises MeaningsError, saying how to get them, where a checkpoint lies in an installed
    package, which comes without weights.
    """
    if folder.is_relative_to(PACKAGE) and not any(folder.glob("*.safetensors")):
        raise MeaningsError(f"{folder.parent.name}/{folder.name}: {WITHOUT_WEIGHTS}")
