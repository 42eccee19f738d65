"""Recovery of a model in short: means with intervals, a verdict, and where attention goes."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from meanings.core.atomic_files import atomic_file
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.core.status_line import Report, unreported
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.recovery import STEPS, verdict
from meanings.models.trajectories import Trajectory
from meanings.statistics.bootstrap import interval

MEASURES = (*STEPS, "seen", "null_concept")


def write_recovery(rows: Sequence[dict]) -> Path:
    """Write `data/published/reach.csv`, one row per model, training seed and pair."""
    path = data_folder() / "published" / "reach.csv"
    with atomic_file(path) as aside:
        pd.DataFrame(rows).to_csv(aside, index=False, float_format="%.5g", lineterminator="\n")
    return path


def recovery_row(
    run: Trajectory, words: str, pair: str, n_pairs: int = 64, report: Report = unreported
) -> dict:
    """Recovery of one model and pair as a row: means with intervals over concepts, the verdict, and
    the attention of the layer and head with most of it.

    - `report`: is told what is being computed.

    Raises MeaningsError where the lexicon lacks a language of the pair.
    """
    report("loading the model", 0, 0)
    from meanings.patching.recovery import query_attention, recovery

    model = run.last.load()
    lexicon = load_lexicon(words)
    lexicon = lexicon.restrict(languages=[code for code in lexicon.languages if code in run.seen])
    languages = parse_pair(pair)
    if not {languages.input, languages.output} <= set(lexicon.languages):
        raise MeaningsError(
            f"pair {pair!r}: {run.model} was trained on {', '.join(lexicon.languages)}; choose two "
            "of these"
        )
    rows = recovery(model, lexicon, languages, run.seen, n_pairs=n_pairs, report=report)
    row: dict = {
        "model": run.model,
        "training_seed": run.training_seed,
        "step": run.last.step,
        "pair": pair,
        "n_pairs": n_pairs,
    }
    for name in MEASURES:
        found = interval(rows.dropna(subset=name), name).iloc[0] if rows[name].notna().any() else {}
        row |= {
            name: found.get("mean"),
            f"{name}_low": found.get("low"),
            f"{name}_high": found.get("high"),
        }
    report("reading attention", 0, 0)
    attention = query_attention(model, lexicon, pair)
    layer, head = divmod(int(attention.argmax()), attention.shape[1])
    row |= {"attention": float(attention.max()), "attention_layer": layer, "attention_head": head}
    row |= {f"attention_{i}": float(value) for i, value in enumerate(attention.amax(1))}
    return row | {"verdict": verdict(rows)}
