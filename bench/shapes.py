"""Models of real shapes with random weights, the shipped miniature, and prompts for all of them
from its lexicon.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.models.checkpoints import trajectory
from meanings.models.loading import PatchableModel, wrap_model
from meanings.prompts.answers import first_tokens
from meanings.prompts.concept_pairs import ConceptPair, draw_concept_pairs
from meanings.prompts.prompt import Prompt, translation_prompt

SHOTS = 5
SEED = 0


@dataclass(frozen=True)
class Shape:
    """A Llama with random weights; `layers` 0 stands for the shipped miniature."""

    name: str
    width: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int

    def load(self) -> PatchableModel:
        shipped = trajectory("miniature", 0).last.load()
        if self.layers == 0:
            return shipped
        config = LlamaConfig(
            vocab_size=self.vocabulary,
            hidden_size=self.width,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            max_position_embeddings=4096,
            # tied, random weights repeat the prompt's last token, a quote, which would end every
            # answer
            tie_word_embeddings=False,
        )
        with torch.random.fork_rng():
            torch.manual_seed(SEED)
            network = LlamaForCausalLM(config)
        return wrap_model(network, _widened(shipped.tokenizer, self.vocabulary), name=self.name)


MAIN = Shape("24 layers of 1,024, vocabulary 128k", 1024, 2816, 24, 8, 4, 128_000)
SHAPES: dict[str, Shape] = {
    "main": MAIN,
    "eurollm": Shape(
        "EuroLLM-1.7B's width and vocabulary, 6 layers", 2048, 5632, 6, 16, 8, 128_000
    ),
    "256k": Shape("6 layers of 1,024, vocabulary 256k", 1024, 2816, 6, 8, 4, 256_000),
    "miniature": Shape("the miniature", 128, 384, 0, 4, 2, 0),
    # Not reported: small enough for the tests.
    "tiny": Shape("tiny", 32, 48, 4, 4, 2, 16_000),
}


def _widened(tokenizer: PreTrainedTokenizerFast, vocabulary: int) -> PreTrainedTokenizerFast:
    """The tokenizer with names for the ids that it lacks, so that generated tokens can be told
    apart by their text.
    """
    definition = json.loads(tokenizer.backend_tokenizer.to_str())
    names = definition["model"]["vocab"]
    names |= {f"<{number}>": number for number in range(len(names), vocabulary)}
    wide = Tokenizer.from_str(json.dumps(definition))
    return PreTrainedTokenizerFast(
        tokenizer_object=wide, eos_token=tokenizer.eos_token, pad_token=tokenizer.pad_token
    )


@cache
def words() -> Lexicon:
    return load_lexicon("embedded")


def drawn(model: PatchableModel, n_prompts: int, shots: int = SHOTS) -> list[ConceptPair]:
    return draw_concept_pairs(words(), model.tokenizer, words().languages, n_prompts, shots, SEED)


def target_prompts(
    model: PatchableModel, pair: LanguagePair, pairs: Sequence[ConceptPair]
) -> list[Prompt]:
    return [
        translation_prompt(words(), model.tokenizer, pair, p.target, p.target_shots) for p in pairs
    ]


def columns(model: PatchableModel, pairs: Sequence[ConceptPair]) -> list[list[frozenset[int]]]:
    """First tokens of source and target concept in every language, as a study reads them."""
    return [
        [
            first_tokens(model.tokenizer, words().words(concept, code))
            for concept in (p.source, p.target)
            for code in words().languages
        ]
        for p in pairs
    ]


def some_vectors(model: PatchableModel, n_prompts: int, count: int) -> dict[str, torch.Tensor]:
    """Concept vectors that are given: any will do, their values change no time."""
    generator = torch.Generator().manual_seed(SEED)
    return {
        f"condition {i}": torch.randn(model.n_layers, n_prompts, model.d_model, generator=generator)
        for i in range(count)
    }
