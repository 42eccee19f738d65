"""Whether a language's words are written in its script: swapped columns, and an encoding read as
another, give words of another one.

A script that the study has no language of, such as a cipher's, is not judged.
"""

import unicodedata
from collections.abc import Collection

from meanings.lexicon.languages import LANGUAGES, MADE_LANGUAGES

# How Unicode's names of the letters of a script begin.
_LETTERS = {
    "Latn": "LATIN",
    "Cyrl": "CYRILLIC",
    "Hans": "CJK",
    "Hant": "CJK",
    "Hebr": "HEBREW",
    "Arab": "ARABIC",
}

FEWEST = 6  # words: of fewer, most may be loans


def flaw_of_script(code: str, words: Collection[str]) -> str:
    """What is wrong with the words of a language of which more than half are written in another
    script of the study, and how to mend it; empty where nothing is, the words are too few, or the
    language is made.
    """
    if code in MADE_LANGUAGES:
        return ""
    own = _LETTERS[LANGUAGES[code].script]
    others = [word for word in words if (found := _scripts(word)) and own not in found]
    if len(words) < FEWEST or 2 * len(others) <= len(words):
        return ""
    found = next(script for script, name in _LETTERS.items() if name in _scripts(others[0]))
    return (
        f"{len(others)} of {len(words)} words are not in its script {LANGUAGES[code].script}, as "
        f"{others[0][:60]!r}; look for swapped columns or a wrong encoding, or name the language "
        f"as '{code}_{found}' to leave it out"
    )


def _scripts(word: str) -> set[str]:
    """Scripts of the study that the word has letters of."""
    names = [unicodedata.name(letter, "") for letter in word if letter.isalpha()]
    return {own for own in _LETTERS.values() for name in names if name.startswith(own)}
