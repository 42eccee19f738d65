"""Claims of the chapter *CKA*."""

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.companion_estimates import APART, at_end, gap, mean, over_null

CHAPTER = "cka"

CLAIMS = (
    Claim(
        id="cka-apart",
        chapter=CHAPTER,
        statement="In a model whose languages share nothing, CKA of words is {value:.2f}.",
        unit="CKA",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a CKA of at most .02 where languages share nothing",
        tables=("cka",),
        effect=mean(at_end("cka", "rbf", model=APART)),
    ),
    Claim(
        id="cka-apart-regressed",
        chapter=CHAPTER,
        statement=(
            "With the number of tokens and the log frequency regressed out, CKA of that model is "
            "{value:z.3f} above the mean of its null."
        ),
        unit="CKA",
        side="within",
        smallest_effect=0.05,
        refuted_by="a regressed CKA that differs from its null by more than .05",
        tables=("cka",),
        effect=over_null(at_end("cka", "rbf_regressed", model=APART)),
    ),
    Claim(
        id="cka-above-floor",
        chapter=CHAPTER,
        statement=(
            "At the end of training, regressed CKA of the miniature between languages that never "
            "stand side by side is {value:.2f} higher than that of the model with nothing to "
            "share, which was trained for fewer steps."
        ),
        unit="CKA",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a difference of at most .02",
        tables=("cka",),
        effect=gap(
            at_end("cka", "rbf_regressed", split="never"),
            at_end("cka", "rbf_regressed", model=APART),
            matched=False,
        ),
    ),
    Claim(
        id="cka-never-side-by-side",
        chapter=CHAPTER,
        statement=(
            "Languages that never stand side by side in the training text have a regressed CKA "
            "{value:.2f} above their null."
        ),
        unit="CKA",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a value of at most .02 above the null",
        tables=("cka",),
        effect=over_null(at_end("cka", "rbf_regressed", split="never")),
    ),
)
