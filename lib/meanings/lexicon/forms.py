"""The form in which two written words are compared."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=100_000)
def normal_form(word: str) -> str:
    """The form in which words are compared: NFC, case folded, without outer space (as
    `scoring.normal_form`, without torch).
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).casefold()).strip()
