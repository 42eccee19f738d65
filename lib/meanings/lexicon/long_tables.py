"""Reader of long ("tidy") word lists: one row per word."""

from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.tables import Table
from meanings.lexicon.entries import (
    Entries,
    complete,
    concept_of,
    listed,
    one_word,
    read_words,
)
from meanings.lexicon.language_codes import EXPECTED, known_code
from meanings.lexicon.languages import LANGUAGES

# The names by which a long table may call its columns; the first that is there counts.
LONG_COLUMNS = {
    "concept": ("concept", "concept_id", "meaning", "meaning_id", "id", "gloss"),
    "language": (
        "language",
        "lang",
        "language_code",
        "lang_code",
        "uid",
        "language_variety",
        "langvar",
    ),
    "word": ("word", "form", "translation", "txt", "expression", "text"),
    "rank": ("rank", "order"),
    "preferred": ("preferred", "is_preferred"),
    "category": ("category", "domain"),
}
# concept -> language -> (not preferred, rank, line, word)
RankedWords = dict[str, dict[str, list[tuple[bool, float, int, str]]]]


def read_long(path: Path) -> Entries:
    """Read a long ("tidy") CSV, one row per word: the concept, the language's code, the word.

        concept,language,word,rank,category
        cat,eng_Latn,cat,1,animal
        cat,fra_Latn,chat,1,animal
        cat,fra_Latn,matou,2,animal

    Columns are known by the names of `LONG_COLUMNS`, in any case, among them PanLex's `meaning`,
    `uid` (`fra-000`) and `txt`; `rank` (a number, the smallest first), `preferred` (true or false)
    and `category` are optional; others are ignored. A language is an ISO 639-1 or 639-3 code or a
    Glottocode, alone or with a script (`eng_Latn`); rows of others are left out, with a warning. A
    concept is named as its column names it, be it a gloss or an identifier. Words come preferred
    first, then by rank, then as they stand; concepts without a word in every language are dropped.
    """
    table = read_words(path)
    return entries_of_rows(table, _long_columns(table))


def entries_of_rows(table: Table, columns: Mapping[str, str], repeated: bool = False) -> Entries:
    """The entries of a table of one row per word.

    - `columns`: the names of its columns for `concept`, `language`, `word` and what else of
      `LONG_COLUMNS` it has.
    - `repeated`: whether a word may be there several times for a concept, and counts once;
      otherwise it is an error.
    """
    ranked, categories, unknown = _ranked_words(table, columns, repeated)
    languages = tuple(dict.fromkeys(code for entry in ranked.values() for code in entry))
    words = {
        concept: {
            code: tuple(word for *_, word in sorted(rows, key=itemgetter(0, 1, 2)))
            for code, rows in entry.items()
        }
        for concept, entry in ranked.items()
    }
    return complete(table.path, languages, words, categories, unknown)


def _ranked_words(
    table: Table, columns: Mapping[str, str], repeated: bool
) -> tuple[RankedWords, dict[str, str], set[str]]:
    """The words by concept and language, with what orders them; the concepts' categories; the
    languages that are not known.
    """
    ranked: RankedWords = {}
    categories: dict[str, str] = {}
    unknown: set[str] = set()
    for line, row in table.rows:
        cells = {what: row[column] for what, column in columns.items()}
        places = {
            what: f"{table.path}, line {line}, column {column!r}"
            for what, column in columns.items()
        }
        code = known_code(cells["language"])
        if code is None:
            if not cells["language"]:
                raise MeaningsError(
                    f"{places['language']}: empty; expected one of {listed(LANGUAGES)}, {EXPECTED}"
                )
            unknown.add(cells["language"][:60])
            continue
        concept = concept_of(row, columns["concept"], line, table.path)
        order = (
            not _yes(cells.get("preferred", ""), places.get("preferred", "")),
            _rank(cells.get("rank", ""), places.get("rank", "")),
            line,
        )
        word = one_word(cells["word"], places["word"], code)
        rows = ranked.setdefault(concept, {}).setdefault(code, [])
        if word not in (before for *_, before in rows):
            rows.append((*order, word))
        elif not repeated:
            raise MeaningsError(
                f"{places['word']}: {word!r} occurs twice for concept {concept!r} in {code!r}; "
                "keep one"
            )
        if category := cells.get("category"):
            if categories.setdefault(concept, category) != category:
                raise MeaningsError(
                    f"{places['category']}: {category!r}, but concept {concept!r} has "
                    f"{categories[concept]!r} above; give it one"
                )
    return ranked, categories, unknown


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
                f"{listed(names)}, columns are {listed(table.header)}"
            )
    return found


def _rank(cell: str, where: str) -> float:
    """A rank, the smallest first; words without one come last."""
    if not cell:
        return float("inf")
    if not (cell.isascii() and cell.isdigit()):
        raise MeaningsError(
            f"{where}: {cell[:60]!r}; expected a whole number (the smallest marks the word that "
            f"prompts use) or an empty cell"
        )
    return float(cell[:300])


def _yes(cell: str, where: str) -> bool:
    if cell.lower() not in ("", "1", "0", "true", "false", "yes", "no"):
        raise MeaningsError(
            f"{where}: {cell[:60]!r}; expected true or false (yes or no, 1 or 0) or an empty cell"
        )
    return cell.lower() in ("1", "true", "yes")
