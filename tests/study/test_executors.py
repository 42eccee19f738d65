"""Dask workers measure what one process would, whatever happens to them."""

import shutil
import sys
import threading
import time

import psutil
import pytest
import torch

from meanings.cli import main
from meanings.core.errors import MeaningsError
from meanings.measures.cell_files import cell_path, finished, read_cell
from meanings.study import executors
from meanings.study.grid import Grid
from meanings.study.pace import Pace
from meanings.study.plan import plan_study
from meanings.study.progress import StudyProgress
from meanings.study.run import run_study
from meanings.study.running import running_folder
from stand_ins.study_data import STEPS, make_world

GRID = Grid(checkpoints=3, pairs=("fr-es", "de-en"), n_pairs=6, shots=2, generate=3)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        make_world(folder / "data")
        patch.setenv("MEANINGS_DATA", str(folder / "data"))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield folder


@pytest.fixture(scope="module")
def alone(world):
    """What one process with one thread measures."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        run_study(GRID, world / "alone", progress=False)
    finally:
        torch.set_num_threads(threads)
    return world / "alone"


@pytest.fixture(scope="module")
def two_workers(world):
    """Where two worker processes of this machine measure."""
    with executors.local_workers(2) as executor:
        yield executor


def tables(folder) -> dict[str, list]:
    return {
        key: read_cell(cell_path(folder, key))[1].astype(object).fillna("-").to_numpy().tolist()
        for key in finished(folder)
    }


def assert_close(found: dict[str, list], expected: dict[str, list]) -> None:
    """The same cells; numbers within 1e-6, since a group that was broken off is finished in another
    batch.
    """
    assert set(found) == set(expected)
    for key, rows in expected.items():
        for row, other in zip(rows, found[key], strict=True):
            assert other == [
                pytest.approx(value, abs=1e-6) if isinstance(value, float) else value
                for value in row
            ]


def kill_one_worker_when(started) -> threading.Thread:
    """Kill -9 the process of one worker as soon as `started()`."""

    def work() -> None:
        while not started():
            time.sleep(0.02)
        next(
            child
            for child in psutil.Process().children()
            if any("spawn_main" in part for part in child.cmdline())
        ).kill()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_what_a_worker_cannot_read_is_one_line_here(world, two_workers, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(world / "data" / "miniature" / "seed-0", model)
    weights = model / f"step-{STEPS[1]:06}" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    # No other checkpoint, which the other worker would still be measuring below.
    grid = GRID.model_copy(update={"model": str(model), "steps": STEPS[1:2]})
    with pytest.raises(MeaningsError, match="the model cannot be read"):
        run_study(grid, tmp_path / "out", progress=False, executor=two_workers)
    assert not list((tmp_path / "out").rglob("*.aside"))


def test_a_disk_that_refuses_on_a_worker_is_not_called_a_lost_scheduler(two_workers, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(MeaningsError, match="file: a cell cannot be written .Not a directory."):
        run_study(GRID, tmp_path / "file", progress=False, executor=two_workers)
    assert (tmp_path / "file").read_text() == "no folder"


def test_two_workers_measure_what_one_process_does_and_a_killed_one_is_replaced(
    two_workers, alone, tmp_path, monkeypatch
):
    told = []
    monkeypatch.setattr(StudyProgress, "told", lambda self, statuses: told.append(statuses))
    run_study(GRID, tmp_path / "two", progress=False, executor=two_workers)
    assert tables(tmp_path / "two") == tables(alone)
    # What workers do, and how fast, has come here through the folder, which holds cells only.
    done = Pace.of_all(status.pace for status in told[-1])
    assert {"loading", "patching shared"} < set(done.spells)
    assert sum(units for units, _ in done.spells["loading"]) == len(STEPS)
    assert not running_folder(tmp_path / "two").exists()
    killer = kill_one_worker_when(lambda: len(finished(tmp_path / "killed")) >= 3)
    run_study(GRID, tmp_path / "killed", progress=False, executor=two_workers)
    killer.join()
    assert_close(tables(tmp_path / "killed"), tables(alone))


def test_no_scheduler_and_no_workers_are_refused(monkeypatch):
    monkeypatch.setattr(executors, "TIMEOUT", "1s")
    with (
        pytest.raises(MeaningsError, match="no scheduler answers at 'tcp://127.0.0.1:9'"),
        executors.scheduler("tcp://127.0.0.1:9"),
    ):
        pass
    with (
        pytest.raises(MeaningsError, match="0 local workers: expected 1 or more"),
        executors.local_workers(0),
    ):
        pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shard", "0/2"], "--shard '0/2': expected i/n"),
        (["--shard", "3/2"], "'3/2': expected i/n"),
        (["--shard", "half"], "expected i/n"),
        (
            ["--local-workers", "2", "--scheduler", "tcp://x:1"],
            "exclude each other: give one of them",
        ),
        (["--slurm", "none.yaml"], "none.yaml: cannot be read"),
        (["--local-workers", "0"], "0 local workers"),
    ],
)
def test_the_command_line_refuses_in_one_line(
    world, tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    grid = tmp_path.with_name("grid.yaml")
    grid.write_text("pairs: [fr-es, de-en]\nn_pairs: 8\nshots: 2\n")
    monkeypatch.setattr(sys, "argv", ["meanings", "study", str(grid), *arguments])
    with pytest.raises(SystemExit) as end:
        main.main()
    said = capsys.readouterr().err
    assert (
        end.value.code == 2
        and message in said
        and said.count("\n") == 1
        and not list(tmp_path.iterdir())
    )


def test_shards_are_the_grid_and_share_nothing(world, tmp_path):
    whole = plan_study(GRID, tmp_path)
    shards = [plan_study(GRID, tmp_path, shard=(part, 2)) for part in range(2)]
    assert sorted(key for shard in shards for key in shard.keys) == sorted(whole.keys)
    assert [len({cell.subject.step for cell in shard.cells}) for shard in shards] == [2, 1]


@pytest.mark.parametrize(
    ("cuda", "device", "name", "expected"),
    [
        (2, "auto", "3", "cuda:1"),
        (2, "auto", "slurm-7", "auto"),
        (2, "cpu", "0", "cpu"),
        (0, "auto", "1", "auto"),
    ],
)
def test_worker_i_takes_gpu_i(monkeypatch, cuda, device, name, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    assert executors._own(device, name) == expected


@pytest.mark.parametrize(
    ("cores", "cuda", "units", "expected"),
    [(2, False, 8, 2), (16, False, 8, 4), (16, False, 3, 3), (1, False, 8, 1), (16, True, 8, 1)],
)
def test_as_many_workers_as_there_is_use_for(monkeypatch, cores, cuda, units, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(executors, "cores", lambda: cores)
    assert executors.default_workers(units) == expected
