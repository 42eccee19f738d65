"""Claims of the chapter *What makes transfer possible?*"""

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.world_estimates import (
    ALIGNED,
    CHANCE,
    SCORED,
    correlation,
    embedded,
    gain,
    interaction,
    level,
)

CHAPTER = "transfer"
RHO = 0.3  # a smaller rank correlation over a dozen worlds says little
SAME = 0.05
TRUE = ("true-50", "clone")

CLAIMS = (
    *(
        Claim(
            id=f"transfer-{name}",
            chapter=CHAPTER,
            statement=(
                f"Where the words of a clone's own lines stand in {said} order, the transfer of "
                "categories falls: accuracy differs by {value:z.2f}."
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
                f"Shared words help more where word order is {said}: their gain in accuracy is "
                "larger by {value:z.2f} than in natural order."
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
            id=f"transfer-{name}-{scope}",
            chapter=CHAPTER,
            statement=(
                f"Over worlds {said}, the alignment of {what} goes with transfer: Spearman's "
                "correlation is {value:z.2f}."
            ),
            unit="rank correlation",
            side="above",
            smallest_effect=RHO,
            refuted_by="a correlation of at most .3",
            tables=ALIGNED,
            effect=correlation(name, scope),
        )
        for scope, said in (
            ("all", "with and without parallel text"),
            ("without", "without parallel text"),
        )
        for name, what in (("embeddings", "input embeddings"), ("states", "words' states"))
    ),
    Claim(
        id="transfer-spelling",
        chapter=CHAPTER,
        statement=(
            "Where a clone's words mean something else, input embeddings are aligned as in a plain "
            "clone: P@1 differs by {value:z.2f}."
        ),
        unit="P@1",
        side="within",
        smallest_effect=SAME,
        refuted_by="a P@1 that differs by more than .05",
        tables=("clones-embeddings",),
        effect=embedded("other-meanings", "clone"),
    ),
    Claim(
        id="transfer-other-meanings",
        chapter=CHAPTER,
        statement=(
            "Where a clone's words mean something else, categories do not transfer: accuracy "
            "differs from chance by {value:z.2f}."
        ),
        unit="accuracy",
        side="within",
        smallest_effect=SAME,
        refuted_by="an accuracy that differs from chance by more than .05",
        tables=SCORED["class"],
        effect=level("other-meanings", "class", CHANCE),
    ),
)
