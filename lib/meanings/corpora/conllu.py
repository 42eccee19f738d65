"""A strict reader of CoNLL-U, the format of Universal Dependencies: ten columns per word.

    1 ID   2 FORM   3 LEMMA   4 UPOS   5 XPOS   6 FEATS   7 HEAD   8 DEPREL   9 DEPS   10 MISC

A row that breaks the format is refused with its file, line and column, for a skipped word would
shift all that follow it. Rows of a written unit of several words (`5-6 zur`) give these words one
place in the text; empty nodes (`11.1`) are left out. Source: universaldependencies.org/format.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from meanings.core.errors import MeaningsError, one_of

NAMES = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
MAX_BYTES = 64 * 2**20  # unpacked; a treebank of 1,000 sentences has 2 million
ID = re.compile(r"[1-9][0-9]*(?:-[1-9][0-9]*)?|[0-9]+\.[1-9][0-9]*")


@dataclass(frozen=True)
class Word:
    """A word of a sentence.

    - `head`: the number of its head, from 1; 0 for the root. `relation`: to it, without subtype.
    - `start`, `end`: its characters in the sentence's text.
    """

    form: str
    upos: str
    features: dict[str, str]
    head: int
    relation: str
    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    """A sentence: its `sent_id`, its text and its words, of which the first is number 1."""

    name: str
    text: str
    words: tuple[Word, ...]


@dataclass
class _Block:
    """The lines of one sentence as they are read."""

    line: int
    comments: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


def read_conllu(path: Path) -> tuple[Sentence, ...]:
    """The sentences of a file, `.conllu` or `.conllu.gz`.

    Raises MeaningsError naming file, line and column where the file is missing, damaged, too large
    or no UTF-8, a row has not ten columns, an ID is out of order, a head is no word of the
    sentence, UPOS is none of the seventeen, or the words do not make up the sentence's text.
    """
    found = tuple(_sentence(path, block) for block in _blocks(path))
    if not found:
        raise MeaningsError(f"{path}: no sentence; expected CoNLL-U, ten columns per word")
    names = [sentence.name for sentence in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise MeaningsError(f"{path}: sent_id {twice!r} occurs twice; expected each once")
    return found


def _lines(path: Path) -> list[str]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise MeaningsError(
                f"{path}: larger than {MAX_BYTES >> 20} MiB; expected a treebank"
                " of at most this size"
            )
        return content.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MeaningsError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise MeaningsError(f"{path}: not readable ({reason}); fetch the file again") from None


def _blocks(path: Path) -> Iterator[_Block]:
    block: _Block | None = None
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            if block is not None:
                yield block
            block = None
            continue
        block = block or _Block(number)
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            block.comments[key.strip()] = value.strip()
        else:
            block.rows.append((number, line.rstrip("\r").split("\t")))
    if block is not None:
        yield block


def _sentence(path: Path, block: _Block) -> Sentence:
    for key in ("sent_id", "text"):
        if not block.comments.get(key):
            raise MeaningsError(
                f"{path}, line {block.line}: the sentence has no '# {key} = ...' before its words"
                "; add this line"
            )
    text = block.comments["text"]
    words: list[list[str]] = []  # columns of each word
    lines: list[int] = []
    spans: list[tuple[int, int]] = []
    place, inside = 0, 0  # characters read; the last word of a written unit of several
    for line, cells in block.rows:
        where = f"{path}, line {line}"
        kind, last = _check_row(where, cells, len(words) + 1)
        if kind == "empty":
            continue
        if kind == "word":
            words.append(cells)
            lines.append(line)
        if kind == "unit" or len(words) > inside:
            span, place = _found(where, text, place, cells)
        if kind == "unit":
            inside = last
        else:
            spans.append(span)
    _check_end(path, block, text, place, inside, len(words))
    return Sentence(
        block.comments["sent_id"],
        text,
        tuple(
            _word(f"{path}, line {line}", cells, span, len(words))
            for line, cells, span in zip(lines, words, spans, strict=True)
        ),
    )


def _check_row(where: str, cells: list[str], expected: int) -> tuple[str, int]:
    """What a row is (`word`, `unit` of several words, `empty` node) and its last word's number."""
    if len(cells) != len(NAMES):
        raise MeaningsError(
            f"{where}: {len(cells)} columns, expected {len(NAMES)} with tabs between them: "
            + " ".join(NAMES)
        )
    if not ID.fullmatch(cells[0]):
        raise MeaningsError(f"{where}, column ID: {cells[0]!r}; expected 1, 1-2 or 1.1")
    if "." in cells[0]:
        return "empty", 0
    first, _, last = cells[0].partition("-")
    if int(first) != expected or (last and int(last) <= expected):
        raise MeaningsError(f"{where}, column ID: {cells[0]!r}; expected word {expected} here")
    return ("unit", int(last)) if last else ("word", int(first))


def _found(where: str, text: str, place: int, cells: list[str]) -> tuple[tuple[int, int], int]:
    """The span of a form in the text, and where the next one begins."""
    form = cells[1]
    if not form or not text.startswith(form, place):
        there = text[place : place + max(len(form), 1) + 10]
        raise MeaningsError(
            f"{where}, column FORM: {form!r} is not what the sentence's text goes on with, "
            f"{there!r}; mend the form, the text or SpaceAfter=No before it"
        )
    end = after = place + len(form)
    if "SpaceAfter=No" not in cells[9].split("|"):
        if end < len(text) and not text[end].isspace():
            raise MeaningsError(
                f"{where}, column MISC: no SpaceAfter=No, but {text[end]!r} follows {form!r} in "
                "the sentence's text; add it, or mend the text"
            )
        while after < len(text) and text[after].isspace():
            after += 1
    return (place, end), after


def _check_end(path: Path, block: _Block, text: str, place: int, inside: int, words: int) -> None:
    if not words or inside > words:
        raise MeaningsError(
            f"{path}, line {block.line}: the sentence has {words} words, expected "
            f"{max(inside, 1)} or more; mend the sentence"
        )
    if text[place:].strip():
        raise MeaningsError(
            f"{path}, line {block.line}: its words end before its text does, at {text[place:]!r}"
            "; mend the words or the text"
        )


def _word(where: str, cells: list[str], span: tuple[int, int], words: int) -> Word:
    upos, features, head = cells[3], cells[5], cells[6]
    if upos not in UPOS:
        raise MeaningsError(f"{where}, column UPOS: {upos!r}; allowed are {one_of(UPOS)}")
    pairs = [] if features == "_" else [each.partition("=") for each in features.split("|")]
    if any(not (name and value) for name, _, value in pairs):
        raise MeaningsError(f"{where}, column FEATS: {features!r}; expected Name=Value|... or _")
    if not head.isascii() or not head.isdigit() or int(head) > words:
        raise MeaningsError(f"{where}, column HEAD: {head!r}; expected a number, 0 to {words}")
    relation = cells[7].partition(":")[0]
    if (int(head) == 0) != (relation == "root"):
        raise MeaningsError(
            f"{where}, column DEPREL: {cells[7]!r} with HEAD {head}; expected root where, and only "
            "where, HEAD is 0"
        )
    values = {name: value for name, _, value in pairs}
    return Word(cells[1], upos, values, int(head), relation, *span)
