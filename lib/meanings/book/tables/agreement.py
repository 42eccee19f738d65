"""The table at a chapter's end: what the paper reports, what is found here, and whether they
agree.
"""

from collections.abc import Sequence

import pandas as pd

COLUMNS = ("the paper", "here", "do they agree", "if not, why")


def agreement(rows: Sequence[tuple[str, str, str, str]]) -> pd.DataFrame:
    """One row per finding, with the columns `COLUMNS`."""
    return pd.DataFrame(rows, columns=list(COLUMNS)).set_index(COLUMNS[0])
