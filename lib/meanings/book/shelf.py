"""The folder of files that pages offer: each written when what it is made of has changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from meanings.book import offered
from meanings.core.atomic_files import atomic_file
from meanings.core.hashing import content_hash
from meanings.measures.cell_files import METADATA, cell_path, read_metadata
from meanings.measures.results import join_cells
from meanings.study import table_cards
from meanings.study.publish import write_table

FOLDER = "downloads"  # beside the pages
ELSEWHERE = ("p_source_", "p_target_")  # probabilities in languages other than the pair's own


@dataclass(frozen=True)
class Offer:
    """A table that a page offers: names of its files, and whether the CSV has all rows."""

    name: str
    parquet: str
    csv: str
    whole: bool


class Shelf:
    """Files in `folder`; what they were made of is kept in `<folder>.state.json`."""

    def __init__(self, folder: Path) -> None:
        """Opens the shelf; `folder` need not exist."""
        self.folder, self._file = folder, folder.with_name(f"{folder.name}.state.json")
        try:
            self._before = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._before = {}
        self._now: dict[str, list] = {}
        self._wanted: set[str] = set()
        self._code = content_hash(Path(offered.__file__), Path(__file__))

    def published(self, name: str) -> Offer:
        """A published table as Parquet and CSV."""
        source = table_cards.table_files()[name]

        def written(parquet: Path, csv: Path) -> bool:
            table = table_cards.read_columns(source)
            if source.suffix == ".parquet":
                shutil.copyfile(source, parquet)
            else:
                write_table(table, parquet)
            return offered.write_csv(table, csv)

        return self._offer(name, content_hash(source), written)

    def cells(self, name: str, keys: Sequence[str], results: Path) -> Offer:
        """Measured cells as one table, in the order of their keys. One of the same cells has the
        name under which it was asked for first.
        """
        made_of = content_hash(list(keys))
        for other, (known, whole) in self._now.items():
            if known.startswith(made_of):
                return _named(other, whole)

        def written(parquet: Path, csv: Path) -> bool:
            table = join_cells(results, keys)
            kept = [each for each in table.column_names if not each.startswith(ELSEWHERE)]
            first = read_metadata(cell_path(results, keys[0]))["provenance"].get("versions", {})
            noted = {METADATA: json.dumps({"measured_with": first})}
            table = table.select(kept)
            write_table(table.replace_schema_metadata(noted), parquet)
            return offered.write_csv(table, csv)

        return self._offer(name, made_of, written)

    def text(self, name: str, text: str) -> Path:
        """A file of text."""
        self._wanted.add(name)
        path = self.folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            with atomic_file(path) as aside:
                aside.write_text(text, encoding="utf-8")
        return path

    def close(self) -> None:
        """Remove what no page offers any more, and remember what the rest was made of."""
        for file in self.folder.glob("*"):
            if file.name not in self._wanted:
                file.unlink()
        with atomic_file(self._file) as aside:
            aside.write_text(json.dumps(self._now, indent=1), encoding="utf-8")

    def _offer(self, name: str, made_of: str, written: Callable[[Path, Path], bool]) -> Offer:
        now, offer = f"{made_of} {self._code}", _named(name, True)
        files = [self.folder / file for file in (offer.parquet, offer.csv)]
        self._wanted |= {file.name for file in files}
        before, whole = self._before.get(name, ["", True])
        if name in self._now:
            whole = self._now[name][1]
        elif before != now or not all(file.is_file() for file in files):
            self.folder.mkdir(parents=True, exist_ok=True)
            whole = written(*files)
        self._now[name] = [now, whole]
        return _named(name, whole)


def _named(name: str, whole: bool) -> Offer:
    return Offer(name, f"{name}.parquet", f"{name}.csv.gz", whole)
