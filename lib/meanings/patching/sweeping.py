"""The sweep over the first overwritten layer, for one set of concept vectors or for those of
several conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers.cache_utils import Cache

from meanings.core.errors import MeaningsError
from meanings.models.loading import PatchableModel
from meanings.patching.batching import ANSWERING, even, in_parts, rows_at_once
from meanings.patching.generation import continue_greedily
from meanings.patching.kv_cache import joined
from meanings.patching.targets import (
    Targets,
    TokenIds,
    patched_forward,
    patched_once,
    place_vectors,
    run_targets,
    target_blocks,
    unpatched_forward,
)
from meanings.patching.token_probability import concept_probability, token_columns
from meanings.patching.word_probability import Words, word_probability
from meanings.prompts.prompt import Prompt

Columns = Sequence[Sequence[frozenset[int]]]
LayersWritten = Literal["from", "only"]  # the first layer and all later ones, or that layer alone


@dataclass(frozen=True)
class Sweep:
    """What the model says after each patch.

    - `first_layers[j]`: the first overwritten layer of row j, from 0; -1 where nothing was patched.
    - `probabilities`: next-token probability of each prompt's token columns, or that of whole
      words; float32.
    - `answers[j][prompt]`: greedily generated text, up to and including the token that closes the
      answer; None where none was asked for.
    """

    first_layers: tuple[int, ...]
    probabilities: Float[Tensor, "first_layer prompt column"]
    answers: list[list[str]] | None


@dataclass(frozen=True)
class Begun:
    """The first tokens of some prompts' answers at one first layer, and the cache to go on from."""

    place: int
    index: list[int]
    choice: Int[Tensor, " row"]
    cache: Cache


def sweep(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    vectors: Float[Tensor, "layer prompt d_model"],
    columns: Columns | Words,
    *,
    first_layers: Sequence[int] | Literal["all"] = "all",
    layers: LayersWritten = "from",
    generate: int = 0,
    chunk_rows: int | Literal["auto"] = "auto",
) -> Sweep:
    """Overwrite layers j, j+1, ... at each prompt's query word's last token, for every first layer
    j.

    - `vectors[:, i]` is patched into `prompts[i]`; its rows below the first layer are not read. A
      prompt that occurs several times, with different vectors, is run once up to its query word.
    - `columns[i]`: the sets of token ids whose probability is summed for prompt i; or `Words`, the
      same for whole words.
    - `layers`: `only` overwrites layer j alone, and the layers above it read what comes of that.
    - `generate`: tokens to generate greedily after each patch, 0 for none.
    - `chunk_rows`: patched rows in one forward; it changes speed and memory, not results.

    Raises MeaningsError on a first layer that the model lacks, sizes that do not agree, answers
    asked for beside whole words, and where the model answers with NaN or infinity, naming prompt,
    first layer and dtype.
    """
    chosen = _checked_layers(model, first_layers)
    _check_vectors(model, prompts, vectors)
    return _run(model, prompts, vectors, columns, chosen, layers, generate, chunk_rows)


def unpatched(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    columns: Columns | Words,
    *,
    generate: int = 0,
) -> Sweep:
    """The same reading without a patch: one row, whose first layer is -1."""
    nothing = torch.empty(model.n_layers, 0, model.d_model)
    return _run(model, prompts, nothing, columns, (), "from", generate, "auto")


