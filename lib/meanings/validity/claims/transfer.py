"""Claims of the chapter *What makes transfer possible?*"""

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.world_estimates import (
    ALIGNED,
    SCORED,
    correlation,
    embedded,
    gain,
    interaction,
    over_chance,
)

CHAPTER = "transfer"
RHO = 0.3  # a smaller rank correlation over a dozen worlds says little
MORE = 0.1  # a smaller gain in rank correlation says as little
SAME = 0.05
ALIGNMENTS = (("embeddings", "input embeddings"), ("states", "words' states"))
TRUE = ("true-50", "clone")

CLAIMS = (
    *(
        Claim(
            id=f"transfer-{name}",
            chapter=CHAPTER,
            statement=(
                f"With the words of a clone's own lines in {said} order, categories transfer less: "
                "the difference in accuracy is {value:z.2f}."
            ),
            unit="accuracy",
            side="below",
            smallest_effect=SMALLEST_EFFECT,
            refuted_by="an accuracy that is lower by at most .02",
            tables=SCORED["class"],
            effect=gain(name, "clone", "class"),
        )
        for name, said in (("inverted", "inverted"), ("permuted", "random"))
    ),
    *(
        Claim(
            id=f"transfer-overlap-{name}",
            chapter=CHAPTER,
            statement=(
                f"Shared words help more where word order is {said} than where it is natural: the "
                "difference in their gain is {value:z.2f}."
            ),
            unit="accuracy",
            side="above",
            smallest_effect=SMALLEST_EFFECT,
            refuted_by="a gain that is larger by at most .02",
            tables=SCORED["class"],
            effect=interaction((f"{name}-true-50", name), TRUE, "class"),
        )
        for name, said in (("inverted", "inverted"), ("permuted", "random"))
    ),
    *(
        Claim(
            id=f"transfer-{name}-all",
            chapter=CHAPTER,
            statement=(
                f"Over all worlds the alignment of {what} goes with transfer more closely than "
                "parallel text alone does: the difference in rank correlation is {value:z.2f}."
            ),
            unit="rank correlation",
            side="above",
            smallest_effect=MORE,
            refuted_by="a correlation that is higher by at most .1",
            tables=ALIGNED,
            effect=correlation(name, "all", over_group=True),
        )
        for name, what in ALIGNMENTS
    ),
    *(
        Claim(
            id=f"transfer-{name}-transferring",
            chapter=CHAPTER,
            statement=(
                "Over the worlds without parallel text that transfer at all, the alignment of "
                f"{what} goes with transfer: the rank correlation is {{value:z.2f}}."
            ),
            unit="rank correlation",
            side="above",
            smallest_effect=RHO,
            refuted_by="a correlation of at most .3",
            tables=ALIGNED,
            effect=correlation(name, "transferring"),
        )
        for name, what in ALIGNMENTS
    ),
    Claim(
        id="transfer-spelling",
        chapter=CHAPTER,
        statement=(
            "Where a clone's words mean something else, the input embeddings of twin tokens are "
            "aligned all the same: P@1 lies {value:z.2f} above its permutation null."
        ),
        unit="P@1",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a P@1 of at most .02 above the null",
        tables=("clones-embeddings",),
        effect=embedded("other-meanings"),
    ),
    Claim(
        id="transfer-other-meanings",
        chapter=CHAPTER,
        statement=(
            "Where a clone's words mean something else, categories do not transfer: accuracy lies "
            "{value:z.2f} above that of the same answers dealt out anew."
        ),
        unit="accuracy",
        side="within",
        smallest_effect=SAME,
        refuted_by="an accuracy that differs from it by more than .05",
        tables=SCORED["class"],
        effect=over_chance("other-meanings", "class"),
    ),
)
