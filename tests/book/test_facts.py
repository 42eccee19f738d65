"""What pages say: every wording follows its numbers."""

import numpy as np
import pandas as pd
import pytest

from meanings.book import chapters
from meanings.book.facts import (
    costs,
    emergence,
    error_analysis,
    index,
    language_dependence,
    miniature,
    real_model,
    trust,
    wording,
)
from meanings.book.tables import costs as cost_tables
from meanings.book.tables import miniature as miniature_tables
from meanings.book.tables import trust as trust_tables
from meanings.labels.annotation.agreement import Agreement
from meanings.patching.flops import Lengths
from meanings.statistics import variants
from meanings.study import budget_report

INTERVAL = {"mean": 0.5, "low": 0.4, "high": 0.6}
LENGTHS = Lengths(97.0, 7.0, 91.0, 6.0)


def rows(*values: dict) -> pd.DataFrame:
    """A table of these rows, with an interval where they give none."""
    return pd.DataFrame([INTERVAL | value for value in values])


def answers(*labels: tuple[str, str, int, str]) -> pd.DataFrame:
    """Labelled answers: group, concept, n of them right, label of the wrong one."""
    made = []
    for group, concept, right, other in labels:
        for label in ["correct"] * right + [other]:
            made.append({"group": group, "source_concept": concept, "label": label})
    return pd.DataFrame(made).assign(step=7, pair="fr-es", chrf=50.0, training_seed=0)


def changes(*kinds: str | None) -> pd.DataFrame:
    """What became of answers: a gain of each kind; None is a loss."""
    return pd.DataFrame(
        {
            "source_concept": [f"c{i}" for i in range(len(kinds))],
            "kind": [kind or "translation" for kind in kinds],
            "direction": [1 if kind else -1 for kind in kinds],
        }
    )


def test_words_for_numbers():
    assert wording.interval(pd.Series(INTERVAL)) == "0.50 [0.40, 0.60]"
    assert wording.either(np.bool_(True), "yes", "no") == "yes"
    training = pd.DataFrame({"tokens": [0, 200]})
    assert wording.share_of_training(50.0, training).endswith("25% of the training")
    assert "no onset" in wording.share_of_training(np.inf, training)
    assert wording.plain_names([]) == "none" and wording.plain_names(["a_b", "c"]) == "a b, c"


def test_the_cost_of_averaging_is_that_against_the_pair_itself():
    own = {"against": "self", "mean": -0.3, "low": -0.4, "high": -0.2}
    pair = {"against": "tgt", "mean": 0.1, "low": 0.05, "high": 0.2}
    said = emergence.cost_of_averaging(rows(own, pair))
    assert said == {"em_diff": "0.10 [0.05, 0.20]", "em_helped": "helps"}
    missing = emergence.cost_of_averaging(rows(own))
    assert missing == {"em_diff": "not measured", "em_helped": "is not compared with it"}


@pytest.mark.parametrize(
    ("ends", "said"),
    [((0.1, 0.2), "helps"), ((-0.2, -0.1), "costs"), ((-0.1, 0.1), "told from chance")],
)
def test_what_averaging_does_follows_the_interval(ends, said):
    table = rows({"against": "tgt", "low": ends[0], "high": ends[1]})
    assert said in emergence.cost_of_averaging(table)["em_helped"]


def test_the_last_layer_is_too_late_only_where_it_has_less_than_half():
    by_layer = rows(*({"tokens": 9, "first_layer": i, "mean": m} for i, m in enumerate((0.2, 0.8))))
    for late, said in ((0.1, "too late"), (0.7, "still carries it")):
        over = rows({"condition": "seen", "first_layer": 5, "mean": late})
        found = emergence.layers(by_layer, over)
        assert said in found["em_late_says"] and found["em_peak"] == 1


def test_onsets_and_their_order():
    def moment(name, low, onset, high):
        return {"condition": name, "onset": onset, "low": low, "high": high}

    early, late = moment("self", 1e6, 2e6, 3e6), moment("seen", 4e6, 5e6, 6e6)
    found = emergence.onsets(rows(early, late))
    assert found["em_order"] == "the language's own space comes first"
    assert found["em_onset_seen"] == "5M tokens [4M, 6M]"
    assert found["em_onset_top"] == "not within the training measured"
    assert "no order" in emergence.onsets(rows(late))["em_order"]
    never = rows(moment("seen", 1.0, np.inf, np.inf))
    assert emergence.onsets(never)["em_onset_seen"] == "not within the training measured"


def test_dose_and_runs():
    levels = rows(
        {"condition": "seen", "dose": 100.0, "mean": 0.9},
        {"condition": "seen", "dose": 0.0, "mean": 0.1},
        {"condition": "tgt", "dose": 0.0, "mean": 0.7},
    )
    found = emergence.dose(levels, {0: True, 1: False})
    assert (found["em_dose_runs"], found["em_dose_rises"], found["em_dose_count"]) == (2, 1, 2)
    assert found["em_dose_none"].startswith("0.10") and found["em_dose_all"].startswith("0.90")


