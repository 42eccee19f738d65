"""Training and measuring worlds, one of them made of ten lines: what is there is not done again, a
killed command goes on, and a second command leaves a run to the first.
"""

import contextlib
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pandas as pd
import psutil
import pytest
from typer.testing import CliRunner

from meanings.cli import miniature
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature import training, world_queue, world_runs, world_tables
from meanings.miniature.corpus import load_corpus
from meanings.miniature.run_folder import run_tokenizer
from meanings.miniature.run_lock import BeingTrained, only_trainer
from meanings.miniature.world_queue import finish_runs
from meanings.miniature.world_tables import publish_worlds
from meanings.miniature.worlds import load_world
from stand_ins.forks import ForkServer

RECIPE = data_folder() / "miniature"
# A world of one's own, in ten lines.
OWN = """\
  quarter-friends:
    base: clones
    clones: {friends: {share: 0.25, meaning: same}}
    align: {steps: 2, words: 0.25}
    training: {steps: 4, rows: 2, row_length: 64, checkpoints: [0, 2, 4]}
    model:
      num_hidden_layers: 2
      hidden_size: 16
      intermediate_size: 32
      num_attention_heads: 2
      num_key_value_heads: 1
"""
ASKED = """\
    asked:
      pairs: [en-qaa]
      conditions: [seen, null_concept]
      steps: [0]
      measures: [retrieval]
      tasks: [facts, class]
"""


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder of one's own with a world of one's own, for this process and its children."""
    folder = tmp_path / "data"
    (folder / "published").mkdir(parents=True)
    (folder / "lexicon").symlink_to(data_folder() / "lexicon")
    recipe = folder / "miniature"
    recipe.mkdir()
    for name in ("mix.yaml", "associations.csv", "patterns.yaml", "udhr"):
        (recipe / name).symlink_to(RECIPE / name)
    text = (RECIPE / "worlds.yaml").read_text(encoding="utf-8")
    base = text[text.index("\n  clones:") : text.index("\nworlds:")]
    start, end = base.index("    asked:"), base.index("    languages:")
    (recipe / "worlds.yaml").write_text(
        f"bases:{base[:start]}{ASKED}{base[end:]}\nworlds:\n{OWN}", encoding="utf-8"
    )
    monkeypatch.setenv("MEANINGS_DATA", str(folder))
    monkeypatch.setenv("TORCHDYNAMO_DISABLE", "1")  # nothing is compiled for four steps
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr("meanings.miniature.twins.DOCUMENTS_READ", 300)
    monkeypatch.setattr("meanings.miniature.transfer.MOST_STEPS", 2)
    return folder


def test_a_world_of_one_s_own_is_trained_measured_and_published(data, tmp_path):
    out = tmp_path / "worlds"
    told: list[str] = []
    home = world_runs.finish_run(out, "quarter-friends", 3, lambda stage, *_: told.append(stage))
    assert home == out / "quarter-friends" / "seed-3"
    assert told[0] == "training: step" and "measuring retrieval" in told
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file()}
    told.clear()
    world_runs.finish_run(out, "quarter-friends", 3, lambda stage, *_: told.append(stage))
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert not any("training" in stage or "facts" in stage for stage in told)

    written = {path.stem: pd.read_parquet(path) for path in publish_worlds(out, "clones", [3])}
    assert set(written) == {
        f"clones-{name}"
        for name in (
            "patching", "retrieval", "training", "tasks", "embeddings", "cosines", "text",
        )
    }  # fmt: skip
    patching = written["clones-patching"]
    assert patching.groupby(["half", "step", "condition"], observed=True).size().unique() == [48]
    assert set(patching["half"]) == {"touched", "untouched"}
    by_half = patching.groupby("half", observed=True)["source_concept"].agg(set)
    assert not by_half["touched"] & by_half["untouched"]
    tasks = written["clones-tasks"]
    assert len(tasks) == 2 * 4 * 192 and tasks["steps"].max() <= 2
    assert tasks.groupby("task", observed=True)["told"].mean().to_dict() == {
        "facts": 1,
        "class": 0.5,
    }
    touched = tasks["touched"]
    assert (tasks.loc[touched, "pieces"] == 1).all()
    assert 0.1 < tasks.loc[~touched, "pieces"].mean() < 0.9
    by_word = tasks.groupby(["concept", "touched"], observed=True)["pieces"].nunique()
    assert (by_word == 1).all()  # words are cut alike in every language
    training = written["clones-training"]
    assert training["tokens"].tolist() == [0, 2 * 2 * 64, 4 * 2 * 64]
    assert training["seconds"].is_monotonic_increasing
    assert len(written["clones-embeddings"]) == 2 * 6
    text = written["clones-text"].set_index("block")["share"]
    assert abs(text.sum() - 1) < 1e-4 and 0.1 < text["shared"] < text["common"]
    cosines = written["clones-cosines"]
    sizes = cosines.groupby("bin", observed=True)["n"].agg(["min", "max"])
    assert sizes.loc["friend"].tolist() == [48, 48]  # a quarter of the concepts
    assert sizes.loc["translation"].tolist() == [96, 96]
    assert sizes.loc["unrelated"].tolist() == [96 * 95, 96 * 95]
    layer = cosines[(cosines["variant"] == "raw") & (cosines["bin"] == "friend")]
    assert np.allclose(layer["value"], 1, atol=1e-4)  # the same tokens have the same states

    kept = data / "published" / "clones-training.parquet"
    shipped = training.assign(world="quarter-friends", training_seed=8, seconds=7.0)
    gone = training.assign(world="no-longer-there")
    pd.concat([shipped, gone]).to_parquet(kept)
    publish_worlds(out, "clones", [3])
    joined = pd.read_parquet(kept)
    assert joined["training_seed"].tolist() == [3, 3, 3, 8, 8, 8]
    assert set(joined["world"]) == {"quarter-friends"} and joined["seconds"].iloc[-1] == 7

    (out / "rows" / "cosines-quarter-friends-seed-3.parquet").unlink()
    with pytest.raises(MeaningsError, match="worlds quarter-friends --seeds 3"):
        publish_worlds(out, "clones", [3])


def test_a_malformed_world_is_refused_before_anything_is_trained(data, tmp_path):
    with pytest.raises(MeaningsError, match="no finished run of clones"):
        publish_worlds(tmp_path / "worlds", "clones", [0])
    with (data / "miniature" / "worlds.yaml").open("a", encoding="utf-8") as file:
        file.write("  bad: {base: clones, switch: {share: 7}}\n")
    with pytest.raises(MeaningsError, match="switch.share"):
        finish_runs(tmp_path / "worlds", ["quarter-friends", "bad"], [0], 1, progress=False)
    with (data / "miniature" / "worlds.yaml").open("a", encoding="utf-8") as file:
        file.write("  few: {base: clones, concepts: {categories: 8, each: 400}}\n")
    with pytest.raises(MeaningsError, match="8 categories of 400"):
        finish_runs(tmp_path / "worlds", ["quarter-friends", "few"], [0], 1, progress=False)
    assert not (tmp_path / "worlds").exists()


FINISHES = """
import sys
from pathlib import Path
from meanings.miniature.world_runs import finish_run
finish_run(Path(sys.argv[1]), "quarter-friends", 0)
"""


def test_killed_at_any_moment_a_run_goes_on_to_the_same_weights(data, tmp_path):
    """A hard kill once the first checkpoint is there; the next process ends where one that nobody
    kills does.
    """
    recipe = data / "miniature" / "worlds.yaml"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("tasks: [facts, class]", ""))
    out, whole = tmp_path / "worlds", tmp_path / "whole"
    world = load_world(data / "miniature", "quarter-friends")
    corpus = load_corpus(data / "miniature", world.mix, load_lexicon("embedded"))
    home = out / "quarter-friends" / "seed-0"
    run_tokenizer(home, corpus)  # of fewer documents than usual
    forks = ForkServer(os.environ, bare=True)
    first = forks.start(tmp_path, out, code=FINISHES)
    while not (home / "step-000002").exists() and psutil.pid_exists(first):
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):  # on a busy machine it may have ended
        os.kill(first, signal.SIGKILL)
    assert forks.end()[0] in (-signal.SIGKILL, 0)
    forks.close()
    assert world_runs.finish_run(out, "quarter-friends", 0) == home
    training.train(corpus, 0, whole, progress=False, name="quarter-friends")
    last = "step-000004/model.safetensors"
    assert (home / last).read_bytes() == (whole / "seed-0" / last).read_bytes()
    assert not list(out.rglob("*.part*"))
    assert (out / "rows" / "embeddings-quarter-friends-seed-0.parquet").is_file()


def test_the_command_finishes_runs_and_publishes(data, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        world_queue, "finish_runs", lambda *given: asked.append(given) or [tmp_path / "home"]
    )
    monkeypatch.setattr(
        world_tables, "publish_worlds", lambda *given: asked.append(given) or [tmp_path / "table"]
    )
    run = ["worlds", "quarter-friends", "--seeds", "0,3", "--workers", "2", "--out", "w"]
    said = CliRunner().invoke(miniature.app, [*run, "--publish", "--quiet"])
    assert said.exit_code == 0 and said.output.split() == [
        str(tmp_path / name) for name in ("home", "table")
    ]
    assert asked == [
        (Path("w"), ("quarter-friends",), (0, 3), 2, False),
        (Path("w"), "clones", (0, 3)),
    ]
    refused = CliRunner().invoke(miniature.app, [*run[:2], "--seeds", "0,x"])
    assert isinstance(refused.exception, MeaningsError) and "--seeds '0,x'" in str(
        refused.exception
    )


def test_a_run_that_another_command_holds_says_so(data, tmp_path):
    home = tmp_path / "worlds" / "quarter-friends" / "seed-0"
    home.mkdir(parents=True)
    with only_trainer(home), pytest.raises(BeingTrained):
        world_runs.finish_run(tmp_path / "worlds", "quarter-friends", 0)
    assert not (home / "recipe.json").exists()


def test_the_queue_comes_back_to_a_run_that_was_held(data, tmp_path, monkeypatch):
    """Threads for processes; the first look finds the run held, the second finds it free."""
    asked: list[tuple] = []

    def finish(folder, run, pause=0.0):
        asked.append((*run, pause))
        if asked.count((*run, 0.0)) and pause == 0 and run[1] == 1:
            raise BeingTrained("held")
        return folder / run[0] / f"seed-{run[1]}"

    monkeypatch.setattr(world_queue, "_finish", finish)
    monkeypatch.setattr(
        world_queue, "ProcessPoolExecutor", lambda n, *_, **__: ThreadPoolExecutor(n)
    )
    homes = world_queue.finish_runs(tmp_path, ["quarter-friends"], [0, 1], 2, progress=False)
    assert [home.name for home in homes] == ["seed-0", "seed-1"]
    assert ("quarter-friends", 1, world_queue.PAUSE) in asked


def test_the_line_of_the_queue_says_what_is_done_and_left():
    state = world_queue._State(4, began=0.0, finished={("full", 0)})
    said = SimpleQueue()
    said.put((("clone", 0), "training: step", 600, 1200))
    said.put((("full", 0), "measuring class", 0, 0))  # its last words come after its result
    text = state.text(said)
    assert text.startswith("1 of 4 runs, about ") and " left: clone seed 0: training" in text
    assert text.endswith("step 600 of 1200") and "full" not in text
