"""Chapters, the book, its PDF and slides on the command line: `meanings chapter | book | pdf |
slides`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from meanings.cli import completion
from meanings.cli.grids import grid_from
from meanings.cli.options import RESULTS, Device, Out, Workers
from meanings.cli.progress import on_terminal, working
from meanings.cli.workers import workers_at
from meanings.core.status_line import Report, unreported


def chapter(
    name: Annotated[
        str,
        typer.Argument(
            help=f"Chapter: {', '.join(completion.CHAPTERS)}.", autocompletion=completion.chapters
        ),
    ],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(
            help="name=value; lists with commas: pair=fr-es,es-fr prompt_seed=1", show_default=False
        ),
    ] = None,
    out: Out = RESULTS,
    device: Device = "auto",
    workers: Workers = None,
    help_parameters: Annotated[
        bool, typer.Option("--parameters", help="List the chapter's parameters.")
    ] = False,
) -> None:
    """Measure what a chapter needs and execute it with other parameters."""
    from meanings.book import build as pages
    from meanings.book.chapters import help_text, parse_assignments

    if help_parameters:
        typer.echo(help_text(name))
        return
    assignments = list(parameters or ())
    asked = parse_assignments(name, assignments)
    root = pages.project_root()
    measure_missing(_grids([asked]), out, workers, device)
    with working(name) as report:
        page = pages.build_chapter(name, assignments, root, out.resolve(), *_reports(report))
    typer.echo(page)


def book(out: Out = RESULTS, device: Device = "auto", workers: Workers = None) -> None:
    """Measure the default grid, execute the chapters and render _build/html/index.html."""
    from meanings.book import build as pages

    root = pages.project_root()
    _measure_for_the_book(root, out, workers, device)
    with working("book") as report:
        page = pages.build_book(root, out.resolve(), *_reports(report))
    typer.echo(page)


def slides(out: Out = RESULTS, device: Device = "auto", workers: Workers = None) -> None:
    """Write the lecture's slides, _build/slides/index.html, from the book's figures and claims.

    Measures and executes what is missing, as `book` does, of the pages that the slides show.
    """
    from meanings.book.build import project_root
    from meanings.book.slides import build_slides, check_packages

    check_packages()
    root = project_root()
    _measure_for_the_book(root, out, workers, device)
    with working("slides") as report:
        page = build_slides(root, out.resolve(), _reports(report)[0])
    typer.echo(page)


def _measure_for_the_book(root: Path, out: Path, workers: int | None, device: str) -> None:
    from meanings.book.chapter_parameters import CHAPTERS
    from meanings.book.chapters import read_parameters

    files = [(name, root / "book" / "parameters" / f"{name}.yaml") for name in CHAPTERS]
    asked = [read_parameters(name, file) for name, file in files if file.is_file()]
    measure_missing([grid_from(None), *_grids(asked)], out, workers, device)


def _reports(report: Report) -> tuple[Callable[[str], object], Report]:
    """Where a build tells its steps and what it does within one: on a terminal both take one line,
    elsewhere each step is printed.
    """
    return (report, report) if on_terminal() else (typer.echo, unreported)


def pdf(
    out: Annotated[
        Path | None,
        typer.Option(help="File to write instead of _build/book.pdf.", show_default=False),
    ] = None,
) -> None:
    """Print the rendered book as one PDF, with Chromium."""
    from meanings.book.build import project_root
    from meanings.book.printing import print_book

    root = project_root()
    with working("pdf") as report:
        file = print_book(root, out or root / "_build" / "book.pdf", report=_reports(report)[0])
    typer.echo(file)


def _grids(asked: list) -> list:
    """The grids of chapters, but for those whose published tables hold all that they read."""
    from meanings.book.chapter_parameters import grid_of
    from meanings.book.companion_pages import is_shipped

    return [grid_of(parameters) for parameters in asked if not is_shipped(parameters)]


def measure_missing(grids: list, out: Path, workers: int | None, device: str) -> None:
    """Measure what is missing of the grids, with as many processes as the machine has use for where
    no number is given.
    """
    from meanings.study.plan import plan_study
    from meanings.study.run import run_plan

    with working("planning"):
        plans = [plan_study(grid, out) for grid in grids]
    for note in dict.fromkeys(note for plan in plans for note in plan.notes):
        typer.echo(f"note: {note}", err=True)
    tasks = max((len(plan.tasks) for plan in plans), default=0)
    if not tasks:
        return
    from meanings.study.executors import default_workers

    count = default_workers(tasks) if workers is None and device == "auto" else workers
    with workers_at(device, None if count == 1 else count) as executor:
        for plan in plans:
            run_plan(plan, out, device=device, executor=executor)
