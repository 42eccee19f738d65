"""Peak memory above the weights, each way in a process of its own: `python -m bench.memory WAY
SHAPE ...`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch

from bench import published
from bench.shapes import SHAPES, columns, drawn, some_vectors, target_prompts
from bench.timing import PAIR
from meanings.patching import flops
from meanings.patching.sweeping import sweep_conditions

ANSWERED = 10


def peak_mebibytes(way: str, shape: str, prompts: int, threads: int) -> float:
    """Peak resident memory above that of the loaded model, in MiB, of a sweep's work on `prompts`
    prompts.

    - `way`: `published`, one forward with all prompts in one batch; or `ours`, the whole sweep of
      seven conditions. With `_answers`: ten tokens are generated too.
    """
    command = [sys.executable, "-m", "bench.memory", way, shape, str(prompts), str(threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def growth(batches: int = 1000) -> dict[str, float]:
    """Resident memory after a tenth of the batches and after all of them, in MiB: it does not
    grow.
    """
    command = [sys.executable, "-m", "bench.memory", "growth", "tiny", str(batches), "1"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _status(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(name)


def _reset_peak() -> float:
    """Forget the peak so far; what is resident now, in MiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _measure(way: str, shape: str, prompts: int) -> float | dict[str, float]:
    model = SHAPES[shape].load()
    pairs = drawn(model, 4 if way == "growth" else prompts)
    targets, sets = target_prompts(model, PAIR, pairs), columns(model, pairs)
    vectors = some_vectors(model, len(pairs), flops.CONDITIONS)
    first = vectors["condition 0"]
    if way == "growth":
        resident = []
        for batch in range(prompts):
            sweep_conditions(model, targets, vectors, sets, generate=2)
            if batch + 1 in (prompts // 10, prompts):
                resident.append(_status("VmRSS"))
        return {"after_a_tenth": resident[0], "after_all": resident[-1]}
    # Once on one prompt first: what libraries load and keep is not the sweep's.
    work, _, answers = way.partition("_")
    generate = ANSWERED if answers else 0

    def run(n: int) -> None:
        if work == "ours":
            given = {name: v[:, :n] for name, v in vectors.items()}
            sweep_conditions(
                model,
                targets[:n],
                given,
                sets[:n],
                first_layers=[0] if n == 1 else "all",
                generate=generate,
            )
            return
        published.patched(model, targets[:n], first[:, :n], 0, sets[:n])
        if generate:
            published.generate(model, targets[:n], first[:, :n], 0, generate)

    run(1)
    before = _reset_peak()
    run(prompts)
    return _status("VmHWM") - before


if __name__ == "__main__":
    way_, shape_, prompts_, threads_ = sys.argv[1:]
    torch.set_num_threads(int(threads_))
    print(json.dumps(_measure(way_, shape_, int(prompts_))))
