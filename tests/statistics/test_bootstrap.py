import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanings.core.errors import MeaningsError
from meanings.statistics.bootstrap import interval, paired_difference
from meanings.statistics.layer_choice import split_half_best_layer
from meanings.statistics.onset import crossing, onset
from meanings.statistics.resampling import to_array

STEPS = np.array([0, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120])


def table(values: np.ndarray, **columns) -> pd.DataFrame:
    """values[seed, unit] as rows."""
    seeds, units = np.indices(values.shape)
    return pd.DataFrame(
        {
            "training_seed": seeds.ravel(),
            "source_concept": [f"c{u:03}" for u in units.ravel()],
            "p": values.ravel(),
            **columns,
        }
    )


def curves_of(
    random,
    n_units: int,
    n_seeds: int = 1,
    middle: float = 300.0,
    spread: float = 0.4,
    top: float = 0.6,
) -> pd.DataFrame:
    """Logistic curves in log(1 + step): units differ in height and moment, seeds in moment; noise
    at each checkpoint.
    """
    moment = (
        np.log1p(middle)
        + random.normal(0, spread, (1, n_units))
        + random.normal(0, 0.1, (n_seeds, 1)) * (n_seeds > 1)
    )
    height = top * random.beta(4, 4, (1, n_units)) * 2
    frames = []
    for step in STEPS:
        rise = height / (1 + np.exp(-3 * (np.log1p(step) - moment)))
        frames.append(
            table(np.clip(rise + random.normal(0, 0.03, rise.shape), 0, 1)).assign(step=step)
        )
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def random():
    return np.random.Generator(np.random.PCG64(7))


def test_the_mean_counts_every_concept_once(random):
    df = table(np.array([[0.0, 1.0]]))
    df = pd.concat([df, df[df["source_concept"] == "c001"]] * 3)
    assert interval(df, "p")["mean"].tolist() == [0.5]


def test_a_seed_with_fewer_concepts_counts_as_much_as_the_others():
    df = pd.concat(
        [
            table(np.array([[0.0, 0.0, 0.0, 0.0]])),
            table(np.array([[1.0, 1.0]])).assign(training_seed=1),
        ]
    )
    result = interval(df, "p").iloc[0]
    assert (result["mean"], result["n_units"], result["n_seeds"]) == (0.5, 4, 2)


def test_groups_have_their_own_means_and_share_the_draws(random):
    values = random.uniform(size=(1, 30))
    df = pd.concat([table(values, condition="a"), table(values + 1, condition="b")])
    df["condition"] = df["condition"].astype("category")
    result = interval(df, "p", ["condition"])
    assert result["condition"].tolist() == ["a", "b"]
    np.testing.assert_allclose(
        result.loc[1, ["mean", "low", "high"]].astype(float),
        result.loc[0, ["mean", "low", "high"]].astype(float) + 1,
    )


def test_an_interval_is_the_same_for_the_same_seed_and_in_any_row_order(random):
    df = table(random.uniform(size=(3, 20)))
    one, other = interval(df, "p", seed=3), interval(df.sample(frac=1, random_state=1), "p", seed=3)
    pd.testing.assert_frame_equal(one, other)
    assert not one.equals(interval(df, "p", seed=4))


def test_intervals_over_concepts_cover_the_truth(random):
    hits = []
    for _ in range(120):
        result = interval(table(random.beta(0.5, 1.5, (1, 64))), "p", n=400).iloc[0]
        hits.append(result["low"] <= 0.25 <= result["high"])
    assert np.mean(hits) >= 0.9


def test_intervals_over_seeds_and_concepts_are_wider_than_over_concepts_alone(random):
    by_seed = (
        random.normal(0, 0.2, (3, 1))
        + random.normal(0, 0.05, (1, 40))
        + random.normal(0, 0.01, (3, 40))
    )
    both = interval(table(by_seed), "p").iloc[0]
    concepts = interval(table(by_seed).drop(columns="training_seed"), "p").iloc[0]
    assert both["high"] - both["low"] > 2 * (concepts["high"] - concepts["low"])
    np.testing.assert_allclose(both["mean"], concepts["mean"])


def test_constant_values_and_single_concepts_have_no_false_width():
    flat = interval(table(np.full((1, 9), 0.25)), "p").iloc[0]
    assert (flat["low"], flat["high"]) == (0.25, 0.25)
    alone = interval(table(np.array([[0.5]])), "p").iloc[0]
    assert alone["mean"] == 0.5 and np.isnan(alone["low"]) and np.isnan(alone["high"])


