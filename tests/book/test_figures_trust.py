"""Figures on the instrument: what they say in words follows their tables."""

import pytest

from meanings.book.figures import trust as trust_figures
from meanings.book.tables import trust as trust_tables
from meanings.core.errors import MeaningsError


def test_the_figures_say_what_their_tables_hold():
    truth, shuffled = trust_tables.known_truth(), trust_tables.false_positives()
    assert (
        "meeting layer by patching all later layers: 5 of 15"
        in trust_figures.layers_true_and_reported(truth).alt
    )
    assert "16 intervals hold the true moment" in trust_figures.onsets_true_and_reported(truth).alt
    assert "over 500 worlds" in trust_figures.coverage(truth).alt
    assert "0 exceed their nominal rate" in trust_figures.false_positives(shuffled).alt
    wrong = truth.assign(
        reported=truth["reported"] + 1, low=truth["low"] + 1e7, high=truth["high"] + 1e7
    )
    assert "0 of 15" in trust_figures.layers_true_and_reported(wrong).alt
    assert "0 intervals hold" in trust_figures.onsets_true_and_reported(wrong).alt


def test_a_table_that_is_not_there_is_named_with_the_command_that_makes_it(monkeypatch, tmp_path):
    monkeypatch.setenv("MEANINGS_DATA", str(tmp_path))
    with pytest.raises(MeaningsError, match=r"meanings validity false-positives"):
        trust_tables.false_positives()
