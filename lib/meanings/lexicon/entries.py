"""What the readers of word lists find, and what they share: cells checked and cleaned, languages
that are left out, concepts without a word.

A refusal names file, line and column (`where`), and what was expected.
"""

import re
import unicodedata
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from meanings.core.errors import MeaningsError
from meanings.core.tables import Table, read_table
from meanings.lexicon.flaws import flaw_of_text, flaw_of_word
from meanings.lexicon.language_codes import EXPECTED, known_code
from meanings.lexicon.languages import LANGUAGES
from meanings.lexicon.scripts import flaw_of_script

SPACES = re.compile(r"[^\S\x00-\x1f\x85\u2028\u2029]+")  # and neither tabs nor line breaks
ROWS = "give each word its own row"
Words = dict[str, dict[str, tuple[str, ...]]]


class Entries(NamedTuple):
    """What a reader found: language codes, `words[concept][code]` and the concepts' categories."""

    languages: tuple[str, ...]
    words: Words
    categories: dict[str, str]


class LeftOut(UserWarning):
    """Columns or languages of a word list that are not known, and so not read."""


def read_words(path: Path) -> Table:
    """As `read_table`, with control characters inside a cell kept for the check to find."""
    return read_table(path, cleaned)


def cleaned(text: str) -> str:
    """NFC, without outer white space, runs of spaces made one space."""
    composed = unicodedata.normalize("NFC", text).strip()
    return composed if composed.isalnum() else SPACES.sub(" ", composed)


def one_word(cell: str, where: str, language: str, apart: str = ROWS) -> str:
    """The one word of a cell, in a language. Raises MeaningsError, with `where`, on an empty or
    unusable one.

    - `apart`: how the layout has several words, for that message.
    """
    word = cleaned(cell)
    if not word:
        raise MeaningsError(f"{where}: empty; expected a word")
    if flaw := flaw_of_word(word, language, apart):
        raise MeaningsError(f"{where}: {word[:60]!r} {flaw}")
    return word


def split_words(cell: str, where: str, language: str) -> tuple[str, ...]:
    """Accepted words of one cell in a language, `|` between them, in order.

    Raises MeaningsError, with `where`, on an empty, doubled or unusable one.
    """
    parts = cell.split("|")
    if not all(map(cleaned, parts)):
        raise MeaningsError(
            f"{where}: {f'an empty word in {cell!r}' if cell else 'empty'}; expected one word or "
            "more, '|' between them"
        )
    words = tuple(one_word(part, where, language, "put '|' between words") for part in parts)
    if len(set(words)) < len(words):
        raise MeaningsError(f"{where}: a word twice in {cell!r}; expected distinct words")
    return words


def concept_of(row: Mapping[str, str], column: str, line: int, path: Path) -> str:
    """The row's concept. Raises MeaningsError where it is empty or unusable."""
    concept, where = row[column], f"{path}, line {line}, column {column!r}"
    if not concept:
        raise MeaningsError(f"{where}: empty; expected the concept's English gloss or identifier")
    if flaw := flaw_of_text(concept):
        raise MeaningsError(f"{where}: {concept[:60]!r} {flaw}")
    return concept


def gloss(row: Mapping[str, str], column: str, lines: dict[str, int], line: int, path: Path) -> str:
    """The row's concept, noted in `lines`. Raises MeaningsError as `concept_of` does, and where it
    was there before.
    """
    concept = concept_of(row, column, line, path)
    if concept in lines:
        raise MeaningsError(
            f"{path}, line {line}, column {column!r}: {concept!r} is already on line "
            f"{lines[concept]}; merge the rows"
        )
    lines[concept] = line
    return concept


def column_named(table: Table, name: str) -> str | None:
    """The column of this name, in any case; None where there is none."""
    return next((column for column in table.header if column.lower() == name), None)


def language_columns(table: Table, others: tuple[str, ...]) -> dict[str, str]:
    """The columns that are languages, with their codes; of what is neither these nor `others`, in
    any case, a warning says that it is left out.

    Raises MeaningsError on fewer than two languages, or one in two columns.
    """
    codes = {column: known_code(column) for column in table.header if column.lower() not in others}
    unknown = [column for column, code in codes.items() if code is None]
    found = {column: code for column, code in codes.items() if code is not None}
    doubled = [column for column, code in found.items() if list(found.values()).count(code) > 1]
    if doubled:
        raise MeaningsError(
            f"{table.path}, line 1: columns {listed(doubled)} are the same language; keep one"
        )
    if len(found) < 2:
        raise MeaningsError(
            f"{table.path}, line 1: {len(found)} language columns ({listed(found)}; not known: "
            f"{listed(unknown)}); expected two or more of {listed(LANGUAGES)}, {EXPECTED}"
        )
    leave_out(table.path, "columns", unknown)
    return found


def leave_out(path: Path, what: str, names: Iterable[str]) -> None:
    """Warn, in one line, of columns or languages that are not read."""
    if names := sorted(set(names)):
        warnings.warn(
            f"word list {path}: {what} {listed(names[:20])}"
            f"{f' and {len(names) - 20} more' if len(names) > 20 else ''} left out; languages are "
            f"{listed(LANGUAGES)}, {EXPECTED}",
            LeftOut,
            stacklevel=2,
        )


def complete(
    path: Path,
    languages: tuple[str, ...],
    words: Words,
    categories: Mapping[str, str],
    unknown: Iterable[str] = (),
) -> Entries:
    """The concepts with a word in every language; a warning names the languages not known.

    Raises MeaningsError where there are no such concepts, on fewer than two languages, and on one
    whose words are in another's script.
    """
    if len(languages) < 2:
        raise MeaningsError(
            f"{path}: words in {listed(languages)} only (not known: "
            f"{listed(sorted(set(unknown))[:20])}); expected two or more of {listed(LANGUAGES)}, "
            f"{EXPECTED}"
        )
    leave_out(path, "languages", unknown)
    whole = {
        concept: {code: entry[code] for code in languages}
        for concept, entry in words.items()
        if all(entry.get(code) for code in languages)
    }
    if not whole:
        raise MeaningsError(
            f"{path}: no concept with a word in every language of {listed(languages)}; leave out "
            "the language that lacks most"
        )
    for code in languages:
        if flaw := flaw_of_script(code, [entry[code][0] for entry in whole.values()]):
            raise MeaningsError(f"{path}: language {code!r}: {flaw}")
    return Entries(
        languages,
        whole,
        {concept: category for concept, category in categories.items() if concept in whole},
    )


def listed(names: Iterable[object]) -> str:
    """Names in quotes with commas between them, for a message."""
    return ", ".join(repr(name) for name in names) or "none"
