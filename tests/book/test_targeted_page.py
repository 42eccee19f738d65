"""What the chapter Error analysis says and draws of targeted words."""

import re
from pathlib import Path

import pandas as pd
import pytest

from meanings.book.facts import targeted as facts
from meanings.book.figures import targeted as figures
from meanings.book.tables import targeted as tables
from meanings.measures.results import published
from meanings.statistics import targeted
from meanings.validity.claims.error_analysis import CLAIMS

MODEL = "miniature"


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return targeted.at_one_layer(targeted.answered(published("targeted"), MODEL))


@pytest.fixture(scope="module")
def changed(rows) -> pd.DataFrame:
    return targeted.changes(rows)


@pytest.fixture(scope="module")
def compared(rows) -> pd.DataFrame:
    return pd.concat(
        targeted.compared(targeted.changes(rows, name)).assign(condition=name)
        for name in ("seen", "tgt")
    )


def test_every_number_of_the_page_is_handed_over(rows, changed, compared):
    said = facts.rates(MODEL, targeted.rates(changed)) | facts.differences(MODEL, compared)
    said |= facts.matching(MODEL, rows) | facts.copies(MODEL, changed) | facts.null(MODEL, rows)
    said |= facts.seeds({MODEL: changed})
    said |= facts.shared(MODEL, targeted.at_shared_pairs(rows, ["seen", "tgt"]))
    text = Path("book/error_analysis.md").read_text(encoding="utf-8")
    names = set(re.findall(r"\{glue:text\}`(ea_mini_\w+)`", text))
    gains = ("_sense", "_copying", "_translation", "_gains")  # of labels
    assert names - set(said) == {name for name in names if name.endswith(gains)}
    verdicts = set(re.findall(r"\{glue:text\}`(ea_errors_\w+)`", text))
    assert verdicts <= set(facts.claims({"targeted": published("targeted")}))


def test_a_claim_s_sentence_says_its_verdict():
    said = facts.claims({})
    assert set(said.values()) == {"not measured", "it is not measured"}
    table = tables.claims(CLAIMS, {})
    assert (table["verdict"] == "undecided").all() and len(table) == len(CLAIMS)


def test_the_vector_that_does_it_is_named_where_intervals_tell(compared):
    assert "lies above zero" in facts.which(compared)["ea_which"]
    swapped = compared.assign(condition=compared["condition"].map({"seen": "tgt", "tgt": "seen"}))
    assert "do not tell" in facts.which(swapped)["ea_which"]


def test_marks_stand_at_the_rates_and_n_is_said(changed):
    table = targeted.rates(changed)
    picture = figures.before_and_after({MODEL: table}, "right")
    (axis,) = picture.figure.axes
    drawn = {round(float(line.get_xdata()[0]), 9) for line in axis.lines if len(line.get_xdata())}
    wanted = {round(v, 9) for v in (*table["right_before"], *table["right_after"])}
    assert wanted <= drawn
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert len(labels) == 6 and all("n = " in label for label in labels)
    assert "asked directly" in picture.alt


def test_differences_have_a_mark_per_condition(compared):
    picture = figures.differences({MODEL: compared}, ["seen", "tgt"])
    _, labels = picture.figure.axes[0].get_legend_handles_labels()
    assert labels == ["seen", "tgt"]
    rows = compared[compared["what"] == "difference"]
    marks = [
        line.get_xdata()[0] for line in picture.figure.axes[0].lines if len(line.get_xdata()) == 1
    ]
    assert sorted(marks) == pytest.approx(sorted(rows["mean"]))


def test_the_table_of_effects_has_n_and_what_could_be_found(compared):
    table = tables.effects({MODEL: compared})
    assert list(table["queries"]) and (table["detectable (80 % power)"] > 0).all()
    assert len(table) == 6


def answers(condition: str, pair: str, right: float) -> list[tuple]:
    return [
        (condition, pair, "false_friend", role, value)
        for role, value in (("query", right), ("query", 0.0), ("control", 1.0), ("control", right))
    ]


def test_vectors_are_compared_on_the_pairs_that_all_of_them_have():
    rows = pd.DataFrame(
        [
            *answers("src_unpatched", "en-fr", 0.0),
            *answers("seen", "en-fr", 1.0),
            *answers("self", "en-fr", 0.0),
            *answers("src_unpatched", "fr-en", 1.0),
            *answers("seen", "fr-en", 1.0),  # no `self` into English
        ],
        columns=["condition", "pair", "kind", "role", "right"],
    )
    shared = targeted.at_shared_pairs(rows, ["seen", "self"])
    assert set(shared["pairs"]) == {"en-fr"} and set(shared["n"]) == {2}
    titles = {"src_unpatched": "asked directly", "seen": "seen", "self": "self"}
    table = tables.same_pairs({MODEL: shared}, titles)
    assert table.loc[(MODEL, "false friends")].to_dict() == {
        "n": 2,
        "asked directly": "0% (50%)",
        "seen": "50% (100%)",
        "self": "0% (50%)",
    }
    said = facts.shared(MODEL, shared)
    assert said["ea_mini_shared_friends"] == "asked directly 0%, seen 50%, self 0%"
    assert targeted.at_shared_pairs(rows, ["seen", "tgt"]).empty
