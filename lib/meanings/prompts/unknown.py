"""Words that a tokenizer does not know: it writes its unknown token for a part of them, or
nothing at all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def unknown_part(
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    ids: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    start: int,
    end: int,
) -> str:
    """The first part of `text[start:end]` that is the unknown token, or all of it where a letter
    is in no token; empty where every letter has tokens of its own.

    - `ids`, `offsets`: the text's tokens, and the characters that each of them stands for.
    """
    unknown = unknown_token(tokenizer)
    covered: set[int] = set()
    for token, (first, stop) in zip(ids, offsets, strict=True):
        if token == unknown and first < end and stop > start:
            return text[max(first, start) : min(stop, end)]
        covered.update(range(max(first, start), min(stop, end)))
    # Where a letter is dropped, the offsets of those behind it are not its own: which is not known.
    lost = any(at not in covered and text[at].isalnum() for at in range(start, end))
    return text[start:end] if lost else ""


@lru_cache(maxsize=16)
def unknown_token(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The id that the tokenizer's model gives what it does not know; None where it has none."""
    backend = tokenizer.backend_tokenizer
    model = json.loads(backend.to_str())["model"]
    if "unk_id" in model:  # Unigram; the others name the token
        return model["unk_id"]
    named = model.get("unk_token")
    return None if named is None else backend.token_to_id(named)
