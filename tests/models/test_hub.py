"""Models of the hub: listed, pinned, taken from the cache, dropped; with its interface faked, and
real caches on disk. What only a served hub can show is in `test_hub_served.py`.
"""

import errno
import hashlib
import json
import os
from contextlib import nullcontext
from types import SimpleNamespace

import filelock
import huggingface_hub
import pytest
from huggingface_hub import constants, errors

from meanings.core.errors import MeaningsError
from meanings.models import checkpoint, hub, hub_cache, registered_checkpoints
from meanings.models.checkpoint import weights_identity
from meanings.models.checkpoints import trajectory
from meanings.models.loading import load_model
from stand_ins import small_model

REPO = "owner/model"
STEPS = (0, 100, 1000)


@pytest.fixture(autouse=True)
def fresh():
    registered_checkpoints._revisions.cache_clear()
    checkpoint._cached.cache_clear()
    registered_checkpoints._files.cache_clear()


@pytest.fixture
def cache(tmp_path, monkeypatch, tokenizer):
    """A hub cache with three revisions of one model; the tokenizer's file is the same blob for all
    of them.
    """
    folder = tmp_path / "hub" / "models--owner--model"
    for step in STEPS:
        saved = tmp_path / f"saved-{step}"
        small_model.network(tokenizer, seed=step).save_pretrained(saved)
        tokenizer.save_pretrained(saved)
        snapshot = folder / "snapshots" / commit_of(step)
        snapshot.mkdir(parents=True)
        (folder / "blobs").mkdir(exist_ok=True)
        for file in saved.iterdir():
            blob = folder / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
            blob.write_bytes(file.read_bytes())
            (snapshot / file.name).symlink_to(blob)
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / f"step{step}-tokens{step}B").write_text(commit_of(step))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "models.yaml").write_text(
        f"tiny: {{hub: {REPO}, revisions: 'step{{step}}-tokens{{billions}}B', seen: [en, fr], "
        f"subsample: 2 spread}}\n"
        f"final: {{hub: {REPO}, seen: [en, fr], tokens: 7}}\n"
    )
    monkeypatch.setenv("MEANINGS_MODELS", str(tmp_path / "models.yaml"))
    return folder


def commit_of(step: int) -> str:
    return f"{step:040d}"


def listing(monkeypatch, branches=(), tags=(), error=None):
    """The hub's answer to the question for branches and tags."""

    def list_repo_refs(name):
        assert name == REPO
        if error is not None:
            raise error
        refs = [
            [SimpleNamespace(name=n, target_commit=c) for n, c in found]
            for found in (branches, tags)
        ]
        return SimpleNamespace(branches=refs[0], tags=refs[1])

    monkeypatch.setattr(hub, "offline", lambda: False)
    monkeypatch.setattr(hub, "_api", lambda: SimpleNamespace(list_repo_refs=list_repo_refs))


def test_offline_the_cache_is_the_trajectory(cache):
    run = trajectory("tiny")
    assert run.steps == STEPS and run.thin("default").steps == (0, 1000)
    assert [c.tokens for c in run.checkpoints] == [0, 100 * 10**9, 1000 * 10**9]
    assert all(c.is_here for c in run.checkpoints)
    loaded = run.at(100).load(device="cpu")
    assert (
        loaded.weights_sha256
        == load_model(cache / "snapshots" / commit_of(100), device="cpu").weights_sha256
    )
    assert run.at(100).origin == {
        "source": REPO,
        "revision": "step100-tokens100B",
        "commit": commit_of(100),
    }


def test_branches_and_tags_are_listed_and_what_is_not_like_the_pattern_left_out(cache, monkeypatch):
    listing(
        monkeypatch,
        branches=[
            ("main", "f" * 40),
            ("step1000-tokens4B", "e" * 40),
            ("stage2-step5-tokens1B", "d" * 40),
            ("step5-tokens1B-x", "c" * 40),
        ],
        tags=[("step200-tokens1B", commit_of(100))],
    )
    run = trajectory("tiny")
    assert run.steps == (200, 1000) and [c.commit for c in run.checkpoints] == [
        commit_of(100),
        "e" * 40,
    ]
    assert [c.is_here for c in run.checkpoints] == [True, False]
    assert trajectory("final").last.revision == "main" and trajectory("final").last.tokens == 7


