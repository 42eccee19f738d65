"""A model's tokenizer: `tokenizer.json` as it stands, held against what transformers makes of it.

`AutoTokenizer` may build normaliser and pre-tokenizer anew from a class name or a `model_type`
(huggingface/transformers#45920, #45812), and then splits text in another way than the file says,
without a word. So the file is read by itself, and both ways are compared: on a probe when the model
is loaded, and on every prompt of a study. Where they differ, a person has to choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tokenizers import Tokenizer
from tokenizers.models import BPE
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import language
from meanings.lexicon.lexicon import Lexicon, load_lexicon

FILE = "tokenizer.json"
Way = Literal["agreed", "file", "library"]
WAYS = {
    "agreed": f"{FILE} as it stands; an error where transformers makes other tokens of a prompt",
    "file": f"{FILE} as it stands, whatever transformers makes of it",
    "library": "what transformers' AutoTokenizer makes of the folder",
}
LINES = 6  # of a text of the probe
UNKNOWN = "\uffff"  # is no character, and in no vocabulary of words


@dataclass
class ReadTokenizer:
    """A tokenizer in use, and the other way to read the same folder.

    - `words`: in use, read as `way` says.
    - `other`: read the other way; None where both ways have one definition, or transformers cannot
      read the folder (`refused`: why).
    """

    words: PreTrainedTokenizerFast
    way: Way
    folder: Path
    other: PreTrainedTokenizerFast | None = None
    refused: str = ""
    _differs: bool = field(default=False, repr=False)

    @property
    def provenance(self) -> dict[str, str]:
        """How it was read, and what is known of the other way."""
        if self.refused:
            known = "transformers cannot read it"
        elif self.other is None:
            known = "one definition"
        else:
            known = "other tokens" if self._differs else "equal tokens in all texts compared"
        taken = "library" if self.way == "library" else "file"
        return {"tokenizer_read": taken, "tokenizer_file_and_library": known}

    def compare(self, texts: Iterable[str]) -> None:
        """Hold both ways against each other on these texts.

        Raises MeaningsError, where nobody has chosen one, on the first text of which they make
        other tokens: which file, which tokens, and how to choose.
        """
        if self.other is None or (self._differs and self.way != "agreed"):
            return
        texts = list(texts)
        made = [self._tokens(reader, texts) for reader in (self.words, self.other)]
        for text, mine, others in zip(texts, *made, strict=True):
            if mine != others:
                self._differs = True
                if self.way == "agreed":
                    raise MeaningsError(self._said(text, mine, others))
                return

    def _tokens(self, reader: PreTrainedTokenizerFast, texts: list[str]) -> list[list[int]]:
        try:
            return reader(texts)["input_ids"]
        except Exception as error:  # a class may ask for an unknown token that the file lacks
            if reader is self.other and self.way != "agreed":
                return [[]] * len(texts)
            mine = "tokenizer=file" if self.way != "file" else "another tokenizer"
            raise MeaningsError(
                f"{self.folder / FILE}: {type(reader).__name__} of transformers cannot use it "
                f"({' '.join(str(error).split())}); choose {mine}"
            ) from None

    def _said(self, text: str, mine: list[int], others: list[int]) -> str:
        first = next(
            (i for i, (a, b) in enumerate(zip(mine, others, strict=False)) if a != b),
            min(len(mine), len(others)),
        )
        shown = [
            " ".join(map(repr, reader.convert_ids_to_tokens(ids[first : first + 6])))
            for reader, ids in ((self.words, mine), (self.other, others))
        ]
        return (
            f"{self.folder / FILE}: of {text.splitlines()[0]!r} the file makes "
            f"{shown[0] or 'no more'} from token {first} on, but {type(self.other).__name__} of "
            f"transformers {shown[1] or 'no more'}; choose what the model was trained with: "
            "tokenizer=file (as it stands) or tokenizer=library (as transformers has it)"
        )


def read_tokenizer(folder: Path, way: Way = "agreed") -> ReadTokenizer:
    """The tokenizer of a folder, compared on a probe of all languages.

    Raises MeaningsError where there is no `tokenizer.json` or it is damaged, and as
    `ReadTokenizer.compare`.
    """
    file = as_it_stands(folder)
    try:
        library, refused = by_library(folder), ""
    except MeaningsError as error:
        if way == "library":
            raise
        library, refused = None, str(error)
    differ = library is not None and _definition(library) != _definition(file)
    if way == "library":
        read = ReadTokenizer(library, way, folder, file if differ else None)
    else:
        read = ReadTokenizer(file, way, folder, library if differ else None, refused)
    if read.other is not None:
        read.compare(probe(load_lexicon("embedded")))
    return read


def as_it_stands(folder: Path) -> PreTrainedTokenizerFast:
    """`tokenizer.json` without any change: normaliser, pre-tokenizer, model, post-processor and
    added tokens are the file's; only truncation, padding and dropout are left out.

    Raises MeaningsError where it is not there or damaged, or has no token for what is unknown.
    """
    file = folder / FILE
    if not file.is_file():
        raise MeaningsError(
            f"{folder}: no {FILE}; give the tokenizer's folder, or convert the tokenizer to this "
            "format"
        )
    try:
        whole = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exceptions
        raise MeaningsError(
            f"{file}: the tokenizer cannot be read: {error}; copy or fetch it again"
        ) from None
    try:
        whole.encode(UNKNOWN)
    except Exception as error:
        raise MeaningsError(
            f"{file}: it cannot split text that it does not know ({error}); fetch the file again, "
            "or take another tokenizer"
        ) from None
    whole.no_truncation()
    whole.no_padding()
    _split_alike(whole)
    # Around an empty one, since the constructor copies it and fills in what a file leaves out.
    words = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(BPE()), clean_up_tokenization_spaces=False
    )
    words._tokenizer = whole
    return words


def special_ids(words: PreTrainedTokenizerFast) -> frozenset[int]:
    """Ids of the tokens that are marks and no text, as the tokenizer's definition flags them.

    Gemma has 6,249 of them, and transformers lists its named ones anew each time it is asked.
    """
    added = words.backend_tokenizer.get_added_tokens_decoder()
    return frozenset(token for token, each in added.items() if each.special)


def by_library(folder: Path) -> PreTrainedTokenizerFast:
    """What transformers makes of the folder. Raises MeaningsError where it cannot, or gives no
    offsets.
    """
    try:
        words = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # each class has its own
        raise MeaningsError(
            f"{folder}: transformers cannot read the tokenizer ({type(error).__name__}); choose "
            "tokenizer=file"
        ) from None
    if not words.is_fast:
        raise MeaningsError(
            f"{folder}: transformers reads the tokenizer as {type(words).__name__}, which gives no "
            "offsets; choose tokenizer=file"
        )
    _split_alike(words.backend_tokenizer)
    return words


def _split_alike(whole: Tokenizer) -> None:
    """Leave out the dropout of merges, with which BPE splits a text differently each time: it is
    for training alone.
    """
    if getattr(whole.model, "dropout", None) is not None:
        whole.model.dropout = None


def probe(lexicon: Lexicon) -> Iterator[str]:
    """Texts in the form of the study's prompts in which every word of the lexicon occurs, in every
    language.
    """
    codes = lexicon.languages
    for number, code in enumerate(codes):
        names = [language(c).native for c in (code, codes[(number + 1) % len(codes)])]
        lines = [
            f'{names[0]}: "{lexicon.word(concept, code)}" - {names[1]}: "'
            for concept in lexicon.concepts
        ]
        for start in range(0, len(lines), LINES):
            yield "\n".join(lines[start : start + LINES])


def _definition(words: PreTrainedTokenizerFast) -> str:
    return words.backend_tokenizer.to_str()
