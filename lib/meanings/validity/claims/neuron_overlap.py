"""Claims of the chapter *Neuron overlap and transfer*."""

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.companion_estimates import APART, at_end, over_null

CHAPTER = "neuron_overlap"

CLAIMS = (
    Claim(
        id="overlap-above-chance",
        chapter=CHAPTER,
        statement=(
            "At the end of training, the chosen dimensions of two languages overlap {value:.2f} "
            "more than two random draws do on average."
        ),
        unit="overlap",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="an overlap at the level of two random draws",
        tables=("neuron_overlap",),
        effect=over_null(at_end("neuron_overlap", "overlap")),
    ),
    Claim(
        id="overlap-transfer",
        chapter=CHAPTER,
        statement=(
            "A probe of one language names the category of another language's words with an "
            "accuracy {value:.2f} above that of always naming the largest category."
        ),
        unit="accuracy",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a transfer of at most .02 above the largest category",
        tables=("neuron_overlap",),
        effect=over_null(at_end("neuron_overlap", "transfer")),
    ),
    Claim(
        id="overlap-apart",
        chapter=CHAPTER,
        statement=(
            "Where languages share nothing, transfer differs by {value:z.2f} from always naming "
            "the largest category."
        ),
        unit="accuracy",
        side="within",
        smallest_effect=0.05,
        refuted_by="a transfer that differs by more than .05",
        tables=("neuron_overlap",),
        effect=over_null(at_end("neuron_overlap", "transfer", model=APART)),
    ),
)
