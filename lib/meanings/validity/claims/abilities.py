"""Claims of the chapter *The order of abilities*."""

from meanings.statistics.ability_onsets import Names
from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.companion_estimates import (
    APART,
    at_end,
    gap_over_pairs,
    later_across,
    over_null,
)

CHAPTER = "abilities"

CLAIMS = (
    Claim(
        id="abilities-held-out",
        chapter=CHAPTER,
        statement=(
            "The difference in P(translation) between concepts that never stand side by side in a "
            "pair of languages and taught concepts of the same pair is {value:z.2f}."
        ),
        unit="probability",
        side="below",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="held-out concepts translated as well as taught ones, to within .02",
        tables=("abilities",),
        effect=gap_over_pairs(
            at_end("abilities", "translation", split="held_out"),
            at_end("abilities", "translation", split="taught"),
        ),
    ),
    Claim(
        id="abilities-in-first",
        chapter=CHAPTER,
        statement=(
            "A probe of another language names the category of a word later than a probe of the "
            "word's own language: half of its final height comes after {value:z.1%} more of the "
            "training (median over language pairs)."
        ),
        unit="share of training",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a delay of at most 2 % of the training",
        tables=("abilities",),
        effect=later_across("abilities", Names("category", "category_across")),
    ),
    Claim(
        id="abilities-apart",
        chapter=CHAPTER,
        statement=(
            "Where languages share nothing, a probe of another language names categories with an "
            "accuracy that differs by {value:z.2f} from that of shuffled categories."
        ),
        unit="accuracy",
        side="within",
        smallest_effect=0.05,
        refuted_by="an accuracy that differs by more than .05",
        tables=("abilities",),
        effect=over_null(at_end("abilities", "category_across", model=APART)),
    ),
)
