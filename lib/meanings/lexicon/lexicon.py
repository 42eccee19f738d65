"""A lexicon: for each concept, named by its English gloss, the accepted words in each language.

The first word of a concept is the one written into prompts; all of them are accepted as answers. A
lexicon knows its traps, on which the error analysis lives: forms that two languages share, and
forms with several senses.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations
from pathlib import Path

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.forms import normal_form
from meanings.lexicon.readers import READERS, infer_layout


@dataclass(frozen=True)
class Lexicon:
    """Concept x language -> accepted words; every concept has a word in every language.

    - `entries[concept][code]`: distinct words, the one for prompts first; NFC.
    - `categories[concept]`: `animal`, `tool`, ...; a concept may have none.

    Raises MeaningsError where a cell is empty or a category names an unknown concept.
    """

    name: str
    languages: tuple[str, ...]
    entries: dict[str, dict[str, tuple[str, ...]]]
    categories: dict[str, str]

    def __post_init__(self) -> None:
        for concept, entry in self.entries.items():
            for code in self.languages:
                if not entry.get(code):
                    raise MeaningsError(
                        f"lexicon {self.name!r}: concept {concept!r} has no word in {code!r}; give "
                        "one, or leave out the concept"
                    )
        unknown = sorted(set(self.categories) - set(self.entries))
        if unknown:
            raise MeaningsError(
                f"lexicon {self.name!r}: a category for {unknown[0]!r}, which is not one of its "
                f"concepts; leave it out, or add the concept"
            )

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts, in the lexicon's order."""
        return tuple(self.entries)

    def words(self, concept: str, language: str) -> tuple[str, ...]:
        """Accepted words; the first is the one written into prompts."""
        if language not in self.languages:
            raise MeaningsError(
                f"language {language!r} is not in lexicon {self.name!r}; it has "
                f"{', '.join(self.languages)}"
            )
        if concept not in self.entries:
            raise MeaningsError(
                f"concept {concept!r} is not in lexicon {self.name!r}; its {len(self)} concepts "
                "are named by English glosses"
            )
        return self.entries[concept][language]

    def word(self, concept: str, language: str) -> str:
        """The word written into prompts."""
        return self.words(concept, language)[0]

    @cached_property
    def sha256(self) -> str:
        """Hash of the content and its order (the order decides what a seed draws); the name is left
        out.
        """
        content = [
            list(self.languages),
            [
                [concept, [self.entries[concept][code] for code in self.languages]]
                for concept in self.entries
            ],
            [self.categories.get(concept) for concept in self.entries],
        ]
        return hashlib.sha256(
            json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        ).hexdigest()

    def restrict(
        self, languages: Iterable[str] | None = None, concepts: Iterable[str] | None = None
    ) -> "Lexicon":
        """The lexicon with these languages and concepts only, in the lexicon's own order; what is
        not given is kept.

        Raises MeaningsError on a language or concept that the lexicon lacks.
        """
        codes = self.languages if languages is None else tuple(languages)
        glosses = self.concepts if concepts is None else tuple(concepts)
        for code in codes:
            if code not in self.languages:
                raise MeaningsError(
                    f"language {code!r} is not in lexicon {self.name!r}; it has "
                    f"{', '.join(self.languages)}"
                )
        for gloss in glosses:
            if gloss not in self.entries:
                raise MeaningsError(
                    f"concept {gloss!r} is not in lexicon {self.name!r}"
                    "; its concepts are named by English glosses"
                )
        codes = tuple(code for code in self.languages if code in set(codes))
        wanted = set(glosses)
        entries = {
            c: {code: entry[code] for code in codes}
            for c, entry in self.entries.items()
            if c in wanted
        }
        return Lexicon(
            self.name, codes, entries, {c: k for c, k in self.categories.items() if c in wanted}
        )

    def shared_forms(self) -> pd.DataFrame:
        """Cognates and loans: one form, one concept, two languages; forms in normal form.

        Columns `language_a, language_b, concept, form`; `language_a` comes first in the lexicon's
        order.
        """
        rows = []
        for concept in self.entries:
            forms = {code: self._forms(concept, code) for code in self.languages}
            for a, b in combinations(self.languages, 2):
                rows += [(a, b, concept, form) for form in forms[a] if form in forms[b]]
        return pd.DataFrame(rows, columns=["language_a", "language_b", "concept", "form"])

    def homographs(self) -> pd.DataFrame:
        """Cross-lingual homographs: one form, two concepts, two languages, as de *Gift* (poison)
        and en *gift*.

        A form is no homograph of the pair where one of the two languages uses it for both concepts:
        there it can be right for the same concept. Columns `language_a, concept_a, language_b,
        concept_b, form` (in normal form).
        """
        rows = []
        for form, senses in self._senses().items():
            for a, b in combinations(self.languages, 2):
                for concept_a in senses.get(a, ()):
                    for concept_b in senses.get(b, ()):
                        if concept_a not in senses[b] and concept_b not in senses[a]:
                            rows.append((a, concept_a, b, concept_b, form))
        return pd.DataFrame(
            rows, columns=["language_a", "concept_a", "language_b", "concept_b", "form"]
        )

    def polysemous(self) -> pd.DataFrame:
        """Forms that one language uses for several concepts: columns `language, form, concepts` (a
        tuple).
        """
        rows = [
            (code, form, tuple(senses[code]))
            for form, senses in self._senses().items()
            for code in self.languages
            if len(senses.get(code, ())) > 1
        ]
        return pd.DataFrame(rows, columns=["language", "form", "concepts"])

    def _forms(self, concept: str, language: str) -> dict[str, None]:
        return dict.fromkeys(map(normal_form, self.entries[concept][language]))

    def _senses(self) -> dict[str, dict[str, list[str]]]:
        """form -> language -> concepts, all in the lexicon's order."""
        senses: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for concept in self.entries:
            for code in self.languages:
                for form in self._forms(concept, code):
                    senses[form][code].append(concept)
        return senses


@lru_cache(maxsize=2)
def _embedded(path: Path, changed: int) -> Lexicon:
    """The embedded lexicon, read once as long as its file does not change."""
    entries = READERS["wide"](path)
    return Lexicon("embedded", entries.languages, entries.words, entries.categories)


def load_lexicon(source: str | Path = "embedded", layout: str = "infer") -> Lexicon:
    """The embedded lexicon, `targeted` (`meanings.lexicon.targeted`), or a word list: a CSV file, a
    file of pairs or a CLDF data set, its layout inferred from header and name, or given.

    Raises MeaningsError, with file, line, column and what was expected, on a malformed file.
    """
    if layout != "infer" and layout not in READERS:
        raise MeaningsError(f"layout {layout!r}; expected 'infer', {', '.join(map(repr, READERS))}")
    if source == "targeted":
        from meanings.lexicon.targeted import targeted_lexicon

        return targeted_lexicon()
    if source == "embedded":
        path = data_folder() / "lexicon" / "lexicon.csv"
        return _embedded(path, path.stat().st_mtime_ns if path.is_file() else 0)
    path = Path(source)
    if not path.exists():
        raise MeaningsError(
            f"lexicon {str(source)!r}: no such file; expected 'embedded' or the path of a word list"
        )
    name = path.stem or path.resolve().name
    entries = READERS[infer_layout(path) if layout == "infer" else layout](path)
    return Lexicon(name, entries.languages, entries.words, entries.categories)
