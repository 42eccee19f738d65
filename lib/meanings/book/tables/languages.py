"""Tables of languages."""

import numpy as np
import pandas as pd

from meanings.core.formatting import amount


def in_short(onsets: pd.DataFrame) -> pd.DataFrame:
    """Onsets with token counts in short, for a table."""
    columns = {
        name: onsets[name].map(lambda tokens: amount(tokens) if np.isfinite(tokens) else "none")
        for name in ("onset", "low", "high")
    }
    return onsets.assign(**columns, plateau=onsets["plateau"].round(2)).set_index("language")