def test_an_array_has_the_means_of_the_table_and_gaps_where_nothing_was_measured():
    df = pd.concat(
        [
            table(np.array([[0.1, 0.2]]), pair="fr-es"),
            table(np.array([[0.3, 0.4], [0.5, 0.6]]), pair="de-en"),
        ]
    )
    (pairs,), values = to_array(df, "p", ["pair"], "source_concept")
    assert pairs == ["de-en", "fr-es"]
    expected = [[[0.3, 0.4], [0.5, 0.6]], [[0.1, 0.2], [np.nan, np.nan]]]
    np.testing.assert_allclose(values, expected)
    assert to_array(df, "p", [])[1].shape == (2, 2)


def test_bad_tables_are_named(random):
    df = table(random.uniform(size=(2, 5)))
    with pytest.raises(MeaningsError, match="no column q; it has training_seed"):
        interval(df, "q")
    with pytest.raises(MeaningsError, match="no rows"):
        interval(df[:0], "p")


def test_a_paired_difference_is_sharper_than_two_means(random):
    base = random.uniform(size=(1, 40))
    df = pd.concat(
        [
            table(base + 0.05 + random.normal(0, 0.02, base.shape), condition="seen"),
            table(base, condition="tgt"),
        ]
    )
    result = paired_difference(df, "p", "seen", "tgt").iloc[0]
    assert 0.03 < result["low"] < 0.05 < result["high"] < 0.07 and result["share_above"] == 1
    back = paired_difference(df, "p", "tgt", "seen").iloc[0]
    np.testing.assert_allclose(
        [back["mean"], back["low"], back["high"]],
        [-result["mean"], -result["high"], -result["low"]],
    )


def test_a_paired_difference_uses_only_concepts_that_have_both(random):
    df = pd.concat(
        [table(np.array([[1.0, 5.0]]), condition="a"), table(np.array([[0.0]]), condition="b")]
    )
    assert paired_difference(df, "p", "a", "b")[["mean", "n_units"]].to_numpy().tolist() == [
        [1.0, 1]
    ]
    with pytest.raises(MeaningsError, match="condition 'c' is not in the table; it has a, b"):
        paired_difference(df, "p", "a", "c")
    df["source_concept"] = df["source_concept"] + df["condition"]
    with pytest.raises(MeaningsError, match="a, b have no language pair, concept"):
        paired_difference(df, "p", "a", "b")


def layers(
    random, n_units: int, n_layers: int = 8, best: int = 3, gain: float = 0.0
) -> pd.DataFrame:
    noise = random.normal(0, 1, (n_layers, n_units))
    noise[best] += gain
    return pd.concat(
        [table(noise[j][None]).assign(first_layer=j) for j in range(n_layers)], ignore_index=True
    )


def test_the_best_layer_is_found_and_no_row_chose_its_own(random):
    df = layers(random, 60, gain=2.0)
    rows = split_half_best_layer(df, "p")
    assert (rows["best_layer"] == 3).all() and (rows["first_layer"] == 3).all()
    assert sorted(rows["source_concept"]) == sorted(df["source_concept"].unique())


def test_a_layer_chosen_on_the_other_half_is_not_too_good(random):
    naive, honest = [], []
    for _ in range(60):
        df = layers(random, 20)
        naive.append(df.groupby("first_layer")["p"].mean().max())
        honest.append(split_half_best_layer(df, "p")["p"].mean())
    assert np.mean(naive) > 0.2 and abs(np.mean(honest)) < 0.08


def test_the_best_layer_is_chosen_in_each_group(random):
    df = pd.concat(
        [
            layers(random, 40, best=1, gain=3).assign(pair="fr-es"),
            layers(random, 40, best=6, gain=3).assign(pair="de-ru"),
        ]
    )
    df["pair"] = df["pair"].astype("category")
    rows = split_half_best_layer(df, "p", ["pair"])
    assert rows.groupby("pair", observed=True)["first_layer"].unique().map(list).to_dict() == {
        "de-ru": [6],
        "fr-es": [1],
    }
    assert len(rows) == 80
    with pytest.raises(MeaningsError, match="needs two or more"):
        split_half_best_layer(df[df["source_concept"] == "c000"], "p")


