"""A cipher that gives every language signs of its own: the same words, of which no two languages
share a letter.

Each letter of a language becomes one syllable of the Yi script, in a block of its own a language.
Spaces, digits and punctuation stay, and so do the languages' names, which stand in the frames and
not in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon

FIRST, LAST = (
    0xA000,
    0xA48C,
)  # the block Yi Syllables: letters without case, and each its own normal form


class Signs:
    """The signs of each language, from its own letters."""

    def __init__(self, texts: Mapping[str, Iterable[str]]) -> None:
        room = (LAST - FIRST + 1) // max(1, len(texts))
        self._signs: dict[str, dict[int, int]] = {}
        for place, (code, said) in enumerate(texts.items()):
            letters = sorted({letter for text in said for letter in text if letter.isalpha()})
            if len(letters) > room:
                raise MeaningsError(
                    f"{len(letters)} letters in {code!r}: there are signs for {room} per "
                    f"language; use fewer languages or a smaller alphabet"
                )
            self._signs[code] = {
                ord(letter): FIRST + place * room + index for index, letter in enumerate(letters)
            }
        self._owners = {
            sign: code for code, signs in self._signs.items() for sign in signs.values()
        }

    def block_of(self, sign: str) -> str:
        """The language whose sign it is. Raises KeyError where it is none's."""
        return self._owners[ord(sign)]

    def between(self, languages: Iterable[str], to: str) -> dict[int, int]:
        """A table for `str.translate` from some languages' signs to another's that has the same
        letters.
        """
        return {
            sign: self._signs[to][letter]
            for code in languages
            for letter, sign in self._signs[code].items()
        }

    def write(self, text: str, language: str) -> str:
        """The text in the language's signs."""
        return text.translate(self._signs[language])

    def frame(self, text: str, language: str) -> str:
        """The same, with the placeholders `{word}` and `{other}` left as they are."""
        parts = text.replace("{word}", "\0").replace("{other}", "\1")
        return self.write(parts, language).replace("\0", "{word}").replace("\1", "{other}")

    def lexicon(self, lexicon: Lexicon) -> Lexicon:
        """The lexicon with every word in its language's signs; concepts keep their names."""
        entries = {
            concept: {
                code: tuple(self.write(word, code) for word in lexicon.words(concept, code))
                for code in lexicon.languages
            }
            for concept in lexicon.concepts
        }
        return Lexicon("signs", lexicon.languages, entries, lexicon.categories)


def signs_of(
    lexicon: Lexicon,
    patterns: Mapping[str, Mapping[str, Sequence[str]]],
    passages: Mapping[str, Sequence[str]],
) -> Signs:
    """Signs for all letters that occur in the words, frames and passages of each language."""
    return Signs(
        {
            code: [
                *(word for concept in lexicon.concepts for word in lexicon.words(concept, code)),
                *(frame for frames in patterns[code].values() for frame in frames),
                *passages[code],
            ]
            for code in lexicon.languages
        }
    )
