"""Readers of word lists by layout: a plain wide CSV, a long one, CLDF, Multi-SimLex in its own
layout, BabelNet-style lists, and pairs of words as MUSE has them.

All give `Entries`: for each concept, named by its English gloss, the accepted words per language.
The first word is the one written into prompts. A malformed file is refused with file, line, column
and what was expected; every cell of every layout goes through the one check of
`meanings.lexicon.flaws`. A column or language that is not known is left out, with a warning.
"""

import ast
import io
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from meanings.core.errors import MeaningsError
from meanings.core.tables import read_header
from meanings.lexicon.cldf import CLDF_COLUMNS, metadata_of, read_cldf
from meanings.lexicon.entries import (
    Entries,
    column_named,
    complete,
    gloss,
    language_columns,
    listed,
    one_word,
    read_words,
    split_words,
)
from meanings.lexicon.long_tables import LONG_COLUMNS, read_long
from meanings.lexicon.multi_simlex import read_multi_simlex
from meanings.lexicon.word_pairs import pair_named, read_pairs

APART = "give each word its own quotes, with a comma between"
Layout = Literal["wide", "long", "cldf", "multi-simlex", "lists", "pairs"]


def read_wide(path: Path) -> Entries:
    """Read a plain wide CSV: a `concept` column, one column per language code, `|` between accepted
    words.

        concept,category,en,fr
        cat,animal,cat,chat|chatte

    `category` is optional, case does not matter. Every cell holds at least one word.
    """
    table = read_words(path)
    named, kind = column_named(table, "concept"), column_named(table, "category")
    if named is None:
        raise MeaningsError(
            f"{path}, line 1: no column 'concept'; columns are {listed(table.header)}"
            "; name the column of the concepts so"
        )
    columns = language_columns(table, ("concept", "category"))
    words: dict[str, dict[str, tuple[str, ...]]] = {}
    categories: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, row in table.rows:
        concept = gloss(row, named, lines, line, path)
        words[concept] = {
            code: split_words(row[column], f"{path}, line {line}, column {column!r}", code)
            for column, code in columns.items()
        }
        if kind is not None and row[kind]:
            categories[concept] = row[kind]
    return complete(path, tuple(columns.values()), words, categories)


def read_lists(path: Path) -> Entries:
    """Read a BabelNet-style `word_translation.csv`: the English word, and for each language a
    Python list of words.

        word_original,en,fr
        cat,"['cat', 'feline']","['chat']"

    A list is parsed as a literal and nothing in it is evaluated. Rows with an empty list are
    dropped, doubled words in a list and the column `senses` ignored.

    Source: Dumas et al. 2025, who publish one such file a language.
    """
    table = read_words(path)
    named = column_named(table, "word_original")
    if named is None:
        raise MeaningsError(
            f"{path}, line 1: no column 'word_original'; columns are {listed(table.header)}"
            "; name the column of the words so"
        )
    columns = language_columns(table, ("word_original", "senses"))
    words: dict[str, dict[str, tuple[str, ...]]] = {}
    lines: dict[str, int] = {}
    for line, row in table.rows:
        concept = gloss(row, named, lines, line, path)
        words[concept] = {
            code: _list(row[column], f"{path}, line {line}, column {column!r}", code)
            for column, code in columns.items()
        }
    return complete(path, tuple(columns.values()), words, {})


def _list(cell: str, where: str, language: str) -> tuple[str, ...]:
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
    if _texts_in(cell) != len(found):
        raise MeaningsError(
            f"{where}: {cell[:60]!r} has no comma between words, as numpy prints lists; expected "
            "['chat', 'matou']: write the column with .tolist()"
        )
    words = (one_word(text, where, language, APART) for text in found if text.strip())
    return tuple(dict.fromkeys(words))


def _texts_in(cell: str) -> int:
    """Quoted texts in a literal: Python joins those without a comma between them to one."""
    tokens = tokenize.generate_tokens(io.StringIO(cell).readline)
    return sum(token.type == tokenize.STRING for token in tokens)


def infer_layout(path: Path) -> Layout:
    """The layout of a word list, by its name and its header.

    `cldf` of a folder, of a file with CLDF's metadata and of its columns; `pairs` of a file named
    as `en-fr.txt`; `multi-simlex` where the header has `ENG 1`, `long` where columns name concept
    and language, `wide` where it has `concept`, `lists` where it has `word_original`, in any case.
    """
    if path.is_dir() or metadata_of(path) is not None:
        return "cldf"
    if pair_named(path):
        return "pairs"
    columns = read_header(path)
    if "ENG 1" in columns:
        return "multi-simlex"
    lower = {column.lower() for column in columns}
    if lower >= {column.lower() for column in CLDF_COLUMNS.values()}:
        return "cldf"
    if all(lower & set(LONG_COLUMNS[what]) for what in ("concept", "language")):
        return "long"  # and its reader says so where there is no column for the word
    if "concept" in lower:
        return "wide"
    if "word_original" in lower:
        return "lists"
    raise MeaningsError(
        f"{path}, line 1: expected a column 'concept' (wide layout), with 'language' and 'word' "
        "(long), 'Parameter_ID', 'Language_ID' and 'Form' (cldf), 'ENG 1' (multi-simlex) or "
        "'word_original' (lists), or a file named as 'en-fr.txt' (pairs); "
        f"columns are {listed(columns)}"
    )


READERS: dict[str, Callable[[Path], Entries]] = {
    "wide": read_wide,
    "long": read_long,
    "cldf": read_cldf,
    "multi-simlex": read_multi_simlex,
    "lists": read_lists,
    "pairs": read_pairs,
}
