"""One sweep as it runs: blocks of target prompts, forwards of patched rows, their scores and
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers.cache_utils import Cache

from meanings.core.errors import MeaningsError
from meanings.models.loading import PatchableModel
from meanings.patching.batching import ANSWERING, even, in_parts, rows_at_once
from meanings.patching.generation import continue_greedily
from meanings.patching.kv_cache import merge_caches
from meanings.patching.targets import (
    Targets,
    TokenIds,
    patched_at_layer,
    patched_forward,
    place_vectors,
    run_targets,
    target_blocks,
    unpatched_forward,
)
from meanings.patching.token_probability import concept_probability, token_columns
from meanings.patching.word_probability import Words, word_probability
from meanings.prompts.prompt import Prompt

Columns = Sequence[Sequence[frozenset[int]]]
LayersWritten = Literal["from", "only"]  # the first layer and all later ones, or that layer alone
Members = Sequence[tuple[int, int]]  # row in the block of distinct prompts, index of the prompt
Forward = Callable[[int], tuple[Tensor, Cache]]  # logits and KV cache by first layer


@dataclass(frozen=True)
class StartedAnswers:
    """The first tokens of some prompts' answers at one first layer, and the KV cache to go on
    from.
    """

    place: int  # of the first layer in the results
    prompts: list[int]
    tokens: Int[Tensor, " row"]
    cache: Cache


class SweepRun:
    """Target prompts patched at every chosen first layer, with the results as they come.

    The first prompts, as many as there are vectors, are patched; the others are not, and their
    results stand behind those of the layers, with first layer -1.

    - `probabilities`: [first layer, prompt, column]; NaN where a prompt is not run.
    - `answers[first layer][prompt]`: the generated text.

    Raises MeaningsError on sizes that do not agree and answers asked for beside whole words.
    """

    def __init__(
        self,
        model: PatchableModel,
        prompts: Sequence[Prompt],
        vectors: Float[Tensor, "layer patched d_model"],
        columns: Columns | Words,
        *,
        first_layers: tuple[int, ...] = (),
        layers: LayersWritten = "from",
        generate: int = 0,
        chunk_rows: int | Literal["auto"] = "auto",
    ) -> None:
        _check_sizes(prompts, columns, generate, chunk_rows)
        self.model, self.prompts, self.vectors = model, prompts, vectors
        self.n_patched_layers, self.layers = len(first_layers), layers
        self.generate, self.chunk_rows = generate, chunk_rows
        self.n_patched = vectors.shape[1]
        self.first_layers = (*first_layers, *([-1] if self.n_patched < len(prompts) else []))
        self.words = columns if isinstance(columns, Words) else None
        self.table = None if self.words else token_columns(columns)
        # Tokens that go on from a patched row.
        self.follow = self.words.longest if self.words else generate
        n_columns = self.words.columns if self.words else self.table.ids.shape[1]
        shape = (len(self.first_layers), len(prompts), n_columns)
        self.probabilities = torch.full(shape, torch.nan)
        self.answers = [[""] * len(prompts) for _ in self.first_layers]

    @torch.no_grad()
    def run(self) -> None:
        """Fill in all results."""
        for length, block in target_blocks(self.model, self.prompts):
            in_parts(block, len(block), lambda part, length=length: self._run_block(length, part))

    def _run_block(self, length: int, block: Sequence[tuple[TokenIds, list[int]]]) -> None:
        """Distinct prompts whose suffixes have `length` tokens."""
        targets = run_targets(self.model, [ids for ids, _ in block], length, self.follow)
        members = [(row, index) for row, (_, indices) in enumerate(block) for index in indices]
        prefix, longest = targets.prefixes.mask.shape[1], length + self.generate
        size = answering = self.chunk_rows
        if self.chunk_rows == "auto":
            size = rows_at_once(self.model, length, prefix, kept=length)
            answering = rows_at_once(self.model, 1, prefix + longest, kept=longest, share=ANSWERING)
        patched = [member for member in members if member[1] < self.n_patched]
        in_parts(patched, size, lambda part: self._run_patched(targets, part, answering))
        others = [member for member in members if member[1] >= self.n_patched]
        in_parts(others, size, lambda part: self._run_unpatched(targets, part))

    def _run_unpatched(self, targets: Targets, part: Members) -> None:
        rows, prompts = self._split(part)
        last = [len(self.first_layers) - 1]
        self._forwards(
            targets, rows, prompts, last, lambda _: unpatched_forward(self.model, targets, rows)
        )

    def _run_patched(self, targets: Targets, part: Members, answering: int) -> None:
        """Every first layer; answers of several first layers are generated side by side, in at most
        `answering` rows.
        """
        rows, prompts = self._split(part)
        if self.layers == "from":
            written = place_vectors(self.model, targets, rows, self.vectors[:, prompts])

        def forward(layer: int) -> tuple[Tensor, Cache]:
            if self.layers == "only":
                vector = self.vectors[layer, prompts]
                return patched_at_layer(self.model, targets, rows, vector, layer)
            return patched_forward(self.model, targets, written, layer, self.follow)

        # One row alone goes on alone: parts that are halved for want of memory come down to that.
        together = 1
        if self.generate and len(part) > 1:
            together = even(self.n_patched_layers, max(1, answering // len(part)))
        places = range(self.n_patched_layers)
        for start in range(0, len(places), together):
            self._forwards(targets, rows, prompts, places[start : start + together], forward)

    def _split(self, part: Members) -> tuple[Tensor, list[int]]:
        rows = torch.tensor([row for row, _ in part], device=self.model.device)
        return rows, [index for _, index in part]

    def _forwards(
        self,
        targets: Targets,
        rows: Tensor,
        prompts: list[int],
        places: Sequence[int],
        forward: Forward,
    ) -> None:
        """Score the rows at some first layers, then generate their answers together."""
        started = []
        for place in places:
            logits, cache = forward(self.first_layers[place])
            self._check_finite(logits, self.first_layers[place], prompts)
            self.probabilities[place, prompts] = self._score(targets, rows, prompts, logits, cache)
            if self.generate:
                started.append(StartedAnswers(place, prompts, logits.argmax(-1), cache))
            del logits, cache  # before the next forward makes its own
        if started:
            self._answer(targets, rows, started)

    def _score(
        self, targets: Targets, rows: Tensor, prompts: list[int], logits: Tensor, cache: Cache
    ) -> Float[Tensor, "row column"]:
        if self.words is None:
            return concept_probability(logits, self.table.rows(torch.tensor(prompts))).cpu()
        words = Words([self.words.sets[i] for i in prompts], self.words.closing)
        suffix = targets.ids.shape[1]
        return word_probability(self.model, targets.prefixes, rows, suffix, cache, logits, words)

    def _answer(self, targets: Targets, rows: Tensor, started: list[StartedAnswers]) -> None:
        """Go on, side by side, with what `rows` have started to answer at several first layers."""
        texts = iter(
            continue_greedily(
                self.model,
                targets.prefixes,
                rows.repeat(len(started)),
                targets.ids.shape[1],
                merge_caches([each.cache for each in started]),
                torch.cat([each.tokens for each in started]),
                self.generate,
            )
        )
        for each in started:
            for index in each.prompts:
                self.answers[each.place][index] = next(texts)

    def _check_finite(self, logits: Tensor, first_layer: int, prompts: list[int]) -> None:
        wrong = (~logits.amax(-1).isfinite()).nonzero()
        if not len(wrong):
            return
        patch = f"patched at layer {first_layer}"
        if first_layer < 0:
            patch = "without a patch"
        elif self.layers == "from":
            patch = f"patched from layer {first_layer} on"
        text = self.prompts[prompts[int(wrong[0])]].text
        raise MeaningsError(
            f"{self.model.name} in {self.model.dtype} gives NaN or infinity for the prompt "
            f"{text!r}, {patch}: use dtype float32 or bfloat16"
        )


def _check_sizes(
    prompts: Sequence[Prompt],
    columns: Columns | Words,
    generate: int,
    chunk_rows: int | Literal["auto"],
) -> None:
    if len(columns) != len(prompts):
        raise MeaningsError(
            f"{len(columns)} rows of token columns for {len(prompts)} prompts: give one row per "
            "prompt"
        )
    if (chunk_rows != "auto" and chunk_rows < 1) or generate < 0:
        raise MeaningsError(
            f"chunk_rows={chunk_rows!r}, generate={generate!r}: expected at least 1 row (or "
            "'auto') and 0 tokens"
        )
    if isinstance(columns, Words) and generate:
        raise MeaningsError(
            f"generate={generate!r}: answers are generated beside first tokens, not beside whole "
            "words; ask for 0"
        )
