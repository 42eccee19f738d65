"""Other forms of a word: the same letters without marks, an inflection of one stem, a slip of one
letter.

Each rule is narrow on purpose: a form that is a word of another concept in the language never gets
this far (`Labeller`).
"""

import re
import unicodedata
from functools import lru_cache

from meanings.lexicon.languages import language as language_of

# Letters that Unicode does not decompose into a base letter and a mark.
BASE = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "œ": "oe",
        "æ": "ae",
        "ı": "i",
        "’": "",
        "'": "",
        "-": "",
        " ": "",
    }
)

# What nouns add to their stem or put in place of its end: number, case, gender, article. The empty
# ending is in every set.
ENDINGS: dict[str, str] = {
    "en": "s es ies y 's ves f fe",
    "fr": "s x e es aux al eau eaux",
    "de": "e n en er ern es s em nen",
    "es": "s es o a os as ces z",
    "it": "o a i e he hi io",
    "ru": "а я о е ё ы и у ю ой ей ою ам ям ами ями ах ях ом ем ём ов ев ь й",
    "pl": "a o e ę ą i y u ów om ami ach em iem owi ie ia ię ią ek ka ko ki",
    "fi": "n t a ä ta tä tta ttä ssa ssä sta stä lla llä lta ltä lle na nä ksi en in än an ja jä "
    "ia iä den ille issa issä i e",
    "et": "d t i e a u s st le l lt ga ks id te de sid it is ide",
    "cy": "au iau ion on od oedd i ydd en yn",
    "he": "ים ות ה",
    "ar": "ات ون ين ة",
}
PREFIXES: dict[str, str] = {  # classes of nouns; the definite article
    "sw": "ki vi ch vy m wa mi ma ji j u n ny",
    "he": "ה",
    "ar": "ال",
}
MUTATIONS = {  # Welsh initial consonants: soft, nasal, aspirate
    "c": "g ngh ch",
    "p": "b mh ph",
    "t": "d nh th",
    "g": "ng",
    "b": "f m",
    "d": "dd n",
    "m": "f",
    "ll": "l",
    "rh": "r",
}
HAN_ENDINGS = ("子", "儿", "兒", "头", "頭", "仔")
FURTHEST = 6  # letters by which two forms of a word may differ in length
SHORTEST = 5  # letters of a word in which one wrong letter still leaves the word
PLURALS = ("s", "es")  # of most languages in Latin script, and of their loans in the others
VOWELS = frozenset("aeiouyаеиоуыэюя")
# Initials of loans that are written with either letter: et piison, fi biisoni.
VOICED = {"et": "bp dt gk", "fi": "bp dt gk"}
LOOP = re.compile(r"(.{2,}?)(?: ?\1){2,}(.*)", re.DOTALL)


@lru_cache(maxsize=100_000)
def bare(form: str) -> str:
    """A normal form without diacritics, hyphens, apostrophes and inner spaces; й, ё and Han
    characters lose theirs too, if any.
    """
    marks = unicodedata.normalize("NFD", form)
    return unicodedata.normalize(
        "NFC", "".join(c for c in marks if not unicodedata.combining(c))
    ).translate(BASE)