def test_languages_with_more_text_join_earlier_only_where_they_do():
    codes = [f"l{i}" for i in range(8)]
    table = pd.DataFrame({"language": codes, "share": np.linspace(0.8, 0.1, 8)})
    onsets = pd.DataFrame({"language": codes, "onset": np.arange(8) * 1e6})
    found = language_dependence.joining(onsets, table)
    assert found["ld_late"] == "-1.00" and found["ld_late_says"].endswith("join earlier")
    onsets["onset"] = [np.inf] * 7 + [1e6]
    found = language_dependence.joining(onsets, table)
    assert (found["ld_joined"], found["ld_all"], found["ld_late"]) == (1, 8, "0.00")
    assert "does not go with" in found["ld_late_says"]


def test_best_layers_differ_only_beyond_their_intervals():
    best = pd.DataFrame({"output": ["fr", "de"], "layer": [1, 5], "low": [1, 4], "high": [2, 5]})
    found = language_dependence.layers(best)
    assert found["ld_peaks"] == "fr 1 [1, 2], de 5 [4, 5]"
    assert "from different layers" in found["ld_same"]
    assert "no difference" in language_dependence.layers(best.assign(low=1))["ld_same"]


def test_rates_of_right_answers_and_the_most_frequent_mistake():
    page = chapters.ErrorAnalysis()
    labelled = answers(
        *(("source prompt", f"c{i}", 3, "copy") for i in range(4)),
        *(("target prompt", f"c{i}", 1, "copy") for i in range(4)),
        *(("target prompt, patched", f"c{i}", 2, "other_sense") for i in range(4)),
    )
    found = error_analysis.labels(page, labelled)
    assert found["ea_source"].startswith("0.75") and found["ea_patched"].startswith("0.67")
    assert found["ea_kept"].startswith("most of what")
    assert (found["ea_wrong"], found["ea_wrong_share"]) == ("other sense", "33%")
    cells = pd.DataFrame({"probability": [0.1, 0.2, 0.3, 0.4], "chrf": [10.0, 20, 30, 40]})
    one = pd.DataFrame({"p_source": [0.1, 0.2, 0.3], "chrf": [10.0, 20, 30]})
    quality = pd.concat([one.assign(pair="a-b"), one.assign(pair="c-d")])
    chrf = error_analysis.chrf(quality, cells, labelled, "sig")
    assert chrf["ea_rank"] == chrf["ea_rank_low"] == "1.00" and chrf["ea_agree"].endswith("well")
    assert chrf["ea_rank_cells"] == 4
    turned_round = quality.assign(chrf=quality["chrf"].where(quality["pair"] == "a-b", 30.0))
    chrf = error_analysis.chrf(turned_round, cells, labelled, "sig")
    assert (chrf["ea_rank_low"], chrf["ea_rank_high"]) == ("0.00", "1.00")
    assert chrf["ea_agree"].endswith("only in part")
    one = labelled[labelled["group"].str.endswith("patched")]
    by_pair = pd.concat([one, one.assign(pair="fr-de", label="copy")])
    found = error_analysis.language_pairs(by_pair)
    assert (found["ea_high"], found["ea_low"]) == ("fr-es", "fr-de")


def test_gains_with_and_without_another_model_and_a_null():
    own = changes("translation", "translation", "copying", None)
    found = error_analysis.gains_and_losses({"seen": own}, "seen")
    assert found["ea_gains"] == 3 and "share of 0.67" in found["ea_better"]
    assert found["ea_null_gain"] == "not measured"
    assert found["ea_other"] == "No other model is beside it"
    assert "cannot be told" in found["ea_gain_says"]
    both = {"seen": changes(None, None), "null_concept": own, "Gemma: self": own}
    found = error_analysis.gains_and_losses(both, "seen")
    assert found["ea_better"] == "there is none to take apart"
    assert found["ea_gain_says"] == "patching loses more right answers than it gains"
    assert found["ea_null_gain"] == "0.750" and "share of 0.67" in found["ea_other"]


def test_rare_labels_are_named_with_their_counts():
    classes = pd.DataFrame({"gold": [40, 3], "recall": 0.5}, index=["copy", "other_form"])
    agreement = Agreement(100, 0.8, 0.7, 0.9, 5, classes, 0.66)
    found = error_analysis.label_quality(agreement)
    assert found["ea_rare"] == "other form (3)" and found["ea_alpha"] == "0.80 [0.70, 0.90]"
    assert found["ea_other_form"] == "0.50"


