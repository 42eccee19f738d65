"""Plain PyTorch hooks in place of nnsight, under the same engine: what nnsight itself costs is the
difference in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch import Tensor

from meanings.models.loading import PatchableModel, like_output, read_output
from meanings.patching import query_states, targets


@contextmanager
def plain_hooks() -> Iterator[None]:
    """While it lasts, the engine's four ways of running a model use hooks."""
    with (
        patch.object(query_states, "read_layers", _read_layers),
        patch.object(targets, "run_unpatched", _run_unpatched),
        patch.object(targets, "write_layers", _write_layers),
        patch.object(targets, "run_above", _run_above),
    ):
        yield


class _Stop(Exception):
    """The last layer has been read."""


@contextmanager
def _hooked(layers, make) -> Iterator[None]:
    handles = [layer.register_forward_hook(make(index)) for index, layer in enumerate(layers)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _layers(model: PatchableModel) -> torch.nn.ModuleList:
    return model.network.get_submodule(model.layers_path)


@torch.no_grad()
def _read_layers(model: PatchableModel, inputs: dict, rows: Tensor, positions: Tensor) -> Tensor:
    states: list[Tensor] = []

    def make(index: int):
        def hook(_module, _inputs, output):
            states.append(read_output(output)[rows, positions])
            if index == model.n_layers - 1:
                raise _Stop

        return hook

    with _hooked(_layers(model), make):
        try:
            model.network(**inputs)
        except _Stop:
            pass
    return torch.stack(states)


@torch.no_grad()
def _run_unpatched(model: PatchableModel, inputs: dict) -> tuple[list, Tensor]:
    outputs: list = []
    with _hooked(_layers(model), lambda _: lambda _module, _inputs, output: outputs.append(output)):
        logits = model.network(**inputs).logits[:, -1]
    return outputs, logits


@torch.no_grad()
def _write_layers(
    model: PatchableModel, inputs: dict, vectors: Tensor, answer: bool
) -> Tensor | None:
    def make(index: int):
        def hook(_module, _inputs, output):
            read_output(output)[:, 0] = vectors[index]
            if index == model.n_layers - 1 and not answer:
                raise _Stop

        return hook

    with _hooked(_layers(model), make):
        try:
            return model.network(**inputs).logits[:, -1]
        except _Stop:
            return None


@torch.no_grad()
def _run_above(
    model: PatchableModel, inputs: dict, layer: int, output: Tensor | tuple, hidden: Tensor
) -> Tensor:
    packed = like_output(output, hidden)
    below = list(_layers(model))[: layer + 1]
    plain = [module.forward for module in below]
    for module in below:
        module.forward = lambda *_args, **_kwargs: packed
    try:
        return model.network(**inputs).logits[:, -1]
    finally:
        for module, forward in zip(below, plain, strict=True):
            module.forward = forward
