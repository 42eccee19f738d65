"""Names of processes in the names of files, so that others can tell who left them, on any file
system.
"""

import os
import re
import secrets
import socket

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
    try:
        os.kill(int(found["process"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's process, say
        return False
    return False
