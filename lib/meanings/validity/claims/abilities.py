"""Claims of the chapter *The order of abilities*."""

from meanings.validity.claims.claim import Claim
from meanings.validity.claims.companion_estimates import APART, at_end, earlier, gap, over_null

CHAPTER = "abilities"

CLAIMS = (
    Claim(
        id="abilities-held-out",
        chapter=CHAPTER,
        statement=(
            "At the end of training, concepts that never stand side by side in a pair of "
            "languages are translated with a probability that differs by {value:z.2f} from that "
            "of taught concepts of the same pair."
        ),
        unit="probability",
        side="below",
        smallest_effect=0.02,
        refuted_by="held-out concepts translated as well as taught ones, to within .02",
        tables=("abilities",),
        effect=gap(
            at_end("abilities", "translation", split="held_out"),
            at_end("abilities", "translation", split="taught"),
        ),
    ),
    Claim(
        id="abilities-in-first",
        chapter=CHAPTER,
        statement=(
            "The category of a word is legible in its own language before it is legible by a "
            "probe of another language: the probe of the own language needs {value:.0%} less "
            "training to reach an accuracy half way to its final height."
        ),
        unit="share of training",
        side="above",
        smallest_effect=0.02,
        refuted_by="a probe of another language that needs as little training",
        tables=("abilities",),
        effect=earlier("abilities", "category", "category_across"),
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
