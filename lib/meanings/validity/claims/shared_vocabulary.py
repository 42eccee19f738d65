"""Claims of the chapter *Does shared vocabulary help?*"""

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.world_estimates import (
    NO_GAIN,
    Estimate,
    gain,
    gain_beyond_english,
    nearer,
    score_claim,
)

CHAPTER = "shared_vocabulary"


def _claim(
    name: str, statement: str, effect: Estimate, refuted_by: str, score: str = "class", **options
) -> Claim:
    return score_claim(
        CHAPTER, f"vocabulary-{name}", statement, effect, refuted_by, score, **options
    )


CLAIMS = (
    _claim(
        "true-friends",
        "Shared words with one meaning raise the transfer of categories to words that are not "
        "shared: the difference in accuracy is {value:z.2f}.",
        gain("true-50", "clone", "class"),
        NO_GAIN,
    ),
    _claim(
        "beyond-english",
        "This is more than what they do for English itself: the gain in the copies is larger by "
        "{value:z.2f}.",
        gain_beyond_english("true-50", "clone"),
        "a gain in the copies that is larger than that in English by at most .02",
    ),
    _claim(
        "false-friends",
        "Shared words with different meanings raise the transfer of categories to words that are "
        "not shared: the difference in accuracy is {value:z.2f}.",
        gain("false-50", "clone", "class"),
        NO_GAIN,
    ),
    _claim(
        "meaning",
        "Shared words help more where they mean the same than where they do not: the difference in "
        "the accuracy of category transfer is {value:z.2f}.",
        gain("true-50", "false-50", "class"),
        NO_GAIN,
    ),
    _claim(
        "longer",
        "Shared words help more than training for twice the steps without them: the difference in "
        "the accuracy of category transfer is {value:z.2f}.",
        gain("true-50", "clone-twice", "class"),
        NO_GAIN,
    ),
    _claim(
        "facts",
        "Shared words with one meaning raise the transfer of facts to words that are not shared: "
        "the difference in accuracy is {value:z.2f}.",
        gain("true-50", "clone", "facts"),
        NO_GAIN,
        score="facts",
    ),
    _claim(
        "beside-parallel",
        "With parallel text too, shared words with one meaning raise the transfer of categories: "
        "the difference in accuracy is {value:z.2f}.",
        gain("true-50-20", "clone-20", "class"),
        NO_GAIN,
    ),
    _claim(
        "no-translation",
        "Without parallel text, shared words do not make the model follow a translation prompt for "
        "other words: patching gives {value:z.3f} more probability than without them.",
        gain("true-50", "clone", "patching"),
        "a difference in probability of more than .02",
        score="patching",
        side="within",
    ),
    Claim(
        id="vocabulary-near",
        chapter=CHAPTER,
        statement=(
            "Shared words with different meanings bring translations that are not shared nearer to "
            "each other: the difference in cosine, above unrelated words, is {value:z.2f}."
        ),
        unit="cosine",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a cosine that is higher by at most .02",
        tables=("clones-cosines",),
        effect=nearer("false-50", "clone"),
    ),
)
