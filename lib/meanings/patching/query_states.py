"""The states of source prompts at the query word's last token."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from meanings.core.errors import MeaningsError
from meanings.models.loading import PatchableModel
from meanings.patching.batching import by_length, in_parts, prefixes_at_once, rows_at_once
from meanings.patching.prefixes import Prefixes, run_prefixes
from meanings.patching.tracing import read_layers
from meanings.prompts.prompt import Prompt

TokenIds = tuple[int, ...]


@torch.no_grad()
def hidden_states(
    model: PatchableModel, prompts: Sequence[Prompt]
) -> Float[Tensor, "layer prompt d_model"]:
    """Output of every decoder layer at the query word's last token, the prompt cut there.

    Prompts with the same few-shot examples share their run. In the model's dtype, on its device.

    Raises MeaningsError naming prompt and layer where a state is not finite.
    """
    states = torch.empty(
        model.n_layers,
        len(prompts),
        model.d_model,
        dtype=next(model.network.parameters()).dtype,
        device=model.device,
    )
    stems: dict[TokenIds, list[int]] = {}
    for index, prompt in enumerate(prompts):
        stems.setdefault(_stem(prompt), []).append(index)
    alone = [members[0] for members in stems.values() if len(members) == 1]
    shared = {stem: members for stem, members in stems.items() if len(members) > 1}
    nothing = run_prefixes(model, [()], 0)
    _fill(model, states, nothing, [(0, index, prompts[index].cut()) for index in alone])
    found = list(shared)
    for block in by_length(
        [len(stem) for stem in found], lambda longest: prefixes_at_once(model, longest)
    ):

        def run(part: Sequence[int]) -> None:
            ends = [
                (row, index, prompts[index].cut()[len(found[i]) :])
                for row, i in enumerate(part)
                for index in shared[found[i]]
            ]
            prefixes = run_prefixes(
                model, [found[i] for i in part], max(len(ids) for _, _, ids in ends)
            )
            _fill(model, states, prefixes, ends)

        in_parts(block, len(block), run)
    _check_finite(model, states, prompts)
    return states


def _fill(
    model: PatchableModel, states: Tensor, prefixes: Prefixes, ends: list[tuple[int, int, TokenIds]]
) -> None:
    """States of prompts that go on from a prefix: (row of the prefix, index of the prompt, the
    tokens that follow).
    """
    cached = prefixes.mask.shape[1]
    for block in by_length(
        [len(ids) for _, _, ids in ends], lambda longest: rows_at_once(model, longest, cached)
    ):

        def run(part: Sequence[int]) -> None:
            chosen = [ends[i] for i in part]
            rows = torch.tensor([row for row, _, _ in chosen], device=model.device)
            # Shorter rows are padded on the right: what follows a token cannot reach it.
            width = max(len(ids) for _, _, ids in chosen)
            ids = torch.tensor([list(ids) + [0] * (width - len(ids)) for _, _, ids in chosen])
            last = torch.tensor([len(ids) - 1 for _, _, ids in chosen], device=model.device)
            inputs = {
                "input_ids": ids.to(model.device),
                **prefixes.inputs(rows, width),
                "use_cache": bool(cached),
                "logits_to_keep": 1,
            }
            if cached:
                inputs["past_key_values"] = prefixes.cache(rows, model.n_layers, width)
            places = torch.arange(len(chosen), device=model.device)
            states[:, [index for _, index, _ in chosen]] = read_layers(model, inputs, places, last)

        in_parts(block, len(block), run)


def _check_finite(model: PatchableModel, states: Tensor, prompts: Sequence[Prompt]) -> None:
    wrong = (~states.isfinite().all(-1)).nonzero()
    if len(wrong):
        layer, index = wrong[0].tolist()
        raise MeaningsError(
            f"{model.name} in {model.dtype}: the output of layer {layer} is not finite for the "
            f"prompt {prompts[index].text!r}: use dtype float32 or bfloat16"
        )


def _stem(prompt: Prompt) -> TokenIds:
    return prompt.token_ids[: min(prompt.line_position, prompt.query_position)]
