"""What pages say: every wording follows its numbers."""

import re

import numpy as np
import pandas as pd
import pytest

from meanings.book import chapter_parameters
from meanings.book.facts import (
    averaging,
    costs,
    emergence,
    error_analysis,
    index,
    language_dependence,
    miniature,
    trust,
    wording,
)
from meanings.book.tables import agreement as agreement_tables
from meanings.book.tables import claims as claim_tables
from meanings.book.tables import costs as cost_tables
from meanings.book.tables import emergence as emergence_tables
from meanings.book.tables import miniature as miniature_tables
from meanings.book.tables import real_model as real_tables
from meanings.book.tables import trust as trust_tables
from meanings.labels.annotation.agreement import Agreement
from meanings.patching.flops import Lengths
from meanings.statistics import longer, variants
from meanings.study import budget_report
from meanings.validity.claims.language_dependence import CLAIMS as LANGUAGE_CLAIMS
from stand_ins import long_run_stages

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
    assert emergence.cost_of_averaging(rows(own, pair)) == {"em_diff": "0.10 [0.05, 0.20]"}
    assert emergence.cost_of_averaging(rows(own)) == {"em_diff": "not measured"}


def test_where_languages_meet_is_said_of_single_layers():
    by_layer = rows(*({"tokens": 9, "first_layer": i, "mean": m} for i, m in enumerate((0.2, 0.8))))
    for meeting, said in ((0, ", the lowest there is"), (2, "")):
        depth = pd.DataFrame(
            {"what": ["first", "last"], "layer": [meeting, 3], "low": [meeting, 2], "high": 4}
        )
        found = emergence.layers(by_layer, depth)
        assert found["em_meeting"] == f"{meeting} [{meeting}, 4]" and found["em_peak"] == 1
        assert found["em_meeting_says"] == said
        assert found["em_reading"] == "3 [2, 4]" and found["em_read_by"] == 4


def test_onsets_are_shares_of_the_training_and_the_latest_is_named():
    def moment(name, fraction, onset, height="own"):
        low, high = onset / 2, onset * 2
        return {"condition": name, "fraction": fraction, "height": height} | {
            "onset": onset, "low": low, "high": high,
        }  # fmt: skip

    tokens = pd.Series([0, 8_000_000])
    moments = rows(
        moment("seen", 0.25, 1e6), moment("seen", 0.5, 2e6), moment("seen", 0.75, np.inf),
        moment("self", 0.5, 1e6), moment("seen", 0.25, 4e6, "level"),
    )  # fmt: skip
    found = emergence.onsets(moments, tokens)
    assert (found["em_quarter"], found["em_half"]) == ("12%", "25%")
    assert found["em_three_quarters"] == "more than 100%"
    assert found["em_level_tokens"] == "4M tokens [2M, 8M]"
    assert found["em_latest_says"] == "seen is the latest of the 2 curves"
    late = pd.concat([moments, rows(moment("tgt", 0.5, 3e6))])
    said = emergence.onsets(late, tokens)["em_latest_says"]
    assert said == "the latest of the 3 curves is tgt"


def test_languages_without_words_in_common_are_named_and_those_that_they_help():
    by_output = rows(
        {"output": "ru", "words": "all", "mean": 0.8, "n_units": 9},
        {"output": "fr", "words": "all", "mean": 0.7, "n_units": 9},
        {"output": "es", "words": "all", "mean": 0.6, "n_units": 9},
        {"output": "ru", "words": "apart", "mean": 0.8, "n_units": 9},
        {"output": "fr", "words": "apart", "mean": 0.4, "n_units": 3},
        {"output": "es", "words": "apart", "mean": 0.5, "n_units": 3},
    )
    found = emergence.resemblance(by_output)
    assert found["em_apart_alone"] == "Russian 0.80" and found["em_apart_outputs"] == 3
    assert found["em_apart_most"] == "French 0.30, Spanish 0.10"


def emergence_claim(name, verdict="holds", *values):
    runs = {str(seed): {"value": v, "verdict": verdict} for seed, v in enumerate(values)}
    statement = f"{name} is so."
    return {"id": f"emergence-{name}", "statement": statement, "verdict": verdict, "by_seed": runs}


CLAIMED = (
    "shared", "learned", "early", "longer", "plateau", "self-lower", "not-cognates",
    "mean-own-pair", "positive-control", "same-category",
)  # fmt: skip


