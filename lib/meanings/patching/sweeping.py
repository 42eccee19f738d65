"""The sweep over the first overwritten layer, for one set of concept vectors or for those of
several conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from meanings.core.errors import MeaningsError
from meanings.models.loading import PatchableModel
from meanings.patching.sweep_run import Columns, LayersWritten, SweepRun
from meanings.patching.word_probability import Words
from meanings.prompts.prompt import Prompt


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
    run = SweepRun(
        model,
        prompts,
        vectors,
        columns,
        first_layers=chosen,
        layers=layers,
        generate=generate,
        chunk_rows=chunk_rows,
    )
    return _result(run)


def unpatched(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    columns: Columns | Words,
    *,
    generate: int = 0,
) -> Sweep:
    """The same probabilities and answers without a patch: one row, whose first layer is -1."""
    no_vectors = torch.empty(model.n_layers, 0, model.d_model)
    return _result(SweepRun(model, prompts, no_vectors, columns, generate=generate))


def _result(run: SweepRun) -> Sweep:
    run.run()
    return Sweep(run.first_layers, run.probabilities, run.answers if run.generate else None)


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
    for each in vectors.values():
        _check_vectors(model, prompts, each)
    names = [*vectors, *([unpatched_as] if unpatched_as else [])]
    if len(set(names)) != len(names) or not names:
        raise MeaningsError(f"conditions {names}: at least one is needed, and names must differ")
    no_vectors = torch.empty(model.n_layers, 0, model.d_model)
    stacked = torch.cat([no_vectors, *(each.cpu() for each in vectors.values())], dim=1)
    wide = (
        columns.repeated(len(names)) if isinstance(columns, Words) else list(columns) * len(names)
    )
    run = SweepRun(
        model,
        list(prompts) * len(names),
        stacked,
        wide,
        first_layers=chosen,
        layers=layers,
        generate=generate,
        chunk_rows=chunk_rows,
    )
    together = _result(run)
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
                "; choose among these"
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
