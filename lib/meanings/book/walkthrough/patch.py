"""One patch between two prompts on the tensors of one model: states, hooks, scores, answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from meanings.book.chapter_parameters import Method
from meanings.book.tables.answers import plain
from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon
from meanings.models.checkpoint import Checkpoint
from meanings.models.loading import PatchableModel
from meanings.patching import token_probability
from meanings.patching.conditions import CONDITIONS
from meanings.patching.flops import Lengths, sweep_passes
from meanings.patching.query_states import hidden_states
from meanings.patching.sweeping import sweep, unpatched
from meanings.prompts import answers
from meanings.prompts.concept_pairs import ConceptPair
from meanings.prompts.prompt import Prompt, translation_prompt

ANSWER_TOKENS = 10


@dataclass(frozen=True)
class Walkthrough:
    """A model, a pair of concepts, the two prompts, and the steps of the patch between them.

    - `example`: which of the drawn concept pairs, from 0; `n_changed`: how many of them are
      answered with the source's word after the patch, at its best layer.
    """

    page: Method
    model: PatchableModel
    lexicon: Lexicon
    checkpoint: Checkpoint
    seen: tuple[str, ...]
    pair: LanguagePair
    example: int
    n_changed: int
    concepts: ConceptPair
    source: Prompt
    target: Prompt

    @property
    def vocabulary(self) -> int:
        """Entries of the tokenizer."""
        return len(self.model.tokenizer)

    @property
    def source_word(self) -> str:
        """The source concept's word in the output language: what a patched answer should be."""
        return self.lexicon.word(self.concepts.source, self.pair.output)

    @property
    def target_word(self) -> str:
        """The target concept's word in the output language."""
        return self.lexicon.word(self.concepts.target, self.pair.output)

    def sweep_size(self) -> dict[str, int]:
        """What a sweep of all patched conditions over this prompt is made of: for the drawing and
        for the ratio.
        """
        patched = sum(
            condition.patched and condition.source_pairs(self.pair, self.seen) is not None
            for condition in CONDITIONS.values()
        )
        return {
            "n_tokens": len(self.target.token_ids),
            "position": self.target.query_position,
            "n_layers": self.model.n_layers,
            "conditions": patched,
        }

    def saving(self) -> dict[str, float]:
        """Token passes of that sweep, by the published algorithm and by the library's, and their
        ratio.
        """
        size = self.sweep_size()
        published, ours = sweep_passes(
            Lengths.of([self.target]), size["n_layers"], size["conditions"]
        )
        return {"published": published, "ours": ours, "ratio": published / ours}

    @cached_property
    def source_prompts(self) -> list[Prompt]:
        """The source concept in every pair of the condition `seen`, each cut at its query word when
        it is read.
        """
        pairs = CONDITIONS["seen"].source_pairs(self.pair, self.seen) or ()
        return [
            self.prompt(pair, self.concepts.source, self.concepts.source_shots) for pair in pairs
        ]

    def prompt(self, pair: LanguagePair, concept: str, shots: tuple[str, ...]) -> Prompt:
        """A prompt that asks for a concept after these few-shot examples."""
        return translation_prompt(
            self.lexicon, self.model.tokenizer, pair, concept, shots, self.page.template
        )

    def source_states(self) -> Float[Tensor, "layer pair d_model"]:
        """Each layer's output at the query word's last token, in every source pair."""
        return hidden_states(self.model, self.source_prompts)

    def agreement(self, stack: Tensor) -> pd.DataFrame:
        """Mean cosine between two pairs' vectors of the source concept, and between those and the
        null concept's.
        """
        others = hidden_states(
            self.model,
            [
                self.prompt(p.pair, self.concepts.null, self.concepts.source_shots)
                for p in self.source_prompts
            ],
        )
        unit, foreign = (torch.nn.functional.normalize(x.float(), dim=-1) for x in (stack, others))
        n = unit.shape[1]
        same = (torch.einsum("lpd,lqd->l", unit, unit) - n) / max(n * (n - 1), 1)
        different = torch.einsum("lpd,lqd->l", unit, foreign) / n**2
        return pd.DataFrame(
            {"mean cosine": same.tolist(), "with another concept": different.tolist()}
        ).rename_axis("layer")

    @contextmanager
    def hooks(self, by_layer: dict[int, Callable]) -> Iterator[None]:
        """Forward hooks on decoder layers, taken off again."""
        layers = self.model.network.get_submodule(self.model.layers_path)
        handles = [layers[layer].register_forward_hook(hook) for layer, hook in by_layer.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @torch.no_grad()
    def forward(self) -> Float[Tensor, " vocab"]:
        """Next-token logits after the whole target prompt."""
        ids = torch.tensor([self.target.token_ids], device=self.model.device)
        return self.model.network(input_ids=ids, use_cache=False).logits[0, -1]

    @cached_property
    def columns(self) -> list[list[frozenset[int]]]:
        """First tokens of the source and of the target concept in the output language."""
        words = (
            self.lexicon.words(concept, self.pair.output)
            for concept in (self.concepts.source, self.concepts.target)
        )
        return [[answers.first_tokens(self.model.tokenizer, group) for group in words]]

    def scores(self, logits: Tensor) -> dict[str, float]:
        """`P(source)` and `P(target)` of next-token logits."""
        both = token_probability.concept_probability(
            logits[None], token_probability.token_columns(self.columns)
        )[0]
        return {"P(source)": float(both[0]), "P(target)": float(both[1])}

    def scores_by_layer(self, logits: list[Tensor]) -> pd.DataFrame:
        """P(source), P(target) and the most probable next token for every first patched layer."""
        rows = [
            self.scores(row)
            | {"most probable token": plain(self.model.tokenizer.decode([int(row.argmax())]))}
            for row in logits
        ]
        return pd.DataFrame(rows).rename_axis("first patched layer")

    def unpatched(self) -> dict[str, float]:
        """The same scores without a patch."""
        return self.scores(self.forward())

    def gap(self, vector: Tensor, layers: pd.DataFrame) -> float:
        """Largest difference between the library's sweep and the hooks' table."""
        found = sweep(self.model, [self.target], vector[:, None], self.columns).probabilities[:, 0]
        return float(
            (found - torch.tensor(layers[["P(source)", "P(target)"]].to_numpy())).abs().max()
        )

    def answer_before(self) -> str:
        """The greedy answer without a patch."""
        said = unpatched(self.model, [self.target], self.columns, generate=ANSWER_TOKENS).answers
        return plain(answers.answer_word(said[0][0])) if said else ""

    def answer_after(self, vector: Tensor, first_layer: int) -> str:
        """The greedy answer with layers from `first_layer` on overwritten."""
        said = sweep(
            self.model,
            [self.target],
            vector[:, None],
            self.columns,
            first_layers=[first_layer],
            generate=ANSWER_TOKENS,
        ).answers
        return plain(answers.answer_word(said[0][0])) if said else ""

    def is_source(self, answer: str) -> bool:
        """Whether an answer is an accepted word of the source concept."""
        return answers.word_match(
            answer, self.lexicon.words(self.concepts.source, self.pair.output)
        )