@pytest.mark.parametrize("verdict", ["holds", "undecided", "refuted"])
def test_the_chapter_does_not_contradict_a_wording_that_is_not_confirmed(verdict):
    claims = [*map(emergence_claim, CLAIMED), emergence_claim("self-first", verdict, 0.4, 0.31)]
    table = emergence_tables.paper_and_here(claims)
    by_finding = {name[:30]: row for name, row in table.iterrows()}
    assert by_finding["Language-specific spaces do no"]["do they agree"] == "not comparable"
    assert by_finding["Shared concept spaces emerge d"]["here"] == "shared is so. learned is so."
    claims.append(emergence_claim("direct-first", "holds", 0.1, 0.2))
    assert emergence.orders(claims) == {
        "em_self_range": "31% to 40%",
        "em_direct_range": "10% to 20%",
        "em_direct_holds": "2 of 2",
    }


def test_what_a_figure_rests_on_is_counted():
    table = pd.DataFrame(
        {
            "source_concept": ["a", "b"],
            "pair": "fr-es",
            "training_seed": [0, 1],
            "step": 1,
            "first_layer": 0,
            "condition": "seen",
        }
    )
    assert wording.counted(table) == "2 concepts, 1 language pair, 2 training seeds"


def test_dose_and_runs():
    levels = rows(
        {"condition": "seen", "dose": 100.0, "mean": 0.9},
        {"condition": "seen", "dose": 0.0, "mean": 0.1},
        {"condition": "tgt", "dose": 0.0, "mean": 0.7},
    )
    found = emergence.dose(levels, {0: True, 1: False})
    assert (found["em_dose_runs"], found["em_dose_rises"], found["em_dose_count"]) == (2, 1, 2)
    assert found["em_dose_none"].startswith("0.10") and found["em_dose_all"].startswith("0.90")


def ratios(codes: str, patched, direct, deviations=None) -> pd.DataFrame:
    """Matched ratios with narrow intervals."""
    table = pd.DataFrame({"language": codes.split(), "patched": patched, "direct": direct})
    table["ratio"] = table["patched"] / table["direct"]
    table["deviation"] = table["ratio"] - table["ratio"].mean()
    for name in ("patched", "direct", "ratio", "deviation"):
        table[f"{name}_low"], table[f"{name}_high"] = table[name] - 0.02, table[name] + 0.02
    return table.assign(n_units=64, n_seeds=3, n_language_pairs=4)


def test_writing_is_equivalent_only_where_every_interval_lies_within_the_margin():
    same = ratios("fr zh fi", [0.72, 0.45, 0.18], [0.8, 0.5, 0.2])
    cy = pd.DataFrame(
        {"source_concept": ["a", "b"], "p_source": [0.0, 0.002], "pair": "en-cy", "language": "cy"}
    )
    found = language_dependence.writing(same, {"cy": cy, "sw": cy.iloc[:0]})
    assert found["ld_trained"] == 3
    assert found["ld_equivalent"].startswith("all of these intervals")
    assert found["ld_narrowest"] == "0.02"
    assert found["ld_unseen_left"] == "0.001 [0.000, 0.002] for Welsh (2 concepts)"
    apart = ratios("fr zh fi", [0.72, 0.45, 0.08], [0.8, 0.5, 0.2])
    found = language_dependence.writing(apart, {})
    assert found["ld_equivalent"].startswith("not all")
    assert found["ld_ratio_low"] == "0.40 for Finnish"
    assert found["ld_unseen_left"] == "not measured for this page's pairs"


def test_reading_names_the_best_and_worst_read_and_what_a_taught_neighbour_adds():
    table = ratios("en fr zh fi sw", [0.9, 0.8, 0.3, 0.1, 0.1], [1.0, 1.0, 0.5, 0.4, 0.1])
    nulls = pd.DataFrame({"language": ["en", "sw"], "mean": [0.003, 0.012]})
    taught = pd.Series({"mean": 0.1, "low": 0.05, "high": 0.15, "n_cells": 30})
    found = language_dependence.reading(table, nulls, taught)
    assert found["ld_read_low"].startswith("Finnish 0.25")
    assert found["ld_read_high"].startswith("English 0.90")
    assert "Swahili" not in found["ld_read_low"] + found["ld_read_high"]
    assert found["ld_read_null"] == "0.012"
    assert found["ld_taught_says"] == "being taught beside the output language helps"
    none = language_dependence.reading(table, nulls, taught.replace(0.05, -0.05))
    assert "no effect" in none["ld_taught_says"]
    less = language_dependence.reading(table, nulls, -taught.rename({"low": "high", "high": "low"}))
    assert "does not help" in less["ld_taught_says"]


