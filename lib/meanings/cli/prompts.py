"""Prompts that several models share, on the command line: `meanings prompts`."""

from pathlib import Path
from typing import Annotated

import typer

from meanings.cli.grids import grid_from
from meanings.cli.options import (
    GridFile,
    Offline,
    stay_offline,
)

app = typer.Typer(no_args_is_help=True, help="Write prompts that several models share.")


@app.command("write")
def prompts_write(
    file: Annotated[
        Path, typer.Argument(help="JSON file to write; a grid names it as `prompts: FILE`.")
    ],
    grid: GridFile = None,
    models: Annotated[
        str,
        typer.Option(
            help="Models, separated by commas; concept pairs must suit every model's tokenizer. "
            "Default: the grid's model.",
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
