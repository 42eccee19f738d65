"""Names of processes in the names of files, so that others can tell who left them, on any file
system.
"""

import os
import re
import secrets
import socket
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"(?P<host>[^/]+)-(?P<process>\d+)-[0-9a-f]{8}\Z")


def process_name() -> str:
    """`host-process-token`: this process, another token each time."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def is_dead(name: str) -> bool:
    """Whether a `process_name` belongs to a process of this machine that has ended.

    False where the name is of another machine, which cannot be asked, and where it is no such name.
    """
    found = _NAME.fullmatch(name)
    if found is None or found["host"] != socket.gethostname():
        return False
    return not is_running(int(found["process"]))


def is_running(process: int) -> bool:
    """Whether a process of this machine runs.

    A killed process whose parent never asked for its end keeps its number for ever, in a container
    whose first process does not look after orphans say; on Linux it counts as ended.
    """
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's process, say
        return True
    with suppress(OSError, IndexError):
        state = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2]
        return state.split()[0] not in ("Z", "X")
    return True