def other_form(answer: str, word: str, language: str) -> str:
    """The rule by which `answer` is another form of `word` in `language`, in words; empty where it
    is none. Both in normal form.

    - diacritics or spelling: equal when bare; Han: equal but for a closing 子, 儿, 头 or 仔;
    - inflection: one stem of three letters or more (two thirds of the shorter form at least) and
      endings, or noun class prefixes, of the language; Welsh: the initial mutates;
    - plural: -s or -es is added to the whole word, whatever the language;
    - spelling: one letter changed, added, left out or two neighbours swapped in a word of
      `SHORTEST` letters or more, not at its beginning, and not merely its end broken off; in a word
      of four letters, one vowel for another; an initial of `VOICED` for its partner.
    """
    if not answer or answer == word or abs(len(answer) - len(word)) > FURTHEST:
        return ""
    a, b = bare(answer), bare(word)
    if not a or not b:
        return ""
    if a == b:
        return f"{word!r} but for diacritics, hyphens or spaces"
    if language_of(language).script in ("Hans", "Hant"):
        return (
            f"{word!r} but for a suffix"
            if any(a == b + end or b == a + end for end in HAN_ENDINGS)
            else ""
        )
    if _endings(a, b, language) or _prefixes(a, b, language) or _plural(a, b):
        return f"{word!r} inflected"
    if language == "cy" and (_mutated(a, b) or _mutated(b, a)):
        return f"{word!r} with another initial"
    if (
        min(len(a), len(b)) >= SHORTEST - 1
        and max(len(a), len(b)) >= SHORTEST
        and a[0] == b[0]
        and _one_slip(a, b)
        and not b.startswith(a)
    ):
        return f"{word!r} with one letter changed"
    if _one_vowel(a, b) or _voiced(a, b, language):
        return f"{word!r} with one letter changed"
    return ""


def _endings(a: str, b: str, language: str) -> bool:
    if a[:3] != b[:3]:  # a stem has three letters or more
        return False
    allowed, longest = _allowed(language)
    common = next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
    # The stem may be shorter than what the two share: `gato` and `gata` share `gat`, `kivi` and
    # `kiviä` end in other vowels.
    for stem in range(common, max(2, common - longest), -1):
        if 3 * stem >= 2 * min(len(a), len(b)) and a[stem:] in allowed and b[stem:] in allowed:
            return True
    return False


@lru_cache
def _allowed(language: str) -> tuple[frozenset[str], int]:
    allowed = frozenset(("", *(bare(end) for end in ENDINGS.get(language, "").split())))
    return allowed, max(map(len, allowed))


def _prefixes(a: str, b: str, language: str) -> bool:
    allowed = ("", *PREFIXES.get(language, "").split())
    return a[-3:] == b[-3:] and any(
        a.startswith(x) and b.startswith(y) and a[len(x) :] == b[len(y) :] and len(a) - len(x) >= 3
        for x in allowed
        for y in allowed
        if x != y
    )


def _mutated(a: str, b: str) -> bool:
    for initial in sorted(MUTATIONS, key=len, reverse=True):
        if b.startswith(initial):
            rest = b[len(initial) :]
            # A soft g falls away altogether.
            return len(rest) >= 2 and (
                a in [to + rest for to in MUTATIONS[initial].split()]
                or (initial == "g" and a == rest)
            )
    return False


def _plural(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    return len(short) >= 3 and any(long == short + end for end in PLURALS)


def _one_vowel(a: str, b: str) -> bool:
    """Whether two words of four letters differ in one inner vowel."""
    if not len(a) == len(b) == SHORTEST - 1 or a[0] != b[0] or a[-1] != b[-1]:
        return False
    changed = [{x, y} for x, y in zip(a, b, strict=True) if x != y]
    return len(changed) == 1 and changed[0] <= VOWELS


def _voiced(a: str, b: str, language: str) -> bool:
    pairs = map(set, VOICED.get(language, "").split())
    return min(len(a), len(b)) >= SHORTEST and a[1:] == b[1:] and {a[0], b[0]} in pairs


def repeated(form: str) -> tuple[str, int]:
    """The part that a form repeats three times or more, and how often it is whole; the form itself
    and 1 where it repeats none.

    `chat chat chat` and `chatchatchatch` are `chat` three times.
    """
    found = LOOP.fullmatch(form)
    if not found or not found[1].strip().startswith(found[2].strip()):
        return form, 1
    return found[1].strip(), form.count(found[1].strip())


def _one_slip(a: str, b: str) -> bool:
    if len(a) > len(b):
        a, b = b, a
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(b) - len(a) == 1:
        return a[at:] == b[at + 1 :]
    swapped = a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :]
    return len(a) == len(b) and (a[at + 1 :] == b[at + 1 :] or swapped)
