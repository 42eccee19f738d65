"""Commands run as forks of one process that has imported everything (see `fork_server.py`)."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


class ForkServer:
    """A warmed process and its forks, one at a time.

    - `environment`: of the process and of its forks, all of it. What a library reads at its import
      it reads here, once.
    - `bare`: the library and the hub's client are imported by each fork for itself, which reads
      its own environment.
    """

    def __init__(self, environment: Mapping[str, str], *, bare: bool = False) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("fork_server.py")), *["bare"] * bare],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env=dict(environment),
        )  # fmt: skip
        assert self._process.stdout.readline() == "warm\n"

    def start(self, folder: Path, *arguments: object, **settings: object) -> int:
        """Start a command in a folder; its process id."""
        asked = {
            "folder": str(folder),
            "arguments": [str(argument) for argument in arguments],
            **settings,
        }
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> tuple[int, str, str]:
        """Wait for it: exit code (-9 where it was killed), standard output and standard error."""
        code, out, err = json.loads(self._process.stdout.readline())
        return code, out, err

    def run(self, folder: Path, *arguments: object, **settings: object) -> tuple[int, str, str]:
        """Start a command and wait for it."""
        self.start(folder, *arguments, **settings)
        return self.end()

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
