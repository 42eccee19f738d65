"""Readers of word lists: a plain wide CSV, a long one, Multi-SimLex in its own layout, and
BabelNet-style lists.

All give `Entries`: for each concept, named by its English gloss, the accepted words per language.
The first word is the one written into prompts. A malformed file is refused with file, line, column
and what was expected.
"""

import ast
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from meanings.core.errors import MeaningsError
from meanings.core.tables import Table, _text, clean, read_table
from meanings.lexicon.languages import LANGUAGES

Layout = Literal["wide", "long", "multi-simlex", "lists"]
MULTI_SIMLEX_CODES = {
    "ENG": "en", "ARA": "ar", "CMN": "zh", "CYM": "cy", "EST": "et", "FIN": "fi", "FRA": "fr",
    "HEB": "he", "POL": "pl", "RUS": "ru", "SPA": "es", "SWA": "sw", "YUE": "yue",
}  # fmt: skip

# The names by which a long table may call its columns, and other names of the languages' codes.
LONG_COLUMNS = {
    "concept": ("concept", "concept_id", "id", "gloss"), "language": ("language", "lang", "language_code", "lang_code"),
    "word": ("word", "form", "translation"), "rank": ("rank", "order"), "preferred": ("preferred", "is_preferred"), "category": ("category", "domain"),
}  # fmt: skip
ISO_639_3 = {
    "eng": "en", "fra": "fr", "deu": "de", "spa": "es", "ita": "it", "rus": "ru", "pol": "pl", "fin": "fi", "est": "et", "ekk": "et",
    "cym": "cy", "swa": "sw", "swh": "sw", "zho": "zh", "cmn": "zh", "yue": "yue", "heb": "he", "ara": "ar", "arb": "ar",
}  # fmt: skip


class Entries(NamedTuple):
    """What a reader found: language codes, `words[concept][code]` and the concepts' categories."""

    languages: tuple[str, ...]
    words: dict[str, dict[str, tuple[str, ...]]]
    categories: dict[str, str]


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
            f"{path}, line 1: no column 'concept'; columns are {_listed(table.header)}"
        )
    languages = tuple(column for column in table.header if column not in ("concept", "category"))
    for column in languages:
        if column not in LANGUAGES:
            raise MeaningsError(
                f"{path}, line 1, column {column!r}: expected 'concept', 'category' or a language "
                f"code of {_listed(LANGUAGES)}"
            )
    if len(languages) < 2:
        raise MeaningsError(
            f"{path}, line 1: {len(languages)} language columns; expected two or more of "
            f"{_listed(LANGUAGES)}"
        )
    words: dict[str, dict[str, tuple[str, ...]]] = {}
    categories: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, row in table.rows:
        concept = _gloss(row, "concept", lines, line, path)
        words[concept] = {
            code: split_words(row[code], f"{path}, line {line}, column {code!r}")
            for code in languages
        }
        if row.get("category"):
            categories[concept] = row["category"]
    return Entries(languages, words, categories)


def read_multi_simlex(path: Path, left_out: tuple[str, ...] = ("ar", "he")) -> Entries:
    """Read Multi-SimLex in its own layout: columns `PoS` and `ENG 1, ENG 2, CMN 1, CMN 2, ...`;
    nouns only.

    The words of the two sides are stacked; stacked rows with an empty cell in any language are
    dropped; an English word that occurs with two parts of speech is dropped; repeated English words
    are merged, their distinct translations kept in order of appearance. Then the languages
    `left_out` are left out. Other columns (`translation 1`, `scores 1`, ...) are ignored.

    Source: Vulić et al. 2020 for the data; Körner et al. 2026 for the rules.
    """
    table = read_table(path)
    parts = next((column for column in table.header if column.lower() == "pos"), None)
    if parts is None:
        raise MeaningsError(
            f"{path}, line 1: no column 'PoS'; expected it beside 'ENG 1', 'ENG 2', ..."
        )
    codes = _multi_simlex_languages(table)
    senses: dict[str, set[str]] = {}
    stacked = []
    for side in ("1", "2"):
        for line, row in table.rows:
            words = {code: row[f"{prefix} {side}"] for prefix, code in codes.items()}
            if words["en"]:
                senses.setdefault(words["en"], set()).add(
                    _part_of_speech(row[parts], f"{path}, line {line}, column {parts!r}")
                )
            if all(words.values()):
                stacked.append(words)
    merged: dict[str, dict[str, list[str]]] = {}
    for words in stacked:
        if senses[words["en"]] == {"noun"}:
            entry = merged.setdefault(words["en"], {code: [] for code in words})
            for code, word in words.items():
                if word not in entry[code]:
                    entry[code].append(word)
    if not merged:
        raise MeaningsError(
            f"{path}: no noun with a word in every language; expected rows whose {parts} is 'nouns'"
        )
    kept = tuple(code for code in codes.values() if code not in left_out)
    words = {
        concept: {code: tuple(entry[code]) for code in kept} for concept, entry in merged.items()
    }
    return Entries(kept, words, {})


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
            f"{path}, line 1: expected 'word_original' and two or more of {_listed(LANGUAGES)}; "
            f"columns are {_listed(table.header)}"
        )
    words: dict[str, dict[str, tuple[str, ...]]] = {}
    lines: dict[str, int] = {}
    for line, row in table.rows:
        concept = _gloss(row, "word_original", lines, line, path)
        entry = {
            code: _list(row[code], f"{path}, line {line}, column {code!r}") for code in languages
        }
        if all(entry.values()):
            words[concept] = entry
    if not words:
        raise MeaningsError(f"{path}: no row with a word in every language of {_listed(languages)}")
    return Entries(languages, words, {})


