"""Measuring, publishing and exporting on the command line: `meanings study | publish | export |
prompts`.
"""

import re
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from meanings.cli.options import (
    RESULTS,
    Device,
    GridFile,
    GridFiles,
    Offline,
    Out,
    Quiet,
    Workers,
    stay_offline,
    stay_quiet,
)
from meanings.core.errors import MeaningsError
from meanings.core.formatting import duration, size

prompts_app = typer.Typer(no_args_is_help=True, help="Prompts that several models share.")
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="List what would be measured and how long it may take; write nothing."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler", help="Measure with the workers of a Dask scheduler.", show_default=False
    ),
]
Slurm = Annotated[
    Path | None,
    typer.Option(
        "--slurm",
        help="Measure with jobs of Slurm, as this YAML file says; with --dry-run, their script.",
        show_default=False,
    ),
]
Shard = Annotated[
    str,
    typer.Option(
        help="i/n: every n-th checkpoint from the i-th on, counted from 1, for array jobs."
    ),
]
Drop = Annotated[
    bool,
    typer.Option("--drop", help="Drop a checkpoint of the hub from the cache after its last use."),
]
KeepGoing = Annotated[
    bool,
    typer.Option(
        "--keep-going",
        help="After a checkpoint that cannot be had, measure the others; the end names it and is "
        "an error.",
    ),
]
OtherLexicon = Annotated[
    str | None,
    typer.Option(
        help="Another lexicon than the grid's: embedded, or a word list.", show_default=False
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
    lexicon: OtherLexicon = None,
    quiet: Quiet = False,
) -> None:
    """Measure what is missing of a grid of cells; a killed run goes on where it was."""
    stay_offline(offline)
    stay_quiet(quiet)
    from meanings.study.plan import plan_study
    from meanings.study.run import run_plan

    if sum(place is not None for place in (workers, scheduler, slurm)) > 1:
        raise MeaningsError(
            "--local-workers, --scheduler and --slurm are different places to measure at: give one "
            "of them"
        )
    settings, part = grid_from(grid), parse_shard(shard)
    if lexicon is not None:
        settings = settings.model_copy(update={"lexicon": lexicon})
    script = ""
    if dry_run and slurm is not None:
        from meanings.study.slurm import job_script

        script = job_script(slurm)
    how = {"shard": part, "keep_going": keep_going, "drop": drop}
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


def publish(
    name: Annotated[str, typer.Argument(help="Name of the table: data/published/NAME.parquet.")],
    grids: GridFiles = None,
    out: Out = RESULTS,
    everything: Annotated[
        bool, typer.Option("--everything", help="All cells of the folder, not the grid's only.")
    ] = False,
    means: Annotated[
        bool,
        typer.Option(
            "--means",
            help="Means over concepts only, as CSV: for words that may not be redistributed.",
        ),
    ] = False,
    by_concept: Annotated[
        bool,
        typer.Option(
            "--by-concept",
            help="Means over language pairs, a row per concept: for comparing many settings.",
        ),
    ] = False,
    add: Annotated[
        bool,
        typer.Option(
            "--add", help="With --by-concept: add to the rows that the published table has."
        ),
    ] = False,
    layers: Annotated[
        str,
        typer.Option(
            help="First patched layers whose rows are published, with commas; all without it."
        ),
    ] = "",
    measure: Annotated[
        str, typer.Option(help="Cells of this measure only, where a grid names several.")
    ] = "",
) -> None:
    """Merge measured cells into one table that ships with the study."""
    from meanings.statistics.summaries import publish_concepts, publish_means
    from meanings.study.publish import check_name
    from meanings.study.publish import publish as publish_rows

    if means and by_concept:
        raise MeaningsError("--means and --by-concept write different tables: give one of them")
    if add and not by_concept:
        raise MeaningsError("--add is for tables of means over language pairs: give --by-concept")
    check_name(name)
    if layers and (means or by_concept):
        raise MeaningsError("--layers chooses rows, and --means and --by-concept have all layers")
    keys = None if everything else finished_keys(grids or (None,), out)
    if by_concept:
        path = publish_concepts(out, name, keys, add)
    elif means:
        path = publish_means(out, name, keys)
    else:
        chosen = {"layers": parse_layers(layers)} if layers else {}
        path = publish_rows(out, name, keys, measure=measure, **chosen)
    typer.echo(f"{path} ({path.stat().st_size / 2**20:.1f} MiB)")


def export(
    folder: Annotated[Path, typer.Argument(help="New or empty folder to write.")],
    grids: GridFiles = None,
    layout: Annotated[
        str,
        typer.Option(
            "--format", help="datasets (a folder that Hugging Face datasets loads) or csv."
        ),
    ] = "datasets",
    table: Annotated[
        str | None,
        typer.Option(
            "--published", help="A published table instead of measured cells.", show_default=False
        ),
    ] = None,
    licence: Annotated[
        str,
        typer.Option(
            help="Licence of the data, as the hub names it; else left for you to fill in."
        ),
    ] = "",
    words: Annotated[
        bool,
        typer.Option("--words", help="Words of a lexicon of your own too: you may pass them on."),
    ] = False,
    out: Out = RESULTS,
) -> None:
    """Write results as tidy CSV, or as a data set with its card."""
    from meanings.study.export import export as write

    if table is not None and grids:
        raise MeaningsError(
            "--published names a table, and grids name measured cells: give one of them"
        )
    keys = None if table is not None else finished_keys(grids or (None,), out)
    for line in write(folder, out, keys, table=table, layout=layout, licence=licence, words=words):
        typer.echo(line)


@prompts_app.command("write")
def prompts_write(
    file: Annotated[
        Path, typer.Argument(help="The JSON file to write; a grid takes it as `prompts: FILE`.")
    ],
    grid: GridFile = None,
    models: Annotated[
        str,
        typer.Option(
            help="Models, with commas: pairs are eligible under the tokenizers of all. Without it "
            "the grid's.",
            show_default=False,
        ),
    ] = "",
    offline: Offline = False,
) -> None:
    """Draw the grid's concept pairs once, for several models to share."""
    stay_offline(offline)
    from meanings.models.loading import load_tokenizer
    from meanings.prompts.writing import write_prompts
    from meanings.study.grid import check_grid

    settings, checked, tokenizers = grid_from(grid), None, {}
    names = [name.strip() for name in models.split(",") if name.strip()] or [settings.model]
    for name in names:
        checked = check_grid(settings.model_copy(update={"model": name, "prompts": "drawn"}))
        last = checked.trajectories[0].last
        place = last.tokenizer_folder()
        tokenizers[name] = load_tokenizer(place, tokenizer=place, way=settings.tokenizer)
    written = write_prompts(
        file,
        checked.lexicon,
        tokenizers,
        template=settings.template,
        shots=settings.shots,
        n_pairs=settings.n_pairs,
        seeds=settings.prompt_seeds,
        pairs=settings.pairs,
    )
    typer.echo(
        f"{file}: {settings.n_pairs} concept pairs for each of {len(written.draws)} seeds, "
        f"eligible for {', '.join(names)}; {len(written.left_out)} concepts left out; "
        f"sha256 {written.sha256[:12]}"
    )


def finished_keys(grids: Iterable[Path | None], out: Path) -> dict[str, None]:
    """Keys of the grids' cells, each once. Raises MeaningsError where some are not measured yet."""
    from meanings.study.plan import plan_study

    keys: list[str] = []
    for grid in grids:
        plan = plan_study(grid_from(grid), out)
        if plan.missing:
            raise MeaningsError(
                f"{len(plan.missing)} of {len(plan.cells)} cells of {grid or 'the default grid'} "
                f"are not in {out}; run 'meanings study' with it first"
            )
        keys += plan.keys
    return dict.fromkeys(keys)


def grid_from(path: Path | None):
    """The grid of a file; without one the default grid's, from the checkout here or the one above
    the package.
    """
    from meanings.study.grid import Grid, read_grid

    if path is not None:
        return read_grid(path)
    places = [
        folder / "book" / "parameters" / "default.yaml"
        for folder in (Path.cwd(), Path(__file__).resolve().parents[3])
    ]
    return next((read_grid(place) for place in places if place.is_file()), Grid())


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


def parse_layers(text: str) -> tuple[int, ...]:
    """`1,2` as (1, 2). Raises MeaningsError where it is no such list."""
    if not re.fullmatch(r"[0-9]{1,4}(,[0-9]{1,4})*", text):
        raise MeaningsError(f"--layers {text[:60]!r}: expected numbers from 0 with commas, as 1,2")
    return tuple(int(number) for number in text.split(","))


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