def sweep_conditions(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    vectors: Mapping[str, Float[Tensor, "layer prompt d_model"]],
    columns: Columns | Words,
    *,
    first_layers: Sequence[int] | Literal["all"] = "all",
    layers: LayersWritten = "from",
    generate: int = 0,
    chunk_rows: int | Literal["auto"] = "auto",
    unpatched_as: str = "",
) -> dict[str, Sweep]:
    """`sweep` for the vectors of several conditions at once, which share the prompts' own states.

    - `unpatched_as`: name under which the prompts' own answers are returned too (`unpatched`, at
      hardly any cost); empty to leave them out.
    """
    chosen, n_prompts = _checked_layers(model, first_layers), len(prompts)
    for own in vectors.values():
        _check_vectors(model, prompts, own)
    names = [*vectors, *([unpatched_as] if unpatched_as else [])]
    if len(set(names)) != len(names) or not names:
        raise MeaningsError(f"conditions {names}: at least one is needed, and names must differ")
    stacked = torch.cat(
        [own.cpu() for own in vectors.values()] or [torch.empty(model.n_layers, 0, model.d_model)],
        dim=1,
    )
    wide = (
        columns.repeated(len(names)) if isinstance(columns, Words) else list(columns) * len(names)
    )
    together = _run(
        model, list(prompts) * len(names), stacked, wide, chosen, layers, generate, chunk_rows
    )
    found = {}
    for place, name in enumerate(names):
        rows = slice(-1, None) if name == unpatched_as else slice(0, len(chosen))
        part = slice(place * n_prompts, (place + 1) * n_prompts)
        answers = together.answers and [row[part] for row in together.answers[rows]]
        found[name] = Sweep(
            together.first_layers[rows], together.probabilities[rows, part], answers
        )
    return found


def _checked_layers(
    model: PatchableModel, first_layers: Sequence[int] | Literal["all"]
) -> tuple[int, ...]:
    layers = tuple(range(model.n_layers)) if first_layers == "all" else tuple(first_layers)
    for layer in layers:
        if not 0 <= layer < model.n_layers:
            raise MeaningsError(
                f"first layer {layer!r}: {model.name} has layers 0 to {model.n_layers - 1}"
            )
    if len(set(layers)) != len(layers):
        raise MeaningsError(f"first layers {layers}: each may be asked for once")
    return layers


def _check_vectors(model: PatchableModel, prompts: Sequence[Prompt], vectors: Tensor) -> None:
    expected = (model.n_layers, len(prompts), model.d_model)
    if tuple(vectors.shape) != expected:
        raise MeaningsError(
            f"vectors are {tuple(vectors.shape)}: expected layer, prompt, d_model = {expected}"
        )


