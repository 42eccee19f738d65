"""What a study costs before it is run: tokens, operations, hours, memory and disk, from a model's
shape and a grid's size.

Of each checkpoint, with N prompts per pair, in passes of one token through all layers (lengths
and parts as in `patching.flops`):

    targets    N pairs (P + C + C (S - 1) (L - 1) / 2)   a sweep per pair, over C patched conditions
    unpatched  N pairs P                                 source prompts that are only read
    sources    N (alone R + together Q)                  R: a cut source prompt; Q: its last line,
                                                         where another concept after the same
                                                         few-shot examples was just run
    answers    N pairs (C L + 2) (G - 1)

Beginnings that other tokens go on from, of P - S tokens of a target prompt and R - Q of a source
prompt, end with the last layer's keys and values, which the operations heed.

The published algorithm runs C L whole target prompts per pair instead (twice where answers are
generated), two unpatched ones, and the source prompts of every condition and pair anew, each token
with its logits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.measures.cell_files import cell_path, finished, read_metadata
from meanings.patching.conditions import CONDITIONS, condition
from meanings.patching.flops import Lengths
from meanings.study.decoder_shapes import BYTES, DecoderShape
from meanings.study.grid import Grid

# Of Multi-SimLex's 11 languages those that the paper counts as seen.
SEEN = ("en", "et", "fi", "fr", "pl", "ru", "es", "zh", "yue")
LANGUAGES = (*SEEN, "cy", "sw")


@dataclass(frozen=True)
class Extent:
    """How much a study measures: pairs in the order in which they are measured, conditions, prompts
    per pair, checkpoints.

    - `seen`: the model's seen languages, of those in the lexicon.
    - `generate`: tokens per answer, 0 for none.
    """

    pairs: tuple[LanguagePair, ...]
    seen: tuple[str, ...] = SEEN
    conditions: tuple[str, ...] = tuple(CONDITIONS)
    prompts: int = 256
    checkpoints: int = 26
    generate: int = 0

    def __post_init__(self) -> None:
        for name, least in (("prompts", 1), ("checkpoints", 1), ("generate", 0)):
            if getattr(self, name) < least:
                raise MeaningsError(f"{name}={getattr(self, name)!r}: expected {least} or more")

    @property
    def defined(self) -> list[tuple[LanguagePair, list[str]]]:
        """Each pair with the conditions that are defined for it."""
        return [
            (
                pair,
                [name for name in self.conditions if condition(name).source_pairs(pair, self.seen)],
            )
            for pair in self.pairs
        ]


def every_pair(languages: Collection[str] = LANGUAGES) -> tuple[LanguagePair, ...]:
    """All ordered pairs of different languages: 110 of the paper's 11."""
    return tuple(LanguagePair(a, b) for a, b in permutations(languages, 2))


def extent_of(grid: Grid, checkpoints: int, seen: Collection[str]) -> Extent:
    """The extent of a grid at so many checkpoints. Answers after a patch are counted where every
    checkpoint gives them.
    """
    names = (
        tuple(CONDITIONS)
        if grid.conditions == "all"
        else tuple(condition(name).name for name in grid.conditions)
    )
    return Extent(
        tuple(map(parse_pair, grid.pairs)),
        seen=tuple(seen),
        conditions=names,
        prompts=grid.n_pairs * len(grid.prompt_seeds),
        checkpoints=checkpoints,
        generate=grid.generate if grid.generate_patched == "every" else 0,
    )


@dataclass(frozen=True)
class Budget:
    """What a study costs, by our algorithm or by the published one.

    - `passes`: tokens through all layers; `operations`: floating-point operations.
    - `rows`: rows of the results.
    - `state_bytes`: of the source states of one checkpoint, which serve all its pairs.
    """

    passes: float
    operations: float
    rows: int
    state_bytes: float

    def hours(self, peak: Real, utilisation: Real) -> float:
        """Hours at a share `utilisation` (0 to 1] of `peak` operations per second."""
        if not (peak > 0 and 0 < utilisation <= 1):
            raise MeaningsError(
                f"peak={peak!r}, utilisation={utilisation!r}: expected a peak above 0 and a share "
                "above 0, at most 1"
            )
        return self.operations / (peak * utilisation) / 3600


