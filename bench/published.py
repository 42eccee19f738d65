"""The published algorithm, written anew on nnsight: every first layer a whole forward, every
condition its own sources.

A batch is padded on the left to its longest prompt. Each forward gives the logits of every position
over the whole vocabulary (`last_only` spares them); an answer is generated from a prefill of its
own, all rows for all tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from meanings.models.loading import PatchableModel, read_output
from meanings.patching.token_probability import concept_probability, token_columns
from meanings.prompts.prompt import Prompt


def _padded(model: PatchableModel, rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
    longest = max(map(len, rows))
    ids = torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    inputs = {
        "input_ids": ids,
        "attention_mask": mask,
        "position_ids": (mask.cumsum(1) - 1).clamp(min=0),
    }
    return {name: tensor.to(model.device) for name, tensor in inputs.items()}


@torch.no_grad()
def collect(
    model: PatchableModel, prompts: Sequence[Prompt], *, last_only: bool = False
) -> Float[Tensor, "layer prompt d_model"]:
    """Every layer's output at the query word's last token, the prompts cut there."""
    states: list[Tensor] = []
    with model.nn.trace(
        **_padded(model, [p.cut() for p in prompts]), use_cache=False, logits_to_keep=int(last_only)
    ):
        for layer in model.layers:
            states.append(read_output(layer.output)[:, -1])
        model.nn.output.logits.save()
    return torch.stack(states)


@torch.no_grad()
def patched(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    vectors: Float[Tensor, "layer prompt d_model"] | None,
    first_layer: int,
    columns: Sequence[Sequence[frozenset[int]]],
    *,
    last_only: bool = False,
) -> Float[Tensor, "prompt column"]:
    """Probabilities of the columns after one whole forward; without vectors nothing is patched."""
    logits, _ = _forward(model, prompts, vectors, first_layer, last_only=last_only, cached=False)
    return concept_probability(logits[:, -1], token_columns(columns))


@torch.no_grad()
def generate(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    vectors: Float[Tensor, "layer prompt d_model"] | None,
    first_layer: int,
    tokens: int,
) -> tuple[list[list[int]], list[list[float]]]:
    """Greedy tokens, `tokens` a prompt, from a forward of its own; and how far each was ahead of
    the next best, in logits.
    """
    logits, cache = _forward(model, prompts, vectors, first_layer, last_only=True, cached=True)
    inputs = _padded(model, [p.token_ids for p in prompts])
    mask, position = inputs["attention_mask"], inputs["position_ids"][:, -1:]
    said, ahead = [logits[:, -1].argmax(-1)], [_lead(logits[:, -1])]
    for _ in range(tokens - 1):
        mask, position = torch.cat([mask, mask.new_ones(len(mask), 1)], 1), position + 1
        logits = model.network(
            input_ids=said[-1][:, None],
            attention_mask=mask,
            position_ids=position,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits
        said.append(logits[:, -1].argmax(-1))
        ahead.append(_lead(logits[:, -1]))
    return torch.stack(said, dim=1).tolist(), torch.stack(ahead, dim=1).tolist()


def _lead(logits: Float[Tensor, "prompt vocab"]) -> Float[Tensor, " prompt"]:
    best, second = logits.topk(2, dim=-1).values.unbind(-1)
    return best - second


def _forward(
    model: PatchableModel,
    prompts: Sequence[Prompt],
    vectors: Tensor | None,
    first_layer: int,
    *,
    last_only: bool,
    cached: bool,
):
    ends = torch.tensor(
        [p.query_position - len(p.token_ids) for p in prompts]
    )  # padded on the left: counted from the end
    rows = torch.arange(len(prompts))
    with model.nn.trace(
        **_padded(model, [p.token_ids for p in prompts]),
        use_cache=cached,
        logits_to_keep=int(last_only),
    ):
        if vectors is not None:
            for index, layer in enumerate(model.layers):
                if index >= first_layer:
                    read_output(layer.output)[rows, ends] = vectors[index].to(model.device)
        output = model.nn.output.save()
    return output.logits, output.past_key_values
