"""`python -m bench`: the comparison as a table, and as JSON under _build/."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Annotated

import pandas as pd
import torch
import typer

from bench import measures as companion_measures
from bench import memory, parts, timing
from bench import scale as many_cells
from bench import workers as two_workers
from bench.shapes import SHAPES, Shape, drawn, target_prompts
from meanings.core.atomic_files import atomic_file
from meanings.core.provenance import versions
from meanings.models.loading import PatchableModel
from meanings.patching import flops

RUNS = 3
COSTS = Path("_build/companion_costs.csv")  # the book's are data/published/companion_costs.csv


@dataclass(frozen=True)
class Asked:
    """What is compared, how often, and where a table is said."""

    shape: str
    prompts: int
    runs: int
    threads: int
    say: Callable[[str], None]

    @property
    def model(self) -> PatchableModel:
        return loaded(self.shape)

    def compare(self, ratio: str, found: timing.Comparison) -> dict:
        """The figures of one comparison, its table said."""
        self.say(as_text([found]))
        return {
            f"{ratio}_ratio": found.ratio("published"),
            "comparisons": {ratio: described(found)},
        }


@lru_cache(maxsize=1)
def loaded(shape: str) -> PatchableModel:
    """The model of a shape, made once for the stages that need it."""
    return SHAPES[shape].load()


def sweep(asked: Asked) -> dict:
    """Seven conditions that share a prefix: with all logits, with the last ones only, against plain
    hooks.
    """
    asked.say(lengths_of(asked.model, asked.prompts))
    found = timing.sweep(asked.model, prompts=asked.prompts, runs=asked.runs)
    more = {
        "sweep_last_logits_ratio": found.ratio("published_last_only"),
        "hooks_ratio": found.ratio("ours", "hooks"),
    }
    return asked.compare("sweep", found) | more


def generation(asked: Asked) -> dict:
    """The sweep with four generated tokens, about those up to the closing quote."""
    return asked.compare(
        "sweep_generation",
        timing.sweep(asked.model, prompts=asked.prompts, generate=4, runs=asked.runs),
    )


def generation_10(asked: Asked) -> dict:
    """The sweep with ten generated tokens."""
    return asked.compare(
        "sweep_generation_10",
        timing.sweep(asked.model, prompts=asked.prompts, generate=10, runs=asked.runs),
    )


def pair(asked: Asked) -> dict:
    """One pair of languages, sources included."""
    return asked.compare(
        "pair", timing.pair(asked.model, prompts=max(1, asked.prompts // 2), runs=asked.runs)
    )


def study(asked: Asked) -> dict:
    """All ordered pairs of six languages."""
    return asked.compare(
        "study", timing.study(asked.model, prompts=max(1, asked.prompts // 4), runs=asked.runs)
    )


def floor(asked: Asked) -> dict:
    """Operations that must be done over those achieved, part by part."""
    where = parts.parts(asked.model, prompts=asked.prompts, generate=4)
    asked.say(
        "where the time goes (operations in 1e9; peak: a 2,048 x 2,048 float32 product)\n"
        + where.to_string(index=False, float_format="{:.3g}".format)
    )
    return {"parts": json.loads(where.to_json(orient="records"))}


def shots(asked: Asked) -> dict:
    """How the ratio grows with the prompt."""
    return {"shots": grown(asked.model, asked.prompts, asked.runs, asked.say)}


def layers(asked: Asked) -> dict:
    """Where the ratio saturates."""
    return {"layers": saturated(SHAPES[asked.shape], asked.prompts, asked.runs, asked.say)}


def shapes(asked: Asked) -> dict:
    """Other widths and vocabularies, and the miniature, there in bfloat16 too."""
    figures: dict = {"others": []}
    for name in ("eurollm", "256k", "miniature") if asked.shape == "main" else ("miniature",):
        other = SHAPES[name].load()
        rows = [
            timing.sweep(other, prompts=asked.prompts, generate=generate, runs=asked.runs)
            for generate in (0, 4)
        ]
        asked.say(f"{SHAPES[name].name}\n" + as_text(rows))
        figures["others"] += [described(row) | {"shape": SHAPES[name].name} for row in rows]
    figures["bfloat16_difference"] = timing.precision(
        other, prompts=asked.prompts, dtype=torch.bfloat16
    )
    asked.say(
        "the miniature in bfloat16 against float32, absolute difference in probability: "
        f"{figures['bfloat16_difference']}"
    )
    return figures


def room(asked: Asked) -> dict:
    """Peak memory above the weights, and its growth."""
    ways = ("published", "ours", "published_answers", "ours_answers")
    peaks = {
        way: [memory.peak_mebibytes(way, asked.shape, 32, asked.threads) for _ in range(asked.runs)]
        for way in ways
    }
    ratios = {
        end: median(
            o / p for o, p in zip(peaks["ours" + end], peaks["published" + end], strict=True)
        )
        for end in ("", "_answers")
    }
    growth = memory.growth()
    for end, said in (
        ("", "32 prompts"),
        ("_answers", f"the same, {memory.ANSWERED} tokens generated"),
    ):
        ours, published = median(peaks["ours" + end]), median(peaks["published" + end])
        asked.say(
            f"peak above the weights, {said}: published {published:.0f} MiB (one batch), ours "
            f"{ours:.0f} MiB; ratio {ratios[end]:.2f}"
        )
    asked.say(f"resident after 100 and after 1,000 batches, in MiB: {growth}")
    return {
        "memory_mebibytes": peaks,
        "memory_ratio": ratios[""],
        "memory_answers_ratio": ratios["_answers"],
        "growth_mebibytes": growth,
    }


def workers(asked: Asked) -> dict:
    """Two worker processes against one, each with one thread, on the miniature's checkpoints."""
    found = {count: [two_workers.seconds(count) for _ in range(asked.runs)] for count in (1, 2)}
    ratio = median(one / two for one, two in zip(found[1], found[2], strict=True))
    asked.say(
        f"one worker {median(found[1]):.1f} s, two {median(found[2]):.1f} s; ratio {ratio:.2f}"
    )
    return {
        "workers_ratio": ratio,
        "workers_seconds": {str(count): times for count, times in found.items()},
    }


