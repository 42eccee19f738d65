"""The lecture's deck as text: `book/slides/deck.md`, filled from claims and executed pages.

A slide is a heading of the second level. What stands in it for something else:

    {value}`emergence-shared`   a claim's estimate with its interval
    {counts}`emergence-shared`  its concepts, language pairs and training runs
    {claim}`emergence-shared`   its statement; a claim that does not hold says so
    {glue:text}`sy_first`       a value that a page of the book hands to its prose
    ```{figure} fig-dose```     a figure of a page, with its alternative text and what it rests on
    % block: method             the block of the lecture that begins with this slide
    % holds: emergence-dose     claims that the slide's title rests on, with the verdict that it
                                takes them to have: `holds`, `refuted` or `undecided`

So no number is typed, and a title says so where the tables have come to say something else.
"""

import ast
import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from meanings.book import lecture
from meanings.book.facts import wording
from meanings.book.tables import claims as claim_tables
from meanings.core.errors import MeaningsError, one_of

FIGURE = re.compile(r"^```\{figure\} *(\S+)\n```$", re.M)
ROLE = re.compile(r"\{(value|counts|claim|glue:text)\}`([^`]+)`")
RESTS = re.compile(r"^% (holds|refuted|undecided): *(.+)\n", re.M)
BLOCK = re.compile(r"^% block: *(.+)\n", re.M)
NOTES = "```{revealjs-notes}\n"
OF_CLAIMS = ("value", "counts", "claim")
SENTENCES = re.compile(r"(?<=[.?!]) +(?=[A-Z0-9“])")
MARKUP = re.compile(r"([\\`*_\[\]<>{}$|#~])")


@dataclass(frozen=True)
class Figure:
    """A figure of an executed page: the image and the words that travel with it."""

    png: bytes
    alt: str
    caption: str
    page: str

    @property
    def basis(self) -> str:
        """What it rests on: its caption from the last sentence on that counts; a drawing's last
        sentence.
        """
        sentences = SENTENCES.split(self.caption)
        counting = [i for i, text in enumerate(sentences) if re.search(r"\d", text)]
        return " ".join(sentences[counting[-1] if counting else -1 :])


@dataclass
class Material:
    """What a deck is filled with: values by key, figures by name, rows of claims by id."""

    values: dict[str, str] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    claims: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def claims_in(text: str) -> list[str]:
    """The ids of the claims that a deck names."""
    said = [name for role, name in ROLE.findall(text) if role in OF_CLAIMS]
    return sorted({*said, *(name for _, names in RESTS.findall(text) for name in _split(names))})


def pages_for(text: str, sources: Mapping[str, str]) -> list[str]:
    """The pages of the book that have what a deck shows, in their order.

    - `sources`: the text of each page with cells, by name.

    Raises MeaningsError where no page has a figure or a value.
    """
    wanted = {f'"{name}")' for name in FIGURE.findall(text)}
    wanted |= {f"{{{role}}}`{name}`" for role, name in ROLE.findall(text) if role == "glue:text"}
    nowhere = {each for each in wanted if not any(each in page for page in sources.values())}
    if nowhere:
        names = sorted(each.strip('")').removeprefix("{glue:text}").strip("`") for each in nowhere)
        raise MeaningsError(
            f"book/slides shows what no page of the book has: {one_of(names)}; name a figure or a "
            "value of a page, or add it to one"
        )
    return [name for name, page in sources.items() if any(each in page for each in wanted)]


def read_pages(notebooks: Sequence[Path]) -> Material:
    """The values and figures of executed pages."""
    found = Material()
    for file in notebooks:
        notebook = nbformat.read(file, as_version=4)
        title = next(
            match[1]
            for cell in notebook.cells
            if (match := re.search(r"^# (.+)$", cell.source, re.M)) and cell.cell_type != "code"
        )
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                _collect(found, cell, output, title)
    return found


def _collect(found: Material, cell: Any, output: Any, title: str) -> None:
    data, glued = output.get("data", {}), output.get("metadata", {}).get("scrapbook")
    if glued:
        text = data[f"{glued.get('mime_prefix', '')}text/plain"]
        found.values[glued["name"]] = str(ast.literal_eval(text))
    if "image/png" in data:
        words = cell.metadata["mystnb"]
        found.figures[words["figure"]["name"]] = Figure(
            base64.b64decode(data["image/png"]),
            words["image"]["alt"],
            words["figure"]["caption"],
            title,
        )


def filled(text: str, material: Material) -> str:
    """The deck as MyST Markdown for sphinx-revealjs; images are `figures/<name>.png`.

    Raises MeaningsError that lists what the material lacks.
    """
    lacking = [name for name in FIGURE.findall(text) if name not in material.figures]
    for role, name in ROLE.findall(text):
        if name not in (material.values if role == "glue:text" else material.claims):
            lacking.append(name)
    if lacking:
        raise MeaningsError(f"the deck lacks {one_of(sorted(set(lacking)))}; run 'make book' again")
    head, *slides = re.split(r"^(?=## )", text, flags=re.M)
    return "".join(_slide(slide, material) for slide in (head, *slides))


def _slide(text: str, material: Material) -> str:
    text = _titled(text, material)
    block = BLOCK.search(text)
    if block:
        text = BLOCK.sub("", text).replace(
            NOTES, f"{NOTES}Minutes {lecture.spans('lecture')[block[1]]}: {block[1]}.\n\n", 1
        )
    captions = [material.figures[name].caption for name in FIGURE.findall(text)]
    text = FIGURE.sub(lambda match: _figure(match[1], material.figures[match[1]]), text)
    if captions and NOTES in text:
        before, _, notes = text.partition(NOTES)
        end = notes.index("\n```")
        shown = "".join(f"\n\nThe figure: {escaped(caption)}" for caption in captions)
        text = f"{before}{NOTES}{notes[:end]}{shown}{notes[end:]}"
    return ROLE.sub(lambda match: escaped(said(match[1], match[2], material)), text)


def _titled(text: str, material: Material) -> str:
    """A title in quotes, after what the tables say now, where that is not what it rests on."""
    others = {
        verdict
        for wanted, names in RESTS.findall(text)
        for name in _split(names)
        if (verdict := material.claims[name]["verdict"]) != wanted
    }
    text = RESTS.sub("", text)
    if not others:
        return text
    lead = {"refuted": "Refuted", "undecided": "Not decided", "holds": "Decided by now"}
    now = next(words for verdict, words in lead.items() if verdict in others)
    return re.sub(r"^## (.+)$", rf"## {now}: “\1”", text, count=1, flags=re.M)


def _figure(name: str, figure: Figure) -> str:
    alt = " ".join(figure.alt.split())
    source = f"From the page *{figure.page}*. {escaped(figure.basis)}"
    image = f"```{{figure}} figures/{name}.png\n:alt: {alt}\n```"
    return f"{image}\n\n:::{{container}} basis\n{source}\n:::"


def said(role: str, name: str, material: Material) -> str:
    """What stands for a role in the deck, as plain text."""
    if role == "glue:text":
        return material.values[name]
    row = material.claims[name]
    if role == "claim":
        return wording.with_basis(row)
    return claim_tables.counts(row) if role == "counts" else claim_tables.estimate(row)


def escaped(text: str) -> str:
    """Text in which no character is Markdown."""
    return MARKUP.sub(r"\\\1", text)


def _split(names: str) -> list[str]:
    return re.split(r",\s*", names.strip())
