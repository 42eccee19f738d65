"""What an interval says of a claim: on its side, on the other, or neither."""

import pytest

from meanings.statistics.effects import Effect, decide


def effect(low, high):
    return Effect((low + high) / 2, low, high, 64, 6, 3)


@pytest.mark.parametrize(
    ("side", "low", "high", "said"),
    [
        ("above", 0.06, 0.2, "holds"),
        ("above", 0.05, 0.2, "undecided"),
        ("above", -0.1, 0.05, "refuted"),
        ("below", -0.2, -0.06, "holds"),
        ("below", -0.2, -0.04, "undecided"),
        ("below", 0.06, 0.2, "refuted"),
        ("within", -0.04, 0.04, "holds"),
        ("within", -0.06, 0.04, "undecided"),
        ("within", -0.04, 0.06, "undecided"),
        ("within", 0.06, 0.2, "refuted"),
        ("within", -0.2, -0.06, "refuted"),
    ],
)
def test_a_claim_holds_where_its_whole_interval_lies_on_its_side(side, low, high, said):
    assert decide(effect(low, high), side, 0.05) == said


def test_a_claim_and_its_opposite_never_both_hold():
    for low, high in [(-0.3, -0.1), (-0.1, 0.1), (0.1, 0.3)]:
        both = {decide(effect(low, high), side, 0.05) for side in ("above", "below")}
        assert both != {"holds"}


@pytest.mark.parametrize(("side", "smallest"), [("above", -0.1), ("within", 0.0)])
def test_a_smallest_effect_without_meaning_is_refused(side, smallest):
    with pytest.raises(ValueError, match="smallest effect"):
        decide(effect(0.0, 1.0), side, smallest)


def test_an_estimate_lies_in_its_interval():
    with pytest.raises(ValueError, match="outside"):
        Effect(0.5, 0.6, 0.7, 1, 1, 1)
