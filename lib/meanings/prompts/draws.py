"""Concept pairs drawn once per tokenizer, lexicon and prompt seed, for all checkpoints of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon
from meanings.models.loading import PatchableModel
from meanings.models.tokenizers import probe
from meanings.prompts.concept_pair import ConceptPair
from meanings.prompts.concept_pairs import draw_concept_pairs
from meanings.prompts.prompt import PromptWriter
from meanings.prompts.shared import SharedPrompts, definition_sha256
from meanings.prompts.usable_concepts import usable_concepts


@runtime_checkable
class DrawRequest(Protocol):
    """What decides which concept pairs are drawn, beside tokenizer and lexicon.

    - `prompts_sha256`: of a file of prompts that is used instead of drawing; empty for none.
    """

    prompt_seed: int
    n_pairs: int
    shots: int
    template: str
    prompts_sha256: str


@dataclass
class ConceptPairDraws:
    """What depends on the tokenizer and the words, not on the weights: made once for all
    checkpoints of a run.

    - `pairs`: concept pairs by tokenizer, lexicon, template and the seed's request.
    - `usable`: the lexicon of concepts that prompts may have, and the concepts left out, by
      tokenizer, lexicon and template.
    - `first`: first tokens by tokenizer, lexicon, concept and language.
    - `writers`: prompts written so far, by tokenizer, lexicon and template.
    """

    first: dict[tuple, frozenset[int]] = field(default_factory=dict)
    pairs: dict[tuple, list[ConceptPair]] = field(default_factory=dict)
    usable: dict[tuple, tuple[Lexicon, tuple[str, ...]]] = field(default_factory=dict)
    writers: dict[tuple, PromptWriter] = field(default_factory=dict)

    def draw(
        self,
        model: PatchableModel,
        lexicon: Lexicon,
        request: DrawRequest,
        prompts: SharedPrompts | None = None,
    ) -> tuple[list[ConceptPair], tuple[str, ...]]:
        """The request's concept pairs, and the concepts left out; those of `prompts` where it names
        a file of prompts.

        Raises MeaningsError where these are not the request's, or the model's tokenizer makes one
        of them ineligible.
        """
        words = (tokenizer_sha256(model), lexicon.sha256, request.template)
        seed = request.prompt_seed
        if request.prompts_sha256:
            if prompts is None or prompts.sha256 != request.prompts_sha256:
                raise MeaningsError(
                    f"{request}: asked with a file of prompts ({request.prompts_sha256[:12]}...) "
                    "that is not given; give the file"
                )
            place = (*words, request.prompts_sha256, seed)
            if place not in self.pairs:
                prompts.check(model.name, model.tokenizer, lexicon, seed)
                self.pairs[place] = list(prompts.draws[seed])
            return self.pairs[place][: request.n_pairs], prompts.left_out
        if words not in self.usable:
            if model.read is not None:
                model.read.compare(probe(lexicon))
            self.usable[words] = usable_concepts(
                lexicon, model.tokenizer, template=request.template, shots=request.shots
            )
        usable, left_out = self.usable[words]
        place = (*words, request.n_pairs, request.shots, seed)
        if place not in self.pairs:
            self.pairs[place] = draw_concept_pairs(
                usable,
                model.tokenizer,
                lexicon.languages,
                request.n_pairs,
                request.shots,
                seed,
            )
        return self.pairs[place], left_out

    def writer(self, model: PatchableModel, lexicon: Lexicon, template: str) -> PromptWriter:
        """The prompts of this tokenizer, lexicon and template, for all checkpoints of a run."""
        place = (tokenizer_sha256(model), lexicon.sha256, template)
        if place not in self.writers:
            check = {"check": model.read.compare} if model.read else {}
            self.writers[place] = PromptWriter(lexicon, model.tokenizer, template, **check)
        return self.writers[place]


def tokenizer_sha256(model: PatchableModel) -> str:
    """Hash of the tokenizer's full definition, hex."""
    return definition_sha256(model.tokenizer)
