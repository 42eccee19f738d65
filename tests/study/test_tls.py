"""A study over an encrypted connection, and what is refused there."""

import json
import subprocess
import sys
import time
from contextlib import contextmanager

import dask
import pytest

from meanings.core.errors import MeaningsError
from meanings.measures.cell_files import finished
from meanings.study import executors
from meanings.study.grid import Grid
from meanings.study.run import run_study
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
    """The address of a scheduler in a process of its own, with workers, that speaks TLS only."""
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
        yield address
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def test_a_study_runs_over_tls_and_nobody_else_is_let_in(certificates, tmp_path, monkeypatch):
    make_world(tmp_path / "data")
    monkeypatch.setenv("MEANINGS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    strangers = make_certificates(tmp_path / "strangers")
    monkeypatch.setattr(executors, "TIMEOUT", "600s")
    with encrypted_scheduler(tmp_path, certificates, workers=1) as address:
        assert address.startswith("tls://")
        with configured(certificates), executors.scheduler(address) as executor:
            plan = run_study(GRID, tmp_path / "out", progress=False, executor=executor)
        assert len(finished(tmp_path / "out")) == len(plan.cells) > 0
        monkeypatch.setattr(executors, "TIMEOUT", "1s")
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


def test_an_address_with_tls_and_no_certificates_is_one_line_that_says_which():
    with (
        pytest.raises(
            MeaningsError, match="no certificates are configured; set DASK_DISTR.*CA_FILE"
        ),
        executors.scheduler("tls://127.0.0.1:9"),
    ):
        pass
