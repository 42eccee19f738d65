"""Readers of word lists by layout: a plain wide CSV, a long one, Multi-SimLex in its own layout,
and BabelNet-style lists.

All give `Entries`: for each concept, named by its English gloss, the accepted words per language.
The first word is the one written into prompts. A malformed file is refused with file, line, column
and what was expected.
"""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from meanings.core.errors import MeaningsError
from meanings.core.tables import read_header, read_table
from meanings.lexicon.entries import Entries, gloss, listed, split_words
from meanings.lexicon.languages import LANGUAGES
from meanings.lexicon.long_tables import LONG_COLUMNS, read_long
from meanings.lexicon.multi_simlex import read_multi_simlex

Layout = Literal["wide", "long", "multi-simlex", "lists"]


def read_wide(path: Path) -> Entries:
    """Read a plain wide CSV: a `concept` column, one column a language code, `|` between accepted
    words.

        concept,category,en,fr
        cat,animal,cat,chat|chatte

    `category` is optional. Every cell holds at least one word.
    """
    table = read_table(path)
    if "concept" not in table.header:
        raise MeaningsError(
            f"{path}, line 1: no column 'concept'; columns are {listed(table.header)}"
        )
    languages = tuple(column for column in table.header if column not in ("concept", "category"))
    for column in languages:
        if column not in LANGUAGES:
            raise MeaningsError(
                f"{path}, line 1, column {column!r}: expected 'concept', 'category' or a language "
                f"code of {listed(LANGUAGES)}"
            )
    if len(languages) < 2:
        raise MeaningsError(
            f"{path}, line 1: {len(languages)} language columns; expected two or more of "
            f"{listed(LANGUAGES)}"
        )
    words: dict[str, dict[str, tuple[str, ...]]] = {}
    categories: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, row in table.rows:
        concept = gloss(row, "concept", lines, line, path)
        words[concept] = {
            code: split_words(row[code], f"{path}, line {line}, column {code!r}")
            for code in languages
        }
        if row.get("category"):
            categories[concept] = row["category"]
    return Entries(languages, words, categories)


def read_lists(path: Path) -> Entries:
    """Read a BabelNet-style `word_translation.csv`: the English word, and for each language a
    Python list of words.

        word_original,en,fr
        cat,"['cat', 'feline']","['chat']"

    A list is parsed as a literal and nothing in it is evaluated. Rows with an empty list are
    dropped, doubled words in a list and columns that are no language code (`senses`) ignored.

    Source: Dumas et al. 2025, who publish one such file a language.
    """
    table = read_table(path)
    languages = tuple(column for column in table.header if column in LANGUAGES)
    if "word_original" not in table.header or len(languages) < 2:
        raise MeaningsError(
            f"{path}, line 1: expected 'word_original' and two or more of {listed(LANGUAGES)}; "
            f"columns are {listed(table.header)}"
        )
    words: dict[str, dict[str, tuple[str, ...]]] = {}
    lines: dict[str, int] = {}
    for line, row in table.rows:
        concept = gloss(row, "word_original", lines, line, path)
        entry = {
            code: _list(row[code], f"{path}, line {line}, column {code!r}") for code in languages
        }
        if all(entry.values()):
            words[concept] = entry
    if not words:
        raise MeaningsError(f"{path}: no row with a word in every language of {listed(languages)}")
    return Entries(languages, words, {})


def _list(cell: str, where: str) -> tuple[str, ...]:
    """The words of a cell that holds a Python list of texts, each once; none of an empty cell."""
    if not cell:
        return ()
    try:
        found = ast.literal_eval(cell)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        found = None
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise MeaningsError(
            f"{where}: {cell[:60]!r}; expected a Python list of texts, such as ['chat', 'matou']"
        )
    return tuple(
        dict.fromkeys(word for text in found if text.strip() for word in split_words(text, where))
    )


def infer_layout(path: Path) -> Layout:
    """`multi-simlex` where the header has `ENG 1`, `long` where columns name language and word,
    `wide` where it has `concept`, else `lists`.
    """
    columns = read_header(path)
    if "ENG 1" in columns:
        return "multi-simlex"
    lower = {column.lower() for column in columns}
    if all(lower & set(LONG_COLUMNS[what]) for what in ("concept", "language", "word")):
        return "long"
    if "concept" in columns:
        return "wide"
    if "word_original" in columns:
        return "lists"
    raise MeaningsError(
        f"{path}, line 1: expected a column 'concept' (wide layout), with 'language' and 'word' "
        "(long), 'ENG 1' (multi-simlex) or 'word_original' (lists); "
        f"columns are {listed(columns)}"
    )


READERS: dict[str, Callable[[Path], Entries]] = {
    "wide": read_wide,
    "long": read_long,
    "multi-simlex": read_multi_simlex,
    "lists": read_lists,
}
