"""Files and folders appear whole or not at all."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from meanings.core import atomic_files
from meanings.core.atomic_files import atomic_file, atomic_folder, remove_leftovers
from meanings.core.errors import MeaningsError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_has_its_old_content_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "new" / "table.csv"
    with atomic_file(path) as aside:
        aside.write_text("1\n")
        assert not path.exists() and aside.parent == path.parent  # one disk, so a rename is enough
    assert path.read_text() == "1\n" and names(path.parent) == ["table.csv"]
    with atomic_file(path) as aside:
        aside.write_text("2\n")
        assert path.read_text() == "1\n"
    assert path.read_text() == "2\n" and names(path.parent) == ["table.csv"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("write", [atomic_file, atomic_folder])
def test_an_error_leaves_nothing_behind_and_passes_through(tmp_path, error, write):
    with pytest.raises(error), write(tmp_path / "it") as aside:
        (aside / "part" if aside.is_dir() else aside).write_text("half")
        raise error
    assert names(tmp_path) == []


@pytest.mark.parametrize("write", [atomic_file, atomic_folder])
def test_a_full_disk_is_one_line_that_names_the_place_and_the_cure(tmp_path, write):
    with (
        pytest.raises(
            MeaningsError, match=r"it: cannot be written \(No space left on device\); go"
        ),
        write(tmp_path / "it", cure="go elsewhere"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert names(tmp_path) == []
    (tmp_path / "file").write_text("no folder")
    with (
        pytest.raises(MeaningsError, match="cannot be written .File exists.; make room"),
        write(tmp_path / "file" / "below"),
    ):
        pass
    with (
        pytest.raises(MeaningsError, match="^the cell cannot be written .No space"),
        atomic_file(tmp_path / "it", named="the cell"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_content_is_on_disk_before_its_name_is(tmp_path, monkeypatch):
    seen = []
    fsync, replace = os.fsync, os.replace

    def noted(handle):
        seen.append(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(os, "replace", lambda *places: (seen.append("rename"), replace(*places)))
    with atomic_file(tmp_path / "file") as aside:
        aside.write_text("whole")
    assert seen == [str(aside), "rename", str(tmp_path)]
    seen.clear()
    with atomic_folder(tmp_path / "folder") as aside:
        (aside / "inner").mkdir()
        (aside / "inner" / "a").write_text("a")
        (aside / "b").write_text("b")
    assert seen == [
        *(str(aside / place) for place in ("inner/a", "inner", "b")),
        str(aside),
        "rename",
        str(tmp_path),
    ]


def test_a_folder_system_that_cannot_flush_folders_is_no_error(tmp_path, monkeypatch):
    fsync = os.fsync

    def refusing(handle):
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refusing)
    with atomic_file(tmp_path / "file") as aside:
        aside.write_text("whole")
    assert (tmp_path / "file").read_text() == "whole"


def test_a_folder_appears_whole_and_replaces_no_other(tmp_path):
    folder = tmp_path / "step-1"
    folder.mkdir()  # an empty one may be there
    with atomic_folder(folder) as aside:
        (aside / "weights").write_text("first")
        assert names(folder) == []
    assert names(folder) == ["weights"]
    with (
        pytest.raises(MeaningsError, match="step-1: cannot be written .Directory not empty"),
        atomic_folder(folder) as aside,
    ):
        (aside / "weights").write_text("second")
    with atomic_folder(folder, first_wins=True) as aside:
        (aside / "weights").write_text("second")
    assert (folder / "weights").read_text() == "first" and names(tmp_path) == ["step-1"]


def test_writers_of_one_file_never_share_a_place(tmp_path):
    with atomic_file(tmp_path / "it") as first, atomic_file(tmp_path / "it") as second:
        assert first != second
        for place in (first, second):
            assert f"it.by.{socket.gethostname()}-{os.getpid()}-" in place.name
            place.write_text(place.name)
    assert (tmp_path / "it").read_text() == first.name  # it finished last


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path, kind):
    code = (
        "import sys, pathlib; from meanings.core.atomic_files import *\n"
        f"with atomic_{kind}(pathlib.Path(sys.argv[1])) as aside:\n"
        "    (aside / 'a' if aside.is_dir() else aside).write_text('half')\n"
        "    print(aside, flush=True); sys.stdin.read()"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "ab" / "it")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with writer:
        aside = Path(writer.stdout.readline().strip())
        assert aside.exists() and remove_leftovers(tmp_path, "??/*") == 0  # it is running
        writer.send_signal(signal.SIGKILL)
    foreign = aside.with_name(
        aside.name.replace(f".by.{socket.gethostname()}-", ".by.another-host-")
    )
    foreign.write_text("half")
    (aside.parent / f"mine{atomic_files.SUFFIX}").write_text("a user's own")
    assert aside.exists() and remove_leftovers(tmp_path, "??/*") == 1
    assert names(aside.parent) == sorted([foreign.name, f"mine{atomic_files.SUFFIX}"])
