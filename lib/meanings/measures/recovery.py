"""Whether patching can see how a model translates: which way the query word takes to the answer.

A patch overwrites the outputs of the decoder layers at the query word's last token. What the answer
reads elsewhere passes it by: the word's other tokens, and the embedding of the last one, which the
first layer reads before anything is overwritten. A model that translates by such a way shows no
effect of any patch, whatever it shares between languages. So one prompt is turned into another step
by step, with the states of that other prompt itself, same languages and same solved lines:

    target     the target concept is asked for                                      P(source) = where all starts
    layers     ... and every layer's output at the word's last token is the source word's
    embedding  ... and the embedding under it too
    asked      the whole word: the source concept is asked for                      P(source) = the ceiling

    reach = (layers - target) / (asked - target)

Where reach is low, a low P(source) after patching in other languages' mean (`seen`) says nothing
about a shared space.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.models.loading import PatchableModel
from meanings.patching.conditions import condition
from meanings.patching.query_states import hidden_states
from meanings.patching.source_states import SourceBank
from meanings.patching.sweeping import sweep, unpatched
from meanings.prompts.answers import first_tokens
from meanings.prompts.concept_pairs import draw_concept_pairs
from meanings.prompts.prompt import Prompt, merged_query_words, translation_prompt

STEPS = ("target", "layers", "embedding", "asked")
ENOUGH = 0.5  # of the way from target to asked that must pass through what is patched
TRANSLATES = (
    0.05  # probability of the right word below which there is nothing that a patch could move
)


def reach(
    model: PatchableModel,
    lexicon: Lexicon,
    pair: LanguagePair,
    seen_languages: Collection[str],
    *,
    n_pairs: int = 64,
    shots: int = 5,
    prompt_seed: int = 42,
    template: str = "quoted",
) -> pd.DataFrame:
    """P(source concept in the output language) on every step from the target prompt to the source
    word in its place.

    One row a concept pair: `pair`, `source_concept`, `target_concept`, the four steps, and beside
    them `seen` and `null_concept`, patched in from the first layer on, both NaN where the pair has
    no other seen languages.

    Raises MeaningsError where the lexicon has too few concepts.
    """
    merged = {
        c
        for concepts in merged_query_words(
            lexicon, model.tokenizer, lexicon.languages, template
        ).values()
        for c in concepts
    }
    usable = lexicon.restrict(concepts=[c for c in lexicon.concepts if c not in merged])
    drawn = draw_concept_pairs(
        usable, model.tokenizer, lexicon.languages, n_pairs, shots, prompt_seed
    )

    def prompts(side: str) -> list[Prompt]:
        return [
            translation_prompt(
                lexicon, model.tokenizer, pair, getattr(each, side), each.target_shots, template
            )
            for each in drawn
        ]

    targets, asked = prompts("target"), prompts("source")
    columns = [
        [first_tokens(model.tokenizer, lexicon.words(each.source, pair.output))] for each in drawn
    ]
    states = hidden_states(model, asked)

    def patched(
        into: Sequence[Prompt], vectors: Float[Tensor, "layer prompt d_model"]
    ) -> list[float]:
        return (
            sweep(model, into, vectors, columns, first_layers=[0]).probabilities[0, :, 0].tolist()
        )

    found = {
        "pair": str(pair),
        "source_concept": [each.source for each in drawn],
        "target_concept": [each.target for each in drawn],
        "target": unpatched(model, targets, columns).probabilities[0, :, 0].tolist(),
        "layers": patched(targets, states),
        "embedding": patched(
            [with_last_token(target, other) for target, other in zip(targets, asked, strict=True)],
            states,
        ),
        "asked": unpatched(model, asked, columns).probabilities[0, :, 0].tolist(),
    }
    bank = SourceBank(model, lexicon, template)
    for name in ("seen", "null_concept"):
        vectors = bank.vectors(condition(name), pair, drawn, seen_languages)
        found[name] = float("nan") if vectors is None else patched(targets, vectors)
    return pd.DataFrame(found)


def with_last_token(prompt: Prompt, other: Prompt) -> Prompt:
    """The prompt with the other one's token at its query word's end: its embedding there is the
    other's.
    """
    ids = list(prompt.token_ids)
    ids[prompt.query_position] = other.token_ids[other.query_position]
    return replace(prompt, token_ids=tuple(ids))


def shares(rows: pd.DataFrame) -> dict[str, float]:
    """How much of the way from `target` to `asked` each step goes, 0 to 1, of the means over
    concepts; NaN where there is no way.
    """
    means = rows[[*STEPS, "seen", "null_concept"]].mean()
    way = means["asked"] - means["target"]
    return {
        name: float((means[name] - means["target"]) / way) if way > 0 else float("nan")
        for name in ("layers", "embedding", "seen", "null_concept")
    }


def verdict(rows: pd.DataFrame) -> str:
    """What patching can say about the model in this pair: one of five sentences."""
    if rows["asked"].mean() - rows["target"].mean() < TRANSLATES:
        return "it does not translate here: there is nothing that a patch could move"
    part = shares(rows)
    if part["layers"] < ENOUGH:
        way = (
            "the embedding of the word's last token"
            if part["embedding"] >= ENOUGH
            else "the word's other tokens"
        )
        return f"the method cannot see here: most of the answer is read from {way}, which a patch of the layers does not touch"
    if pd.isna(part["seen"]):
        return "the method can see here, but the pair has no other seen languages to take a concept from"
    if part["seen"] < ENOUGH * part["layers"]:
        return "no shared space: the method can see here, and other languages' mean moves less than half of what the word itself moves"
    return (
        "a shared space: other languages' mean moves more than half of what the word itself moves"
    )


@torch.no_grad()
def attention_to_query(
    model: PatchableModel, prompts: Sequence[Prompt]
) -> Float[Tensor, "layer head"]:
    """Mean attention of the prompt's last position to its query word's last token, by layer and
    head, 0 to 1.
    """
    before = model.network.config._attn_implementation
    model.network.set_attn_implementation("eager")  # the other kernels do not tell their weights
    try:
        total = 0
        for prompt in prompts:
            ids = torch.tensor([prompt.token_ids], device=model.device)
            maps = model.network(input_ids=ids, output_attentions=True, use_cache=False).attentions
            total = total + torch.stack(
                [layer[0, :, -1, prompt.query_position].float().cpu() for layer in maps]
            )
    finally:
        model.network.set_attn_implementation(before)
    return total / len(prompts)


ATTENDING = 16  # prompts over which attention is averaged


def attending(model: PatchableModel, lexicon: Lexicon, pair: str):
    """Attention of the answer's position to the query word, by layer and head, over a few prompts."""
    merged = {
        c
        for concepts in merged_query_words(lexicon, model.tokenizer, lexicon.languages).values()
        for c in concepts
    }
    usable = lexicon.restrict(concepts=[c for c in lexicon.concepts if c not in merged])
    drawn = draw_concept_pairs(usable, model.tokenizer, lexicon.languages, ATTENDING, 5, 42)
    return attention_to_query(
        model,
        [
            translation_prompt(lexicon, model.tokenizer, parse_pair(pair), d.source, d.target_shots)
            for d in drawn
        ],
    )
