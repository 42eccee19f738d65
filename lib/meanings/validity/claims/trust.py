"""Claims of the page *How far to trust this*: what the method finds, and where it is blind."""

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.validity.claims import method_checks
from meanings.validity.claims.claim import Claim

CHAPTER = "trust"

CLAIMS = (
    Claim(
        id="trust-meeting-layer",
        chapter=CHAPTER,
        statement=(
            "Patching one layer alone finds the meeting layer more often than patching all later "
            "layers: its share of constructed networks is {value:z.2f} larger."
        ),
        unit="share of networks",
        side="above",
        smallest_effect=0.25,
        refuted_by="one layer alone finds it in at most a quarter of the networks more",
        tables=("known_truth",),
        effect=method_checks.hit_rates,
    ),
    Claim(
        id="trust-false-alarms",
        chapter=CHAPTER,
        statement=(
            "Where languages do not meet, patching one layer alone reports a meeting layer in "
            "{value:z.0%} of constructed networks."
        ),
        unit="share of networks",
        side="within",
        smallest_effect=0.25,
        refuted_by="a meeting layer is reported in more than a quarter of such networks",
        tables=("known_truth",),
        effect=method_checks.false_alarms,
    ),
    Claim(
        id="trust-coverage",
        chapter=CHAPTER,
        statement=(
            "With 64 concepts, the 95 % interval of an onset covers the true onset in at least "
            "{value:z.0%} of noisy constructed runs."
        ),
        unit="share of runs",
        side="above",
        smallest_effect=0.85,
        refuted_by="fewer than 85 % of the intervals cover the true onset",
        tables=("known_truth",),
        effect=method_checks.coverage,
    ),
    Claim(
        id="trust-false-positives",
        chapter=CHAPTER,
        statement=(
            "Where labels are permuted, the rules in use exceed their nominal rate of false "
            "claims by at most {value:z.1%}."
        ),
        unit="share of permutations",
        side="within",
        smallest_effect=0.03,
        refuted_by="a rule exceeds its nominal rate by more than 3 % of the permutations",
        tables=("false_positives",),
        effect=method_checks.excess,
    ),
    Claim(
        id="trust-nothing-shared",
        chapter=CHAPTER,
        statement=(
            "In a model whose languages share nothing, the other-language mean differs from its "
            "null by {value:z.3f} in probability."
        ),
        unit="probability",
        side="within",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by=f"a difference of more than {SMALLEST_EFFECT}",
        tables=("worlds",),
        effect=method_checks.nothing_shared,
    ),
    Claim(
        id="trust-blind-spot",
        chapter=CHAPTER,
        statement=(
            "Where every word is one token, patching all layers adds {value:z.3f} to P(source)."
        ),
        unit="probability",
        side="within",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by=f"a gain of more than {SMALLEST_EFFECT}",
        tables=("reach",),
        effect=method_checks.recovered_by_layers,
    ),
    Claim(
        id="trust-embedding",
        chapter=CHAPTER,
        statement=(
            "Where every word is one token, exchanging the word's embedding as well as its layers "
            "adds {value:z.2f} to P(source)."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.5,
        refuted_by="a gain of at most .5",
        tables=("reach",),
        effect=method_checks.recovered_by_embedding,
    ),
    Claim(
        id="trust-settings",
        chapter=CHAPTER,
        statement=(
            "In lines of the training text, the other-language mean lies above its null by at "
            "least {value:z.2f} in probability, at every value of every setting."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a setting at which the difference is at most .1",
        tables=("sensitivity",),
        effect=method_checks.lowest_of_settings,
    ),
    Claim(
        id="trust-separators",
        chapter=CHAPTER,
        statement=(
            "In lines whose separator the training text never has between quoted words with "
            "names, the other-language mean lies above its null by at least {value:z.2f} in "
            "probability."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="an untrained separator at which the difference is at most .1",
        tables=("sensitivity",),
        effect=method_checks.lowest_of_separators,
    ),
    Claim(
        id="trust-no-quotes",
        chapter=CHAPTER,
        statement=(
            "In lines without quotes, the other-language mean lies above its null by {value:z.2f} "
            "in probability."
        ),
        unit="probability",
        side="above",
        smallest_effect=0.1,
        refuted_by="a difference of at most .1",
        tables=("sensitivity",),
        effect=method_checks.without_quotes,
    ),
    Claim(
        id="trust-other-lines",
        chapter=CHAPTER,
        statement=(
            "In lines without language names or in brackets, the other-language "
            "mean lies above its null by at most {value:z.2f} in probability."
        ),
        unit="probability",
        side="within",
        smallest_effect=0.1,
        refuted_by="such a line in which the difference is larger than .1",
        tables=("sensitivity",),
        effect=method_checks.highest_of_other_lines,
    ),
    Claim(
        id="trust-averaging",
        chapter=CHAPTER,
        statement=(
            "A mean over language pairs does better than a mean over as many few-shot examples in "
            "one pair: {value:+z.2f} in probability."
        ),
        unit="probability",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="languages add nothing to what averaging over examples gives",
        tables=("sensitivity",),
        effect=method_checks.languages_averaged,
    ),
)
