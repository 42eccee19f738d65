"""Early alignment: a second loss that draws words and their translations together, in every layer.

    InfoNCE = mean over concepts of -log( exp(cos(x_i, y_i) / t) / sum_j exp(cos(x_i, y_j) / t) ),

both ways, x_i and y_i being the states of a concept's word in two languages at its last token, and
the mean over all layers from the embedding on. Each step takes the whole dictionary between the
first language and one of the others. Source: Li et al. 2024 (PreAlign).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from meanings.miniature.clones import deranged
from meanings.miniature.corpus import Corpus
from meanings.miniature.treatments import Alignment, touched

ALIGNMENT_STREAM = 29  # of random numbers: the text's own stay as they are


@dataclass(frozen=True)
class Dictionary:
    """Words of some concepts as token ids, right-padded, behind an end-of-text token.

    - `ids[language]`: shape `concept x token`; `last[language]`: place of each word's last token.
    """

    ids: dict[str, Int[Tensor, "concept token"]]
    last: dict[str, Int[Tensor, " concept"]]


class AlignmentLoss:
    """The loss of a recipe's `align` at each of its steps.

    - `seed`: the training seed, which draws the language of each step.
    """

    def __init__(
        self, plan: Alignment, corpus: Corpus, tokenizer: PreTrainedTokenizerFast, seed: int
    ) -> None:
        self._plan, self._seed = plan, seed
        self._languages = corpus.mix.seen_languages
        self._dictionary = dictionary_of(plan, corpus, tokenizer)

    def at(self, step: int, model: LlamaForCausalLM) -> Float[Tensor, ""] | None:
        """The weighted loss; None before the first step and after the last."""
        plan = self._plan
        if not plan.first_step <= step < plan.first_step + plan.steps:
            return None
        rng = np.random.default_rng([self._seed, step, ALIGNMENT_STREAM])
        first, others = self._languages[0], self._languages[1:]
        other = others[rng.integers(len(others))]
        x, y = (last_states(model, self._dictionary, code) for code in (first, other))
        return plan.weight * info_nce(x, y, plan.temperature)


def dictionary_of(
    plan: Alignment, corpus: Corpus, tokenizer: PreTrainedTokenizerFast
) -> Dictionary:
    """The words of the concepts that the plan touches, as the text writes them.

    In a shuffled dictionary each language but the first has another concept's word in its place.
    """
    lexicon = corpus.written("dictionary")
    concepts = touched(corpus.lexicon, plan.words)
    ids, last = {}, {}
    for place, code in enumerate(corpus.mix.seen_languages):
        wrong = plan.dictionary == "shuffled" and place > 0
        said = deranged(concepts, place) if wrong else {concept: concept for concept in concepts}
        words = [lexicon.word(said[concept], code) for concept in concepts]
        pieces = [
            [tokenizer.eos_token_id, *found]
            for found in tokenizer(words, add_special_tokens=False)["input_ids"]
        ]
        longest = max(map(len, pieces))
        padded = [found + [tokenizer.eos_token_id] * (longest - len(found)) for found in pieces]
        ids[code] = torch.tensor(padded)
        last[code] = torch.tensor([len(found) - 1 for found in pieces])
    return Dictionary(ids, last)


def last_states(
    model: LlamaForCausalLM, dictionary: Dictionary, language: str
) -> Float[Tensor, "layer concept d_model"]:
    """Each word's states at its last token, from the embedding to the last block's normed output.

    The model is causal, so what stands behind a word's end changes nothing.
    """
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.model(
            input_ids=dictionary.ids[language], output_hidden_states=True, use_cache=False
        ).hidden_states
    places = dictionary.last[language]
    return torch.stack([states[torch.arange(len(places)), places].float() for states in hidden])


def info_nce(
    x: Float[Tensor, "layer concept d_model"],
    y: Float[Tensor, "layer concept d_model"],
    temperature: float,
) -> Float[Tensor, ""]:
    """InfoNCE in nats, both ways, mean over layers; see the module."""
    unit = torch.nn.functional.normalize
    scores = unit(x, dim=-1) @ unit(y, dim=-1).transpose(1, 2) / temperature
    own = torch.arange(scores.shape[1]).expand(len(scores), -1)
    entropy = torch.nn.functional.cross_entropy
    return (entropy(scores.transpose(1, 2), own) + entropy(scores, own)) / 2
