"""Names that word lists have for languages: ISO 639-3, Glottocodes, codes with a script or a number
of a variety; all lead to the study's own codes.
"""

from meanings.lexicon.languages import LANGUAGES, MADE_LANGUAGES, language

ISO_639_3 = {
    "eng": "en", "fra": "fr", "deu": "de", "spa": "es", "ita": "it", "rus": "ru", "pol": "pl",
    "fin": "fi", "est": "et", "ekk": "et", "cym": "cy", "swa": "sw", "swh": "sw", "zho": "zh",
    "cmn": "zh", "yue": "yue", "heb": "he", "ara": "ar", "arb": "ar",
}  # fmt: skip
GLOTTOCODES = {
    "stan1293": "en", "stan1290": "fr", "stan1295": "de", "stan1288": "es", "ital1282": "it",
    "russ1263": "ru", "poli1260": "pl", "finn1318": "fi", "esto1258": "et", "wels1247": "cy",
    "swah1253": "sw", "mand1415": "zh", "yuec1235": "yue", "cant1236": "yue", "hebr1245": "he",
    "stan1318": "ar",
}  # fmt: skip
EXPECTED = "by these codes, ISO 639-3 or Glottocode, also with the script as in 'eng_Latn'"
_CODES = {code: code for code in (*LANGUAGES, *MADE_LANGUAGES)} | ISO_639_3 | GLOTTOCODES
_SCRIPTS = {"Hans": ("Hans", "Hani"), "Hant": ("Hant", "Hani")}


def known_code(text: str) -> str | None:
    """The study's code of `fr`, `fra`, `fra_Latn`, `fra-000` (PanLex) or `stan1290`; None of
    another language, script or variety.

    PanLex numbers varieties of a language; 000 is the one in the usual script.
    """
    base, _, variety = text.replace("-", "_").partition("_")
    code = _CODES.get(base.lower())
    if code is None or variety in ("", "000"):
        return code
    own = language(code).script
    return code if variety.title() in _SCRIPTS.get(own, (own,)) else None
