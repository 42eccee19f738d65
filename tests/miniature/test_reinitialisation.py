"""Re-initialisation: what is held out, what is reset, what is scored, and a table that goes on."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from meanings.core.errors import MeaningsError
from meanings.miniature import reinitialisation as reinit
from meanings.miniature.reinitialisation_table import publish_reinitialisation
from meanings.miniature.training import begin, train
from meanings.models.checkpoints import trajectory
from meanings.statistics.reinitialisation import gaps, losses

PLAN = reinit.Plan(steps=2, rows=2, row_length=16, held_out=12)


def test_held_out_associations_are_trained_in_neither_direction(corpus):
    held = reinit.hold_out(corpus.associations, 80, np.random.default_rng(0))
    trained = {(c, other) for c, others in held.trained.items() for other in others}
    scored = {(c, other) for c in held.concepts for other in corpus.associations[c]}
    assert len(held.concepts) == 80 and len(held.trained) > 400
    assert not trained & scored
    assert not trained & {(other, c) for c, other in scored}
    everything = {(c, other) for c, others in corpus.associations.items() for other in others}
    assert trained < everything
    reverse = {(other, c) for c, other in scored}
    assert trained == everything - scored - reverse


def test_something_must_be_left_to_train_on():
    with pytest.raises(MeaningsError, match="2 concepts held out of 2: some must be left"):
        reinit.hold_out({"a": ("b",), "b": ("a",)}, 2, np.random.default_rng(0))


def test_strangers_are_associated_in_neither_direction(corpus):
    some = corpus.lexicon.concepts[:40]
    asked = reinit.questions(corpus.associations, some, np.random.default_rng(0))
    for concept, (near, far) in asked.items():
        assert near == corpus.associations[concept] and len(far) == reinit.STRANGERS
        assert concept not in far and not set(near) & set(far)
        assert not any(concept in corpus.associations[other] for other in far)


def test_only_the_named_block_gets_its_first_weights_back(small):
    last = {name: w + 1 for name, w in begin(small.mix, 0).model.state_dict().items()}
    first = begin(small.mix, 0).model.state_dict()
    found = reinit.reset(last, first, 2)
    changed = {name for name in last if not torch.equal(found[name], last[name])}
    assert changed == {name for name in last if name.startswith("model.layers.1.")}
    assert all(torch.equal(found[name], first[name]) for name in changed)
    assert reinit.reset(last, first, reinit.CONTROL).keys() == last.keys()
    assert all(torch.equal(reinit.reset(last, first, 0)[name], last[name]) for name in last)
    with pytest.raises(MeaningsError, match="no block 3"):
        reinit.reset(last, first, 3)


def test_a_words_log_probability_is_the_sum_over_its_tokens(small):
    model = begin(small.mix, 0).model.eval()
    starts, ends = [[0, 5], [0, 5, 6], [0, 9]], [[7], [8, 3, 4], [7]]
    found = reinit.word_log_probabilities(model, starts, ends)
    for start, end, value in zip(starts, ends, found, strict=True):
        total, seen = 0.0, list(start)
        for token in end:
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([seen])).logits[0, -1].double()
            total += float(logits.log_softmax(-1)[token])
            seen.append(token)
        assert value == pytest.approx(total, abs=1e-4)


def test_auc_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    near, far = rng.integers(6, size=9).astype(float), rng.integers(5, size=13).astype(float)
    labels = np.r_[np.ones(9), np.zeros(13)]
    assert reinit.auc(near, far) == pytest.approx(roc_auc_score(labels, np.r_[near, far]))


def test_the_learning_rate_rises_and_falls_to_nothing():
    plan = reinit.Plan(steps=50, warmup=10, fraction=0.5)
    rates = [plan.rate(step) for step in range(50)]
    assert max(rates) == pytest.approx(0.5) and np.argmax(rates) in (9, 10)
    assert 0 < rates[-1] < 0.02 and 0 < rates[0] <= 0.05


@pytest.fixture
def home(small, quick, tmp_path):
    return train(small, 0, tmp_path, progress=False)


def test_a_killed_command_goes_on_and_trains_nothing_twice(home, small, tmp_path):
    path, run, told = tmp_path / "table.parquet", trajectory(home), []

    def publish(blocks, sources=("en",)):
        told.clear()

        def report(*said):
            told.append(said[2])

        return publish_reinitialisation(
            run, small, sources, 1, blocks, report=report, plan=PLAN, path=path
        )

    publish([1])
    first = pd.read_parquet(path)
    assert told[0] == 2 and set(first["block"]) == {0, 1}
    assert first["concept"].nunique() == 12
    assert set(first["language"]) == set(small.mix.seen_languages)
    publish([1, 2])
    both = pd.read_parquet(path)
    assert told[0] == 1 and set(both["block"]) == {0, 1, 2}
    pd.testing.assert_frame_equal(
        both[both["block"] < 2].reset_index(drop=True).astype(object), first.astype(object)
    )
    with pytest.raises(MeaningsError, match="source language 'sw': miniature is trained on"):
        publish([1], ["sw"])


def test_each_training_starts_from_the_finished_model(home, small):
    run = trajectory(home)
    control = reinit.Asked("en", 0, 0)
    one, between, again = reinit.trainings(
        run, small, [control, reinit.Asked("ru", 1, 2), control], PLAN
    )
    pd.testing.assert_frame_equal(one, again)
    assert not np.allclose(one["nats"], between["nats"])


def made(own=0.1, others=0.3):
    """Scores that fall by 0.1 in the language trained in and by 0.3 in the two others."""
    rng = np.random.default_rng(0)
    rows = []
    for concept in range(60):
        level = rng.uniform(0.5, 1)
        for block in (0, 1):
            for language in ("en", "fr", "de"):
                lost = 0 if block == 0 else own if language == "en" else others
                rows.append(
                    {
                        "model": "m", "training_seed": 0, "source": "en", "draw": concept % 2,
                        "block": block, "language": language, "concept": f"c{concept}",
                        "auc": level - lost + 0.01 * rng.normal(),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def test_the_gap_is_what_others_lose_beyond_the_source():
    found = gaps(made()).set_index("part")
    assert found.loc["source", "mean"] == pytest.approx(0.1, abs=0.01)
    assert found.loc["others", "mean"] == pytest.approx(0.3, abs=0.01)
    assert found.loc["gap", "mean"] == pytest.approx(0.2, abs=0.01)
    assert found.loc["gap", "low"] < 0.2 < found.loc["gap", "high"]
    assert found.loc["gap", "low"] > 0.19


def test_a_loss_needs_its_control():
    table = made()
    with pytest.raises(MeaningsError, match="source 'en', draw 1: no training without a reset"):
        losses(table[(table["block"] == 1) | (table["draw"] == 0)])
