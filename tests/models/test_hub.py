"""Models of the hub: listed, pinned, fetched, taken from the cache, dropped; with its interface
faked, and real caches on disk.
"""

import errno
import hashlib
import json
from types import SimpleNamespace

import httpx
import huggingface_hub
import pytest
from huggingface_hub import constants, errors

from meanings.core.errors import MeaningsError
from meanings.models import checkpoints, hub
from meanings.models.checkpoints import trajectory
from meanings.models.loading import load_model
from stand_ins import small_model

REPO = "owner/model"
STEPS = (0, 100, 1000)


@pytest.fixture(autouse=True)
def fresh():
    checkpoints._revisions.cache_clear()
    checkpoints._cached.cache_clear()


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


def answer(kind, status=403):
    return kind(
        "no", response=httpx.Response(status, request=httpx.Request("GET", "https://hub.invalid"))
    )


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
    assert hub.cached(REPO) and (cache / "refs" / "step100-tokens100B").read_text() == commit_of(
        100
    )
    assert not (cache / "refs" / "main").exists()


def test_another_commit_than_was_asked_for_is_refused(cache, monkeypatch):
    downloading(monkeypatch, cache / "snapshots" / commit_of(0))
    with pytest.raises(MeaningsError, match="was asked for and 000000000000 came"):
        hub.fetch(REPO, "step100-tokens100B", commit_of(100))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (answer(errors.GatedRepoError), "its terms are to be accepted first"),
        (answer(errors.RepositoryNotFoundError, 404), "no such repository"),
        (errors.OfflineModeIsEnabled("off"), "not in the cache"),
        (httpx.ConnectError("no route"), "ConnectError: no route"),
        (OSError(errno.ENOSPC, "full"), "is full; free some"),
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
    with pytest.raises(MeaningsError, match="not in the cache and the network cannot be asked"):
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
    assert hub.cached(REPO) == {commit_of(step) for step in STEPS}
    with run.at(100).held(drop=True):
        assert commit_of(100) in hub.cached(REPO)
    assert hub.cached(REPO) == {commit_of(0), commit_of(1000)}
    assert run.at(1000).load(device="cpu").n_layers == small_model.N_LAYERS
    with run.at(100).held(drop=True):  # another run's leftover: nothing to drop
        pass