def test_a_repository_without_such_revisions_says_what_it_has(cache, monkeypatch):
    listing(monkeypatch, branches=[("other", "f" * 40)])
    with pytest.raises(
        MeaningsError, match="no revision of owner/model is named like .* it has other"
    ):
        trajectory("tiny")
    with pytest.raises(MeaningsError, match="has no revision main; it has other"):
        trajectory("final")


def test_a_revision_that_moves_is_still_the_commit_that_was_listed(cache):
    checkpoint = trajectory("tiny").at(100)
    wanted = checkpoint.load(device="cpu").weights_sha256
    (cache / "refs" / "step100-tokens100B").write_text(commit_of(1000))
    assert checkpoint.load(device="cpu").weights_sha256 == wanted


def downloading(monkeypatch, folder):
    """A download of which the wanted revision is noted and `folder` comes."""
    asked = []

    def snapshot_download(name, revision, **settings):
        asked.append(revision)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(hub, "offline", lambda: False)
    return asked


def test_a_commit_is_asked_for_and_noted_under_the_revisions_name(cache, monkeypatch):
    asked = downloading(monkeypatch, cache / "snapshots" / commit_of(100))
    (cache / "refs" / "step100-tokens100B").unlink()
    hub.fetch(REPO, "step100-tokens100B", commit_of(100))
    hub.fetch(REPO, "main", None)
    assert asked == [commit_of(100), "main"]
    assert hub_cache.cached(REPO) and (
        cache / "refs" / "step100-tokens100B"
    ).read_text() == commit_of(100)
    assert not (cache / "refs" / "main").exists()


def test_another_commit_than_was_asked_for_is_refused(cache, monkeypatch):
    downloading(monkeypatch, cache / "snapshots" / commit_of(0))
    with pytest.raises(MeaningsError, match="was requested and 000000000000 was delivered"):
        hub.fetch(REPO, "step100-tokens100B", commit_of(100))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.OfflineModeIsEnabled("off"), "not in the cache"),
        (OSError(errno.ENOSPC, "full"), "is full; free some"),
        (KeyError("branches"), "KeyError: 'branches'; if it stays so, look at the model's page"),
    ],
)
def test_what_the_hub_refuses_is_one_line(cache, monkeypatch, error, message):
    listing(monkeypatch, error=error)
    with pytest.raises(MeaningsError) as refused:
        trajectory("tiny")
    assert (
        message in str(refused.value)
        and REPO in str(refused.value)
        and "\n" not in str(refused.value)
    )


def test_what_is_not_cached_is_refused_offline(cache):
    with pytest.raises(MeaningsError, match="not in the cache, or not all of it, and the network"):
        hub.fetch("owner/other", "main", None)
    (cache / "refs" / "step100-tokens100B").unlink()
    assert trajectory("tiny").steps == (0, 1000)


def test_truncated_weights_and_a_foreign_tokenizer_are_one_line(cache):
    weights = cache / "snapshots" / commit_of(100) / "model.safetensors"
    blob = weights.resolve()
    blob.write_bytes(blob.read_bytes()[:-100])
    with pytest.raises(MeaningsError, match="the model cannot be read"):
        trajectory("tiny").at(100).load(device="cpu")
    words = cache / "snapshots" / commit_of(0) / "tokenizer.json"
    content = json.loads(words.read_text())
    size = len(content["model"]["vocab"])
    content["model"]["vocab"] |= {f"more{i}": size + i for i in range(50)}
    words.unlink()
    words.write_text(json.dumps(content))
    with pytest.raises(MeaningsError, match="do not belong together"):
        trajectory("tiny").at(0).load(device="cpu")


