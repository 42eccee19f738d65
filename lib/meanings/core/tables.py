"""CSV files read line by line: every refusal names file, line and column."""

import codecs
import csv
import io
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from meanings.core.errors import MeaningsError

MAX_BYTES = (
    64 * 2**20
)  # a word list is far smaller; a larger file is a mistake that would fill the memory


class Table(NamedTuple):
    """A CSV file with its header checked; `rows` carry the line on which each row ends."""

    path: Path
    header: tuple[str, ...]
    rows: list[tuple[int, dict[str, str]]]


def clean(text: str) -> str:
    """NFC, stripped, inner runs of white space made one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def read_table(path: Path, cleaned: Callable[[str], str] = clean) -> Table:
    """Read a comma-separated UTF-8 file whose first line names the columns; cells as `cleaned`
    gives them back.

    Raises MeaningsError where the file is missing, empty, too large, no UTF-8, separated by other
    marks than commas, has a column twice, no rows, or a row with too few or too many cells.
    """
    reader, begins = csv.reader(io.StringIO(read_text(path), newline=""), strict=True), 1
    try:
        header = _columns(path, next(reader))
        _check_header(path, header)
        rows = []
        begins = reader.line_num + 1
        for cells in reader:
            begins = reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise MeaningsError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells, expected {len(header)}, "
                    "one for each column "
                    "of the header; quote a cell that contains a comma"
                )
            rows.append((reader.line_num, dict(zip(header, map(cleaned, cells), strict=True))))
    except csv.Error as error:
        raise MeaningsError(
            f"{path}, line {reader.line_num}: not readable as CSV ({error}); expected "
            f"comma-separated cells{_unclosed(begins, reader.line_num)}"
        ) from None
    if not rows:
        raise MeaningsError(f"{path}: a header and no rows; expected one row for each concept")
    return Table(path, header, rows)


def _unclosed(begins: int, line: int) -> str:
    """Where to look for the cause of a row that begins on another line than it fails on."""
    if begins >= line:
        return ""
    return f": the row begins on line {begins}, perhaps with a double quote that is never closed"


def read_header(path: Path) -> tuple[str, ...]:
    """The columns that a CSV file's first line names. Raises MeaningsError as `read_table` does."""
    try:
        cells = next(csv.reader(io.StringIO(read_text(path), newline="")), [])
    except csv.Error as error:
        raise MeaningsError(
            f"{path}, line 1: not readable as CSV ({error}); expected the columns' names with "
            "commas between them"
        ) from None
    return _columns(path, cells)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file. Raises MeaningsError where it is missing, empty, too large or no
    UTF-8.
    """
    if not path.is_file():
        raise MeaningsError(f"{path}: no such file; expected a CSV word list")
    if path.stat().st_size > MAX_BYTES:
        raise MeaningsError(
            f"{path}: {path.stat().st_size / 2**20:.0f} MiB; expected a word list of at most "
            f"{MAX_BYTES // 2**20} MiB"
        )
    raw = path.read_bytes()
    if raw.startswith(b"PK\x03\x04"):
        raise MeaningsError(
            f"{path}: a spreadsheet or an archive, not text; export it as CSV with commas, in UTF-8"
        )
    if b"\0" in raw[:2] or raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise MeaningsError(
            f"{path}: UTF-16, which spreadsheets call Unicode text, or not text at all; save it "
            f"as UTF-8"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise MeaningsError(
            f"{path}, line {line}: byte {raw[error.start]:#04x} is not UTF-8; save the file as "
            f"UTF-8"
        ) from None
    if not text.strip():
        raise MeaningsError(f"{path}: empty; expected a header line and one row for each concept")
    return text


def _columns(path: Path, cells: list[str]) -> tuple[str, ...]:
    """The columns' names. Raises MeaningsError where the first line is Excel's `sep=;`, or has
    other marks than commas between columns.
    """
    first = ",".join(cells)
    if first.lower().startswith("sep="):
        raise MeaningsError(
            f"{path}, line 1: {first[:60]!r} is Excel's note of the separator; delete this line, "
            "and save the file with commas between columns"
        )
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if mark in first.strip():
            raise MeaningsError(
                f"{path}, line 1: {first[:60]!r} has {name}; expected commas between columns, not "
                "semicolons or tabs: export the file again as CSV with commas"
            )
    return tuple(map(clean, cells))


def _check_header(path: Path, header: tuple[str, ...]) -> None:
    for position, column in enumerate(header, 1):
        if not column:
            raise MeaningsError(
                f"{path}, line 1: column {position} has no name; expected a name for each column "
                "(a row number needs none: pandas leaves it out with index=False)"
            )
        if header.index(column) != position - 1:
            raise MeaningsError(f"{path}, line 1: column {column!r} occurs twice; keep one")
