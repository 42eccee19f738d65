"""How a language is read: which rows are matched, at which layer, and what averaging adds."""

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.statistics import averaging, reading

SEEN = "en fr es de ru fi"
READ = {"en": 0.9, "es": 0.6, "de": 0.7, "ru": 0.8, "fi": 0.1}
SAID = {"en": 0.9, "es": 0.6, "de": 0.75, "ru": 0.8, "fi": 0.3, "fr": 0.85}
PAIRS = ("fr-es", "en-fr")
STEPS = (10, 20)


def row(condition, pair, p, concept, layer=1, step=20, count=3):
    return {
        "model": "m",
        "training_seed": 0,
        "step": step,
        "tokens": step * 100,
        "prompt_seed": 42,
        "pair": pair,
        "condition": condition,
        "first_layer": layer,
        "source_concept": f"c{concept}",
        "p_source": p,
        "source_pairs": count,
        "seen_languages": SEEN,
    }


@pytest.fixture
def table() -> pd.DataFrame:
    """Cells under each condition at layers 0 to 2, the best being 1; direct scores."""
    random = np.random.default_rng(0)
    rows = []
    for step in STEPS:
        for c in range(16):
            noise = random.normal(0, 0.02)
            for pair in PAIRS:
                x, y = pair.split("-")
                levels = {"seen": 0.6, "one_pair": 0.5, "tgt_mean": 0.8}
                levels |= {f"from_{k}": p for k, p in READ.items() if k not in (x, y)}
                levels |= {f"null_from_{k}": 0.01 for k in READ if k not in (x, y)}
                for name, p in levels.items():
                    for layer, factor in enumerate((0.9, 1.0, 0.5)):
                        rows.append(row(name, pair, (p + noise) * factor, c, layer, step))
                rows.append(row("seen", pair, 0.7 + noise, c, 1, step, count=0))
                rows.append(row("tgt", pair, 0.8 + noise, c, 1, step, count=0))
            for output in ("es", "fr"):
                for code, p in SAID.items():
                    if code != output:
                        direct = p - (0.1 if output == "es" else 0)
                        rows.append(
                            row("src_unpatched", f"{code}-{output}", direct, c, -1, step, 0)
                        )
    return pd.DataFrame(rows)


def test_all_conditions_have_the_layer_of_seen_and_means_of_other_sizes_their_own_name(table):
    table.loc[(table["condition"] == "from_ru") & (table["first_layer"] == 2), "p_source"] = 1.0
    chosen = reading.at_layer_of_seen(table)
    patched = chosen[chosen["first_layer"] >= 0]
    assert set(patched["first_layer"]) == {1}
    assert chosen[chosen["condition"] == "seen"]["source_pairs"].unique() == [3]
    assert chosen[chosen["condition"] == "seen_all"]["source_pairs"].unique() == [0]
    assert "tgt" in set(chosen["condition"])  # one prompt: it has no other number
    assert reading.target_pairs(chosen) == sorted(PAIRS)
    with pytest.raises(MeaningsError, match="no rows of 'seen'"):
        reading.at_layer_of_seen(table[table["condition"] != "seen"])


def test_a_direct_score_is_of_the_same_language_output_and_concept_once_per_target_pair(table):
    rows = reading.reading_rows(reading.at_layer_of_seen(table))
    rows = rows[rows["step"] == 20]
    sizes = rows.groupby(["language", "what"]).size()
    assert sizes["ru", reading.PATCHED] == sizes["ru", reading.DIRECT] == 16 * 2
    assert sizes["en", reading.PATCHED] == sizes["en", reading.DIRECT] == 16  # not into en-fr
    direct = rows[(rows["what"] == reading.DIRECT) & (rows["language"] == "ru")]
    by_pair = direct.groupby("pair")["p_source"].mean()
    assert by_pair["fr-es"] == pytest.approx(0.7) and by_pair["en-fr"] == pytest.approx(0.8)
    null = rows[rows["what"] == reading.NULL]
    assert set(null["language"]) == set(READ) and null["p_source"].max() < 0.1
    assert "fr" not in set(rows["language"])  # in every pair


