"""The command line: `meanings study | chapter | book | models | checkpoints | publish | annotate | lexicon | miniature | gemma`.

Thin over the library. What a user can mend is one line on standard error and exit code 2, and nothing is written.
"""

import os
import re
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from meanings import cli_annotate
from meanings import cli_materials as materials
from meanings.cli_materials import Offline, Quiet, stay_offline
from meanings.errors import MeaningsError
from meanings.registry import own_file

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Shared concept spaces through the training of multilingual language models.",
)
for command in (materials.models, materials.checkpoints, materials.gemma):
    app.command()(command)
app.add_typer(materials.lexicon_app, name="lexicon")
app.add_typer(materials.miniature_app, name="miniature")
app.add_typer(cli_annotate.app, name="annotate")

RESULTS = Path("_build/results")
Out = Annotated[Path, typer.Option("--out", help="Folder of the results.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Workers = Annotated[int | None, typer.Option("--local-workers", help="Measure with this many processes, a checkpoint each.", show_default=False)]
GridFile = Annotated[Path | None, typer.Argument(help="Grid as YAML; without it book/parameters/default.yaml.", show_default=False)]


@app.command()
def study(
    grid: GridFile = None,
    out: Out = RESULTS,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be measured and how long it may take; write nothing.")
    ] = False,
    device: Device = "auto",
    workers: Workers = None,
    address: Annotated[
        str | None, typer.Option("--scheduler", help="Measure with the workers of a Dask scheduler.", show_default=False)
    ] = None,
    slurm: Annotated[
        Path | None, typer.Option("--slurm", help="Measure with jobs of Slurm, as this YAML file says; with --dry-run, their script.", show_default=False)
    ] = None,
    shard: Annotated[str, typer.Option(help="i/n: every n-th checkpoint from the i-th on, counted from 1, for array jobs.")] = "1/1",
    offline: Offline = False,
    drop: Annotated[bool, typer.Option("--drop", help="Drop a checkpoint of the hub from the cache after its last use.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="After a checkpoint that cannot be had, measure the others; the end names it and is an error.")
    ] = False,
    lexicon: Annotated[str | None, typer.Option(help="Another lexicon than the grid's: embedded, or a CSV file.", show_default=False)] = None,
    quiet: Quiet = False,
) -> None:
    """Measure what is missing of a grid of cells; a killed run goes on where it was."""
    stay_offline(offline)
    from meanings.study import run_study

    if sum(place is not None for place in (workers, address, slurm)) > 1:
        raise MeaningsError("--local-workers, --scheduler and --slurm are different places to measure at: give one of them")
    asked, part = the_grid(grid), parse_shard(shard)
    if lexicon is not None:
        asked = asked.model_copy(update={"lexicon": lexicon})
    with the_executor(workers, address, slurm, device) if not dry_run else nullcontext() as executor:
        plan = run_study(
            asked, out, dry_run=dry_run, progress=not quiet, device=device, executor=executor, shard=part, keep_going=keep_going, drop=drop
        )
    if dry_run:
        for cell in plan.missing:
            typer.echo(f"{cell.key[:12]}  {cell}")
        for failure in plan.failed:
            typer.echo(f"passed over: {failure}")
        if slurm is not None:
            from meanings.slurm import job_script

            typer.echo(job_script(slurm))
        typer.echo(
            f"{len(plan.cells)} cells, {len(plan.cells) - len(plan.missing)} finished, {len(plan.missing)} to measure, about {duration(plan.seconds)}"
        )
    else:
        typer.echo(f"{len(plan.cells)} cells in {out}, {len(plan.missing)} measured now")


@app.command()
def publish(
    name: Annotated[str, typer.Argument(help="Name of the table: data/published/NAME.parquet.")],
    grids: Annotated[
        list[Path] | None, typer.Argument(metavar="GRID...", help="Grids as YAML; without one book/parameters/default.yaml.", show_default=False)
    ] = None,
    out: Out = RESULTS,
    everything: Annotated[bool, typer.Option("--everything", help="All cells of the folder, not the grid's only.")] = False,
    means: Annotated[
        bool, typer.Option("--means", help="Means over concepts only, as CSV: for words that may not be redistributed.")
    ] = False,
) -> None:
    """Merge measured cells into one table that ships with the study."""
    from meanings.publish import publish as whole
    from meanings.publish import publish_means
    from meanings.study import plan_study

    keys: list[str] = []
    for grid in () if everything else grids or (None,):
        plan = plan_study(the_grid(grid), out)
        if plan.missing:
            raise MeaningsError(
                f"{len(plan.missing)} of {len(plan.cells)} cells of {grid or 'the default grid'} are not in {out}; run 'meanings study' with it first"
            )
        keys += plan.keys
    path = (publish_means if means else whole)(out, name, None if everything else dict.fromkeys(keys))
    typer.echo(f"{path} ({path.stat().st_size / 2**20:.1f} MiB)")


@app.command()
def chapter(
    name: Annotated[str, typer.Argument(help="Chapter: emergence, language_dependence, error_analysis or method.")],
    parameters: Annotated[
        list[str] | None, typer.Argument(help="name=value, lists with commas: pair=fr-es,es-fr prompt_seed=1", show_default=False)
    ] = None,
    out: Out = RESULTS,
    device: Device = "auto",
    workers: Workers = None,
    help_parameters: Annotated[bool, typer.Option("--parameters", help="List the chapter's parameters.")] = False,
) -> None:
    """Run one chapter with other parameters, after measuring what it needs."""
    from meanings.book import build as pages
    from meanings.book.chapters import help_text, parse_assignments

    if help_parameters:
        typer.echo(help_text(name))
        return
    assignments = list(parameters or ())
    grid = grid_of_chapter(parse_assignments(name, assignments))
    root = pages.project_root()
    measure([grid], out, workers, device)
    typer.echo(pages.build_chapter(name, assignments, root, out.resolve(), report=typer.echo))


@app.command()
def book(out: Out = RESULTS, device: Device = "auto", workers: Workers = None) -> None:
    """Measure the default grid, execute the chapters, render _build/html/index.html."""
    from meanings.book import build as pages
    from meanings.book.chapters import CHAPTERS, read_parameters

    root = pages.project_root()
    files = [(name, root / "book" / "parameters" / f"{name}.yaml") for name in CHAPTERS]
    grids = [the_grid(None), *(grid_of_chapter(read_parameters(name, file)) for name, file in files if file.is_file())]
    measure(grids, out, workers, device)
    typer.echo(pages.build_book(root, out.resolve(), report=typer.echo))


def the_grid(path: Path | None):
    """The grid of a file; without one the default grid's, from the checkout here or the one above the package."""
    from meanings.grid import Grid, read_grid

    if path is not None:
        return read_grid(path)
    places = [folder / "book" / "parameters" / "default.yaml" for folder in (Path.cwd(), Path(__file__).resolve().parents[2])]
    return next((read_grid(place) for place in places if place.is_file()), Grid())


def measure(grids, out: Path, workers: int | None, device: str) -> None:
    """Measure what is missing of the grids, with as many processes as the machine has use for where no number is given."""
    from meanings.study import plan_study, run_study

    units = max(len(plan_study(grid, out).units) for grid in grids)
    if not units:
        return
    from meanings.executors import default_workers

    count = default_workers(units) if workers is None and device == "auto" else workers
    with the_executor(None if count == 1 else count, None, None, device) as executor:
        for grid in grids:
            run_study(grid, out, device=device, executor=executor)


def the_executor(workers: int | None, address: str | None, slurm: Path | None, device: str):
    """Where checkpoints are measured; None is this process."""
    if workers is not None or address is not None:
        from meanings import executors  # imports torch and distributed

        return executors.local_workers(workers, device) if workers is not None else executors.scheduler(str(address), device)
    if slurm is not None:
        from meanings.slurm import slurm_workers

        return slurm_workers(slurm, device)
    return nullcontext()


def parse_shard(text: str) -> tuple[int, int]:
    """`2/8` as (1, 8). Raises MeaningsError where it is no such thing."""
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    part, parts = (int(number) for number in found.groups()) if found else (0, 0)
    if not 1 <= part <= parts:
        raise MeaningsError(f"--shard {text!r}: expected i/n with i from 1 to n, such as 2/8")
    return part - 1, parts


def grid_of_chapter(parameters):
    """The cells that a chapter reads: its own checkpoints, or the one step that it looks at, under all conditions."""
    from meanings.checkpoints import trajectory
    from meanings.grid import Grid

    steps: tuple[int, ...] = ()
    if hasattr(parameters, "step"):
        run = trajectory(parameters.model, parameters.training_seed)
        steps = (run.last.step if parameters.step < 0 else parameters.step,)
    shared = {name: getattr(parameters, name) for name in ("model", "lexicon", "checkpoints", "shots", "n_pairs", "template")}
    return Grid(
        training_seeds=(parameters.training_seed,), pairs=parameters.pair, prompt_seeds=(parameters.prompt_seed,), steps=steps, **shared
    )


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def main() -> None:
    """Run the command line; a user's error is one line and exit code 2."""
    try:
        own = own_file()
        if own is not None:  # notebooks run in other folders
            os.environ["MEANINGS_MODELS"] = str(own.resolve())
        app()
    except MeaningsError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
