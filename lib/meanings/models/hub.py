"""The model hub: revisions and their commits, files, download into the cache on this machine.

A download that fails or is killed keeps the files that had arrived whole; the file that was on its
way is fetched from its beginning (a connection that is cut is taken up where it was, some times).
What a killed download leaves of that file is removed by the next one. With HF_HUB_OFFLINE=1
(`--offline`) nothing is asked of the network and the cache is all there is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from glob import escape
from pathlib import Path, PurePosixPath

from meanings.core.errors import MeaningsError
from meanings.models.hub_cache import (
    cache_folder,
    cached,
    cached_repo,
    lies_in,
    note_revision,
    noted_files,
    remove_leftovers,
    weights_in,
)
from meanings.models.hub_errors import refuse

# No format that can run code when it is read.
FILES = ["*.json", "*.safetensors", "*.model", "*.txt"]


def revisions(name: str) -> dict[str, str]:
    """Commit hashes by the names of the repository's branches and tags; offline, of those in the
    cache.

    Raises MeaningsError where there is no such repository, or it may not be read.
    """
    if offline():
        repo = cached_repo(name)
        found = {ref: r.commit_hash for r in (repo.revisions if repo else ()) for ref in r.refs}
        if not found:
            raise MeaningsError(
                f"{name}: it is not in the cache {cache_folder()}; leave out --offline to "
                "fetch it, or unset HF_HUB_OFFLINE"
            )
        return found
    try:
        refs = _api().list_repo_refs(name)
    except Exception as error:  # the hub client raises a dozen unrelated types
        refuse(error, name, None, cache_folder())
    return {ref.name: ref.target_commit for ref in [*refs.branches, *refs.tags]}


def files(name: str, commit: str) -> dict[str, int]:
    """Bytes of the repository's files at a commit, by their paths in it; nothing is written.

    From the listing that a download keeps in the cache, else from the hub; offline without such a
    listing, of the files in the cache. Raises MeaningsError where the hub does not give it.
    """
    listed = noted_files(name, commit)
    if listed is not None:
        return listed
    if offline():
        return cached(name).get(commit, {})
    from huggingface_hub import RepoFile

    try:
        tree = list(_api().list_repo_tree(name, recursive=True, revision=commit))
    except Exception as error:  # the hub client raises a dozen unrelated types
        refuse(error, name, commit, cache_folder())
    return {entry.path: entry.size for entry in tree if isinstance(entry, RepoFile)}


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
            [path for path in files(name, str(commit)) if lies_in(path, folder) and _safe(path)]
        )
    place = _snapshot(name, revision, commit, patterns)
    if commit is not None and revision is not None and not offline():
        note_revision(place.parents[1] / "refs" / revision, commit)
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
        if PurePosixPath(path).parent == place and _safe(path) and not weights_in([path], "")
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


def offline() -> bool:
    """Whether the network may not be asked: HF_HUB_OFFLINE=1."""
    from huggingface_hub import is_offline_mode

    return is_offline_mode()


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
        refuse(error, name, revision, cache_folder())
    if commit is not None and place.name != commit:
        raise MeaningsError(
            f"{name} at {revision}: commit {commit[:12]} was requested and {place.name[:12]} was "
            f"delivered; start again to use the current commit"
        )
    return place


def _safe(path: str) -> bool:
    return any(PurePosixPath(path).match(pattern) for pattern in FILES)


def _exactly(paths: Sequence[str]) -> list[str]:
    """Patterns that match these paths and no others."""
    return [escape(path) for path in paths]


def _api():
    """The client, which by itself would wait for a silent hub without end."""
    from huggingface_hub import HfApi, constants, get_session

    get_session().timeout = constants.HF_HUB_ETAG_TIMEOUT
    return HfApi()


def bytes_of(sizes: Mapping[str, int], folder: str = "") -> tuple[int, int]:
    """Number and bytes of the files that fetching a checkpoint would download, of all `sizes`."""
    wanted = [size for path, size in sizes.items() if lies_in(path, folder) and _safe(path)]
    return len(wanted), sum(wanted)
