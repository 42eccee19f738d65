"""The real client against a hub on the loopback interface: listed, studied, taken offline, dropped,
and every way in which a hub fails.

What the client does by itself (where a download goes on, what it leaves, what it locks) is tested
as well, so that a new version of it that does otherwise is noticed.
"""

import os
import shutil
import signal
import threading
import time

import pytest

from meanings.measures.cell_files import read_metadata
from stand_ins import hub as served
from stand_ins.forks import ForkServer
from stand_ins.study_data import STEPS, make_world

REPO = "owner/tiny"
GRID = """
model: tiny
checkpoints: 3
pairs: [fr-es]
conditions: [seen, tgt_unpatched]
n_pairs: 4
shots: 2
generate: 0
"""
MODELS = f"""
tiny: {{hub: {REPO}, revisions: 'step{{step}}', seen: [en, fr, de, es, pl]}}
nested: {{hub: owner/nested, subfolders: 'run-a/iter_{{step}}', tokens_per_step: 10,
  seen: [en, fr, de, es, pl]}}
unknown: {{hub: owner/unknown, revisions: 'step{{step}}', seen: [en, fr]}}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def content(world):
    """Files of a checkpoint by step, and those of the tokenizer."""
    run = world / "miniature" / "seed-0"
    weights = {step: served.folder_files(run / f"step-{step:06}") for step in STEPS}
    return weights, served.folder_files(run / "tokenizer")


@pytest.fixture(scope="module")
def server():
    with served.serving() as server:
        yield server


@pytest.fixture(scope="module")
def place(server, world, tmp_path_factory):
    """Where the client's cache lies, what it is told, and two warmed processes that were told it:
    one that has imported the client, and one that has not.

    The client reads its settings once, at its import, so they are the same in every test: the place
    is a link to the folder of the test.
    """
    home = tmp_path_factory.mktemp("place") / "home"
    environment = served.environment(server.show(served.Hub()).address, home)
    told = environment | {"MEANINGS_DATA": str(world)}
    forks, bare = ForkServer(told), ForkServer(told, bare=True)
    yield home, environment, forks, bare
    forks.close()
    bare.close()


@pytest.fixture
def hub(content, server):
    weights, tokenizer = content
    hub = served.Hub()
    hub.add(REPO, "main", {"README.md": b"# Tiny"})
    for step in STEPS:
        hub.add(REPO, f"step{step}", weights[step] | tokenizer)
    return server.show(hub)


@pytest.fixture
def client(tmp_path, hub, world, place):
    home, environment, forks, bare = place
    (tmp_path / "models.yaml").write_text(MODELS)
    (tmp_path / "grid.yaml").write_text(GRID)
    (tmp_path / "home").mkdir()
    home.unlink(missing_ok=True)
    home.symlink_to(tmp_path / "home")
    os.symlink(world, tmp_path / "data")
    return served.Client(tmp_path, environment, forks, bare)


def study(client, *options, **variables):
    return client.run(
        "study", "grid.yaml", "--out", "cells", "--quiet", *options,
        MEANINGS_DATA=str(client.folder / "data"), **variables,
    )  # fmt: skip


def error_of(said: tuple[int, str, str]) -> str:
    """The one line of an error; the client's own lines, of what it tries again, come before it."""
    code, _, err = said
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert code == 2 and len(lines) == 1 and err.splitlines()[-1] == lines[0], err
    assert "Traceback" not in err
    return lines[0]


def nothing_half_written(client) -> bool:
    return not client.cache("**/*.incomplete") and not list(client.folder.glob("cells/**/*.*"))


def test_listed_studied_taken_offline_and_dropped(client, hub):
    code, out, err = client.run("checkpoints", "tiny")
    assert code == 0 and "3 checkpoints, 3 kept" in out and "step20" in out, err
    assert not client.cache("*")

    code, out, err = study(client, "--dry-run")
    assert code == 0, err
    assert "to fetch first: 3 checkpoints of owner/tiny, 5 files" in out
    assert "6 cells, 0 finished, 6 to measure; the time is estimated by a trial" in out
    assert not client.cache("*") and not (client.folder / "cells").exists()

    # The client is imported anew: it reads at its import whether it shows progress.
    code, out, err = study(client, HF_HUB_DISABLE_SYMLINKS_WARNING="1")
    assert code == 0 and "6 of them new" in out, err
    assert not err  # --quiet: nothing of the downloads, either
    assert len(client.cache("models--owner--tiny/snapshots/*/model.safetensors")) == 3

    before = len(hub.asked)
    code, out, err = study(client, "--offline")
    assert code == 0 and "6 cells in cells, 0 of them new" in out, err
    code, out, err = study(client, "--offline", "--dry-run", "--lexicon", "embedded")
    assert code == 0 and "fetch" not in out, err
    assert len(hub.asked) == before

    shutil.rmtree(client.folder / "cells")
    code, _, err = study(client, "--drop", "--offline")
    assert code == 0, err
    assert not client.cache("**/*.safetensors") and not client.cache("**/blobs/*")
    assert "it is not in the cache" in error_of(study(client, "--offline"))


