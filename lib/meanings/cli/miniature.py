"""The small model that the study ships, on the command line: `meanings miniature train | long-run |
worlds | shares | reinitialise | report`.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from meanings.cli.options import Json, Quiet, TrainingSeed
from meanings.cli.progress import working
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder

app = typer.Typer(
    no_args_is_help=True, help="Train and report the small model that ships with the study."
)


@app.command("train")
def train(
    seed: TrainingSeed = 0,
    world: Annotated[
        str | None,
        typer.Option(
            help="Short variant to train instead, named in worlds.yaml, such as parallel-5.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the trajectories; default: data/miniature or _build/worlds/WORLD.",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train the miniature from step 0. After an interruption the same command resumes."""
    from meanings.lexicon.lexicon import load_lexicon
    from meanings.miniature.corpus import load_corpus
    from meanings.miniature.recipe import load_mix
    from meanings.miniature.training import train as train_miniature
    from meanings.miniature.worlds import load_world

    if seed < 0:
        raise MeaningsError(f"--seed {seed}: a seed is 0 or more")
    recipe = data_folder() / "miniature"
    mix = load_mix(recipe / "mix.yaml") if world is None else load_world(recipe, world).mix
    corpus = load_corpus(recipe, mix, load_lexicon("embedded"))
    place = out or (recipe if world is None else Path("_build/worlds") / world)
    typer.echo(train_miniature(corpus, seed, place, progress=not quiet, name=world or "miniature"))


@app.command("long-run")
def long_run(
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for two trajectories: trunk (no decay) and finished (after a decay)."
        ),
    ] = Path("_build/long-run"),
    quiet: Quiet = False,
) -> None:
    """Train the shipped miniature on to 30,000 steps with short decays, measure it and publish the
    table. After an interruption the same command resumes.
    """
    from meanings.lexicon.lexicon import load_lexicon
    from meanings.miniature.corpus import load_corpus
    from meanings.miniature.long_run import load_long_run, train_long_run
    from meanings.miniature.long_run_table import publish_long_run
    from meanings.miniature.recipe import load_mix

    recipe = data_folder() / "miniature"
    corpus = load_corpus(recipe, load_mix(recipe / "mix.yaml"), load_lexicon("embedded"))
    plan = load_long_run(recipe)
    train_long_run(plan, corpus, recipe / "seed-0", out, progress=not quiet)
    typer.echo(publish_long_run(out, progress=not quiet))


@app.command("worlds")
def worlds(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Worlds of worlds.yaml; all without one.", show_default=False),
    ] = None,
    seeds: Annotated[str, typer.Option(help="Training seeds, by commas.")] = "0,1,2",
    out: Annotated[
        Path, typer.Option(help="Folder of the training runs and of their results.")
    ] = Path("_build/worlds"),
    workers: Annotated[
        int | None,
        typer.Option(help="Processes side by side; one a core without it.", min=1),
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Write the published tables of these worlds' bases.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Train worlds of worlds.yaml (some minutes each) and measure what is asked of them. What is
    already there is not done again. After an interruption the same command resumes.
    """
    import os

    from meanings.miniature.world_queue import finish_runs
    from meanings.miniature.world_tables import publish_worlds
    from meanings.miniature.worlds import load_world, world_names

    recipe = data_folder() / "miniature"
    chosen = tuple(dict.fromkeys(names or world_names(recipe)))
    numbers = _seeds(seeds)
    bases = dict.fromkeys(load_world(recipe, name).base for name in chosen)
    for home in finish_runs(out, chosen, numbers, workers or os.cpu_count() or 1, not quiet):
        typer.echo(home)
    for base in bases if publish else ():
        with working(f"tables of {base}", quiet):
            paths = list(publish_worlds(out, base, numbers))
        for path in paths:
            typer.echo(path)


def _seeds(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise MeaningsError(f"--seeds {text!r}: numbers of 0 or more by commas, such as 0,1,2")
    return tuple(dict.fromkeys(map(int, parts)))


@app.command("shares")
def shares() -> None:
    """Count each language's words and tokens in the training text and write them as a table."""
    from tokenizers import Tokenizer

    from meanings.lexicon.lexicon import load_lexicon
    from meanings.miniature.corpus import load_corpus
    from meanings.miniature.recipe import load_mix
    from meanings.miniature.text_shares import count_text, write_shares

    recipe = data_folder() / "miniature"
    corpus = load_corpus(recipe, load_mix(recipe / "mix.yaml"), load_lexicon("embedded"))
    tokenizer = Tokenizer.from_file(str(recipe / "seed-0" / "tokenizer" / "tokenizer.json"))
    with working("training text"):
        table = count_text(corpus, tokenizer)
    typer.echo(table.round(3).to_string(index=False))
    typer.echo(write_shares(table))


@app.command("reinitialise")
def reinitialise(
    source: Annotated[
        list[str] | None,
        typer.Option(help="Language of the short training; may be repeated. [default: en, ru]"),
    ] = None,
    block: Annotated[
        list[int] | None,
        typer.Option(
            help="Block to reset, from 1; may be repeated; default: all.", show_default=False
        ),
    ] = None,
    draws: Annotated[
        int, typer.Option(help="Number of draws of held-out concepts and text.", min=1)
    ] = 2,
    seed: TrainingSeed = 0,
    quiet: Quiet = False,
) -> None:
    """Reset one block to its weights at step 0, train 200 steps on associations in one language,
    with and without the reset, and publish scores on held-out associations. After an
    interruption the same command resumes.
    """
    from meanings.core.status_line import StatusLine, Watched
    from meanings.lexicon.lexicon import load_lexicon
    from meanings.miniature.corpus import load_corpus
    from meanings.miniature.recipe import load_mix
    from meanings.miniature.reinitialisation_table import publish_reinitialisation
    from meanings.models.checkpoints import trajectory

    recipe = data_folder() / "miniature"
    corpus = load_corpus(recipe, load_mix(recipe / "mix.yaml"), load_lexicon("embedded"))
    blocks = block or range(1, corpus.mix.model.num_hidden_layers + 1)
    run = trajectory("miniature", seed)
    watched = Watched(f"{run.model}, training seed {seed}")
    with StatusLine(watched.text, shown=not quiet):
        path = publish_reinitialisation(
            run, corpus, source or ["en", "ru"], draws, blocks, watched.report
        )
    typer.echo(path)


@app.command("report")
def report(
    as_json: Json = False,
) -> None:
    """Print the miniature's main results from the published tables."""
    from meanings.miniature.report import report_json, report_table

    with working("report"):
        said = json.dumps(report_json()) if as_json else report_table().to_string(index=False)
    typer.echo(said)
