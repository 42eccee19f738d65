"""Words of running text: real words that no list of nouns has."""

import re
from functools import lru_cache
from pathlib import Path

from meanings.core.paths import data_folder
from meanings.lexicon.forms import normal_form

WORD = re.compile(r"[^\W\d_]{3,}")


def running_words(language: str) -> frozenset[str]:
    """The words of three letters or more, in normal form, of the Universal Declaration of Human
    Rights in a language; none where it is not there.

    It is also what the miniature was trained on as running text.
    """
    return _words_of(data_folder() / "miniature" / "udhr" / f"{language}.txt")


@lru_cache(maxsize=64)
def _words_of(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    return frozenset(map(normal_form, WORD.findall(path.read_text(encoding="utf-8"))))