def test_only_pairs_and_languages_of_every_checkpoint_are_followed(table):
    late = row("from_zh", "fr-es", 0.4, 0)
    more = pd.DataFrame([late, row("from_ru", "de-es", 0.4, 0), row("seen", "de-es", 0.4, 0)])
    rows = reading.reading_rows(reading.at_layer_of_seen(pd.concat([table, more])))
    found = reading.measured_throughout(rows)
    assert set(found["pair"]) == set(PAIRS) and set(found["language"]) == set(READ)
    assert set(found["what"]) == {reading.PATCHED}


def test_the_order_of_languages_agrees_or_not(table):
    rows = reading.reading_rows(reading.at_layer_of_seen(table))
    value, low, high = reading.order_agreement(rows[rows["step"] == 20], list(READ))
    assert 0 < low <= value <= high <= 1
    other = rows.assign(
        p_source=rows["p_source"].where(rows["what"] == reading.PATCHED, -rows["p_source"])
    )
    assert reading.order_agreement(other[other["step"] == 20], list(READ))[0] == -value


def test_the_effect_of_a_taught_neighbour_is_found_beside_those_of_languages_and_outputs():
    taught = [frozenset("ab"), frozenset("ac"), frozenset("bd")]
    rows = pd.DataFrame(
        [
            {
                "language": x,
                "output": y,
                "what": reading.PATCHED,
                "source_concept": f"c{i}",
                "training_seed": 0,
                "p_source": 0.1 * "abcd".index(x)
                + 0.05 * "abcd".index(y)
                + 0.3 * (frozenset((x, y)) in taught)
                + 0.001 * i,
            }
            for x in "abcd"
            for y in "abcd"
            if x != y
            for i in range(8)
        ]
    )
    found = reading.taught_beside(rows, taught)
    assert found["mean"] == pytest.approx(0.3) and found["n_cells"] == 12
    assert found["low"] == pytest.approx(0.3) and found["high"] == pytest.approx(0.3)
    none = reading.taught_beside(rows.assign(p_source=rows["p_source"] * 0 + 0.2), taught)
    assert none["mean"] == pytest.approx(0.0, abs=1e-9)


def test_the_average_language_is_the_mean_over_those_defined_in_the_cell(table):
    rows = averaging.rows_compared(table, SEEN.split())
    rows = rows[rows["step"] == 20]
    single = rows[rows["condition"] == reading.SINGLE]
    by_pair = single.groupby("pair")["p_source"].mean()
    own = {"fr-es": [k for k in READ if k != "es"], "en-fr": [k for k in READ if k != "en"]}
    for pair, codes in own.items():
        patched = rows[rows["condition"].isin([f"from_{k}" for k in codes])]
        expected = patched[patched["pair"] == pair].groupby("condition")["p_source"].mean().mean()
        assert by_pair[pair] == pytest.approx(expected)


def test_a_mean_over_some_of_the_languages_is_no_average_language(table):
    some = table[table["condition"] != "from_fi"]
    rows = averaging.rows_compared(some, SEEN.split())
    assert reading.SINGLE not in set(rows["condition"])
    found = averaging.comparisons(rows[rows["step"] == 20], SEEN.split())
    assert "one language, on average" not in set(found["label"]) and len(found) == 6


def test_comparisons_are_of_seen_with_as_many_prompts_over_the_cells_that_both_have(table):
    rows = averaging.rows_compared(table, SEEN.split())
    found = averaging.comparisons(rows[rows["step"] == 20], SEEN.split()).set_index("label")
    assert found.loc["the target pair's own", "mean"] == pytest.approx(-0.2)
    assert found.loc["one other pair", "mean"] == pytest.approx(0.1)
    assert found.loc["English", "mean"] == pytest.approx(-0.3)
    assert found.loc["English", "n_language_pairs"] == 1
    assert found.loc["Finnish", "mean"] == pytest.approx(0.5)
    assert list(found.index[3:]) == ["Finnish", "Spanish", "German", "Russian", "English"]


def test_over_training_every_checkpoint_has_its_difference(table):
    rows = averaging.rows_compared(table, SEEN.split())
    found = averaging.over_training(rows, [reading.SINGLE, "from_en", "absent"])
    assert set(found["other"]) == {reading.SINGLE, "from_en"}
    assert sorted(set(found["tokens"])) == [1000, 2000]
