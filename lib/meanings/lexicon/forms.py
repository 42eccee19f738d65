"""The form in which two written words are compared."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=100_000)
def normal_form(word: str) -> str:
    """A word as words are compared: NFC, case folded, without outer space."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).casefold()).strip()
