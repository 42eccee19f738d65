"""Reader of long ("tidy") word lists, such as CLDF's: one row per word."""

from operator import itemgetter
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.tables import Table, read_table
from meanings.lexicon.entries import Entries, language_code, listed, split_words
from meanings.lexicon.languages import LANGUAGES

# The names by which a long table may call its columns.
LONG_COLUMNS = {
    "concept": ("concept", "concept_id", "id", "gloss"),
    "language": ("language", "lang", "language_code", "lang_code"),
    "word": ("word", "form", "translation"),
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

    Columns are known by the names of `LONG_COLUMNS`, in any case; `rank` (a number, the smallest
    first), `preferred` (true or false) and `category` are optional; others are ignored. A language
    is an ISO 639-1 or 639-3 code, alone or with a script (`eng_Latn`). A concept is named as its
    column names it, be it a gloss or an identifier. Words come preferred first, then by rank, then
    as they stand; concepts without a word in every language are dropped.
    """
    found, categories = _ranked_words(read_table(path))
    languages = tuple(dict.fromkeys(code for entry in found.values() for code in entry))
    if len(languages) < 2:
        raise MeaningsError(
            f"{path}: words in {listed(languages)} only; expected two or more of "
            f"{listed(LANGUAGES)}"
        )
    words = {
        concept: {
            code: tuple(word for *_, word in sorted(entry[code], key=itemgetter(0, 1, 2)))
            for code in languages
        }
        for concept, entry in found.items()
        if set(languages) <= set(entry)
    }
    if not words:
        raise MeaningsError(
            f"{path}: no concept with a word in every language of {listed(languages)}"
        )
    return Entries(
        languages,
        words,
        {concept: category for concept, category in categories.items() if concept in words},
    )


def _ranked_words(table: Table) -> tuple[RankedWords, dict[str, str]]:
    """The words by concept and language, with what orders them, and the concepts' categories."""
    columns = _long_columns(table)
    found: RankedWords = {}
    categories: dict[str, str] = {}
    for line, row in table.rows:
        cells = {what: row[column] for what, column in columns.items()}
        places = {
            what: f"{table.path}, line {line}, column {column!r}"
            for what, column in columns.items()
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
    return found, categories


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
