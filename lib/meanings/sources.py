"""Where concept vectors come from: the states of source prompts, each computed once for all that ask for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Tensor

from meanings.concept_pairs import ConceptPair
from meanings.conditions import Condition
from meanings.errors import MeaningsError
from meanings.languages import LanguagePair
from meanings.lexicon import Lexicon
from meanings.models import PatchableModel
from meanings.patching import hidden_states
from meanings.prompts import Prompt, translation_prompt
from meanings.source_prompts import Key, source_prompts

# Bytes of states that are kept in memory; what goes beyond lies in a temporary file that is mapped into memory.
IN_MEMORY = 2 << 30
PART = 256 << 20  # bytes of states that are computed before they are put there


class SourceBank:
    """The stack of hidden states of every source prompt that was asked for, computed once for one loaded model.

    Filling it for several conditions at once (`prepare`) is cheaper: prompts that share their solved lines are run
    together.

    It holds n_layers x d_model numbers a prompt, in the model's dtype: 110 ordered pairs of 11 languages x 256 concepts
    at 24 x 2048 are 2.8 GB in half precision and 5.5 GB in float32 for the source concepts, as much again for the null
    concepts. What exceeds `in_memory` bytes is written to a file in the folder for temporary files (TMPDIR), which
    vanishes with the bank.

    - `seed`, `left_out`: what draws some source prompts out of all, and concepts that no prompt may hold (`source_prompts`).
    """

    def __init__(
        self,
        model: PatchableModel,
        lexicon: Lexicon,
        template: str = "quoted",
        in_memory: int = IN_MEMORY,
        seed: int = 0,
        left_out: Collection[str] = (),
    ) -> None:
        self._model, self._lexicon, self._template, self._seed = model, lexicon, template, seed
        self._concepts = tuple(concept for concept in lexicon.concepts if concept not in set(left_out))
        self._room = in_memory
        self._states: dict[Key, Float[Tensor, "layer d_model"]] = {}

    def __len__(self) -> int:
        """Source prompts computed so far."""
        return len(self._states)

    def prompt(self, key: Key) -> Prompt:
        pair, concept, shots = key
        return translation_prompt(self._lexicon, self._model.tokenizer, pair, concept, shots, self._template)

    def prepare(
        self,
        conditions: Iterable[Condition],
        pair: LanguagePair,
        concept_pairs: Sequence[ConceptPair],
        seen_languages: Collection[str],
        count: int = 0,
    ) -> int:
        """Compute what these conditions need and the bank lacks; returns the number of prompts that were run.

        - `count`: source prompts in a concept's mean, 0 for all.
        """
        wanted = dict.fromkeys(
            key
            for condition in conditions
            if condition.patched
            for keys in self._keys(condition, pair, concept_pairs, seen_languages, count)
            for key in keys
            if key not in self._states
        )
        for part in self._parts(list(wanted)):
            states = self._kept(hidden_states(self._model, [self.prompt(key) for key in part]))
            self._states |= {key: states[:, i] for i, key in enumerate(part)}
        return len(wanted)

    def _parts(self, keys: list[Key]) -> Iterator[list[Key]]:
        """Keys in parts of bounded size, one language pair's kept together: these share solved lines."""
        most = max(1, PART // (4 * self._model.n_layers * self._model.d_model))
        part: list[Key] = []
        for _, group in groupby(sorted(keys, key=lambda key: str(key[0])), key=lambda key: key[0]):
            members = list(group)
            if part and len(part) + len(members) > most:
                yield part
                part = []
            part += members
        if part:
            yield part

    def _kept(self, states: Float[Tensor, "layer prompt d_model"]) -> Float[Tensor, "layer prompt d_model"]:
        """The states where they stay: in memory while there is room, else in a mapped file."""
        states = states.cpu()
        if states.nbytes <= self._room:
            self._room -= states.nbytes
            return states
        handle, path = tempfile.mkstemp(prefix="meanings-states-")
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, states.nbytes)  # a full disk is said here, and not by a signal later
            mapped = torch.from_file(path, shared=True, size=states.numel(), dtype=states.dtype).view(states.shape)
            mapped.copy_(states)
        except (OSError, RuntimeError) as error:
            raise MeaningsError(
                f"{states.nbytes / 2**30:.1f} GiB of source states fit neither in memory nor in {tempfile.gettempdir()}: "
                f"point TMPDIR to a larger disk ({error})"
            ) from None
        finally:
            os.close(handle)
            os.unlink(path)  # the mapping holds what was written until the bank is gone
        return mapped

    def vectors(
        self,
        condition: Condition,
        pair: LanguagePair,
        concept_pairs: Sequence[ConceptPair],
        seen_languages: Collection[str],
        count: int = 0,
    ) -> Float[Tensor, "layer prompt d_model"] | None:
        """Each layer's concept vector for each concept pair, float32; None where the condition is not defined for `pair`.

            v[l, i] = mean over source prompts p of h_l(prompt p of concept i)[last token of its query word]

        The source prompts differ in their language pair (or, where the condition says so, in their solved lines); `count` of
        them are taken, 0 for all. For the condition of role `mean`, also averaged over i. Raises MeaningsError for a condition without patch.
        Source: Dumas et al. 2025 (mean over latents).
        """
        if not condition.patched:
            raise MeaningsError(f"condition {condition.name!r} patches nothing, so it has no vectors: read its prompts with `unpatched`")
        keys = self._keys(condition, pair, concept_pairs, seen_languages, count)
        if not keys[0]:
            return None
        self.prepare([condition], pair, concept_pairs, seen_languages, count)
        total = 0
        for prompts in zip(*keys, strict=True):  # one source prompt of every concept pair
            total = total + torch.stack([self._states[key] for key in prompts], dim=1).float()
        mean = total / len(keys[0])
        return mean.mean(1, keepdim=True).expand_as(mean) if condition.concept == "mean" else mean

    def _keys(
        self, condition: Condition, pair: LanguagePair, concept_pairs: Sequence[ConceptPair], seen_languages: Collection[str], count: int
    ) -> list[tuple[Key, ...]]:
        """Each concept pair's source prompts."""
        return [source_prompts(condition, pair, drawn, seen_languages, self._concepts, count, self._seed) for drawn in concept_pairs]
