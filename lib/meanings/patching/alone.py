"""A patch at one layer alone: the layers above it run on what was written, instead of being overwritten too."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from meanings.models import PatchableModel, like_output, read_output
from meanings.patching.parts import by_length, rows_at_once
from meanings.patching.sweeping import Sweep, sweep
from meanings.prompts import Prompt


def sweep_alone(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    vectors: Float[Tensor, "layer prompt d_model"],
    columns: Sequence[Sequence[frozenset[int]]],
) -> Sweep:
    """As `sweep`, but row l of the result overwrites layer l only, at the query word's last token.

    Overwriting all layers from l on with what they would have held anyway is overwriting l alone, so the engine of
    the sweep serves for both.
    """
    rows = [sweep(model, prompts, carried(model, prompts, vectors, layer), columns, first_layers=[layer]) for layer in range(model.n_layers)]
    return Sweep(tuple(range(model.n_layers)), torch.cat([row.probabilities for row in rows]), None)


@torch.no_grad()
def carried(
    model: PatchableModel, prompts: Sequence[Prompt], vectors: Float[Tensor, "layer prompt d_model"], layer: int
) -> Float[Tensor, "layer prompt d_model"]:
    """The vectors with every row above `layer` replaced by what the model makes of row `layer`, in each target prompt."""
    found = vectors.clone()
    modules = list(model.network.get_submodule(model.layers_path))
    for index in by_length([prompt.query_position for prompt in prompts], lambda longest: rows_at_once(model, longest + 1)):
        for length in sorted({prompts[i].query_position for i in index}):  # equal lengths need no padding
            part = [i for i in index if prompts[i].query_position == length]

            def write(_module, _inputs, output, part=part):
                hidden = read_output(output).clone()
                hidden[:, -1] = vectors[layer, part].to(hidden)
                return like_output(output, hidden)

            def read(_module, _inputs, output, above, part=part):
                found[above, part] = read_output(output)[:, -1].to(found)

            handles = [modules[layer].register_forward_hook(write)]
            for above in range(layer + 1, model.n_layers):
                handles.append(modules[above].register_forward_hook(lambda m, i, o, above=above: read(m, i, o, above)))
            try:
                ids = torch.tensor([prompts[i].cut() for i in part], device=model.device)
                model.network(input_ids=ids, use_cache=False, logits_to_keep=1)
            finally:
                for handle in handles:
                    handle.remove()
    return found
