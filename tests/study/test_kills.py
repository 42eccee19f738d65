"""A run that is killed -9 at any moment and started again ends in the same bytes as one that was
left alone.

MEANINGS_KILLS=50 sets how many moments are drawn. `python tests/test_kills.py 50` runs them and
says what they met.
"""

import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from meanings.measures.cell_files import METADATA, cell_path, finished
from meanings.measures.results import read_cells
from stand_ins.forks import ForkServer

KILLS = int(os.environ.get("MEANINGS_KILLS", "5"))
GRID = """
checkpoints: 3
pairs: [fr-es, de-en]
n_pairs: 6
shots: 2
generate: 3
"""
CELLS = 51


class Nursery(ForkServer):
    """Forks of one warmed process that run `meanings` in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        own = {"MEANINGS_DATA": str(folder / "data"), "OMP_NUM_THREADS": "1"}
        super().__init__(os.environ | own | {"TOKENIZERS_PARALLELISM": "false"})

    def start(self, *arguments: object, **settings: object) -> int:
        """Start a command; its process id."""
        return super().start(self.folder, *arguments, **settings)

    def end(self) -> tuple[int, str]:
        """Wait for it: exit code (-9 where it was killed) and standard error."""
        code, _, said = super().end()
        return code, said

    def run(self, *arguments: object, **settings: object) -> tuple[int, str]:
        self.start(*arguments, **settings)
        return self.end()


class Undisturbed:
    """A finished run: how long it took, and the bytes of its tables and of what is published."""

    def __init__(self, nursery: Nursery) -> None:
        self.nursery, self.out = nursery, nursery.folder / "undisturbed"
        start = time.monotonic()
        assert nursery.run("study", "grid.yaml", "--quiet", "--out", self.out) == (0, "")
        self.seconds = time.monotonic() - start
        self.files = table_bytes(self.out)
        self.published = published_bytes(nursery, self.out)


def table_bytes(out: Path) -> dict[str, bytes]:
    """Each cell's rows as Arrow bytes, and whole: the table that is read."""
    found = {}
    for key in sorted(finished(out)):
        table = pq.read_table(cell_path(out, key))
        said = json.loads(table.schema.metadata[METADATA])
        del said["provenance"]["seconds"]
        found[key] = (
            json.dumps(said).encode()
            + table.replace_schema_metadata(None).to_pandas().to_csv(float_format="%.9g").encode()
        )
        found[f"{key} columns"] = b"".join(
            bytes(b)
            for column in table.columns
            for chunk in column.chunks
            for b in chunk.buffers()
            if b
        )
    found["read"] = read_cells(out).to_csv(float_format="%.9g").encode()
    return found


def published_bytes(nursery: Nursery, out: Path) -> dict[str, bytes]:
    """What is published from the cells, and from those of one checkpoint as means."""
    (nursery.folder / "one.yaml").write_text(GRID + "steps: [20]\n")
    assert nursery.run("publish", "trial", "grid.yaml", "--out", out) == (0, "")
    assert nursery.run("publish", "trial-means", "one.yaml", "--means", "--out", out) == (0, "")
    folder = nursery.folder / "data" / "published"
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def leftovers(out: Path) -> list[Path]:
    """Cells that are half written."""
    return list(out.glob("??/*.aside"))


def kill(nursery: Nursery, out: Path, moment: float, in_a_write: bool) -> str:
    """Start a run, kill it `moment` seconds later (or when a file is next being written), and say
    what it was doing.
    """
    process = nursery.start("study", "grid.yaml", "--quiet", "--out", out)
    start = time.monotonic()
    time.sleep(moment)
    while (
        in_a_write
        and not leftovers(out)
        and len(finished(out)) < CELLS
        and time.monotonic() < start + 60
    ):
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    code, said = nursery.end()
    assert code in (0, -9), said
    return met(out)


def met(out: Path) -> str:
    """What a run was doing when it ended."""
    if leftovers(out):
        return "within a write"
    return {0: "before the first write", CELLS: "after the last write"}.get(
        len(finished(out)), "between two writes"
    )


def goes_on(nursery: Nursery, out: Path, undisturbed: Undisturbed) -> None:
    """Run what was killed to its end and compare."""
    there = {key: cell_path(out, key).read_bytes() for key in finished(out)}
    assert nursery.run("study", "grid.yaml", "--quiet", "--out", out) == (0, "")
    assert not leftovers(out) and len(finished(out)) == CELLS == sum(
        file.is_file() for file in out.rglob("*")
    )
    assert all(
        cell_path(out, key).read_bytes() == content for key, content in there.items()
    )  # nothing is measured twice
    found = table_bytes(out)
    assert set(found) == set(undisturbed.files)
    assert not [name for name, content in found.items() if content != undisturbed.files[name]]


