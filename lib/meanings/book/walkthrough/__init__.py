"""One patch followed step by step, for the chapter Method. The only part of the book that loads a
model.
"""

from meanings.book.walkthrough.loading import start
from meanings.book.walkthrough.patch import Walkthrough
from meanings.book.walkthrough.stepping import steps
from meanings.book.walkthrough.tables import (
    conditions,
    drawing,
    paper,
    provenance,
    shapes,
    tokens,
    vectors,
)

__all__ = [
    "Walkthrough",
    "conditions",
    "drawing",
    "paper",
    "provenance",
    "shapes",
    "start",
    "steps",
    "tokens",
    "vectors",
]
