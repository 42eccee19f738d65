"""Claims of the chapter *Meaning in context*.

Values that are compared with each other stand at one layer, the one that is chosen for `nearer`. Of
Gemma it is the layer with the highest AUC on dev, and values are those on test.
"""

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics import companions
from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims.claim import Claim, Tables
from meanings.validity.claims.companion_estimates import (
    APART,
    MINIATURE,
    TRAINED,
    Rows,
    at_end,
    over_null,
)

CHAPTER = "meaning_in_context"
TABLE, AM2ICO = "meaning_in_context", "gemma-3-270m-am2ico"
GEMMA = "gemma-3-270m"
WIDE = 0.1  # a pair of languages has some 16 ambiguous words


def at_layers_of_nearer(variant: str) -> Rows:
    """Rows of the miniature's variant at the layers that are chosen for `nearer`."""

    def rows(tables: Tables) -> pd.DataFrame:
        table = tables[TABLE]
        chosen = at_end(TABLE, "nearer")(tables)
        own = companions.of_variant(table[table["model"] == MINIATURE], variant)
        own = companions.at_layers_of(own, chosen)
        return own[own["step"] == own.groupby("training_seed")["step"].transform("max")]

    return rows


def unseen(tables: Tables) -> pd.DataFrame:
    """`nearer` of pairs with a language without text, at the layer that is best in the others."""
    table = tables[TABLE]
    layers = at_end(TABLE, "nearer")(tables)["layer"]
    if layers.empty:
        raise MeaningsError("no layer of the trained languages; measure and publish them")
    table = table[table["model"] == MINIATURE]
    rows = companions.of_variant(table, "nearer")
    known = [rows[name].isin(TRAINED) for name in companions.PAIR]
    rows = rows[~(known[0] & known[1]) & (rows["layer"] == layers.mode().iloc[0])]
    return rows[rows["step"] == rows.groupby("training_seed")["step"].transform("max")]


def on_test(variant: str, best_for: str = "auc") -> Rows:
    """Rows of Gemma on test, in each language at the layer with the highest `best_for` on dev."""

    def rows(tables: Tables) -> pd.DataFrame:
        table = tables[AM2ICO]
        table = table[table["model"] == GEMMA]
        dev = companions.of_variant(table, best_for, split="dev")
        best = dev.loc[dev.groupby("language_a", observed=True)["value"].idxmax()]
        test = companions.of_variant(table, variant, split="test")
        return companions.at_layers_of(test, best)

    return rows


CLAIMS = (
    Claim(
        id="meaning-above",
        chapter=CHAPTER,
        statement=(
            "At the end of training, an ambiguous word behind a context lies nearer to the word of "
            "the right sense {value:.2f} more often than under its permutation null."
        ),
        unit="share",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a share of at most .02 above the null",
        tables=(TABLE,),
        effect=over_null(at_end(TABLE, "nearer")),
    ),
    Claim(
        id="meaning-no-gain",
        chapter=CHAPTER,
        statement=(
            "Another word in the ambiguous word's place lies nearer to the word of the right sense "
            "as often, to within .1: the difference is {value:z.3f}."
        ),
        unit="share",
        side="within",
        smallest_effect=WIDE,
        refuted_by="a difference of more than .1 between the ambiguous word and another word",
        tables=(TABLE,),
        effect=over_null(at_layers_of_nearer("gain")),
    ),
    Claim(
        id="meaning-unseen",
        chapter=CHAPTER,
        statement=(
            "In pairs with a language that the training text lacks, the share differs by "
            "{value:z.3f} from its permutation null."
        ),
        unit="share",
        side="within",
        smallest_effect=WIDE,
        refuted_by="a share that differs from its null by more than .1",
        tables=(TABLE,),
        effect=over_null(unseen),
    ),
    Claim(
        id="meaning-apart",
        chapter=CHAPTER,
        statement=(
            "In a model whose languages share nothing, the share differs by {value:z.3f} from its "
            "permutation null."
        ),
        unit="share",
        side="within",
        smallest_effect=WIDE,
        refuted_by="a share that differs from its null by more than .1",
        tables=(TABLE,),
        effect=over_null(at_end(TABLE, "nearer", model=APART)),
    ),
    Claim(
        id="meaning-am2ico",
        chapter=CHAPTER,
        statement=(
            "On AM2iCo, the cosine of Gemma's states tells pairs of one meaning from others with "
            "an AUC that lies {value:.2f} above that of shuffled pairs."
        ),
        unit="AUC",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="an AUC of at most .02 above that of shuffled pairs",
        tables=(AM2ICO,),
        effect=over_null(on_test("auc")),
    ),
    Claim(
        id="meaning-am2ico-gain",
        chapter=CHAPTER,
        statement=(
            "On AM2iCo, Gemma's words in their contexts have an AUC that is {value:.2f} higher "
            "than that of the same words alone."
        ),
        unit="AUC",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="an AUC that is at most .02 higher than that of the words alone",
        tables=(AM2ICO,),
        effect=over_null(on_test("gain")),
    ),
)
