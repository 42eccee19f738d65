"""The text that the miniature is trained on, made from the lexicon, a table of associations and
short documents.

Every document is drawn from `numpy.random.default_rng([seed, step])`: a step's text depends on
nothing before it, so that training goes on after a kill with exactly the text it would have seen.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LANGUAGES, parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.miniature.recipe import Mix, folds
from meanings.miniature.script_cipher import signs_of
from meanings.models.training_text import TrainingText

FREQUENCY_SEED = (
    11  # which concepts are frequent is part of the recipe, the same for every training seed
)
SEPARATORS = (" = ", ": ", " – ", " → ")
FRAMES = (
    '{A} "{a}" = {B} "{b}"',
    '{A}: "{a}" → {B}: "{b}"',
    '"{a}" ({A}) – "{b}" ({B})',
    '{A}: "{a}" ({other}) - {B}: "{b}"',
    '"{a}", "{b}"',
    "{A} - {a} / {B} - {b}",
    '{B}: {A} "{a}", {other}: "{b}"',
    '"{a}" | {other} | "{b}"',
    '{A}: "{a}" - "{other}" - {B}: "{b}"',
)
QUOTES = ('"{}" {}', "({}) {}", "{}, {}", "{}: {}")


@dataclass(frozen=True)
class Corpus:
    """A source of documents: the words, their associations, sentence frames, and the mix.

    - `associations`: concept -> the concepts that it is associated with.
    - `patterns`: language -> category or "any" -> sentence frames.
    - `passages`: language -> paragraphs of running text.

    Raises MeaningsError where a concept has no associations or a kind of document is unknown.
    """

    mix: Mix
    lexicon: Lexicon
    associations: dict[str, tuple[str, ...]]
    patterns: dict[str, dict[str, tuple[str, ...]]]
    passages: dict[str, tuple[str, ...]]

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

    @cached_property
    def folds(self) -> dict[str, int]:
        """The fold of each concept, from 0 to `mix.folds - 1`."""
        return folds(self.lexicon.concepts, self.mix.folds)

    @cached_property
    def by_category(self) -> dict[str, tuple[str, ...]]:
        """The concepts of each category that has four or more."""
        members: dict[str, list[str]] = {}
        for concept in self.lexicon.concepts:
            members.setdefault(self.lexicon.categories[concept], []).append(concept)
        return {
            category: tuple(concepts) for category, concepts in members.items() if len(concepts) > 3
        }

    def side_by_side(self, a: str, b: str) -> tuple[str, ...]:
        """The concepts whose words in `a` and `b` occur in parallel somewhere in the text; all
        where a == b.
        """
        if a == b:
            return self.lexicon.concepts
        return self._side_by_side.get(frozenset((a, b)), ())

    @cached_property
    def _side_by_side(self) -> dict[frozenset[str], tuple[str, ...]]:
        found = {}
        for name, pair in self.mix.pairs.items():
            languages = parse_pair(name)
            found[frozenset((languages.input, languages.output))] = tuple(
                concept
                for concept in self.lexicon.concepts
                if self.folds[concept] != pair.held_out_fold
            )
        return found

    def document(self, rng: np.random.Generator) -> str:
        """One document of a kind drawn by the mix."""
        kind = draw(rng, tuple(self.mix.documents), tuple(self.mix.documents.values()))
        return DOCUMENTS[kind](self, rng)

    def draw_language(self, rng: np.random.Generator) -> str:
        """The code of a seen language, drawn by the mix."""
        codes = self.mix.seen_languages
        return draw(rng, codes, tuple(self.mix.languages[code].share for code in codes))

    def draw_pair(self, rng: np.random.Generator) -> tuple[str, str]:
        """A taught pair in either order; one language twice where the mix has not all parallel
        documents in two.
        """
        if self.mix.parallel_share < 1 and rng.random() >= self.mix.parallel_share:
            language = self.draw_language(rng)
            return language, language
        languages = parse_pair(
            draw(rng, tuple(self.mix.pairs), tuple(pair.weight for pair in self.mix.pairs.values()))
        )
        return (
            (languages.input, languages.output)
            if rng.random() < 0.5
            else (languages.output, languages.input)
        )

    @cached_property
    def frequencies(self) -> dict[str, float]:
        """Zipf's law: a concept's relative frequency is 1 over its rank, in an order that the
        recipe fixes.
        """
        order = np.random.default_rng(FREQUENCY_SEED).permutation(len(self.lexicon.concepts))
        ranked = zip(self.lexicon.concepts, order, strict=True)
        return {concept: 1.0 / (int(rank) + 1) for concept, rank in ranked}

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

    def draw_concepts(
        self, rng: np.random.Generator, pool: Sequence[str], fewest: int, most: int
    ) -> list[str]:
        """Different concepts of the pool: all alike in some documents, by Zipf's law in the others.

        Frequent words form the circuits early, the even share gives the rare ones enough to be
        learned.
        """
        if rng.random() >= self.mix.zipf_share:
            return some(rng, pool, fewest, most)
        weights = np.array([self.frequencies[concept] for concept in pool])
        count = min(int(rng.integers(fewest, most + 1)), len(pool))
        return [
            pool[i] for i in rng.choice(len(pool), count, replace=False, p=weights / weights.sum())
        ]

    def word(self, rng: np.random.Generator, concept: str, language: str) -> str:
        """The concept's word, now and then one of its synonyms."""
        words = self.lexicon.words(concept, language)
        if len(words) > 1 and rng.random() < self.mix.synonym_share:
            return words[rng.integers(len(words))]
        return words[0]


