"""What the first page says: the book's three answers, in the words and numbers of its claims."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts.wording import by_verdict, either, interval
from meanings.book.tables import claims as claim_tables
from meanings.book.tables import miniature as miniature_tables
from meanings.statistics import selection

# The claims behind each answer, in the order in which the page says them.
ANSWERS = (
    "emergence-shared",
    "emergence-early",
    "emergence-longer",
    "emergence-plateau",
    "emergence-together",
    "emergence-direct-first",
    "language-writing",
    "language-reading-loss",
    "language-reading",
    "language-averaging-single",
    "errors-copying-gemma",
    "errors-false-friends-gemma",
    "errors-words-of-several-senses-miniature",
    "errors-plain-gemma",
    "instruments-relations-apart",
    "instruments-place-translation",
    "instruments-shape-place",
    "instruments-agree",
)


def answers(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Each of `ANSWERS` as `ix_` and its id with underscores: the statement, its estimate with the
    interval, and its verdict where it does not hold.

    - `rows`: of `meanings.validity.claims.catalogue`.
    """
    by_id = {row["id"]: row for row in rows}
    return {f"ix_{name.replace('-', '_')}": said(by_id[name]) for name in ANSWERS}


def said(row: Mapping[str, Any]) -> str:
    """`Statement (0.61 [0.55, 0.67], 3 runs).`, after its verdict where it does not hold.

    - `row`: of `meanings.validity.claims.catalogue`.
    """
    n = row["n_seeds"] or 0
    runs = f", {n} training run{'s' if n > 1 else ''}" if n else ""
    given = "[" in row["statement"]  # the interval
    numbers = "." if given else f" ({claim_tables.estimate(row)}{runs})."
    return by_verdict(row["statement"].rstrip(".") + numbers, row["verdict"])


def held(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many claims the book makes, and how many hold, are refuted and are undecided."""
    verdicts = [row["verdict"] for row in rows]
    counts = {f"ix_{name}": verdicts.count(name) for name in ("holds", "refuted", "undecided")}
    return {"ix_claims": len(verdicts), **counts}


def shared_space(
    model: str, curves: pd.DataFrame, lead: str, checkpoints: int
) -> dict[str, object]:
    """What this copy of the book has measured for its first figure.

    - `curves`: means by condition and tokens; `lead`: the condition that is followed;
      `checkpoints`: how many the model has.
    """
    end = selection.last_checkpoint(curves)
    return {
        "ix_model": model,
        "ix_checkpoints": checkpoints,
        "ix_seen": interval(selection.one(end, condition=lead)),
        "ix_vector": either(
            lead == "seen",
            "the vector averaged over other languages",
            f"the vector of {lead} (there is no other pair to average over)",
        ),
    }


def recipe(mix: Mapping[str, Any], tried: pd.DataFrame) -> dict[str, object]:
    """How the miniature's recipe was chosen, in one sentence.

    - `mix`: the training recipe; `tried`: one row per variant.
    """
    in_format = miniature_tables.share_of(mix, miniature_tables.TEST_FORMAT)
    running = miniature_tables.share_of(mix, miniature_tables.RUNNING_TEXT)
    return {
        "ix_recipe": f"The miniature's recipe is the one of {len(tried)} variants with the highest "
        f"P(source); {in_format:.0%} of its training documents have the format of the test's "
        f"prompts, and {running:.0%} are running text."
    }
