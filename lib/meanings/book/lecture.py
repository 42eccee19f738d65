"""The lecture and the lab of the page *Teach with it*: blocks with minutes, commands with seconds."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("lecture.yaml")


@cache
def _plan() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def minutes() -> dict[str, int]:
    """Minutes of each block of the lecture, in their order."""
    return dict(_plan()["blocks"])


def span_of(block: str) -> str:
    """When a block begins and ends, in minutes: `8 to 23`."""
    begins = 0
    for name, length in minutes().items():
        if name == block:
            return f"{begins} to {begins + length}"
        begins += length
    raise KeyError(block)


def lab() -> dict[str, dict[str, Any]]:
    """The lab's commands by name: `command`, and the processor `seconds` that it took."""
    return dict(_plan()["lab"])
