"""What the page *Explore* carries, against the tables that it comes from."""

import json
import re

import numpy as np
import pytest

from meanings.book import explore
from meanings.labels.label import in_words
from meanings.measures.results import published
from meanings.statistics import companions

STEP, PAIR, CONDITION, LAYER = 7500, "en-fr", "seen", 2


@pytest.fixture(scope="module")
def scores():
    return explore.means("miniature")


def test_a_cell_holds_the_mean_of_the_published_table(scores):
    place = {"pair": [PAIR], "condition": [CONDITION], "step": [STEP], "first_layer": [LAYER]}
    rows = published("miniature", where=place)
    step = scores["tokens"].index(int(rows["tokens"].iloc[0]))
    mean, low, high = scores["cells"][f"{PAIR} {CONDITION}"][step][3 * LAYER : 3 * LAYER + 3]
    assert mean == round(1000 * rows["p_source"].mean())
    # A normal interval over the concepts' means is near the bootstrap, whose runs add to it.
    by_concept = rows.groupby("source_concept", observed=True)["p_source"].mean()
    half = 1960 * by_concept.std() / np.sqrt(len(by_concept))
    assert 0.5 * half < (high - low) / 2 < 2.5 * half
    assert low < mean < high
    assert (scores["runs"], scores["concepts"]) == (3, 64)


def test_an_unpatched_prompt_has_one_value_and_a_patched_one_a_value_for_each_layer(scores):
    last = len(scores["tokens"]) - 1
    assert len(scores["cells"][f"{PAIR} src_unpatched"][last]) == 3
    assert len(scores["cells"][f"{PAIR} {CONDITION}"][last]) == 3 * scores["layers"]


def test_answers_are_those_of_the_published_table():
    found = explore.answers("gemma-3-270m")
    rows = published("gemma-3-270m-answers", where={"condition": ["seen"], "first_layer": [5]})
    own = rows[rows["pair"] == rows["pair"].iloc[0]].sort_values("prompt")
    pair = found["pairs"][str(own["pair"].iloc[0])]
    numbers = np.reshape(pair["said"]["seen 0 5"], (-1, 3))
    assert [found["words"][each] for each in numbers[:, 0]] == own["answer"].astype(str).tolist()
    assert numbers[:, 2] == pytest.approx(1000 * own["p_source"].to_numpy(), abs=0.51)
    assert pair["source"] == own["source_concept"].astype(str).tolist()
    right = own["answer_correct_source"].astype(bool).to_numpy()
    named = np.array([found["labels"][each] for each in numbers[:, 1]])
    accepted = [in_words(name) for name in ("correct", "other_form", "synonym")]
    assert right.any() and np.isin(named[right], accepted).all()
    for query, prompt in zip(own["query"].astype(str), pair["prompts"]["target"], strict=True):
        assert f'"{query}"' in prompt.splitlines()[-1]


def test_a_reading_is_the_mean_over_training_runs():
    (found,) = [e for e in explore.readings("miniature", ("en", "fr")) if e["label"] == "CKA"]
    table = published("cka", where={"model": ["miniature"], "variant": ["rbf"], "layer": [3]})
    sides = table[["language_a", "language_b"]].astype(str).apply(set, axis=1)
    last = table[(table["step"] == table["step"].max()) & (sides == {"en", "fr"})]
    last = last[last["split"] != companions.SHARED]
    runs = last.groupby("training_seed")[["value", "null", "n"]].apply(
        lambda own: own[["value", "null"]].mul(own["n"], axis=0).sum() / own["n"].sum()
    )
    place, layer = len(found["tokens"]) - 1, found["layers"].index(3)
    value, low, high, null = found["cells"]["en-fr"][place][4 * layer : 4 * layer + 4]
    assert value == pytest.approx(1000 * runs["value"].mean(), abs=0.51) and low <= value <= high
    assert null == pytest.approx(1000 * runs["null"].mean(), abs=0.51)
    assert list(found["cells"]) == ["en-fr"]  # one pair, one way round


def test_no_word_can_end_the_element_that_carries_the_tables():
    words = ["</script><script>alert(1)</script>", "<!--", "\u2028", 'say "no"']
    page = explore.element({"words": words})
    carried = re.search(r'id="explore-data">(.*?)</script>', page, re.S).group(1)
    assert json.loads(carried) == {"words": words}
    assert "<" not in carried and "\u2028" not in carried


def test_what_was_not_measured_is_no_number():
    assert explore.whole([[0.1234, np.nan], [-0.0051, 1.0]]) == [123, None, -5, 1000]
