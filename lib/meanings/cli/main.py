"""The command line: `meanings study | chapter | book | publish | export | annotate | models |
checkpoints | reach | budget | prompts | lexicon | miniature | gemma`.

Thin over the library. What a user can mend is one line on standard error and exit code 2, and
nothing is written.
"""

import os
import re
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from meanings.cli import annotate, materials
from meanings.cli.materials import Offline, Quiet, stay_offline
from meanings.core.errors import MeaningsError
from meanings.core.formatting import duration
from meanings.models.registry import own_file

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Shared concept spaces through the training of multilingual language models.",
)


for command in (
    materials.models,
    materials.checkpoints,
    materials.reach,
    materials.budget,
    materials.gemma,
):
    app.command()(command)


app.add_typer(materials.lexicon_app, name="lexicon")


app.add_typer(materials.miniature_app, name="miniature")


app.add_typer(materials.prompts_app, name="prompts")


app.add_typer(annotate.app, name="annotate")


RESULTS = Path("_build/results")
Out = Annotated[Path, typer.Option("--out", help="Folder of the results.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--local-workers",
        help="Measure with this many processes, a checkpoint each.",
        show_default=False,
    ),
]
GridFile = Annotated[
    Path | None,
    typer.Argument(
        help="Grid as YAML; without it book/parameters/default.yaml.", show_default=False
    ),
]


@app.command()
def study(
    grid: GridFile = None,
    out: Out = RESULTS,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="List what would be measured and how long it may take; write nothing."
        ),
    ] = False,
    device: Device = "auto",
    workers: Workers = None,
    address: Annotated[
        str | None,
        typer.Option(
            "--scheduler", help="Measure with the workers of a Dask scheduler.", show_default=False
        ),
    ] = None,
    slurm: Annotated[
        Path | None,
        typer.Option(
            "--slurm",
            help="Measure with jobs of Slurm, as this YAML file says; with --dry-run, their script.",
            show_default=False,
        ),
    ] = None,
    shard: Annotated[
        str,
        typer.Option(
            help="i/n: every n-th checkpoint from the i-th on, counted from 1, for array jobs."
        ),
    ] = "1/1",
    offline: Offline = False,
    drop: Annotated[
        bool,
        typer.Option(
            "--drop", help="Drop a checkpoint of the hub from the cache after its last use."
        ),
    ] = False,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            help="After a checkpoint that cannot be had, measure the others; the end names it and is an error.",
        ),
    ] = False,
    lexicon: Annotated[
        str | None,
        typer.Option(
            help="Another lexicon than the grid's: embedded, or a CSV file.", show_default=False
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Measure what is missing of a grid of cells; a killed run goes on where it was."""
    stay_offline(offline)
    from meanings.study.run import run_study

    if sum(place is not None for place in (workers, address, slurm)) > 1:
        raise MeaningsError(
            "--local-workers, --scheduler and --slurm are different places to measure at: give one "
            "of them"
        )
    asked, part = the_grid(grid), parse_shard(shard)
    if lexicon is not None:
        asked = asked.model_copy(update={"lexicon": lexicon})
    script = ""
    if dry_run and slurm is not None:
        from meanings.study.slurm import job_script

        script = job_script(slurm)
    with (
        the_executor(workers, address, slurm, device) if not dry_run else nullcontext() as executor
    ):
        plan = run_study(
            asked,
            out,
            dry_run=dry_run,
            progress=not quiet,
            device=device,
            executor=executor,
            shard=part,
            keep_going=keep_going,
            drop=drop,
        )
    if dry_run:
        for cell in plan.missing:
            typer.echo(f"{cell.key[:12]}  {cell}")
        for failure in plan.failed:
            typer.echo(f"passed over: {failure}")
        if script:
            typer.echo(script)
        counts = f"{len(plan.cells)} cells, {len(plan.cells) - len(plan.missing)} finished, {len(plan.missing)} to measure"
        typer.echo(f"{counts}, {time_range(plan.estimate)}" if plan.missing else counts)
    else:
        typer.echo(f"{len(plan.cells)} cells in {out}, {len(plan.missing)} measured now")


@app.command()
def publish(
    name: Annotated[str, typer.Argument(help="Name of the table: data/published/NAME.parquet.")],
    grids: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="GRID...",
            help="Grids as YAML; without one book/parameters/default.yaml.",
            show_default=False,
        ),
    ] = None,
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
            help="Means over language pairs, a row a concept: for comparing many settings.",
        ),
    ] = False,
) -> None:
    """Merge measured cells into one table that ships with the study."""
    from meanings.statistics.summaries import publish_concepts, publish_means
    from meanings.study.publish import check_name
    from meanings.study.publish import publish as whole

    if means and by_concept:
        raise MeaningsError("--means and --by-concept write different tables: give one of them")
    check_name(name)
    write = publish_means if means else publish_concepts if by_concept else whole
    path = write(out, name, None if everything else finished_keys(grids or (None,), out))
    typer.echo(f"{path} ({path.stat().st_size / 2**20:.1f} MiB)")


@materials.prompts_app.command("write")
def prompts_write(
    file: Annotated[
        Path, typer.Argument(help="The JSON file to write; a grid takes it as `prompts: FILE`.")
    ],
    grid: GridFile = None,
    models: Annotated[
        str,
        typer.Option(
            help="Models, with commas: pairs are eligible under the tokenizers of all. Without it the grid's.",
            show_default=False,
        ),
    ] = "",
    offline: Offline = False,
) -> None:
    """Draw the grid's concept pairs once, for several models to share."""
    stay_offline(offline)
    materials.write_shared_prompts(file, the_grid(grid), models)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="New or empty folder to write.")],
    grids: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="GRID...",
            help="Grids as YAML; without one book/parameters/default.yaml.",
            show_default=False,
        ),
    ] = None,
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
    """Results as tidy CSV, or as a data set with its card."""
    from meanings.study.export import export as write

    if table is not None and grids:
        raise MeaningsError(
            "--published names a table, and grids name measured cells: give one of them"
        )
    keys = None if table is not None else finished_keys(grids or (None,), out)
    for line in write(folder, out, keys, table=table, layout=layout, licence=licence, words=words):
        typer.echo(line)