def test_a_dropped_revision_leaves_the_others_whole(cache):
    run = trajectory("tiny")
    with run.at(100).held(drop=False):
        pass
    assert set(hub_cache.cached(REPO)) == {commit_of(step) for step in STEPS}
    with run.at(100).held(drop=True):
        assert commit_of(100) in hub_cache.cached(REPO)
    assert set(hub_cache.cached(REPO)) == {commit_of(0), commit_of(1000)}
    assert run.at(1000).load(device="cpu").n_layers == small_model.N_LAYERS
    with run.at(100).held(drop=True):  # another run's leftover: nothing to drop
        pass


@pytest.fixture
def nested(cache, monkeypatch, tokenizer):
    """The cache with one commit whose folders are checkpoints; two of them have the same weights,
    and the tokenizer lies above them.
    """
    commit, snapshot = "a" * 40, cache / "snapshots" / ("a" * 40)
    (cache / "refs" / "main").write_text(commit)
    for name, step in (("iter_10", 0), ("iter_20", 100), ("iter_30/model", 100)):
        place = snapshot / "run-a" / name
        place.mkdir(parents=True)
        for file in (cache / "snapshots" / commit_of(step)).iterdir():
            above = file.name.startswith("tokenizer") or file.name == "special_tokens_map.json"
            target = snapshot / "run-a" / file.name if above else place / file.name
            if not target.exists():
                target.symlink_to(file.resolve())
    write_registry(cache, "run-a/iter_{step}", monkeypatch)
    return snapshot


def write_registry(cache, pattern, monkeypatch):
    file = cache.parents[1] / "nested.yaml"
    file.write_text(
        f"nested: {{hub: {REPO}, subfolders: '{pattern}', tokens_per_step: 7, seen: [en, fr]}}"
    )
    monkeypatch.setenv("MEANINGS_MODELS", str(file))


def test_folders_are_checkpoints_pinned_to_the_commit(nested):
    run = trajectory("nested")
    assert run.steps == (10, 20, 30) and [c.tokens for c in run.checkpoints] == [70, 140, 210]
    assert all(c.is_here for c in run.checkpoints)
    assert run.at(30).origin == {
        "source": REPO,
        "revision": "main",
        "commit": "a" * 40,
        "subfolder": "run-a/iter_30/model",
    }
    loaded = run.at(20).load(device="cpu")
    assert loaded.n_layers == small_model.N_LAYERS and loaded.name == "nested"
    assert run.at(20).tokenizer_folder() == nested / "run-a"


def test_the_identity_of_a_checkpoint_on_the_hub(nested, cache, monkeypatch):
    named = f"{REPO}@{'a' * 40}/run-a/iter_20"
    folder = trajectory("nested").at(20)
    assert weights_identity(folder) == hashlib.sha256(named.encode()).hexdigest()
    monkeypatch.setenv("MEANINGS_MODELS", str(cache.parents[1] / "models.yaml"))
    revision = hashlib.sha256(f"{REPO}@{commit_of(100)}".encode()).hexdigest()
    assert weights_identity(trajectory("tiny").at(100)) == revision


def test_a_dropped_folder_leaves_the_others_whole(nested, cache):
    run, blobs = trajectory("nested"), len(list((cache / "blobs").iterdir()))
    with run.at(20).held(drop=True), run.at(30).held(drop=False):
        pass
    assert not (nested / "run-a" / "iter_20").exists()
    assert len(list((cache / "blobs").iterdir())) == blobs  # iter_30 has the same weights
    for commit in (commit_of(step) for step in STEPS):
        hub_cache._drop(REPO, commit)
    assert run.at(30).load(device="cpu") and run.at(10).load(device="cpu")
    with run.at(10).held(drop=True), run.at(30).held(drop=True):
        pass
    assert not list(nested.rglob("*.safetensors")) and not list(nested.glob("run-a/iter_*"))
    assert not [blob for blob in (cache / "blobs").iterdir() if blob.read_bytes()[8:9] == b"{"]
    assert (nested / "run-a" / "tokenizer.json").exists()


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("run-b/iter_{step}", "no folder with a config.json in owner/model is named like 'run-b"),
        ("run-a/iter_1{step}", "{step} has"),
    ],
)
def test_folders_that_are_not_there_or_there_twice_are_refused(
    nested, cache, monkeypatch, pattern, message
):
    write_registry(cache, pattern, monkeypatch)
    if "has" in message:
        twice = nested / "run-a" / "iter_10" / "copy"
        twice.mkdir()
        (twice / "config.json").symlink_to((nested / "run-a" / "iter_10" / "config.json").resolve())
        message = "step 0 has two folders in owner/model, run-a/iter_10 and run-a/iter_10/copy"
    with pytest.raises(MeaningsError, match=message):
        trajectory("nested")


