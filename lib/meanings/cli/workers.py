"""Where a study is measured: this process, local workers, a Dask scheduler, jobs of Slurm."""

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from meanings.core.errors import MeaningsError

Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler", help="Address of a Dask scheduler whose workers measure.", show_default=False
    ),
]
Slurm = Annotated[
    Path | None,
    typer.Option(
        "--slurm",
        help="YAML file of Slurm jobs that measure; with --dry-run, print their script.",
        show_default=False,
    ),
]
Shard = Annotated[
    str,
    typer.Option(
        help="i/n: every n-th checkpoint from the i-th on, counted from 1, for array jobs."
    ),
]


def workers_at(
    device: str,
    workers: int | None = None,
    scheduler: str | None = None,
    slurm: Path | None = None,
):
    """A context with what measures checkpoints: local workers, those of a scheduler, jobs of Slurm,
    or None for this process.
    """
    if workers is not None or scheduler is not None:
        from meanings.study import executors  # imports torch and distributed

        return (
            executors.local_workers(workers, device)
            if workers is not None
            else executors.scheduler(str(scheduler), device)
        )
    if slurm is not None:
        from meanings.study.slurm import slurm_workers

        return slurm_workers(slurm, device)
    return nullcontext()


def parse_shard(text: str) -> tuple[int, int]:
    """`2/8` as (1, 8). Raises MeaningsError where it is no such thing."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    part, parts = (int(number) for number in found.groups()) if found else (0, 0)
    if not 1 <= part <= parts:
        raise MeaningsError(f"--shard {text!r}: expected i/n with i from 1 to n, such as 2/8")
    return part - 1, parts
