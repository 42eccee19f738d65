"""Why a text is not a word: the check of every cell of every word list.

A word is written into prompts between double quotes and compared with what a model answers. What
spreadsheets, encodings and printed lists leave in cells would go there unseen, so it is refused.
"""

import html
import re
import unicodedata
from itertools import pairwise, starmap, takewhile
from urllib.parse import unquote

# Blank though Unicode counts them as letters, marks or symbols.
BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u2800\u3164\ufe00-\ufe0f\uffa0]")
ERROR = re.compile(r"Err:\d+")
PLACEHOLDER = re.compile(r"<.*>|(?i:n/a|n\. ?a\.)|TBD|TODO|FIXME")
# What programs write for a missing value, with the languages in which it is a word as written:
# English `undefined` and `None`, the German noun `None`.
MISSING = {"undefined": {"en"}, "None": {"en", "de", "lb", "nds"}}
SYLLABIC = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # one letter may be a word
BRACKET = re.compile(r"[\[\]{}]")
SEPARATOR = re.compile("[;,、；，،]")
QUOTE = re.compile('["“”„‟«»「」『』《》＂]')
MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
DATE = re.compile(
    rf"\d{{1,4}}([-/.])\d{{1,2}}\1\d{{2,4}}|\d{{1,2}}-{MONTH}(-\d{{2,4}})?|{MONTH}-\d{{2}}"
)
LONGEST = 200  # letters of a word or phrase; a longer text is a paragraph, or a quote not closed


def flaw_of_text(text: str) -> str:
    """Why a non-empty text is neither a concept's name nor a word, and how to mend
    it; empty where nothing does.

    - Letters that cannot be seen: control characters, zero-width and direction marks, blanks that
      count as letters.
    - What a wrong encoding leaves: U+FFFD, `Ã©` for `é`, `&eacute;`, a mark without its letter.
    - What a spreadsheet leaves: errors such as `#N/A`, formulas, placeholders such as `?` or a
      dash. `null`, `NA` and `nan` are words.
    """
    if not text.isprintable() or BLANK.search(text):
        unseen = next(c for c in text if not c.isprintable() or BLANK.match(c))
        name = unicodedata.name(unseen, "a control character")
        return f"has U+{ord(unseen):04X} ({name.lower()}), which cannot be seen; delete it"
    if "\ufffd" in text:
        return "has U+FFFD in place of a lost letter; export it again from its source, as UTF-8"
    if meant := _misread(text):
        return f"looks like {meant!r} read in a wrong encoding; export it again as UTF-8"
    if ";" in text and html.unescape(text) != text:
        return f"has an HTML entity; write {html.unescape(text)!r}"
    if unicodedata.category(text[0]).startswith("M"):
        return "begins with a combining mark; put the letter that it belongs to before it"
    if text.startswith("#") or ERROR.fullmatch(text):  # #N/A, #REF!, #BEZUG!; LibreOffice's
        return "is a spreadsheet's error; write the word, or leave out the concept"
    if text.startswith("="):
        return "is a formula; write the word that it stands for"
    if PLACEHOLDER.fullmatch(text) or not any(letter.isalnum() for letter in text):
        return "is a placeholder, no word; write the word, or leave out the concept"
    return ""


def flaw_of_word(text: str, language: str = "", apart: str = "give each word its own row") -> str:
    """As `flaw_of_text`, and what makes a text no single word: quotation marks, `|` or another mark
    between words, brackets of a printed list, escapes, `_` for a space, a date that a spreadsheet
    has made of it, a whole paragraph, and a form that linguists mark as not attested (`*chat`).

    - `language`: its code, where it is known. `undefined` and `None` are refused where they are no
      word of it; `nil`, `null`, `NA` and `nan` are words in some language that matters and stay.
    - `apart`: how the layout has several words.

    A slash is refused where it stands between two words (`chat/matou`, `chat / matou`, `猫/貓`).
    It stays where a side is short or an abbreviation: `km/h`, `and/or`, `24/7`, `HIV/AIDS`; so do
    alternatives such as `le/la`, which cannot be told from these. A `*` stays inside a word
    (`Student*in`).
    """
    if flaw := flaw_of_text(text):
        return flaw
    if language and language not in MISSING.get(text, {language}):
        return (
            f"is a placeholder, no word in {language!r}; write the word, or leave out the concept"
        )
    if text.startswith("*"):
        return "begins with '*', which marks a form that is not attested; write an attested word"
    if len(text) > LONGEST:
        return f"has {len(text)} characters; expected a word of at most {LONGEST}"
    if BRACKET.search(text):
        return "has the brackets of a printed list; write the words themselves"
    if mark := QUOTE.search(text):
        named = "a double quote" if mark.group() == '"' else f"the quotation mark {mark.group()!r}"
        return f"has {named}; prompts put words between double quotes: delete it"
    if "|" in text:
        return "has '|', which separates words in the wide layout only; give each word its own row"
    if any(starmap(_two_words, pairwise(text.split("/")))):
        return f"has '/' between two words; write one word, or {apart}"
    if mark := SEPARATOR.search(text):
        return f"has {mark.group()!r}, which is in no word; write one word, and further ones apart"
    if "\\" in text:
        return r"has a backslash; an escape such as \u00e9 stands for a letter: write the letter"
    if (meant := unquote(text, errors="ignore")) != text:
        return f"has encoded letters, as in an address; write {meant!r}"
    if "_" in text:
        return "has '_', which WordNet and BabelNet write for a space; write a space"
    if DATE.fullmatch(text):
        return "is a date, which a spreadsheet may have made of a word; write the word"
    return ""


def _two_words(left: str, right: str) -> bool:
    """Whether what stands before and behind a slash are two words: with space around it, in scripts
    in which a letter may be a word, or where both sides have three letters or more and neither is
    an abbreviation in capitals.
    """
    before, behind = left.rstrip(), right.lstrip()
    sides = [
        "".join(takewhile(_is_letter, reversed(before))),
        "".join(takewhile(_is_letter, behind)),
    ]
    if not all(sides):
        return False
    if (before, behind) != (left, right) or all(map(SYLLABIC.match, sides)):
        return True
    return all(len(side) > 2 and not (side.isupper() and len(side) < 5) for side in sides)


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _misread(text: str) -> str:
    """What UTF-8 bytes say that were read as Windows-1252; empty where they say nothing."""
    try:
        return "" if text.isascii() else text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return ""
