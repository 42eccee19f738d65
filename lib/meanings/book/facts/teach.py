"""What the page *Teach with it* says: minutes, the time of the lab's commands, claims."""

from meanings.book import lecture
from meanings.book.facts import wording
from meanings.core.formatting import duration
from meanings.validity.claims import catalogue

# Claims that the answers name.
ANSWERS = (
    "emergence-shared",
    "emergence-positive-control",
    "emergence-not-cognates",
    "emergence-self-first",
    "emergence-early",
    "emergence-order-of-layers",
    "errors-copying-gemma",
    "errors-false-friends-gemma",
    "instruments-relations-apart",
    "instruments-place-translation",
    "language-averaging-english",
    "language-reading",
    "real-concept",
    "real-english",
    "trust-blind-spot",
    "trust-meeting-layer",
    "trust-nothing-shared",
    "trust-other-lines",
)
REFUTED = "emergence-shared"


def minutes() -> dict[str, object]:
    """When each block of the lecture and of the lab begins and ends, in minutes."""
    return {
        f"te_{part}_{_key(block)}": span
        for part in ("lecture", "lab")
        for block, span in lecture.spans(part).items()
    } | {f"te_{part}": lecture.length(part) for part in ("lecture", "lab")}


def costs() -> dict[str, object]:
    """The processor time of the lab's commands."""
    return {
        f"te_cost_{_key(block)}": duration(entry["seconds"])
        for block, entry in lecture.commands().items()
    }


def answers() -> dict[str, object]:
    """The claims that the answers name, in words, with estimate, counts and verdict; and what would
    refute one of them.
    """
    rows = catalogue.of_ids(ANSWERS)
    said = {f"te_says_{_key(name)}": wording.with_basis(row) for name, row in rows.items()}
    return said | {f"te_refuted_{_key(REFUTED)}": rows[REFUTED]["refuted_by"].replace("`", "")}


def _key(name: str) -> str:
    return name.replace("-", "_").replace(" ", "_")
