"""`python -m meanings.known_truth`: the published table; `--world FOLDER`: a constructed training run."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from meanings.errors import MeaningsError
from meanings.folders import data_folder
from meanings.known_truth.world import World

NAME = "known_truth.csv"


def main(
    world: Annotated[Path | None, typer.Option(help="Write a constructed training run into this new folder instead of the table.", show_default=False)] = None,
    meeting_layer: Annotated[int, typer.Option(help="Layer from which on the shared code is there.")] = 2,
    reading_layer: Annotated[int, typer.Option(help="Layer that reads the query word.")] = 4,
    meets_from: Annotated[int, typer.Option(help="First checkpoint with a shared code, from 0; -1 for never.")] = 3,
    layers: Annotated[int, typer.Option(help="Decoder layers.")] = 6,
    seed: Annotated[int, typer.Option(help="Draws the private codes and the concepts' noise.")] = 0,
    ramp: Annotated[float, typer.Option(help="Checkpoints over which a concept comes to be shared.")] = 0.0,
    scatter: Annotated[float, typer.Option(help="Checkpoints by which concepts' moments differ (standard deviation).")] = 0.0,
    worlds: Annotated[int, typer.Option(help="Worlds for the coverage of the table.")] = 500,
) -> None:
    """Hold the instrument against networks whose truth is known."""
    if world is not None:
        from meanings.known_truth.network import write

        made = World(layers, meeting_layer, reading_layer, meets_from, ramp=ramp, scatter=scatter, seed=seed)
        typer.echo(write(made, world))
        return
    from meanings.known_truth.trials import table

    path = data_folder() / "published" / NAME
    aside = path.with_suffix(f".{os.getpid()}.aside")
    table(worlds=worlds).to_csv(aside, index=False, float_format="%.6g", lineterminator="\n")
    os.replace(aside, path)
    typer.echo(path)


if __name__ == "__main__":
    try:
        typer.run(main)
    except MeaningsError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
