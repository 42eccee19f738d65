"""Claims of the page *From the miniature to a real model*, on Gemma 3 270M in 4 bits.

Patches overwrite all layers, and measures over a parallel treebank are read at the layer at half of
the depth, so that no layer is chosen.
"""

from collections.abc import Callable

import pandas as pd

from meanings.statistics import companions
from meanings.statistics.bootstrap import paired_difference
from meanings.statistics.effects import SMALLEST_EFFECT, Effect
from meanings.statistics.selection import one
from meanings.validity.claims import estimates
from meanings.validity.claims.claim import Claim, Tables
from meanings.validity.claims.companion_estimates import Rows, gap, over_null

CHAPTER = "real_model"
EMBEDDED, SIMLEX = "gemma-3-270m", "gemma-3-270m-multi-simlex"
TREEBANK = "gemma-3-270m-pud-"  # tables of measures over Parallel Universal Dependencies

UNITS = {
    "cka": "CKA", "retrieval": "P@1", "language-id": "share", "expert-units": "share of units",
    "structure": "RSA", "neuron-overlap": "accuracy",
}  # fmt: skip


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


def at_middle(measure: str, variant: str, items: str) -> Rows:
    """Rows of a variant over items of the treebank at half of the depth, between two languages or
    of one.
    """

    def rows(tables: Tables) -> pd.DataFrame:
        table = tables[TREEBANK + measure]
        own = table[table["lexicon"] == f"pud-{items}"]
        chosen = companions.across(companions.of_variant(own, variant))
        return companions.at_layer(chosen, int(chosen["layer"].max()) // 2)

    return rows


def over_treebank(
    id_: str, statement: str, refuted_by: str, measure: str, effect: Callable[[Tables], Effect]
) -> Claim:
    """A claim that something lies above something else, in one table of the treebank."""
    return Claim(
        id=f"real-treebank-{id_}",
        chapter=CHAPTER,
        statement=statement,
        unit=UNITS[measure],
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by=refuted_by,
        tables=(TREEBANK + measure,),
        effect=effect,
    )


OVER_TREEBANK = (
    over_treebank(
        "cka",
        "At Gemma's middle layer, CKA of parallel sentences lies {value:.2f} above its "
        "permutation null, with sentence length regressed out.",
        f"a CKA of at most {SMALLEST_EFFECT} above the null",
        "cka",
        over_null(at_middle("cka", "rbf_regressed", "sentences")),
    ),
    over_treebank(
        "retrieval",
        "At Gemma's middle layer, retrieval of a sentence's translation lies {value:.2f} above "
        "its permutation null.",
        f"a P@1 of at most {SMALLEST_EFFECT} above the null",
        "retrieval",
        over_null(at_middle("retrieval", "csls", "sentences")),
    ),
    over_treebank(
        "language",
        "At Gemma's middle layer, a linear classifier names a sentence's language {value:.2f} "
        "more often than with shuffled labels.",
        f"an accuracy of at most {SMALLEST_EFFECT} above that with shuffled labels",
        "language-id",
        over_null(at_middle("language-id", "accuracy", "sentences")),
    ),
    over_treebank(
        "without",
        "Without the directions that tell languages apart, retrieval at Gemma's middle layer is "
        "{value:.2f} higher.",
        f"a gain in P@1 of at most {SMALLEST_EFFECT}",
        "language-id",
        gap(
            at_middle("language-id", "without", "sentences"),
            at_middle("language-id", "with", "sentences"),
        ),
    ),
    over_treebank(
        "units",
        "At Gemma's middle layer, the expert units of a word class overlap {value:.2f} more "
        "between two languages than those of random sets of words.",
        f"an overlap of at most {SMALLEST_EFFECT} above that of random sets",
        "expert-units",
        gap(
            at_middle("expert-units", "overlap", "upos"),
            at_middle("expert-units", "same_shuffle", "upos"),
        ),
    ),
    over_treebank(
        "structure",
        "At Gemma's middle layer, RSA of word classes lies {value:.2f} above its permutation null.",
        f"an RSA of at most {SMALLEST_EFFECT} above the null",
        "structure",
        over_null(at_middle("structure", "rsa", "upos")),
    ),
    over_treebank(
        "transfer",
        "At Gemma's middle layer, a probe of word classes is right {value:.2f} more often in "
        "another language than the most frequent class would be.",
        f"an accuracy of at most {SMALLEST_EFFECT} above the share of the most frequent class",
        "neuron-overlap",
        over_null(at_middle("neuron-overlap", "transfer", "upos")),
    ),
)

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
    *OVER_TREEBANK,
)