def read_long(path: Path) -> Entries:
    """Read a long ("tidy") CSV, one row a word: the concept, the language's code, the word.

        concept,language,word,rank,category
        cat,eng_Latn,cat,1,animal
        cat,fra_Latn,chat,1,animal
        cat,fra_Latn,matou,2,animal

    Columns are known by the names of `LONG_COLUMNS`, in any case; `rank` (a number, the smallest
    first), `preferred` (true or false) and `category` are optional; others are ignored. A language
    is an ISO 639-1 or 639-3 code, alone or with a script (`eng_Latn`). A concept is named as its
    column names it, be it a gloss or an identifier. Words come preferred first, then by rank, then
    as they stand; concepts without a word in every language are dropped.
    """
    table = read_table(path)
    columns = _long_columns(table)
    found: dict[str, dict[str, list[tuple[bool, float, int, str]]]] = {}
    categories: dict[str, str] = {}
    for line, row in table.rows:
        cells = {what: row[column] for what, column in columns.items()}
        places = {
            what: f"{path}, line {line}, column {column!r}" for what, column in columns.items()
        }
        concept, code = cells["concept"], language_code(cells["language"], places["language"])
        if not concept:
            raise MeaningsError(
                f"{places['concept']}: empty; expected the concept's English gloss or identifier"
            )
        later, rank = (
            not _yes(cells.get("preferred", ""), places.get("preferred", "")),
            _rank(cells.get("rank", ""), places.get("rank", "")),
        )
        words = found.setdefault(concept, {}).setdefault(code, [])
        for word in split_words(cells["word"], places["word"]):
            if word in (before for *_, before in words):
                raise MeaningsError(
                    f"{places['word']}: {word!r} is there twice for concept {concept!r} in "
                    f"{code!r}; keep one"
                )
            words.append((later, rank, line, word))
        if category := cells.get("category"):
            if categories.setdefault(concept, category) != category:
                raise MeaningsError(
                    f"{places['category']}: {category!r}, but concept {concept!r} has "
                    f"{categories[concept]!r} above; give it one"
                )
    languages = tuple(dict.fromkeys(code for entry in found.values() for code in entry))
    if len(languages) < 2:
        raise MeaningsError(
            f"{path}: words in {_listed(languages)} only; expected two or more of "
            f"{_listed(LANGUAGES)}"
        )
    words = {
        concept: {
            code: tuple(word for *_, word in sorted(entry[code], key=lambda each: each[:3]))
            for code in languages
        }
        for concept, entry in found.items()
        if set(languages) <= set(entry)
    }
    if not words:
        raise MeaningsError(
            f"{path}: no concept with a word in every language of {_listed(languages)}"
        )
    return Entries(
        languages,
        words,
        {concept: category for concept, category in categories.items() if concept in words},
    )


def language_code(text: str, where: str) -> str:
    """The study's code of `fr`, `fra` or `fra_Latn`; raises MeaningsError, with `where`, on others
    and on another script than its own.
    """
    base, _, script = text.replace("-", "_").partition("_")
    code = ISO_639_3.get(base.lower(), base.lower())
    own = {"Hans": ("Hans", "Hani"), "Hant": ("Hant", "Hani")}
    if code not in LANGUAGES or (
        script and script.title() not in own.get(LANGUAGES[code].script, (LANGUAGES[code].script,))
    ):
        raise MeaningsError(
            f"{where}: {text[:60]!r}; expected one of {_listed(LANGUAGES)}, its ISO 639-3 code, or "
            "either with its script as in 'eng_Latn'"
        )
    return code


