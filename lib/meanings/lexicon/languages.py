"""Languages by code, with their native names (written into prompts), scripts and families; and
pairs of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from meanings.core.errors import MeaningsError, one_of


@dataclass(frozen=True)
class Language:
    """A language: `code` as in the lexicon, English `name`, capitalised `native` name, ISO 15924
    `script`, `family`.
    """

    code: str
    name: str
    native: str
    script: str
    family: str


@dataclass(frozen=True, order=True)
class LanguagePair:
    """Words are read in `input` and answered in `output`; equal codes make a copying prompt."""

    input: str
    output: str

    def __str__(self) -> str:
        return f"{self.input}-{self.output}"


# Families are branches where several Indo-European languages would otherwise fall into one class.
LANGUAGES: dict[str, Language] = {
    entry.code: entry
    for entry in (
        Language("en", "English", "English", "Latn", "Germanic"),
        Language("fr", "French", "Français", "Latn", "Romance"),
        Language("de", "German", "Deutsch", "Latn", "Germanic"),
        Language("es", "Spanish", "Español", "Latn", "Romance"),
        Language("it", "Italian", "Italiano", "Latn", "Romance"),
        Language("ru", "Russian", "Русский", "Cyrl", "Slavic"),
        Language("pl", "Polish", "Polski", "Latn", "Slavic"),
        Language("fi", "Finnish", "Suomi", "Latn", "Uralic"),
        Language("et", "Estonian", "Eesti", "Latn", "Uralic"),
        Language("cy", "Welsh", "Cymraeg", "Latn", "Celtic"),
        Language("sw", "Swahili", "Kiswahili", "Latn", "Bantu"),
        Language("zh", "Mandarin Chinese", "中文", "Hans", "Sinitic"),
        Language("yue", "Cantonese", "粵語", "Hant", "Sinitic"),
        Language("he", "Hebrew", "עברית", "Hebr", "Semitic"),
        Language("ar", "Arabic", "العربية", "Arab", "Semitic"),
    )
}

# Languages made for an experiment, by codes that ISO 639-2 leaves to private use: another
# language's words in signs of their own. Only training runs of such an experiment have them.
MADE_LANGUAGES: dict[str, Language] = {
    entry.code: entry
    for entry in (
        Language("qaa", "Clone A", "Qala", "Qaaa", "made"),
        Language("qab", "Clone B", "Qemi", "Qaab", "made"),
        Language("qac", "Clone C", "Qoru", "Qaac", "made"),
    )
}


def language(code: str) -> Language:
    """The language of `code`, real or made. Raises MeaningsError naming the known codes."""
    found = LANGUAGES.get(code) or MADE_LANGUAGES.get(code)
    if found is None:
        raise MeaningsError(f"unknown language {code!r}: known codes are {one_of(LANGUAGES)}")
    return found


def parse_pair(text: str) -> LanguagePair:
    """`"fr-es"` as LanguagePair("fr", "es"); `"en-en"` is a copying pair.

    Raises MeaningsError where the text is not two known codes joined by one hyphen.
    """
    parts = text.split("-")
    if len(parts) != 2:
        raise MeaningsError(
            f"language pair {text!r} is not two codes joined by a hyphen, like 'fr-es': known "
            f"codes are {one_of(LANGUAGES)}"
        )
    return LanguagePair(language(parts[0]).code, language(parts[1]).code)
