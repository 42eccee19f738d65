"""A strict reader of AM2iCo: does a word in one language mean what an English word means in its own
context?

    context1 <tab> context2 <tab> label         one pair of contexts per row, below a header
    `Sie ging zur <word>Bank</word> .`          context1, in the language of the file
    `She went to the <word>bank</word> .`       context2, in English
    T or F                                      whether the two words have one meaning

Files are `LANG/dev.tsv` and `LANG/test.tsv`, as the authors publish them, or `LANG-dev.tsv`, each
also with `.gz`. A double quote is a character like any other. Runs of white space, which stand
around the marks, become one space. Source: Liu et al. 2021 (arXiv 2104.08639); CC BY 4.0.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

from meanings.core.errors import MeaningsError, one_of
from meanings.core.hashing import content_hash

COLUMNS = ("context1", "context2", "label")
SPLITS = ("dev", "test")
OPEN, CLOSE = "<word>", "</word>"
MAX_BYTES = 64 * 2**20  # unpacked; the largest file of the data set has 1 million
COMMIT = "2003865050bc9a9e84f2bcb4979f03734bddab28"  # of github.com/cambridgeltl/AM2iCo
# of the unpacked files of this commit
KNOWN = {
    "ar-dev": "820809a5807c46f38a85e43a87c3200689eca178607057c88d798c331570925d",
    "ar-test": "521934fd4426d1eafba6a5e9beeb9ab42d44c1ac9fb59823e1e61886fe267e6c",
    "de-dev": "96bba3bbede13e84fe7126af71d62529806c20d8c758077b11ffbc5e77f1e22d",
    "de-test": "0a0b118a31d4e1a0582a1b360644f8f8c35abc10ebaa7d405c3074e931660b9b",
    "fi-dev": "e04ed7055bead8e0e359d53c547bba8df58d4ecdc1ada1b5843ccf08cbd984af",
    "fi-test": "8037eb0c73a59808f590f71f9ac2a0b3bfcd90602e748992b5ba200a5316c080",
    "ru-dev": "667a791f49a5f874b3d46d7a2291637dce915a301b1c2ad67aa6594f4d71bd61",
    "ru-test": "02036c93e34c2b1a0444292bf7f23756dfe90aa48259612f335690989eec48f9",
    "tr-dev": "d16066fbfa43d170e7d118302fa698481ec29b40054c1ef4add53475bdd4e08c",
    "tr-test": "55f139097f07fe9af042f8975bf001050e940a859fa86985cc628154c6a1849e",
    "zh-dev": "53497106b86103734b29058495b37057de95054b8e4fa3c668d03ed9fc12ed2d",
    "zh-test": "8aebb538e0a6d3ee2e3fdb7b879b1e58484083291bdd6b88c0e16fac92bd0e19",
}


@dataclass(frozen=True)
class Context:
    """A word and what stands left of it; a space between them belongs to `before`."""

    before: str
    word: str


@dataclass(frozen=True)
class Row:
    """A pair of contexts; `same` where the two words have one meaning."""

    other: Context
    english: Context
    same: bool


@dataclass(frozen=True)
class Am2ico:
    """The pairs of contexts of some languages.

    - `rows[language][split]`; `sha256s[language-split]`: of the unpacked files.
    """

    name: str
    rows: dict[str, dict[str, tuple[Row, ...]]]
    sha256s: dict[str, str]

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that are compared with English, in the order asked for."""
        return tuple(self.rows)

    @property
    def sha256(self) -> str:
        """Hash of all files."""
        return content_hash(self.languages, self.sha256s)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Files whose checksum is not that of the registered commit, such as `de-dev`."""
        return tuple(name for name, each in self.sha256s.items() if KNOWN.get(name) != each)


def read_am2ico(folder: Path, languages: tuple[str, ...]) -> Am2ico:
    """The dev and test pairs of these languages.

    Raises MeaningsError naming file, row and column where a file is missing, damaged or no UTF-8, a
    row has not three columns, a context has not exactly one `<word>...</word>`, a label is neither
    T nor F, or a file has one label only.
    """
    rows: dict[str, dict[str, tuple[Row, ...]]] = {}
    sha256s = {}
    for code in languages:
        rows[code] = {}
        for split in SPLITS:
            path = _file(folder, code, split)
            content = _content(path)
            sha256s[f"{code}-{split}"] = hashlib.sha256(content).hexdigest()
            rows[code][split] = _rows(path, content)
    return Am2ico(folder.resolve().name, rows, sha256s)


def _file(folder: Path, code: str, split: str) -> Path:
    names = [f"{code}{join}{split}.tsv{end}" for join in ("/", "-") for end in ("", ".gz")]
    found = [folder / name for name in names if (folder / name).is_file()]
    if not found:
        raise MeaningsError(
            f"{folder}: no {split} file of {code!r}; expected {one_of(names)}, as in "
            "github.com/cambridgeltl/AM2iCo"
        )
    return found[0]


def _content(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise MeaningsError(f"{path}: not readable ({reason}); fetch the file again") from None
    if len(content) > MAX_BYTES:
        raise MeaningsError(
            f"{path}: larger than {MAX_BYTES >> 20} MiB; expected AM2iCo rows; fetch the file again"
        )
    return content


def _rows(path: Path, content: bytes) -> tuple[Row, ...]:
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MeaningsError(f"{path}, row {line}: not UTF-8; save the file as UTF-8") from None
    header = tuple(lines[0].rstrip("\r").split("\t"))
    if header != COLUMNS:
        raise MeaningsError(
            f"{path}, row 1: columns {one_of(header)}; expected {one_of(COLUMNS)} with tabs between"
        )
    found = tuple(
        _row(f"{path}, row {number}", line.rstrip("\r").split("\t"))
        for number, line in enumerate(lines[1:], 2)
        if line.strip()
    )
    if len({row.same for row in found}) < 2:
        raise MeaningsError(
            f"{path}: {len(found)} rows without both labels, T and F; give rows of both"
        )
    return found


def _row(where: str, cells: list[str]) -> Row:
    if len(cells) != len(COLUMNS):
        raise MeaningsError(
            f"{where}: {len(cells)} columns, expected {len(COLUMNS)} with tabs between them: "
            + " ".join(COLUMNS)
        )
    if cells[2] not in ("T", "F"):
        raise MeaningsError(f"{where}, column label: {cells[2]!r}; allowed are T and F")
    other, english = (
        _context(f"{where}, column {name}", cell)
        for name, cell in zip(COLUMNS[:2], cells[:2], strict=True)
    )
    return Row(other, english, cells[2] == "T")


def _context(where: str, text: str) -> Context:
    """The word between the marks, and what stands left of it."""
    before, opened, rest = text.partition(OPEN)
    word, closed, _ = rest.partition(CLOSE)
    marks = text.count(OPEN), text.count(CLOSE)
    if not (opened and closed and word.strip()) or marks != (1, 1):
        raise MeaningsError(
            f"{where}: {marks[0]} {OPEN} and {marks[1]} {CLOSE} in {text[:40]!r}; expected one "
            "word between one pair of marks"
        )
    spaced = before[-1:].isspace()
    return Context(
        " ".join(before.split()) + (" " if before.strip() and spaced else ""), _one(word)
    )


def _one(text: str) -> str:
    return " ".join(text.split())