def scale(asked: Asked) -> dict:
    """What a study of 26 checkpoints x 110 language pairs x 9 conditions costs beside measuring."""
    found = many_cells.figures()
    for line in many_cells.lines(found):
        asked.say(line)
    return {"scale": found}


def measures(asked: Asked) -> dict:
    """What companion measures cost at one checkpoint, and what their time grows with."""
    found = companion_measures.figures()
    for line in companion_measures.lines(found):
        asked.say(line)
    write(COSTS, companion_measures.table(found).to_csv(index=False).rstrip())
    asked.say(f"as a table: {COSTS}")
    return {"measures": found}


STAGES: dict[str, Callable[[Asked], dict]] = {
    stage.__name__: stage
    for stage in (
        sweep,
        generation,
        generation_10,
        pair,
        study,
        floor,
        shots,
        layers,
        shapes,
        room,
        workers,
        scale,
        measures,
    )
}


def main(
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = Path("_build/bench.json"),
    runs: Annotated[
        int, typer.Option(min=1, help="Runs of each comparison; the median is reported.")
    ] = RUNS,
    prompts: Annotated[int, typer.Option(min=1, help="Target prompts of a sweep.")] = 16,
    shape: Annotated[
        str,
        typer.Option(help="Shape of the main figures; 'tiny' shows quickly that all of it runs."),
    ] = "main",
    only: Annotated[
        str, typer.Option(help=f"These stages alone, with commas: {', '.join(STAGES)}.")
    ] = "",
) -> None:
    """Time the published algorithm, plain hooks and ours side by side; long on a CPU.

    The figures are written after each stage. With `--only` they are laid over those in the file,
    where shape, runs, prompts, machine and versions are the same.
    """
    if shape not in SHAPES:
        raise typer.BadParameter(f"{shape!r}: allowed are {', '.join(SHAPES)}")
    names = only.split(",") if only else list(STAGES)
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        raise typer.BadParameter(f"stage {unknown[0]!r}: allowed are {', '.join(STAGES)}")
    threads = torch.get_num_threads()
    same = {
        "shape": SHAPES[shape].name,
        "runs": runs,
        "prompts": prompts,
        "machine": machine(threads),
        "versions": versions(),
    }
    before = json.loads(out.read_text(encoding="utf-8")) if only and out.is_file() else {}
    figures = (
        before if all(before.get(name) == value for name, value in same.items()) else dict(same)
    )
    for name in names:
        said = [f"# {name}: {STAGES[name].__doc__}"]
        typer.echo(said[0])
        found = STAGES[name](
            Asked(
                shape,
                prompts,
                runs,
                threads,
                lambda text: (said.append(text), typer.echo(text + "\n")),
            )
        )
        comparisons = figures.get("comparisons", {}) | found.get("comparisons", {})
        tables = figures.get("tables", {}) | {name: "\n\n".join(said)}
        figures |= (
            found
            | {"comparisons": comparisons, "tables": tables}
            | summed(list(comparisons.values()))
        )
        write(out, json.dumps(figures, indent=1, default=str))
        write(out.with_suffix(".txt"), "\n\n".join(tables.values()))
    typer.echo(str(out))


