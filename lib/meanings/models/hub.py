"""The model hub and its cache on this machine: revisions and their commits, files, download, what
is there, dropping it again.

A download that fails or is killed keeps the files that had arrived whole; the file that was on its
way is fetched from its beginning (a connection that is cut is taken up where it was, some times).
What a killed download leaves of that file is removed by the next one. With HF_HUB_OFFLINE=1
(`--offline`) nothing is asked of the network and the cache is all there is.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from glob import escape
from pathlib import Path, PurePosixPath

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.models.hub_errors import refuse

# No format that can run code when it is read.
FILES = ["*.json", "*.safetensors", "*.model", "*.txt"]
# Seconds without a byte after which a download is dead, where locks cannot tell: the client gives
# up on a silent hub much earlier.
QUIET = 600


def revisions(name: str) -> dict[str, str]:
    """Commit hashes by the names of the repository's branches and tags; offline, of those in the
    cache.

    Raises MeaningsError where there is no such repository, or it may not be read.
    """
    if offline():
        repo = _repo(name)
        found = {ref: r.commit_hash for r in (repo.revisions if repo else ()) for ref in r.refs}
        if not found:
            raise MeaningsError(
                f"{name}: nothing of it is in the cache {_folder()}; leave out --offline to fetch "
                "it, or unset HF_HUB_OFFLINE"
            )
        return found
    try:
        refs = _api().list_repo_refs(name)
    except Exception as error:  # the hub client raises a dozen unrelated types
        refuse(error, name, None, _folder())
    return {ref.name: ref.target_commit for ref in [*refs.branches, *refs.tags]}


def files(name: str, commit: str) -> dict[str, int]:
    """Bytes of the repository's files at a commit, by their paths in it; nothing is written.

    From the listing that a download keeps in the cache, else from the hub; offline without such a
    listing, of the files in the cache. Raises MeaningsError where the hub does not give it.
    """
    listed = _listing(name, commit)
    if listed is not None:
        return listed
    if offline():
        return cached(name).get(commit, {})
    from huggingface_hub import RepoFile

    try:
        tree = list(_api().list_repo_tree(name, recursive=True, revision=commit))
    except Exception as error:  # the hub client raises a dozen unrelated types
        refuse(error, name, commit, _folder())
    return {entry.path: entry.size for entry in tree if isinstance(entry, RepoFile)}


def cached(name: str) -> dict[str, dict[str, int]]:
    """By commit, bytes of the repository's files that are in the cache, by their paths in it."""
    repo = _repo(name)
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
    weights = _weights(here, folder)
    return bool(weights) and _weights(_listing(name, commit) or (), folder) <= weights


def fetch(name: str, revision: str | None, commit: str | None, folder: str = "") -> Path:
    """The checkpoint's folder in the cache, downloaded where it is not there.

    - `commit`: what is asked for where it is known, so that a revision that has moved since it was
      listed does no harm; the cache notes it under the revision's name.
    - `folder`: the checkpoint's in the repository, of which nothing else is fetched; such a one
      needs the commit. Empty, all of the repository is.

    Raises MeaningsError where it cannot be had, or another commit comes.
    """
    patterns = FILES
    if folder:
        patterns = _exactly(
            [path for path in files(name, str(commit)) if _lies_in(path, folder) and _safe(path)]
        )
    place = _snapshot(name, revision, commit, patterns)
    if commit is not None and revision is not None and not offline():
        _note(place.parents[1] / "refs" / revision, commit)
    return place / folder


def fetch_tokenizer(name: str, revision: str | None, commit: str, folder: str = "") -> Path:
    """The folder in the cache of a checkpoint's tokenizer, which alone is downloaded where it is
    not there.

    It lies in the checkpoint's folder, in `tokenizer` there, or in the same places of the folders
    above. Raises MeaningsError where it cannot be had.
    """
    listed = files(name, commit)
    place = tokenizer_place(listed, folder)
    wanted = [
        path
        for path in listed
        if PurePosixPath(path).parent == place and _safe(path) and not _weights([path], "")
    ]
    return _snapshot(name, revision, commit, _exactly(wanted)) / place


def tokenizer_place(paths: Collection[str], folder: str) -> PurePosixPath:
    """The folder of the repository that holds a checkpoint's tokenizer; the checkpoint's own where
    none does.
    """
    here = PurePosixPath(folder)
    for place in (here, *here.parents):
        for each in (place, place / "tokenizer"):
            if str(each / "tokenizer.json") in paths:
                return each
    return here