@app.command()
def chapter(
    name: Annotated[
        str,
        typer.Argument(help="Chapter: emergence, language_dependence, error_analysis or method."),
    ],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(
            help="name=value, lists with commas: pair=fr-es,es-fr prompt_seed=1", show_default=False
        ),
    ] = None,
    out: Out = RESULTS,
    device: Device = "auto",
    workers: Workers = None,
    help_parameters: Annotated[
        bool, typer.Option("--parameters", help="List the chapter's parameters.")
    ] = False,
) -> None:
    """Run one chapter with other parameters, after measuring what it needs."""
    from meanings.book import build as pages
    from meanings.book.chapters import grid_of, help_text, parse_assignments

    if help_parameters:
        typer.echo(help_text(name))
        return
    assignments = list(parameters or ())
    grid = grid_of(parse_assignments(name, assignments))
    root = pages.project_root()
    measure([grid], out, workers, device)
    typer.echo(pages.build_chapter(name, assignments, root, out.resolve(), report=typer.echo))


@app.command()
def book(out: Out = RESULTS, device: Device = "auto", workers: Workers = None) -> None:
    """Measure the default grid, execute the chapters, render _build/html/index.html."""
    from meanings.book import build as pages
    from meanings.book.chapters import CHAPTERS, grid_of, read_parameters

    root = pages.project_root()
    files = [(name, root / "book" / "parameters" / f"{name}.yaml") for name in CHAPTERS]
    grids = [
        the_grid(None),
        *(grid_of(read_parameters(name, file)) for name, file in files if file.is_file()),
    ]
    measure(grids, out, workers, device)
    typer.echo(pages.build_book(root, out.resolve(), report=typer.echo))


def finished_keys(grids, out: Path) -> dict[str, None]:
    """Keys of the grids' cells, each once. Raises MeaningsError where some are not measured yet."""
    from meanings.study.run import plan_study

    keys: list[str] = []
    for grid in grids:
        plan = plan_study(the_grid(grid), out)
        if plan.missing:
            raise MeaningsError(
                f"{len(plan.missing)} of {len(plan.cells)} cells of {grid or 'the default grid'} "
                f"are not in {out}; run 'meanings study' with it first"
            )
        keys += plan.keys
    return dict.fromkeys(keys)


def the_grid(path: Path | None):
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


def measure(grids, out: Path, workers: int | None, device: str) -> None:
    """Measure what is missing of the grids, with as many processes as the machine has use for where
    no number is given.
    """
    from meanings.study.run import plan_study, run_study

    units = max(len(plan_study(grid, out).units) for grid in grids)
    if not units:
        return
    from meanings.study.executors import default_workers

    count = default_workers(units) if workers is None and device == "auto" else workers
    with the_executor(None if count == 1 else count, None, None, device) as executor:
        for grid in grids:
            run_study(grid, out, device=device, executor=executor)


def the_executor(workers: int | None, address: str | None, slurm: Path | None, device: str):
    """Where checkpoints are measured; None is this process."""
    if workers is not None or address is not None:
        from meanings.study import executors  # imports torch and distributed

        return (
            executors.local_workers(workers, device)
            if workers is not None
            else executors.scheduler(str(address), device)
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


def time_range(estimate) -> str:
    """`about 12 min (from ...)`, or `12 min to 1.5 h (from ...)`."""
    low, high = duration(estimate.low), duration(estimate.high)
    return f"{f'about {low}' if low == high else f'{low} to {high}'} ({estimate.basis})"


def main() -> None:
    """Run the command line; a user's error is one line and exit code 2, an interruption one line
    and exit code 130.
    """
    try:
        own = own_file()
        if own is not None:  # notebooks run in other folders
            os.environ["MEANINGS_MODELS"] = str(own.resolve())
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        code = 130
    except MeaningsError as error:
        end(f"error: {error}", 2)
    except typer.TyperException as error:
        if not error.format_message():  # nothing was asked, and the help has been shown
            sys.exit(2)
        end(usage(error), 2)
    except OSError as error:  # what no room of the library has said better
        place = f"{error.filename}: " if error.filename else ""
        end(
            "error: "
            f"{MeaningsError(f'{place}{error.strerror or error}; look at the name, its permissions and the room on the disk')}",
            2,
        )
    if code == 130:
        end("interrupted: what was finished is kept; the same command goes on from there", 130)
    sys.exit(code if isinstance(code, int) else 0)


def usage(error: typer.TyperException) -> str:
    """What is wrong with a command line, in one line."""
    context = getattr(error, "ctx", None)
    cure = f"; '{context.command_path} --help' says what is allowed" if context else ""
    return f"error: {MeaningsError(error.format_message().rstrip('.') + cure)}"


def end(line: str, code: int) -> NoReturn:
    """End with a line on standard error."""
    print(line, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
