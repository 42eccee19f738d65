"""Tables of what a study costs."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from meanings.core.formatting import amount, number, size
from meanings.patching.flops import Lengths
from meanings.study import budget
from meanings.study.budget import Extent
from meanings.study.budget_report import (
    ALGORITHMS,
    ANSWER,
    ASSUMED,
    MODELS,
    gpus,
)
from meanings.study.decoder_shapes import BYTES, DecoderShape


def shapes() -> pd.DataFrame:
    """One row per model: its sizes."""
    rows = {
        title: {
            "layers": shape.layers,
            "width": shape.d_model,
            "heads (of keys)": f"{shape.heads} ({shape.kv_heads})",
            "MLP": shape.mlp,
            "vocabulary": f"{shape.vocabulary:,}",
            "parameters": f"{shape.parameters / 1e9:.2f}B",
        }
        for title, shape in MODELS.items()
    }
    return pd.DataFrame(rows).T.rename_axis("model")


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The same for reading: the published algorithm beside ours, and how many times as much it
    does.
    """
    rows = {}
    for (title, answers), part in table.groupby(["model", "answers"], sort=False):
        ours, theirs = (part[part["algorithm"] == name].iloc[0] for name in ALGORITHMS)
        says = f"answers of {ANSWER} tokens" if answers else "scores only"
        rows[f"{title}, {says}"] = {
            "token passes": amount(ours["passes"]),
            "operations": f"{ours['operations']:.1e}",
            "GPU hours": span(ours),
            "published: passes": amount(theirs["passes"]),
            "published: operations": f"{theirs['operations']:.1e}",
            "published: GPU hours": span(theirs),
            "factor": f"{theirs['operations'] / ours['operations']:.0f}",
        }
    return pd.DataFrame(rows).T.rename_axis("study")


def span(row: pd.Series) -> str:
    """`1.5 [0.9, 4.4]`, in hours."""
    return f"{number(row['hours'])} [{number(row['low'])}, {number(row['high'])}]"


def room(
    extent: Extent, lengths: Lengths, row_bytes: float, models: Mapping[str, DecoderShape] = MODELS
) -> pd.DataFrame:
    """One column per model: what lies on disk, crosses the network and fills memory."""
    columns = {}
    for title, shape in models.items():
        plan, every = budget.ours(shape, extent, lengths), shape.weight_bytes * extent.checkpoints
        keys = shape.cached_bytes
        columns[title] = {
            "checkpoint": size(shape.weight_bytes),
            f"all {extent.checkpoints} checkpoints": size(every),
            "their download, hours": number(8 * every / ASSUMED.bits / 3600),
            "rows of results": amount(plan.rows),
            "results": size(plan.rows * row_bytes),
            "source states of a checkpoint": size(plan.state_bytes),
            "keys and values of a pair's prompts": size(keys * lengths.prompt * extent.prompts),
            "keys and values of a patched row": size(keys * lengths.suffix),
            "GPUs that hold the weights": str(gpus(shape)),
        }
    return pd.DataFrame(columns).rename_axis("what")


def assumptions(lengths: Lengths, row_bytes: float, results: str | Path) -> pd.DataFrame:
    """Each number that the plan takes, and where it is from."""
    low, middle, high = ASSUMED.shares
    measured = (
        "measured: embedded lexicon, the miniature's tokenizer (8,000 entries); one of 128,000 "
        "makes them shorter"
    )
    rows = {
        "P: tokens of a target prompt": (f"{lengths.prompt:.1f}", measured),
        "S: of these, from the query word's last on": (f"{lengths.suffix:.1f}", measured),
        "R: tokens of a source prompt, cut": (f"{lengths.source:.1f}", measured),
        "Q: of these, in the last line": (f"{lengths.query:.1f}", measured),
        "bytes of a row of results": (
            f"{row_bytes:.0f}",
            f"measured: the result files in {results}, 13 languages",
        ),
        "bytes of a weight, state, key or value": (str(BYTES), "float16 or bfloat16"),
        "peak of one H100": (
            f"{ASSUMED.peak / 1e12:.0f} TFLOP/s",
            "NVIDIA's data sheet: SXM, bfloat16, dense",
        ),
        "share of the peak": (
            f"{middle:.0%} [{low:.0%}, {high:.0%}]",
            "assumed: Llama 3's training reports 38 to 43 % (arXiv 2407.21783); short rows with a "
            "cache reach less",
        ),
        "memory of one H100": (size(ASSUMED.gpu_bytes), "NVIDIA's data sheet"),
        "network": (f"{ASSUMED.bits / 1e9:.0f} Gbit/s", "assumed"),
    }
    return pd.DataFrame(rows, index=["value", "source"]).T.rename_axis("assumption")