def write(path: Path, text: str) -> None:
    """Written aside, then renamed: a broken-off run leaves the figures of the stages before it."""
    with atomic_file(path) as aside:
        aside.write_text(text + "\n", encoding="utf-8")


def summed(comparisons: list[dict]) -> dict:
    """Over all comparisons: the largest difference, and whether the generated tokens are the same
    but for ties.
    """
    if not comparisons:
        return {}
    return {
        "max_abs_difference": max(c["difference"] for c in comparisons),
        "answers": sum(c["answers"] for c in comparisons),
        "ties": sum(c["ties"] for c in comparisons),
        "same_tokens": sum(c["different"] for c in comparisons) == 0,
    }


def grown(model: PatchableModel, prompts: int, runs: int, say) -> list[dict]:
    """The sweep's ratio by the number of few-shot examples."""
    rows = [
        timing.sweep(model, prompts=max(1, prompts // 2), shots=shots, runs=runs, samples=3)
        for shots in (1, 3, 5, 8)
    ]
    table = [
        {"shots": shots, "ratio": row.ratio("published"), "bound": row.bound}
        for shots, row in zip((1, 3, 5, 8), rows, strict=True)
    ]
    say(
        "by few-shot examples\n"
        + pd.DataFrame(table).to_string(index=False, float_format="{:.1f}".format)
    )
    return table


def saturated(shape: Shape, prompts: int, runs: int, say) -> list[dict]:
    """The sweep's ratio by the number of layers."""
    table = []
    for layers in (4, 8, 16):
        model = Shape(
            f"{layers} layers",
            shape.width,
            shape.inner,
            layers,
            shape.heads,
            shape.kv_heads,
            shape.vocabulary,
        ).load()
        row = timing.sweep(model, prompts=max(1, prompts // 2), runs=runs, samples=3)
        table.append({"layers": layers, "ratio": row.ratio("published"), "bound": row.bound})
    lengths = flops.Lengths.of(target_prompts(model, timing.PAIR, drawn(model, prompts)))
    table.append(
        {
            "layers": math.inf,
            "ratio": float("nan"),
            "bound": 2 * lengths.prompt / (lengths.suffix - 1),
        }
    )
    say(
        "by layers (the last row: where counting tokens says that it saturates)\n"
        + pd.DataFrame(table).to_string(index=False, float_format="{:.1f}".format)
    )
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
                "answers": (
                    f"{row.answers - row.ties - row.different}/{row.answers}, {row.ties} ties"
                    if row.answers
                    else ""
                ),
            }
            for row in rows
        ]
    )
    return table.to_string(index=False, float_format="{:.2f}".format, na_rep="")


def described(row: timing.Comparison) -> dict:
    """A comparison as plain values: its seconds, run by run, and its ratio."""
    return {**vars(row), "ratio": row.ratio("published")}


def lengths_of(model: PatchableModel, prompts: int) -> str:
    lengths = flops.Lengths.of(target_prompts(model, timing.PAIR, drawn(model, prompts)))
    return (
        f"{prompts} prompts of {lengths.prompt:.1f} tokens, {lengths.suffix:.1f} of them from the "
        "query word's last on"
    )


def machine(threads: int) -> str:
    """Processor, threads, accelerator."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        processor = next(
            (
                line.split(":")[1].strip()
                for line in info.read_text().splitlines()
                if line.startswith("model name")
            ),
            processor,
        )
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{processor}, {threads} threads{gpu}, {platform.system()}"


if __name__ == "__main__":
    typer.run(main)
