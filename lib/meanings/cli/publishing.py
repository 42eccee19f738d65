"""Tables that are passed on, on the command line: `meanings publish | export`."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from meanings.cli import completion
from meanings.cli.grids import grid_from
from meanings.cli.options import (
    RESULTS,
    GridFiles,
    Out,
)
from meanings.cli.progress import working
from meanings.core.errors import MeaningsError

FirstLayers = Annotated[
    str,
    typer.Option(
        help="First patched layers to publish, from 0, separated by commas; default: all."
    ),
]


def publish(
    name: Annotated[
        str,
        typer.Argument(
            help="Name of the table: data/published/NAME.parquet. With {measure} in it, one table "
            "for each measure of the grid."
        ),
    ],
    grids: GridFiles = None,
    out: Out = RESULTS,
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Publish all cells of the folder, not only the grid's."),
    ] = False,
    means: Annotated[
        bool,
        typer.Option(
            "--means",
            help="Publish only means over concepts, as CSV; for words that may not be shared.",
        ),
    ] = False,
    by_concept: Annotated[
        bool,
        typer.Option(
            "--by-concept",
            help="Publish means over language pairs, one row per concept; for many settings.",
        ),
    ] = False,
    add: Annotated[
        bool,
        typer.Option("--add", help="Keep the rows of other cells that the published table has."),
    ] = False,
    layers: FirstLayers = "",
    measure: Annotated[
        str, typer.Option(help="Publish only this measure's cells, where a grid names several.")
    ] = "",
) -> None:
    """Merge measured cells into one table that ships with the study."""
    from meanings.statistics.summaries import publish_concepts, publish_means
    from meanings.study.publish import MEASURE, check_name, publish_each
    from meanings.study.publish import publish as publish_rows

    each = MEASURE in name
    _check_options(each, means, by_concept, add, layers, measure)
    check_name(name.replace(MEASURE, "measure"))
    chosen = {"layers": parse_layers(layers)} if layers else {}
    with working(f"table {name}"):
        keys = None if everything else finished_keys(grids or (None,), out)
        if each:
            paths = publish_each(out, name, keys, add)
        elif by_concept:
            paths = [publish_concepts(out, name, keys, add)]
        elif means:
            paths = [publish_means(out, name, keys)]
        else:
            paths = [publish_rows(out, name, keys, measure=measure, add=add, **chosen)]
    for path in paths:
        typer.echo(f"{path} ({path.stat().st_size / 2**20:.1f} MiB)")


def _check_options(
    each: bool, means: bool, by_concept: bool, add: bool, layers: str, measure: str
) -> None:
    """Raises MeaningsError where two options ask for different tables.

    - `each`: whether a table for each measure is asked for.
    """
    from meanings.study.publish import MEASURE

    if means and by_concept:
        raise MeaningsError("--means and --by-concept write different tables: give one of them")
    if add and means:
        raise MeaningsError(
            "--add is for tables of rows, and of means with --by-concept, not --means"
            "; leave one of the two out"
        )
    if each and (means or by_concept or layers):
        raise MeaningsError(
            f"{MEASURE} in the name writes a table for each measure, with all of its rows: leave "
            "--means, --by-concept and --layers out"
        )
    if measure and (each or means or by_concept):
        raise MeaningsError(
            f"--measure chooses cells for one table of rows: leave {MEASURE} in the name, --means "
            "and --by-concept out"
        )
    if layers and (means or by_concept):
        raise MeaningsError("--means and --by-concept have all layers: leave --layers out")


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
            "--published",
            help="Published table to export, instead of measured cells.",
            show_default=False,
            autocompletion=completion.tables,
        ),
    ] = None,
    licence: Annotated[
        str,
        typer.Option(
            help="Hugging Face identifier of the data's licence; without it you fill it in later."
        ),
    ] = "",
    words: Annotated[
        bool,
        typer.Option(
            "--words", help="Include the words of your own lexicon. Only if you may share them."
        ),
    ] = False,
    out: Out = RESULTS,
) -> None:
    """Export results as tidy CSV or as a data set with a data card."""
    from meanings.study.export import export as write

    if table is not None and grids:
        raise MeaningsError(
            "--published names a table, and grids name measured cells: give one of them"
        )
    how = {"layout": layout, "licence": licence, "words": words}
    with working(f"data set {folder}"):
        keys = None if table is not None else finished_keys(grids or (None,), out)
        lines = list(write(folder, out, keys, table=table, **how))
    for line in lines:
        typer.echo(line)


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


def parse_layers(text: str) -> tuple[int, ...]:
    """`1,2` as (1, 2). Raises MeaningsError where it is no such list."""
    if not re.fullmatch(r"[0-9]{1,4}(,[0-9]{1,4})*", text):
        raise MeaningsError(
            f"--layers {text[:60]!r}: expected layers from 0, separated by commas, such as 1,2"
        )
    return tuple(int(number) for number in text.split(","))
