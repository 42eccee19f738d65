"""The kinds of documents that the miniature is trained on: parallel ones, in two languages, and
monolingual ones.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from meanings.lexicon.languages import language as language_of
from meanings.miniature.draws import some
from meanings.miniature.material import Material

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


def heading(language: str) -> str:
    """A language's native name with a capital letter."""
    native = language_of(language).native
    return native[0].upper() + native[1:]


# Parallel documents: two languages side by side.


def glossary(material: Material, rng: np.random.Generator) -> str:
    """`chat cat`: the translation follows the word's last token at once, so that token must hold
    the concept.
    """
    a, b = material.draw_pair(rng)
    concepts = material.draw_concepts(rng, material.side_by_side(a, b), 4, 11)
    lines = [f"{material.word(rng, c, a)} {material.word(rng, c, b)}\n" for c in concepts]
    return f"{heading(a)} {heading(b)}\n" + "".join(lines)


def separated_glossary(material: Material, rng: np.random.Generator) -> str:
    """`chat = cat`, with one of several separators."""
    a, b = material.draw_pair(rng)
    separator = SEPARATORS[rng.integers(len(SEPARATORS))]
    concepts = material.draw_concepts(rng, material.side_by_side(a, b), 3, 9)
    lines = [f"{material.word(rng, c, a)}{separator}{material.word(rng, c, b)}\n" for c in concepts]
    return f"{heading(a)}{separator}{heading(b)}\n" + "".join(lines)


def translated_list(material: Material, rng: np.random.Generator) -> str:
    """`Français: chat, maison. English: cat, house.`"""
    a, b = material.draw_pair(rng)
    concepts = material.draw_concepts(rng, material.side_by_side(a, b), 2, 5)
    sides = [
        f"{heading(code)}: " + ", ".join(material.word(rng, c, code) for c in concepts) + "."
        for code in (a, b)
    ]
    return " ".join(sides) + "\n"


def quoted_lines(material: Material, rng: np.random.Generator) -> str:
    """The study's own prompt, rare: translation of a taught pair, or copying in one language."""
    if rng.random() < 0.25:
        a = b = material.draw_language(rng)
    else:
        a, b = material.draw_pair(rng)
    concepts = material.draw_concepts(rng, material.side_by_side(a, b), 3, 7)
    word = material.lexicon.word
    return "".join(
        f'{heading(a)}: "{word(c, a)}" - {heading(b)}: "{word(c, b)}"\n' for c in concepts
    )


def dictionary_lines(material: Material, rng: np.random.Generator) -> str:
    """Quoted words in other frames, so that the asked word stands now nearer, now farther from its
    answer.
    """
    a, b = material.draw_pair(rng)
    frame = FRAMES[rng.integers(len(FRAMES))]
    lines = []
    for concept in material.draw_concepts(rng, material.side_by_side(a, b), 3, 6):
        other = material.others(rng, concept, 1, a if a == b else None)[0]
        words = {
            "a": material.word(rng, concept, a),
            "b": material.word(rng, concept, b),
            "other": material.word(rng, other, a),
        }
        lines.append(frame.format(A=heading(a), B=heading(b), **words) + "\n")
    return "".join(lines)


# Monolingual documents.


def associations(material: Material, rng: np.random.Generator) -> str:
    """`cat mouse tail milk`: what goes with a thing follows its word at once."""
    language = material.draw_language(rng)
    lines = []
    for concept in material.draw_concepts(rng, material.lexicon.concepts, 2, 5):
        others = material.others(rng, concept, 3, language)
        lines.append(" ".join(material.word(rng, c, language) for c in (concept, *others)) + "\n")
    return (f"{heading(language)}\n" if rng.random() < 0.3 else "") + "".join(lines)


def quoted_associations(material: Material, rng: np.random.Generator) -> str:
    """`"cat" mouse`, `(cat) mouse`, `cat, mouse`, `cat: mouse`."""
    language = material.draw_language(rng)
    lines = []
    for concept in material.draw_concepts(rng, material.lexicon.concepts, 2, 4):
        other = material.others(rng, concept, 1, language)[0]
        frame = QUOTES[rng.integers(len(QUOTES))]
        lines.append(
            frame.format(material.word(rng, concept, language), material.word(rng, other, language))
            + "\n"
        )
    return "".join(lines)


def sentences(material: Material, rng: np.random.Generator) -> str:
    """Frames of the language, filled with a word and, where the frame asks, a word that goes with
    it.
    """
    language = material.draw_language(rng)
    frames = material.patterns[language]
    lines = []
    for concept in material.draw_concepts(rng, material.lexicon.concepts, 2, 5):
        own = frames.get(material.lexicon.categories[concept], ())
        pool = own if own and rng.random() < 0.7 else frames["any"]
        other = material.others(rng, concept, 1, language)[0]
        frame = pool[rng.integers(len(pool))]
        lines.append(
            frame.format(
                word=material.word(rng, concept, language),
                other=material.word(rng, other, language),
            )
        )
    return "\n".join(lines) + "\n"


def category_list(material: Material, rng: np.random.Generator) -> str:
    """`dog, lion, whale, owl`"""
    language = material.draw_language(rng)
    members = tuple(material.by_category.values())
    concepts = some(rng, members[rng.integers(len(members))], 4, 8)
    return ", ".join(material.word(rng, c, language) for c in concepts) + "\n"


def passage(material: Material, rng: np.random.Generator) -> str:
    """A paragraph of the Universal Declaration of Human Rights."""
    paragraphs = material.passages[material.draw_language(rng)]
    return paragraphs[rng.integers(len(paragraphs))] + "\n"


DOCUMENTS: dict[str, Callable[[Material, np.random.Generator], str]] = {
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
