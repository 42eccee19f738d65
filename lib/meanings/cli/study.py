"""Measuring on the command line: `meanings study`."""

from typing import Annotated

import typer

from meanings.cli import completion
from meanings.cli.grids import grid_from
from meanings.cli.options import (
    RESULTS,
    Device,
    GridFile,
    Offline,
    Out,
    Quiet,
    Workers,
    stay_offline,
    stay_quiet,
)
from meanings.cli.progress import working
from meanings.cli.workers import Scheduler, Shard, Slurm, parse_shard, workers_at
from meanings.core.errors import MeaningsError
from meanings.core.formatting import duration, size

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="List the missing cells and estimate the time; write nothing."),
]
Drop = Annotated[
    bool,
    typer.Option("--drop", help="Delete a hub checkpoint from the cache after its last use."),
]
KeepGoing = Annotated[
    bool,
    typer.Option(
        "--keep-going",
        help="Where a checkpoint cannot be loaded, measure the others; the command then ends with "
        "an error that names it.",
    ),
]
OtherModel = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Model, instead of the grid's: a name of `meanings models`, or a folder with "
        "trajectory.json.",
        show_default=False,
        autocompletion=completion.models,
    ),
]
OtherLexicon = Annotated[
    str | None,
    typer.Option(
        help="Lexicon, instead of the grid's: embedded, or a file.",
        show_default=False,
        autocompletion=completion.lexicons,
    ),
]


def study(
    grid: GridFile = None,
    out: Out = RESULTS,
    dry_run: DryRun = False,
    device: Device = "auto",
    workers: Workers = None,
    scheduler: Scheduler = None,
    slurm: Slurm = None,
    shard: Shard = "1/1",
    offline: Offline = False,
    drop: Drop = False,
    keep_going: KeepGoing = False,
    model: OtherModel = None,
    lexicon: OtherLexicon = None,
    quiet: Quiet = False,
) -> None:
    """Measure the missing cells of a grid. After an interruption the same command resumes."""
    stay_offline(offline)
    stay_quiet(quiet)
    from meanings.study.plan import plan_study
    from meanings.study.run import run_plan

    if sum(place is not None for place in (workers, scheduler, slurm)) > 1:
        raise MeaningsError(
            "--local-workers, --scheduler and --slurm exclude each other: give one of them"
        )
    instead = {"model": model, "lexicon": lexicon}
    named = {name: value for name, value in instead.items() if value is not None}
    settings, part = grid_from(grid).model_copy(update=named), parse_shard(shard)
    script = ""
    if dry_run and slurm is not None:
        from meanings.study.slurm import job_script

        script = job_script(slurm)
    how = {"shard": part, "keep_going": keep_going, "drop": drop}
    with working("a trial run" if dry_run else "planning", quiet):
        plan = plan_study(settings, out, estimate=dry_run, device=device, **how)
    for note in plan.notes:
        typer.echo(f"note: {note}", err=True)
    if dry_run:
        report(plan, script)
        return
    with workers_at(device, workers, scheduler, slurm) as executor:
        run_plan(
            plan,
            out,
            progress=not quiet,
            device=device,
            executor=executor,
            keep_going=keep_going,
        )
    typer.echo(f"{len(plan.cells)} cells in {out}, {len(plan.missing)} of them new")


def report(plan, script: str) -> None:
    """Print what a dry run found: the missing cells, what was passed over, a job script, and how
    long it may take.
    """
    for cell in plan.missing:
        typer.echo(f"{cell.key[:12]}  {cell}")
    for failure in plan.failed:
        typer.echo(f"passed over: {failure}")
    if script:
        typer.echo(script)
    if plan.download is not None:
        typer.echo(to_fetch(plan.download))
    finished = len(plan.cells) - len(plan.missing)
    counts = f"{len(plan.cells)} cells, {finished} finished, {len(plan.missing)} to measure"
    if not plan.missing:
        typer.echo(counts)
    elif plan.estimate is not None:
        typer.echo(f"{counts}, {time_range(plan.estimate)}")
    else:
        typer.echo(
            f"{counts}; the time is estimated by a trial, which needs one of the checkpoints on "
            "this machine: run the study, and ask again once the first is fetched"
        )


def to_fetch(download) -> str:
    """`to fetch first: 3 checkpoints of owner/name, 4 files and 2.2 GB the last of them`."""
    n = download.checkpoints
    return (
        f"to fetch first: {n} checkpoint{'s' * (n > 1)} of {download.source}, "
        f"{download.files} files and {size(download.bytes)}{' the last of them' * (n > 1)}"
    )


def time_range(estimate) -> str:
    """`about 12 min (from ...)`, or `12 min to 1.5 h (from ...)`."""
    low, high = duration(estimate.low), duration(estimate.high)
    return f"{f'about {low}' if low == high else f'{low} to {high}'} ({estimate.basis})"
