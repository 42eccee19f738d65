"""What a shell completes after `meanings ...`: names that are there, read without the libraries
that measure.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder

# A test holds them to the chapters' own list, whose import takes longer than a key press may.
CHAPTERS = (
    "method",
    "emergence",
    "language_dependence",
    "error_analysis",
    "cka",
    "retrieval",
    "language_identity",
    "neuron_overlap",
    "structure",
    "abilities",
    "meaning_in_context",
    "synthesis",
)


def _completed(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """The names that begin as the word typed so far does; none where they cannot be read."""

    def complete(incomplete: str) -> list[str]:
        try:
            return [name for name in names() if name.startswith(incomplete)]
        except (MeaningsError, OSError):
            return []

    return complete


def _models() -> list[str]:
    from meanings.core.yaml_files import read_mapping
    from meanings.models.own_models import own_file
    from meanings.models.registry import SHIPPED

    own = own_file()
    named = [*read_mapping(SHIPPED), *(read_mapping(own) if own is not None else ())]
    here = {file.parent.parent.name for file in data_folder().glob("*/seed-*/trajectory.json")}
    return list(dict.fromkeys([*sorted(here), *map(str, named)]))


def _lexicons() -> list[str]:
    return ["embedded", *sorted(str(file) for file in Path().glob("*.csv"))]


def _tables() -> list[str]:
    return sorted(file.stem for file in (data_folder() / "published").glob("*.parquet"))


chapters = _completed(lambda: CHAPTERS)
models = _completed(_models)
lexicons = _completed(_lexicons)
tables = _completed(_tables)
