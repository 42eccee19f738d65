"""The page of tables: a card of each published table, put in where the page's text has the mark;
and the data dictionary as a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from pathlib import Path

from meanings.book.shelf import FOLDER, Offer
from meanings.core.hashing import content_hash
from meanings.study import table_cards
from meanings.study.table_cards import Card, Column

MARK = "<!-- cards -->"
PAGE = "tables"


def filled(text: str) -> str:
    """A page's text with the cards in place of the mark."""
    if MARK not in text:
        return text
    return text.replace(MARK, "\n\n".join(markdown(card) for card in _cards()))


def markdown(card: Card) -> str:
    """A card as MyST: what the table is, how it was made, its files, and its columns, folded."""
    covers = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in card.covers.items())
    made = "\n".join(card.made)
    facts = [
        f"{card.row} {card.rows:,} rows{'; ' if covers else ''}{_text(covers)}. {_text(card.note)}",
        f"{_file(card.name + '.parquet')}, {_file(card.name + '.csv.gz')}.",
        f"```bash\n{made}\n```",
        f"Licence: {_text(card.licence)} SHA-256 of `{card.file}`: {card.sha256}.",
    ]
    rows = "\n".join(_row(column) for column in card.columns)
    table = f"| Column | Type | Unit | Range | Meaning |\n| --- | --- | --- | --- | --- |\n{rows}"
    folded = f":::{{dropdown}} Columns of {card.name}\n{table}\n:::"
    return "\n\n".join([f"## {card.title}", f"`{card.name}`", *facts, folded])


def _row(column: Column) -> str:
    cells = (f"`{column.name}`", column.dtype, column.unit, column.range, column.meaning)
    return f"| {' | '.join(_text(cell) for cell in cells)} |"


def _text(text: str) -> str:
    """Text that MyST shows as it is."""
    return escape(text, quote=False).replace("|", "\\|").replace("*", "\\*")


def _file(name: str) -> str:
    return f'<a href="{FOLDER}/{name}" download>{name}</a>'


def dictionary(offers: Iterable[Offer], folder: Path) -> str:
    """The columns of all tables that are offered, as CSV; of a CSV with means, what it holds."""
    published = {card.name: card.columns for card in _cards()}
    tables = {
        offer.name: published[offer.name]
        if offer.name in published
        else table_cards.described(table_cards.read_columns(folder / offer.parquet))
        for offer in offers
    }
    return table_cards.dictionary(tables).to_csv(index=False, lineterminator="\n")


def _cards() -> tuple[Card, ...]:
    files = table_cards.table_files()
    source = next(iter(files.values())).with_name(table_cards.CARDS) if files else Path()
    return _all(content_hash([str(file) for file in files.values()], *files.values(), source))


@lru_cache(maxsize=2)
def _all(_content: str) -> tuple[Card, ...]:
    return table_cards.all_cards()
