"""The companion measures on Gemma and a parallel treebank, as the page on a real model shows them.

Layers are chosen before the values are seen: the embedding, the layer at half of the depth, and the
last one.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from meanings.measures.results import published
from meanings.models.gemma import NAME

COLUMNS = ["variant", "layer", "language_a", "language_b", "value", "low", "null", "null_high", "n"]
TREEBANK = "pud"


class Instrument(NamedTuple):
    """One number of a measure: which table, variant and items it is read from."""

    table: str
    variant: str
    items: str


INSTRUMENTS = {
    "CKA, sentence length regressed out": Instrument("cka", "rbf_regressed", "sentences"),
    "retrieval of the translation (centred CSLS)": Instrument("retrieval", "csls", "sentences"),
    "language identified (one of all)": Instrument("language-id", "accuracy", "sentences"),
    "expert units in common, word classes": Instrument("expert-units", "overlap", "upos"),
    "structure (RSA), word classes": Instrument("structure", "rsa", "upos"),
    "structure (RSA), dependency relations": Instrument("structure", "rsa", "relations"),
    "probe across languages, word classes": Instrument("neuron-overlap", "transfer", "upos"),
    "probe across languages, number": Instrument("neuron-overlap", "transfer", "number"),
}


def rows(instrument: Instrument) -> pd.DataFrame:
    """Its published rows between two languages, or of all languages together."""
    where = {"variant": [instrument.variant], "lexicon": [f"{TREEBANK}-{instrument.items}"]}
    found = published(f"{NAME}-{TREEBANK}-{instrument.table}", COLUMNS, where)
    a, b = (found[name].astype(str) for name in ("language_a", "language_b"))
    return found[(a != b) | (a == "")]


def middle(found: pd.DataFrame) -> int:
    """The layer at half of the depth."""
    return int(found["layer"].max()) // 2


def at(found: pd.DataFrame, layer: int) -> float:
    """The mean over language pairs at a layer; NaN where the measure has none there."""
    return float(found.loc[found["layer"] == layer, "value"].mean())


def above(found: pd.DataFrame) -> tuple[int, int]:
    """In how many language pairs the value at the middle layer exceeds its own null, and how many
    pairs there are.

    The value must exceed the null's 97.5 % quantile; where only the null's mean is known, the lower
    end of the value's 95 % interval must exceed that.
    """
    own = found[found["layer"] == middle(found)]
    exceeds = own["value"] > own["null_high"]
    exceeds |= own["null_high"].isna() & (own["low"] > own["null"])
    return int(exceeds.sum()), len(own)


def side_by_side() -> pd.DataFrame:
    """One row per measure: means over language pairs at three layers, and the null at the middle
    one.
    """
    table = {}
    for name, instrument in INSTRUMENTS.items():
        found = rows(instrument)
        half = found[found["layer"] == middle(found)]
        table[name] = {
            "embedding": _short(at(found, 0)),
            "middle": _short(at(found, middle(found))),
            "last": _short(at(found, int(found["layer"].max()))),
            "null": _short(float(half["null"].mean())),
            "null, upper end": _short(float(half["null_high"].mean())),
            "above": "{} of {}".format(*above(found)),
            "n": int(half["n"].max()),
        }
    return pd.DataFrame(table).T.rename_axis("measure")


def _short(value: float) -> str:
    return "" if pd.isna(value) else f"{value:z.2f}"