def test_a_checkpoint_of_which_a_part_is_here_is_not_here(cache, monkeypatch):
    whole = {"model-1.safetensors": 5, "model-2.safetensors": 5, "config.json": 1}
    monkeypatch.setattr(hub_cache, "noted_files", lambda name, commit: whole)
    assert hub_cache.has_weights(REPO, "c", "", whole)
    assert not hub_cache.has_weights(REPO, "c", "", {"model-1.safetensors": 5})
    monkeypatch.setattr(hub_cache, "noted_files", lambda name, commit: None)
    assert hub_cache.has_weights(REPO, "c", "", {"model-1.safetensors": 5})
    assert not hub_cache.has_weights(REPO, "c", "run-a", {"model-1.safetensors": 5})


@pytest.mark.parametrize(
    ("paths", "folder", "place"),
    [
        (["a/b/tokenizer.json", "a/tokenizer.json"], "a/b", "a/b"),
        (["a/b/tokenizer/tokenizer.json", "a/tokenizer.json"], "a/b", "a/b/tokenizer"),
        (["a/tokenizer.json", "tokenizer.json"], "a/b", "a"),
        (["tokenizer/tokenizer.json"], "a/b", "tokenizer"),
        (["c/tokenizer.json"], "a/b", "a/b"),
        (["tokenizer.json"], "", "."),
    ],
)
def test_where_a_tokenizer_lies(paths, folder, place):
    assert str(hub.tokenizer_place(paths, folder)) == place


def test_only_the_tokenizer_is_asked_for_where_no_weights_are_needed(nested, monkeypatch):
    asked = []

    def snapshot_download(name, revision, allow_patterns, **settings):
        asked.extend(allow_patterns)
        return str(nested)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert trajectory("nested").at(10).tokenizer_folder() == nested / "run-a"
    assert "run-a/tokenizer.json" in asked and not [p for p in asked if "iter" in p]
    asked.clear()
    assert hub.fetch(REPO, "main", "a" * 40, "run-a/iter_10") == nested / "run-a" / "iter_10"
    assert "run-a/iter_10/model.safetensors" in asked and not [p for p in asked if "iter_2" in p]


def test_an_unfinished_file_goes_where_its_download_is_dead(cache, monkeypatch):
    name, locks = "b" * 40, cache.parent / ".locks" / cache.name
    file = cache / "blobs" / f"{name}.01234567.incomplete"
    file.write_bytes(b"half")
    locks.mkdir(parents=True)
    with filelock.FileLock(locks / f"{name}.lock"):
        assert hub_cache.remove_leftovers(REPO) == 0 and file.exists()
    assert hub_cache.remove_leftovers(REPO) == 1 and not file.exists()


def test_where_locks_mean_nothing_an_unfinished_file_stays_a_while(cache, monkeypatch):
    file = cache / "blobs" / ("b" * 40 + ".01234567.incomplete")
    file.write_bytes(b"half")
    monkeypatch.setattr(filelock, "FileLock", lambda *arguments, **settings: nullcontext())
    assert hub_cache.remove_leftovers(REPO) == 0 and file.exists()
    long_ago = file.stat().st_mtime - hub_cache.QUIET - 60
    os.utime(file, (long_ago, long_ago))
    assert hub_cache.remove_leftovers(REPO) == 1 and not file.exists()
