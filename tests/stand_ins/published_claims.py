"""What the published tables say of a claim, computed once a process for all tests that ask; and a
change of tables after which a claim must fall.
"""

from collections.abc import Callable
from functools import cache

import pandas as pd

from meanings.statistics.effects import Effect, Verdict
from meanings.validity.claims import catalogue
from meanings.validity.claims.claim import Claim


@cache
def decided(claim: Claim) -> tuple[Effect | None, Verdict]:
    """The effect in the published tables and its verdict."""
    return claim.decide(catalogue.tables_of([claim]))


def swapped(column: str, a: str, b: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Two labels exchanged everywhere; a table without the column stays."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        if column not in table:
            return table
        labels = table[column].astype("category").cat
        return table.assign(**{column: labels.rename_categories({a: b, b: a})})

    return change
