"""Several commands of `meanings` in one new process, which imports torch once."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SCRIPT = """
import contextlib, io, json, sys
from meanings.cli.main import main
for words in json.loads(sys.argv[1]):
    out, err, sys.argv = io.StringIO(), io.StringIO(), ["meanings", *words]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main()
        except SystemExit as end:
            code = end.code
    print(json.dumps([code or 0, out.getvalue(), err.getvalue()]), flush=True)
"""


class Said(NamedTuple):
    """What a command ended with and wrote."""

    code: int
    out: str
    err: str


def run_all(
    commands: Sequence[Sequence[str]], folder: Path, environment: Mapping[str, str]
) -> list[Said]:
    """Run commands in a folder, with this environment, all of it."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([list(words) for words in commands])],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [Said(*json.loads(line)) for line in done.stdout.splitlines()]
