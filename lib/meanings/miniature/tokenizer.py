"""The miniature's own byte-level BPE, learned from its own text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from .corpus import Corpus

END_OF_TEXT = "<|endoftext|>"
TOKENIZER_SEED = 1  # the tokenizer is part of the recipe, the same for every training seed
DOCUMENTS_READ = 40_000
FLATTENING = 0.5  # shares to this power: a rarer language is cut a little finer than a common one, not to bytes


def train_tokenizer(corpus: Corpus, folder: Path) -> PreTrainedTokenizerFast:
    """Learn the merges, write `tokenizer.json` and `tokenizer_config.json` into `folder`, and return the tokenizer.

    Each merge stays within a word, a run of spaces or a run of punctuation (GPT-2's splitting), so that the
    closing quote is never merged with the query word.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    rng = np.random.default_rng(TOKENIZER_SEED)
    flat = _flattened(corpus)
    trainer = trainers.BpeTrainer(
        vocab_size=corpus.mix.model.vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((flat.document(rng) for _ in range(DOCUMENTS_READ)), trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END_OF_TEXT, pad_token=END_OF_TEXT)
    fast.save_pretrained(folder)
    return fast


def _flattened(corpus: Corpus) -> Corpus:
    mix = corpus.mix.model_copy(
        update={
            "languages": {
                code: entry.model_copy(update={"share": entry.share**FLATTENING})
                for code, entry in corpus.mix.languages.items()
            },
            "pairs": {
                name: pair.model_copy(update={"weight": pair.weight**FLATTENING}) for name, pair in corpus.mix.pairs.items()
            },
        }
    )
    return Corpus(mix, corpus.lexicon, corpus.associations, corpus.patterns, corpus.passages)
