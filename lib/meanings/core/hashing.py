"""Hashes of content."""

import hashlib
import json
from pathlib import Path
from typing import Any


def content_hash(*parts: Any) -> str:
    """sha256, hex, of files (their bytes) and values (their JSON), in the order given."""
    digest = hashlib.sha256()
    for part in parts:
        content = (
            part.read_bytes()
            if isinstance(part, Path)
            else json.dumps(part, sort_keys=True, default=str).encode()
        )
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()
