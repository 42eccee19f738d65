"""Tables of the chapters on companion measures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from meanings.book.tables.emergence import chapter_claims
from meanings.core.formatting import amount
from meanings.lexicon.languages import LANGUAGES
from meanings.statistics import companions
from meanings.statistics.companions import PAIR

__all__ = ["by_pair", "chapter_claims", "floors", "side_by_side"]

OTHERS = {"tr": "Turkish"}  # of data sets, in no lexicon
SPLITS = {
    "all": "all concepts",
    "taught": "taught",
    "held_out": "held out",
    "never": "never side by side",
    "shared_token": "shared token",
}


def floors(
    rows: pd.DataFrame,
    world: pd.DataFrame | None,
    variants: Sequence[str],
    languages: Collection[str],
) -> pd.DataFrame:
    """Each variant at the last checkpoint: its value, the upper end of its permutation null, and
    the same of the world with nothing to share.
    """
    found = []
    for variant in variants:
        row = {"estimate": variant.replace("_", " ")}
        sides = {"this model": rows, "nothing to share": world}
        for name, table in sides.items():
            if table is None:
                continue
            within = languages if name == "this model" else ()
            chosen = companions.across(companions.of_variant(table, variant, within))
            last = chosen.groupby("training_seed")["step"].transform("max")
            end = companions.over_seeds(companions.at_layer(chosen[chosen["step"] == last]))
            row |= {name: span(end.iloc[0]), f"{name}, null up to": ""}
            ends = [column for column in ("null_high", "null") if column in end]
            if ends:
                row[f"{name}, null up to"] = f"{end[ends[0]].iloc[0]:z.3f}"
        found.append(row)
    return pd.DataFrame(found).set_index("estimate")


def side_by_side(curves: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Values of several curves over training, the best layer of none: one column per curve.

    - `curves`: by name, `tokens` and `value`.
    """
    columns = {
        name: curve.groupby("tokens")["value"].mean().map("{:z.2f}".format)
        for name, curve in curves.items()
    }
    table = pd.DataFrame(columns)
    table.index = [amount(tokens) for tokens in table.index]
    return table.rename_axis("training tokens")


def by_pair(chosen: pd.DataFrame) -> pd.DataFrame:
    """Each language pair at the last checkpoint, its splits as columns, with intervals."""
    last = chosen[chosen["step"] == chosen.groupby("training_seed")["step"].transform("max")]
    table = companions.over_seeds(last, [*PAIR, "split"])
    table["pair"] = [named(row.language_a, row.language_b) for row in table.itertuples()]
    table["value"] = [span(row) for _, row in table.iterrows()]
    wide = table.pivot_table(
        index="pair", columns="split", values="value", aggfunc="first", observed=True
    )
    there = [name for name in SPLITS if name in wide]
    return wide[there].rename(columns=SPLITS).rename_axis(columns=None).fillna("")


def named(a: str, b: str) -> str:
    """`English-French`; one language alone is `English`."""
    names = [
        LANGUAGES[code].name if code in LANGUAGES else OTHERS.get(code, str(code))
        for code in (a, b)
        if code
    ]
    return "-".join(dict.fromkeys(names))


def span(row: pd.Series) -> str:
    """A value with its interval, without a minus before zero."""
    low, high = row.get("low"), row.get("high")
    if low is None or pd.isna(low):
        return f"{row['value']:z.2f}"
    return f"{row['value']:z.2f} [{low:z.2f}, {high:z.2f}]"
