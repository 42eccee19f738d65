"""The lecture and the lab of the page *Teach with it*: blocks with minutes, commands with their
processor time.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("lecture.yaml")


@cache
def _plan() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def spans(part: str) -> dict[str, str]:
    """When each block of `lecture` or `lab` begins and ends, in minutes: `8 to 23`."""
    begins, found = 0, {}
    for name, length in _plan()[part].items():
        found[name] = f"{begins} to {begins + length}"
        begins += length
    return found


def length(part: str) -> int:
    """Minutes of the `lecture` or the `lab`."""
    return sum(_plan()[part].values())


def commands() -> dict[str, dict[str, Any]]:
    """The lab's commands by block: `command`, and the processor `seconds` that it took."""
    return dict(_plan()["commands"])
