"""Units of a model's MLPs held at given values while it generates text.

    next token    drawn from softmax(logits) by inverting its distribution at a given number u

Texts of two models, or of one with and without clamped units, are compared under the same u.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from meanings.models.activations import mlp_projection, start_of_text
from meanings.models.loading import PatchableModel


class Held(NamedTuple):
    """Units of one layer's MLP and the values that they are held at."""

    units: Int[Tensor, " unit"]
    values: Float[Tensor, " unit"]


@contextmanager
def clamped(model: PatchableModel, held: Mapping[int, Held]) -> Iterator[None]:
    """While the block runs, units have these values at every position; layers count from 0."""
    layers = list(model.network.get_submodule(model.layers_path))

    def holding(each: Held):
        def hook(_module, arguments):
            states = arguments[0].clone()
            states[..., each.units] = each.values.to(states)
            return states, *arguments[1:]

        return hook

    handles = [
        mlp_projection(layers[place], model.d_model).register_forward_pre_hook(holding(each))
        for place, each in held.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def generate(model: PatchableModel, draws: Float[Tensor, "text token"]) -> list[str]:
    """Texts behind the mark that begins one, sampled at temperature 1.

    - `draws`: numbers from 0 to 1, one per token.
    """
    inputs = torch.full((len(draws), 1), start_of_text(model), device=model.device)
    said, cache = [], None
    for each in draws.T:
        found = model.network(
            input_ids=inputs, past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        cache = found.past_key_values
        edges = found.logits[:, -1].double().softmax(-1).cumsum(-1)
        at = torch.searchsorted(edges, each.to(edges)[:, None] * edges[:, -1:], right=True)
        inputs = at.clamp(max=edges.shape[1] - 1)
        said.append(inputs)
    return model.tokenizer.batch_decode(torch.cat(said, dim=1).tolist(), skip_special_tokens=True)
