"""Claims of the chapter *Language identity and expert units*."""

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.companion_estimates import at_end, gap, over_chance, over_null

CHAPTER = "language_identity"

CLAIMS = (
    Claim(
        id="identity-stays",
        chapter=CHAPTER,
        statement=(
            "At the end of training, a linear classifier names the language of a word with an "
            "accuracy {value:.2f} above that of shuffled labels."
        ),
        unit="accuracy",
        side="above",
        smallest_effect=0.5,
        refuted_by="an accuracy of at most .5 above shuffled labels",
        tables=("language_id",),
        effect=over_null(at_end("language_id", "accuracy")),
    ),
    Claim(
        id="identity-removed",
        chapter=CHAPTER,
        statement=(
            "Taking all directions in which languages differ out of the states changes P@1 by "
            "{value:z.3f}."
        ),
        unit="P@1",
        side="within",
        smallest_effect=0.05,
        refuted_by="a change of P@1 by more than .05",
        tables=("language_id",),
        effect=gap(at_end("language_id", "without"), at_end("language_id", "with")),
    ),
    Claim(
        id="identity-experts",
        chapter=CHAPTER,
        statement=(
            "Expert units of a category overlap {value:.2f} more between two languages than with "
            "categories shuffled among the concepts in the same way in both."
        ),
        unit="overlap",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="an overlap that the same shuffle in both languages gives as well",
        tables=("expert_units",),
        effect=gap(at_end("expert_units", "overlap"), at_end("expert_units", "same_shuffle")),
    ),
    Claim(
        id="identity-shuffle",
        chapter=CHAPTER,
        statement=(
            "With categories shuffled among the concepts in the same way in both languages, "
            "expert units still overlap {value:.2f} more than by chance."
        ),
        unit="overlap",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="an overlap at chance under the same shuffle",
        tables=("expert_units",),
        effect=over_chance(at_end("expert_units", "same_shuffle")),
    ),
)
