"""Targeted query words on the command line: `meanings targeted study | publish`."""

from pathlib import Path
from typing import Annotated

import typer

from meanings.cli.grids import grid_from
from meanings.cli.options import RESULTS, Device, Offline, Out, Quiet, stay_offline
from meanings.cli.progress import working

app = typer.Typer(
    no_args_is_help=True,
    help="Measure ambiguous words, false friends and cognates beside matched controls.",
)
GridFile = Annotated[
    Path,
    typer.Argument(
        help="Grid as YAML, such as book/parameters/targeted.yaml; n_pairs limits the number of "
        "query words per kind."
    ),
]
Seeds = Annotated[
    list[int] | None,
    typer.Option("--seed", help="Training seed, instead of the grid's; may be repeated."),
]


@app.command("study")
def study(
    grid: GridFile,
    seed: Seeds = None,
    out: Out = RESULTS,
    device: Device = "auto",
    offline: Offline = False,
    quiet: Quiet = False,
) -> None:
    """Measure answers to targeted query words, with and without a patch."""
    from meanings.study.targeted import counts, run_targeted

    stay_offline(offline)
    studies = _studies(grid, seed, out)
    found = ", ".join(f"{kind} {n}" for kind, n in counts(studies).items())
    typer.echo(f"query words, each with a control: {found}")
    for pair, cells, new in run_targeted(studies, out, progress=not quiet, device=device):
        typer.echo(f"{pair}: {cells} cells, {new} of them new")


@app.command("publish")
def publish(
    grid: GridFile,
    seed: Seeds = None,
    out: Out = RESULTS,
    measured: Annotated[
        bool,
        typer.Option(
            "--measured",
            help="Publish the cells that are measured; the others keep their published rows.",
        ),
    ] = False,
) -> None:
    """Write the measured cells to data/published/targeted.parquet; other models and seeds stay."""
    from meanings.study.targeted import publish_targeted

    with working("targeted words"):
        path = publish_targeted(_studies(grid, seed, out), out, measured=measured)
    typer.echo(f"{path} ({path.stat().st_size / 2**20:.2f} MiB)")


@app.command("words")
def words() -> None:
    """Build data/lexicon/targeted.csv, the query words of each kind, from the lexicon."""
    from itertools import permutations

    from meanings.core.paths import data_folder
    from meanings.lexicon.languages import LanguagePair
    from meanings.lexicon.lexicon import load_lexicon
    from meanings.lexicon.targeted import targeted_csv, targeted_queries

    lexicon = load_lexicon("targeted")
    pairs = [LanguagePair(a, b) for a, b in permutations(lexicon.languages, 2)]
    path = data_folder() / "lexicon" / "targeted.csv"
    path.write_text(targeted_csv(targeted_queries(lexicon, pairs)), encoding="utf-8")
    typer.echo(str(path))


def _studies(grid: Path, seeds: list[int] | None, out: Path):
    from meanings.study.targeted import pair_studies

    settings = grid_from(grid)
    if seeds:
        settings = settings.model_copy(update={"training_seeds": tuple(seeds)})
    return pair_studies(settings, out)
