"""Commands run as forks of a process that has imported what costs most (see `fork_server.py`)."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).parents[2]


class ForkServer:
    """A server and its forks, one at a time.

    - `environment`: of the server and of its forks, all of it. What a library reads at its import
      it reads here, once.
    - `bare`: the library and the hub's client are imported by each fork for itself, which reads
      its own environment.
    """

    def __init__(self, environment: Mapping[str, str], *, bare: bool = False) -> None:
        with tempfile.TemporaryDirectory() as folder:
            asks, answers = (os.path.join(folder, name) for name in ("asks", "answers"))
            os.mkfifo(asks)
            os.mkfifo(answers)
            asked = {"server": "bare" if bare else "warm", "environment": dict(environment)}
            print(json.dumps(asked | {"asks": asks, "answers": answers}), file=first(), flush=True)
            self._asks, self._answers = open(asks, "w"), open(answers)
        assert self._answers.readline() == "ready\n"

    def start(self, folder: Path, *arguments: object, **settings: object) -> int:
        """Start a command in a folder; its process id."""
        asked = {
            "folder": str(folder),
            "arguments": [str(argument) for argument in arguments],
            **settings,
        }
        print(json.dumps(asked), file=self._asks, flush=True)
        return int(self._answers.readline())

    def end(self) -> tuple[int, str, str]:
        """Wait for it: exit code (-9 where it was killed), standard output and standard error."""
        code, out, err = json.loads(self._answers.readline())
        return code, out, err

    def run(self, folder: Path, *arguments: object, **settings: object) -> tuple[int, str, str]:
        """Start a command and wait for it."""
        self.start(folder, *arguments, **settings)
        return self.end()

    def close(self) -> None:
        """End the server."""
        self._asks.close()
        self._answers.close()


RUN_MODULE = """
import runpy, sys
sys.path.insert(0, "")
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


def run_module(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run` gives of a Python with `-m`, from a fork in the project's folder."""
    server = ForkServer(os.environ, bare=True)
    code, out, err = server.run(ROOT, *command[2:], code=RUN_MODULE)
    server.close()
    assert code == 0, err
    return subprocess.CompletedProcess(command, code, out, err)


@cache
def first() -> TextIO:
    """The input of this process's first process, which lives as long as this one."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("fork_server.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    # Before any pipe is opened: that of a process that has failed would be waited for for ever.
    assert process.stdout.readline() == "ready\n"

    def end() -> None:
        process.stdin.close()
        process.stdout.close()
        process.wait()

    atexit.register(end)
    return process.stdin
