"""How often the book's claims are made where there is nothing to claim: labels permuted at analysis
time, the same rules applied.

    false positives of a claim = share of permutations in which its rule makes it
    nominal                    = the share that the rule promises not to exceed

A claim that two labels differ is tested by exchanging them within a random half of the concepts
(the unit of every interval), in all layers, checkpoints, pairs and training runs alike: afterwards
neither label has more of anything. What is permuted is written beside each claim. The measured
probabilities stay as they are, with the noise, skew and dependence that they have; only their
labels are drawn again.

`meanings validity false-positives` writes data/published/false_positives.csv.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from tqdm import tqdm

from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.results import published
from meanings.models.checkpoints import trajectory
from meanings.statistics import claims, layer_choice, selection
from meanings.statistics import languages as language_statistics
from meanings.statistics.correlation import property_correlations, rank_correlation
from meanings.statistics.matching import shared_cells
from meanings.statistics.summaries import COMPARED
from meanings.study.grid import DEFAULT_PAIRS
from meanings.validity import permuted_claims
from meanings.validity.permuted_claims import Outcomes
from meanings.validity.permuting import unit_means

WITHIN_CONCEPTS = "two conditions, within concepts"
WITHOUT_ZERO = "interval of the difference without 0"


@dataclass(frozen=True)
class PermutationTest:
    """A claim of the book, what is permuted, and the rule that may still make the claim.

    - `chapter`: where it is made; `rule`: in short; `version`: `now`, `before` (a rule the book had
      and gave up), `spared` (one it never had), or `shown` (no claim of the book: what choosing a
      layer does by itself).
    - `nominal`: the share of false claims that the rule promises.
    - `outcomes`: what the rule says of each permutation.
    - `most`: permutations at most, for rules that take a fit for each.
    """

    claim: str
    chapter: str
    shuffled: str
    rule: str
    version: str
    nominal: float
    outcomes: Outcomes
    most: int = 10_000


def false_positives(test: PermutationTest, n: int, seed: int = 0) -> dict:
    """Over `n` permutations (or the test's most): `rate` with its Wilson interval `low`, `high`,
    and `mean`, the mean of the number that the claim is made of.
    """
    n = min(n, test.most)
    randoms = [np.random.Generator(np.random.PCG64([seed, i])) for i in range(n)]
    # In parts, so that the resamples of many permutations do not fill the memory.
    parts = [test.outcomes(randoms[start : start + 200]) for start in range(0, n, 200)]
    made, numbers = (np.concatenate(each) for each in zip(*parts, strict=True))
    count = int(np.sum(made))
    low, high = binomtest(count, n).proportion_ci(method="wilson")
    fields = ("claim", "chapter", "shuffled", "rule", "version", "nominal")
    return {name: getattr(test, name) for name in fields} | {
        "rate": count / n,
        "low": max(0.0, float(low)),
        "high": float(high),
        "shuffles": n,
        "mean": float(np.mean(numbers)),
    }


def all_tests() -> list[PermutationTest]:
    """Every claim of the book that permutations can test, on the published table of the
    miniature.
    """
    table = published("miniature")
    table = table[table["prompt_seed"] == table["prompt_seed"].min()]
    own = table[table["pair"].isin(DEFAULT_PAIRS)]
    return [*_of_conditions(own), *_of_all_layers(own), *_of_languages(table), *_of_answers(own)]


def _of_conditions(own: pd.DataFrame) -> list[PermutationTest]:
    by = ["condition", "tokens", "first_layer"]
    page_steps = set(trajectory("miniature", 0).thin(8).steps)
    page = own[(own["training_seed"] == 0) & own["step"].isin(page_steps)]
    end = selection.last_checkpoint(page)
    seen = unit_means(end[end["condition"] == "seen"], by)
    over_training = unit_means(shared_cells(page, ["seen", "self", "null_concept"]), by)
    rising = unit_means(shared_cells(page, ["seen", "null_concept"]), by)

    def above_null(chapter: str, rule: str, version: str, outcomes: Outcomes) -> PermutationTest:
        claim = "seen above a wrong concept"
        return PermutationTest(claim, chapter, WITHIN_CONCEPTS, rule, version, 0.025, outcomes)

    def best_layer(rule: str, version: str, split: bool) -> PermutationTest:
        claim, shuffled = "best layer above the average layer", "layers, within concepts"
        outcomes = permuted_claims.best_layer_above_average(seen, split)
        return PermutationTest(claim, "emergence", shuffled, rule, version, 0.025, outcomes)

    def null_compared(rows: pd.DataFrame, naive: bool = False) -> Outcomes:
        means = unit_means(shared_cells(rows, ["seen", "null_concept"]), by)
        return permuted_claims.conditions_compared(
            means, "seen", "null_concept", one_sided=True, naive=naive
        )

    return [
        above_null(
            "emergence",
            "interval of the difference above 0, layer by split halves",
            "now",
            null_compared(end),
        ),
        above_null(
            "index",
            "the same, over training runs",
            "now",
            null_compared(selection.last_checkpoint(own)),
        ),
        above_null(
            "emergence",
            "the same at the best layer of all concepts",
            "spared",
            null_compared(end, naive=True),
        ),
        _now(
            "seen and tgt differ",
            "emergence",
            WITHIN_CONCEPTS,
            WITHOUT_ZERO,
            0.05,
            permuted_claims.conditions_compared(
                unit_means(shared_cells(end, ["seen", "tgt"]), by), "seen", "tgt"
            ),
        ),
        best_layer("interval above 0, split halves", "shown", True),
        best_layer("the same, chosen on all concepts", "spared", False),
        _now(
            "seen or self comes first",
            "emergence",
            WITHIN_CONCEPTS,
            "intervals of the onsets do not meet",
            0.05,
            permuted_claims.onsets_ordered(over_training, "seen", "self"),
            most=200,
        ),
        _now(
            "seen emerges during training",
            "emergence",
            "checkpoints, within concepts",
            "interval of the onset after the first checkpoint",
            0.025,
            permuted_claims.emerges_in_training(rising),
            most=200,
        ),
    ]


def _of_all_layers(own: pd.DataFrame) -> list[PermutationTest]:
    end = selection.last_checkpoint(own)
    whole = end[end["first_layer"] == 0]
    return [
        _now(
            f"{a} and {b.replace('null_concept', 'a wrong concept')} differ, all layers patched",
            "real_model",
            WITHIN_CONCEPTS,
            WITHOUT_ZERO,
            0.05,
            permuted_claims.conditions_compared(
                unit_means(shared_cells(whole, [a, b]), ["condition", "first_layer"]), a, b
            ),
        )
        for a, b in COMPARED
    ]


def _of_languages(table: pd.DataFrame) -> list[PermutationTest]:
    last = selection.split_pairs(selection.last_checkpoint(table))
    chosen = layer_choice.at_chosen_layer(last)
    patched = chosen[chosen["condition"] == "seen"]
    known = language_statistics.properties(
        trajectory("miniature", 0), load_lexicon("embedded"), last
    )
    aligned = known.merge(language_statistics.alignment(patched), on="language").merge(
        language_statistics.ceilings(chosen), on="language"
    )
    through = selection.split_pairs(layer_choice.at_chosen_layer(selection.followed(table)))
    through = unit_means(through[through["condition"] == "seen"], ["output", "tokens"])
    joined = language_statistics.onsets(through, list(known["language"]))
    joined = joined[joined["onset"] < np.inf].merge(known[["language", "share"]], on="language")
    shown = language_statistics.spread(aligned, 6)
    swept = last[(last["condition"] == "seen") & last["output"].isin(shown)]
    return [
        *_of_outputs(patched),
        *_before_and_now(
            "one property goes with alignment most",
            "alignment over languages",
            0.05,
            (
                "largest rank correlation, always named",
                permuted_claims.rule_over_languages(aligned, "mean", lambda t: True),
            ),
            (
                "largest rank correlation beats the largest of 95 % of shuffles",
                permuted_claims.rule_over_languages(aligned, "mean", _one_property_stands_out),
            ),
        ),
        *_before_and_now(
            "more text joins earlier",
            "share over languages",
            0.025,
            (
                "rank correlation below -0.3",
                permuted_claims.rule_over_languages(
                    joined, "share", lambda t: rank_correlation(t["share"], t["onset"]) < -0.3
                ),
            ),
            (
                "negative, and beyond 95 % of shuffles",
                permuted_claims.rule_over_languages(
                    joined, "share", claims.more_text_joins_earlier
                ),
            ),
        ),
        *_before_and_now(
            "best layers differ between languages",
            "output languages, within concepts",
            0.05,
            (
                "best layers more than one apart",
                permuted_claims.best_layers_differ(swept, interval=False),
            ),
            (
                "their intervals more than one apart",
                permuted_claims.best_layers_differ(swept, interval=True),
            ),
        ),
    ]


def _one_property_stands_out(languages: pd.DataFrame) -> bool:
    found = property_correlations(languages, language_statistics.RANKED)
    return bool(found["p_any"].min() < claims.LEVEL)


def _of_outputs(patched: pd.DataFrame) -> list[PermutationTest]:
    return [
        *_before_and_now(
            "alignment depends on the language",
            "output languages, within concepts",
            0.05,
            (
                "interval of the best above that of the worst",
                permuted_claims.languages_differ(patched, tested=False),
            ),
            (
                "Friedman's test over concepts",
                permuted_claims.languages_differ(patched, tested=True),
            ),
        ),
        *_before_and_now(
            "the output side matters more",
            "input and output, within concepts",
            0.025,
            (
                "larger spread of means",
                permuted_claims.output_languages_differ_more(patched, interval=False),
            ),
            (
                "interval of the difference of spreads above 0",
                permuted_claims.output_languages_differ_more(patched, interval=True),
            ),
        ),
    ]


def _of_answers(own: pd.DataFrame) -> list[PermutationTest]:
    rows = layer_choice.at_chosen_layer(selection.last_checkpoint(own[own["training_seed"] == 0]))
    rows = rows[rows["condition"].isin(["seen", "src_unpatched"]) & rows["answer"].notna()]
    answers = rows.assign(right=rows["answer_correct_source"].astype(float))
    answers = unit_means(answers, ["condition", "pair"], "right")
    points = pd.DataFrame({"probability": np.arange(48.0), "chrf": np.arange(48.0)})
    return [
        *_before_and_now(
            "patching gains more than it loses",
            "before and after, within concepts",
            0.025,
            ("more gains than losses", permuted_claims.more_gains_than_losses(answers)),
            (
                "interval of the difference in right answers above 0",
                permuted_claims.conditions_compared(
                    answers.assign(first_layer=0),
                    "seen",
                    "src_unpatched",
                    one_sided=True,
                    value="right",
                ),
            ),
            chapter="error_analysis",
        ),
        _now(
            "probability stands for the answer",
            "error_analysis",
            "chrF over pairs and layers",
            "rank correlation above 0.8",
            0.025,
            permuted_claims.rule_over_languages(
                points, "chrf", lambda t: rank_correlation(t["probability"], t["chrf"]) > 0.8
            ),
        ),
    ]


def _now(
    claim: str,
    chapter: str,
    shuffled: str,
    rule: str,
    nominal: float,
    outcomes: Outcomes,
    most: int = 10_000,
) -> PermutationTest:
    """The rule that a chapter has now."""
    return PermutationTest(claim, chapter, shuffled, rule, "now", nominal, outcomes, most)


def _before_and_now(
    claim: str,
    shuffled: str,
    nominal: float,
    before: tuple[str, Outcomes],
    now: tuple[str, Outcomes],
    chapter: str = "language_dependence",
) -> list[PermutationTest]:
    """A rule that was given up, and the one that took its place."""
    return [
        PermutationTest(claim, chapter, shuffled, rule, version, nominal, outcomes)
        for version, (rule, outcomes) in (("before", before), ("now", now))
    ]


def table(n: int = 1000, seed: int = 0, progress: bool = False) -> pd.DataFrame:
    """False positives of every claim: a row a claim and rule, the columns of `PermutationTest`, and
    those of `false_positives`.
    """
    return pd.DataFrame(
        [false_positives(test, n, seed) for test in tqdm(all_tests(), disable=not progress)]
    )
