"""Read Multi-SimLex in its own layout: two words per row in each language, nouns among them."""

from collections.abc import Iterator
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.tables import Table
from meanings.lexicon.entries import Entries, complete, listed, one_word, read_words

MULTI_SIMLEX_CODES = {
    "ENG": "en", "ARA": "ar", "CMN": "zh", "CYM": "cy", "EST": "et", "FIN": "fi", "FRA": "fr",
    "HEB": "he", "POL": "pl", "RUS": "ru", "SPA": "es", "SWA": "sw", "YUE": "yue",
}  # fmt: skip


def read_multi_simlex(path: Path, left_out: tuple[str, ...] = ("ar", "he")) -> Entries:
    """Read Multi-SimLex in its own layout: columns `PoS` and `ENG 1, ENG 2, CMN 1, CMN 2, ...`;
    nouns only.

    The words of the two sides are stacked; stacked rows with an empty cell in any language are
    dropped; an English word that occurs with two parts of speech is dropped; repeated English words
    are merged, their distinct translations kept in order of appearance. Then the languages
    `left_out` are left out. Other columns (`translation 1`, `scores 1`, ...) are ignored.
    Words that go into the study are checked, as in every layout.

    Source: Vulić et al. 2020 for the data; Körner et al. 2026 for the rules.
    """
    table = read_words(path)
    parts = next((column for column in table.header if column.lower() == "pos"), None)
    if parts is None:
        raise MeaningsError(
            f"{path}, line 1: no column 'PoS'; expected it beside 'ENG 1', 'ENG 2', ..."
        )
    codes, unknown = _multi_simlex_languages(table)
    senses: dict[str, set[str]] = {}
    stacked = []
    for number in ("1", "2"):
        for line, row in table.rows:
            words = {code: row[f"{prefix} {number}"] for prefix, code in codes.items()}
            if words["en"]:
                senses.setdefault(words["en"], set()).add(
                    _part_of_speech(row[parts], f"{path}, line {line}, column {parts!r}")
                )
            if all(words.values()):
                stacked.append((line, number, words))
    kept = {prefix: code for prefix, code in codes.items() if code not in left_out}
    merged: dict[str, dict[str, tuple[str, ...]]] = {}
    for line, number, words in stacked:
        if senses[words["en"]] != {"noun"}:
            continue
        entry = merged.setdefault(words["en"], dict.fromkeys(kept.values(), ()))
        for prefix, code in kept.items():
            where = f"{path}, line {line}, column '{prefix} {number}'"
            word = one_word(words[code], where, code)
            if word not in entry[code]:
                entry[code] += (word,)
    if not merged:
        raise MeaningsError(
            f"{path}: no noun with a word in every language; expected rows whose {parts} is 'nouns'"
        )
    return complete(path, tuple(kept.values()), merged, {}, unknown)


def _multi_simlex_languages(table: Table) -> tuple[dict[str, str], list[str]]:
    """Codes by the prefix of their columns, and the prefixes that are no language known."""
    codes, unknown = {}, []
    for prefix in _prefixes(table.header):
        if prefix not in MULTI_SIMLEX_CODES:
            unknown += [prefix] if prefix.isupper() else []  # `translation 1`, `scores 1` are none
            continue
        for number in ("1", "2"):
            if f"{prefix} {number}" not in table.header:
                raise MeaningsError(
                    f"{table.path}, line 1: no column '{prefix} {number}'; expected "
                    f"'{prefix} 1' and '{prefix} 2'"
                )
        codes[prefix] = MULTI_SIMLEX_CODES[prefix]
    if "ENG" not in codes or len(codes) < 2:
        raise MeaningsError(
            f"{table.path}, line 1: languages {listed(codes)}; expected ENG and one or more of "
            f"{listed(MULTI_SIMLEX_CODES)}"
        )
    return codes, unknown


def _prefixes(header: tuple[str, ...]) -> Iterator[str]:
    seen = set()
    for column in header:
        prefix, _, number = column.rpartition(" ")
        if number in ("1", "2") and prefix not in seen:
            seen.add(prefix)
            yield prefix


def _part_of_speech(value: str, where: str) -> str:
    names = {"n": "noun", "v": "verb", "a": "adjective", "r": "adverb"}
    name = names.get(value.lower(), value.lower().removesuffix("s"))
    if name not in names.values():
        raise MeaningsError(
            f"{where}: {value!r}; expected one of nouns, verbs, adjectives, adverbs"
        )
    return name
