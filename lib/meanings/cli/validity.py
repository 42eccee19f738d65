"""The book's claims and checks of the method on the command line: `meanings claims`, `meanings
validity known-truth | false-positives | controls | transfer`.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from meanings.cli.options import Quiet, TrainingSeed
from meanings.cli.progress import working
from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder

app = typer.Typer(
    no_args_is_help=True,
    help="Check the method: constructed networks, shuffled labels, controls of the patch.",
)
World = Annotated[
    Path | None,
    typer.Option(
        help="Write a constructed training run into this new folder instead of the table.",
        show_default=False,
    ),
]


def claims(
    as_json: Annotated[bool, typer.Option("--json", help="All fields, as a JSON list.")] = False,
) -> None:
    """List the book's claims: each statement, its estimate with an interval, and the verdict."""
    with working("claims") as report:
        from meanings.validity.claims.catalogue import all_claims, rows, tables_of

        asked, found = all_claims(), []
        for row in rows(asked, tables_of(asked)):
            found.append(row)
            report("decided", len(found), len(asked))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False))
        return
    for row in found:
        typer.echo(f"{row['id']}: {row['verdict']}{_interval(row)}")
        typer.echo(f"    {row['statement']}")
        typer.echo(f"    refuted by: {row['refuted_by']}")


def _interval(row: dict) -> str:
    """`, 0.61 [0.55, 0.67] probability, smallest effect 0.02`; empty where nothing was measured."""
    if row["value"] is None:
        return ""
    value, low, high = (f"{row[name]:.3g}" for name in ("value", "low", "high"))
    unit, smallest = row["unit"], row["smallest_effect"]
    return f", {value} [{low}, {high}] {unit}, smallest effect {smallest:g}"


@app.command("known-truth")
def known_truth(
    world: World = None,
    meeting_layer: Annotated[
        int, typer.Option(help="First layer that holds the shared code, from 0.")
    ] = 2,
    reading_layer: Annotated[
        int, typer.Option(help="Layer that reads the query word, 1 or above.")
    ] = 4,
    meets_from: Annotated[
        int, typer.Option(help="First checkpoint with a shared code, from 0; -1: never.")
    ] = 3,
    layers: Annotated[int, typer.Option(help="Number of decoder layers.")] = 6,
    seed: Annotated[int, typer.Option(help="Seed of the private codes and the noise.")] = 0,
    ramp: Annotated[
        float, typer.Option(help="Number of checkpoints over which a concept becomes shared.")
    ] = 0.0,
    scatter: Annotated[
        float,
        typer.Option(help="Standard deviation of the concepts' onsets, in checkpoints."),
    ] = 0.0,
    worlds: Annotated[
        int, typer.Option(help="Number of constructed runs from which coverage is computed.")
    ] = 500,
) -> None:
    """Measure constructed networks with known truth; write data/published/known_truth.csv."""
    if world is None:
        with working("constructed networks"):
            from meanings.validity.known_truth import table

            path = _publish("known_truth", table(worlds=worlds))
        typer.echo(path)
        return
    from meanings.validity.constructed_network import write
    from meanings.validity.ground_truth import GroundTruth

    made = GroundTruth(
        layers, meeting_layer, reading_layer, meets_from, ramp=ramp, scatter=scatter, seed=seed
    )
    typer.echo(write(made, world))


@app.command("false-positives")
def false_positives(
    shuffles: Annotated[int, typer.Option(help="Number of permutations per claim.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the permutations.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write; default: data/published/false_positives.csv.", show_default=False
        ),
    ] = None,
) -> None:
    """Count how often the book's rules make a claim under permuted labels; write
    data/published/false_positives.csv.
    """
    from meanings.validity.false_positives import table

    if shuffles < 1:
        raise MeaningsError(f"--shuffles {shuffles}: at least 1 is needed")
    typer.echo(_publish("false_positives", table(shuffles, seed, progress=True), out))


@app.command("controls")
def controls(
    model: Annotated[
        str, typer.Option(help="miniature, or the folder of one of its training runs.")
    ] = "miniature",
    seed: TrainingSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Measure the controls of the patch at the end of one training run; write
    data/published/controls.parquet and keep the rows of other training seeds.
    """
    from meanings.core.status_line import StatusLine, Watched
    from meanings.models.checkpoints import trajectory
    from meanings.validity.controls import publish_controls

    run = trajectory(model, seed)
    watched = Watched(f"{run.model}, training seed {run.training_seed}")
    with StatusLine(watched.text, shown=not quiet):
        paths = publish_controls(run, watched.report)
    for path in paths:
        typer.echo(path)


@app.command("transfer")
def transfer(
    layer: Annotated[int, typer.Option(help="Layer of the companion measures, from 0.", min=0)] = 6,
    model: Annotated[str, typer.Option(help="Name of the model in the tables.")] = "miniature",
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write; default: data/published/transfer_correlations.csv.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Correlate each published companion measure with transfer over language pairs, within
    checkpoints and pooled; write data/published/transfer_correlations.csv.
    """
    with working("correlations with transfer"):
        from meanings.validity.transfer_table import transfer_table

        path = _publish("transfer_correlations", transfer_table(layer, model=model), out)
    typer.echo(path)


def _publish(name: str, table, path: Path | None = None) -> Path:
    """Write a table as CSV, under `path` or as a published one."""
    path = path or data_folder() / "published" / f"{name}.csv"
    with atomic_file(path) as aside:
        table.to_csv(aside, index=False, float_format="%.6g", lineterminator="\n")
    return path
