"""The text that the miniature is trained on, made from the lexicon, a table of associations and
short documents.

Every document is drawn from `numpy.random.default_rng([seed, step])`: a step's text depends on
nothing before it, so that training goes on after a kill with exactly the text it would have seen.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml

from meanings.core.errors import MeaningsError
from meanings.lexicon.gender import gender_list
from meanings.lexicon.lexicon import Lexicon
from meanings.miniature.clones import Spelling, clone_texts
from meanings.miniature.documents import DOCUMENTS
from meanings.miniature.draws import draw
from meanings.miniature.material import Material
from meanings.miniature.recipe import Mix
from meanings.miniature.script_cipher import signs_of
from meanings.miniature.treatments import check_reach, chosen_concepts
from meanings.models.training_text import TrainingText

ASSOCIATED = 3  # associations that a concept of a small world has at least


@dataclass(frozen=True)
class Corpus(Material):
    """A source of documents.

    - `spelling`: how a drawn document is written down, where languages are clones of one.

    Raises MeaningsError where a concept has no associations or a kind of document is unknown.
    """

    spelling: Spelling | None = None

    def __post_init__(self) -> None:
        for concept in self.lexicon.concepts:
            if not self.associations.get(concept):
                raise MeaningsError(
                    f"associations: none for the concept '{concept}'; add a row to associations.csv"
                )
        for kind in self.mix.documents:
            if kind not in DOCUMENTS:
                raise MeaningsError(
                    f"documents: unknown kind '{kind}'; known are {', '.join(DOCUMENTS)}"
                )
        for field, share in self.mix.treated.items():
            check_reach(self.lexicon, field, share)

    @cached_property
    def sha256(self) -> str:
        """Hash of everything but the mix: words, associations, frames, passages, planted words."""
        content = [self.lexicon.sha256, self.associations, self.patterns, self.passages]
        if self.planted:
            content.append(self.planted)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def document(self, rng: np.random.Generator) -> str:
        """One document of a kind drawn by the mix."""
        kind = draw(rng, tuple(self.mix.documents), tuple(self.mix.documents.values()))
        text = DOCUMENTS[kind](self, rng)
        return self.spelling.document(text, rng) if self.spelling else text

    def written(self, name: str) -> Lexicon:
        """The lexicon as the text has its words, under a name."""
        if self.spelling:
            return self.spelling.lexicon(self.lexicon, name)
        return replace(self.lexicon, name=name)

    @cached_property
    def known(self) -> TrainingText:
        """What measures may know of the text: words that never stand side by side, frequencies.

        A concept's frequency is its share of what is drawn, held-out pairs not taken off.
        """
        zipf, zipf_share = self.frequencies, self.mix.zipf_share
        total, n = sum(zipf.values()), len(zipf)
        parallel = self.mix.pairs if self.mix.parallel_share > 0 else {}
        return TrainingText(
            self.mix.seen_languages,
            tuple(
                (name, tuple(c for c, fold in self.folds.items() if fold == pair.held_out_fold))
                for name, pair in parallel.items()
            ),
            tuple((c, round((1 - zipf_share) / n + zipf_share * zipf[c] / total, 9)) for c in zipf),
        )


def load_corpus(folder: Path, mix: Mix, lexicon: Lexicon) -> Corpus:
    """Read `associations.csv`, `patterns.yaml` and `udhr/LANGUAGE.txt` beside the recipe; in signs
    of their own where the mix says so.
    """
    with (folder / "associations.csv").open(encoding="utf-8", newline="") as table:
        associated = {
            row["concept"]: tuple(row["associations"].split("|")) for row in csv.DictReader(table)
        }
    frames = yaml.safe_load((folder / "patterns.yaml").read_text(encoding="utf-8"))
    if mix.clones is not None:
        return _cloned(folder, mix, lexicon, associated, frames[mix.clones.of])
    codes, genders = mix.seen_languages, gender_list()
    words = lexicon.restrict(languages=codes)
    if mix.planted is not None:
        words = words.restrict(concepts=around(genders.concepts, associated, words))
        associated = _within(associated, words)
    patterns = {
        code: {kind: tuple(kinds) for kind, kinds in frames[code].items()} for code in codes
    }
    passages = {code: _passages(folder, code) for code in codes}
    if mix.own_signs:
        signs = signs_of(words, patterns, passages)
        words = signs.lexicon(words)
        patterns = {
            code: {
                kind: tuple(signs.frame(text, code) for text in kinds)
                for kind, kinds in patterns[code].items()
            }
            for code in codes
        }
        passages = {
            code: tuple(signs.write(text, code) for text in passages[code]) for code in codes
        }
    planted = genders.gendered if mix.planted else {}
    return Corpus(mix, words, associated, patterns, passages, planted=planted)


def around(
    concepts: Sequence[str], associated: Mapping[str, tuple[str, ...]], lexicon: Lexicon
) -> tuple[str, ...]:
    """Concepts and all that goes with them, in the lexicon's order."""
    wanted = {*concepts, *(other for concept in concepts for other in associated[concept])}
    return tuple(concept for concept in lexicon.concepts if concept in wanted)


def _passages(folder: Path, code: str) -> tuple[str, ...]:
    return tuple((folder / "udhr" / f"{code}.txt").read_text(encoding="utf-8").splitlines())


def _cloned(
    folder: Path,
    mix: Mix,
    lexicon: Lexicon,
    associated: Mapping[str, tuple[str, ...]],
    frames: Mapping[str, Sequence[str]],
) -> Corpus:
    """A language and its clones, with the concepts that the mix chooses."""
    of = mix.clones.of
    words = lexicon.restrict(languages=[of])
    if mix.concepts is not None:
        words = words.restrict(concepts=chosen_concepts(words, of, mix.concepts))
    made = clone_texts(mix.clones, words, frames, _passages(folder, of))
    return Corpus(
        mix,
        made.lexicon,
        _within(associated, words),
        made.patterns,
        made.passages,
        made.spelling,
    )


def _within(
    associated: Mapping[str, tuple[str, ...]], lexicon: Lexicon
) -> dict[str, tuple[str, ...]]:
    """The associations among the lexicon's concepts; where too few are left, the next concepts of
    the same category are added.
    """
    found = {}
    for concept in lexicon.concepts:
        kept = [other for other in associated[concept] if other in lexicon.entries]
        alike = [
            other
            for other in lexicon.concepts
            if lexicon.categories[other] == lexicon.categories[concept]
        ]
        place = alike.index(concept)
        for other in (*alike[place + 1 :], *alike[:place]):
            if len(kept) >= ASSOCIATED:
                break
            if other not in kept:
                kept.append(other)
        found[concept] = tuple(kept)
    return found
