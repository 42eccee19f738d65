"""The probability that a model gives to words behind prompts, and to running text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from meanings.core.errors import MeaningsError
from meanings.models.activations import start_of_text
from meanings.models.loading import PatchableModel
from meanings.prompts.answers import closing_tokens, word_tokens
from meanings.prompts.questions import Asked

AT_ONCE = 4096  # tokens per forward
Ids = tuple[int, ...]


def probabilities(model: PatchableModel, asked: Sequence[Asked]) -> Float[np.ndarray, "2 question"]:
    """P(one of the words), and P(one of the others' words), NaN where there are none, behind each
    prompt.

        P(word) = p(w1) p(w2 | w1) ... p(wn | ...) * sum over tokens that may follow of p(token | w)

    After an open quote the word must be closed; elsewhere a space or a line's end must follow.
    """
    prompts = _ids(model, [each.prompt for each in asked])
    closing = closing_tokens(model.tokenizer), _ending(model)
    tokens = _answers(model, asked)
    cases, places = [], []
    for place, (each, prompt) in enumerate(zip(asked, prompts, strict=True)):
        for side, words in enumerate((each.words, each.others)):
            cases += [(prompt, tokens[each.is_quoted, w], not each.is_quoted) for w in words]
            places += [(side, place)] * len(words)
    found = np.zeros((2, len(asked)))
    found[1, [not each.others for each in asked]] = np.nan
    for place, log in zip(places, _log_probabilities(model, cases, closing), strict=True):
        found[place] += np.exp(log)
    return found


def nats(model: PatchableModel, texts: Sequence[str]) -> Float[np.ndarray, " text"]:
    """-log p(text) / characters of each text, in nats."""
    cases = [((), ids, 0) for ids in _ids(model, texts)]
    return -_log_probabilities(model, cases, ()) / np.array([len(text) for text in texts])


@torch.no_grad()
def _log_probabilities(
    model: PatchableModel, cases: Sequence[tuple[Ids, Ids, int]], closing: Sequence[frozenset[int]]
) -> Float[np.ndarray, " case"]:
    """log p(answer, one of the closing tokens | start of text, prompt) of each case.

    - `cases`: prompt, answer, and which of the sets of closing tokens; where there are no sets,
      nothing must follow.
    """
    start, found = start_of_text(model), np.zeros(len(cases))
    sets = [torch.tensor(sorted(each), device=model.device) for each in closing]
    for part in _parts([len(prompt) + len(answer) for prompt, answer, _ in cases]):
        ids = torch.tensor([[start, *cases[i][0], *cases[i][1]] for i in part], device=model.device)
        longest = max(len(cases[i][1]) for i in part)
        logits = model.network(input_ids=ids, use_cache=False, logits_to_keep=longest + 1).logits
        said = logits.float().log_softmax(-1)
        steps = _of_tokens(said[:, :-1], ids[:, -longest:])
        closed = [said[:, -1, each].logsumexp(-1) for each in sets]
        for row, i in enumerate(part):
            total = steps[row, longest - len(cases[i][1]) :].sum()
            found[i] = float(total + closed[cases[i][2]][row] if sets else total)
    if np.isnan(found).any():
        raise MeaningsError(
            f"{model.name} in {model.dtype}: the probability of a word is not a number; use dtype "
            "float32 or bfloat16"
        )
    return found


def _of_tokens(said: Float[Tensor, "row position vocab"], ids: Tensor) -> Tensor:
    return said.gather(-1, ids[..., None])[..., 0]


def _parts(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of cases of one length, as many as fit into one forward."""
    lengths = np.array(lengths)
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length).tolist()
        size = max(1, AT_ONCE // int(length + 1))
        for begin in range(0, len(places), size):
            yield places[begin : begin + size]


def _ids(model: PatchableModel, texts: Sequence[str]) -> list[Ids]:
    found = model.tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []
    return [tuple(ids) for ids in found]


def _answers(model: PatchableModel, asked: Sequence[Asked]) -> dict[tuple[bool, str], Ids]:
    """Each word's tokens behind a quote (True), or as they stand behind another word (False)."""
    words = {(each.is_quoted, word) for each in asked for word in (*each.words, *each.others)}
    found = {(True, w): min(word_tokens(model.tokenizer, [w])) for is_, w in words if is_}
    plain = [word for is_, word in words if not is_]
    return found | {(False, w): ids for w, ids in zip(plain, _ids(model, plain), strict=True)}


def _ending(model: PatchableModel) -> frozenset[int]:
    """Tokens that begin with white space: a new word or line."""
    pieces = model.tokenizer.convert_ids_to_tokens(list(range(len(model.tokenizer))))
    text = model.tokenizer.convert_tokens_to_string
    return frozenset(i for i, p in enumerate(pieces) if p and text([p])[:1].isspace())