def test_properties_and_shares_are_said_in_order():
    table = pd.DataFrame(
        {"mean": np.linspace(0.9, 0.1, 9), "share": np.linspace(0.3, 0.02, 9), "tokens": [1.0] * 9}
    )
    found = language_dependence.saying(table, {"share": "share of text", "tokens": "tokens"})
    assert found["ld_ranks"] == "share of text 1.00, tokens 0.00"
    assert found["ld_strongest"] == "share of text"
    assert found["ld_beyond"].startswith("stronger than 95 %")
    flat = table.assign(share=[5, 1, 4, 2, 8, 3, 9, 7, 6])
    assert language_dependence.saying(flat, {"share": "s"})["ld_beyond"].startswith("not stronger")
    text = pd.DataFrame(
        {"language": ["fi", "en"], "word_share": [0.1, 0.9], "token_share": [0.25, 0.75]}
    )
    said = language_dependence.shares(text)["ld_shares"]
    assert said == "English 75% (90%), Finnish 25% (10%)"
    assert "not known" in language_dependence.shares(text.iloc[:0])["ld_shares"]


def test_a_claim_says_its_number_its_n_and_its_verdict_and_that_it_was_not_measured():
    said = language_dependence.claims_of({})
    assert said["ld_reading"] == (
        "(Not decided here: the published table reading lacks what it needs.)"
    )
    assert said["ld_reading_value"] == "(not measured)"
    assert said["ld_reading_verdict"] == "undecided"
    keys = {
        f"ld_{claim.id.removeprefix('language-').replace('-', '_')}" for claim in LANGUAGE_CLAIMS
    }
    assert keys == {key for key in said if not key.endswith(("_value", "_verdict"))}


VERDICTS = ("holds", "refuted", "undecided")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_takeaway_and_agreement_follow_the_verdicts(verdict):
    said = language_dependence.claims_of({})
    said |= {key: verdict for key in said if key.endswith("_verdict")}
    takeaway = averaging.takeaway(said)["ld_takeaway"]
    words = {
        "holds": "falls behind|fall behind",
        "refuted": "does not depend",
        "undecided": "not d",
    }
    assert re.search(words[verdict], takeaway)
    table = agreement_tables.agreement(averaging.agreements(said))
    assert list(table.columns) == list(agreement_tables.COLUMNS[1:])
    expected = {"holds": ["in part"] * 3, "refuted": ["no"] * 3}
    assert list(table["do they agree"]) == expected.get(verdict, ["not decided"] * 3)
    begins = {
        "holds": "Reading depends",
        "refuted": "Reading does not depend",
        "undecided": "Whether reading depends",
    }
    assert table["here"].iloc[0].startswith(begins[verdict])


def test_rates_of_right_answers_and_the_most_frequent_mistake():
    page = chapter_parameters.ErrorAnalysis()
    labelled = answers(
        *(("source prompt", f"c{i}", 3, "copy") for i in range(4)),
        *(("target prompt", f"c{i}", 1, "copy") for i in range(4)),
        *(("target prompt, patched", f"c{i}", 2, "other_sense") for i in range(4)),
    )
    found = error_analysis.labels(page, labelled)
    assert found["ea_source"].startswith("0.75") and found["ea_patched"].startswith("0.67")
    assert found["ea_kept"].endswith("keeps most of the accuracy")
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
    assert "contains zero" in found["ea_gain_says"]
    both = {"seen": changes(None, None), "null_concept": own, "Gemma: self": own}
    found = error_analysis.gains_and_losses(both, "seen")
    assert found["ea_better"] == "there is none to take apart"
    assert found["ea_gain_says"] == "patching loses more right answers than it gains"
    assert found["ea_null_gain"] == "0.750" and "share of 0.67" in found["ea_other"]


def test_rare_labels_are_named_with_their_counts():
    classes = pd.DataFrame(
        {"gold": [40, 3], "recall": 0.5, "precision": 0.7}, index=["copy", "other_form"]
    )
    agreement = Agreement(100, 0.8, 0.7, 0.9, 5, classes, 0.66)
    found = error_analysis.label_quality(agreement)
    assert found["ea_rare"] == "other form (3)" and found["ea_alpha"] == "0.80 [0.70, 0.90]"
    assert found["ea_other_form"] == "0.50" and found["ea_no_list"] == "nan"


