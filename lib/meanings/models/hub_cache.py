"""The hub's cache on this machine: what is there, what is in use, what a dead download left behind,
and dropping a checkpoint again.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path, PurePosixPath

from meanings.core.atomic_files import atomic_file

# Seconds without a byte after which a download is dead, where locks cannot tell: the client gives
# up on a silent hub much earlier.
QUIET = 600


def cached(name: str) -> dict[str, dict[str, int]]:
    """By commit, bytes of the repository's files that are in the cache, by their paths in it."""
    repo = cached_repo(name)
    return {
        revision.commit_hash: {
            file.file_path.relative_to(revision.snapshot_path).as_posix(): file.size_on_disk
            for file in revision.files
        }
        for revision in (repo.revisions if repo else ())
    }


def has_weights(name: str, commit: str, folder: str, here: Collection[str]) -> bool:
    """Whether all weights of a checkpoint are among the files `here` of its commit.

    - `folder`: the checkpoint's in the repository, empty for its root.
    """
    weights = weights_in(here, folder)
    return bool(weights) and weights_in(noted_files(name, commit) or (), folder) <= weights


def held(name: str, commit: str, *, drop: bool, folder: str = "") -> AbstractContextManager[None]:
    """While a checkpoint is in use; afterwards it is dropped from the cache where asked, unless
    another run still uses it.

    - `folder`: the checkpoint's in the repository; the other folders and a tokenizer outside of it
      stay.
    """
    from meanings.models.snapshot_use import in_use

    part = "--".join((commit, *PurePosixPath(folder).parts))
    users = cache_folder() / ".meanings" / f"{part}.users"
    return in_use(users, partial(_drop, name, commit, folder) if drop else None)


def remove_leftovers(name: str) -> int:
    """Number of the repository's unfinished files of dead downloads, now removed.

    The client locks a file while it downloads it, and goes on with no unfinished one. What is
    locked stays; so does, for `QUIET` seconds after its last byte, what lies on a file system that
    grants one lock twice.
    """
    from filelock import FileLock, Timeout
    from huggingface_hub.file_download import repo_folder_name

    repo, removed = repo_folder_name(repo_id=name, repo_type="model"), 0
    for file in cache_folder().glob(f"{repo}/blobs/*.incomplete"):
        lock = cache_folder() / ".locks" / repo / f"{file.name.split('.')[0]}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError, Timeout), FileLock(lock, timeout=0, mode=0o664):
            try:
                with FileLock(lock, timeout=0):
                    dead = time.time() - file.stat().st_mtime > QUIET
            except Timeout:
                dead = True
            if dead:
                file.unlink()
                removed += 1
    return removed


def note_revision(ref: Path, commit: str) -> None:
    """Let the cache know a revision by its name too, as it does where the name is asked for."""
    if not ref.is_file() or ref.read_text() != commit:
        with atomic_file(ref) as aside:
            aside.write_text(commit)


def lies_in(path: str, folder: str) -> bool:
    """Whether a path lies in a folder of the repository; all do in the empty one."""
    return PurePosixPath(path).is_relative_to(folder)


def weights_in(paths: Collection[str], folder: str) -> set[str]:
    """The safetensors files among the paths in a folder of the repository."""
    return {path for path in paths if path.endswith(".safetensors") and lies_in(path, folder)}


def noted_files(name: str, commit: str) -> dict[str, int] | None:
    """The commit's files and their bytes, as a download has noted them in the cache; None where
    none has.
    """
    from huggingface_hub import get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    try:
        tree = get_cached_repo_tree(name, revision=commit, cache_dir=cache_folder())
    except CachedRepoTreeNotFoundError:
        return None
    return {file.path: file.size for file in tree}


def cache_folder() -> Path:
    """The folder of the client's cache."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _scan():
    """The cache as the client sees it; None where there is none."""
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        return scan_cache_dir(cache_folder())
    except CacheNotFound:
        return None


def cached_repo(name: str, scanned=None):
    """The model repository in the cache, in the client's own type; None where it is not there."""
    scanned = scanned or _scan()
    return next(
        (
            repo
            for repo in (scanned.repos if scanned else ())
            if repo.repo_id == name and repo.repo_type == "model"
        ),
        None,
    )


def _drop(name: str, commit: str, folder: str = "") -> None:
    """Remove a checkpoint from the cache: its folder's files, or the whole snapshot; the content
    that another one shares stays.
    """
    scanned = _scan()
    repo = cached_repo(name, scanned)
    revision = next((r for r in (repo.revisions if repo else ()) if r.commit_hash == commit), None)
    if revision is None:
        return
    if not folder:
        scanned.delete_revisions(commit).execute()
        return
    place = revision.snapshot_path / folder
    own = [file for file in revision.files if file.file_path.is_relative_to(place)]
    scanned.delete_files(*own).execute()
    for empty in sorted((path for path in place.rglob("*") if path.is_dir()), reverse=True):
        empty.rmdir()
    with suppress(OSError):  # gone, or other files lie beside it
        for empty in (place, *place.parents[: len(PurePosixPath(folder).parts) - 1]):
            empty.rmdir()
