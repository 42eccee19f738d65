"""Tables of languages."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from meanings.core.formatting import amount, span, unbroken
from meanings.lexicon.languages import LANGUAGES


def in_short(onsets: pd.DataFrame) -> pd.DataFrame:
    """Onsets with token counts in short, for a table."""
    columns = {
        name: onsets[name].map(lambda tokens: amount(tokens) if np.isfinite(tokens) else "none")
        for name in ("onset", "low", "high")
    }
    return onsets.assign(**columns, plateau=onsets["plateau"].round(2)).set_index("language")


def in_order(
    ratios: pd.DataFrame, order: Iterable[str], nulls: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Matched ratios by `language`, in this order, with the mean of the null as a column `null`."""
    found = ratios.set_index("language")
    codes = [code for code in order if code in found.index]
    found = found.loc[[*codes, *(code for code in found.index if code not in codes)]]
    if nulls is not None:
        found = found.assign(null=nulls.set_index("language")["mean"].reindex(found.index))
    return found.reset_index()


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Matched ratios as a reader sees them: both scores, and their ratio with its interval."""
    shown = {
        "patched": table["patched"].map("{:.2f}".format).to_list(),
        "asked directly": table["direct"].map("{:.2f}".format).to_list(),
        "ratio": [
            unbroken(span(row.ratio, row.ratio_low, row.ratio_high)) for row in table.itertuples()
        ],
    }
    if "null" in table:
        shown["third concept"] = table["null"].map("{:.3f}".format).to_list()
    names = [LANGUAGES[code].name for code in table["language"]]
    return pd.DataFrame({"language": names, **shown}).set_index("language")


def as_alignment(table: pd.DataFrame) -> pd.DataFrame:
    """The patched score of matched ratios as `mean`, `low`, `high`, beside `direct`."""
    names = {"patched": "mean", "patched_low": "low", "patched_high": "high"}
    return table.rename(columns=names)[["language", *names.values(), "direct"]]
