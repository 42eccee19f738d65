"""Trajectories: in order, complete, and refused in one line where they are not."""

import json

import pytest

from meanings.core.errors import MeaningsError
from meanings.models.checkpoint import Checkpoint
from meanings.models.checkpoints import trajectory
from meanings.models.trajectories import Trajectory
from stand_ins import small_model

STEPS = (0, 10, 100)


@pytest.fixture(scope="module")
def data(tmp_path_factory, tokenizer):
    """A data folder with two seeds of a tiny model; the tokenizer lies with seed 0."""
    folder = tmp_path_factory.mktemp("data")
    for seed in (0, 1):
        run = folder / "miniature" / f"seed-{seed}"
        for step in STEPS:
            small_model.network(tokenizer, seed=step).save_pretrained(run / f"step-{step:06}")
        rows = [{"step": step, "tokens": 64 * step, "folder": f"step-{step:06}"} for step in STEPS]
        content = {
            "model": "miniature",
            "training_seed": seed,
            "checkpoints": rows,
            "seen": ["en", "fr"],
        }
        (run / "trajectory.json").write_text(
            json.dumps(content | {"languages": {"en": {"tier": "high"}}})
        )
    tokenizer.save_pretrained(folder / "miniature" / "seed-0" / "tokenizer")
    return folder


@pytest.fixture
def named(data, monkeypatch):
    monkeypatch.setenv("MEANINGS_DATA", str(data))


def write(folder, **changes):
    """A trajectory file in `folder`, with one real checkpoint folder."""
    (folder / "a").mkdir(exist_ok=True)
    content = {
        "model": "m",
        "training_seed": 0,
        "checkpoints": [{"step": 0, "tokens": 0, "folder": "a"}],
    }
    (folder / "trajectory.json").write_text(json.dumps(content | changes))
    return folder


@pytest.mark.parametrize("seed", [0, 1])
def test_a_trajectory_is_found_by_name_and_its_checkpoints_load(named, seed):
    found = trajectory("miniature", training_seed=seed)
    assert (found.model, found.training_seed, found.steps) == ("miniature", seed, STEPS)
    assert found.seen == ("en", "fr") and found.languages["en"]["tier"] == "high"
    assert found.at(10).tokens == 640 and found.last.step == 100
    loaded = found.at(10).load(device="cpu")
    assert loaded.name == "miniature" and len(loaded.tokenizer) > 100


def test_steps_and_seeds_that_are_not_there_name_those_that_are(named):
    with pytest.raises(MeaningsError, match="its steps are 0, 10, 100"):
        trajectory("miniature").at(11)
    with pytest.raises(MeaningsError, match="there are miniature seed-0, miniature seed-1"):
        trajectory("miniature", training_seed=7)
    with pytest.raises(MeaningsError, match="there are miniature seed-0"):
        trajectory("maxiature")


def test_any_folder_with_a_trajectory_can_be_given(data, tmp_path):
    assert trajectory(data / "miniature" / "seed-1").training_seed == 1
    assert trajectory(str(data / "miniature" / "seed-1")).training_seed == 1
    with pytest.raises(MeaningsError, match="no trajectory.json"):
        trajectory(tmp_path)


def test_the_tokenizer_may_be_named(tmp_path):
    assert trajectory(write(tmp_path, tokenizer="words")).last.tokenizer == tmp_path / "words"
    assert trajectory(write(tmp_path)).last.tokenizer is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"checkpoints": []}, "in order of their steps"),
        (
            {
                "checkpoints": [
                    {"step": 1, "tokens": 0, "folder": "a"},
                    {"step": 0, "tokens": 0, "folder": "a"},
                ]
            },
            "in order of their steps",
        ),
        ({"checkpoints": [{"step": 0, "tokens": 0, "folder": "b"}]}, "'b', which does not exist"),
        (
            {"checkpoints": [{"step": 0, "folder": "a"}]},
            "each with step, tokens and folder; KeyError: 'tokens'",
        ),
        ({"checkpoints": [{"step": "zero", "tokens": 0, "folder": "a"}]}, "ValueError"),
        ({"checkpoints": 3}, "TypeError"),
        ({"training_seed": None}, "TypeError"),
        ({"languages": 5}, "TypeError"),
    ],
)
def test_a_malformed_trajectory_is_refused_in_one_line(tmp_path, changes, message):
    with pytest.raises(MeaningsError) as error:
        trajectory(write(tmp_path, **changes))
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"3"])
def test_a_file_that_is_no_trajectory_is_refused(tmp_path, content):
    (tmp_path / "trajectory.json").write_bytes(content)
    with pytest.raises(MeaningsError, match="trajectory.json"):
        trajectory(tmp_path)


def counted(n):
    return Trajectory("m", 0, tuple(Checkpoint("m", 0, 10 * i, 0) for i in range(n)))


@pytest.mark.parametrize("n", [1, 2, 5, 16, 40])
@pytest.mark.parametrize("count", [2, 3, 8, 16])
def test_spread_keeps_first_and_last(n, count):
    steps = counted(n).thin(count).steps
    assert len(steps) == len(set(steps)) == min(n, count)
    assert steps[0] == 0 and steps[-1] == 10 * (n - 1)


def test_spread_over_one_is_refused():
    with pytest.raises(MeaningsError, match="2 or more"):
        counted(3).thin(1)
