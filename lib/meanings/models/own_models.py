"""The file of a user's own models; finding it loads nothing else, as every command does it."""

from __future__ import annotations

import os
from pathlib import Path

from meanings.core.errors import MeaningsError

OWN = "models.yaml"


def own_file() -> Path | None:
    """The user's registry: the file that MEANINGS_MODELS names, else `models.yaml` here; None where
    there is none.

    Raises MeaningsError where the named file is not there.
    """
    if named := os.environ.get("MEANINGS_MODELS"):
        if not Path(named).is_file():
            raise MeaningsError(
                f"MEANINGS_MODELS={named!r} is not a file; set it to a YAML file of models, or "
                "unset it"
            )
        return Path(named)
    return Path(OWN) if Path(OWN).is_file() else None
