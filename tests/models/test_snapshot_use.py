"""A snapshot in use is not dropped; soft locks and markers, as network file systems allow them."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time

import filelock
import pytest

from meanings.core.errors import MeaningsError
from meanings.models import snapshot_use
from meanings.models.snapshot_use import in_use, users

HOLD = """
import pathlib, sys
from meanings.models.snapshot_use import in_use
with in_use(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".meanings" / "commit.users"


@pytest.fixture
def other(folder):
    """Another process that uses the snapshot."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def dropped(folder) -> bool:
    calls = []
    with in_use(folder, drop=lambda: calls.append(1)):
        assert not calls
    return bool(calls)


def test_the_last_user_drops_it_and_leaves_nothing(folder):
    with in_use(folder):
        assert len(users(folder)) == 1 and not dropped(folder)
    assert dropped(folder) and not list(folder.parent.iterdir())


def test_it_is_dropped_also_where_its_use_failed(folder):
    calls = []
    with pytest.raises(RuntimeError), in_use(folder, drop=lambda: calls.append(1)):
        raise RuntimeError
    assert calls and not list(folder.parent.iterdir())


def test_another_process_keeps_it_until_it_ends(folder, other):
    assert not dropped(folder)
    other.stdin.close()
    other.wait()
    assert dropped(folder)


def test_a_killed_process_keeps_nothing(folder, other):
    assert not dropped(folder)
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert list(folder.iterdir())  # it could not tidy up
    assert dropped(folder) and not list(folder.parent.iterdir())


def test_a_process_killed_in_the_moment_of_the_lock_blocks_nobody(folder):
    folder.mkdir(parents=True)
    lock = folder.with_name("commit.users.lock")
    code = (
        "import filelock, os, sys; lock = filelock.SoftFileLock(sys.argv[1]); lock.acquire()\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(lock)], check=False)
    assert lock.exists() and dropped(folder)


def test_a_user_on_another_host_counts_until_it_is_stale(folder):
    with in_use(folder):
        mine = next(folder.iterdir())
        foreign = mine.with_name(mine.name.replace(socket.gethostname(), "another-host"))
        foreign.touch()
    assert not dropped(folder) and foreign.exists()
    long_ago = time.time() - snapshot_use.STALE - 60
    os.utime(foreign, (long_ago, long_ago))
    assert dropped(folder) and not foreign.exists()


def test_a_lock_that_stays_is_one_line_that_names_its_file(folder, monkeypatch):
    monkeypatch.setattr(snapshot_use, "PATIENCE", 0.1)
    folder.parent.mkdir(parents=True)
    with (
        filelock.SoftFileLock(folder.with_name("commit.users.lock")),
        pytest.raises(MeaningsError, match=r"commit.users.lock has been held for .*; delete it"),
        in_use(folder),
    ):
        pass


def test_a_cache_in_which_one_may_not_write_is_used_and_not_dropped(folder, monkeypatch):
    def refuse(*args, **settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(snapshot_use.Path, "touch", refuse)
    assert not dropped(folder)


def test_no_lock_of_the_operating_system_and_no_database_is_asked_for(folder, monkeypatch):
    def refuse(*args, **settings):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    monkeypatch.setattr("fcntl.flock", refuse)
    monkeypatch.setattr("fcntl.lockf", refuse)
    assert dropped(folder)
