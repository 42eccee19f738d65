"""Every claim of the book that permutations can test, on the published table of the miniature."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.results import published
from meanings.models.checkpoints import trajectory
from meanings.statistics import claims, layer_choice, selection
from meanings.statistics import languages as language_statistics
from meanings.statistics.correlation import property_correlations, rank_correlation
from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.statistics.matching import shared_cells
from meanings.statistics.summaries import COMPARED
from meanings.study.grid import DEFAULT_PAIRS
from meanings.validity import permuted_claims
from meanings.validity.permutation_test import PermutationTest
from meanings.validity.permuted_claims import Outcomes
from meanings.validity.permuting import unit_means

WITHIN_CONCEPTS = "two conditions, within concepts"
OUTPUTS = "output languages, within concepts"
BEYOND = f"interval of the difference beyond {SMALLEST_EFFECT}"
BEYOND_ZERO = "interval of the difference beyond 0"


@dataclass(frozen=True)
class BookClaim:
    """A claim, the chapter that makes it, what is permuted to test it, and the share of false
    claims that its rule promises.
    """

    claim: str
    chapter: str
    shuffled: str
    nominal: float

    def by(
        self, rule: str, outcomes: Outcomes, version: str = "now", most: int = 10_000
    ) -> PermutationTest:
        """The test of one rule for the claim."""
        return PermutationTest(
            self.claim, self.chapter, self.shuffled, rule, version, self.nominal, outcomes, most
        )


def all_tests() -> list[PermutationTest]:
    """Permutation tests of all claims, in the order of the published table."""
    table = published("miniature")
    table = table[table["prompt_seed"] == table["prompt_seed"].min()]
    own = table[table["pair"].isin(DEFAULT_PAIRS)]
    steps = set(trajectory("miniature", 0).thin(8).steps)
    page = own[(own["training_seed"] == 0) & own["step"].isin(steps)]
    return [
        *_of_conditions(page, selection.last_checkpoint(own)),
        *_of_training(page),
        *_of_all_layers(selection.last_checkpoint(own)),
        *_of_languages(table),
        *_of_answers(own),
    ]


def _compared(rows: pd.DataFrame, a: str, b: str, **how: Any) -> Outcomes:
    """Two conditions compared, in the cells that they share; `how`: as `conditions_compared`."""
    means = unit_means(shared_cells(rows, [a, b]), ["condition", "first_layer"])
    return permuted_claims.conditions_compared(means, a, b, **how)


def _of_conditions(page: pd.DataFrame, all_runs: pd.DataFrame) -> list[PermutationTest]:
    end = selection.last_checkpoint(page)
    seen = unit_means(end[end["condition"] == "seen"], ["first_layer"])
    shared = BookClaim("seen above a wrong concept", "emergence", WITHIN_CONCEPTS, 0.025)
    differ = BookClaim("seen and tgt differ", "emergence", WITHIN_CONCEPTS, 0.05)
    layers = BookClaim(
        "best layer above the average layer", "emergence", "layers, within concepts", 0.025
    )
    return [
        shared.by(
            f"{BEYOND}, layer by split halves",
            _compared(end, "seen", "null_concept", one_sided=True),
        ),
        shared.by(
            f"{BEYOND_ZERO}, layer by split halves",
            _compared(end, "seen", "null_concept", one_sided=True, smallest=0.0),
            "before",
        ),
        replace(shared, chapter="index").by(
            "the same, over training runs",
            _compared(all_runs, "seen", "null_concept", one_sided=True),
        ),
        shared.by(
            "the same at the best layer of all concepts",
            _compared(end, "seen", "null_concept", one_sided=True, naive=True),
            "spared",
        ),
        differ.by(BEYOND, _compared(end, "seen", "tgt")),
        differ.by(BEYOND_ZERO, _compared(end, "seen", "tgt", smallest=0.0), "before"),
        layers.by(
            "interval above 0, split halves",
            permuted_claims.best_layer_above_average(seen, True),
            "shown",
        ),
        layers.by(
            "the same, chosen on all concepts",
            permuted_claims.best_layer_above_average(seen, False),
            "spared",
        ),
    ]


def _of_training(page: pd.DataFrame) -> list[PermutationTest]:
    by = ["condition", "tokens", "first_layer"]
    three = unit_means(shared_cells(page, ["seen", "self", "null_concept"]), by)
    two = unit_means(shared_cells(page, ["seen", "null_concept"]), by)
    first = BookClaim("seen or self comes first", "emergence", WITHIN_CONCEPTS, 0.05)
    emerges = BookClaim(
        "seen emerges during training", "emergence", "checkpoints, within concepts", 0.025
    )
    return [
        first.by(
            "intervals of the onsets do not meet",
            permuted_claims.onsets_ordered(three, "seen", "self"),
            most=200,
        ),
        emerges.by(
            "interval of the onset after the first checkpoint",
            permuted_claims.emerges_in_training(two),
            most=200,
        ),
    ]


def _of_all_layers(end: pd.DataFrame) -> list[PermutationTest]:
    whole = end[end["first_layer"] == 0]
    tests = []
    for a, b in COMPARED:
        words = f"{a} and {b.replace('null_concept', 'a wrong concept')}"
        claim = f"{words} differ, all layers patched"
        differ = BookClaim(claim, "real_model", WITHIN_CONCEPTS, 0.05)
        tests.append(differ.by(BEYOND, _compared(whole, a, b)))
    return tests


def _of_languages(table: pd.DataFrame) -> list[PermutationTest]:
    last = selection.split_pairs(selection.last_checkpoint(table))
    chosen = layer_choice.at_chosen_layer(last, conditions=["seen", "src_unpatched"])
    patched = chosen[chosen["condition"] == "seen"]
    known = language_statistics.properties(
        trajectory("miniature", 0), load_lexicon("embedded"), last
    )
    aligned = known.merge(language_statistics.alignment(patched), on="language").merge(
        language_statistics.ceilings(chosen), on="language"
    )
    shown = language_statistics.spread(aligned, 6)
    swept = last[(last["condition"] == "seen") & last["output"].isin(shown)]
    layers = BookClaim("best layers differ between languages", "language_dependence", OUTPUTS, 0.05)
    return [
        *_of_outputs(patched),
        *_of_properties(aligned),
        *_of_onsets(table, known),
        layers.by(
            "best layers more than one apart",
            permuted_claims.best_layers_differ(swept, interval=False),
            "before",
        ),
        layers.by(
            "their intervals more than one apart",
            permuted_claims.best_layers_differ(swept, interval=True),
        ),
    ]


def _of_outputs(patched: pd.DataFrame) -> list[PermutationTest]:
    depends = BookClaim("alignment depends on the language", "language_dependence", OUTPUTS, 0.05)
    more = BookClaim(
        "the output side matters more",
        "language_dependence",
        "input and output, within concepts",
        0.025,
    )
    return [
        depends.by(
            "interval of the best above that of the worst",
            permuted_claims.languages_differ(patched, tested=False),
            "before",
        ),
        depends.by(
            f"Friedman's test over concepts, and means more than {SMALLEST_EFFECT} apart",
            permuted_claims.languages_differ(patched, tested=True),
        ),
        more.by(
            "larger spread of means",
            permuted_claims.output_languages_differ_more(patched, interval=False),
            "before",
        ),
        more.by(
            f"interval of the difference of spreads above {SMALLEST_EFFECT}",
            permuted_claims.output_languages_differ_more(patched, interval=True),
        ),
    ]


def _of_properties(aligned: pd.DataFrame) -> list[PermutationTest]:
    def stands_out(languages: pd.DataFrame) -> bool:
        found = property_correlations(languages, language_statistics.RANKED)
        return bool(found["p_any"].min() < claims.LEVEL)

    most = BookClaim(
        "one property goes with alignment most",
        "language_dependence",
        "alignment over languages",
        0.05,
    )
    return [
        most.by(
            "largest rank correlation, always named",
            permuted_claims.rule_over_rows(aligned, "mean", lambda languages: True),
            "before",
        ),
        most.by(
            "largest rank correlation beats the largest of 95 % of shuffles",
            permuted_claims.rule_over_rows(aligned, "mean", stands_out),
        ),
    ]


def _of_onsets(table: pd.DataFrame, known: pd.DataFrame) -> list[PermutationTest]:
    through = selection.split_pairs(layer_choice.at_chosen_layer(selection.followed(table)))
    through = unit_means(through[through["condition"] == "seen"], ["output", "tokens"])
    onsets = language_statistics.onsets(through, list(known["language"]))
    joined = onsets[onsets["onset"] < np.inf].merge(known[["language", "share"]], on="language")
    earlier = BookClaim(
        "more text joins earlier", "language_dependence", "share over languages", 0.025
    )
    return [
        earlier.by(
            "rank correlation below -0.3",
            permuted_claims.rule_over_rows(
                joined, "share", lambda t: rank_correlation(t["share"], t["onset"]) < -0.3
            ),
            "before",
        ),
        earlier.by(
            "negative, and beyond 95 % of shuffles",
            permuted_claims.rule_over_rows(joined, "share", claims.more_text_joins_earlier),
        ),
    ]


def _of_answers(own: pd.DataFrame) -> list[PermutationTest]:
    rows = layer_choice.at_chosen_layer(selection.last_checkpoint(own[own["training_seed"] == 0]))
    rows = rows[rows["condition"].isin(["seen", "src_unpatched"]) & rows["answer"].notna()]
    answers = rows.assign(right=rows["answer_correct_source"].astype(float), first_layer=0)
    answers = unit_means(answers, ["condition", "pair", "first_layer"], "right")
    points = pd.DataFrame({"probability": np.arange(48.0), "chrf": np.arange(48.0)})
    gains = BookClaim(
        "patching gains more than it loses",
        "error_analysis",
        "before and after, within concepts",
        0.025,
    )
    agrees = BookClaim(
        "probability stands for the answer", "error_analysis", "chrF over pairs and layers", 0.025
    )
    return [
        gains.by(
            "more gains than losses", permuted_claims.more_gains_than_losses(answers), "before"
        ),
        gains.by(
            f"interval of the difference in right answers above {SMALLEST_EFFECT}",
            permuted_claims.conditions_compared(
                answers, "seen", "src_unpatched", one_sided=True, value="right"
            ),
        ),
        agrees.by(
            "rank correlation above 0.8",
            permuted_claims.rule_over_rows(
                points, "chrf", lambda t: rank_correlation(t["probability"], t["chrf"]) > 0.8
            ),
        ),
    ]
