"""Read concept vectors, write them into other prompts, and sweep the first layer that is overwritten.

    h_l[query word's last token] <- v[l]    for l = j, ..., n_layers - 1;    then read the next-token distribution

What rows share is run once: a target prompt's tokens before the query word's last, and, for all first layers j, its
layers up to j, which the patch cannot change. So a row begins as the unpatched states after layer j, with the vector
written at the query word's last token, and only the layers above j are run for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from meanings.errors import MeaningsError
from meanings.generation import continue_greedily
from meanings.models import PatchableModel, read_output
from meanings.prefixes import Prefixes, blocks, run_prefixes, token_budget
from meanings.probabilities import concept_probability, token_columns
from meanings.prompts import Prompt
from meanings.targets import patched_forward, target_blocks


@dataclass(frozen=True)
class Sweep:
    """What the model says after each patch.

    - `first_layers[j]`: the first overwritten layer of row j, from 0; -1 where nothing was patched.
    - `probabilities`: next-token probability of each prompt's token columns, float32.
    - `answers[j][prompt]`: greedily generated text, up to and including the token that closes the answer; None where
      none was asked for.
    """

    first_layers: tuple[int, ...]
    probabilities: Float[Tensor, "first_layer prompt column"]
    answers: list[list[str]] | None


@torch.no_grad()
def hidden_states(model: PatchableModel, prompts: Sequence[Prompt]) -> Float[Tensor, "layer prompt d_model"]:
    """Output of every decoder layer at the query word's last token, the prompt cut there.

    Prompts with the same solved lines share their run. In the model's dtype, on its device.
    """
    stems: dict[tuple[int, ...], list[int]] = {}
    for index, prompt in enumerate(prompts):
        stems.setdefault(_stem(prompt), []).append(index)
    states = torch.empty(
        model.n_layers, len(prompts), model.d_model, dtype=next(model.network.parameters()).dtype, device=model.device
    )
    found = list(stems)
    for block in blocks([len(stem) for stem in found], token_budget(model)):
        prefixes = run_prefixes(model, [found[i] for i in block])
        members = [(row, prompt) for row, i in enumerate(block) for prompt in stems[found[i]]]
        lengths = [len(prompts[prompt].cut()) - len(_stem(prompts[prompt])) for _, prompt in members]
        for part in blocks(lengths, token_budget(model)):
            rows = torch.tensor([members[i][0] for i in part], device=model.device)
            ends = torch.tensor([lengths[i] for i in part], device=model.device) - 1
            chosen = [members[i][1] for i in part]
            # Shorter rows are padded on the right: what follows a token cannot reach it.
            ids = torch.zeros(len(part), max(lengths[i] for i in part), dtype=torch.long)
            for row, prompt in enumerate(chosen):
                suffix = prompts[prompt].cut()[len(_stem(prompts[prompt])) :]
                ids[row, : len(suffix)] = torch.tensor(suffix)
            states[:, chosen] = _read(model, prefixes, rows, ids.to(model.device), ends)
    return states


def sweep(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    vectors: Float[Tensor, "layer prompt d_model"],
    columns: Sequence[Sequence[frozenset[int]]],
    *,
    first_layers: Sequence[int] | Literal["all"] = "all",
    generate: int = 0,
    chunk_rows: int | Literal["auto"] = "auto",
) -> Sweep:
    """Overwrite layers j, j+1, ... at each prompt's query word's last token, for every first layer j.

    - `vectors[:, i]` is patched into `prompts[i]`; its rows below the first layer are not read. A prompt that occurs
      several times, with different vectors, is run once up to its query word.
    - `columns[i]`: the sets of token ids whose probability is summed for prompt i.
    - `generate`: tokens to generate greedily after each patch, 0 for none.
    - `chunk_rows`: patched rows in one forward; it changes speed and memory, not results.

    Raises MeaningsError on a first layer that the model lacks or sizes that do not agree.
    """
    layers = _checked_layers(model, first_layers)
    _check_vectors(model, prompts, vectors)
    return _run(model, prompts, vectors, columns, {layer: range(len(prompts)) for layer in layers}, generate, chunk_rows)


def unpatched(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    columns: Sequence[Sequence[frozenset[int]]],
    *,
    generate: int = 0,
) -> Sweep:
    """The same reading without a patch: one row, whose first layer is -1."""
    nothing = torch.empty(model.n_layers, len(prompts), 0)
    return _run(model, prompts, nothing, columns, {-1: range(len(prompts))}, generate, "auto")


def sweep_conditions(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    vectors: Mapping[str, Float[Tensor, "layer prompt d_model"]],
    columns: Sequence[Sequence[frozenset[int]]],
    *,
    first_layers: Sequence[int] | Literal["all"] = "all",
    generate: int = 0,
    chunk_rows: int | Literal["auto"] = "auto",
    unpatched_as: str = "",
) -> dict[str, Sweep]:
    """`sweep` for the vectors of several conditions at once, which share the prompts' own states.

    - `unpatched_as`: name under which the prompts' own answers are returned too (`unpatched`, at hardly any cost);
      empty to leave them out.
    """
    layers, n_prompts = _checked_layers(model, first_layers), len(prompts)
    for own in vectors.values():
        _check_vectors(model, prompts, own)
    names = [*vectors, *([unpatched_as] if unpatched_as else [])]
    stacks = [own.cpu() for own in vectors.values()]
    if unpatched_as:
        stacks.append(torch.empty(model.n_layers, n_prompts, model.d_model))
    if len(set(names)) != len(names) or not names:
        raise MeaningsError(f"conditions {names}: at least one is needed, and names must differ")
    patched = range(n_prompts * len(vectors))
    alone = range(len(patched), n_prompts * len(names))
    plan = {layer: patched for layer in layers if patched} | ({-1: alone} if unpatched_as else {})
    together = _run(model, list(prompts) * len(names), torch.cat(stacks, dim=1), list(columns) * len(names), plan, generate, chunk_rows)
    found = {}
    for place, name in enumerate(names):
        rows = slice(-1, None) if name == unpatched_as else slice(0, len(layers))
        part = slice(place * n_prompts, (place + 1) * n_prompts)
        answers = together.answers and [row[part] for row in together.answers[rows]]
        found[name] = Sweep(together.first_layers[rows], together.probabilities[rows, part], answers)
    return found


def _checked_layers(model: PatchableModel, first_layers: Sequence[int] | Literal["all"]) -> tuple[int, ...]:
    layers = tuple(range(model.n_layers)) if first_layers == "all" else tuple(first_layers)
    for layer in layers:
        if not 0 <= layer < model.n_layers:
            raise MeaningsError(f"first layer {layer!r}: {model.name} has layers 0 to {model.n_layers - 1}")
    if len(set(layers)) != len(layers):
        raise MeaningsError(f"first layers {layers}: each may be asked for once")
    return layers


def _check_vectors(model: PatchableModel, prompts: Sequence[Prompt], vectors: Tensor) -> None:
    expected = (model.n_layers, len(prompts), model.d_model)
    if tuple(vectors.shape) != expected:
        raise MeaningsError(f"vectors are {tuple(vectors.shape)}: expected layer, prompt, d_model = {expected}")


@torch.no_grad()
def _run(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    vectors: Tensor,
    columns: Sequence[Sequence[frozenset[int]]],
    plan: Mapping[int, range],
    generate: int,
    chunk_rows: int | Literal["auto"],
) -> Sweep:
    """The sweep of `plan`: which prompts are run for which first layer (-1: without patch); the rest is left NaN."""
    if len(columns) != len(prompts):
        raise MeaningsError(f"{len(columns)} rows of token columns for {len(prompts)} prompts: give one row a prompt")
    if (chunk_rows != "auto" and chunk_rows < 1) or generate < 0:
        raise MeaningsError(f"chunk_rows={chunk_rows!r}, generate={generate!r}: expected at least 1 row (or 'auto') and 0 tokens")
    table = token_columns(columns)
    probabilities = torch.full((len(plan), len(prompts), table.ids.shape[1]), torch.nan)
    answers = [[""] * len(prompts) for _ in plan]
    for suffixes, rows_of_block in target_blocks(model, prompts):
        size = max(1, token_budget(model) // suffixes.ids.shape[1]) if chunk_rows == "auto" else chunk_rows
        for place, (layer, wanted) in enumerate(plan.items()):
            chosen = [(index, start) for index, start in rows_of_block if index in wanted]
            for chunk in (chosen[i : i + size] for i in range(0, len(chosen), size)):
                index = torch.tensor([index for index, _ in chunk])
                start = torch.tensor([start for _, start in chunk], device=model.device)
                logits, cache = patched_forward(model, suffixes, start, layer, vectors[:, index], generate)
                probabilities[place, index] = concept_probability(logits, table.take(index)).cpu()
                if generate:
                    texts = continue_greedily(model, suffixes.prefixes, start, suffixes.ids.shape[1], cache, logits, generate)
                    for i, text in zip(index.tolist(), texts, strict=True):
                        answers[place][i] = text
    return Sweep(tuple(plan), probabilities, answers if generate else None)


def _read(model, prefixes: Prefixes, rows: Tensor, ids: Tensor, ends: Tensor) -> Tensor:
    states: list[Tensor] = []
    place = torch.arange(len(rows), device=model.device)
    with model.nn.trace(
        input_ids=ids,
        **prefixes.inputs(rows, ids.shape[1]),
        past_key_values=prefixes.cache(rows, ids.shape[1]),
        use_cache=True,
        logits_to_keep=1,
    ):
        for layer in model.layers:
            states.append(read_output(layer.output)[place, ends])
    return torch.stack(states)


def _stem(prompt: Prompt) -> tuple[int, ...]:
    return prompt.token_ids[: min(prompt.line_position, prompt.query_position)]
