"""A process that has imported what costs most, and forks servers of its own kind; each forks a
fresh `meanings` command for each line of its input.

What costs most in a short run is importing torch and transformers; a fork has them at once. The
first process (`first`) has imported only what reads no setting of this project or of the hub: a
server that it forks has an environment of its own, and is either bare like it, so that its forks
import the hub's client and read its settings for themselves, or warm: then it has imported
everything.

A line to the first process is JSON: `server` ("bare" or "warm"), its whole `environment`, and the
two named pipes `asks` and `answers`.

A line to a server is JSON: the folder, the command's arguments, and optionally

- `code`: Python code to run instead of the command;
- `environment`: variables that the child has besides its parent's;
- `torn`: the number of the Parquet file in whose middle the child kills itself, after half of its
  bytes are on disk;
- `interrupted`: the number of the file before which it interrupts itself;
- `room`: the size in bytes that no file may exceed;
- `copies`: how many run the command at the same time;
- `log`: a file with a line for each group that one of two copies measures, the first only when both
  have begun.

Answers are lines too: the child's process id when it starts, its exit status (-9 where it was
killed), its standard output and its standard error when it ends. Each child leads a process group
of its own.
"""

import gc
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import TextIO

COMMAND = "from meanings.cli.main import main; main()"


def tear(cell_files, number: int) -> None:
    """Let the `number`-th table that is written be half of it, and its writer be killed there."""
    write, written = cell_files.pq.write_table, []

    def torn(table, path, **settings):
        write(table, path, **settings)
        written.append(path)
        if len(written) == number:
            os.truncate(path, os.path.getsize(path) // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    cell_files.pq.write_table = torn


def interrupt(cell_files, number: int) -> None:
    """Let the process be interrupted, as from the keyboard, before it writes the `number`-th
    table.
    """
    write, written = cell_files.pq.write_table, []

    def interrupted(table, path, **settings):
        written.append(path)
        if len(written) == number:
            os.kill(os.getpid(), signal.SIGINT)
        write(table, path, **settings)

    cell_files.pq.write_table = interrupted


def note_groups(log: Path) -> None:
    """Write each group that is measured down; two processes begin together."""
    from meanings.measures.patching import Patching

    measure = Patching.measure

    def noted(self, model, data, requests, shared):
        with log.open("a") as file:
            file.write(f"{os.getpid()} {model.weights_sha256} {requests[0].pair}\n")
        while len({line.split()[0] for line in log.read_text().splitlines()}) < 2:
            time.sleep(0.01)
        return measure(self, model, data, requests, shared)

    Patching.measure = noted


def exit_code(code: str, arguments: list[str]) -> int:
    """Run Python code as a program; the status that it ends with."""
    sys.argv = ["meanings", *arguments]
    try:
        exec(code, {"__name__": "__main__"})
    except SystemExit as end:
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def child(asked: dict, cell_files, out: int, err: int) -> int:
    """What a fork does; its exit status. Output goes to the two files."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.environ.update(asked.get("environment", {}))
    os.chdir(asked["folder"])
    if asked.get("torn"):
        tear(cell_files, asked["torn"])
    if asked.get("interrupted"):
        interrupt(cell_files, asked["interrupted"])
    if asked.get("log"):
        note_groups(Path(asked["log"]))
    if asked.get("room"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["room"], asked["room"]))
    others = [pid for _ in range(asked.get("copies", 1) - 1) if (pid := os.fork())]
    status = exit_code(asked.get("code", COMMAND), asked["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    return max(status, *(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in others), 0)


def import_first() -> None:
    """Import what a study imports and what reads no setting of the hub."""
    import dask  # noqa: F401
    import jaxtyping  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import pydantic  # noqa: F401
    import rich  # noqa: F401
    import safetensors.torch  # noqa: F401
    import scipy.optimize
    import scipy.stats  # noqa: F401
    import tokenizers  # noqa: F401
    import torch._dynamo
    import torch.distributed.tensor
    import torch.export
    import typer  # noqa: F401
    import yaml  # noqa: F401

    torch.set_num_threads(1)
    assert not {"huggingface_hub", "transformers", "meanings"} & set(sys.modules)


def warm() -> None:
    """Import the rest of what a study imports, also what it does at the first use only."""
    from huggingface_hub import HfApi, scan_cache_dir, snapshot_download  # noqa: F401

    from meanings.cli import main  # noqa: F401
    from meanings.study import run
    from meanings.study.grid import Grid

    grid = Grid(
        checkpoints=2,
        pairs=("fr-es",),
        conditions=("tgt", "tgt_unpatched"),
        n_pairs=2,
        shots=1,
        generate=2,
    )
    with tempfile.TemporaryDirectory() as folder:
        run.run_study(grid, Path(folder), progress=False)


def serve(asks: TextIO, answers: TextIO, kind: str) -> None:
    """Run a command for each line of `asks`, as a server of this kind, until there is none."""
    gc.disable()  # what is imported stays
    cell_files = None
    if kind == "warm":
        warm()
        from meanings.measures import cell_files
    gc.freeze()
    gc.enable()
    print("ready", file=answers, flush=True)
    for line in asks:
        asked = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = os.fork()
            if not process:
                os._exit(child(asked, cell_files, out.fileno(), err.fileno()))
            print(process, file=answers, flush=True)
            _, status = os.waitpid(process, 0)
            said = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode())
        ended = [os.waitstatus_to_exitcode(status), *said]
        print(json.dumps(ended), file=answers, flush=True)


def first() -> None:
    """Fork a server for each line of the input."""
    gc.disable()
    import_first()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if not os.fork():
            sys.stdin.close()
            os.environ.clear()
            os.environ.update(asked["environment"])
            with open(asked["asks"]) as asks, open(asked["answers"], "w") as answers:
                serve(asks, answers, asked["server"])
            os._exit(0)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    first()
