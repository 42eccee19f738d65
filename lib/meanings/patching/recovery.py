"""How much of a translation a patch can recover: one prompt turned into another step by step.

The steps are explained in `meanings.measures.recovery`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from meanings.core.status_line import Report, unreported
from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.models.loading import PatchableModel
from meanings.patching.conditions import condition
from meanings.patching.query_states import hidden_states
from meanings.patching.source_states import SourceBank
from meanings.patching.sweeping import sweep, unpatched
from meanings.prompts.answers import first_tokens
from meanings.prompts.concept_pair import ConceptPair
from meanings.prompts.draws import ConceptPairDraws
from meanings.prompts.prompt import Prompt, translation_prompt

ATTENTION_PROMPTS = 16  # prompts over which attention is averaged


def recovery(
    model: PatchableModel,
    lexicon: Lexicon,
    pair: LanguagePair,
    seen_languages: Collection[str],
    *,
    n_pairs: int = 64,
    shots: int = 5,
    prompt_seed: int = 42,
    template: str = "quoted",
    report: Report = unreported,
) -> pd.DataFrame:
    """P(source concept in the output language) on every step from the target prompt to the source
    word in its place.

    One row per concept pair: `pair`, `source_concept`, `target_concept`, the four steps, and beside
    them `seen` and `null_concept`, patched in from the first layer on, both NaN where the pair has
    no other seen languages.

    - `report`: is told what is being computed.

    Raises MeaningsError where the lexicon has too few concepts.
    """
    report("drawing prompts", 0, 0)
    concept_pairs = _drawn(model, lexicon, n_pairs, shots, prompt_seed, template)

    def prompts(concepts: Sequence[str]) -> list[Prompt]:
        return [
            translation_prompt(lexicon, model.tokenizer, pair, concept, each.target_shots, template)
            for concept, each in zip(concepts, concept_pairs, strict=True)
        ]

    targets = prompts([each.target for each in concept_pairs])
    asked = prompts([each.source for each in concept_pairs])
    words = [lexicon.words(each.source, pair.output) for each in concept_pairs]
    columns = [[first_tokens(model.tokenizer, accepted)] for accepted in words]
    report("patching the source word in", 0, 0)
    states = hidden_states(model, asked)

    def patched(
        into: Sequence[Prompt], vectors: Float[Tensor, "layer prompt d_model"]
    ) -> list[float]:
        found = sweep(model, into, vectors, columns, first_layers=[0])
        return found.probabilities[0, :, 0].tolist()

    beside = [with_last_token(target, other) for target, other in zip(targets, asked, strict=True)]
    found = {
        "pair": str(pair),
        "source_concept": [each.source for each in concept_pairs],
        "target_concept": [each.target for each in concept_pairs],
        "target": unpatched(model, targets, columns).probabilities[0, :, 0].tolist(),
        "layers": patched(targets, states),
        "embedding": patched(beside, states),
        "asked": unpatched(model, asked, columns).probabilities[0, :, 0].tolist(),
    }
    bank = SourceBank(model, lexicon, template, report=report)
    for name in ("seen", "null_concept"):
        vectors = bank.vectors(condition(name), pair, concept_pairs, seen_languages)
        found[name] = float("nan") if vectors is None else patched(targets, vectors)
    return pd.DataFrame(found)


def with_last_token(prompt: Prompt, other: Prompt) -> Prompt:
    """The prompt with the other one's token at its query word's end: its embedding there is the
    other's.
    """
    ids = list(prompt.token_ids)
    ids[prompt.query_position] = other.token_ids[other.query_position]
    return replace(prompt, token_ids=tuple(ids))


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


def query_attention(
    model: PatchableModel, lexicon: Lexicon, pair: str
) -> Float[Tensor, "layer head"]:
    """Attention from the answer's position to the query word over a few prompts."""
    concept_pairs = _drawn(model, lexicon, ATTENTION_PROMPTS, 5, 42, "quoted")
    return attention_to_query(
        model,
        [
            translation_prompt(lexicon, model.tokenizer, parse_pair(pair), d.source, d.target_shots)
            for d in concept_pairs
        ],
    )


def _drawn(
    model: PatchableModel, lexicon: Lexicon, n_pairs: int, shots: int, seed: int, template: str
) -> list[ConceptPair]:
    """Concept pairs as a study draws them."""
    request = _Draw(seed, n_pairs, shots, template)
    return ConceptPairDraws().draw(model, lexicon, request)[0]


@dataclass(frozen=True)
class _Draw:
    prompt_seed: int
    n_pairs: int
    shots: int
    template: str
    prompts_sha256: str = ""