def held(name: str, commit: str, *, drop: bool, folder: str = "") -> AbstractContextManager[None]:
    """While a checkpoint is in use; afterwards it is dropped from the cache where asked, unless
    another run still uses it.

    - `folder`: the checkpoint's in the repository; the other folders and a tokenizer outside of it
      stay.
    """
    from meanings.models.snapshot_use import in_use

    part = "--".join((commit, *PurePosixPath(folder).parts))
    users = _folder() / ".meanings" / f"{part}.users"
    return in_use(users, partial(_drop, name, commit, folder) if drop else None)


def offline() -> bool:
    """Whether the network may not be asked: HF_HUB_OFFLINE=1."""
    from huggingface_hub import is_offline_mode

    return is_offline_mode()


def remove_leftovers(name: str) -> int:
    """Number of the repository's unfinished files of dead downloads, now removed.

    The client locks a file while it downloads it, and goes on with no unfinished one. What is
    locked stays; so does, for `QUIET` seconds after its last byte, what lies on a file system that
    grants one lock twice.
    """
    from filelock import FileLock, Timeout
    from huggingface_hub.file_download import repo_folder_name

    repo, removed = repo_folder_name(repo_id=name, repo_type="model"), 0
    for file in _folder().glob(f"{repo}/blobs/*.incomplete"):
        lock = _folder() / ".locks" / repo / f"{file.name.split('.')[0]}.lock"
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


def _snapshot(name: str, revision: str | None, commit: str | None, patterns: Sequence[str]) -> Path:
    """The folder of the commit in the cache, with the files that the patterns match."""
    from huggingface_hub import snapshot_download

    if not offline():
        remove_leftovers(name)
    try:
        place = Path(
            snapshot_download(
                name,
                revision=commit or revision,
                allow_patterns=list(patterns),
                local_files_only=offline(),
            )
        )
    except Exception as error:  # the hub client raises a dozen unrelated types
        refuse(error, name, revision, _folder())
    if commit is not None and place.name != commit:
        raise MeaningsError(
            f"{name} at {revision}: commit {commit[:12]} was asked for and {place.name[:12]} "
            "came; start again to take what is there now"
        )
    return place


def _note(ref: Path, commit: str) -> None:
    """Let the cache know a revision by its name too, as it does where the name is asked for."""
    if not ref.is_file() or ref.read_text() != commit:
        with atomic_file(ref) as aside:
            aside.write_text(commit)


def _lies_in(path: str, folder: str) -> bool:
    return PurePosixPath(path).is_relative_to(folder)


def _safe(path: str) -> bool:
    return any(PurePosixPath(path).match(pattern) for pattern in FILES)


def _weights(paths: Collection[str], folder: str) -> set[str]:
    return {path for path in paths if path.endswith(".safetensors") and _lies_in(path, folder)}


def _exactly(paths: Sequence[str]) -> list[str]:
    """Patterns that match these paths and no others."""
    return [escape(path) for path in paths]


def _listing(name: str, commit: str) -> dict[str, int] | None:
    """The commit's files and their bytes, as a download has noted them in the cache; None where
    none has.
    """
    from huggingface_hub import get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    try:
        tree = get_cached_repo_tree(name, revision=commit, cache_dir=_folder())
    except CachedRepoTreeNotFoundError:
        return None
    return {file.path: file.size for file in tree}


def _api():
    """The client, which by itself would wait for a silent hub without end."""
    from huggingface_hub import HfApi, constants, get_session

    get_session().timeout = constants.HF_HUB_ETAG_TIMEOUT
    return HfApi()


def _folder() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _scan():
    """The cache as the client sees it; None where there is none."""
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        return scan_cache_dir(_folder())
    except CacheNotFound:
        return None


def _repo(name: str, scanned=None):
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
    repo = _repo(name, scanned)
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


def bytes_of(sizes: Mapping[str, int], folder: str = "") -> tuple[int, int]:
    """Number and bytes of the files that fetching a checkpoint would download, of all `sizes`."""
    wanted = [size for path, size in sizes.items() if _lies_in(path, folder) and _safe(path)]
    return len(wanted), sum(wanted)