@torch.no_grad()
def _run(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    vectors: Float[Tensor, "layer patched d_model"],
    columns: Columns | Words,
    chosen: tuple[int, ...],
    layers: LayersWritten,
    generate: int,
    chunk_rows: int | Literal["auto"],
) -> Sweep:
    """Patch the first prompts, as many as there are vectors, at every `chosen` layer; the others
    are not patched.

    Their row stands behind those of the layers, with first layer -1. What a prompt is not asked for
    is left NaN.
    """
    if len(columns) != len(prompts):
        raise MeaningsError(
            f"{len(columns)} rows of token columns for {len(prompts)} prompts: give one row a "
            "prompt"
        )
    if (chunk_rows != "auto" and chunk_rows < 1) or generate < 0:
        raise MeaningsError(
            f"chunk_rows={chunk_rows!r}, generate={generate!r}: expected at least 1 row (or "
            "'auto') and 0 tokens"
        )
    whole_words = isinstance(columns, Words)
    if whole_words and generate:
        raise MeaningsError(
            f"generate={generate!r}: answers are generated beside first tokens, not beside whole "
            "words; ask for 0"
        )
    follow = columns.longest if whole_words else generate  # tokens that go on from a patched row
    n_patched = vectors.shape[1]
    first_layers = (*chosen, *([-1] if n_patched < len(prompts) else []))
    table = None if whole_words else token_columns(columns)
    probabilities = torch.full(
        (len(first_layers), len(prompts), columns.columns if whole_words else table.ids.shape[1]),
        torch.nan,
    )
    answers = [[""] * len(prompts) for _ in first_layers]

    def score(
        place: int, index: list[int], logits: Tensor, targets: Targets, rows: Tensor, cache: Cache
    ) -> None:
        _check_finite(model, logits, first_layers[place], layers, [prompts[i] for i in index])
        if whole_words:
            own = Words([columns.sets[i] for i in index], columns.closing)
            probabilities[place, index] = word_probability(
                model, targets.prefixes, rows, targets.ids.shape[1], cache, logits, own
            )
        else:
            probabilities[place, index] = concept_probability(
                logits, table.take(torch.tensor(index))
            ).cpu()

    def answer(targets: Targets, rows: Tensor, begun: list[Begun]) -> None:
        """Go on, side by side, with what `rows` have begun to answer at several first layers."""
        every, cache = rows.repeat(len(begun)), joined([each.cache for each in begun])
        choice = torch.cat([each.choice for each in begun])
        texts = iter(
            continue_greedily(
                model, targets.prefixes, every, targets.ids.shape[1], cache, choice, generate
            )
        )
        for each in begun:
            for i in each.index:
                answers[each.place][i] = next(texts)

    def run(length: int, block: Sequence[tuple[TokenIds, list[int]]]) -> None:
        targets = run_targets(model, [ids for ids, _ in block], length, follow)
        members = [(row, index) for row, (_, indices) in enumerate(block) for index in indices]
        prefix, whole = targets.prefixes.mask.shape[1], length + generate
        size = answering = chunk_rows
        if chunk_rows == "auto":
            size = rows_at_once(model, length, prefix, kept=length)
            answering = rows_at_once(model, 1, prefix + whole, kept=whole, share=ANSWERING)

        def split(part: Sequence[tuple[int, int]]) -> tuple[Tensor, list[int]]:
            return torch.tensor([row for row, _ in part], device=model.device), [
                index for _, index in part
            ]

        def forwards(
            rows: Tensor,
            index: list[int],
            places: Sequence[int],
            forward: Callable[[int], tuple[Tensor, Cache]],
        ) -> None:
            begun = []
            for place in places:
                logits, cache = forward(first_layers[place])
                score(place, index, logits, targets, rows, cache)
                if generate:
                    begun.append(Begun(place, index, logits.argmax(-1), cache))
                del logits, cache  # before the next forward makes its own
            if begun:
                answer(targets, rows, begun)

        def alone(part: Sequence[tuple[int, int]]) -> None:
            rows, index = split(part)
            forwards(rows, index, [-1], lambda _: unpatched_forward(model, targets, rows))

        def patched(part: Sequence[tuple[int, int]]) -> None:
            rows, index = split(part)
            written = (
                place_vectors(model, targets, rows, vectors[:, index]) if layers == "from" else None
            )

            def forward(layer: int) -> tuple[Tensor, Cache]:
                if layers == "only":
                    return patched_once(model, targets, rows, vectors[layer, index], layer)
                return patched_forward(model, targets, written, layer, follow)

            # One row alone goes on alone: parts that are halved for want of memory come down to
            # that.
            together = (
                even(len(chosen), max(1, answering // len(part)))
                if generate and len(part) > 1
                else 1
            )
            for first in range(0, len(chosen), together):
                forwards(rows, index, range(len(chosen))[first : first + together], forward)

        in_parts([member for member in members if member[1] < n_patched], size, patched)
        in_parts([member for member in members if member[1] >= n_patched], size, alone)

    for length, block in target_blocks(model, prompts):
        in_parts(block, len(block), lambda part: run(length, part))
    return Sweep(first_layers, probabilities, answers if generate else None)


def _check_finite(
    model: PatchableModel,
    logits: Tensor,
    first_layer: int,
    layers: LayersWritten,
    prompts: Sequence[Prompt],
) -> None:
    wrong = (~logits.amax(-1).isfinite()).nonzero()
    if len(wrong):
        patch = (
            "without a patch"
            if first_layer < 0
            else (
                f"patched from layer {first_layer} on"
                if layers == "from"
                else f"patched at layer {first_layer}"
            )
        )
        raise MeaningsError(
            f"{model.name} in {model.dtype} gives NaN or infinity for the prompt "
            f"{prompts[int(wrong[0])].text!r}, {patch}: "
            "use dtype float32 or bfloat16"
        )
