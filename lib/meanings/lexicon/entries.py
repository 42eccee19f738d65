"""What the readers of word lists find, and the checks of cells that they share.

A refusal names file, line and column (`where`), and what was expected.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from meanings.core.errors import MeaningsError
from meanings.core.tables import clean
from meanings.lexicon.languages import LANGUAGES

# Other names of the languages' codes.
ISO_639_3 = {
    "eng": "en", "fra": "fr", "deu": "de", "spa": "es", "ita": "it", "rus": "ru", "pol": "pl",
    "fin": "fi", "est": "et", "ekk": "et", "cym": "cy", "swa": "sw", "swh": "sw", "zho": "zh",
    "cmn": "zh", "yue": "yue", "heb": "he", "ara": "ar", "arb": "ar",
}  # fmt: skip


class Entries(NamedTuple):
    """What a reader found: language codes, `words[concept][code]` and the concepts' categories."""

    languages: tuple[str, ...]
    words: dict[str, dict[str, tuple[str, ...]]]
    categories: dict[str, str]


def split_words(cell: str, where: str) -> tuple[str, ...]:
    """Accepted words of one cell, in order; raises MeaningsError, with `where`, on an empty,
    doubled or unusable one.
    """
    words = tuple(clean(word) for word in cell.split("|"))
    for word in words:
        if not word:
            raise MeaningsError(
                f"{where}: {'empty' if not cell else f'an empty word in {cell!r}'}; expected one "
                "word or more, '|' between them"
            )
        if '"' in word or not word.isprintable():
            raise MeaningsError(
                f"{where}: {word!r} has a double quote or a control character; prompts put words "
                "between double quotes"
            )
    if len(set(words)) < len(words):
        raise MeaningsError(f"{where}: a word twice in {cell!r}; expected distinct words")
    return words


def language_code(text: str, where: str) -> str:
    """The study's code of `fr`, `fra` or `fra_Latn`; raises MeaningsError, with `where`, on others
    and on another script than its own.
    """
    base, _, script = text.replace("-", "_").partition("_")
    code = ISO_639_3.get(base.lower(), base.lower())
    own = {"Hans": ("Hans", "Hani"), "Hant": ("Hant", "Hani")}
    if code not in LANGUAGES or (
        script and script.title() not in own.get(LANGUAGES[code].script, (LANGUAGES[code].script,))
    ):
        raise MeaningsError(
            f"{where}: {text[:60]!r}; expected one of {listed(LANGUAGES)}, its ISO 639-3 code, or "
            "either with its script as in 'eng_Latn'"
        )
    return code


def gloss(row: dict[str, str], column: str, lines: dict[str, int], line: int, path: Path) -> str:
    """The row's concept, noted in `lines`. Raises MeaningsError where it is empty or was there
    before.
    """
    concept = row[column]
    if not concept:
        raise MeaningsError(
            f"{path}, line {line}, column {column!r}: empty; expected the concept's English gloss"
        )
    if concept in lines:
        raise MeaningsError(
            f"{path}, line {line}, column {column!r}: {concept!r} is already on line "
            f"{lines[concept]}; merge the rows"
        )
    lines[concept] = line
    return concept


def listed(names: Iterable[object]) -> str:
    """Names in quotes with commas between them, for a message."""
    return ", ".join(repr(name) for name in names) or "none"
