"""The form in which two written words are compared."""

import re
import unicodedata
from functools import lru_cache

# Marks of direction, which a right-to-left answer may have anywhere: they are not seen, and no part
# of the word.
DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain_form(text: str) -> str:
    """A text as it is written: NFC, without marks of direction."""
    return unicodedata.normalize("NFC", DIRECTION.sub("", text))


@lru_cache(maxsize=100_000)
def normal_form(word: str) -> str:
    """A word as words are compared: its plain form, case folded, without outer space."""
    return unicodedata.normalize("NFC", plain_form(word).casefold()).strip()
