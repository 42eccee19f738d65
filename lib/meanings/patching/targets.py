"""Target prompts from the query word's last token on: what patched rows share, and what each has of
its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers.cache_utils import Cache

from meanings.models.loading import PatchableModel, read_output
from meanings.patching.batching import by_length, prefixes_at_once
from meanings.patching.kv_cache import KeysValues
from meanings.patching.prefixes import Prefixes, run_prefixes
from meanings.patching.tracing import Outputs, run_above, run_unpatched, write_layers
from meanings.prompts.prompt import Prompt

TokenIds = tuple[int, ...]


@dataclass(frozen=True)
class Targets:
    """A block of target prompts with suffixes of one length, unpatched: where every patched row
    starts.

    A suffix is the query word's last token and what follows it.

    - `outputs[layer]`: what the layer returned for the suffixes; `keys_values[layer]`: their keys
      and values.
    - `logits`: after the prompt.
    """

    prefixes: Prefixes
    ids: Int[Tensor, "prompt position"]
    outputs: Outputs
    keys_values: list[KeysValues]
    logits: Float[Tensor, "prompt vocab"]

    def first_keys_values(self, rows: Tensor, layer: int, tokens: int) -> KeysValues:
        """The first tokens' unpatched keys and values, a row each."""
        return tuple(part[rows, :, :tokens] for part in self.keys_values[layer])


@dataclass(frozen=True)
class PatchedTokens:
    """Concept vectors written at the query word's last token of some rows: what does not depend on
    the first layer.

    - `rows`: each row's prompt in the block.
    - `keys_values[layer]`: the patched token's keys and values, [row, head, 1, d_head]; those of
      layer 0 are unpatched.
    - `logits`: after that token, all layers overwritten; only where it is the prompt's last.
    """

    rows: Int[Tensor, " row"]
    keys_values: list[KeysValues]
    logits: Float[Tensor, "row vocab"] | None


def target_blocks(
    model: PatchableModel, prompts: Sequence[Prompt]
) -> Iterator[tuple[int, list[tuple[TokenIds, list[int]]]]]:
    """Blocks of distinct prompts with one suffix length, which is given too, each with its indices
    in `prompts`.
    """
    buckets: dict[int, dict[TokenIds, list[int]]] = {}
    for index, prompt in enumerate(prompts):
        length = len(prompt.token_ids) - prompt.query_position
        buckets.setdefault(length, {}).setdefault(prompt.token_ids, []).append(index)
    for length, members in sorted(buckets.items()):
        distinct = list(members)
        for block in by_length(
            [len(ids) for ids in distinct], lambda longest: prefixes_at_once(model, longest)
        ):
            yield length, [(distinct[i], members[distinct[i]]) for i in block]


def run_targets(
    model: PatchableModel, prompts: Sequence[TokenIds], length: int, generate: int
) -> Targets:
    """Run prompts whose suffixes have `length` tokens, leaving room for `generate` more."""
    prefixes = run_prefixes(model, [ids[:-length] for ids in prompts], length + generate)
    ids = torch.tensor([ids[-length:] for ids in prompts], device=model.device)
    rows = torch.arange(len(ids), device=model.device)
    cache = prefixes.cache(rows, model.n_layers, length)
    outputs, logits = run_unpatched(model, _inputs(prefixes, rows, ids, cache))
    return Targets(prefixes, ids, outputs, [layer.added for layer in cache.layers], logits)


def place_vectors(
    model: PatchableModel,
    targets: Targets,
    rows: Tensor,
    vectors: Float[Tensor, "layer row d_model"],
) -> PatchedTokens:
    """Run the patched token alone: its keys and values above the first layer come from the vector,
    whatever that layer is.
    """
    cache = targets.prefixes.cache(rows, model.n_layers, 1)
    written = vectors.to(model.device, read_output(targets.outputs[0]).dtype)
    inputs = _inputs(targets.prefixes, rows, targets.ids[rows, :1], cache)
    logits = write_layers(model, inputs, written, answer=targets.ids.shape[1] == 1)
    return PatchedTokens(rows, [layer.added for layer in cache.layers], logits)


def patched_forward(
    model: PatchableModel, targets: Targets, vectors: PatchedTokens, first_layer: int, generate: int
) -> tuple[Float[Tensor, "row vocab"], Cache]:
    """The last logits of rows whose layers from `first_layer` on are overwritten, and their cache.

    Only the tokens after the patched one are run, and only through the layers above `first_layer`.
    """
    rows, length = vectors.rows, targets.ids.shape[1]
    cache = targets.prefixes.cache(rows, model.n_layers, targets.prefixes.room)
    for index, layer in enumerate(cache.layers):
        layer.append(
            *(
                vectors.keys_values[index]
                if index > first_layer
                else targets.first_keys_values(rows, index, 1)
            )
        )
    if length == 1:
        return vectors.logits, cache
    if first_layer == model.n_layers - 1:
        # No layer above reads the patched token, and what is answered from stands behind it.
        logits = targets.logits[rows]
    else:
        output = targets.outputs[first_layer]
        entering = read_output(output)[rows, 1:]
        logits = run_above(
            model,
            _inputs(targets.prefixes, rows, targets.ids[rows, 1:], cache, after=1),
            first_layer,
            output,
            entering,
        )
    if generate:  # the layers that were not run have the unpatched tokens behind them
        for index in range(first_layer + 1):
            cache.layers[index].append(*(part[rows, :, 1:] for part in targets.keys_values[index]))
    return logits, cache


def patched_at_layer(
    model: PatchableModel,
    targets: Targets,
    rows: Tensor,
    vector: Float[Tensor, "row d_model"],
    layer: int,
) -> tuple[Float[Tensor, "row vocab"], Cache]:
    """The last logits of rows of which one layer's output alone is overwritten, and their cache.

    The patched token goes on through the layers above, which read the vector and not vectors of
    their own: it is run with the tokens after it, and nothing is shared between layers.
    """
    length, above = targets.ids.shape[1], range(layer + 1, model.n_layers)
    cache = targets.prefixes.cache(rows, model.n_layers, targets.prefixes.room)
    if length > 1 and not above:
        logits = targets.logits[rows]  # as in `patched_forward`
    else:
        output = targets.outputs[layer]
        entering = read_output(output)[rows].clone()
        entering[:, 0] = vector.to(entering)
        logits = run_above(
            model,
            _inputs(targets.prefixes, rows, targets.ids[rows], cache),
            layer,
            output,
            entering,
        )
    for index in range(
        layer + 1
    ):  # the patched token's keys and values in these stand before the patch
        cache.layers[index].append(*targets.first_keys_values(rows, index, length))
    return logits, cache


def unpatched_forward(
    model: PatchableModel, targets: Targets, rows: Tensor
) -> tuple[Float[Tensor, "row vocab"], Cache]:
    """The same without a patch."""
    cache = targets.prefixes.cache(rows, model.n_layers, targets.prefixes.room)
    for index, layer in enumerate(cache.layers):
        layer.append(*targets.first_keys_values(rows, index, targets.ids.shape[1]))
    return targets.logits[rows], cache


def _inputs(prefixes: Prefixes, rows: Tensor, ids: Tensor, cache: Cache, after: int = 0) -> dict:
    return {
        "input_ids": ids,
        **prefixes.inputs(rows, ids.shape[1], after),
        "past_key_values": cache,
        "use_cache": True,
        "logits_to_keep": 1,
    }
