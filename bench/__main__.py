"""`python -m bench`: the comparison as a table, and as JSON under _build/."""

from __future__ import annotations

import json
import math
import platform
from pathlib import Path
from statistics import median
from typing import Annotated

import pandas as pd
import torch
import typer

from bench import memory, parts, timing
from bench.shapes import SHAPES, Shape, drawn, target_prompts
from meanings.models import PatchableModel
from meanings.patching import cost
from meanings.study import versions

RUNS = 3


def main(
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = Path("_build/bench.json"),
    runs: Annotated[int, typer.Option(min=1, help="Runs of each comparison; the median is reported.")] = RUNS,
    prompts: Annotated[int, typer.Option(min=1, help="Target prompts of a sweep.")] = 16,
    shape: Annotated[str, typer.Option(help="Shape of the main figures; 'tiny' shows quickly that all of it runs.")] = "main",
) -> None:
    """Time the published algorithm, plain hooks and ours side by side; long on a CPU."""
    if shape not in SHAPES:
        raise typer.BadParameter(f"{shape!r}: allowed are {', '.join(SHAPES)}")
    threads = torch.get_num_threads()
    figures: dict = {"runs": runs, "machine": machine(threads), "versions": versions(), "shape": SHAPES[shape].name}
    tables: list[str] = []

    def say(text: str) -> None:
        tables.append(text)
        typer.echo(text + "\n")

    model = SHAPES[shape].load()
    plain = timing.sweep(model, prompts=prompts, runs=runs)
    four = timing.sweep(model, prompts=prompts, generate=4, runs=runs)
    ten = timing.sweep(model, prompts=prompts, generate=10, runs=runs)
    pair = timing.pair(model, prompts=max(1, prompts // 2), runs=runs)
    study = timing.study(model, prompts=max(1, prompts // 4), runs=runs)
    compared = [plain, four, ten, pair, study]
    say(f"{SHAPES[shape].name}; {lengths_of(model, prompts)}\n" + as_text(compared))
    figures |= {
        "sweep_ratio": plain.ratio("published"),
        "sweep_last_logits_ratio": plain.ratio("published_last_only"),
        "sweep_generation_ratio": four.ratio("published"),
        "sweep_generation_10_ratio": ten.ratio("published"),
        "pair_ratio": pair.ratio("published"),
        "study_ratio": study.ratio("published"),
        "hooks_ratio": plain.ratio("ours", "hooks"),
        "max_abs_difference": max(c.difference for c in compared),
        "answers": sum(c.answers for c in compared),
        "ties": sum(c.ties for c in compared),
        "same_tokens": sum(c.different for c in compared) == 0,
        "comparisons": [described(c) for c in compared],
    }
    where = parts.parts(model, prompts=prompts, generate=4)
    say("where the time goes (operations in 1e9; peak: a 2,048 x 2,048 float32 product)\n" + where.to_string(index=False, float_format="{:.3g}".format))
    figures["parts"] = json.loads(where.to_json(orient="records"))
    figures["shots"] = grown(model, prompts, runs, say)
    del model
    figures["layers"] = saturated(SHAPES[shape], prompts, runs, say)
    others = []
    for name in ("eurollm", "256k", "miniature") if shape == "main" else ("miniature",):
        other = SHAPES[name].load()
        rows = [timing.sweep(other, prompts=prompts, generate=generate, runs=runs) for generate in (0, 4)]
        say(f"{SHAPES[name].name}\n" + as_text(rows))
        others += [described(row) | {"shape": SHAPES[name].name} for row in rows]
        if name == "miniature":
            figures["bfloat16_difference"] = timing.precision(other, prompts=prompts, dtype=torch.bfloat16)
            say(f"the miniature in bfloat16 against float32, absolute difference in probability: {figures['bfloat16_difference']}")
    figures["others"] = others
    peaks = {way: [memory.peak_mebibytes(way, shape, 32, threads) for _ in range(runs)] for way in ("published", "ours")}
    figures |= {"memory_mebibytes": peaks, "memory_ratio": median(o / p for o, p in zip(peaks["ours"], peaks["published"]))}
    figures["growth_mebibytes"] = memory.growth()
    say(
        f"peak above the weights, 32 prompts: published {median(peaks['published']):.0f} MiB (one batch), ours {median(peaks['ours']):.0f} MiB; "
        f"ratio {figures['memory_ratio']:.2f}; resident after 100 and after 1,000 batches: {figures['growth_mebibytes']}"
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_suffix(".part")
    aside.write_text(json.dumps(figures, indent=1, default=str) + "\n", encoding="utf-8")
    aside.replace(out)
    out.with_suffix(".txt").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    typer.echo(str(out))


def grown(model: PatchableModel, prompts: int, runs: int, say) -> list[dict]:
    """The sweep's ratio by the number of solved lines."""
    rows = [timing.sweep(model, prompts=max(1, prompts // 2), shots=shots, runs=runs, samples=3) for shots in (1, 3, 5, 8)]
    table = [{"shots": shots, "ratio": row.ratio("published"), "bound": row.bound} for shots, row in zip((1, 3, 5, 8), rows)]
    say("by solved lines\n" + pd.DataFrame(table).to_string(index=False, float_format="{:.1f}".format))
    return table


def saturated(shape: Shape, prompts: int, runs: int, say) -> list[dict]:
    """The sweep's ratio by the number of layers."""
    table = []
    for layers in (4, 8, 16):
        model = Shape(f"{layers} layers", shape.width, shape.inner, layers, shape.heads, shape.kv_heads, shape.vocabulary).load()
        row = timing.sweep(model, prompts=max(1, prompts // 2), runs=runs, samples=3)
        table.append({"layers": layers, "ratio": row.ratio("published"), "bound": row.bound})
    lengths = cost.Lengths.of(target_prompts(model, timing.PAIR, drawn(model, prompts)))
    table.append({"layers": math.inf, "ratio": float("nan"), "bound": 2 * lengths.prompt / (lengths.suffix - 1)})
    say("by layers (the last row: where counting tokens says that it saturates)\n" + pd.DataFrame(table).to_string(index=False, float_format="{:.1f}".format))
    return [row for row in table if math.isfinite(row["layers"])]


def as_text(rows: list[timing.Comparison]) -> str:
    table = pd.DataFrame(
        [
            {
                "": row.name,
                "published s": median(row.published),
                "hooks s": median(row.hooks) if row.hooks else math.nan,
                "ours s": median(row.ours),
                "ratio": row.ratio("published"),
                "bound": row.bound,
                "last logits only": row.ratio("published_last_only"),
                "ours/hooks": row.ratio("ours", "hooks"),
                "difference": f"{row.difference:.1e}",
                "answers": f"{row.answers - row.ties - row.different}/{row.answers}, {row.ties} ties" if row.answers else "",
            }
            for row in rows
        ]
    )
    return table.to_string(index=False, float_format="{:.2f}".format, na_rep="")


def described(row: timing.Comparison) -> dict:
    """A comparison as plain values: its seconds, run by run, and its ratio."""
    return {**vars(row), "ratio": row.ratio("published")}


def lengths_of(model: PatchableModel, prompts: int) -> str:
    lengths = cost.Lengths.of(target_prompts(model, timing.PAIR, drawn(model, prompts)))
    return f"{prompts} prompts of {lengths.prompt:.1f} tokens, {lengths.suffix:.1f} of them from the query word's last on"


def machine(threads: int) -> str:
    """Processor, threads, accelerator."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        processor = next((line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")), processor)
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{processor}, {threads} threads{gpu}, {platform.system()}"


if __name__ == "__main__":
    typer.run(main)
