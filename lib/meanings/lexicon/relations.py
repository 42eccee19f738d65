"""Relations between the lexicon's concepts and words: broader, narrower, synonyms, other senses,
each with where it is from.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.core.tables import read_table
from meanings.lexicon.forms import normal_form

HEADER = ("concept", "relation", "language", "word", "synset", "source")

# `broader_concept`: the word is a concept of the lexicon; the others relate a concept to a word of
# a language.
RELATIONS = ("broader_concept", "hypernym", "hyponym", "synonym", "other_sense")


@dataclass(frozen=True, eq=False)
class Relations:
    """Relations between concepts, and of words to concepts.

    - `broader`: concept -> directly broader concepts.
    - `words`: (language, word in normal form) -> {(concept, relation): source}.
    """

    broader: dict[str, set[str]] = field(default_factory=dict)
    words: dict[tuple[str, str], dict[tuple[str, str], str]] = field(default_factory=dict)

    def of(self, form: str, language: str, concept: str) -> dict[str, str]:
        """The relations of a word, in its normal form, to a concept, each with its source."""
        return {
            relation: source
            for (other, relation), source in self.words.get((language, form), {}).items()
            if other == concept
        }

    def above(self, concept: str) -> set[str]:
        """All broader concepts, near and far."""
        return set(_closure(concept, self.broader))


def load_relations(path: Path | None = None) -> Relations:
    """The relations of a table, without a path the study's own `data/lexicon/relations.csv`.

    Columns `concept, relation, language, word, synset, source`. Raises MeaningsError on other
    columns or an unknown relation.
    """
    table = read_table(path or data_folder() / "lexicon" / "relations.csv")
    if table.header != HEADER:
        raise MeaningsError(
            f"{table.path}, line 1: columns {', '.join(table.header)}; expected {', '.join(HEADER)}"
        )
    broader: dict[str, set[str]] = defaultdict(set)
    words: dict[tuple[str, str], dict[tuple[str, str], str]] = defaultdict(dict)
    for line, row in table.rows:
        if row["relation"] not in RELATIONS:
            raise MeaningsError(
                f"{table.path}, line {line}: relation {row['relation']!r}; expected "
                f"{', '.join(RELATIONS)}"
            )
        if row["relation"] == "broader_concept":
            broader[row["concept"]].add(row["word"])
        else:
            source = " ".join(filter(None, (row["source"], row["synset"])))
            words[row["language"], normal_form(row["word"])][row["concept"], row["relation"]] = (
                source
            )
    return Relations(dict(broader), dict(words))


def _closure(
    concept: str, broader: dict[str, set[str]], above: frozenset[str] = frozenset()
) -> Iterator[str]:
    for other in broader.get(concept, ()):
        if other not in above:
            yield other
            yield from _closure(other, broader, above | {other})