def ours(model: DecoderShape, extent: Extent, lengths: Lengths) -> Budget:
    """The budget of the library's algorithm: what conditions, pairs and first layers share is run
    once.
    """
    prompts = source_prompts(extent)
    pairs = extent.defined
    patched = sum(condition(name).patched for _, names in pairs for name in names)
    swept = sum(
        any(condition(name).patched or condition(name).solved == "target" for name in names)
        for _, names in pairs
    )
    read = sum("src_unpatched" in names for _, names in pairs)
    wholes = swept + read
    unpatched = sum(not condition(name).patched for _, names in pairs for name in names)
    after = (lengths.suffix - 1) * (model.layers - 1)
    before = lengths.prompt - lengths.suffix
    # passes, tokens that each looks at, positions whose logits are asked for
    parts = [
        (wholes * lengths.prompt, lengths.prompt / 2, wholes),
        (patched, before, 0),
        (patched * after / 2, before + lengths.suffix / 2, patched * (model.layers - 1)),
        (prompts.alone * lengths.source, lengths.source / 2, 0),
        (prompts.together * lengths.query, lengths.source - lengths.query / 2, 0),
    ]
    if extent.generate:
        more = (patched * model.layers + unpatched) * (extent.generate - 1)
        parts.append((more, lengths.prompt + extent.generate / 2, more))
    spared = wholes * model.cost.spared(before)
    spared += prompts.shared * model.cost.spared(lengths.source - lengths.query)
    return _budget(model, extent, parts, prompts.distinct, patched, unpatched, spared)


def published(model: DecoderShape, extent: Extent, lengths: Lengths) -> Budget:
    """The budget of the published algorithm: a whole forward for every first layer, and source
    prompts of its own for each condition and pair.
    """
    pairs = extent.defined
    patched = sum(condition(name).patched for _, names in pairs for name in names)
    unpatched = sum(not condition(name).patched for _, names in pairs for name in names)
    read = sum(
        len(condition(name).source_pairs(pair, extent.seen))
        for pair, names in pairs
        for name in names
        if condition(name).patched
    )
    forwards = (patched * model.layers + unpatched) * lengths.prompt
    parts = [
        (forwards, lengths.prompt / 2, forwards),
        (read * lengths.source, lengths.source / 2, read * lengths.source),
    ]
    if extent.generate:
        answers = patched * model.layers + unpatched
        parts.append((answers * lengths.prompt, lengths.prompt / 2, answers))
        more = answers * (extent.generate - 1)
        parts.append((more, lengths.prompt + extent.generate / 2, more))
    most = max(
        (
            len(condition(name).source_pairs(pair, extent.seen))
            for pair, names in pairs
            for name in names
        ),
        default=0,
    )
    return _budget(model, extent, parts, most, patched, unpatched)


def bytes_per_row(folder: Path) -> float:
    """Bytes that a row of a patched cell takes in the result files of `folder`. Raises
    MeaningsError where it has none.
    """
    cells = [
        path
        for key in sorted(finished(folder))
        if _is_patched(read_metadata(path := cell_path(folder, key))["cell"])
    ]
    if not cells:
        raise MeaningsError(
            f"{folder}: no patched cells to measure the size of; run 'meanings study' first"
        )
    return sum(path.stat().st_size for path in cells) / sum(
        pq.read_metadata(path).num_rows for path in cells
    )


def _is_patched(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is of patched prompts; cells of companion measures have no condition."""
    return "condition" in cell and condition(cell["condition"]).patched


def _budget(
    model: DecoderShape,
    extent: Extent,
    parts: Sequence[tuple[Real, Real, Real]],
    source_states: int,
    patched: int,
    unpatched: int,
    spared: float = 0.0,
) -> Budget:
    times = extent.prompts * extent.checkpoints
    operations = sum(model.cost.run(*map(float, part)) for part in parts) - spared
    return Budget(
        passes=float(times * sum(passes for passes, _, _ in parts)),
        operations=times * operations,
        rows=times * (patched * model.layers + unpatched),
        state_bytes=float(BYTES * source_states * extent.prompts * model.layers * model.d_model),
    )


class SourcePrompts(NamedTuple):
    """Source prompts of one checkpoint, in units of an extent's `prompts`.

    - `alone`: run whole; `together`: run after a beginning that another prompt shares; `shared`:
      such beginnings.
    - `distinct`: all of them, whose states are held.
    """

    alone: int
    together: int
    shared: int
    distinct: int


def source_prompts(extent: Extent) -> SourcePrompts:
    """The source prompts of one checkpoint.

    Pairs are prepared one after the other: two concepts share few-shot examples where one pair is
    the first to need both.
    """
    there: set[tuple[LanguagePair, str, str]] = set()
    alone = together = shared = 0
    for pair, names in extent.defined:
        new: dict[tuple[LanguagePair, str], set[str]] = {}
        for each in (condition(name) for name in names if condition(name).patched):
            concept = "source" if each.concept == "mean" else each.concept
            for source in each.source_pairs(pair, extent.seen):
                if (source, concept, each.solved) not in there:
                    new.setdefault((source, each.solved), set()).add(concept)
        alone += len(new)
        together += sum(len(concepts) - 1 for concepts in new.values())
        shared += sum(len(concepts) > 1 for concepts in new.values())
        there |= {
            (source, concept, examples)
            for (source, examples), concepts in new.items()
            for concept in concepts
        }
    return SourcePrompts(alone, together, shared, len(there))
