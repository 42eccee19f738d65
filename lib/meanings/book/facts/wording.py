"""Words for numbers that several pages share."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from meanings.book.tables import claims as claim_tables
from meanings.core.formatting import span
from meanings.statistics.resampling import SEED_COLUMN
from meanings.statistics.targeted import UNIT


def interval(row: pd.Series) -> str:
    """A row's `mean` with its interval, `0.61 [0.55, 0.67]`."""
    return span(row["mean"], row["low"], row["high"])


def either(condition: bool | np.bool_, yes: str, no: str) -> str:
    """One of two readings, whichever the numbers say."""
    return yes if condition else no


def share_of_training(moment: Real, table: pd.DataFrame) -> str:
    """An onset in tokens as a clause about the training that `table` covers."""
    if not np.isfinite(moment):
        return "within this training it has no onset"
    share = moment / table["tokens"].max()
    return (
        "half of its late height (mean of the last three checkpoints) is there after "
        f"{share:.0%} of the training"
    )


def sentence(text: str) -> str:
    """A text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def plain_names(names: pd.Index | list[str]) -> str:
    """Labels joined by commas, underscores as spaces; `none` where there are none."""
    return ", ".join(str(name).replace("_", " ") for name in names) or "none"


def statements(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The statements of claims, each under its id with underscores; one that does not hold says so.

    - `rows`: of `meanings.validity.claims.catalogue`.
    """
    return {
        row["id"].replace("-", "_"): by_verdict(row["statement"], row["verdict"]) for row in rows
    }


def by_verdict(statement: str, verdict: str) -> str:
    """A statement as a page may say it; where it does not hold, `Refuted: “It is so.”`"""
    if verdict == "holds":
        return statement
    return f"{'Refuted' if verdict == 'refuted' else 'Not decided'}: “{statement}”"


def with_basis(row: Mapping[str, Any]) -> str:
    """A claim's statement with what it rests on, as `by_verdict` says it:
    `Statement (0.61 [0.55, 0.67]; 64 concepts, 6 pairs, 3 runs).`
    """
    parts = [] if "[" in row["statement"] else [claim_tables.estimate(row)]  # the interval
    basis = "; ".join(part for part in (*parts, claim_tables.counts(row)) if part)
    return by_verdict(f"{row['statement'].rstrip('.')} ({basis}).", row["verdict"])


def claim(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    """The statement of the claim with this id, as `statements` gives it."""
    return statements(rows)[name.replace("-", "_")]


def counted(table: pd.DataFrame) -> str:
    """What a figure rests on, `64 concepts, 5 language pairs, 3 training seeds`."""
    numbers = {
        "concept": table["source_concept"].nunique(),
        "language pair": table["pair"].nunique(),
        "training seed": table[SEED_COLUMN].nunique(),
    }
    return ", ".join(plural(n, word) for word, n in numbers.items())


def plural(n: int, word: str) -> str:
    """`1 run`, `3 runs`."""
    return f"{n} {word}{'' if n == 1 else 's'}"


def resampled(n_seeds: int, unit: str = "concepts") -> str:
    """What the intervals of a figure resample."""
    return f"95 % intervals resample {unit}{' and training seeds' if n_seeds > 1 else ''}"


def based_on(table: pd.DataFrame) -> str:
    """What a figure rests on, and what its intervals resample."""
    return f"{counted(table)}; {resampled(table[SEED_COLUMN].nunique())}"


def of_ratios(ratios: pd.DataFrame) -> str:
    """The same of matched ratios, one row per language, of `equivalence.matched_ratios`."""
    concepts, seeds = (int(ratios[name].max()) for name in ("n_units", "n_seeds"))
    numbers = f"{plural(concepts, 'concept')}, {plural(seeds, 'training seed')}"
    return f"{numbers}; {resampled(seeds)}"


def of_gains(changes: Mapping[str, pd.DataFrame]) -> str:
    """What a figure of gains and losses rests on, model by model.

    - `changes`: by condition (of Gemma: `Gemma: condition`), `meanings.labels.gains.by_condition`.
    """
    models = {"measured for this page": False, "Gemma (published)": True}
    parts = []
    for model, elsewhere in models.items():
        own = [rows for name, rows in changes.items() if name.startswith("Gemma") == elsewhere]
        if own:
            parts.append(f"{model}: {counted(pd.concat(own))}")
    return "; ".join(parts)


def of_targeted(changed: Mapping[str, pd.DataFrame]) -> str:
    """What a figure of targeted words rests on, model by model.

    - `changed`: by model, `meanings.statistics.targeted.changes`.
    """
    parts = []
    for model, rows in changed.items():
        own = rows[rows["role"] == "query"]
        numbers = {
            "query word": own[UNIT].nunique(),
            "language pair": own["pair"].nunique(),
            "training seed": own[SEED_COLUMN].nunique(),
        }
        parts.append(f"{model}: {', '.join(plural(n, word) for word, n in numbers.items())}")
    return "; ".join(parts)


def targeted_based_on(changed: Mapping[str, pd.DataFrame]) -> str:
    """The same, and what the intervals resample."""
    most = max(rows[SEED_COLUMN].nunique() for rows in changed.values())
    return f"{of_targeted(changed)}; {resampled(most, 'query words')}"
