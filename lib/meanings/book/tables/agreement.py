"""The table that a chapter ends with: what the paper reports, and what this study finds."""

from collections.abc import Iterable

import pandas as pd

COLUMNS = ("the paper", "here", "do they agree", "if not, why")


def agreement(rows: Iterable[tuple[str, str, str, str]]) -> pd.DataFrame:
    """One row a finding: the paper's, this study's, whether they agree, and why not if not."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS)).set_index(COLUMNS[0])
