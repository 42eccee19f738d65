"""Build `relations.csv` from WordNet: broader concepts, synonyms, hypernyms, hyponyms, and words of
other senses.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from meanings.core.atomic_files import atomic_file
from meanings.core.tables import read_table
from meanings.lexicon.lexicon import Lexicon
from meanings.lexicon.relations import HEADER
from meanings.lexicon.senses import choose_synsets
from meanings.lexicon.wordnet import PACKAGE, SOURCE, Database

Row = tuple[str, ...]  # the cells of HEADER
LEVELS = 3  # hypernyms this far above a concept are given as words; its concepts at any distance
MOST_HYPONYMS = 40  # a concept with more (bird, tool) has too many kinds for a list of them


def relation_rows(lexicon: Lexicon, database: Database, overrides: dict[str, str]) -> list[Row]:
    """Rows of `relations.csv`, by concept in the lexicon's order: words that are accepted for the
    concept are left out.
    """
    chosen = choose_synsets(lexicon, database, overrides)
    concepts: dict[str, list[str]] = {}
    for concept, offset in chosen.items():
        concepts.setdefault(offset, []).append(concept)
    rows: list[Row] = []
    for concept, offset in chosen.items():
        rows += [
            (concept, "broader_concept", "", broader, above, SOURCE)
            for above, _ in database.above(offset)
            for broader in concepts.get(above, ())
        ]
        accepted = {word.casefold() for word in lexicon.words(concept, "en")}
        found: dict[str, tuple[str, str]] = {}
        for relation, offsets in _near(database, offset, lexicon.word(concept, "en")):
            for near in offsets:
                for lemma in database.lemmas[near]:
                    word = lemma.replace("_", " ")
                    # Names and terms of several words are no answers to a prompt that asks for a
                    # common noun.
                    if word.islower() and word.isalpha() and word.casefold() not in accepted:
                        found.setdefault(word, (relation, near))
        rows += [
            (concept, relation, "en", word, near, SOURCE)
            for word, (relation, near) in found.items()
        ]
    return rows


def _near(database: Database, offset: str, word: str) -> list[tuple[str, Sequence[str]]]:
    """The synsets near one, by relation; the first relation of a word is the one that counts."""
    hypernyms = [above for above, level in database.above(offset) if level <= LEVELS]
    hyponyms = database.down[offset]
    return [
        ("synonym", [offset]),
        ("hypernym", hypernyms),
        ("hyponym", hyponyms if len(hyponyms) <= MOST_HYPONYMS else ()),
        ("other_sense", [other for other in database.synsets_of(word) if other != offset]),
    ]


def write_relations(path: Path, rows: list[Row]) -> int:
    """The number of rows of a table of relations, after writing `rows` into it behind its own ones
    (source `own`), which stay.

    A broader concept that the own rows state, or state the other way round, is left out.
    """
    own = [
        tuple(row[name] for name in HEADER)
        for _, row in read_table(path).rows
        if row["source"] == "own"
    ]
    stated = {
        frozenset((concept, word))
        for concept, relation, _, word, *_ in own
        if relation == "broader_concept"
    }
    new = [
        row
        for row in rows
        if row[1] != "broader_concept" or frozenset((row[0], row[3])) not in stated
    ]
    with atomic_file(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *own, *new])
    return len(own) + len(new)


def write_licence(path: Path, licence: str) -> None:
    """Write WordNet's notice, which its licence asks to be shipped with what is derived from it."""
    path.write_text(
        f"relations.csv, but for its rows of source `own`, is derived from {SOURCE} (npm package "
        f"{PACKAGE.name}).\n\n{licence.strip()}\n",
        encoding="utf-8",
    )
