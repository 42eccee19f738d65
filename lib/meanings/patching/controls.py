"""Controls of a patch: vectors that must say another concept, none, or the same in another order.

    seen            mean over other language pairs, the vector that is controlled
    null_concept    the same of a third concept: it must say its own concept, and not the source
    null_category   the same of a concept of the source's category
    random          directions drawn at random, as long as `seen` at every layer
    reversed        `seen` with its layers in reversed order: layer l gets the vector of layer n-1-l

The nulls are read twice: the source concept must stay improbable, and the null's own concept must
become probable (positive control: the patch works, and it is the concept that decides).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from meanings.core.errors import MeaningsError
from meanings.core.status_line import Report, unreported
from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon
from meanings.models.loading import PatchableModel
from meanings.patching.conditions import condition
from meanings.patching.source_states import SourceBank
from meanings.patching.sweeping import sweep_conditions
from meanings.prompts.answers import first_tokens
from meanings.prompts.concept_pair import ConceptPair
from meanings.prompts.concept_pairs import disjoint_concepts
from meanings.prompts.draws import ConceptPairDraws
from meanings.prompts.prompt import translation_prompt
from meanings.prompts.seeded import SeededDraws

Vectors = Float[Tensor, "layer prompt d_model"]
CONTROLS = ("seen", "null_concept", "null_category", "random", "reversed")


@dataclass(frozen=True)
class Draw:
    """What decides which concept pairs are drawn, as a study's grid says it."""

    prompt_seed: int = 42
    n_pairs: int = 64
    shots: int = 5
    template: str = "quoted"
    prompts_sha256: str = ""


DEFAULT_DRAW = Draw()


def measure_controls(
    model: PatchableModel,
    lexicon: Lexicon,
    pairs: Sequence[LanguagePair],
    seen_languages: Collection[str],
    draw: Draw = DEFAULT_DRAW,
    report: Report = unreported,
) -> pd.DataFrame:
    """P(source concept) and P(the vector's own concept) under every control and first layer.

    Columns: `pair`, `condition` (of `CONTROLS`), `first_layer`, `source_concept`, `own_concept`,
    `p_source`, `p_own` (NaN under `random`, whose vector is of no concept). A concept pair without
    another concept of the source's category has no row under `null_category`.

    - `report`: is told what is being computed.

    Raises MeaningsError where the lexicon has too few concepts, or a pair has no other seen
    languages.
    """
    drawn, _ = ConceptPairDraws().draw(model, lexicon, draw)
    relatives = same_category(model, lexicon, drawn, draw.prompt_seed)
    bank = SourceBank(model, lexicon, draw.template, report=report)
    parts = []
    for place, pair in enumerate(pairs):
        report("controls", place, len(pairs))
        vectors = control_vectors(bank, pair, drawn, relatives, seen_languages, draw.prompt_seed)
        parts.append(_measured(model, lexicon, pair, draw, drawn, relatives, vectors))
    return pd.concat(parts, ignore_index=True)


def same_category(
    model: PatchableModel, lexicon: Lexicon, drawn: Sequence[ConceptPair], seed: int
) -> list[ConceptPair]:
    """The concept pairs with a null concept of the source's category.

    It shares no first token with source or target in any language and stands in none of the
    few-shot examples; where there is none, the null is the source concept itself.
    """
    draws = SeededDraws(seed)
    concepts = tuple(sorted(lexicon.concepts))
    at = {concept: place for place, concept in enumerate(concepts)}
    disjoint = disjoint_concepts(lexicon, model.tokenizer, concepts, sorted(lexicon.languages))
    found = []
    for each in drawn:
        apart = disjoint[at[each.source]] & disjoint[at[each.target]]
        alike = [
            concept
            for concept in concepts
            if lexicon.categories.get(concept) == lexicon.categories.get(each.source)
            and apart[at[concept]]
            and concept not in (each.source, *each.source_shots, *each.target_shots)
        ]
        found.append(replace(each, null=draws.choice(alike) if alike else each.source))
    return found


def control_vectors(
    bank: SourceBank,
    pair: LanguagePair,
    drawn: Sequence[ConceptPair],
    relatives: Sequence[ConceptPair],
    seen_languages: Collection[str],
    seed: int,
) -> dict[str, Vectors]:
    """The vectors of every control for one language pair.

    Raises MeaningsError where the pair has no other seen languages.
    """
    seen, null = condition("seen"), condition("null_concept")
    vectors = bank.vectors(seen, pair, drawn, seen_languages)
    if vectors is None:
        raise MeaningsError(
            f"pair {str(pair)!r} has no other seen languages to average over; choose another pair"
        )
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(vectors.shape, generator=generator)
    return {
        "seen": vectors,
        "null_concept": bank.vectors(null, pair, drawn, seen_languages),
        "null_category": bank.vectors(null, pair, relatives, seen_languages),
        "random": noise * (vectors.norm(dim=-1) / noise.norm(dim=-1))[..., None],
        "reversed": vectors.flip(0),
    }


def _measured(
    model: PatchableModel,
    lexicon: Lexicon,
    pair: LanguagePair,
    draw: Draw,
    drawn: Sequence[ConceptPair],
    relatives: Sequence[ConceptPair],
    vectors: dict[str, Vectors],
) -> pd.DataFrame:
    """Rows of one language pair."""
    targets = [
        translation_prompt(
            lexicon, model.tokenizer, pair, each.target, each.target_shots, draw.template
        )
        for each in drawn
    ]
    sources = [each.source for each in drawn]
    own = dict.fromkeys(vectors, sources) | {
        "null_concept": [each.null for each in drawn],
        "null_category": [each.null for each in relatives],
    }
    columns = [
        [
            first_tokens(model.tokenizer, lexicon.words(concept, pair.output))
            for concept in (source, null, relative)
        ]
        for source, null, relative in zip(
            sources, own["null_concept"], own["null_category"], strict=True
        )
    ]
    column = {"null_concept": 1, "null_category": 2}
    parts = []
    for name, found in sweep_conditions(model, targets, vectors, columns).items():
        p = found.probabilities.numpy()
        rows = pd.DataFrame(
            {
                "pair": str(pair),
                "condition": name,
                "first_layer": [layer for layer in found.first_layers for _ in targets],
                "source_concept": sources * len(found.first_layers),
                "own_concept": own[name] * len(found.first_layers),
                "p_source": p[..., 0].ravel(),
                "p_own": p[..., column.get(name, 0)].ravel(),
            }
        )
        if name == "null_category":
            rows = rows[rows["own_concept"] != rows["source_concept"]]
        parts.append(rows.assign(p_own=float("nan"), own_concept="") if name == "random" else rows)
    return pd.concat(parts, ignore_index=True)
