"""Where concept vectors come from: the states of source prompts, each computed once for all that
ask for it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from meanings.core.errors import MeaningsError
from meanings.core.status_line import Report, unreported
from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon
from meanings.models.loading import PatchableModel
from meanings.patching.conditions import Condition
from meanings.patching.query_states import hidden_states
from meanings.patching.source_prompts import Key, source_prompts
from meanings.prompts.concept_pairs import ConceptPair
from meanings.prompts.prompt import Prompt, PromptWriter

# Bytes of states that are kept in memory; what goes beyond lies in a temporary file that is mapped
# into memory.
IN_MEMORY = 2 << 30


class SourceBank:
    """The stack of hidden states of every source prompt that was asked for, computed once for one
    loaded model.

    A source language pair is run as a whole, with all that conditions are expected to ask of it
    (`expect`): prompts that share their few-shot examples are run together, and a state does not
    depend on what was asked for before it, to the last bit.

    It holds n_layers x d_model numbers a prompt, in the model's dtype: 110 ordered pairs of 11
    languages x 256 concepts at 24 x 2048 are 2.8 GB in half precision and 5.5 GB in float32 for the
    source concepts, as much again for the null concepts. What exceeds `in_memory` bytes is written
    to a file in the folder for temporary files (TMPDIR), which vanishes with the bank.

    - `writer`: prompts that checkpoints of a run share; written anew where there is none.
    - `report`: is told how many of the source prompts that a call of `prepare` lacks have been run.
    - `seed`, `left_out`: what draws some source prompts out of all, and concepts that no prompt may
      hold (`source_prompts`).
    """

    def __init__(
        self,
        model: PatchableModel,
        lexicon: Lexicon,
        template: str = "quoted",
        in_memory: int = IN_MEMORY,
        seed: int = 0,
        left_out: Collection[str] = (),
        writer: PromptWriter | None = None,
        report: Report = unreported,
    ) -> None:
        self._model, self._seed, self._report = model, seed, report
        self._writer = writer or PromptWriter(lexicon, model.tokenizer, template)
        self._concepts = tuple(
            concept for concept in lexicon.concepts if concept not in set(left_out)
        )
        self._room = in_memory
        self._states: dict[Key, Float[Tensor, "layer d_model"]] = {}
        # Where only some source prompts are taken, each concept has its own: they are run by
        # themselves, for the same reason.
        self._parts: dict[
            tuple[str, LanguagePair, int], dict[Key, Float[Tensor, "layer d_model"]]
        ] = {}
        self._expected: dict[
            LanguagePair, dict[tuple[str, str], Condition]
        ] = {}  # by role and few-shot examples, of each source pair

    def __len__(self) -> int:
        """Source prompts computed so far."""
        return len(self._states) + sum(map(len, self._parts.values()))

    def prompt(self, key: Key) -> Prompt:
        """The source prompt of a language pair, a concept and the concepts of its examples."""
        return self._writer.prompt(*key)

    def expect(
        self, conditions: Iterable[Condition], pair: LanguagePair, seen_languages: Collection[str]
    ) -> None:
        """That these conditions will be asked for, with all their source prompts; nothing is run
        yet.
        """
        for condition in (condition for condition in conditions if not _some(condition, 0)):
            role = (
                "source" if condition.concept == "mean" else condition.concept,
                condition.solved,
            )
            for source in (
                (condition.source_pairs(pair, seen_languages) or ()) if condition.patched else ()
            ):
                self._expected.setdefault(source, {}).setdefault(role, condition)

    def prepare(
        self,
        conditions: Iterable[Condition],
        pair: LanguagePair,
        concept_pairs: Sequence[ConceptPair],
        seen_languages: Collection[str],
        count: int = 0,
    ) -> int:
        """Compute what these conditions need and the bank lacks; returns the number of prompts that
        were run.

        - `count`: source prompts in a concept's mean, 0 for all.
        """
        asked = [condition for condition in conditions if condition.patched]
        whole = [condition for condition in asked if not _some(condition, count)]
        self.expect(whole, pair, seen_languages)
        # Prompts that are run together, with the place of their states: None is that of all.
        runs: list[tuple[tuple[str, LanguagePair, int] | None, list[Key]]] = []
        for source in dict.fromkeys(
            s for condition in whole for s in condition.source_pairs(pair, seen_languages) or ()
        ):
            keys = dict.fromkeys(
                key
                for _, role in sorted(self._expected[source].items())
                for key in _keys(role, source, concept_pairs)
            )
            runs.append((None, [key for key in keys if key not in self._states]))
        for condition in asked:
            if _some(condition, count) and (condition.name, pair, count) not in self._parts:
                drawn = self._some_keys(condition, pair, concept_pairs, seen_languages, count)
                keys = dict.fromkeys(key for keys in drawn for key in keys)
                runs.append(((condition.name, pair, count), list(keys)))
        done, total = 0, sum(len(keys) for _, keys in runs)
        for place, keys in runs:
            if keys:
                self._report("source states", done, total)
            states = self._run(keys)
            if place is None:
                self._states |= states
            else:
                self._parts[place] = states
            done += len(keys)
        if total:
            self._report("source states", total, total)
        return total

    def _run(self, keys: list[Key]) -> dict[Key, Float[Tensor, "layer d_model"]]:
        """The states of these prompts, run together."""
        if not keys:
            return {}
        states = self._kept(hidden_states(self._model, [self.prompt(key) for key in keys]))
        return {key: states[:, i] for i, key in enumerate(keys)}

    def _kept(
        self, states: Float[Tensor, "layer prompt d_model"]
    ) -> Float[Tensor, "layer prompt d_model"]:
        """The states where they stay: in memory while there is room, else in a mapped file."""
        states = states.cpu()
        if states.nbytes <= self._room:
            self._room -= states.nbytes
            return states
        handle, path = tempfile.mkstemp(prefix="meanings-states-")
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(
                    handle, 0, states.nbytes
                )  # a full disk is said here, and not by a signal later
            mapped = torch.from_file(
                path, shared=True, size=states.numel(), dtype=states.dtype
            ).view(states.shape)
            mapped.copy_(states)
        except (OSError, RuntimeError) as error:
            raise MeaningsError(
                f"{states.nbytes / 2**30:.1f} GiB of source states fit neither in memory nor in "
                f"{tempfile.gettempdir()}: "
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
        """Each layer's concept vector for each concept pair, float32; None where the condition is
        not defined for `pair`.

            v[l, i] = mean over source prompts p of
                      h_l(prompt p of concept i)[last token of its query word]

        The source prompts differ in their language pair (or, where the condition says so, in their
        few-shot examples); `count` of them are taken, 0 for all. For the condition of role `mean`,
        also averaged over i. Raises MeaningsError for a condition without patch. Source: Dumas et
        al. 2025 (mean over latents).
        """
        if not condition.patched:
            raise MeaningsError(
                f"condition {condition.name!r} patches nothing, so it has no vectors: read its "
                "prompts with `unpatched`"
            )
        languages = condition.source_pairs(pair, seen_languages)
        if languages is None:
            return None
        self.prepare([condition], pair, concept_pairs, seen_languages, count)
        total = 0
        if _some(condition, count):
            states = self._parts[condition.name, pair, count]
            prompts = list(
                zip(
                    *self._some_keys(condition, pair, concept_pairs, seen_languages, count),
                    strict=True,
                )
            )
        else:
            states = self._states
            prompts = [tuple(_keys(condition, source, concept_pairs)) for source in languages]
        for keys in prompts:  # one source prompt of every concept pair
            total = total + torch.stack([states[key] for key in keys], dim=1).float()
        mean = total / len(prompts)
        return mean.mean(1, keepdim=True).expand_as(mean) if condition.concept == "mean" else mean

    def _some_keys(
        self,
        condition: Condition,
        pair: LanguagePair,
        concept_pairs: Sequence[ConceptPair],
        seen_languages: Collection[str],
        count: int,
    ) -> list[tuple[Key, ...]]:
        """Each concept pair's source prompts, where they are drawn."""
        return [
            source_prompts(
                condition, pair, drawn, seen_languages, self._concepts, count, self._seed
            )
            for drawn in concept_pairs
        ]


def _some(condition: Condition, count: int) -> bool:
    """Whether a concept's source prompts are drawn, so that they are its own; else they are those
    of whole language pairs.
    """
    return count > 0 or condition.varies == "shots"


def _keys(
    condition: Condition, source: LanguagePair, concept_pairs: Sequence[ConceptPair]
) -> list[Key]:
    return [(source, condition.concept_of(p), condition.shots_of(p)) for p in concept_pairs]