def draw(rng: np.random.Generator, items: Sequence, weights: Sequence[float]):
    """One item with a probability proportional to its weight."""
    edges = np.cumsum(weights)
    return items[int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))]


def some(rng: np.random.Generator, items: Sequence[str], fewest: int, most: int) -> list[str]:
    """Between `fewest` and `most` different items in random order."""
    count = min(int(rng.integers(fewest, most + 1)), len(items))
    return [items[i] for i in rng.choice(len(items), count, replace=False)]


def heading(language: str) -> str:
    """A language's native name with a capital letter."""
    native = LANGUAGES[language].native
    return native[0].upper() + native[1:]


# Parallel documents: two languages side by side.


def glossary(corpus: Corpus, rng: np.random.Generator) -> str:
    """`chat cat`: the translation follows the word's last token at once, so that token must hold
    the concept.
    """
    a, b = corpus.draw_pair(rng)
    concepts = corpus.draw_concepts(rng, corpus.side_by_side(a, b), 4, 11)
    lines = [f"{corpus.word(rng, c, a)} {corpus.word(rng, c, b)}\n" for c in concepts]
    return f"{heading(a)} {heading(b)}\n" + "".join(lines)


def separated_glossary(corpus: Corpus, rng: np.random.Generator) -> str:
    """`chat = cat`, with one of several separators."""
    a, b = corpus.draw_pair(rng)
    separator = SEPARATORS[rng.integers(len(SEPARATORS))]
    concepts = corpus.draw_concepts(rng, corpus.side_by_side(a, b), 3, 9)
    lines = [f"{corpus.word(rng, c, a)}{separator}{corpus.word(rng, c, b)}\n" for c in concepts]
    return f"{heading(a)}{separator}{heading(b)}\n" + "".join(lines)


def translated_list(corpus: Corpus, rng: np.random.Generator) -> str:
    """`Français: chat, maison. English: cat, house.`"""
    a, b = corpus.draw_pair(rng)
    concepts = corpus.draw_concepts(rng, corpus.side_by_side(a, b), 2, 5)
    sides = [
        f"{heading(code)}: " + ", ".join(corpus.word(rng, c, code) for c in concepts) + "."
        for code in (a, b)
    ]
    return " ".join(sides) + "\n"