def test_the_first_pages_gains_and_languages():
    labelled = answers(
        *(("source prompt", f"c{i}", 3, "copy") for i in range(3)),
        *(("target prompt, patched", f"c{i}", 1, "copy") for i in range(3)),
    )
    gained = {"miniature: seen": changes("copying", None), "Gemma: self": changes("translation")}
    found = index.better_translations(labelled, gained)
    assert (found["ix_gains"], found["ix_losses"]) == (1, 1)
    assert (found["ix_source"], found["ix_after"]) == ("75%", "50%")
    concepts = [f"c{i}" for i in range(12)]
    patched = pd.DataFrame(
        [
            {"output": code, "source_concept": concept, "p_source": level}
            for code, level in (("fr", 0.9), ("fi", 0.1), ("de", 0.5))
            for concept in concepts
        ]
    )
    table = pd.DataFrame({"name": ["French", "Finnish"], "mean": [0.9, 0.1]})
    found = index.languages(table, patched)
    assert (found["ix_best"], found["ix_worst"]) == ("French", "Finnish")
    assert found["ix_depends"] == "depends on the language"
    same = index.languages(table, patched.assign(p_source=0.5))
    assert same["ix_depends"] == "does not clearly depend on the language"


def test_known_truth_counts_what_was_reported_rightly():
    trials = trust_tables.known_truth()
    layers = trials[(trials["what"] == "meeting layer") & (trials["by"] == "one layer alone")]
    assert trust.known_truth(trials)["tr_alone"] == f"{len(layers)} of {len(layers)}"
    wrong = trials.assign(reported=trials["true"] + 1)
    assert trust.known_truth(wrong)["tr_alone"].startswith("0 of")


def test_rules_that_claim_too_much_are_named():
    rates = trust_tables.false_positives()
    assert trust.false_claims(rates)["tr_over"] == "none"
    worse = rates.assign(low=rates["low"].mask(rates["version"] == "now", 0.5), rate=0.6)
    found = trust.false_claims(worse)
    assert found["tr_over"] == found["tr_rules"]
    assert "(60% where 5% is promised)" in found["tr_over_names"]


def test_claims_where_nothing_is_shared_and_the_blind_spot():
    claims = pd.DataFrame(
        {"training_seed": [0, 1], "mean": [0.001, 0.03], "claimed": True, "matters": [False, True]}
    )
    found = trust.nothing_shared(claims)
    assert (found["tr_apart"], found["tr_apart_matters"]) == (2, 1)
    assert found["tr_apart_largest"] == "0.030"
    reached = variants.published_recovery()
    found = trust.blind_spot(reached)
    one = reached[reached["model"] == "one-token"]
    assert found["tr_one_asked"] == f"{one['asked'].mean():.2f}"
    assert found["tr_one_head"] == f"{one['attention_0'].mean():.2f}"


def test_verdicts_name_the_claims_that_do_not_hold():
    table = pd.DataFrame(
        {"verdict": ["holds in every seed", "holds in 1 of 3 seeds only"]}, index=["a", "b"]
    )
    found = trust.verdicts(table)
    assert (found["tr_held"], found["tr_not"]) == (1, "“b” holds in 1 of 3 seeds only")
    assert trust.verdicts(table.iloc[:1])["tr_not"] == "none"


def test_comparisons_of_models_follow_their_intervals():
    names = ("seen - null_concept", "seen - tgt", "en_en - seen", "self - seen")

    def table(low, high):
        return rows(
            *(
                {"pair": "all", "what": name, "first_layer": 0, "low": low, "high": high}
                for name in names
            )
        )

    found = real_model.comparisons({"a": table(0.1, 0.2), "b": table(-0.1, 0.1)})
    assert found["rm_gain_says"] == "not in all of them"
    assert found["rm_own"] == "a: above; b: not told apart"
    assert real_model.comparisons({"a": table(0.1, 0.2)})["rm_gain_says"] == "in all of them"


def test_the_miniatures_targets_and_variants():
    report = pd.DataFrame({"met": ["yes", "no"]}, index=["accuracy", "p_null"])
    found = miniature.targets(report)
    assert (found["mi_met"], found["mi_missed"]) == (1, "p null")
    assert found["mi_missed_says"] == "Not every target is met"
    assert miniature.targets(report.iloc[:1])["mi_missed_says"] == "All targets are met"
    assert miniature.variants(pd.DataFrame({"P(source)": ["0.2", "0.31"]}))["mi_top"] == "0.31"
    assert miniature.variants(pd.DataFrame({"P(source)": []})) == {"mi_tried": 0, "mi_top": "0.00"}
    mix = miniature_tables.recipe()
    found = miniature.recipe(mix, miniature_tables.languages(mix))
    assert found["mi_languages"] == len(mix["languages"]) and "layers of" in found["mi_size"]


def test_whether_a_study_fits_into_a_night_follows_its_hours():
    study, night = budget_report.FULL, budget_report.NIGHT
    hours = budget_report.hours(study, LENGTHS)
    for high, said in ((13.0, "fits into a night"), (15.0, "does not fit")):
        found = costs.full_study(hours.assign(high=high), study, LENGTHS)
        assert found["co_fits"].startswith(said)
    low, _, high = found["co_factors"].partition(" to ")
    assert 1 < int(low) <= int(high)
    assert costs.study(study)["co_pairs"] == len(study.pairs)
    assert float(costs.one_night(budget_report.hours(night, LENGTHS), night)["co_night"]) > 0
    room = cost_tables.room(study, LENGTHS, 10.0)
    assert costs.disk_and_memory(room, study)["co_every"].endswith("GB")
