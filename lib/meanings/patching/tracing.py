"""A model run with its layers read, written or skipped: all that this study asks of nnsight.

`inputs` are the keyword arguments of the network's forward, rows first.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from meanings.models.loading import PatchableModel, like_output, read_output

Inputs = dict[str, Any]
Outputs = list[Tensor | tuple]  # a layer's output as the architecture gives it, one a layer


@torch.no_grad()
def read_layers(
    model: PatchableModel, inputs: Inputs, rows: Int[Tensor, " row"], positions: Int[Tensor, " row"]
) -> Float[Tensor, "layer row d_model"]:
    """Every layer's output at one position of each row. Nothing above the last layer is run."""
    states: list[Tensor] = []
    with model.nn.trace(**inputs) as tracer:
        for layer in model.layers:
            states.append(read_output(layer.output)[rows, positions])
        tracer.stop()
    return torch.stack(states)


@torch.no_grad()
def run_unpatched(
    model: PatchableModel, inputs: Inputs
) -> tuple[Outputs, Float[Tensor, "row vocab"]]:
    """Every layer's whole output, and the last position's logits."""
    outputs: Outputs = []
    with model.nn.trace(**inputs):
        for layer in model.layers:
            outputs.append(layer.output)
        logits = model.nn.output.logits[:, -1].save()
    return outputs, logits


@torch.no_grad()
def write_layers(
    model: PatchableModel, inputs: Inputs, vectors: Float[Tensor, "layer row d_model"], answer: bool
) -> Float[Tensor, "row vocab"] | None:
    """Overwrite every layer's output at the first position; the last position's logits where
    `answer` asks for them.
    """
    logits = None
    with model.nn.trace(**inputs) as tracer:
        for index, layer in enumerate(model.layers):
            read_output(layer.output)[:, 0] = vectors[index]
        if not answer:
            tracer.stop()
        logits = model.nn.output.logits[:, -1].save()
    return logits


@torch.no_grad()
def run_above(
    model: PatchableModel,
    inputs: Inputs,
    layer: int,
    output: Tensor | tuple,
    hidden: Float[Tensor, "row position d_model"],
) -> Float[Tensor, "row vocab"]:
    """The layers above `layer` only, which are given `hidden` as its output; the last position's
    logits.

    - `output`: an output of that layer, for how the architecture packs it.
    """
    packed = like_output(output, hidden)
    with model.nn.trace(**inputs):
        for below in model.layers[: layer + 1]:
            below.skip(packed)
        logits = model.nn.output.logits[:, -1].save()
    return logits
