"""Reader of pairs of words, two a line, such as the bilingual dictionaries of MUSE."""

import re
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.tables import read_text
from meanings.lexicon.entries import Entries, complete, one_word
from meanings.lexicon.language_codes import known_code

NAME = re.compile(r"([a-z]{2,3})-([a-z]{2,3})(\..+)?\.txt")


def pair_named(path: Path) -> tuple[str, str] | None:
    """The languages that a file named as `en-fr.txt` or `en-fr.0-5000.txt` says it has; None where
    its name is another, or of a language that is not known.
    """
    named = NAME.fullmatch(path.name)
    codes = named and (known_code(named[1]), known_code(named[2]))
    return codes if codes and None not in codes and codes[0] != codes[1] else None


def read_pairs(path: Path) -> Entries:
    """Read a file of pairs: two words per line, a space or a tab between them, without a header.
    The file's name says the languages, in the order of the words.

        cat chat
        cat minou

    A concept is an English word, or, without English, one of the first language; it accepts every
    word that it is paired with, in order. With a tab, words may have spaces.

    Source: Conneau et al. 2018 for the layout.
    """
    languages = pair_named(path)
    if languages is None:
        raise MeaningsError(
            f"{path}: its name does not say which two languages it has; name it as 'en-fr.txt', by "
            "codes that are known"
        )
    of = languages.index("en") if "en" in languages else 0
    words: dict[str, dict[str, tuple[str, ...]]] = {}
    for line, text in enumerate(read_text(path).split("\n"), 1):
        if not text.strip():
            continue
        where = f"{path}, line {line}"
        cells = text.strip().split("\t" if "\t" in text.strip() else None)
        if len(cells) != 2:
            raise MeaningsError(
                f"{where}: {text[:60]!r}; expected two words, or a tab between them where a word "
                "has a space"
            )
        pair = [one_word(cell, where, code) for cell, code in zip(cells, languages, strict=True)]
        entry = words.setdefault(pair[of], {languages[of]: (pair[of],), languages[1 - of]: ()})
        other = languages[1 - of]
        if pair[1 - of] not in entry[other]:
            entry[other] += (pair[1 - of],)
    return complete(path, languages, words, {})
