"""The tokenizer of cloned languages: learned once, on the first language's signs, and copied for
each clone and for the signs that all share.

Each block of signs has the same tokens and merges, so that a word is cut alike in every language
and every world, and table, parameters and lengths are equal. What is no sign (language names,
digits, punctuation) has tokens that all languages use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from meanings.miniature.clones import SHARED
from meanings.miniature.corpus import Corpus
from meanings.miniature.documents import DOCUMENTS, heading
from meanings.miniature.draws import draw
from meanings.miniature.script_cipher import FIRST, LAST
from meanings.miniature.treatments import LETTERS

SIGN = f"{chr(FIRST)}-{chr(LAST)}"
CHUNKS = rf"[{SIGN}]+|[^\W{SIGN}]+|[^\w\n]+|\n"
DOCUMENTS_READ = 8_000  # enough for some hundred words
COUNTED = 2_000  # documents whose tokens are counted
COMMON = "common"  # tokens of no block: names, digits, punctuation, spaces


@dataclass(frozen=True)
class Blocks:
    """Where the tokens of each block lie in the table.

    - `first`: id of the first block's first token; `size`: tokens of a block.
    - `languages`: the blocks in order, the shared one last.
    """

    first: int
    size: int
    languages: tuple[str, ...]

    def block(self, ids: np.ndarray) -> np.ndarray:
        """The number of each token's block, -1 for a token of none."""
        place = (ids - self.first) // self.size
        return np.where((ids >= self.first) & (place < len(self.languages)), place, -1)

    def twin(self, token: int, language: str) -> int:
        """The token that stands for the same letters in another block."""
        offset = (token - self.first) % self.size
        return self.first + self.languages.index(language) * self.size + offset


def twins_tokenizer(corpus: Corpus, end_of_text: str, seed: int) -> Tokenizer:
    """A BPE of `mix.model.vocab_size` tokens at most: common ones, then a block for each language
    and the shared one.

    - `seed`: draws the documents that it is learned from.
    """
    learned = _learned(_texts(corpus, seed), corpus.mix.model.vocab_size, end_of_text)
    spelling = corpus.spelling
    languages = (*spelling.languages, SHARED)
    own = [
        str.maketrans({sign: chr(other) for sign, other in table.items()})
        for table in (spelling.signs.between(languages[:1], code) for code in languages)
    ]
    common, block, merges = _fitting(learned, len(languages), corpus.mix.model.vocab_size)
    tokens = [*common, *(token.translate(table) for table in own for token in block)]
    copied = [
        [part.translate(table) for part in pair]
        for pair in merges
        for table in (own if _is_sign(pair[0]) else own[:1])
    ]
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: place for place, token in enumerate(tokens)},
            merges=[tuple(pair) for pair in copied],
        )
    )
    tokenizer.add_special_tokens([end_of_text])
    _finish(tokenizer)
    return tokenizer


def blocks_of(corpus: Corpus, tokens: dict[str, int]) -> Blocks:
    """The blocks of a tokenizer's table (`tokens`: token -> id)."""
    languages = (*corpus.spelling.languages, SHARED)
    signs = sorted(place for token, place in tokens.items() if _is_sign(token))
    return Blocks(signs[0], len(signs) // len(languages), languages)


def text_rows(corpus: Corpus, tokenizer: PreTrainedTokenizerFast) -> Iterator[dict[str, Any]]:
    """The share of a world's running text that each block's tokens make up: `block`, `share`.

    The common tokens are the same in all languages in every world.
    """
    rng = np.random.default_rng(0)
    blocks = blocks_of(corpus, tokenizer.get_vocab())
    documents = [corpus.document(rng) for _ in range(COUNTED)]
    ids = np.concatenate(
        [np.array(each) for each in tokenizer(documents, add_special_tokens=False)["input_ids"]]
    )
    places = blocks.block(ids)
    for place, name in enumerate((COMMON, *blocks.languages), -1):
        yield {"block": name, "share": round(float((places == place).mean()), 6)}


def _texts(corpus: Corpus, seed: int) -> Iterator[str]:
    """Documents of the first language as they are drawn, and all languages' names."""
    of = corpus.spelling.languages[0]
    mix = corpus.mix.model_copy(
        update={"languages": {of: corpus.mix.languages[of]}, "parallel_share": 0.0}
    )
    alone = Corpus(mix, corpus.lexicon, corpus.associations, corpus.patterns, corpus.passages)
    kinds, weights = tuple(mix.documents), tuple(mix.documents.values())
    rng = np.random.default_rng(seed)
    names = "".join(f"{heading(code)}\n" for code in corpus.spelling.languages)
    for _ in range(DOCUMENTS_READ):
        yield names  # as often as the documents, so that each name becomes one token
        yield DOCUMENTS[draw(rng, kinds, weights)](alone, rng)
    yield " ".join(LETTERS)


def _learned(texts: Iterable[str], size: int, end_of_text: str) -> dict[str, Any]:
    tokenizer = Tokenizer(models.BPE())
    _finish(tokenizer)
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=size, special_tokens=[end_of_text], show_progress=False),
    )
    return json.loads(tokenizer.to_str())["model"]


def _finish(tokenizer: Tokenizer) -> None:
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(CHUNKS), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()


def _fitting(
    learned: dict[str, Any], blocks: int, size: int
) -> tuple[list[str], list[str], list[list[str]]]:
    """Common tokens, tokens of one block, and merges: as many merges, in the order in which they
    were learned, as leave room for every block.
    """
    merges = learned["merges"]
    made = {"".join(pair) for pair in merges}
    letters = [token for token in learned["vocab"] if token not in made]
    common = [token for token in letters if not _is_sign(token)]
    block = [token for token in letters if _is_sign(token)]
    kept = []
    for pair in merges:
        into = block if _is_sign(pair[0]) else common
        cost = blocks if into is block else 1
        if len(common) + blocks * len(block) + cost > size:
            break
        into.append("".join(pair))
        kept.append(pair)
    return common, block, kept


def _is_sign(token: str) -> bool:
    return FIRST <= ord(token[0]) <= LAST
