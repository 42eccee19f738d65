"""Tokenizers of nine kinds, each trained on a few words, and folders that hold one in many ways."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from meanings.lexicon.languages import LANGUAGES
from meanings.lexicon.lexicon import Lexicon
from stand_ins import small_model

SPECIAL = ["<unk>", "<s>", "</s>"]
QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _lines(lexicon: Lexicon) -> list[str]:
    names = " ".join(LANGUAGES[code].native for code in lexicon.languages)
    entries = [words for entry in lexicon.entries.values() for words in entry.values()]
    return [f'"{word}" {names}: " - "\n' for words in entries for word in words]


def _bpe(pre, decoder, alphabet=(), normalizer=None, post=None) -> Tokenizer:
    whole = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=False))
    whole.pre_tokenizer, whole.decoder = pre, decoder
    if normalizer is not None:
        whole.normalizer = normalizer
    whole.train_from_iterator(
        _lines(small_model.lexicon()),
        trainers.BpeTrainer(
            vocab_size=400,
            initial_alphabet=list(alphabet),
            special_tokens=SPECIAL,
            show_progress=False,
        ),
    )
    if post is not None:
        whole.post_processor = post
    return whole


def _byte_level(split: str | None = None, prefix: bool = False, post=None) -> Tokenizer:
    pre = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=split is None)
    if split is not None:
        pre = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), "isolated"), pre])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return _bpe(pre, decoders.ByteLevel(), alphabet, post=post)


def _metaspace(scheme: str) -> Tokenizer:
    return _bpe(
        pre_tokenizers.Metaspace(prepend_scheme=scheme), decoders.Metaspace(prepend_scheme=scheme)
    )


def _unigram() -> Tokenizer:
    whole = Tokenizer(models.Unigram())
    whole.normalizer = normalizers.NFKC()
    whole.pre_tokenizer, whole.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    whole.train_from_iterator(_lines(small_model.lexicon()), trainer)
    return whole


def _begins() -> processors.PostProcessor:
    return processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])


KINDS: dict[str, Callable[[], Tokenizer]] = {
    "byte level": _byte_level,
    "byte level, space before": lambda: _byte_level(prefix=True),
    "byte level, split as Qwen": lambda: _byte_level(QWEN),
    "byte level, by spaces": lambda: _byte_level(r" ?\S+|\s+"),
    "byte level, start mark": lambda: _byte_level(post=_begins()),
    "Metaspace, always": lambda: _metaspace("always"),
    "Metaspace, never": lambda: _metaspace("never"),
    "Metaspace, first": lambda: _metaspace("first"),
    "Unigram": _unigram,
}
CLASSES = (
    None,  # no tokenizer_config.json
    "PreTrainedTokenizerFast",
    "TokenizersBackend",
    "LlamaTokenizer",
    "LlamaTokenizerFast",
    "GPT2TokenizerFast",
    "Qwen2TokenizerFast",
    "GemmaTokenizerFast",
)
MODEL_TYPES = ("llama", "qwen2", "qwen3", "gpt2", "gpt_neox", "gemma3_text", "olmo2", "bloom")


def write(folder: Path, kind: str, name: str | None, model_type: str | None) -> Path:
    """A folder with the tokenizer of a kind; with a class named in tokenizer_config.json and a
    model_type in config.json, where given.
    """
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_text(_definition(kind))
    if name is not None:
        named = {"tokenizer_class": name, "bos_token": "<s>", "eos_token": "</s>"}
        (folder / "tokenizer_config.json").write_text(json.dumps(named))
    if model_type is not None:
        (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    return folder


@cache
def _definition(kind: str) -> str:
    whole = KINDS[kind]()
    whole.add_special_tokens([AddedToken("<|end|>", special=True)])
    return whole.to_str()
