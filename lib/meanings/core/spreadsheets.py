"""Texts that a spreadsheet may open: guarded against running as formulas, and recoverable.

A spreadsheet takes a cell for a formula where it begins with = + - @, with one of their full-width
forms, a tab or a line break. Such a text, and one that begins with an apostrophe, gets an
apostrophe before it; taking that one off gives the text back.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

RISKY = "['=+\\-@＝＋－＠\\t\\r\\n]"
# A reader of CSV may have made a tab or a line break a space, or cut it off at the end.
_GUARDED = re.compile(f"'(?={RISKY[:-1]} ]|\\Z)")


def harmless(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would run, and before an apostrophe."""
    return f"'{text}" if re.match(RISKY, text) else text


def harmless_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """`harmless` of every text of a column; missing ones stay missing."""
    risky = pc.match_substring_regex(column, f"^{RISKY}")
    return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)


def original(text: str) -> str:
    """The text that `harmless` was given. A text that was never guarded stays as it is, unless it
    looks as if it had been.
    """
    return text[1:] if _GUARDED.match(text) else text
