"""A patch stepped through by hand: what is read, what is overwritten, and what later tokens then
see, as numbers of one model and as a small element of the page that a script moves.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from meanings.book.tables.answers import plain
from meanings.book.walkthrough.patch import Walkthrough


@dataclass(frozen=True)
class Steps:
    """What a patch changes in the last line of the target prompt.

    - `tokens`: the line's; `query`: which of them is overwritten, from `first_layer` on.
    - `changes`: how far each output moves, |patched - unpatched| / |unpatched|: 0 = not at all.
    - `said`: sentences with the answers before and after, and the number of source prompts.
    """

    tokens: tuple[str, ...]
    query: int
    first_layer: int
    changes: Float[np.ndarray, "layer token"]
    sources: int
    source: str
    before: str
    after: str

    def _repr_html_(self) -> str:
        """An empty element that carries the steps; `stepper.js` fills it. Without a script there is
        only the figure above it.
        """
        content = {
            "tokens": self.tokens,
            "query": self.query,
            "first": self.first_layer,
            "changes": [[round(float(each), 3) for each in row] for row in self.changes],
            "sources": self.sources,
            "source": self.source,
            "before": self.before,
            "after": self.after,
        }
        carried = html.escape(json.dumps(content, ensure_ascii=False), quote=True)
        return f'<div class="stepper" data-steps="{carried}"></div>'


def steps(walk: Walkthrough, vector: Float[Tensor, "layer d_model"], first_layer: int) -> Steps:
    """Follow a patch from `first_layer` on through the target prompt's last line."""
    position, line = walk.target.query_position, walk.target.line_position
    plain_run = _outputs(walk)
    patched = _outputs(walk, vector, first_layer)
    changes = (patched - plain_run).norm(dim=-1) / plain_run.norm(dim=-1)
    ids = walk.target.token_ids[line:]
    return Steps(
        tokens=tuple(plain(walk.model.tokenizer.decode([each])) for each in ids),
        query=position - line,
        first_layer=first_layer,
        changes=changes[:, line:].cpu().numpy(),
        sources=len(walk.source_prompts),
        source=walk.concepts.source,
        before=walk.answer_before(),
        after=walk.answer_after(vector, first_layer),
    )


def _outputs(
    walk: Walkthrough, vector: Tensor | None = None, first_layer: int = 0
) -> Float[Tensor, "layer position d_model"]:
    """Each layer's output at every token of the target prompt, with the vector written into it from
    `first_layer` on, where one is given.
    """
    found: dict[int, Tensor] = {}

    def kept(layer: int):
        def hook(module, inputs, output):
            states = output[0] if isinstance(output, tuple) else output
            if vector is not None and layer >= first_layer:
                states[0, walk.target.query_position] = vector[layer]
            found[layer] = states[0].float().clone()

        return hook

    with walk.hooks({layer: kept(layer) for layer in range(walk.model.n_layers)}):
        walk.forward()
    return torch.stack([found[layer] for layer in range(walk.model.n_layers)])
