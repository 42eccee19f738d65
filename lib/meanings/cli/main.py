"""The command line: `meanings study | chapter | book | pdf | claims | publish | export | annotate |
models | measures | checkpoints | recovery | budget | prompts | targeted | lexicon | miniature |
validity | gemma`.

Thin over the library, one module per group of commands. What a user can mend is one line on
standard error and exit code 2, and nothing is written.
"""

import os
import sys
import warnings
from typing import NoReturn

import typer

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
from meanings.models.registry import own_file

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Measure shared concept spaces in multilingual language models over training.",
)
for command in (
    study.study,
    publishing.publish,
    publishing.export,
    book.chapter,
    book.book,
    book.pdf,
    models.models,
    models.measures,
    models.checkpoints,
    models.recovery,
    models.budget,
    models.gemma,
    validity.claims,
):
    app.command()(command)
app.command("reach", hidden=True, help="The same as `meanings recovery`.")(models.recovery)
app.add_typer(lexicon.app, name="lexicon")
app.add_typer(miniature.app, name="miniature")
app.add_typer(prompts.app, name="prompts")
app.add_typer(targeted.app, name="targeted")
app.add_typer(annotate.app, name="annotate")
app.add_typer(validity.app, name="validity")


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
        if not error.format_message():  # no command was given, and the help has been shown
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
