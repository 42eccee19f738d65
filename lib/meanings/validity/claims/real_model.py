"""Claims of the page *From the miniature to a real model*, on Gemma 3 270M in 4 bits.

All layers are overwritten, so that no layer is chosen.
"""

from collections.abc import Callable

import pandas as pd

from meanings.statistics.bootstrap import paired_difference
from meanings.statistics.effects import SMALLEST_EFFECT, Effect
from meanings.statistics.selection import one
from meanings.validity.claims import estimates
from meanings.validity.claims.claim import Claim, Tables

CHAPTER = "real_model"
EMBEDDED, SIMLEX = "gemma-3-270m", "gemma-3-270m-multi-simlex"


def difference(a: str, b: str) -> Callable[[Tables], Effect]:
    """`a` minus `b` concept by concept on the embedded lexicon, over the cells that both have."""

    def effect(tables: Tables) -> Effect:
        rows = tables[EMBEDDED]
        rows = rows[rows["first_layer"] == 0]
        return estimates.from_row(paired_difference(rows, "p_source", a, b).iloc[0])

    return effect


def published_difference(a: str, b: str) -> Callable[[Tables], Effect]:
    """The same on Multi-SimLex, of which means ship and no words."""

    def effect(tables: Tables) -> Effect:
        table = tables[SIMLEX]
        row = one(table, what=f"{a} - {b}", pair="all", first_layer=0)
        n_pairs = len(set(table["pair"]) - {"all"})
        return estimates.from_row(pd.concat([row, pd.Series({"n_language_pairs": n_pairs})]))

    return effect


CLAIMS = (
    Claim(
        id="real-concept",
        chapter=CHAPTER,
        statement=(
            "In Gemma the other-language mean gives the source concept {value:z.2f} more "
            "probability than another concept's vector, on the embedded lexicon."
        ),
        unit="probability",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by=f"a difference of at most {SMALLEST_EFFECT}",
        tables=(EMBEDDED,),
        effect=difference("seen", "null_concept"),
    ),
    Claim(
        id="real-concept-simlex",
        chapter=CHAPTER,
        statement=(
            "On the nouns of Multi-SimLex, the other-language mean gives the source concept "
            "{value:z.2f} more probability than another concept's vector."
        ),
        unit="probability",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by=f"a difference of at most {SMALLEST_EFFECT}",
        tables=(SIMLEX,),
        effect=published_difference("seen", "null_concept"),
    ),
    Claim(
        id="real-mean-and-own-pair",
        chapter=CHAPTER,
        statement=(
            "In Gemma the other-language mean does as well as the target pair's own vector: "
            "{value:+z.3f} in probability."
        ),
        unit="probability",
        side="within",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by=f"a difference of more than {SMALLEST_EFFECT} either way",
        tables=(EMBEDDED,),
        effect=difference("seen", "tgt"),
    ),
    Claim(
        id="real-english",
        chapter=CHAPTER,
        statement=(
            "In Gemma a vector from English copying prompts does better than the other-language "
            "mean: {value:+z.2f} in probability."
        ),
        unit="probability",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by=f"English copying gains at most {SMALLEST_EFFECT}",
        tables=(EMBEDDED,),
        effect=difference("en_en", "seen"),
    ),
    Claim(
        id="real-own-language",
        chapter=CHAPTER,
        statement=(
            "In Gemma a vector from copying prompts in the output language does better than the "
            "other-language mean: {value:+z.2f} in probability."
        ),
        unit="probability",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by=f"copying in the output language gains at most {SMALLEST_EFFECT}",
        tables=(EMBEDDED,),
        effect=difference("self", "seen"),
    ),
)
