"""How many rows one forward takes: enough to fill the machine's units, few enough to fit; halved
where they do not.
"""

from __future__ import annotations

import gc
import math
import warnings
from collections.abc import Callable, Iterator, Sequence

import torch

from meanings.core.errors import MeaningsError
from meanings.models.loading import PatchableModel

# Tokens of one forward. More do not fill 2 cores better (9.2k tokens/s at 1,600 tokens, 8.3k at
# 6,400).
TOKENS = {"cpu": 2_048, "cuda": 65_536}

# What the rows of one forward may need beside the weights, in bytes, as far as it can be foretold.
WORKING_SET = {"cpu": 192 << 20, "cuda": 4 << 30}

# Shares of it: what prompts may need whose keys and values stay while other forwards go on from
# them; and what answers may need, which are generated a token per row, so that only many rows fill
# the machine's units.
STAYING, ANSWERING = 0.6, 2.5


class LessRoomThanThought(UserWarning):
    """The memory did not hold as many rows as were tried; smaller parts are used instead."""


def rows_at_once(
    model: PatchableModel, tokens: int, cached: int = 0, *, kept: int = 0, share: float = 1.0
) -> int:
    """Rows of a forward, each of `tokens` new tokens behind `cached` ones; at least 1.

    - `kept`: tokens of each row whose keys and values stay in every layer, not in one layer at a
      time.
    - `share`: of the working set, that may be used.

    A row needs, beside these: its new tokens' activations, one layer's keys and values, once and,
    for more than one new token, repeated for the heads that share them, and its logits.
    """
    place = "cpu" if model.device.type == "cpu" else "cuda"
    size, kv = next(model.network.parameters()).element_size(), kv_width(model)
    config = model.network.config.get_text_config(decoder=True)
    inner = getattr(config, "intermediate_size", None) or 4 * model.d_model
    repeated = config.num_attention_heads // (
        getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    )
    activations = tokens * (4 * model.d_model + 3 * inner)
    one_layer = (cached + tokens) * kv * (1 + (repeated if repeated > 1 and tokens > 1 else 0))
    logits = model.network.get_output_embeddings().weight.shape[0]
    bytes_a_row = size * (activations + one_layer + logits + kept * model.n_layers * kv)
    return max(1, min(TOKENS[place] // tokens, int(share * WORKING_SET[place]) // bytes_a_row))


def prefixes_at_once(model: PatchableModel, tokens: int) -> int:
    """Prompts of `tokens` tokens that are run together and stay, while other forwards go on from
    them; at least 1.
    """
    return rows_at_once(model, tokens, kept=tokens, share=STAYING)


def kv_width(model: PatchableModel) -> int:
    """Numbers that a layer keeps a token: keys and values of all their heads."""
    config = model.network.config.get_text_config(decoder=True)
    heads = config.num_attention_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // heads
    return 2 * head * (getattr(config, "num_key_value_heads", None) or heads)


def by_length(lengths: Sequence[int], at_once: Callable[[int], int]) -> Iterator[list[int]]:
    """Indices in order of length, in blocks of at most `at_once(longest length)`, one index at
    least.

    Blocks are about equally large: a last small one would cost a forward that fills nothing.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    while order:
        most = max(1, at_once(max(1, lengths[order[-1]])))
        size = even(len(order), most)
        yield order[-size:]
        del order[-size:]


def even(count: int, most: int) -> int:
    """Items of a part where `count` of them are split into as few equal parts as hold at most
    `most`: 10 in parts of at most 7 are 5 and 5.
    """
    return math.ceil(count / math.ceil(count / most)) if count else most


def in_parts(items: Sequence, size: int, run: Callable[[Sequence], None]) -> None:
    """Call `run` on one part of `items` after another, in order, at most `size` at once, about
    equally many.

    Where the memory does not hold a part, it is run again in halves, and so is what follows; a
    warning says so.

    Raises MeaningsError where it does not hold a single item.
    """
    done, size = 0, even(len(items), size)
    while done < len(items):
        part = items[done : done + size]
        try:
            run(part)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            if len(part) == 1:
                raise MeaningsError(
                    "one prompt alone does not fit into memory: use a smaller model or dtype, "
                    "or fewer shots"
                ) from None
            size = len(part) // 2
        else:
            done += len(part)
            continue
        # Outside the handler, so that the failed forward's tensors are no longer held by its
        # traceback.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        warnings.warn(
            f"{len(part)} rows do not fit into memory: continuing with {size} at a time",
            LessRoomThanThought,
            stacklevel=2,
        )


def _out_of_memory(error: BaseException) -> bool:
    """Also where the allocator of the CPU says it in words only, or a trace has wrapped the
    error.
    """
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
