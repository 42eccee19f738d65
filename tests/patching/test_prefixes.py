"""Prefixes are run for their keys and values, and no further."""

import pytest
import torch

from meanings.patching.prefixes import run_prefixes

PREFIXES = [(5, 6, 7, 8, 9), (11, 12, 13), (4,)]


def plain(model, ids: tuple[int, ...]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Each layer's keys and values of one prefix, by the network's own cache."""
    with torch.no_grad():
        cache = model.network(input_ids=torch.tensor([ids]), use_cache=True).past_key_values
    return [(layer.keys[0], layer.values[0]) for layer in cache.layers]


@pytest.mark.parametrize("chosen", [PREFIXES, PREFIXES[:1]])
def test_every_layers_keys_and_values_are_those_of_a_plain_forward(model, chosen):
    found = run_prefixes(model, chosen, room=2)
    assert len(found.keys_values) == model.n_layers and found.mask.sum(1).tolist() == [
        len(prefix) for prefix in chosen
    ]
    longest = found.mask.shape[1]
    for row, prefix in enumerate(chosen):
        for layer, expected in zip(found.keys_values, plain(model, prefix), strict=True):
            for part, own in zip(layer, expected, strict=True):
                there = part[row, :, longest - len(prefix) : longest]
                torch.testing.assert_close(there, own, rtol=0, atol=1e-5)


def test_nothing_behind_the_last_layers_keys_and_values_is_run(model):
    ran = []
    layers = model.network.get_submodule(model.layers_path)
    parts = [(f"MLP {i}", layer.mlp) for i, layer in enumerate(layers)]
    parts += [("projection", layers[-1].self_attn.o_proj), ("norm", model.network.model.norm)]
    handles = [
        part.register_forward_hook(lambda *_, name=name: ran.append(name)) for name, part in parts
    ]
    try:
        run_prefixes(model, PREFIXES, room=0)
    finally:
        for handle in handles:
            handle.remove()
    assert ran == [f"MLP {i}" for i in range(model.n_layers - 1)]
