"""The command line: `meanings study | chapter | book | pdf | slides | claims | publish | export |
annotate | models | measures | checkpoints | recovery | budget | prompts | targeted | lexicon |
miniature | validity | gemma`.

Thin over the library, one module per group of commands. What a user can mend is one line on
standard error and exit code 2, and nothing is written.
"""

import os
import sys
import warnings
from typing import NoReturn

import typer
import typer.core

from meanings.cli import (
    annotate,
    book,
    lexicon,
    miniature,
    models,
    prompts,
    publishing,
    study,
    targeted,
    validity,
)
from meanings.core.errors import MeaningsError
from meanings.models.own_models import own_file


class Commands(typer.core.TyperGroup):
    """All commands. Without any, the first steps are shown."""

    def parse_args(self, ctx, args: list[str]) -> list[str]:
        """Show the first steps where the command line is empty; else parse it."""
        if not args and not ctx.resilient_parsing:
            typer.echo(first_steps())
            ctx.exit()
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Commands,
    pretty_exceptions_enable=False,
    help="Measure shared concept spaces in multilingual language models over training.",
)
# What a new user needs, in the order in which they need it.
FIRST = {
    book.book: "measure, execute the chapters, render _build/html/index.html",
    book.chapter: "one chapter with your parameters: meanings chapter emergence pair=fr-es",
    study.study: "measure a grid of your own: meanings study GRID.yaml --dry-run says how long",
    models.models: "the models that you can name, and where they are",
    publishing.export: "results as CSV or as a data set: meanings export FOLDER --format csv",
}
OTHERS = (
    book.pdf,
    book.slides,
    models.measures,
    models.checkpoints,
    models.recovery,
    models.budget,
    models.gemma,
    publishing.publish,
    validity.claims,
)
for command in FIRST:
    app.command(rich_help_panel="First")(command)
for command in OTHERS:
    app.command(rich_help_panel="Others")(command)
app.command("reach", hidden=True, help="The same as `meanings recovery`.")(models.recovery)
for name, group in {
    "lexicon": lexicon,
    "miniature": miniature,
    "prompts": prompts,
    "targeted": targeted,
    "annotate": annotate,
    "validity": validity,
}.items():
    app.add_typer(group.app, name=name, rich_help_panel="Groups of commands")


def first_steps() -> str:
    """The five commands that a new user needs, a line each, and how to see the rest."""
    lines = [f"  meanings {command.__name__:<9}{text}" for command, text in FIRST.items()]
    return "\n".join(
        (
            "When do a multilingual model's languages come to share concepts? Five commands:",
            "",
            *lines,
            "",
            "All commands: meanings --help. One of them: meanings study --help.",
            "Completion with the tab key: meanings --install-completion.",
        )
    )


def main() -> None:
    """Run the command line; a user's error is one line and exit code 2, an interruption one line
    and exit code 130; a warning is one line, too.
    """
    warnings.formatwarning = lambda message, *_: f"warning: {MeaningsError(message)}\n"
    try:
        own = own_file()
        if own is not None:  # notebooks run in other folders
            os.environ["MEANINGS_MODELS"] = str(own.resolve())
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        code = 130
    except MeaningsError as error:
        end(f"error: {error}", 2)
    except typer.TyperException as error:
        if not error.format_message():  # a group without a command has shown its help
            sys.exit(2)
        end(usage(error), 2)
    except OSError as error:  # what no room of the library has said better
        place = f"{error.filename}: " if error.filename else ""
        cure = "check the path, its permissions and the free disk space"
        end(f"error: {MeaningsError(f'{place}{error.strerror or error}; {cure}')}", 2)
    if code == 130:
        end("interrupted: finished work is kept; run the same command again to resume", 130)
    sys.exit(code if isinstance(code, int) else 0)


def usage(error: typer.TyperException) -> str:
    """What is wrong with a command line, in one line."""
    context = getattr(error, "ctx", None)
    cure = f"; '{context.command_path} --help' says what is allowed" if context else ""
    return f"error: {MeaningsError(error.format_message().rstrip('.') + cure)}"


def end(line: str, code: int) -> NoReturn:
    """End the process with a line on standard error and an exit code."""
    print(line, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