def test_the_first_page_says_each_claim_with_its_numbers_and_doubts():
    rows = [
        {
            "id": name, "statement": "It is so.", "value": 0.5, "low": 0.4, "high": 0.6,
            "smallest_effect": 0.1, "n_seeds": 3, "verdict": "holds",
        }
        for name in index.ANSWERS
    ]  # fmt: skip
    rows[1] |= {"verdict": "undecided", "n_seeds": 1}
    said = index.answers(rows)
    assert said["ix_emergence_shared"] == "It is so (0.50 [0.40, 0.60], 3 training runs)."
    assert said["ix_emergence_early"] == (
        "Not decided: “It is so (0.50 [0.40, 0.60], 1 training run).”"
    )
    assert index.held(rows) == {
        "ix_claims": len(rows), "ix_holds": len(rows) - 1, "ix_refuted": 0, "ix_undecided": 1,
    }  # fmt: skip


def test_hits_and_false_alarms_are_counted_apart():
    """Half of the networks have no meeting layer: reporting none everywhere is no hit."""
    trials = trust_tables.known_truth()
    layers = trials[(trials["what"] == "meeting layer") & (trials["by"] == "one layer alone")]
    n_there, n_absent = int((layers["true"] >= 0).sum()), int((layers["true"] < 0).sum())
    assert n_there and n_absent
    found = trust.known_truth(trials)
    assert found["tr_alone"] == f"{n_there} of {n_there}"
    assert found["tr_alone_false"] == f"0 of {n_absent}"
    never = trust.known_truth(trials.assign(reported=-1.0))
    assert never["tr_alone"] == f"0 of {n_there}" and never["tr_alone_false"] == f"0 of {n_absent}"
    always = trust.known_truth(trials.assign(reported=trials["true"].clip(lower=0)))
    assert always["tr_alone"] == f"{n_there} of {n_there}"
    assert always["tr_alone_false"] == f"{n_absent} of {n_absent}"


def test_rules_that_exceed_their_nominal_rate_are_named():
    rates = trust_tables.false_positives()
    assert trust.false_claims(rates)["tr_over_says"].startswith("No rule in use exceeds")
    worse = rates.assign(low=rates["low"].mask(rates["version"] == "now", 0.5), rate=0.6)
    found = trust.false_claims(worse)
    assert found["tr_over_says"].count("nominal") == found["tr_rules"] + 1
    assert "(60%, nominal 5%)" in found["tr_over_says"]


def test_claims_where_nothing_is_shared_and_the_blind_spot():
    claims = pd.DataFrame(
        {"training_seed": [0, 1], "mean": [0.001, 0.03], "high": [0.002, 0.04], "above zero": True}
    ).assign(claimed=[False, True])
    found = trust.nothing_shared(claims)
    assert (found["tr_apart_zero"], found["tr_apart"]) == (2, 1)
    assert trust.nothing_shared(claims.assign(claimed=False))["tr_apart"] == "none"
    assert (found["tr_apart_largest"], found["tr_apart_high"]) == ("0.030", "0.040")
    reached = variants.published_recovery()
    found = trust.blind_spot(reached)
    one = reached[reached["model"] == "one-token"]
    assert found["tr_one_asked"] == f"{one['asked'].mean():.2f}"
    assert found["tr_one_head"] == f"{one['attention_0'].mean():.2f}"


def claim_row(name: str, verdict: str, *runs: str, value: float | None = 0.5) -> dict:
    """A row of the catalogue of claims."""
    return {
        "id": name,
        "chapter": "trust",
        "statement": f"{name} is so.",
        "value": value,
        "low": value,
        "high": value,
        "n_concepts": 64,
        "n_pairs": 0,
        "n_seeds": 3,
        "smallest_effect": 0.02,
        "verdict": verdict,
        "by_seed": {str(i): {"value": 0.25, "verdict": said} for i, said in enumerate(runs)},
        "refuted_by": "a result",
    }


def test_claims_are_counted_by_verdict():
    rows = [
        claim_row("a", "holds", "holds", "holds"),
        claim_row("b", "refuted"),
        claim_row("c", "undecided", "holds", "undecided", value=None),
    ]
    found = trust.claims(rows)
    counted = [found[f"tr_{name}"] for name in ("claims", "held", "refuted", "undecided")]
    assert counted == [3, 1, 1, 1]
    assert (found["tr_several"], found["tr_same"]) == (2, 1)
    by_chapter = claim_tables.verdicts(rows)
    assert by_chapter.columns.tolist() == ["holds", "undecided", "refuted"]
    assert by_chapter.loc["together"].tolist() == [1, 1, 1] and len(by_chapter) == 2
    table = claim_tables.claims_table(rows)
    assert table["estimate"].tolist()[::2] == ["0.500 [0.500,\u00a00.500]", "not measured"]
    assert table["n"].iloc[0] == "64 concepts, 3 runs"
    assert table["by training run"].iloc[2] == "0.250 holds, 0.250 undecided"
    assert claim_tables.refutations(rows)["refuted by"].tolist() == ["a result"] * 3


