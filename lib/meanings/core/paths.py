"""Where the study's data lie: one rule for the lexicon, the miniature and the published tables."""

import os
from pathlib import Path

from meanings.core.errors import MeaningsError

BESIDE_PACKAGE = Path(__file__).resolve().parents[3] / "data"


def data_folder() -> Path:
    """Folder that holds `lexicon/`, `miniature/` and `published/`.

    The environment variable `MEANINGS_DATA` where it is set; else the project's own `data/`, found
    from the package's location (an editable install); else `./data`.

    Raises MeaningsError where none of them is a folder.
    """
    named = os.environ.get("MEANINGS_DATA")
    if named:
        if not Path(named).is_dir():
            raise MeaningsError(
                f"MEANINGS_DATA={named!r} is not a folder; set it to a folder that holds "
                f"lexicon/, or "
                "unset it"
            )
        return Path(named)
    for folder in (BESIDE_PACKAGE, Path("data")):
        if folder.is_dir():
            return folder
    raise MeaningsError(
        "no data folder found beside the package or here; set MEANINGS_DATA to the project's data/"
    )
