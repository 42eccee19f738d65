"""Claims of the chapter *Does shared vocabulary help?*"""

from meanings.statistics.effects import SMALLEST_EFFECT, Side
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.world_estimates import SCORED, Estimate, gain

CHAPTER = "shared_vocabulary"


def _claim(
    name: str,
    statement: str,
    effect: Estimate,
    refuted_by: str,
    score: str = "class",
    side: Side = "above",
    smallest: float = SMALLEST_EFFECT,
) -> Claim:
    unit = "probability" if score == "patching" else "accuracy"
    return Claim(
        id=f"vocabulary-{name}",
        chapter=CHAPTER,
        statement=statement,
        unit=unit,
        side=side,
        smallest_effect=smallest,
        refuted_by=refuted_by,
        tables=SCORED[score],
        effect=effect,
    )


CLAIMS = (
    _claim(
        "true-friends",
        "Shared words with one meaning raise the transfer of categories to words that are not "
        "shared: accuracy is higher by {value:z.2f}.",
        gain("true-50", "clone", "class"),
        "an accuracy that is higher by at most .02",
    ),
    _claim(
        "false-friends",
        "Shared words with different meanings raise the transfer of categories to words that are "
        "not shared: the difference in accuracy is {value:z.2f}.",
        gain("false-50", "clone", "class"),
        "an accuracy that is higher by at most .02",
    ),
    _claim(
        "meaning",
        "Shared words help more where they mean the same: the accuracy of category transfer is "
        "higher by {value:z.2f} than with different meanings.",
        gain("true-50", "false-50", "class"),
        "an accuracy that is higher by at most .02",
    ),
    _claim(
        "longer",
        "Shared words help more than training for twice the steps without them: the difference in "
        "the accuracy of category transfer is {value:z.2f}.",
        gain("true-50", "clone-twice", "class"),
        "an accuracy that is higher by at most .02",
    ),
    _claim(
        "facts",
        "Shared words with one meaning raise the transfer of facts to words that are not shared: "
        "accuracy is higher by {value:z.2f}.",
        gain("true-50", "clone", "facts"),
        "an accuracy that is higher by at most .02",
        score="facts",
    ),
    _claim(
        "beside-parallel",
        "With parallel text too, shared words with one meaning raise the transfer of categories: "
        "the difference in accuracy is {value:z.2f}.",
        gain("true-50-20", "clone-20", "class"),
        "an accuracy that is higher by at most .02",
    ),
    _claim(
        "no-translation",
        "Without parallel text, shared words do not make other words translatable: patching gives "
        "a word that is not shared {value:z.3f} more probability than without them.",
        gain("true-50", "clone", "patching"),
        "a difference in probability of more than .02",
        score="patching",
        side="within",
    ),
)
