"""Workers that Slurm starts, described by a YAML file:

    jobs: 8               # workers at most, one job each; a lost one is submitted again
    walltime: "08:00:00"
    queue: gpu            # Slurm's partition; optional, as is account
    account: my-project
    cpus: 8               # cores a job
    memory: 64GB          # a job; more than one model's weights and source states
    gpus: 1               # a job; 0 for none
    prologue:             # lines of the job script before the worker starts
      - module load cuda
      - source /path/to/meanings/.venv/bin/activate
    interface: ib0        # network interface of the scheduler and the workers; optional
    tls:                  # encrypts what they send each other; optional, see `meanings.study.tls`
      ca_file: cert.pem   # beside this file, or a full path that the jobs see too
      cert: cert.pem
      key: key.pem

The scheduler runs where `meanings study --slurm FILE` does, a login node say, and must be reachable
from the jobs. Without `tls` it takes orders from anyone who reaches its port.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from dask_jobqueue import SLURMCluster
from distributed import Client
from pydantic import BaseModel, ConfigDict, Field

from meanings.core.errors import MeaningsError, one_of
from meanings.core.yaml_files import read_yaml
from meanings.study.executors import through
from meanings.study.run import Executor
from meanings.study.tls import Certificates, security_of

NAME = r"^[A-Za-z0-9][\w.,@:+-]*$"  # what goes into the job script as it is


class Slurm(BaseModel):
    """What is asked of Slurm for each worker, and how many there may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    jobs: int = Field(ge=1, description="workers at most, one job each")
    walltime: str = Field(
        pattern=r"^(\d+-)?\d{1,2}:\d{2}(:\d{2})?$", description='of a job, in quotes: "08:00:00"'
    )
    queue: str | None = Field(None, pattern=NAME, description="Slurm's partition")
    account: str | None = Field(None, pattern=NAME, description="whom the jobs are charged to")
    cpus: int = Field(4, ge=1, description="cores per job")
    memory: str = Field("32GB", pattern=r"^\d+ ?[MGT]i?B$", description="per job, such as 64GB")
    gpus: int = Field(1, ge=0, description="GPUs per job, 0 for none")
    prologue: tuple[str, ...] = Field(
        (), description="lines of the job script before the worker starts"
    )
    interface: str | None = Field(
        None, pattern=NAME, description="network interface of the scheduler and the workers"
    )
    tls: Certificates | None = Field(
        None, description="PEM files ca_file, cert and key that encrypt the traffic"
    )


def read_slurm(file: Path) -> Slurm:
    """The description in a file. Raises MeaningsError, one line, on what is missing, unknown or of
    the wrong type.
    """
    asked = read_yaml(file, Slurm)
    here = sorted(psutil.net_if_addrs())
    if asked.interface is not None and asked.interface not in here:
        raise MeaningsError(
            f"{file}: interface {asked.interface!r} is not on this machine; allowed are "
            f"{one_of(here)}"
        )
    return asked


def cluster_of(file: Path) -> SLURMCluster:
    """Dask's cluster for the description, with no job submitted yet. Raises MeaningsError where the
    description is refused.
    """
    asked = read_slurm(file)
    return SLURMCluster(
        security=security_of(asked.tls, file.parent) if asked.tls else None,
        queue=asked.queue,
        account=asked.account,
        walltime=asked.walltime,
        # one thread of Dask's, so one checkpoint at a time; the model uses all cores of the job
        cores=1,
        processes=1,
        job_cpu=asked.cpus,
        memory=asked.memory,
        nanny=False,
        interface=asked.interface,
        job_name="meanings",
        job_extra_directives=[f"--gres=gpu:{asked.gpus}"] if asked.gpus else [],
        job_script_prologue=[*asked.prologue, f"export OMP_NUM_THREADS={asked.cpus}"],
        scheduler_options={"dashboard_address": "127.0.0.1:0"},
        n_workers=0,
    )


def job_script(file: Path) -> str:
    """The script that would be submitted for each worker; nothing is submitted."""
    with cluster_of(file) as cluster:
        return cluster.job_script()


@contextmanager
def slurm_workers(file: Path, device: str = "auto") -> Iterator[Executor]:
    """Workers that Slurm starts while there is work. Raises MeaningsError where the description is
    refused.
    """
    asked = read_slurm(file)
    if shutil.which("sbatch") is None:
        raise MeaningsError(
            f"{file}: there is no Slurm here (no command sbatch); run this where jobs are "
            "submitted, or take --scheduler or --shard"
        )
    with cluster_of(file) as cluster, Client(cluster) as client:
        cluster.adapt(maximum_jobs=asked.jobs)
        yield through(client, device)
