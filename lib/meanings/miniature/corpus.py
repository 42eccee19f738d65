"""The text that the miniature is trained on, made from the lexicon, a table of associations and
short documents.

Every document is drawn from `numpy.random.default_rng([seed, step])`: a step's text depends on
nothing before it, so that training goes on after a kill with exactly the text it would have seen.
"""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon
from meanings.miniature.documents import DOCUMENTS
from meanings.miniature.draws import draw
from meanings.miniature.material import Material
from meanings.miniature.recipe import Mix
from meanings.miniature.script_cipher import signs_of
from meanings.models.training_text import TrainingText


@dataclass(frozen=True)
class Corpus(Material):
    """A source of documents.

    Raises MeaningsError where a concept has no associations or a kind of document is unknown.
    """

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

    @cached_property
    def sha256(self) -> str:
        """Hash of everything but the mix: words, associations, frames, passages."""
        content = [self.lexicon.sha256, self.associations, self.patterns, self.passages]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def document(self, rng: np.random.Generator) -> str:
        """One document of a kind drawn by the mix."""
        kind = draw(rng, tuple(self.mix.documents), tuple(self.mix.documents.values()))
        return DOCUMENTS[kind](self, rng)

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
    codes = mix.seen_languages
    words = lexicon.restrict(languages=codes)
    patterns = {
        code: {kind: tuple(kinds) for kind, kinds in frames[code].items()} for code in codes
    }
    passages = {
        code: tuple((folder / "udhr" / f"{code}.txt").read_text(encoding="utf-8").splitlines())
        for code in codes
    }
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
    return Corpus(mix, words, associated, patterns, passages)
