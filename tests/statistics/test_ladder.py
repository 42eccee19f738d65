"""Onsets by three floors, delays, false claims and doses, on readings whose answer is known."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.statistics import ladder, rungs
from meanings.statistics.instruments import CKA, RETRIEVAL

PAIRS = (("de", "en"), ("en", "fr"), ("de", "fr"))
STEPS = (0, 10, 100, 1000)


def readings(values, seeds=(0, 1), null=0.0, instrument=CKA, pairs=PAIRS):
    """A reading for each training run, pair and step; `values(seed, place of the step)`."""
    found = []
    for seed in seeds:
        for place, step in enumerate(STEPS):
            for a, b in pairs:
                value = float(values(seed, place))
                found.append(
                    {
                        "instrument": instrument.name, "training_seed": seed, "step": step,
                        "tokens": step * 100, "language_a": a, "language_b": b, "value": value,
                        "low": value - 0.01, "high": value + 0.01, "null": null,
                        "null_low": null - 0.005, "null_high": null + 0.005, "n": 40,
                    }
                )  # fmt: skip
    return pd.DataFrame(found)


def steps_up(at):
    """0 before the step at this place, .8 from it on."""
    return lambda seed, place: 0.8 * (place >= at)


def test_an_onset_is_half_of_the_height_above_its_floor():
    # Straight in log(1 + tokens): half of .8 lies in the middle between two checkpoints.
    found = ladder.onsets(readings(steps_up(2)), "null")
    assert found["onset"].to_numpy() == pytest.approx(np.sqrt(1001 * 10_001) - 1, rel=1e-6)
    assert found["final"].to_numpy() == pytest.approx(0.8)
    raised = readings(lambda seed, place: 0.2 + 0.6 * (place >= 2), null=0.2)
    assert ladder.onsets(raised, "null")["onset"].to_numpy() == pytest.approx(found["onset"])


def test_what_the_model_that_shares_nothing_reaches_too_is_no_onset():
    own = readings(steps_up(1))
    assert np.isinf(ladder.onsets(own, "apart", own)["onset"]).all()
    nothing = readings(lambda seed, place: 0.0)
    over_nothing, over_null = (
        ladder.onsets(own, floor, nothing)["onset"] for floor in ("apart", "null")
    )
    assert over_nothing.to_numpy() == pytest.approx(over_null)


def test_the_absolute_level_does_not_depend_on_the_height():
    low = ladder.onsets(readings(lambda seed, place: 0.2 * (place >= 2)), "level")["onset"]
    high = ladder.onsets(readings(lambda seed, place: [0, 0, 0.2, 0.9][place]), "level")["onset"]
    assert low.to_numpy() == pytest.approx(high)


def test_delays_are_of_the_pairs_and_runs_that_both_have():
    early = readings(steps_up(1))
    late = readings(steps_up(2), pairs=PAIRS[:2], instrument=RETRIEVAL)
    found = ladder.delay(early, late)
    wanted = np.sqrt(1001 * 10_001) - np.sqrt(1001)
    assert found[:3] == pytest.approx((wanted,) * 3, rel=1e-6)  # all pairs and runs are alike
    assert (found.n_pairs, found.n_runs) == (2, 2)
    assert ladder.delay(late, early).later == pytest.approx(-wanted)
    assert ladder.delay(early, early)[:3] == (0.0, 0.0, 0.0)


def test_an_instrument_that_never_rises_has_no_delay():
    flat = readings(lambda seed, place: 0.0, instrument=RETRIEVAL)
    with pytest.raises(MeaningsError, match="no onset"):
        ladder.delay(readings(steps_up(1)), flat)
    other = readings(steps_up(1), pairs=(("ru", "zh"),))
    with pytest.raises(MeaningsError, match="share no language pair"):
        ladder.delay(readings(steps_up(1)), other)


def test_the_interval_of_a_delay_holds_what_each_run_says():
    late = readings(lambda seed, place: 0.8 * (place >= 2 + seed), instrument=RETRIEVAL)
    found = ladder.delay(readings(steps_up(1)), late)
    assert found.by_run[0] < found.later < found.by_run[1]
    assert (found.low, found.high) == pytest.approx(found.by_run)


def test_the_height_where_nothing_is_shared_is_a_share_of_the_last_one():
    own, apart = (
        readings(steps_up(1)),
        readings(lambda seed, place: [0.1, 0.2, 0.3, 0.3 + seed / 5][place]),
    )
    assert ladder.share_at_floor(own, apart) == pytest.approx((0.5, 0.375, 0.625))


def test_false_claims_are_counted_by_null_and_smallest_effect():
    rows = pd.DataFrame(
        {
            "training_seed": [0, 0, 1, 1, 1],
            "low": [0.5, 0.01, 0.06, 0.04, np.nan],
            "null": [0.0, 0.0, 0.0, 0.05, 0.0],
            "null_high": [0.4, 0.005, 0.05, np.nan, 0.0],
        }
    )
    found = ladder.false_claims(rows)
    assert found["n"] == 4
    assert found["face"] == 3 / 4  # above .02
    assert found["above"] == 3 / 4  # the last one lies below its null's mean
    assert found["beyond"] == 1 / 4
    assert (found["beyond_lowest"], found["beyond_highest"]) == (0.0, 0.5)


def test_jonckheere_is_exact_by_enumeration():
    groups = [np.array([0.1, 0.4]), np.array([0.3]), np.array([0.6, 0.2])]

    def share(values):
        dose = [0, 0, 1, 2, 2]
        pairs = [(i, j) for i in range(5) for j in range(5) if dose[i] < dose[j]]
        return np.mean([values[j] > values[i] for i, j in pairs])

    values = np.concatenate(groups)
    every = [share(each) for each in permutations(values)]
    found, p = ladder.jonckheere(groups)
    assert found == pytest.approx(share(values))
    assert p == pytest.approx(np.mean(np.array(every) >= found - 1e-12), abs=0.015)
    assert ladder.jonckheere([np.zeros(3), np.zeros(3)])[0] == 0.5
    assert ladder.jonckheere(groups[::-1])[0] == pytest.approx(1 - found)


def test_a_dose_is_told_apart_where_all_runs_from_it_on_lie_above_those_without():
    runs = {0.0: np.array([0.1, 0.2]), 0.1: np.array([0.3, 0.25]), 1.0: np.array([0.9, 0.3])}
    assert ladder.smallest_told_apart(runs) == 0.1
    assert ladder.smallest_told_apart(runs | {0.1: np.array([0.3, 0.15])}) == 1.0
    assert np.isinf(ladder.smallest_told_apart(runs | {1.0: np.array([0.9, 0.1])}))


def test_rungs_stand_from_the_latest_to_the_earliest():
    table = pd.concat([readings(steps_up(1)), readings(steps_up(2), instrument=RETRIEVAL)])
    apart = readings(lambda seed, place: 0.4)
    parallel = pd.concat(
        [readings(lambda seed, place: 0.6), readings(lambda *_: 0.0, instrument=RETRIEVAL)]
    )
    found = rungs.rungs(table, apart, parallel, [CKA, RETRIEVAL])
    assert list(found["name"]) == [RETRIEVAL.name, CKA.name]
    # Of the height where all is parallel: the model's own is another training's.
    own = found.set_index("name").loc[CKA.name]
    assert own["share"] == pytest.approx(
        ladder.share_at_floor(parallel[parallel["instrument"] == CKA.name], apart)[0]
    )
    assert own["share"] != pytest.approx(ladder.share_at_floor(readings(steps_up(1)), apart)[0])
    lacking = found.set_index("name").loc[RETRIEVAL.name]
    assert np.isnan(lacking["share"]) and np.isnan(lacking["apart_onset"])


def test_responses_say_how_a_dose_is_followed():
    parts = [
        readings(lambda seed, place, dose=dose: dose + seed / 100).assign(dose=dose)
        for dose in (0.0, 0.2, 1.0)
    ]
    rows = pd.concat(parts)
    found = rungs.responses(rows[rows["step"] == 1000], rows.head(0), [CKA]).iloc[0]
    assert (found["trend"], found["told_apart"], found["n_runs"]) == (1.0, 0.2, 6)
    assert [found[f"at {dose}"] for dose in ("0", "0.2", "1")] == pytest.approx(
        [0.005, 0.205, 1.005]
    )
