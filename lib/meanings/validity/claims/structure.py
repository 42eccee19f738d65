"""Claims of the chapter *Structure: categories and relations*."""

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.companion_estimates import APART, across, at_end, gap, over_null

CHAPTER = "structure"

CLAIMS = (
    Claim(
        id="structure-above",
        chapter=CHAPTER,
        statement=(
            "At the end of training, categories are arranged alike in two languages: RSA lies "
            "{value:.2f} above that of permuted categories."
        ),
        unit="RSA",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="an RSA of at most .02 above permuted categories",
        tables=("structure",),
        effect=over_null(across(at_end("structure", "rsa"))),
    ),
    Claim(
        id="structure-upper",
        chapter=CHAPTER,
        statement=(
            "RSA between two languages differs by {value:z.2f} from RSA between two halves of one "
            "language."
        ),
        unit="RSA",
        side="within",
        smallest_effect=0.1,
        refuted_by="a difference of more than .1",
        tables=("structure",),
        effect=gap(
            across(at_end("structure", "rsa")),
            across(at_end("structure", "rsa"), same=True),
            matched=False,
        ),
    ),
    Claim(
        id="structure-apart",
        chapter=CHAPTER,
        statement=(
            "Where languages share nothing, RSA of categories differs by {value:z.2f} from that "
            "of permuted categories."
        ),
        unit="RSA",
        side="within",
        smallest_effect=0.1,
        refuted_by="an RSA that differs from permuted categories by more than .1",
        tables=("structure",),
        effect=over_null(across(at_end("structure", "rsa", model=APART))),
    ),
)
