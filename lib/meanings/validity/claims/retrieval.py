"""Claims of the chapter *Retrieval*."""

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.companion_estimates import (
    APART,
    at_end,
    gap,
    gap_over_pairs,
    over_null,
)

CHAPTER = "retrieval"

CLAIMS = (
    Claim(
        id="retrieval-held-out",
        chapter=CHAPTER,
        statement=(
            "The difference in P@1 between concepts that never stand side by side in a pair of "
            "languages and taught concepts of the same pair is {value:z.2f}."
        ),
        unit="P@1",
        side="below",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a difference of at most .02, or held-out concepts retrieved more often",
        tables=("retrieval",),
        effect=gap_over_pairs(
            at_end("retrieval", "csls", split="held_out"),
            at_end("retrieval", "csls", split="taught"),
        ),
    ),
    Claim(
        id="retrieval-never",
        chapter=CHAPTER,
        statement=(
            "Between languages that never stand side by side in the training text, P@1 lies "
            "{value:.2f} above its permutation null."
        ),
        unit="P@1",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a P@1 of at most .02 above the null",
        tables=("retrieval",),
        effect=over_null(at_end("retrieval", "csls", split="never")),
    ),
    Claim(
        id="retrieval-apart",
        chapter=CHAPTER,
        statement=(
            "In a model whose languages share nothing, P@1 differs by {value:z.3f} from its "
            "permutation null."
        ),
        unit="P@1",
        side="within",
        smallest_effect=0.05,
        refuted_by="a P@1 that differs from its null by more than .05",
        tables=("retrieval",),
        effect=over_null(at_end("retrieval", "csls", model=APART)),
    ),
    Claim(
        id="retrieval-raw",
        chapter=CHAPTER,
        statement=(
            "The difference in P@1 between raw and centred cosines at the end of training is "
            "{value:z.2f}."
        ),
        unit="P@1",
        side="below",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="raw cosines that retrieve as often as centred ones, to within .02",
        tables=("retrieval",),
        effect=gap(at_end("retrieval", "raw"), at_end("retrieval", "centred")),
    ),
)
