"""Lower bounds of what must be run: tokens, floating-point operations, and their ratios.

Of a model with L layers, for target prompts of P tokens whose last S begin with the query word's
last token, C conditions and G generated tokens, in passes of one token through all layers:

    published sweep       C L P                  (C L (P + G - 1) more where answers are generated)
    ours      prefix      P                      once a prompt
              vectors     C                      the patched token, once for all first layers
              suffix      C (S - 1) (L - 1) / 2  the tokens after it, through the layers above j
              generation  C L (G - 1)            from the suffix's cache

A matrix of m x n weights costs 2 m n operations a token; attention costs 4 d_model operations for
each token that is looked at, in each layer; the vocabulary 2 d_model V for each position whose
logits are asked for. What other tokens go on from, the P - S first of a target prompt, ends with
the last layer's keys and values: that pass is counted as a whole, its operations are not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

CONDITIONS = 7
# Weights that give a layer's queries, keys and values, by the names that architectures give them.
_READING = re.compile(r"\b(q_proj|k_proj|v_proj|qkv_proj|query_key_value|c_attn|Wqkv)\b")


@runtime_checkable
class LoadedModel(Protocol):
    """What is counted of a `meanings.models.loading.PatchableModel`, without loading torch."""

    network: Any
    layers_path: str
    n_layers: int


@runtime_checkable
class TokenisedPrompt(Protocol):
    """What is counted of a `meanings.prompts.prompt.Prompt`, without loading its tokenizer."""

    token_ids: tuple[int, ...]
    query_position: int
    line_position: int

    def cut(self) -> tuple[int, ...]:
        """The token ids up to the query word's last."""


@dataclass(frozen=True)
class Lengths:
    """Mean lengths in tokens.

    - `prompt` P: of a target prompt; `suffix` S: of these, from the query word's last token on.
    - `source`: of a source prompt, cut after its query word; `query`: of what two source prompts
      with the same few-shot examples do not share.
    """

    prompt: float
    suffix: float
    source: float
    query: float

    @classmethod
    def of(cls, prompts: Sequence[TokenisedPrompt]) -> Lengths:
        """The lengths of these target prompts, and of source prompts like them."""
        count = len(prompts)
        return cls(
            prompt=sum(len(p.token_ids) for p in prompts) / count,
            suffix=sum(len(p.token_ids) - p.query_position for p in prompts) / count,
            source=sum(len(p.cut()) for p in prompts) / count,
            query=sum(len(p.cut()) - p.line_position for p in prompts) / count,
        )


def sweep_passes(
    lengths: Lengths, layers: int, conditions: int = CONDITIONS, generate: int = 0
) -> tuple[float, float]:
    """Token passes of a sweep, published and ours, a prompt."""
    published = conditions * layers * lengths.prompt
    ours = lengths.prompt + conditions + conditions * (lengths.suffix - 1) * (layers - 1) / 2
    if generate:
        published += conditions * layers * (lengths.prompt + generate - 1)
        ours += conditions * layers * (generate - 1)
    return published, ours


def source_passes(lengths: Lengths, concepts: int, nulls: int) -> float:
    """Token passes of our source prompts: `concepts` of them, and `nulls` that share their
    few-shot examples with one of these.
    """
    return concepts * lengths.source + nulls * lengths.query


def bound(published: float, ours: float) -> float:
    """The ratio that the token passes allow."""
    return published / ours


@dataclass(frozen=True)
class Cost:
    """Floating-point operations of one model: `token`, a token through all layers without
    attention; `logits`, one position; `attended`, a token that is looked at, in all layers.

    - `unread`: of `token`, those of the last layer behind its keys and values.
    """

    token: float
    logits: float
    attended: float
    layers: int
    unread: float

    @classmethod
    def of(cls, model: LoadedModel) -> Cost:
        """The cost of a loaded model."""
        layers = model.network.get_submodule(model.layers_path)
        weights = sum(p.numel() for p in layers.parameters() if p.ndim == 2)
        last = [(n, p.numel()) for n, p in layers[-1].named_parameters() if p.ndim == 2]
        unread = sum(size for name, size in last if not _READING.search(name))
        vocabulary, width = model.network.get_output_embeddings().weight.shape
        return cls(
            token=2.0 * weights,
            logits=2.0 * vocabulary * width,
            attended=4.0 * _attention_width(model) * model.n_layers,
            layers=model.n_layers,
            unread=2.0 * unread,
        )

    def run(self, passes: float, context: float, positions: float) -> float:
        """Operations of `passes` tokens that each look at `context` others, with the logits of
        `positions`.
        """
        return passes * (self.token + self.attended * context) + positions * self.logits

    def spared(self, tokens: float) -> float:
        """Operations of `tokens` tokens in the last layer behind their keys and values: what a
        prompt's beginning, which other tokens go on from, does not need.
        """
        return tokens * (self.unread + self.attended / self.layers * tokens / 2)


def _attention_width(model: LoadedModel) -> int:
    config = model.network.config.get_text_config(decoder=True)
    return (
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    ) * config.num_attention_heads


def floor(
    model: LoadedModel, lengths: Lengths, conditions: int = CONDITIONS, generate: int = 0
) -> dict[str, float]:
    """Operations that must be done for one prompt's sweep, by part.

    The suffix's logits are those of every patched row below the last layer, and one unpatched.
    """
    cost, layers = Cost.of(model), model.n_layers
    rows, prefix = conditions * (layers - 1), lengths.prompt - lengths.suffix
    parts = {
        "prefix": cost.run(lengths.prompt, lengths.prompt / 2, 0) - cost.spared(prefix),
        "vectors": cost.run(conditions, prefix, 0),
        "suffix": cost.run(rows / 2 * (lengths.suffix - 1), lengths.prompt - lengths.suffix / 2, 0),
        "logits": cost.run(0, 0, rows + 1),
    }
    if generate:
        parts["generation"] = cost.run(
            conditions * layers * (generate - 1),
            lengths.prompt + generate / 2,
            conditions * layers * (generate - 1),
        )
    return parts