def _long_columns(table: Table) -> dict[str, str]:
    """What is in which column of a long table."""
    found = {}
    for what, names in LONG_COLUMNS.items():
        columns = [column for name in names for column in table.header if column.lower() == name]
        # `concept` beside `id` is no doubt: the first name of the list counts.
        if columns:
            found[what] = columns[0]
        elif what in ("concept", "language", "word"):
            raise MeaningsError(
                f"{table.path}, line 1: no column for the {what}; expected one of "
                f"{_listed(names)}, columns are {_listed(table.header)}"
            )
    return found


def _rank(cell: str, where: str) -> float:
    """A rank, the smallest first; words without one come last."""
    if not cell:
        return float("inf")
    if not (cell.isascii() and cell.isdigit()):
        raise MeaningsError(
            f"{where}: {cell[:60]!r}; expected a whole number, the smallest for the word of the "
            "prompts, or nothing"
        )
    return float(cell[:300])


def _yes(cell: str, where: str) -> bool:
    if cell.lower() not in ("", "1", "0", "true", "false", "yes", "no"):
        raise MeaningsError(
            f"{where}: {cell[:60]!r}; expected true or false (yes or no, 1 or 0), or nothing"
        )
    return cell.lower() in ("1", "true", "yes")


def _gloss(row: dict[str, str], column: str, lines: dict[str, int], line: int, path: Path) -> str:
    """The row's concept, noted in `lines`; refused where it is empty or was there before."""
    concept = row[column]
    if not concept:
        raise MeaningsError(
            f"{path}, line {line}, column {column!r}: empty; expected the concept's English gloss"
        )
    if concept in lines:
        raise MeaningsError(
            f"{path}, line {line}, column {column!r}: {concept!r} is already on line "
            f"{lines[concept]}; merge the rows"
        )
    lines[concept] = line
    return concept


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
    try:
        header = next(csv.reader(io.StringIO(_text(path), newline="")), [])
    except csv.Error as error:
        raise MeaningsError(
            f"{path}, line 1: not readable as CSV ({error}); expected the columns' names with "
            "commas between them"
        ) from None
    columns = tuple(clean(cell) for cell in header)
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
        f"columns are {_listed(columns)}"
    )


def split_words(cell: str, where: str) -> tuple[str, ...]:
    """Accepted words of one cell, in order; raises MeaningsError, with `where`, on an empty,
    doubled or unusable one.
    """
    words = tuple(clean(word) for word in cell.split("|"))
    for word in words:
        if not word:
            raise MeaningsError(
                f"{where}: {'empty' if not cell else f'an empty word in {cell!r}'}; expected one "
                "word or more, '|' between them"
            )
        if '"' in word or not word.isprintable():
            raise MeaningsError(
                f"{where}: {word!r} has a double quote or a control character; prompts put words "
                "between double quotes"
            )
    if len(set(words)) < len(words):
        raise MeaningsError(f"{where}: a word twice in {cell!r}; expected distinct words")
    return words


def _multi_simlex_languages(table: Table) -> dict[str, str]:
    codes = {}
    for prefix in _prefixes(table.header):
        if prefix not in MULTI_SIMLEX_CODES:
            continue
        for side in ("1", "2"):
            if f"{prefix} {side}" not in table.header:
                raise MeaningsError(
                    f"{table.path}, line 1: no column '{prefix} {side}'; expected '{prefix} 1' and "
                    f"'{prefix} 2'"
                )
        codes[prefix] = MULTI_SIMLEX_CODES[prefix]
    if "ENG" not in codes or len(codes) < 2:
        raise MeaningsError(
            f"{table.path}, line 1: languages {_listed(codes)}; expected ENG and one or more of "
            f"{_listed(MULTI_SIMLEX_CODES)}"
        )
    return codes


def _prefixes(header: tuple[str, ...]) -> Iterator[str]:
    seen = set()
    for column in header:
        prefix, _, side = column.rpartition(" ")
        if side in ("1", "2") and prefix not in seen:
            seen.add(prefix)
            yield prefix


def _part_of_speech(value: str, where: str) -> str:
    names = {"n": "noun", "v": "verb", "a": "adjective", "r": "adverb"}
    name = names.get(value.lower(), value.lower().removesuffix("s"))
    if name not in names.values():
        raise MeaningsError(
            f"{where}: {value!r}; expected one of nouns, verbs, adjectives, adverbs"
        )
    return name


def _listed(names) -> str:
    return ", ".join(repr(name) for name in names) or "none"
