"""The long run: a trunk at the full rate, and branches that decay alike."""

import json
import shutil
from functools import partial

import pytest
import torch
import yaml
from safetensors.torch import load_file

from meanings.core.errors import MeaningsError
from meanings.measures.results import published
from meanings.miniature import long_run, long_run_table, run_folder, training
from meanings.miniature.long_run import LongRun, legs, load_long_run, train_long_run
from meanings.miniature.long_run_table import publish_long_run
from meanings.models.checkpoints import trajectory
from stand_ins.recipes import RECIPE

PLAN = LongRun(trunk=(3, 6, 10), decay_from=(3, 10), decay_steps=4, warmup_steps=2)


@pytest.fixture(scope="module")
def shipped(small, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.shutil, "which", lambda name: None)
        patch.setattr("meanings.miniature.tokenizer.DOCUMENTS_READ", 200)
        return training.train(small, 0, tmp_path_factory.mktemp("shipped"), progress=False)


def weights(home, step):
    return load_file(home / run_folder.step_folder(step) / "model.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_branch_follows_the_leg_that_it_starts_from(small):
    found = [(leg.branch, leg.start, leg.end) for leg in legs(PLAN, small.mix.training)]
    assert found == [
        ("finished", 3, 7), ("trunk", 3, 6), ("trunk", 6, 10), ("finished", 10, 14)
    ]  # fmt: skip


def test_the_trunk_keeps_the_full_rate_and_every_branch_decays_alike(small):
    schedule = small.mix.training
    for leg in legs(PLAN, schedule):
        rates = [leg.fraction(done) for done in range(leg.end - leg.start)]
        assert rates[0] == 0.5, "fresh optimisers are warmed up"
        if leg.branch == "trunk":
            assert rates[1:] == [1.0] * (len(rates) - 1)
        else:
            assert rates[1:] == [0.75, 0.5, 0.25]
            assert leg.fraction(PLAN.decay_steps) == schedule.final_fraction


def test_a_killed_long_run_goes_on_to_the_same_weights(
    small, quick, shipped, tmp_path, monkeypatch
):
    whole = train_long_run(PLAN, small, shipped, tmp_path / "whole", progress=False)
    step, calls = training.train_step, []

    def dies(*run):
        calls.append(1)
        if len(calls) % 4 == 0:
            raise KeyboardInterrupt
        return step(*run)

    monkeypatch.setattr(training, "train_step", dies)
    for _ in range(20):
        try:
            train_long_run(PLAN, small, shipped, tmp_path / "killed", progress=False)
            break
        except KeyboardInterrupt:
            continue
    for branch, steps in (("trunk", (6, 10)), ("finished", (7, 14))):
        for each in steps:
            assert same(weights(whole / branch, each), weights(tmp_path / "killed" / branch, each))
    assert not list((tmp_path / "killed").glob("*.pt"))


def test_branch_and_trunk_read_the_same_text_from_the_same_weights(
    small, quick, shipped, tmp_path, monkeypatch
):
    """Two models of one start differ in the rate alone."""
    read = {}
    step = training.train_step

    def listens(run, batch, schedule, fraction):
        read.setdefault(run.step, []).append(batch.inputs.tobytes())
        return step(run, batch, schedule, fraction)

    monkeypatch.setattr(training, "train_step", listens)
    train_long_run(PLAN, small, shipped, tmp_path, progress=False)
    assert len(read[3]) == 2 and read[3][0] == read[3][1]
    starts = []
    for home in (shipped, tmp_path / "trunk"):
        run = training.begin(small.mix, 0)
        long_run._start_from(run, 6, (home,))
        starts.append(run.model.state_dict()["lm_head.weight"])
        assert torch.equal(starts[-1], weights(home, 6)["model.embed_tokens.weight"].float())
    assert not torch.equal(*starts)


def test_both_branches_are_trajectories_that_a_study_can_measure(small, quick, shipped, tmp_path):
    train_long_run(PLAN, small, shipped, tmp_path, progress=False)
    trunk, finished = (trajectory(tmp_path / name) for name in ("trunk", "finished"))
    assert (trunk.steps, finished.steps) == ((6, 10), (7, 14))
    per_step = small.mix.training.rows * small.mix.training.row_length
    assert [c.tokens for c in finished.checkpoints] == [7 * per_step, 14 * per_step]


def test_another_plan_and_a_start_that_has_decayed_are_refused(small, quick, shipped, tmp_path):
    train_long_run(PLAN, small, shipped, tmp_path, progress=False)
    other = PLAN.model_copy(update={"decay_steps": 3})
    with pytest.raises(MeaningsError, match="another recipe or plan"):
        train_long_run(other, small, shipped, tmp_path, progress=False)
    late = LongRun(trunk=(6, 10), decay_from=(6,), decay_steps=4, warmup_steps=2)
    with pytest.raises(MeaningsError, match="step 6 is no checkpoint .* before its decay"):
        train_long_run(late, small, shipped, tmp_path / "late", progress=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trunk": [10, 6]}, "trunk must rise"),
        ({"decay_from": [7]}, "step of the trunk"),
        ({"decay_steps": 0}, "decay_steps"),
        ({"colour": 1}, "unknown field 'colour'"),
    ],
)
def test_a_wrong_plan_is_refused_in_one_line(change, message, tmp_path):
    plan = PLAN.model_dump(mode="json") | change
    (tmp_path / "long_run.yaml").write_text(yaml.safe_dump(plan))
    with pytest.raises(MeaningsError, match=message) as error:
        load_long_run(tmp_path)
    assert "long_run.yaml" in str(error.value) and "\n" not in str(error.value)


def test_the_shipped_plan_starts_from_checkpoints_of_the_shipped_run(corpus, tmp_path):
    plan = load_long_run(RECIPE)
    long_run._check_starts(plan, corpus.mix.training, RECIPE / "seed-0")
    assert plan.trunk[-1] + plan.decay_steps >= 4 * corpus.mix.training.steps
    broken = tmp_path / "seed-0"
    shutil.copytree(RECIPE / "seed-0", broken, ignore=shutil.ignore_patterns("step-004300"))
    assert json.loads((broken / "trajectory.json").read_text())["training_seed"] == 0
    with pytest.raises(MeaningsError, match="step 4300"):
        long_run._check_starts(plan, corpus.mix.training, broken)


def test_both_branches_are_measured_alike_and_published_in_one_table(
    small, quick, shipped, tmp_path, monkeypatch
):
    fewer = partial(long_run_table.Grid, pairs=("en-fr",), n_pairs=2, shots=1)
    monkeypatch.setattr(long_run_table, "Grid", lambda **asked: fewer(**asked))
    monkeypatch.setenv("MEANINGS_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    for name in ("lexicon", "miniature"):
        (tmp_path / "data" / name).symlink_to(RECIPE.parent / name)
    home = train_long_run(PLAN, small, shipped, tmp_path / "run", progress=False)
    path = publish_long_run(home, progress=False)
    assert path == tmp_path / "data" / "published" / "long_run.parquet"
    table = published("long_run")
    assert set(table["condition"]) == set(long_run_table.CONDITIONS)
    steps = table.groupby("model", observed=True)["step"].unique()
    assert {name: sorted(found) for name, found in steps.items()} == {
        "long-run-finished": [7, 14],
        "long-run-trunk": [6, 10],
    }
