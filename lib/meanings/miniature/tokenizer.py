"""The miniature's own tokenizer, learned from its own text: byte-level BPE, or for a short
miniature one of three others.

pieces   a token is made of                                              and stays within bytes
bytes, merged by BPE                                            a word, with the space before it;
spaces; punctuation signs    characters, merged by BPE, so that no two scripts share a token  a
word; a run of what is no word; a line's end words    nothing smaller: every word is one token
the same
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from meanings.miniature.corpus import Corpus
from meanings.miniature.twins import twins_tokenizer

END_OF_TEXT = "<|endoftext|>"
TOKENIZER_SEED = 1  # the tokenizer is part of the recipe, the same for every training seed
DOCUMENTS_READ = 40_000
CHUNKS = r"\w+|[^\w\n]+|\n"
# shares to this power: a rarer language is cut a little finer than a common one, not to bytes
FLATTENING = 0.5


def train_tokenizer(corpus: Corpus, folder: Path) -> PreTrainedTokenizerFast:
    """Learn the tokens, write `tokenizer.json` and `tokenizer_config.json` into `folder`, and
    return the tokenizer.

    No token reaches over a word's end, so that the closing quote is never merged with the query
    word.
    """
    if corpus.mix.pieces == "twins":
        return _saved(twins_tokenizer(corpus, END_OF_TEXT, TOKENIZER_SEED), folder)
    rng = np.random.default_rng(TOKENIZER_SEED)
    flat = _flattened(corpus)
    texts = (flat.document(rng) for _ in range(DOCUMENTS_READ))
    size, pieces = corpus.mix.model.vocab_size, corpus.mix.pieces
    settings = {"vocab_size": size, "special_tokens": [END_OF_TEXT], "show_progress": False}
    if pieces == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **settings
        )
    else:
        tokenizer = Tokenizer(
            models.BPE() if pieces == "signs" else models.WordLevel(unk_token=END_OF_TEXT)
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(CHUNKS), behavior="isolated")
        tokenizer.decoder = decoders.Fuse()
        trainer = (trainers.BpeTrainer if pieces == "signs" else trainers.WordLevelTrainer)(
            **settings
        )
        # Every word and every character that may be asked for, also those that no document drawn
        # here has.
        words = (
            f'"{word}"\n'
            for concept in corpus.lexicon.concepts
            for code in corpus.lexicon.languages
            for word in corpus.lexicon.words(concept, code)
        )
        texts = chain(texts, words)
    tokenizer.train_from_iterator(texts, trainer)
    return _saved(tokenizer, folder)


def _saved(tokenizer: Tokenizer, folder: Path) -> PreTrainedTokenizerFast:
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END_OF_TEXT, pad_token=END_OF_TEXT
    )
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
                name: pair.model_copy(update={"weight": pair.weight**FLATTENING})
                for name, pair in corpus.mix.pairs.items()
            },
        }
    )
    return Corpus(mix, corpus.lexicon, corpus.associations, corpus.patterns, corpus.passages)
