"""Build the embedded lexicon from its tables: Unicode CLDR emoji names, then corrections by hand.

concepts.csv      concept, category, emoji (empty where no emoji shows the concept)
cldr_names.csv    emoji and its CLDR 48 name in each language, extracted from the pinned package
corrections.csv   language, concept, words, comment: replaces CLDR's name, for the comment's reason
lexicon.csv       the result: a row per concept, a column per language, `|` between accepted words
"""

import csv
import json
import tarfile
from pathlib import Path

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.tables import Table, clean, read_table
from meanings.lexicon.entries import split_words
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.npm_package import NpmPackage

LANGUAGES = ("en", "fr", "de", "es", "it", "ru", "pl", "fi", "et", "cy", "sw", "zh", "yue")
PACKAGE = NpmPackage(
    "cldr-annotations-full@48.0.0",
    "6ada74c15f05e8007fae6bc311e044a94729b1e1df4ab4873f53cf77b723e487",
)


def extract_cldr(folder: Path, package: Path | None) -> None:
    """Write `cldr_names.csv` and `NOTICE` from the pinned npm package: a tarball given, or fetched.

    Only the emoji that `concepts.csv` names and the lexicon's languages are kept.
    """
    emoji = [
        row["emoji"]
        for _, row in _table(folder / "concepts.csv", ("concept", "category", "emoji")).rows
        if row["emoji"]
    ]
    with PACKAGE.opened(package) as archive:
        names = {code: _names(archive, code) for code in LANGUAGES}
        notice = PACKAGE.text(archive, "LICENSE")
    rows = [
        [symbol, *(names[code].get(symbol, "") for code in LANGUAGES)]
        for symbol in dict.fromkeys(emoji)
    ]
    _write(folder / "cldr_names.csv", ["emoji", *LANGUAGES], rows)
    (folder / "NOTICE").write_text(
        "cldr_names.csv, and lexicon.csv in part, are derived from Unicode CLDR 48 (npm package "
        f"{PACKAGE.name}).\n"
        f"They are used under the following licence.\n\n{notice.strip()}\n",
        encoding="utf-8",
    )


def build_lexicon(folder: Path, corrected: bool = True) -> Lexicon:
    """The lexicon that the tables in `folder` make; with `corrected` false, CLDR's names alone
    where all languages have one.

    Raises MeaningsError, with file, line and column, on a malformed table, a correction for an
    unknown concept or language or twice for one cell, and a cell that is left without a word.
    """
    concepts = _table(folder / "concepts.csv", ("concept", "category", "emoji"))
    symbols = {
        row["emoji"]: row
        for _, row in _table(folder / "cldr_names.csv", ("emoji", *LANGUAGES)).rows
    }
    known = {row["concept"] for _, row in concepts.rows}
    corrections = _corrections(folder / "corrections.csv", known) if corrected else {}
    entries: dict[str, dict[str, tuple[str, ...]]] = {}
    categories = {}
    for line, row in concepts.rows:
        concept, named = row["concept"], symbols.get(row["emoji"], {})
        if concept in entries:
            raise MeaningsError(
                f"{concepts.path}, line {line}, column 'concept': {concept!r} occurs twice"
                "; keep one row"
            )
        words = {
            code: corrections.get((code, concept)) or tuple(filter(None, [named.get(code)]))
            for code in LANGUAGES
        }
        missing = [code for code, found in words.items() if not found]
        if missing and corrected:
            raise MeaningsError(
                f"{concepts.path}, line {line}: {concept!r} has no word in {', '.join(missing)}; "
                "add rows to corrections.csv"
            )
        if not missing:
            entries[concept], categories[concept] = words, row["category"]
    return Lexicon("embedded" if corrected else "cldr", LANGUAGES, entries, categories)


def write_lexicon(lexicon: Lexicon, path: Path) -> None:
    """Write the plain wide CSV that `lexicon.readers.read_wide` reads back."""
    rows = [
        [
            concept,
            lexicon.categories.get(concept, ""),
            *("|".join(lexicon.words(concept, code)) for code in lexicon.languages),
        ]
        for concept in lexicon.concepts
    ]
    _write(path, ["concept", "category", *lexicon.languages], rows)


def _table(path: Path, columns: tuple[str, ...]) -> Table:
    table = read_table(path)
    if table.header != columns:
        raise MeaningsError(
            f"{path}, line 1: columns {', '.join(table.header)}; expected {', '.join(columns)}"
        )
    return table


def _corrections(path: Path, concepts: set[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    found = {}
    for line, row in _table(path, ("language", "concept", "words", "comment")).rows:
        cell = (row["language"], row["concept"])
        if row["language"] not in LANGUAGES:
            raise MeaningsError(
                f"{path}, line {line}, column 'language': {row['language']!r}; expected one of "
                f"{', '.join(LANGUAGES)}"
            )
        if row["concept"] not in concepts:
            raise MeaningsError(
                f"{path}, line {line}, column 'concept': {row['concept']!r} is not in concepts.csv"
                "; add it there, or correct the name"
            )
        if cell in found:
            raise MeaningsError(
                f"{path}, line {line}: a second row for {row['concept']!r} in {row['language']}; "
                "merge the two"
            )
        if not row["comment"]:
            raise MeaningsError(
                f"{path}, line {line}, column 'comment': empty; say why CLDR's name is replaced"
            )
        found[cell] = split_words(
            row["words"], f"{path}, line {line}, column 'words'", row["language"]
        )
    return found


def _names(archive: tarfile.TarFile, code: str) -> dict[str, str]:
    content = json.loads(PACKAGE.text(archive, f"annotations/{code}/annotations.json"))
    annotations = content["annotations"]["annotations"]
    return {
        symbol: clean(entry["tts"][0]) for symbol, entry in annotations.items() if entry.get("tts")
    }


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with atomic_file(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([header, *rows])
