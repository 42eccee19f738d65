"""Running text and associations of a lexicon's languages, as they lie beside the miniature."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass

from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import Lexicon


@dataclass(frozen=True)
class AbilityTexts:
    """What abilities are asked with, beside words.

    - `paragraphs`: language -> paragraphs of running text, for languages that have some.
    - `associations`: concept -> the concepts that go with it.
    """

    paragraphs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    associations: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of all of it."""
        content = json.dumps([self.paragraphs, self.associations], ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()


def ability_texts(lexicon: Lexicon) -> AbilityTexts:
    """The texts for a lexicon's languages and concepts; empty where the data folder has none."""
    folder = data_folder() / "miniature"
    paragraphs = {}
    for code in lexicon.languages:
        file = folder / "udhr" / f"{code}.txt"
        if file.is_file():
            paragraphs[code] = tuple(file.read_text(encoding="utf-8").splitlines())
    return AbilityTexts(tuple(paragraphs.items()), tuple(_associations(lexicon).items()))


def _associations(lexicon: Lexicon) -> dict[str, tuple[str, ...]]:
    file = data_folder() / "miniature" / "associations.csv"
    if not file.is_file():
        return {}
    known = set(lexicon.concepts)
    with file.open(encoding="utf-8", newline="") as table:
        listed = {r["concept"]: r["associations"].split("|") for r in csv.DictReader(table)}
    kept = {
        concept: tuple(each for each in listed.get(concept, ()) if each in known)
        for concept in lexicon.concepts
    }
    return {concept: others for concept, others in kept.items() if others}
