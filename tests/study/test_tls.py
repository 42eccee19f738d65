"""A study over an encrypted connection, what is refused there, and a scheduler that is lost."""

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import dask
import pytest

from meanings.core.errors import MeaningsError
from meanings.measures.cell_files import finished
from meanings.study import executors
from meanings.study.grid import Grid
from meanings.study.plan import plan_study
from meanings.study.run import run_study
from meanings.study.running import Claim
from stand_ins.certificates import make_certificates
from stand_ins.study_data import make_world

GRID = Grid(checkpoints=2, pairs=("fr-es",), conditions=("seen",), n_pairs=4, shots=2, generate=0)


def configured(folder):
    """Dask's configuration with the folder's certificates for all roles."""
    settings = {"ca-file": "cert.pem"}
    for role in ("client", "scheduler", "worker"):
        settings |= {f"{role}.cert": "cert.pem", f"{role}.key": "key.pem"}
    return dask.config.set(
        {f"distributed.comm.tls.{name}": str(folder / file) for name, file in settings.items()}
    )


@contextmanager
def encrypted_scheduler(folder, certificates, workers: int):
    """A scheduler in a process of its own, with workers, that speaks TLS only: its address and its
    process.
    """
    tls = ["--tls-ca-file", "cert.pem", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]
    file = folder / "scheduler.json"
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_scheduler",
                "--protocol",
                "tls",
                *tls,
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--no-dashboard",
                "--scheduler-file",
                str(file),
            ],
            stderr=subprocess.DEVNULL,
            cwd=certificates,
        )
    ]
    try:
        while not file.is_file() or not file.read_text().strip():
            assert started[0].poll() is None
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        started += [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "distributed.cli.dask_worker",
                    address,
                    *tls,
                    "--nthreads",
                    "1",
                    "--no-dashboard",
                    "--no-nanny",
                    "--local-directory",
                    str(folder),
                    "--death-timeout",
                    "600",
                ],
                stderr=subprocess.DEVNULL,
                cwd=certificates,
            )
            for _ in range(workers)
        ]
        yield address, started[0]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def wait_until(true) -> None:
    while not true():
        time.sleep(0.02)


def is_lost_and_said(address, process, out) -> set[str]:
    """Lose the scheduler in the middle of a run; the cells that were there."""
    # A claim here keeps the run from ending before its scheduler is lost.
    last = plan_study(GRID, out).tasks[-1].cells
    held = Claim(out, last)
    assert held.take()
    lost = threading.Thread(
        target=lambda: (wait_until(lambda: len(finished(out)) >= 1), process.kill())
    )
    lost.start()
    with (
        executors.scheduler(address) as executor,
        pytest.raises(MeaningsError, match="the scheduler is lost .* run the study again"),
    ):
        run_study(GRID, out, progress=False, executor=executor)
    lost.join()
    held.leave()
    return finished(out)


def test_a_study_runs_over_tls_nobody_else_is_let_in_and_a_lost_scheduler_is_said(
    certificates, tmp_path, monkeypatch
):
    """One scheduler and one worker serve all three: to start them takes longest."""
    make_world(tmp_path / "data")
    monkeypatch.setenv("MEANINGS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    strangers = make_certificates(tmp_path / "strangers")
    monkeypatch.setattr(executors, "TIMEOUT", "600s")
    with encrypted_scheduler(tmp_path, certificates, workers=1) as (address, process):
        assert address.startswith("tls://")
        with configured(certificates), executors.scheduler(address) as executor:
            plan = run_study(GRID, tmp_path / "out", progress=False, executor=executor)
        assert len(finished(tmp_path / "out")) == len(plan.cells) > 0
        with monkeypatch.context() as patch:
            patch.setattr(executors, "TIMEOUT", "1s")
            with (
                configured(strangers),
                pytest.raises(MeaningsError, match="no scheduler answers at 'tls:"),
                executors.scheduler(address),
            ):
                pass
            with (
                pytest.raises(MeaningsError, match="no scheduler answers at 'tcp:"),
                executors.scheduler(address.replace("tls:", "tcp:")),
            ):
                pass
        with configured(certificates):
            there = is_lost_and_said(address, process, tmp_path / "lost")
    assert there
    run_study(GRID, tmp_path / "lost", progress=False)
    assert there < finished(tmp_path / "lost") == set(plan.keys)


def test_an_address_with_tls_and_no_certificates_is_one_line_that_says_which():
    with (
        pytest.raises(
            MeaningsError, match="no certificates are configured; set DASK_DISTR.*CA_FILE"
        ),
        executors.scheduler("tls://127.0.0.1:9"),
    ):
        pass
