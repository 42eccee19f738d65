"""Import completed sheets: checked row by row, valid rows kept as an annotator's pass, bad rows
named and kept apart.

A gold folder holds `sample.csv` (the sheet), `key.csv` (what each answer is) and one
`<annotator>.csv` per pass (`id, label, note`); `<annotator>.rejected` holds the rows of a pass that
could not be taken.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.spreadsheets import harmless, original
from meanings.core.tables import clean, read_table
from meanings.labels.annotation.sample import KEY_COLUMNS
from meanings.labels.labeller import LABELS

PASS = ("id", "label", "note")
OWN = ("sample", "key")  # files of a gold folder that are no pass


@dataclass(frozen=True)
class BadRow:
    """A row of a sheet that cannot be taken: where it stands, its cells, and why in one line with
    what is allowed.
    """

    path: Path
    line: int
    cells: dict[str, str]
    why: str

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}: {self.why}"


def read_filled(path: Path, known: set[str]) -> tuple[pd.DataFrame, list[BadRow]]:
    """The good rows of a filled sheet (columns `id, label, note`, in the order of the sheet), and
    the bad ones.

    A row is bad where its id is not in the sample, it has no label or an unknown one, or its id
    stood above already. Raises MeaningsError where the file is no CSV, or lacks the column `id` or
    `label`.
    """
    table = read_table(path)
    for column in ("id", "label"):
        if column not in table.header:
            raise MeaningsError(
                f"{path}, line 1: no column {column!r}; the columns are {', '.join(table.header)}"
                "; add it, as 'meanings annotate export' writes it"
            )
    good: dict[str, tuple[str, str, str]] = {}
    bad = []
    for line, row in table.rows:
        label = row["label"].casefold()
        if row["id"] not in known:
            why = f"id {row['id']!r} is not in the sample; allowed are the ids of its sample.csv"
        elif row["id"] in good:
            why = (
                f"id {row['id']!r} stands above already, labelled {good[row['id']][1]!r}; allowed "
                "is one row per answer"
            )
        elif label not in LABELS:
            why = f"answer {row['id']}: label {row['label']!r}; allowed are {', '.join(LABELS)}"
        else:
            good[row["id"]] = (row["id"], label, _restored(row.get("note", "")))
            continue
        bad.append(BadRow(path, line, row, why))
    return pd.DataFrame(good.values(), columns=PASS), bad


def take_in(folder: Path, sheets: list[Path]) -> tuple[dict[str, int], list[BadRow]]:
    """Take filled sheets into a gold folder, one pass per sheet, named by its file; the number of
    answers by pass, and all bad rows.

    A pass that is there already is completed: rows that say the same are passed over, rows that say
    something else are bad. Raises MeaningsError before anything is written: no sample, a sheet that
    cannot be read, or a name that is no plain one.
    """
    known = set(read_sample(folder)["id"])
    passes: dict[str, tuple[pd.DataFrame, list[BadRow]]] = {}
    for path in sheets:
        name = path.stem
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) or name in OWN or name in passes:
            raise MeaningsError(
                f"{path}: the file's name becomes the pass's name: use a new one of lower case "
                f"letters, digits, '-' and '_', and neither sample nor key"
            )
        good, bad = read_filled(path, known)
        if (folder / f"{name}.csv").exists():
            good, contradicting = _completed(folder / f"{name}.csv", path, good)
            bad = sorted([*bad, *contradicting], key=lambda row: row.line)
        passes[name] = good, bad
    for name, (good, bad) in passes.items():
        _write(folder / f"{name}.csv", [PASS, *good.itertuples(index=False, name=None)])
        rejected = folder / f"{name}.rejected"
        if bad:
            rows = [(str(r.line), r.why, *(r.cells.get(c, "") for c in PASS)) for r in bad]
            _write(rejected, [("line", "why", *PASS), *rows])
        else:
            rejected.unlink(missing_ok=True)
    return (
        {name: len(good) for name, (good, _) in passes.items()},
        [row for _, bad in passes.values() for row in bad],
    )


def _completed(own: Path, sheet: Path, good: pd.DataFrame) -> tuple[pd.DataFrame, list[BadRow]]:
    """A written pass with the sheet's new rows, and the sheet's rows that contradict it."""
    before = read_pass(own)
    labels = dict(zip(before["id"], before["label"], strict=True))
    lines = {row["id"]: line for line, row in reversed(read_table(sheet).rows)}
    bad = []
    for row in good.itertuples():
        if row.label != labels.get(row.id, row.label):
            why = (
                f"answer {row.id}: label {row.label!r}, and {own} has {labels[row.id]!r}; allowed "
                "is one label per annotator"
            )
            cells = {"id": row.id, "label": row.label, "note": row.note}
            bad.append(BadRow(sheet, lines[row.id], cells, why))
    return pd.concat([before, good[~good["id"].isin(labels)]], ignore_index=True), bad


def read_sample(folder: Path) -> pd.DataFrame:
    """The sheet of a gold folder. Raises MeaningsError where there is none."""
    path = folder / "sample.csv"
    if not path.is_file():
        raise MeaningsError(
            f"{folder}: no sample.csv; copy there what 'meanings annotate export' wrote"
        )
    return _frame(path, ("id", "answer")).map(_restored)


def read_key(folder: Path) -> pd.DataFrame:
    """The key of a gold folder, `weight` as a number. Raises MeaningsError where it lacks a column
    or a weight is not above 0.
    """
    for path in (folder / "key.csv", folder / "key" / "key.csv"):
        if path.is_file():
            key = _frame(path, KEY_COLUMNS)
            key["weight"] = pd.to_numeric(key["weight"], errors="coerce")
            wrong = key[~(key["weight"] > 0)]
            if len(wrong) or not set(key["label"]) <= set(LABELS) or key["id"].duplicated().any():
                raise MeaningsError(
                    f"{path}: expected unique ids, weights above 0 and labels of "
                    f"{', '.join(LABELS)}; use the key that the export wrote"
                )
            return key
    raise MeaningsError(
        f"{folder}: no key.csv; copy there the key that 'meanings annotate export' wrote"
    )


def read_passes(folder: Path) -> dict[str, pd.DataFrame]:
    """The passes of a gold folder by annotator. Raises MeaningsError where there is none or a row
    of one is bad.
    """
    paths = [path for path in sorted(folder.glob("*.csv")) if path.stem not in OWN]
    if not paths:
        raise MeaningsError(
            f"{folder}: no pass; import completed sheets with 'meanings annotate import'"
        )
    known, passes = set(read_sample(folder)["id"]), {}
    for path in paths:
        passes[path.stem], bad = read_filled(path, known)
        if bad:
            raise MeaningsError(f"{bad[0]}{f' (and {len(bad) - 1} more)' if len(bad) > 1 else ''}")
    return passes


def read_pass(path: Path) -> pd.DataFrame:
    """A pass as it was written: `id`, `label`, `note`; it may have no row."""
    with path.open(encoding="utf-8", newline="") as file:
        return pd.DataFrame(list(csv.reader(file))[1:], columns=PASS).map(original)


def _frame(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    table = read_table(path)
    missing = [column for column in columns if column not in table.header]
    if missing:
        raise MeaningsError(
            f"{path}, line 1: no column {', '.join(missing)}; the columns are "
            f"{', '.join(table.header)}; add them, as 'meanings annotate export' writes them"
        )
    return pd.DataFrame([row for _, row in table.rows])


def _restored(text: str) -> str:
    """A cell's text as it was before it was guarded against spreadsheets."""
    return clean(original(text))


def _write(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """Write rows of texts as CSV, guarded against spreadsheets that run formulas."""
    with atomic_file(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(map(harmless, row) for row in rows)
