"""Budgets of whole studies, worded and tabulated: the command line and the page on costs read from
here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path

import pandas as pd

from meanings.core.errors import MeaningsError, one_of
from meanings.core.formatting import amount, number, size
from meanings.core.paths import data_folder
from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.models.registry import registry
from meanings.patching.flops import Lengths
from meanings.study import budget
from meanings.study.budget import Extent
from meanings.study.decoder_shapes import SHAPES, DecoderShape, shape_named
from meanings.study.grid import read_grid

TITLES = {"eurollm-1.7b": "EuroLLM-1.7B", "olmo-2-7b": "OLMo-2-7B", "llama-3-70b": "Llama-3-70B"}
MODELS = {TITLES[name]: shape for name, shape in SHAPES.items()}
ALGORITHMS = {"ours": budget.ours, "published": budget.published}
ANSWER = 10  # tokens, as in the papers


@dataclass(frozen=True)
class Assumed:
    """What a budget assumes of the machine; yours may differ in each."""

    peak: float = 989e12  # operations per second of an H100 SXM in bfloat16, dense
    shares: tuple[float, float, float] = (0.1, 0.3, 0.5)  # of the peak that is reached
    gpu_bytes: float = 80e9
    bits: float = 1e9  # per second, of the network

    @property
    def share(self) -> float:
        """The middle share of the peak."""
        return self.shares[1]


ASSUMED = Assumed()
FULL = Extent(budget.every_pair())

# Twelve pairs over all languages, half of the prompts: what the study's own run of a real model
# has.
NIGHT_PAIRS = tuple(
    pair
    for pair in FULL.pairs
    if str(pair)
    in "en-fr fr-es pl-ru zh-en ru-fi es-zh fi-et et-fr fr-cy en-sw yue-zh sw-ru".split()
)
NIGHT = Extent(NIGHT_PAIRS, prompts=128)


def lengths(
    words: Lexicon | None = None,
    tokenizer: Path | None = None,
    pairs: Sequence[LanguagePair] = FULL.pairs,
    shots: int = 5,
) -> Lengths:
    """Lengths of prompts from a lexicon, in tokens of the tokenizer in a folder.

    Without them: the embedded lexicon in the papers' languages, and the miniature's tokenizer.
    """
    from meanings.models.tokenizers import as_it_stands  # imports transformers
    from meanings.study.prompt_lengths import prompt_lengths

    folder = tokenizer or data_folder() / "miniature" / "seed-0" / "tokenizer"
    words = words or load_lexicon("embedded").restrict(languages=budget.LANGUAGES)
    return prompt_lengths(words, as_it_stands(folder), pairs, shots)


def extent_and_lengths(
    model: str, grid: Path | None, checkpoints: int, tokenizer: Path | None
) -> tuple[Extent, Lengths]:
    """The extent of a grid, or of the full study, and the lengths of its prompts.

    The languages of `seen` are the model's where it is known by name, else EuroLLM's.
    """
    if grid is None:
        return replace(FULL, checkpoints=checkpoints), lengths(tokenizer=tokenizer)
    settings, known = read_grid(grid), registry()
    words = load_lexicon(settings.lexicon)
    if settings.languages != "all":
        words = words.restrict(languages=settings.languages)
    listed = known.get(model, known["eurollm-1.7b"]).languages
    extent = budget.extent_of(
        settings, checkpoints, [code for code in words.languages if code in listed]
    )
    for code in dict.fromkeys(code for pair in extent.pairs for code in (pair.input, pair.output)):
        if code not in words.languages:
            raise MeaningsError(
                f"{grid}: lexicon {settings.lexicon} lacks language {code!r}; allowed are "
                f"{one_of(words.languages)}"
            )
    return extent, lengths(words, tokenizer, extent.pairs, settings.shots)


def statement(
    model: str,
    grid: Path | None,
    checkpoints: int,
    peak: Real,
    share: Real,
    tokenizer: Path | None = None,
) -> str:
    """A budget in a few lines of text, for the command line.

    Raises MeaningsError on a model, grid or number that is none.
    """
    shape = shape_named(model)
    extent, found = extent_and_lengths(model, grid, checkpoints, tokenizer)
    ours, theirs = (of(shape, extent, found) for of in ALGORITHMS.values())
    middle = ours.hours(peak, share)
    low, high = ours.hours(peak, min(1, 2 * share)), 2 * middle
    rows = {
        "model": f"{shape.layers} layers, {shape.parameters / 1e9:.2f}B parameters",
        "study": f"{checkpoints} checkpoints, {len(extent.pairs)} pairs, {extent.prompts} prompts "
        f"of {found.prompt:.0f} tokens, answers of {extent.generate} tokens",
        "token passes": f"{amount(ours.passes)} (published algorithm: {amount(theirs.passes)})",
        "operations": f"{ours.operations:.1e} (published algorithm: {theirs.operations:.1e})",
        "hours": f"{number(middle)} at {share:.0%} of {peak / 1e12:g} TFLOP/s; {number(low)} to "
        f"{number(high)} from {min(1, 2 * share):.0%} to {share / 2:.0%}",
        "checkpoints": f"{size(shape.weight_bytes)} each, "
        f"{size(shape.weight_bytes * checkpoints)} in all",
        "results": f"{amount(ours.rows)} rows",
        "source states": f"{size(ours.state_bytes)} per checkpoint",
    }
    return "\n".join(f"{name:<14}{text}" for name, text in rows.items())


def shorter(lengths: Lengths, times: float) -> Lengths:
    """All lengths, times a factor; the last token of the query word stays one."""
    return Lengths(
        lengths.prompt * times,
        1 + (lengths.suffix - 1) * times,
        lengths.source * times,
        lengths.query * times,
    )


def answered(extent: Extent) -> Extent:
    """The same study with answers generated."""
    return replace(extent, generate=ANSWER)


def hours(
    extent: Extent, lengths: Lengths, models: Mapping[str, DecoderShape] = MODELS
) -> pd.DataFrame:
    """One row per model, algorithm, and with or without answers: passes, operations, GPU hours, and
    their range over the shares of the peak.
    """
    rows = []
    for title, shape in models.items():
        for answers, measured in ((False, extent), (True, answered(extent))):
            for name, budget_of in ALGORITHMS.items():
                found = budget_of(shape, measured, lengths)
                low, middle, high = (
                    found.hours(ASSUMED.peak, share) for share in reversed(ASSUMED.shares)
                )
                rows.append(
                    (title, name, answers, found.passes, found.operations, middle, low, high)
                )
    return pd.DataFrame(
        rows,
        columns=["model", "algorithm", "answers", "passes", "operations", "hours", "low", "high"],
    )


def gpus(shape: DecoderShape) -> int:
    """GPUs whose memory the weights fit in, a tenth left free."""
    return math.ceil(shape.weight_bytes / (0.9 * ASSUMED.gpu_bytes))
