"""The same sweep on a model that runs elsewhere (NDIF, https://ndif.us): one session, and only
scores come back.

The server has torch and nnsight but not this library, so the session's code is plain torch. It
keeps no cache of prefixes; layers that a patch cannot change are skipped, and source states and
vectors never leave the server.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from nnsight import TransformersModel
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from meanings.core.errors import MeaningsError
from meanings.models.loading import layers_path
from meanings.patching.sweeping import Sweep
from meanings.patching.token_probability import token_columns
from meanings.prompts.prompt import Prompt

Where = Literal["ndif", "local"]
SIDE_BY_SIDE = 32  # rows of one forward


@dataclass(frozen=True)
class RemoteModel:
    """A model by its name on the hub, of which this machine holds the shape and the tokenizer
    only.
    """

    nn: TransformersModel
    tokenizer: PreTrainedTokenizerFast
    layers_path: str
    n_layers: int
    name: str


def connect(name: str, *, revision: str | None = None, load: bool = False) -> RemoteModel:
    """The model `name` (hub name or folder), without its weights unless `load` asks for them (for a
    dry run here).
    """
    nn = TransformersModel(
        name, task="text-generation", dispatch=load, revision=revision, trust_remote_code=False
    )
    n_layers = nn._module.config.get_text_config(decoder=True).num_hidden_layers
    return RemoteModel(nn, nn.tokenizer, layers_path(nn._module, n_layers), n_layers, name)


def sweep_remotely(
    model: RemoteModel,
    prompts: Sequence[Prompt],
    sources: Mapping[str, Sequence[Sequence[Prompt]]],
    columns: Sequence[Sequence[frozenset[int]]],
    *,
    averaged: Collection[str] = (),
    unpatched_as: str = "",
    where: Where = "ndif",
) -> dict[str, Sweep]:
    """Every condition's sweep over all first layers, sources included, in one session.

    - `sources[name][p][i]`: the source prompt in the condition's p-th language pair whose states
      enter the vector that is patched into `prompts[i]`; the vector is their mean over p, and over
      i too where `name` is in `averaged`.
    - `where`: `ndif` sends the session to the server; `local` runs it here as if it had been sent.

    Nothing is generated. Raises MeaningsError where numbers of prompts differ.
    """
    _check_numbers(sources, prompts, columns)
    # Each source prompt is run once, whatever conditions name it.
    places: dict[tuple[int, ...], int] = {}
    for groups in sources.values():
        for prompt in (prompt for group in groups for prompt in group):
            places.setdefault(prompt.cut(), len(places))
    batches = [
        _padded(list(places)[i : i + SIDE_BY_SIDE]) for i in range(0, len(places), SIDE_BY_SIDE)
    ]
    picks = [
        torch.tensor([[places[p.cut()] for p in group] for group in groups])
        for groups in sources.values()
    ]
    n_layers = model.n_layers
    found = _session(
        model.nn,
        model.layers_path.split("."),
        n_layers,
        batches,
        list(zip(picks, [name in averaged for name in sources], strict=True)),
        _target_batches(prompts, columns),
        "local" if where == "local" else True,
    )
    if not found.isfinite().all():
        raise MeaningsError(
            f"{model.name}: some scores are NaN or infinite: ask for the model in float32 or "
            "bfloat16"
        )
    all_layers = tuple(range(n_layers))
    sweeps = {
        name: Sweep(all_layers, found[1 + place * n_layers : 1 + (place + 1) * n_layers], None)
        for place, name in enumerate(sources)
    }
    return sweeps | ({unpatched_as: Sweep((-1,), found[:1], None)} if unpatched_as else {})


def _check_numbers(
    sources: Mapping[str, Sequence[Sequence[Prompt]]],
    prompts: Sequence[Prompt],
    columns: Sequence[Sequence[frozenset[int]]],
) -> None:
    for name, groups in sources.items():
        if not groups or any(len(group) != len(prompts) for group in groups):
            raise MeaningsError(
                f"condition {name!r}: expected source prompts for each of the {len(prompts)} "
                "target prompts in every language pair"
            )
    if len(columns) != len(prompts):
        raise MeaningsError(
            f"{len(columns)} rows of token columns for {len(prompts)} prompts: give one row per "
            "prompt"
        )


def _target_batches(
    prompts: Sequence[Prompt], columns: Sequence[Sequence[frozenset[int]]]
) -> list[tuple]:
    """Inputs, indices of the prompts, query positions from the end, and token columns of each."""
    table = token_columns(columns)
    batches = []
    for start in range(0, len(prompts), SIDE_BY_SIDE):
        chosen = torch.arange(start, min(start + SIDE_BY_SIDE, len(prompts)))
        rows = [prompts[i] for i in chosen.tolist()]
        ends = torch.tensor([p.query_position - len(p.token_ids) for p in rows])
        inputs = _padded([p.token_ids for p in rows])
        batches.append((inputs, chosen, ends, table.ids[chosen], table.counted[chosen]))
    return batches


def _session(
    nn: TransformersModel,
    path: list,
    n_layers: int,
    source_batches: list,
    vectors_of: list,
    target_batches: list,
    remote: bool | str,
) -> Tensor:
    """Scores, [unpatched and patched, prompt, column]; the block names plain values and tensors."""
    with torch.no_grad(), nn.session(remote=remote):
        found, states = [], []
        for inputs in source_batches:
            read = []
            with nn.trace(inputs, logits_to_keep=1, use_cache=False):
                layers = functools.reduce(getattr, path, nn)
                for index in range(n_layers):
                    output = layers[index].output
                    read.append((output if torch.is_tensor(output) else output[0])[:, -1])
            states.append(torch.stack(read))
        states = torch.cat(states, dim=1) if states else None
        for inputs, chosen, ends, ids, counted in target_batches:
            rows = torch.arange(len(ends))
            outputs, scores = [], []
            with nn.trace(inputs, logits_to_keep=1, use_cache=False):
                layers = functools.reduce(getattr, path, nn)
                for index in range(n_layers):
                    outputs.append(layers[index].output)
                chances = nn.output.logits[:, -1].float().log_softmax(-1)
                chances = chances[rows[:, None, None], ids].exp().cpu()
                scores.append((chances * counted).sum(-1))
            for pick, over_all in vectors_of:
                vectors = states[:, pick].float().mean(1)
                if over_all:
                    vectors = vectors.mean(1, keepdim=True).expand_as(vectors)
                vectors = vectors[:, chosen]
                for first in range(n_layers):
                    below = outputs[first]
                    hidden = (below if torch.is_tensor(below) else below[0]).clone()
                    hidden[rows, ends] = vectors[first].to(hidden)
                    packed = hidden if torch.is_tensor(below) else (hidden, *below[1:])
                    with nn.trace(inputs, logits_to_keep=1, use_cache=False):
                        layers = functools.reduce(getattr, path, nn)
                        for index in range(n_layers):
                            if index <= first:
                                layers[index].skip(packed)
                            else:
                                output = layers[index].output
                                vector = vectors[index].to(hidden)
                                (output if torch.is_tensor(output) else output[0])[rows, ends] = (
                                    vector
                                )
                        chances = nn.output.logits[:, -1].float().log_softmax(-1)
                        chances = chances[rows[:, None, None], ids].exp().cpu()
                        scores.append((chances * counted).sum(-1))
            found.append(torch.stack(scores))
        found = torch.cat(found, dim=1).cpu().save()
    return found


def _padded(rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
    """Rows of token ids, padded on the left."""
    longest = max(map(len, rows))
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    ids = torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows])
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "position_ids": (mask.cumsum(1) - 1).clamp(min=0),
    }