GATED = {"X_Error_Code": "GatedRepo", "X_Error_Message": "Access is restricted"}
NO_HUB = "http://127.0.0.1:1"
NO_NAME = "http://hub.invalid"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (served.status(401, **GATED), "its terms are to be accepted first: on its page"),
        (served.status(403, **GATED), "its terms are to be accepted first: on its page"),
        (served.status(401), "no such repository, or it is private: check the name, or log in"),
        (
            served.status(401, X_Error_Message="Invalid credentials in Authorization header"),
            "your token is not accepted; log in with 'hf auth login' again",
        ),
        (served.status(403), "your token may not read it; ask for access on its page"),
        (served.status(404), "does not know it; check the name, and HF_ENDPOINT"),
        (served.status(429), "too many requests came from here; start again later, or log in"),
        (served.status(429, Retry_After="120"), "came from here; start again in 2 min, or log in"),
        (served.status(503), "the hub is out of order (HTTP 503); start again later, or take"),
        (served.status(418), "the hub answered HTTP 418; look at the model's page"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hub_that_refuses_the_listing_is_one_line_with_a_cure(client, hub, fault, message):
    hub.faults["refs"] = fault
    said = error_of(client.run("checkpoints", "tiny"))
    assert message in said and REPO in said and "--offline was" not in said
    assert not client.cache("*")


@pytest.mark.parametrize("address", [NO_HUB, NO_NAME])
def test_a_hub_that_is_not_there_is_one_line_with_a_cure(client, address):
    said = error_of(client.run("checkpoints", "tiny", HF_ENDPOINT=address))
    assert f"the connection to {address} failed (" in said
    assert "look at the network, and start again later, or take --offline" in said


def test_a_hub_that_never_answers_is_not_waited_for(client, hub):
    release = threading.Event()
    hub.faults["refs"] = served.silent(release)
    said = error_of(client.run("checkpoints", "tiny", HF_HUB_ETAG_TIMEOUT="1"))
    release.set()
    assert "the connection to" in said and "look at the network" in said


def test_a_model_that_the_hub_does_not_have_is_one_line_with_a_cure(client):
    said = error_of(client.run("checkpoints", "unknown"))
    assert "owner/unknown cannot be fetched" in said and "check the name" in said


@pytest.mark.parametrize(
    ("part", "fault", "message"),
    [
        ("tree", served.status(401, **GATED), "its terms are to be accepted first"),
        ("head", served.status(403, **GATED), "its terms are to be accepted first"),
        ("tree", served.status(404, X_Error_Code="RevisionNotFound"), "there is no such revision"),
        ("head", served.status(404, X_Error_Code="EntryNotFound"), "a file that it lists is not"),
        ("tree", served.status(429), "too many requests came from here; start again later"),
        ("head", served.status(429, Retry_After="60"), "came from here; start again in 60 s"),
        ("file", served.status(429), "too many requests came from here; start again later"),
        ("tree", served.status(503), "the hub is out of order (HTTP 503)"),
        ("head", served.status(503), "the hub is out of order (HTTP 503)"),
        ("file", served.status(500), "the hub is out of order (HTTP 500)"),
        ("file", served.short(100), "a file came with another size than the hub had said"),
        ("file", served.cut(0), "the connection to"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_download_that_fails_is_one_line_with_a_cure_and_leaves_nothing(
    client, hub, part, fault, message
):
    hub.faults[part] = fault
    said = error_of(study(client))
    assert message in said and REPO in said and "force_download" not in said
    assert nothing_half_written(client)


CHUNK = 10 << 20  # bytes that the client gathers before it writes them


def test_a_connection_that_is_cut_is_taken_up_where_it_was(client, hub):
    whole = bytes(range(256)) * (CHUNK // 200)
    files = {"config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": whole}
    hub.add("owner/unknown", "step7", files)
    hub.faults["file"] = served.once(served.cut(CHUNK + 1000))
    code, _, err = client.ran(served.FETCH, "unknown")
    assert code == 0, err
    ranges = [asked for _, _, asked in hub.requests("^/weights/")]
    assert ranges == ["", f"bytes={CHUNK}-"]
    (file,) = client.cache("models--owner--unknown/snapshots/*/model.safetensors")
    assert file.read_bytes() == whole


def incomplete(client) -> list:
    return client.cache("models--owner--tiny/blobs/*.incomplete")


@pytest.fixture
def under_way(client, hub):
    """A process whose first download has begun, and what lets it go on."""
    release = threading.Event()
    hub.faults["file"] = served.once(served.stalled(release, 1 << 14))
    process = client.start(served.FETCH, "tiny")
    while len(incomplete(client)) != 1 or not hub.requests("^/weights/"):  # small files have come
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    yield process, release
    release.set()
    process.kill()
    process.communicate()


def test_a_killed_download_starts_again_and_leaves_nothing(client, hub, under_way):
    process, release = under_way
    process.send_signal(signal.SIGKILL)
    process.wait()
    release.set()
    assert len(incomplete(client)) == 1, "the client tidies up by itself now"
    code, _, err = client.ran(served.FETCH, "tiny")
    assert code == 0 and not incomplete(client), err
    assert len(client.cache("models--owner--tiny/snapshots/*/model.safetensors")) == 3
    assert {asked for _, _, asked in hub.requests("^/weights/")} == {""}, "the client resumes now"


def test_what_another_process_downloads_is_no_leftover(client, under_way):
    process, release = under_way
    running = incomplete(client)
    dead = running[0].with_name("0" * 64 + ".01234567.incomplete")
    dead.write_bytes(b"half")
    code = "from meanings.models import hub_cache; print(hub_cache.remove_leftovers('owner/tiny'))"
    assert client.ran(code)[:2] == (0, "1\n")
    assert incomplete(client) == running
    release.set()
    _, err = process.communicate()
    assert process.returncode == 0 and not incomplete(client), err


def test_a_branch_that_moves_is_still_the_commit_that_was_listed(client, hub):
    wanted = hub.branches[REPO]["step0"]

    def move(handler) -> bool:
        hub.add(REPO, "step0", {"config.json": b"{}"})
        return False

    hub.faults["tree"] = move
    code, _, err = client.ran(served.FETCH, "tiny")
    assert code == 0 and hub.branches[REPO]["step0"] != wanted, err
    places = {file.parent.name for file in client.cache("models--owner--tiny/**/*.safetensors")}
    assert wanted in places and hub.branches[REPO]["step0"] not in places


@pytest.fixture
def nested(hub, content):
    """A repository whose folders are checkpoints, with one tokenizer above them."""
    weights, tokenizer = content
    files = {f"run-a/{path}": file for path, file in tokenizer.items()}
    for step in STEPS:
        below = f"run-a/iter_{step:07}/hf_model/"
        files |= {below + path: file for path, file in weights[step].items()}
    files["run-b/iter_1/config.json"] = b"{}"
    files["run-b/iter_1/model.safetensors"] = b"of another model"
    return hub.add("owner/nested", "main", files)


def weights_here(client) -> list[str]:
    place = "models--owner--nested/snapshots/*/"
    found = client.cache(place + "**/*.safetensors")
    return ["/".join(file.parts[file.parts.index("snapshots") + 2 : -1]) for file in found]


def test_folders_of_one_repository_are_a_trajectory(client, hub, nested):
    code, out, err = client.run("checkpoints", "nested")
    assert code == 0 and "3 checkpoints, 3 kept" in out, err
    assert "run-a/iter_0000020/hf_model" in out and nested[:12] in out and "run-b" not in out

    client.folder.joinpath("grid.yaml").write_text(GRID.replace("model: tiny", "model: nested"))
    code, out, err = study(client, "--dry-run")
    assert code == 0 and "3 checkpoints of owner/nested" in out and not client.cache("*"), err
    code, out, err = study(client)
    assert code == 0 and "6 of them new" in out, err
    assert weights_here(client) == [f"run-a/iter_{step:07}/hf_model" for step in STEPS]
    assert not hub.requests("resolve.*run-b")
    (written,) = {
        read_metadata(file)["provenance"]["subfolder"]
        for file in client.folder.glob("cells/**/*.parquet")
        if read_metadata(file)["cell"]["step"] == 20
    }
    assert written == "run-a/iter_0000020/hf_model"

    code, out, err = study(client, "--offline")
    assert code == 0 and "6 cells in cells, 0 of them new" in out, err
    code = (
        "from meanings.models.checkpoints import trajectory; run = trajectory('nested')\n"
        "with run.at(10).held(drop=True): pass\n"
        "print([run.at(step).fetched()[0].name for step in (0, 20)], run.at(10).is_here)"
    )
    assert client.ran(code, HF_HUB_OFFLINE="1")[:2] == (0, "['hf_model', 'hf_model'] False\n")
    assert weights_here(client) == [f"run-a/iter_{step:07}/hf_model" for step in (0, 20)]
    assert client.cache("models--owner--nested/snapshots/*/run-a/tokenizer.json")
    assert not client.cache("models--owner--nested/snapshots/*/run-a/iter_0000010")
    assert len([b for b in client.cache("models--owner--nested/blobs/*") if _is_large(b)]) == 2

    shutil.rmtree(client.folder / "cells")
    dropped = GRID.replace("model: tiny", "model: nested").replace("checkpoints: 3", "steps: [10]")
    client.folder.joinpath("grid.yaml").write_text(dropped)
    said = error_of(study(client, "--offline"))
    assert "it is not in the cache, or not all of it" in said and "leave out --offline" in said


def _is_large(file) -> bool:
    return file.read_bytes()[8:9] == b"{"  # as safetensors begin
