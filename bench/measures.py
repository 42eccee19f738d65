"""What companion measures cost: processor seconds and memory of one checkpoint of the miniature,
and how the seconds grow with concepts, layers and width, on states that are made up.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from itertools import groupby

import numpy as np
import pandas as pd

from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.measures.base import Moment, Shared
from meanings.measures.catalogue import MEASURES
from meanings.measures.companion import Companion
from meanings.measures.word_states import WordStates, word_states
from meanings.models.checkpoints import trajectory
from meanings.study.grid import Grid

LANGUAGES = ("en", "fr", "es", "de", "ru", "pl", "zh", "fi", "et")
PATCHING = "patching"
NAMES = (PATCHING, *(name for name, each in MEASURES.items() if isinstance(each, Companion)))
USUAL = {"concepts": 256, "layers": 4, "width": 64}
FORWARDS = (PATCHING, "clamping", "meaning_in_context", "gender")  # states or lists of their own
# What patching is asked here: the curves of the book's ladder, without generated answers.
PAIRS = ("en-fr", "de-en", "fr-es", "fr-de", "de-es", "en-ru", "zh-en", "fr-pl", "en-fi", "et-en")
CONDITIONS = ("seen", "null_concept", "src_unpatched")
GROWN = {"concepts": (192, 384, 512), "layers": (2, 4, 8), "width": (32, 64, 128)}


def one_checkpoint(name: str, languages: tuple[str, ...] = LANGUAGES) -> dict[str, float]:
    """Processor seconds of one measure at the miniature's last checkpoint, without loading it and
    reading its states, and the process's peak memory, in MiB; in a process of its own.
    """
    command = [sys.executable, "-m", "bench.measures", name, *languages]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def growth(name: str) -> dict[str, list[float]]:
    """Processor seconds by concepts, layers and width, one grown at a time; empty for a measure
    that runs the model.
    """
    if name in FORWARDS:
        return {}
    lexicon = load_lexicon("embedded").restrict(languages=LANGUAGES[:3])
    return {
        axis: [_seconds(name, lexicon, **USUAL | {axis: size}) for size in sizes]
        for axis, sizes in GROWN.items()
    }


def _seconds(name: str, lexicon: Lexicon, concepts: int, layers: int, width: int) -> float:
    spread = np.linspace(0, len(lexicon) - 1, concepts).astype(int)  # of all categories
    few = lexicon.restrict(concepts=[lexicon.concepts[place] for place in spread])
    random = np.random.default_rng(0)

    def states(depth: int, size: int) -> dict[str, np.ndarray]:
        shape = depth, concepts, size
        return {code: random.normal(size=shape).astype(np.float32) for code in few.languages}

    pieces = {code: tuple((i,) for i in range(concepts)) for code in few.languages}
    made = WordStates(few.concepts, states(layers + 1, width), states(layers, 3 * width), pieces)
    measure, run = MEASURES[name], trajectory("miniature")
    checked = measure.check(measure.Settings(), few, [run])
    (request,) = measure.plan(checked, Moment((), True))
    start = time.process_time()
    list(measure.rows(made, checked.data, request))
    return round(time.process_time() - start, 2)


def figures() -> dict:
    """Of patching and of every companion measure."""
    return {name: one_checkpoint(name) | {"growth": growth(name), "grown": GROWN} for name in NAMES}


def table(found: dict) -> pd.DataFrame:
    """The figures as rows `measure`, `grown`, `size`, `seconds`, `mebibytes`.

    `grown` is `checkpoint` for a whole one of the miniature, with its number of languages as size.
    """
    rows = []
    for name, each in found.items():
        whole = each["seconds"], each["mebibytes"]
        rows.append((name, "checkpoint", len(LANGUAGES), *whole))
        for axis, seconds in each["growth"].items():
            sizes = zip(GROWN[axis], seconds, strict=True)
            rows += [(name, axis, size, each_size, None) for size, each_size in sizes]
    return pd.DataFrame(rows, columns=["measure", "grown", "size", "seconds", "mebibytes"])


def lines(found: dict) -> list[str]:
    """The figures in words."""
    whole = sum(each["seconds"] for each in found.values())
    said = [f"all measures at one checkpoint: {whole:.0f} s of the processor"]
    for name, each in found.items():
        grown = "; ".join(
            f"{axis} {', '.join(map(str, GROWN[axis]))}: {', '.join(map(str, seconds))} s"
            for axis, seconds in each["growth"].items()
        )
        said.append(f"{name}: {each['seconds']:.1f} s, peak {each['mebibytes']:.0f} MiB; {grown}")
    return said


def _measure(name: str, languages: tuple[str, ...]) -> dict[str, float]:
    lexicon, run = load_lexicon("embedded").restrict(languages=languages), trajectory("miniature")
    measure, model = MEASURES[name], run.last.load(device="cpu")
    settings = measure.Settings()
    if name == PATCHING:
        settings = Grid(languages=languages, pairs=PAIRS, conditions=CONDITIONS, generate=0)
    checked = measure.check(settings, lexicon, [run])
    requests = list(measure.plan(checked, Moment(languages, True)))
    shared = Shared(planned=requests)
    if name != PATCHING:
        word_states(model, lexicon, shared)
    start = time.process_time()
    for _, group in groupby(requests, measure.together):
        measure.measure(model, checked.data, list(group), shared)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(seconds, 2), "mebibytes": round(peak)}


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], tuple(sys.argv[2:]))))
