"""Where the study's data lie: one rule for the lexicon, the miniature and the published tables."""

import os
from pathlib import Path

from meanings.core.errors import MeaningsError

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parents[1]  # of an editable install
WITHOUT_WEIGHTS = (
    "a checkpoint's weights are not here. An installed package comes without them: clone the "
    "project's repository, whose data/ has the miniature's, and run there, or set MEANINGS_DATA "
    "to that data/"
)


def data_folder() -> Path:
    """Folder that holds `lexicon/`, `miniature/` and `published/`.

    The environment variable `MEANINGS_DATA` where it is set; else the data inside an installed
    package; else the project's own `data/`, found from the package's location (an editable
    install); else `./data`.

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
    for folder in (PACKAGE / "data", CHECKOUT / "data", Path("data")):
        if folder.is_dir():
            return folder
    raise MeaningsError(
        "no data folder found in the package, beside it or here; set MEANINGS_DATA to the "
        "project's data/"
    )


def library_files() -> list[Path]:
    """The library's own source and tables, which may change what it computes or shows."""
    return sorted(file for kind in ("*.py", "*.yaml") for file in PACKAGE.rglob(kind))


def parameters_file(name: str, root: Path = Path()) -> Path:
    """The file `book/parameters/<name>.yaml` of the checkout at `root`, else of the one that the
    package lies in, else the installed package's copy. It need not exist.
    """
    places = (root / "book" / "parameters", CHECKOUT / "book" / "parameters")
    files = [place / f"{name}.yaml" for place in (*places, PACKAGE / "parameters")]
    return next((file for file in files if file.is_file()), files[0])
