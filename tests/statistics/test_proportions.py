"""Intervals of proportions at 0, at 1 and between."""

import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.statistics.bootstrap import interval
from meanings.statistics.proportions import wilson


def test_wilson_has_a_width_at_the_ends_and_is_the_published_formula():
    low, high = wilson(20, 20)
    z2 = 1.959963984540054**2
    assert (low, high) == (pytest.approx(20 / (20 + z2)), 1.0)
    assert wilson(0, 20) == (0.0, pytest.approx(1 - low))
    low, high = wilson(5, 20)
    centre = (5 + z2 / 2) / (20 + z2)
    assert (low + high) / 2 == pytest.approx(centre)
    with pytest.raises(MeaningsError, match="3 successes of 2 trials"):
        wilson(3, 2)


def answers(right: dict[str, list[int]], seeds=(0,)) -> pd.DataFrame:
    """Right or wrong by group and concept, the same in every run."""
    return pd.DataFrame(
        [
            {"group": name, "training_seed": seed, "source_concept": f"c{i}", "right": value}
            for name, values in right.items()
            for i, value in enumerate(values)
            for seed in seeds
        ]
    )


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_what_is_always_right_or_never_has_wilsons_interval_over_concepts(seeds):
    table = answers({"all": [1] * 12, "none": [0] * 12, "some": [1] * 6 + [0] * 6}, seeds)
    plain = interval(table, "right", ["group"]).set_index("group")
    found = interval(table, "right", ["group"], proportion=True).set_index("group")
    assert tuple(plain.loc["all", ["low", "high"]]) == (1.0, 1.0)
    assert tuple(found.loc["all", ["low", "high"]]) == pytest.approx(wilson(12, 12))
    assert tuple(found.loc["none", ["low", "high"]]) == pytest.approx(wilson(0, 12))
    assert found.loc["some"].equals(plain.loc["some"])
    assert (found["mean"] == plain["mean"]).all()
