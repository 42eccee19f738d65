"""The claims of the chapter Emergence, on the published tables."""

from meanings.validity.claims.claim import Claim
from meanings.validity.claims.emergence_effects import (
    control,
    difference,
    dose,
    earlier,
    resemblance,
    reversed_order,
    rise,
)
from meanings.validity.claims.long_run_effects import (
    beyond_self,
    decay,
    longer_training,
    second_half,
    share_at_full_rate,
    share_of_height,
    shares_apart,
)

CHAPTER = "emergence"
LATE = 0.6  # share of training after which the shipped run lowers its learning rate
CLAIMS = (
    Claim(
        id="emergence-shared",
        chapter=CHAPTER,
        statement=(
            "The other-language mean (seen) raises the probability of its concept by {value:.2f} "
            "over the vector of a third concept."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a difference of at most 0.1 between `seen` and the vector of a third concept",
        tables=("miniature",),
        effect=lambda tables: difference(tables, "seen", "null_concept"),
    ),
    Claim(
        id="emergence-learned",
        chapter=CHAPTER,
        statement=(
            "The model learns this: from the untrained model to the end of training, P(source "
            "concept) under seen rises by {value:.2f}."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a rise of at most 0.1 over training",
        tables=("miniature",),
        effect=lambda tables: rise(tables, 1.0, 0.0),
    ),
    Claim(
        id="emergence-refines",
        chapter=CHAPTER,
        statement=(
            "At the end of the shipped runs P(source concept) under seen still rises: by "
            f"{{value:.2f}} in the last {1 - LATE:.0%} of their training, while the learning rate "
            "falls."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a rise of at most 0.1 in that time",
        tables=("miniature",),
        effect=lambda tables: rise(tables, 1.0, LATE),
    ),
    Claim(
        id="emergence-longer",
        chapter=CHAPTER,
        statement=(
            "Longer training raises P(source concept) under seen by {value:.2f}, from a tenth of "
            "the longest training to its end."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a rise of at most 0.1 between finished models",
        tables=("long_run",),
        effect=longer_training,
    ),
    Claim(
        id="emergence-early",
        chapter=CHAPTER,
        statement=(
            "A model trained for a tenth of the longest training has {value:.0%} of the longest-"
            "trained model's P(source concept) under seen."
        ),
        unit="share of the final height",
        side="above",
        smallest_effect=0.5,
        refuted_by="half of the final height or less",
        tables=("long_run",),
        effect=share_of_height,
    ),
    Claim(
        id="emergence-early-full-rate",
        chapter=CHAPTER,
        statement=(
            "At the full learning rate, too, {value:.0%} of the late level of P(source concept) "
            "under seen is there after a tenth of the longest training."
        ),
        unit="share of the late level",
        side="above",
        smallest_effect=0.5,
        refuted_by="half of the late level or less",
        tables=("long_run", "miniature"),
        effect=share_at_full_rate,
    ),
    Claim(
        id="emergence-plateau",
        chapter=CHAPTER,
        statement=(
            "The second half of the longest training adds little to P(source concept) under seen: "
            "{value:.2f}."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.05,
        refuted_by="a change of more than 0.05 between the last two finished models",
        tables=("long_run",),
        effect=second_half,
    ),
    Claim(
        id="emergence-together",
        chapter=CHAPTER,
        statement=(
            "After a tenth of the longest training seen has about the same share of its final "
            "height as the direct score: seen minus direct is {value:+.2f}."
        ),
        unit="share of the final height, difference",
        side="within",
        smallest_effect=0.1,
        refuted_by="shares that differ by more than a tenth of the final height",
        tables=("long_run",),
        effect=shares_apart,
    ),
    Claim(
        id="emergence-beyond-self",
        chapter=CHAPTER,
        statement=(
            "From a tenth of the longest training to its end seen rises by {value:.2f} more than "
            "self."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.05,
        refuted_by="a rise of `seen` that is at most 0.05 larger than that of `self`",
        tables=("long_run",),
        effect=beyond_self,
    ),
    Claim(
        id="emergence-decay",
        chapter=CHAPTER,
        statement=(
            "The decay of the learning rate raises P(source concept) under seen by {value:.2f}, "
            "from a checkpoint at the full rate to the model that decayed from it."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.05,
        refuted_by="a rise of at most 0.05 through the decay",
        tables=("long_run",),
        effect=decay,
    ),
    Claim(
        id="emergence-self-first",
        chapter=CHAPTER,
        statement=(
            "Copying in the output language (self) reaches half of its final height with "
            "{value:.0%} less training than seen."
        ),
        unit="share of training",
        side="above",
        smallest_effect=0.1,
        refuted_by="an onset of `self` that comes at most 10 % earlier than that of `seen`",
        tables=("miniature",),
        effect=lambda tables: earlier(tables, "self", "seen"),
    ),
    Claim(
        id="emergence-direct-first",
        chapter=CHAPTER,
        statement=(
            "Along the shipped runs the direct score rises first: it reaches half of its final "
            "height with {value:.0%} less training than seen needs for the same probability."
        ),
        unit="share of training",
        side="above",
        smallest_effect=0.05,
        refuted_by="a direct score that is there at most 5 % earlier than the same P under `seen`",
        tables=("miniature",),
        effect=lambda tables: earlier(tables, "src_unpatched", "seen", "src_unpatched"),
    ),
    Claim(
        id="emergence-self-lower",
        chapter=CHAPTER,
        statement="At the end of training seen lies above self, by {value:.2f}.",
        unit="probability",
        side="above",
        smallest_effect=0.02,
        refuted_by="a difference of at most 0.02 between `seen` and `self`",
        tables=("miniature",),
        effect=lambda tables: difference(tables, "seen", "self"),
    ),
    Claim(
        id="emergence-mean-own-pair",
        chapter=CHAPTER,
        statement=(
            "The other-language mean (seen) is as good as the pair's own vector (tgt), within "
            "0.05: the difference is {value:+z.2f}."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.05,
        refuted_by="a difference of more than 0.05 between `seen` and `tgt`",
        tables=("miniature",),
        effect=lambda tables: difference(tables, "seen", "tgt"),
    ),
    Claim(
        id="emergence-not-cognates",
        chapter=CHAPTER,
        statement=(
            "Words in common add little within an output language: {value:.2f} to P(source "
            "concept)."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.1,
        refuted_by="words in common that add more than 0.1",
        tables=("miniature", "word_overlap"),
        effect=resemblance,
    ),
    Claim(
        id="emergence-positive-control",
        chapter=CHAPTER,
        statement=(
            "The vector of a third concept gives that third concept a probability of {value:.2f}."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.5,
        refuted_by="a probability of at most 0.5 for the null vector's own concept",
        tables=("controls",),
        effect=lambda tables: control(tables, "null_concept", "p_own"),
    ),
    Claim(
        id="emergence-same-category",
        chapter=CHAPTER,
        statement=(
            "A concept of the same category does not stand in for the source concept: its vector "
            "gives the source concept {value:.3f}."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.02,
        refuted_by="more than 0.02 for the source concept under a vector of its category",
        tables=("controls",),
        effect=lambda tables: control(tables, "null_category", "p_source"),
    ),
    Claim(
        id="emergence-order-of-layers",
        chapter=CHAPTER,
        statement=(
            "The order of the layers' vectors matters little: reversed they give {value:.2f} less."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.1,
        refuted_by="a loss of more than 0.1 when the layers' vectors are written in reversed order",
        tables=("controls",),
        effect=reversed_order,
    ),
    Claim(
        id="emergence-dose",
        chapter=CHAPTER,
        statement=(
            "More to share gives more that is shared: with all parallel documents in two languages "
            "seen ends {value:.2f} higher than with none."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a difference of at most 0.1 between all and none",
        tables=("worlds",),
        effect=dose,
    ),
)
