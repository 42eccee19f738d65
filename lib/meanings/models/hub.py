"""The model hub and its cache on this machine: revisions and their commits, download, what is
there, dropping it again.

Downloads go on where they were broken off and show their progress; with HF_HUB_OFFLINE=1
(`--offline`) nothing is asked of the network and the cache is all there is.
"""

from __future__ import annotations

import errno
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import NoReturn

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError

# No format that can run code when it is read.
FILES = ["*.json", "*.safetensors", "*.model", "*.txt"]


def revisions(name: str) -> dict[str, str]:
    """Commit hashes by the names of the repository's branches and tags; offline, of those in the
    cache.

    Raises MeaningsError where there is no such repository, or it may not be read.
    """
    if offline():
        found = {ref: commit for commit, (refs, _) in _cached(name).items() for ref in refs}
        if not found:
            raise MeaningsError(
                f"{name}: nothing of it is in the cache {_folder()}; leave out --offline to fetch "
                "it, or unset HF_HUB_OFFLINE"
            )
        return found
    try:
        refs = _api().list_repo_refs(name)
    except Exception as error:  # the hub client raises a dozen unrelated types
        _refuse(error, name, None)
    return {ref.name: ref.target_commit for ref in [*refs.branches, *refs.tags]}


def cached(name: str) -> frozenset[str]:
    """Commits of the repository whose weights are in the cache."""
    return frozenset(
        commit
        for commit, (_, files) in _cached(name).items()
        if any(file.endswith(".safetensors") for file in files)
    )


def fetch(name: str, revision: str | None, commit: str | None) -> Path:
    """The snapshot's folder, downloaded where it is not in the cache.

    - `commit`: what is asked for where it is known, so that a revision that has moved since it was
      listed does no harm; the cache notes it under the revision's name.

    Raises MeaningsError where it cannot be had, or another commit comes.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(
                name, revision=commit or revision, allow_patterns=FILES, local_files_only=offline()
            )
        )
    except Exception as error:  # the hub client raises a dozen unrelated types
        _refuse(error, name, revision)
    if commit is not None and folder.name != commit:
        raise MeaningsError(
            f"{name} at {revision}: commit {commit[:12]} was asked for and {folder.name[:12]} "
            "came; start again to take what is there now"
        )
    if commit is not None and revision is not None and not offline():
        _note(folder.parents[1] / "refs" / revision, commit)
    return folder


def _note(ref: Path, commit: str) -> None:
    """Let the cache know a revision by its name too, as it does where the name is asked for."""
    if not ref.is_file() or ref.read_text() != commit:
        with atomic_file(ref) as aside:
            aside.write_text(commit)


def held(name: str, commit: str, *, drop: bool) -> AbstractContextManager[None]:
    """While a snapshot is in use; afterwards it is dropped from the cache where asked, unless
    another run still uses it.
    """
    from meanings.models.snapshot_use import in_use

    users = _folder() / ".meanings" / f"{commit}.users"
    return in_use(users, partial(_drop, name, commit) if drop else None)


def offline() -> bool:
    """Whether the network may not be asked: HF_HUB_OFFLINE=1."""
    from huggingface_hub import is_offline_mode

    return is_offline_mode()


def _api():
    from huggingface_hub import HfApi

    return HfApi()


def _folder() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _repo(name: str):
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        repos = scan_cache_dir(_folder()).repos
    except CacheNotFound:
        return None
    return next(
        (repo for repo in repos if repo.repo_id == name and repo.repo_type == "model"), None
    )


def _cached(name: str) -> dict[str, tuple[frozenset[str], tuple[str, ...]]]:
    """By commit: the names that point to it, and its files."""
    repo = _repo(name)
    return (
        {r.commit_hash: (r.refs, tuple(file.file_name for file in r.files)) for r in repo.revisions}
        if repo
        else {}
    )


def _drop(name: str, commit: str) -> None:
    from huggingface_hub import scan_cache_dir

    if commit in _cached(name):
        scan_cache_dir(_folder()).delete_revisions(commit).execute()


def _refuse(error: Exception, name: str, revision: str | None) -> NoReturn:
    """The hub client's error as one line that says what to do."""
    from huggingface_hub import errors

    what = f"{name} at revision {revision!r}" if revision else name
    if isinstance(error, errors.GatedRepoError):
        said = "its terms are to be accepted first: on its page, then 'hf auth login'"
    elif isinstance(error, errors.RevisionNotFoundError):
        said = "there is no such revision; 'meanings checkpoints MODEL' lists them"
    elif isinstance(error, errors.RepositoryNotFoundError):
        said = "there is no such repository, or it is private: check the name, or 'hf auth login'"
    elif isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled):
        said = (
            "it is not in the cache and the network cannot be asked; leave out --offline, or look "
            "at the connection"
        )
    elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
        said = (
            f"the disk of the cache {_folder()} is full; free some, set HF_HOME to another, or "
            "take --drop"
        )
    else:
        said = f"{type(error).__name__}: {error}"
    raise MeaningsError(f"model {what} cannot be had from the hub: {said}") from None