def moments(count: int, seconds: float) -> list[tuple[float, bool]]:
    """`count` moments in a run of so many seconds, from a seeded generator; every third waits for
    the next write.
    """
    draw = random.Random(20260122)
    return [(draw.uniform(0, seconds), i % 3 == 2) for i in range(count)]


@contextlib.contextmanager
def small_study(folder: Path):
    from stand_ins.study_data import make_world

    make_world(folder / "data")
    (folder / "grid.yaml").write_text(GRID)
    nursery = Nursery(folder)
    try:
        yield Undisturbed(nursery)
    finally:
        nursery.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    with small_study(tmp_path_factory.mktemp("kills")) as whole:
        yield whole


@pytest.mark.parametrize("number", range(KILLS))
def test_a_run_killed_at_a_random_moment_ends_in_the_same_bytes(undisturbed, tmp_path, number):
    kill(undisturbed.nursery, tmp_path / "out", *moments(KILLS, undisturbed.seconds)[number])
    goes_on(undisturbed.nursery, tmp_path / "out", undisturbed)


def test_a_run_killed_twice_in_the_middle_of_a_file_ends_in_the_same_bytes(undisturbed, tmp_path):
    out = tmp_path / "out"
    for torn in (
        12,
        3,
        # the twelfth file, in the second group; then the third of what was missing there
    ):
        assert undisturbed.nursery.run(
            "study", "grid.yaml", "--quiet", "--out", out, torn=torn
        ) == (-9, "")
        assert met(out) == "within a write"
    assert len(finished(out)) == 11 + 2 and len(leftovers(out)) == 1
    goes_on(undisturbed.nursery, out, undisturbed)
    # Where every cell has the same bytes, so has what is made of them: seen once.
    assert published_bytes(undisturbed.nursery, out) == undisturbed.published


def test_a_run_that_is_interrupted_says_so_in_one_line_and_loses_nothing(undisturbed, tmp_path):
    nursery, out = undisturbed.nursery, tmp_path / "out"
    code, said = nursery.run("study", "grid.yaml", "--quiet", "--out", out, interrupted=12)
    assert (code, said) == (
        130,
        "interrupted: finished work is kept; run the same command again to resume\n",
    )
    assert len(finished(out)) == 11 and sum(file.is_file() for file in out.rglob("*")) == 11
    goes_on(nursery, out, undisturbed)


def test_two_runs_at_the_same_time_on_one_folder_end_in_the_same_bytes(undisturbed, tmp_path):
    log = tmp_path / "groups"
    assert undisturbed.nursery.run(
        "study", "grid.yaml", "--quiet", "--out", tmp_path / "out", copies=2, log=str(log)
    ) == (0, "")
    lines = [line.split(" ", 1) for line in log.read_text().splitlines()]
    # Three checkpoints with two language pairs: each once, and both runs took part.
    assert len(lines) == 6 == len({group for _, group in lines})
    assert len({process for process, _ in lines}) == 2
    goes_on(undisturbed.nursery, tmp_path / "out", undisturbed)


def test_a_disk_that_takes_no_more_is_one_line_and_the_run_goes_on_where_it_was(
    undisturbed, tmp_path
):
    nursery, out = undisturbed.nursery, tmp_path / "out"
    sizes = sorted(file.stat().st_size for file in undisturbed.out.rglob("*.parquet"))
    code, said = nursery.run("study", "grid.yaml", "--quiet", "--out", out, room=sizes[-6])
    assert (
        code == 2
        and said.count("\n") == 1
        and said.startswith(f"error: {out}: a cell cannot be written (")
    )
    assert "make room" in said and 0 < len(finished(out)) < CELLS and not leftovers(out)
    goes_on(nursery, out, undisturbed)


def test_a_folder_that_may_not_be_written_to_is_one_line(undisturbed, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    out = (
        Path("/sys/meanings") if os.access(closed, os.W_OK) else closed / "out"
    )  # who may write anywhere cannot write there
    code, said = undisturbed.nursery.run("study", "grid.yaml", "--quiet", "--out", out)
    assert (
        code == 2
        and said.count("\n") == 1
        and said.startswith(f"error: {out}: a cell cannot be written (")
    )
    assert not out.exists() and not list(closed.iterdir())


def report(count: int) -> None:
    """Kill so many runs and say what they met."""
    with tempfile.TemporaryDirectory() as folder, small_study(Path(folder)) as whole:
        print(f"undisturbed: {CELLS} cells in {whole.seconds:.1f} s")
        counts: Counter[str] = Counter()
        for number, (moment, in_a_write) in enumerate(moments(count, whole.seconds)):
            out = Path(folder) / f"killed-{number}"
            counts[kill(whole.nursery, out, moment, in_a_write)] += 1
            goes_on(whole.nursery, out, whole)
        print(
            f"{count} kills, all ended in the same bytes: "
            + ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
        )


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
