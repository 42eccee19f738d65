"""Options that several commands share, and what they do before anything heavy is imported."""

import os
from pathlib import Path
from typing import Annotated

import typer

from meanings.cli import completion

RESULTS = Path("_build/results")
Out = Annotated[Path, typer.Option("--out", help="Results folder.")]
Device = Annotated[str, typer.Option(help="Device: auto, cpu, cuda, cuda:1, ...")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--local-workers",
        help="Number of worker processes; each measures one checkpoint at a time.",
        show_default=False,
    ),
]
GridFile = Annotated[
    Path | None,
    typer.Argument(help="Grid as YAML; default: book/parameters/default.yaml.", show_default=False),
]
GridFiles = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="GRID...",
        help="Grids as YAML; default: book/parameters/default.yaml.",
        show_default=False,
    ),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Do not use the network; of hub models use cached files only."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ModelName = Annotated[
    str,
    typer.Argument(
        help="Name of a model (see `meanings models`), or a folder with trajectory.json.",
        autocompletion=completion.models,
    ),
]
TrainingSeed = Annotated[int, typer.Option(help="Training seed.")]


def stay_quiet(quiet: bool) -> None:
    """Have the hub's client show no progress of downloads; call it before the client is imported,
    as `stay_offline`.
    """
    if quiet:
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"


def stay_offline(offline: bool) -> None:
    """Forbid the hub's client the network; call it before the client is imported, which reads this
    once (worker processes inherit it).
    """
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
