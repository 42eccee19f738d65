"""What the model hub's client raises, said in one line that names the cure."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NoReturn

from meanings.core.errors import MeaningsError
from meanings.core.formatting import duration

AGAIN = "start again later, or take --offline where the files are in the cache"
LOGIN = "log in with 'hf auth login'"


def refuse(error: Exception, name: str, revision: str | None, cache: Path) -> NoReturn:
    """Raise the client's error as a MeaningsError.

    - `name`, `revision`: what was asked for; `cache`: the folder of the cache.
    """
    what = f"{name} at revision {revision!r}" if revision else name
    raise MeaningsError(
        f"model {what} cannot be fetched from the hub: {_said(_cause(error), cache)}"
    ) from None


def _cause(error: BaseException) -> BaseException:
    """What happened: the client says of most failures that the file is not in the cache, either."""
    from huggingface_hub import errors

    while isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _said(error: BaseException, cache: Path) -> str:
    """What it is, and what to do."""
    from huggingface_hub import constants, errors

    if isinstance(error, errors.HfHubHTTPError):
        return _answered(error)
    if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled):
        return (
            "it is not in the cache, or not all of it, and the network may not be asked; leave out "
            "--offline to fetch it, or unset HF_HUB_OFFLINE"
        )
    if isinstance(error, errors.HTTPError):  # of the connection: no answer, or half of one
        reason = str(error).rstrip(".") or type(error).__name__
        return (
            f"the connection to {constants.ENDPOINT} failed ({reason}); look at the network, and "
            f"{AGAIN}"
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return (
            f"the disk of the cache {cache} is full; free some, set HF_HOME to another, or take "
            "--drop"
        )
    if isinstance(error, OSError) and "onsistency check" in str(error):
        return (
            "a file came with another size than the hub had said, and is not kept; start again: "
            "files that came whole are not fetched twice"
        )
    return f"{type(error).__name__}: {error}; if it stays so, look at the model's page"


def _answered(error) -> str:
    """What an HTTP answer means."""
    from huggingface_hub import constants, errors

    status = error.response.status_code
    if isinstance(error, errors.GatedRepoError):
        return "its terms are to be accepted first: on its page, then 'hf auth login'"
    if isinstance(error, errors.RevisionNotFoundError):
        return "there is no such revision; 'meanings checkpoints MODEL' lists them"
    refused = "Invalid" in error.response.headers.get("X-Error-Message", "")  # the token itself
    if isinstance(error, errors.RepositoryNotFoundError) or (status == 401 and not refused):
        return f"there is no such repository, or it is private: check the name, or {LOGIN}"
    if isinstance(error, errors.EntryNotFoundError):
        return "a file that it lists is not there; look at the model's page, and start again"
    if status == 401:
        return f"your token is not accepted; {LOGIN} again, or unset HF_TOKEN"
    if status == 403:
        return f"your token may not read it; ask for access on its page, or {LOGIN} as another user"
    if status == 404:
        return (
            f"{constants.ENDPOINT} does not know it; check the name, and HF_ENDPOINT where it is "
            "set"
        )
    if status == 429:
        return f"too many requests came from here; {_pause(error)}, or {LOGIN} for a higher limit"
    if status >= 500:
        return f"the hub is out of order (HTTP {status}); {AGAIN}"
    return f"the hub answered HTTP {status}; look at the model's page, and start again"


def _pause(error) -> str:
    seconds = error.response.headers.get("Retry-After", "")
    return (
        f"start again in {duration(int(seconds))}" if seconds.isdecimal() else "start again later"
    )