def test_templates_are_summed_up_by_what_the_miniature_was_trained_on():
    values = {"quoted": 0.9, "arrow": 0.8, "equals": 0.85, "slash": 0.7, "comma": 0.7, "space": 0.7}
    values |= {"no_names": 0.0, "no_quotes": 0.03, "brackets": 0.01}
    found = pd.DataFrame(
        {"template": name, "condition": condition, "mean": mean + (condition != "seen") / 20}
        for name, mean in values.items()
        for condition in ("seen", "src_unpatched")
    )
    said = trust.templates(found)
    assert said["tr_lines_trained"] == "0.80 to 0.90" and said["tr_lines_separators"] == "0.70"
    assert said["tr_lines_unquoted"] == "0.03" and said["tr_lines_other"] == "0.00 to 0.01"
    assert said["tr_direct_unquoted"] == "0.08" and said["tr_direct_other"] == "0.05 to 0.06"


def test_what_a_claim_says_follows_its_verdict():
    rows = [claim_row("real-concept", "holds"), claim_row("real-mean-and-own-pair", "refuted")]
    assert wording.claim(rows, "real-concept") == "real-concept is so."
    said = wording.claim(rows, "real-mean-and-own-pair")
    assert said == "Refuted: “real-mean-and-own-pair is so.”"
    answers = [row[2] for row in real_tables.paper(rows, (12, 12))]
    assert answers == ["yes", "no", "not comparable"]
    shown = agreement_tables.agreement(real_tables.paper(rows, (5, 12)))
    assert shown["do they agree"].tolist() == ["in part", "no", "not comparable"]
    assert "in 5 of 12 pairs" in shown["if not, why"].iloc[0] and shown.index.name == "the paper"


def test_the_miniatures_targets_and_variants():
    report = pd.DataFrame({"met": ["yes", "no"]}, index=["accuracy", "p_null"])
    found = miniature.targets(report)
    assert (found["mi_met"], found["mi_missed"]) == (1, "p null")
    assert miniature.targets(report.iloc[:1])["mi_missed"] == "none"
    assert miniature.variants(pd.DataFrame({"P(source)": ["0.2", "0.31"]}))["mi_top"] == "0.31"
    assert miniature.variants(pd.DataFrame({"P(source)": []})) == {"mi_tried": 0, "mi_top": "0.00"}
    mix = miniature_tables.recipe()
    found = miniature.recipe(mix, miniature_tables.languages(mix))
    assert found["mi_languages"] == len(mix["languages"]) and "layers of" in found["mi_size"]
    weights = mix["documents"]
    assert found["mi_format"] == f"{weights['quoted_lines'] / sum(weights.values()):.0%}"
    doubled = mix | {"documents": weights | {"sentences": sum(weights.values())}}
    assert found["mi_running"] == "4%"
    assert miniature.recipe(doubled, miniature_tables.languages(mix))["mi_running"] == "51%"
    said = index.recipe(mix, miniature_tables.variants())["ix_recipe"]
    assert f"{len(miniature_tables.variants())} variants" in said and "4% are running text" in said


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


def test_each_model_of_the_long_run_keeps_its_own_numbers():
    shown = emergence_tables.long_run(long_run_stages.stages())
    assert [text[:4] for text in shown.iloc[:, 0]] == ["0.30", "0.60", "0.50", "0.70"]
    assert shown.index[0][0] == "30 (30k tokens)"
    assert [stage.split(",")[0] for _, stage in shown.index] == [
        "finished", "trunk", "trunk", "finished"
    ]  # fmt: skip


def test_the_long_run_is_told_from_its_table():
    rows = longer.chosen(longer.published_long_run())
    said = emergence.long_run(longer.published_long_run(), longer.shipped_run(rows))
    mean = rows.groupby(["model", "step", "condition"])["p_source"].mean().round(2)
    done, trunk = mean[longer.FINISHED], mean[longer.TRUNK]
    assert (said["em_long_steps"], said["em_long_decay"]) == ("30,000", 750)
    assert float(said["em_long_self_late"]) == done[30000, "self"]
    assert float(said["em_long_trunk_first"]) == trunk[6750, "seen"]
    share = rows[rows["step"].isin([1450, 30000]) & (rows["condition"] == "src_unpatched")]
    share = share.groupby("step")["p_source"].mean()
    assert said["em_long_first_direct"] == f"{share[1450] / share[30000]:.0%}"
    assert "en-fi" in said["em_long_pairs"]
    low, _, high = said["em_long_ratio_finished"].split()
    assert 0.85 < float(low) < float(high) < 1