def test_each_half_has_the_layer_that_is_best_on_the_other(random):
    df = layers(random, 21)
    rows = split_half_best_layer(df, "p")
    first = set(rows[rows["best_layer"] == rows["best_layer"].iloc[0]]["source_concept"])
    second = set(df["source_concept"]) - first
    for reported, choosing in ((first, second), (second, first)):
        means = df[df["source_concept"].isin(choosing)].groupby("first_layer")["p"].mean()
        chosen = rows[rows["source_concept"].isin(reported)]["first_layer"]
        assert set(chosen) == {means.idxmax()} or not len(chosen)


def test_a_crossing_is_interpolated_in_log_steps_and_is_the_last_one():
    steps = np.array([0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0])
    rises = np.array([[0, 0, 0, 0.25, 0.75, 1, 1.0]]) * 0.8  # ends at 0.8, threshold 0.4
    np.testing.assert_allclose(crossing(rises, steps), [2 ** (3.5) - 1])
    lucky = rises.copy()
    lucky[0, 1] = 0.9  # above, but does not stay there
    np.testing.assert_allclose(crossing(lucky, steps), crossing(rises, steps))


def test_a_flat_a_falling_and_an_always_high_curve_have_their_own_answers():
    steps = STEPS.astype(float)
    flat, high = np.full(len(steps), 0.01), np.full(len(steps), 0.6)
    falling = np.linspace(0.9, 0.0, len(steps))
    np.testing.assert_array_equal(
        crossing(np.stack([flat, high, falling]), steps), [np.inf, 0, np.inf]
    )
    late = np.zeros(len(steps))
    late[-1] = 1.0
    assert steps[-2] < crossing(late[None], steps)[0] < steps[-1]
    with pytest.raises(MeaningsError, match="steps must rise"):
        crossing(flat[None], steps[::-1])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.floats(0.2, 1.0))
def test_a_step_curve_crosses_between_its_two_checkpoints(position, top):
    curve = np.where(np.arange(len(STEPS)) >= position, top, 0.0)
    found = crossing(curve[None], STEPS.astype(float))[0]
    assert STEPS[position - 1] < found <= STEPS[position]


def test_onset_recovers_the_truth_of_simulated_curves_with_coverage(random):
    truth = onset(curves_of(random, 20_000), "p", n=2)["onset"].iloc[0]
    assert abs(np.log1p(truth) - np.log1p(300)) < 0.1
    hits, widths, errors = [], [], []
    for _ in range(60):
        row = onset(curves_of(random, 64), "p", n=200).iloc[0]
        hits.append(row["low"] <= truth <= row["high"])
        widths.append(row["high"] / row["low"])
        errors.append(np.log(row["onset"] / truth))
    assert np.mean(hits) >= 0.88
    assert abs(np.mean(errors)) < 0.03
    assert np.median(widths) < 1.6


def test_onset_orders_conditions_and_names_what_never_rises(random):
    early, late = curves_of(random, 64, middle=60), curves_of(random, 64, middle=900)
    never = early.assign(p=random.uniform(0, 0.02, len(early)))
    df = pd.concat(
        [early.assign(condition="a"), late.assign(condition="b"), never.assign(condition="c")]
    )
    result = onset(df, "p", ["condition"], n=300).set_index("condition")
    assert result.loc["a", "high"] < result.loc["b", "low"]
    assert (
        np.isinf(result.loc["c", ["onset", "low", "high"]].astype(float)).all()
        and result.loc["c", "checkpoint"] == -1
    )
    assert result["share_reached"].tolist() == [1, 1, 0]
    assert result.loc["a", "checkpoint"] == STEPS[STEPS >= result.loc["a", "onset"]][0]


def test_onset_over_several_seeds_is_wider_and_bad_curves_are_refused(random):
    df = curves_of(random, 64, n_seeds=3)
    one, three = (
        onset(df[df["training_seed"] == 0], "p", n=300).iloc[0],
        onset(df, "p", n=300).iloc[0],
    )
    assert np.isfinite([one["onset"], three["onset"]]).all()
    with pytest.raises(MeaningsError, match="an onset needs two or more"):
        onset(df[df["step"] == 0], "p")
    with pytest.raises(MeaningsError, match="no rows"):
        onset(df[:0], "p")
