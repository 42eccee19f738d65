"""What a model holds of a word in its context, of the same word alone, and of the context alone.

    in_context    at the word's last token, behind what stands left of it
    word_only     at the same token, with the word's own tokens alone behind the mark
    context_only  at the token before the word, which has not read it

A decoder reads from left to right, so nothing right of the word changes these states: the text is
cut behind the word. Of the left context the last tokens are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from meanings.core.errors import MeaningsError
from meanings.models.activations import recorded_in, start_of_text
from meanings.models.loading import PatchableModel

AT_ONCE = 1024  # tokens per forward
CONDITIONS = ("in_context", "word_only", "context_only")

States = Float[np.ndarray, "depth text d_model"]


@dataclass(frozen=True)
class TargetStates:
    """States in float32, from the embedding to the last layer's output.

    - `cut`: how many texts had more tokens to the left than were kept.
    """

    in_context: States
    word_only: States
    context_only: States
    cut: int


class Tokens(NamedTuple):
    """Token ids of a text, cut on the left, with the place of the word's first token."""

    ids: list[int]
    first: int
    cut: bool


def tokens_of(model: PatchableModel, before: str, word: str, most: int) -> Tokens:
    """The tokens of `before + word`, at most `most` of them to the left of the word.

    A token belongs to the word where it ends behind the word's begin, so a space before the word
    that is part of its first token goes with it.

    Raises MeaningsError where the word has no token.
    """
    read = model.tokenizer(before + word, add_special_tokens=False, return_offsets_mapping=True)
    ids, offsets = list(read["input_ids"]), read["offset_mapping"]
    own = [place for place, (_, end) in enumerate(offsets) if end > len(before)]
    if not own:
        raise MeaningsError(
            f"{model.name}: the word {word!r} has no token in its context; leave the sentence out"
        )
    left = max(0, own[0] - most)
    return Tokens(ids[left:], own[0] - left, left > 0)


@torch.no_grad()
def target_states(
    model: PatchableModel,
    texts: Sequence[tuple[str, str]],
    most: int,
    report: Callable[[str, int, int], object] = lambda what, done, of: None,
) -> TargetStates:
    """The states of words in context: each text is (what stands left of the word, the word).

    - `most`: tokens of the left context that are kept.

    Raises MeaningsError where a word has no token or a state is not finite.
    """
    mark = start_of_text(model)
    read = [tokens_of(model, before, word, most) for before, word in texts]
    rows = [[mark, *each.ids] for each in read]
    alone = [[mark, *each.ids[each.first :]] for each in read]
    places = [(len(each.ids), each.first) for each in read]  # the mark shifts both by one
    both = _read(model, rows, places, report)
    found = {
        "in_context": both[0],
        "context_only": both[1],
        "word_only": _read(model, alone, [(len(each) - 1,) for each in alone], report)[0],
    }
    if not all(np.isfinite(each).all() for each in found.values()):
        raise MeaningsError(
            f"{model.name} in {model.dtype}: the state of a word in context is not finite; use "
            "dtype float32 or bfloat16"
        )
    return TargetStates(**found, cut=sum(each.cut for each in read))


def _read(
    model: PatchableModel,
    rows: Sequence[list[int]],
    places: Sequence[tuple[int, ...]],
    report: Callable[[str, int, int], object],
) -> list[States]:
    """The states at each row's places. Rows of about one length run together; the shorter ones are
    filled up at their ends, which no token before them attends to.
    """
    found: list[np.ndarray] = []
    done = 0
    with recorded_in(model) as recorded:
        for part in _parts([len(each) for each in rows]):
            longest = max(len(rows[i]) for i in part)
            filled = [rows[i] + [rows[i][0]] * (longest - len(rows[i])) for i in part]
            model.network(
                input_ids=torch.tensor(filled, device=model.device),
                use_cache=False,
                logits_to_keep=1,
            )
            at = torch.tensor([places[i] for i in part], device=model.device)
            line = torch.arange(len(part), device=model.device)[:, None]
            states = torch.stack([layer[line, at].float() for layer in recorded["hidden"]])
            if not found:
                depth, _, kinds, width = states.shape
                found = [np.empty((depth, len(rows), width), np.float32) for _ in range(kinds)]
            for kind, each in enumerate(found):
                each[:, part] = states[:, :, kind].cpu().numpy()
            done += len(part)
            report("reading words in context", done, len(rows))
    return found


def _parts(lengths: Sequence[int]) -> list[list[int]]:
    """Places of rows, from the shortest on, as many as fit into one forward."""
    parts: list[list[int]] = [[]]
    for place in np.argsort(lengths, kind="stable").tolist():
        if parts[-1] and (len(parts[-1]) + 1) * lengths[place] > AT_ONCE:
            parts.append([])
        parts[-1].append(place)
    return parts
