"""A strict reader of lists of occupations and gendered words in the layout of MultilingualBias.

    <language>_male_def_occ     English word, tab, word of the language; en has one word per row
    <language>_female_def_occ   the same rows, with the female form
    <language>_gender_pairs.json    [[female, male], ...]

A row that breaks the layout is refused with its file and row: the published reader splits at tabs
and drops, without a word, the 18 German rows that have several.
Source: github.com/MSR-LIT/MultilingualBias (Zhao et al. 2020).
"""

from __future__ import annotations

import gzip
import json
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from meanings.core.errors import MeaningsError, one_of
from meanings.core.hashing import content_hash

GENDERS = ("male", "female")
PAIRS = "gender_pairs.json"
MAX_BYTES = 2**20  # a list of some hundred words has some thousand


class Forms(NamedTuple):
    """The male and the female form of a word."""

    male: str
    female: str


@dataclass(frozen=True)
class GenderedWords:
    """Words of one language.

    - `occupations`: English forms -> forms of the language.
    - `pairs`: seeds, such as man and woman.
    """

    occupations: dict[Forms, Forms]
    pairs: tuple[Forms, ...]


def read_gender_lists(folder: Path, languages: Sequence[str]) -> dict[str, GenderedWords]:
    """The words of each language; all have the same occupations, in the first one's order.

    Raises MeaningsError naming file and row where a file is missing, damaged, too large or no
    UTF-8, a row has not its columns, an occupation or a seed comes twice, or languages differ in
    their occupations.
    """
    found = {code: _language(folder, code) for code in languages}
    first = next(iter(found))
    for code, words in found.items():
        differing = words.occupations.keys() ^ found[first].occupations.keys()
        if differing:
            forms = min(differing)
            lacking = code if forms in found[first].occupations else first
            raise MeaningsError(
                f"{_path(folder, f'{lacking}_male_def_occ')}: no row for {'/'.join(forms)}, which "
                f"{first if lacking == code else code} has; add one, or leave it out everywhere"
            )
    return {
        code: GenderedWords(
            {forms: words.occupations[forms] for forms in found[first].occupations}, words.pairs
        )
        for code, words in found.items()
    }


def sha256_of(lists: dict[str, GenderedWords]) -> str:
    """Hash of all words, by language."""
    return content_hash(
        {
            code: [[[*english, *own] for english, own in words.occupations.items()], words.pairs]
            for code, words in lists.items()
        }
    )


def _language(folder: Path, code: str) -> GenderedWords:
    columns = [_rows(_path(folder, f"{code}_{gender}_def_occ"), code) for gender in GENDERS]
    if len(columns[0]) != len(columns[1]):
        raise MeaningsError(
            f"{_path(folder, f'{code}_female_def_occ')}: {len(columns[1])} rows, and the male list "
            f"has {len(columns[0])}; a row is one occupation in both"
        )
    occupations: dict[Forms, Forms] = {}
    for row, (male, female) in enumerate(zip(*columns, strict=True), start=1):
        english = Forms(male[0], female[0])
        if english in occupations:
            raise MeaningsError(
                f"{_path(folder, f'{code}_male_def_occ')}, row {row}: {'/'.join(english)} is there "
                "twice; leave one out"
            )
        occupations[english] = Forms(male[-1], female[-1])
    return GenderedWords(occupations, _pairs(_path(folder, f"{code}_{PAIRS}")))


def _rows(path: Path, code: str) -> list[list[str]]:
    """Each row's cells: English and the language's word, in English one word."""
    width = 1 if code == "en" else 2
    rows = []
    for row, line in enumerate(_text(path).removesuffix("\n").split("\n"), start=1):
        cells = [unicodedata.normalize("NFC", cell).strip() for cell in line.split("\t")]
        if len(cells) != width:
            expected = "one word" if width == 1 else "an English word, one tab and a word"
            raise MeaningsError(f"{path}, row {row}: {len(cells)} columns; expected {expected}")
        if not all(cells):
            raise MeaningsError(
                f"{path}, row {row}, column {cells.index('') + 1}: empty; give a word"
            )
        rows.append(cells)
    return rows


def _pairs(path: Path) -> tuple[Forms, ...]:
    try:
        content = json.loads(_text(path))
    except ValueError as error:
        raise MeaningsError(
            f"{path}: not readable as JSON ({error}); fetch the file again"
        ) from None
    if not isinstance(content, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(w, str) and w for w in pair)
        for pair in content
    ):
        raise MeaningsError(f"{path}: expected pairs of words, [[female, male], ...]")
    pairs = [[unicodedata.normalize("NFC", word).strip() for word in pair] for pair in content]
    known: set[str] = set()
    for row, pair in enumerate(pairs, start=1):
        twice = known.intersection(pair)
        if twice:
            raise MeaningsError(
                f"{path}, pair {row}: {min(twice)!r} stands in an earlier pair; leave one out"
            )
        known.update(pair)
    return tuple(Forms(male, female) for female, male in pairs)


def _path(folder: Path, name: str) -> Path:
    """The file of that name, or `name.gz` where only that is there."""
    packed = folder / f"{name}.gz"
    return packed if packed.is_file() and not (folder / name).is_file() else folder / name


def _text(path: Path) -> str:
    if not path.is_file():
        there = sorted(each.name for each in path.parent.glob("*_def_occ*"))
        raise MeaningsError(f"{path}: no such file; the folder has {one_of(there, 10)}")
    try:
        opened = gzip.open(path) if path.suffix == ".gz" else path.open("rb")
        with opened as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise MeaningsError(
            f"{path}: not readable ({error}); check the path and its permissions"
        ) from None
    if len(content) > MAX_BYTES:
        raise MeaningsError(f"{path}: too large; expected a list of at most {MAX_BYTES >> 20} MiB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MeaningsError(f"{path}: no UTF-8 at byte {error.start}; save it as UTF-8") from None
