"""Weights that are set by hand, so that a Llama does what `meanings.validity.ground_truth` says.

The residual stream is a row of blocks, so that every weight says what it does. One large constant
makes RMSNorm a plain scaling; attention finds its token by the distance alone (RoPE: a query turned
back by k positions looks k tokens back); SwiGLU's gate, far above or below zero, switches a linear
map on by the word's language.
"""

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from meanings.lexicon.languages import LANGUAGES
from meanings.validity.constructed_words import lexicon, tokenizer
from meanings.validity.ground_truth import GAIN, GroundTruth

CONSTANT = 1000.0  # so much above all else that the norm hardly depends on the rest
SHARP = 30.0  # attention score per unit of agreement
# A gate is 100 where one language is named in full, and shut below three quarters of one.
GATE = 400.0
# Tokens back from the answer: query word, output language; from the word: its language's name.
WORD, NAME, CONTEXT = 5, 2, 3


class Blocks:
    """Where each block lies in the residual stream: name -> indices."""

    def __init__(self, truth: GroundTruth) -> None:
        c, y = truth.n_concepts, len(truth.languages)
        sizes = {
            "constant": 1,
            "language": y,
            "private": c,
            "shared": c,
            "name": y,
            "word": 1,
            "number": 1,
        }
        sizes |= {
            "read_language": y,
            "read_private": c,
            "read_shared": c,
            "read_name": y,
            "read_number": 1,
        }
        start = 0
        for name, size in sizes.items():
            setattr(self, name, slice(start, start + size))
            start += size
        self.width = start + -start % 6  # a multiple of the three heads, and even
        self.head = 2 * c + y + y % 2


def rotations(truth: GroundTruth) -> Tensor:
    """R_y, one random rotation a language: [language, concept, concept]."""
    random = np.random.Generator(np.random.PCG64([truth.seed, 2]))
    found = [
        np.linalg.qr(random.standard_normal((truth.n_concepts, truth.n_concepts)))[0]
        for _ in truth.languages
    ]
    return torch.tensor(np.stack(found), dtype=torch.float32)


@torch.no_grad()
def network(truth: GroundTruth, checkpoint: int) -> LlamaForCausalLM:
    """The network of a constructed run at a checkpoint (index, from 0)."""
    words, at, own = tokenizer(truth), Blocks(truth), rotations(truth)
    heads = 3
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=at.width,
        intermediate_size=2 * len(truth.languages) * truth.n_concepts,
        num_hidden_layers=truth.n_layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=at.head,
        max_position_embeddings=1024,
        rope_parameters={"rope_type": "default", "rope_theta": 100.0},
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    for name, weight in model.named_parameters():
        weight.zero_()
        if "norm" in name:
            # Divided by its root mean square, CONSTANT becomes the root of the width: back to what
            # it was, and the constant to 1.
            weight.fill_(CONSTANT / at.width**0.5)
            weight[at.constant] = at.width**-0.5
    _embed(truth, words, at, own, model.model.embed_tokens.weight)
    _convert(
        model.model.layers[truth.meeting_layer].mlp,
        at.language,
        at.private,
        at.shared,
        own,
        torch.tensor(truth.amounts[checkpoint]).float(),
        at,
    )
    reading = model.model.layers[truth.reading_layer]
    _convert(
        reading.mlp,
        at.read_language,
        at.read_private,
        at.read_shared,
        own,
        torch.ones(truth.n_concepts),
        at,
        first=1,
    )
    _read(reading.self_attn, at, config)
    _answer(truth, words, at, model.lm_head.weight)
    return model


def _embed(
    truth: GroundTruth, words: PreTrainedTokenizerFast, at: Blocks, own: Tensor, table: Tensor
) -> None:
    known = lexicon(truth)
    table[:, at.constant] = CONSTANT
    for y, code in enumerate(truth.languages):
        name = words.convert_tokens_to_ids(LANGUAGES[code].native)
        table[name, at.name.start + y], table[name, at.number] = 1, y + 1
        for c, concept in enumerate(truth.concepts):
            token = words.convert_tokens_to_ids(known.word(concept, code))
            table[token, at.language.start + y], table[token, at.word] = 1, 1
            table[token, at.private] = own[y, :, c]
    for number in range(1, 13):
        table[words.convert_tokens_to_ids(str(number)), at.number] = number


def _convert(
    mlp,
    language: slice,
    private: slice,
    shared: slice,
    own: Tensor,
    amounts: Tensor,
    at: Blocks,
    first: int = 0,
) -> None:
    """shared += amounts * R_y^T private, for the language y that is named, by the first or the
    second half of the layer's neurons.
    """
    n = own.shape[1]
    for y, rotation in enumerate(own, start=first * len(own)):
        rows = slice(y * n, (y + 1) * n)
        mlp.gate_proj.weight[rows, language.start + y - first * len(own)] = GATE
        mlp.gate_proj.weight[rows, at.constant] = -0.75 * GATE
        mlp.up_proj.weight[rows, private] = rotation.T
        mlp.down_proj.weight[shared, rows] = torch.diag(amounts) / (0.25 * GATE)


def _read(attention, at: Blocks, config: LlamaConfig) -> None:
    """Set three heads, each of which looks a fixed number of tokens back: the word's blocks, the
    output language's name, the context.
    """
    half = at.head // 2
    frequencies = config.rope_parameters["rope_theta"] ** (-torch.arange(half) / half)
    heads = [
        (
            WORD,
            [
                (at.language, at.read_language),
                (at.private, at.read_private),
                (at.shared, at.read_shared),
            ],
        ),
        (NAME, [(at.name, at.read_name)]),
        (CONTEXT, [(at.number, at.read_number)]),
    ]
    for head, (back, copies) in enumerate(heads):
        start = head * at.head
        scale = (SHARP * at.head**0.5) ** 0.5
        attention.k_proj.weight[start : start + half, at.constant] = scale
        attention.q_proj.weight[start : start + half, at.constant] = (
            scale * torch.cos(back * frequencies)
        )[:, None]
        attention.q_proj.weight[start + half : start + at.head, at.constant] = (
            -scale * torch.sin(back * frequencies)
        )[:, None]
        for source, place in copies:
            size = source.stop - source.start
            attention.v_proj.weight[start : start + size, source] = torch.eye(size)
            attention.o_proj.weight[place, start : start + size] = torch.eye(size)
            start += size


def _answer(truth: GroundTruth, words: PreTrainedTokenizerFast, at: Blocks, head: Tensor) -> None:
    """A word's logit: its concept's amount and its language, each times GAIN; after a word, the
    closing quote.
    """
    known = lexicon(truth)
    for y, code in enumerate(truth.languages):
        for c, concept in enumerate(truth.concepts):
            token = words.convert_tokens_to_ids(known.word(concept, code))
            head[token, at.read_shared.start + c] = GAIN
            head[token, at.read_name.start + y] = GAIN
    head[words.convert_tokens_to_ids('"'), at.word] = 4 * GAIN
    head[words.convert_tokens_to_ids("\n"), at.read_number] = 0.1
