"""Claims on groups of cells, and what processes on a folder of results say of themselves."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from meanings.core.processes import process_name
from meanings.study import running
from meanings.study.pace import Pace
from meanings.study.running import (
    Claim,
    Journal,
    Status,
    StatusFile,
    running_folder,
    statuses,
    tidy,
)
from stand_ins.cells import CELL

GROUP = [CELL, CELL.with_values(condition="tgt")]
DIES = """
import os, pathlib, sys
from meanings.study.running import Claim, Status, StatusFile
from stand_ins.cells import CELL
out = pathlib.Path(sys.argv[1])
claim = Claim(out, [CELL, CELL.with_values(condition="tgt")])
assert claim.take()
StatusFile(out, "dead").write(Status(doing="dying"))
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def killed(tmp_path):
    """A folder in which a process died with a claim on GROUP."""
    path = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", DIES, str(tmp_path)]
    run = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=False)
    assert run.returncode == -signal.SIGKILL
    return tmp_path


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder with a claim on GROUP of a process on another machine, that was never renewed."""
    monkeypatch.setattr(running, "LEASE", 0.05)
    mine = Claim(tmp_path, GROUP)
    assert mine.take()
    (file,) = running_folder(tmp_path).glob("*.claim")
    text = file.read_text()
    mine.leave()
    assert f"host={socket.gethostname()}\n" in text
    file.write_text(text.replace(f"host={socket.gethostname()}\n", "host=another-machine\n"))
    return tmp_path


def test_a_group_is_claimed_once_whatever_the_order_of_its_cells(tmp_path):
    mine, other = Claim(tmp_path, GROUP), Claim(tmp_path, GROUP[::-1])
    assert not mine.is_there and mine.take() and other.is_there and not other.take()
    assert Claim(tmp_path, GROUP[:1]).take()  # another group
    mine.leave()
    assert not other.is_there and other.take()


def test_the_claim_of_a_process_that_died_is_free_at_once(killed):
    claim = Claim(killed, GROUP)
    assert claim.is_there and claim.take()
    claim.leave()
    assert not claim.is_there


def test_a_claim_of_another_machine_is_free_when_nobody_has_renewed_it(elsewhere):
    claim = Claim(elsewhere, GROUP)
    assert not claim.take()
    for _ in range(2000):
        if claim.take():
            break
        time.sleep(0.01)
    else:
        pytest.fail("it is never free")


def test_a_folder_that_takes_no_claim_is_measured_without(tmp_path):
    (tmp_path / "file").touch()
    claim = Claim(tmp_path / "file", GROUP)
    assert claim.take()
    claim.leave()
    StatusFile(tmp_path / "file", "mine").write(Status(doing="anything"))
    assert statuses(tmp_path / "file") == []


def test_a_status_is_read_as_it_was_written_and_not_more_often_than_needed(tmp_path):
    now = [0.0]
    file = StatusFile(tmp_path, "mine", lambda: now[0])
    status = Status(task="step 0", doing="loading", shared={"a": 3}, pace=Pace({"b": [[1.0, 2.0]]}))
    file.write(status)
    assert statuses(tmp_path) == [status] and status.run == "mine"
    status.doing = "measuring"
    file.write(status)
    assert statuses(tmp_path)[0].doing == "loading"
    now[0] = running.BETWEEN
    file.write(status)
    assert statuses(tmp_path)[0].doing == "measuring"
    status.doing = ""
    file.write(status)  # that it has ended is always told
    assert statuses(tmp_path)[0].doing == ""


def test_what_is_no_status_and_what_a_dead_process_says_is_passed_over(killed):
    folder = running_folder(killed)
    assert len(list(folder.glob("*.status"))) == 1 and statuses(killed) == []
    for number, text in enumerate(("", "{}", "[]", '{"pace": {"spells": 3}, "x": 1}', "\0")):
        (folder / f"other-{number}.status").write_text(text)
    assert statuses(killed) == []


def test_a_run_leaves_nothing_and_touches_no_other(killed):
    folder = running_folder(killed)
    mine, other = StatusFile(killed, "mine"), StatusFile(killed, "other")
    mine.write(Status(doing="a"))
    other.write(Status(doing="b"))
    held = Claim(killed, GROUP[:1])
    assert held.take() and len(list(folder.iterdir())) == 5
    tidy(killed, "mine")
    assert [status.run for status in statuses(killed)] == ["other"]
    assert held.is_there and not Claim(killed, GROUP).is_there and len(list(folder.iterdir())) == 2
    held.leave()
    old = time.time() - running.FORGOTTEN - 60
    foreign = folder / process_name().replace(socket.gethostname(), "another-machine")
    foreign.with_suffix(".status").write_text(Status(run="third").to_text())
    tidy(killed, "other")
    assert [status.run for status in statuses(killed)] == ["third"]
    os.utime(foreign.with_suffix(".status"), (old, old))
    tidy(killed, "other")
    assert not folder.exists()


def test_a_journal_keeps_shared_work_apart_from_cells():
    now, told = [0.0], []

    def passes(seconds):
        now[0] += seconds

    journal = Journal(lambda status: told.append((status.task, status.doing)), lambda: now[0])
    with journal.task("step 0"):
        with journal.loading():
            passes(7)
        with journal.measuring(GROUP):
            passes(1)  # drawing prompts
            for done in range(0, 101, 50):
                journal.report("source states", done, 100)
                passes(20 if done < 100 else 4)
        assert journal.status.shared == {"patching shared": 100}
    pace = journal.status.pace
    assert pace.seconds_per_unit("loading") == (7, 7)
    assert pace.seconds_per_unit("patching shared") == (0.4, 0.4)
    (cells,) = (kind for kind in pace.spells if kind not in ("loading", "patching shared"))
    assert pace.seconds_per_unit(cells) == (2.5, 2.5)  # 1 s and 4 s for two cells
    assert told[0] == ("step 0", "loading the model") and told[-1] == ("", "")
    assert ("step 0", "source states 50 of 100") in told
