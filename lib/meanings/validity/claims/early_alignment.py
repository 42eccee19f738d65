"""Claims of the chapter *Can alignment be given in advance?*"""

from meanings.validity.claims.claim import Claim
from meanings.validity.claims.world_estimates import (
    NO_GAIN,
    Estimate,
    earlier,
    gain,
    gain_beyond_english,
    score_claim,
)

CHAPTER = "early_alignment"
STEPS = 50.0  # a third of the distance between two checkpoints


def _claim(
    name: str, statement: str, effect: Estimate, refuted_by: str, score: str = "facts", **options
) -> Claim:
    return score_claim(
        CHAPTER, f"alignment-{name}", statement, effect, refuted_by, score, **options
    )


CLAIMS = (
    _claim(
        "facts",
        "Early alignment of half of the words raises the transfer of facts to words outside the "
        "dictionary: the difference in accuracy is {value:z.2f}.",
        gain("prealign-20", "clone-20", "facts"),
        NO_GAIN,
    ),
    _claim(
        "longer",
        "Early alignment raises the transfer of facts more than a longer training without it: the "
        "difference in accuracy is {value:z.2f}.",
        gain("prealign-20", "clone-20-longer", "facts"),
        NO_GAIN,
    ),
    _claim(
        "right-dictionary",
        "A right dictionary raises the transfer of facts more than a shuffled one: the difference "
        "in accuracy is {value:z.2f}.",
        gain("prealign-20", "prealign-wrong-20", "facts"),
        NO_GAIN,
    ),
    _claim(
        "early",
        "Alignment at the beginning of training raises the transfer of facts more than alignment "
        "later: the difference in accuracy is {value:z.2f}.",
        gain("prealign-20", "align-late-20", "facts"),
        NO_GAIN,
    ),
    _claim(
        "no-piece",
        "Early alignment raises the transfer of facts to words that have no token in common with "
        "words of the dictionary: the difference in accuracy is {value:z.2f}.",
        gain("prealign-20", "clone-20", "facts", apart=True),
        NO_GAIN,
    ),
    _claim(
        "switching",
        "Code-switching of the input, after early alignment, raises the transfer of facts "
        "further: the difference in accuracy is {value:z.2f}.",
        gain("prealign-switch-20", "prealign-20", "facts"),
        NO_GAIN,
    ),
    _claim(
        "without-parallel",
        "Without parallel text too, early alignment raises the transfer of facts to words outside "
        "the dictionary: the difference in accuracy is {value:z.2f}.",
        gain("prealign-0", "clone", "facts"),
        NO_GAIN,
    ),
    _claim(
        "class",
        "Early alignment raises the transfer of categories to words outside the dictionary: the "
        "difference in accuracy is {value:z.2f}.",
        gain("prealign-20", "clone-20", "class"),
        NO_GAIN,
        score="class",
    ),
    _claim(
        "class-dictionary",
        "A right dictionary raises the transfer of categories more than a shuffled one: the "
        "difference in accuracy is {value:z.2f}.",
        gain("prealign-20", "prealign-wrong-20", "class"),
        NO_GAIN,
        score="class",
    ),
    _claim(
        "class-beyond-english",
        "Early alignment raises the accuracy of categories more in the copies than in English: the "
        "gain is larger by {value:z.2f}.",
        gain_beyond_english("prealign-20", "clone-20"),
        "a gain in the copies that is larger than that in English by at most .02",
        score="class",
    ),
    _claim(
        "patching",
        "Early alignment raises what patching finds at the end of training for words outside the "
        "dictionary: the difference in probability is {value:z.2f}.",
        gain("prealign-20", "clone-20", "patching"),
        "a probability that is higher by at most .02",
        score="patching",
    ),
    Claim(
        id="alignment-emergence",
        chapter=CHAPTER,
        statement=(
            "With early alignment patching of words outside the dictionary rises earlier: the "
            "difference is {value:z.0f} training steps."
        ),
        unit="training steps",
        side="above",
        smallest_effect=STEPS,
        refuted_by="a rise that comes at most 50 steps earlier",
        tables=("clones-patching", "clones-training"),
        effect=earlier("prealign-20", "clone-20"),
    ),
    Claim(
        id="alignment-emergence-inside",
        chapter=CHAPTER,
        statement=(
            "With early alignment patching of words of the dictionary rises earlier: the "
            "difference is {value:z.0f} training steps."
        ),
        unit="training steps",
        side="above",
        smallest_effect=STEPS,
        refuted_by="a rise that comes at most 50 steps earlier",
        tables=("clones-patching", "clones-training"),
        effect=earlier("prealign-20", "clone-20", touched=True),
    ),
)
