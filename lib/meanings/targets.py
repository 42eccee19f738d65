"""Target prompts from the query word's last token on: where every patched row starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers.cache_utils import Cache

from meanings.models import PatchableModel, like_output, read_output
from meanings.prefixes import Prefixes, blocks, run_prefixes, token_budget
from meanings.prompts import Prompt


@dataclass(frozen=True)
class Suffixes:
    """Target prompts from the query word's last token on, unpatched: where every patched row of a block starts.

    - `outputs[layer]`: what the layer returned; `keys[layer]`, `values[layer]`: of the suffix alone.
    """

    prefixes: Prefixes
    ids: Int[Tensor, "prompt position"]
    outputs: list[Tensor | tuple]
    keys: list[Tensor]
    values: list[Tensor]
    logits: Float[Tensor, "prompt vocab"]


def target_blocks(
    model: PatchableModel, prompts: Sequence[Prompt]
) -> Iterator[tuple[Suffixes, list[tuple[int, int]]]]:
    """Blocks of distinct prompts with one suffix length, each with (index in `prompts`, row in the block)."""
    buckets: dict[int, dict[tuple[int, ...], list[int]]] = {}
    for index, prompt in enumerate(prompts):
        length = len(prompt.token_ids) - prompt.query_position
        buckets.setdefault(length, {}).setdefault(prompt.token_ids, []).append(index)
    for length, members in sorted(buckets.items()):
        distinct = list(members)
        for block in blocks([len(ids) for ids in distinct], token_budget(model)):
            chosen = [distinct[i] for i in block]
            prefixes = run_prefixes(model, [ids[:-length] for ids in chosen])
            ids = torch.tensor([ids[-length:] for ids in chosen], device=model.device)
            rows = [(index, row) for row, ids_ in enumerate(chosen) for index in members[ids_]]
            yield _unpatched_suffixes(model, prefixes, ids), rows


def _unpatched_suffixes(model: PatchableModel, prefixes: Prefixes, ids: Tensor) -> Suffixes:
    rows = torch.arange(len(ids), device=model.device)
    length = ids.shape[1]
    cache = prefixes.cache(rows, length)
    outputs: list[Tensor | tuple] = []
    with model.nn.trace(
        input_ids=ids, **prefixes.inputs(rows, length), past_key_values=cache, use_cache=True, logits_to_keep=1
    ):
        for layer in model.layers:
            outputs.append(layer.output)
        logits = model.nn.output.logits[:, -1].save()
    keys = [layer.keys[:, :, -length:] for layer in cache.layers]
    values = [layer.values[:, :, -length:] for layer in cache.layers]
    return Suffixes(prefixes, ids, outputs, keys, values, logits)


def patched_forward(model, suffixes: Suffixes, start: Tensor, first_layer: int, vectors: Tensor, generate: int):
    """Last logits and cache of rows that start as `suffixes[start]`, patched from `first_layer` on (-1: not at all)."""
    length = suffixes.ids.shape[1]
    cache = suffixes.prefixes.cache(start, length + generate)
    if first_layer < 0:
        shared, logits = model.n_layers, suffixes.logits[start]
    else:
        shared = first_layer + 1
        written = vectors.to(model.device, read_output(suffixes.outputs[0]).dtype)
        entering = read_output(suffixes.outputs[first_layer])[start]
        entering[:, 0] = written[first_layer]
        packed = like_output(suffixes.outputs[first_layer], entering)
        with model.nn.trace(
            input_ids=suffixes.ids[start],
            **suffixes.prefixes.inputs(start, length),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ):
            for index, layer in enumerate(model.layers):
                if index < shared:
                    layer.skip(packed)
                else:
                    read_output(layer.output)[:, 0] = written[index]
            logits = model.nn.output.logits[:, -1].save()
    # The layers that were not run have the unpatched suffix behind them.
    for index in range(shared if generate else 0):
        cache.update(suffixes.keys[index][start], suffixes.values[index][start], index)
    return logits, cache