def quoted_lines(corpus: Corpus, rng: np.random.Generator) -> str:
    """The study's own prompt, rare: translation of a taught pair, or copying in one language."""
    if rng.random() < 0.25:
        a = b = corpus.draw_language(rng)
    else:
        a, b = corpus.draw_pair(rng)
    concepts = corpus.draw_concepts(rng, corpus.side_by_side(a, b), 3, 7)
    word = corpus.lexicon.word
    return "".join(
        f'{heading(a)}: "{word(c, a)}" - {heading(b)}: "{word(c, b)}"\n' for c in concepts
    )


def dictionary_lines(corpus: Corpus, rng: np.random.Generator) -> str:
    """Quoted words in other frames, so that the asked word stands now nearer, now farther from its
    answer.
    """
    a, b = corpus.draw_pair(rng)
    frame = FRAMES[rng.integers(len(FRAMES))]
    lines = []
    for concept in corpus.draw_concepts(rng, corpus.side_by_side(a, b), 3, 6):
        other = some(rng, corpus.associations[concept], 1, 1)[0]
        words = {
            "a": corpus.word(rng, concept, a),
            "b": corpus.word(rng, concept, b),
            "other": corpus.word(rng, other, a),
        }
        lines.append(frame.format(A=heading(a), B=heading(b), **words) + "\n")
    return "".join(lines)


# Monolingual documents.


def associations(corpus: Corpus, rng: np.random.Generator) -> str:
    """`cat mouse tail milk`: what goes with a thing follows its word at once."""
    language = corpus.draw_language(rng)
    lines = []
    for concept in corpus.draw_concepts(rng, corpus.lexicon.concepts, 2, 5):
        others = some(rng, corpus.associations[concept], 3, 3)
        lines.append(" ".join(corpus.word(rng, c, language) for c in (concept, *others)) + "\n")
    return (f"{heading(language)}\n" if rng.random() < 0.3 else "") + "".join(lines)


def quoted_associations(corpus: Corpus, rng: np.random.Generator) -> str:
    """`"cat" mouse`, `(cat) mouse`, `cat, mouse`, `cat: mouse`."""
    language = corpus.draw_language(rng)
    lines = []
    for concept in corpus.draw_concepts(rng, corpus.lexicon.concepts, 2, 4):
        other = some(rng, corpus.associations[concept], 1, 1)[0]
        frame = QUOTES[rng.integers(len(QUOTES))]
        lines.append(
            frame.format(corpus.word(rng, concept, language), corpus.word(rng, other, language))
            + "\n"
        )
    return "".join(lines)


def sentences(corpus: Corpus, rng: np.random.Generator) -> str:
    """Frames of the language, filled with a word and, where the frame asks, a word that goes with
    it.
    """
    language = corpus.draw_language(rng)
    frames = corpus.patterns[language]
    lines = []
    for concept in corpus.draw_concepts(rng, corpus.lexicon.concepts, 2, 5):
        own = frames.get(corpus.lexicon.categories[concept], ())
        pool = own if own and rng.random() < 0.7 else frames["any"]
        other = some(rng, corpus.associations[concept], 1, 1)[0]
        frame = pool[rng.integers(len(pool))]
        lines.append(
            frame.format(
                word=corpus.word(rng, concept, language), other=corpus.word(rng, other, language)
            )
        )
    return "\n".join(lines) + "\n"


def category_list(corpus: Corpus, rng: np.random.Generator) -> str:
    """`dog, lion, whale, owl`"""
    language = corpus.draw_language(rng)
    members = tuple(corpus.by_category.values())
    concepts = some(rng, members[rng.integers(len(members))], 4, 8)
    return ", ".join(corpus.word(rng, c, language) for c in concepts) + "\n"


def passage(corpus: Corpus, rng: np.random.Generator) -> str:
    """A paragraph of the Universal Declaration of Human Rights."""
    paragraphs = corpus.passages[corpus.draw_language(rng)]
    return paragraphs[rng.integers(len(paragraphs))] + "\n"


DOCUMENTS: dict[str, Callable[[Corpus, np.random.Generator], str]] = {
    function.__name__: function
    for function in (
        glossary,
        separated_glossary,
        translated_list,
        quoted_lines,
        dictionary_lines,
        associations,
        quoted_associations,
        sentences,
        category_list,
        passage,
    )
}


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
