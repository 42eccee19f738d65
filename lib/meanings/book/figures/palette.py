"""One palette: how each condition, language and language family is drawn, everywhere in the book.

Colours are Okabe and Ito's, which colour-blind readers tell apart; each condition and family also
has a mark, and nulls and unpatched prompts a dash, so that colour is never the only sign. What a
condition *is* stands in `meanings.patching.conditions`.
"""

from numbers import Real
from typing import NamedTuple

from meanings.lexicon.languages import LANGUAGES
from meanings.patching.conditions import FROM, input_language

Dash = tuple[int, tuple[Real, ...]]

SERIES = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9", "#000000", "#8C6D1F")


class Look(NamedTuple):
    """How a series is drawn: its short label, colour, mark (empty: none) and dash (None: solid)."""

    label: str
    colour: str
    mark: str = "o"
    dash: Dash | None = None

    @property
    def line(self) -> str | Dash:
        """The line style as matplotlib takes it."""
        return self.dash or "-"


CONDITIONS: dict[str, Look] = {
    "seen": Look("seen", "#0072B2", "o"),
    "en_en": Look("en_en", "#D55E00", "s"),
    "self": Look("self", "#009E73", "^"),
    "tgt": Look("tgt", "#AA4499", "D"),
    "tgt_tgt": Look("tgt_tgt", "#8C6D1F", "v"),
    "src_unpatched": Look("asked directly", "#000000", "", (0, (4, 2))),
    "tgt_unpatched": Look("no patch", "#555555", "", (0, (2, 1.5))),
    "null_concept": Look("null (concept)", "#7F7F7F", "x", (0, (1, 1))),
    "null_mean": Look("null (mean)", "#8C8C8C", "+", (0, (3, 1, 1, 1))),
    "one_pair": Look("one pair", "#56B4E9", "<"),
    "tgt_mean": Look("tgt (mean)", "#E69F00", ">"),
}
# Vectors that control a patch: `meanings.patching.controls`.
CONTROLS: dict[str, Look] = {
    "null_category": Look("null (category)", "#7F7F7F", "X", (0, (2, 1))),
    "random": Look("random vector", "#8C8C8C", ".", (0, (1, 2))),
    "reversed": Look("seen, layers reversed", "#8C6D1F", "p"),
}
# One hue a family, so that relatives are told apart by shade and mark.
LANGUAGE_LOOKS: dict[str, Look] = {
    code: Look(code, colour, mark)
    for code, colour, mark in (
        ("en", "#004C8C", "o"),
        ("de", "#3E9BDC", "s"),
        ("fr", "#B33A00", "D"),
        ("es", "#E69F00", "^"),
        ("it", "#F0785A", "v"),
        ("ru", "#00694B", "P"),
        ("pl", "#4DB88C", "X"),
        ("fi", "#7B3294", "<"),
        ("et", "#C27FBF", ">"),
        ("zh", "#000000", "h"),
        ("yue", "#6E6E6E", "p"),
        ("cy", "#8C6D1F", "d"),
        ("sw", "#B8A04A", "H"),
        ("he", "#A0144F", "8"),
        ("ar", "#D6638F", "*"),
    )
}
FAMILIES = ("Germanic", "Romance", "Slavic", "Uralic", "Sinitic", "Celtic", "Bantu", "Semitic")
MARKS = "osD^vPX*<>hp"


def look(name: str, place: int = 0) -> Look:
    """How a condition or a language is drawn; any other series takes the `place`-th colour."""
    if code := input_language(name):
        language = LANGUAGE_LOOKS[code]
        if name.startswith(FROM):
            return language._replace(label=f"from {code}")
        return language._replace(label=f"null (from {code})", dash=(0, (1, 1)))
    known = CONDITIONS | LANGUAGE_LOOKS
    return known.get(name) or Look(name, SERIES[place % len(SERIES)])


def family_look(code: str) -> Look:
    """How a language is drawn: as its family. Families beyond those listed come after them."""
    known = list(dict.fromkeys([*FAMILIES, *(entry.family for entry in LANGUAGES.values())]))
    place = known.index(LANGUAGES[code].family)
    mark = MARKS[place % len(MARKS)]
    return Look(LANGUAGES[code].family, SERIES[place % len(SERIES)], mark)
