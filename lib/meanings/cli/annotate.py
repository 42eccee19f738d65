"""Annotation on the command line: `meanings annotate export | import | agreement`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from meanings.cli.options import Json
from meanings.cli.progress import working
from meanings.core.errors import MeaningsError

app = typer.Typer(
    no_args_is_help=True,
    help="Annotate answers: draw a sample, import completed sheets, report agreement.",
)
Gold = Annotated[
    Path, typer.Argument(help="Folder with sample.csv, key.csv and the annotators' passes.")
]


@app.command("export")
def export(
    out: Annotated[
        Path, typer.Argument(help="Folder for the sheet, the Label Studio tasks and the key.")
    ],
    n: Annotated[int, typer.Option(help="Number of answers to draw.")] = 600,
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", help="Published table; may be repeated.", show_default=False),
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(help="Results folder; may be repeated.", show_default=False),
    ] = None,
    conditions: Annotated[
        str | None,
        typer.Option(help="Conditions, separated by commas; default: all.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
    lexicon: Annotated[
        str, typer.Option(help="Lexicon of the answers: embedded, or a file.")
    ] = "embedded",
) -> None:
    """Draw a stratified sample of answers as blind sheets, with its key apart."""
    from meanings.labels.annotation.sample import draw, questions
    from meanings.labels.annotation.sheets import write_sample
    from meanings.lexicon.lexicon import load_lexicon
    from meanings.lexicon.relations import load_relations
    from meanings.measures.results import published, read_cells
    from meanings.patching.conditions import condition

    tables_read = [published(name) for name in tables or ()]
    tables_read += [read_cells(folder) for folder in results or ()]
    chosen = None
    if conditions is not None:
        chosen = [condition(name.strip()).name for name in conditions.split(",")]
    rows = answered_rows(tables_read, chosen)
    words = load_lexicon(lexicon)
    drawn = draw(questions(rows, words, load_relations(), seed), n, seed)
    for path in write_sample(out, drawn, words):
        typer.echo(path)
    counts = drawn.groupby(["model", "label"], observed=False).size().unstack(fill_value=0)
    typer.echo(counts.T.to_string())
    if not (drawn["shots"] != "").all():
        typer.echo(
            f"{int((drawn['shots'] == '').sum())} answers do not say their few-shot examples "
            "(older files), so none of these is labelled few_shot"
        )


def answered_rows(tables: list, conditions: list[str] | None):
    """The rows of all tables that have an answer, under these conditions or under any.

    Raises MeaningsError where there is no table.
    """
    import pandas as pd

    if not tables:
        raise MeaningsError(
            "nothing to draw from: name a published table with --table, or a folder of results "
            "with --results"
        )
    found = []
    for rows in tables:
        rows = rows[rows["answer"].notna()]
        if conditions is not None:
            rows = rows[rows["condition"].isin(conditions)]
        categories = [column for column in rows if rows[column].dtype == "category"]
        found.append(rows.astype(dict.fromkeys(categories, object)))
    return pd.concat(found, ignore_index=True)


@app.command("import")
def take_in(
    folder: Gold,
    sheets: Annotated[
        list[Path],
        typer.Argument(
            help="Completed sheets as CSV, one per annotator; a pass has its file's name."
        ),
    ],
    keep: Annotated[
        bool, typer.Option("--keep", help="List invalid rows, but end with exit code 0.")
    ] = False,
) -> None:
    """Import completed sheets. Valid rows are kept; invalid rows are listed, stored separately, and
    give exit code 2.
    """
    from meanings.labels.annotation.gold import take_in as take

    taken, bad = take(folder, sheets)
    for name, n in taken.items():
        typer.echo(f"{name}: {n} answers")
    for row in bad:
        typer.echo(str(row), err=True)
    if bad:
        typer.echo(
            f"{len(bad)} invalid rows, kept in <annotator>.rejected; correct them in the sheet and "
            "import it again",
            err=True,
        )
        if not keep:
            sys.exit(2)


@app.command("agreement")
def report(
    folder: Gold = Path("data/annotation/gold"),
    as_json: Json = False,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    again: Annotated[
        bool,
        typer.Option(
            "--relabel",
            help="Label again by the current rules, not with the labels stored in the key.",
        ),
    ] = False,
    lexicon: Annotated[
        str, typer.Option(help="Lexicon of the answers, for --relabel.")
    ] = "embedded",
) -> None:
    """Report Krippendorff's alpha between the passes, and precision and recall of the automatic
    labels against their consensus.
    """
    from meanings.labels.annotation.agreement import agreement, trained_languages
    from meanings.labels.annotation.gold import read_key, read_passes, read_sample
    from meanings.labels.annotation.sample import relabelled
    from meanings.lexicon.lexicon import load_lexicon
    from meanings.lexicon.relations import load_relations

    passes, key = read_passes(folder), read_key(folder)
    if again:
        sheet = read_sample(folder)
        key = relabelled(
            key,
            dict(zip(sheet["id"], sheet["answer"], strict=True)),
            load_lexicon(lexicon),
            load_relations(),
            {name: trained_languages(name) for name in key["model"].unique()},
        )
    with working("agreement"):
        found = agreement(passes, key, seed=seed)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
        return
    typer.echo(f"{len(passes)} passes: {', '.join(passes)}")
    typer.echo(
        f"{found.answers} answers, alpha {found.alpha:.3f} (95 % interval {found.low:.3f} to "
        f"{found.high:.3f})"
    )
    typer.echo(
        f"{found.undecided} answers without a consensus are left out below; precision and recall "
        "are weighted to the tables' rows"
    )
    typer.echo(found.classes.to_string(float_format="{:.3f}".format))
    typer.echo(f"macro F1 {found.macro_f1:.3f}")
