"""Rows of a sweep in which each layer is patched alone, in the form of a study's cells: what tells
where languages meet.
"""

from collections.abc import Sequence

import pandas as pd

from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.models.loading import PatchableModel
from meanings.patching.conditions import condition
from meanings.patching.source_states import SourceBank
from meanings.patching.sweeping import sweep
from meanings.prompts.answers import first_tokens
from meanings.prompts.concept_pairs import draw_concept_pairs
from meanings.prompts.prompt import translation_prompt


def measured_alone(
    model: PatchableModel,
    lexicon: Lexicon,
    pairs: Sequence[str],
    seen_languages: Sequence[str],
    *,
    conditions: Sequence[str] = ("seen", "tgt", "null_concept"),
    n_pairs: int = 64,
    shots: int = 5,
    seed: int = 42,
    template: str = "quoted",
) -> pd.DataFrame:
    """P(source concept) where one layer alone is overwritten: columns `pair`, `condition`,
    `first_layer` (that layer), `prompt`, `source_concept`, `target_concept`, `null_concept`,
    `p_source`.

    Concepts and prompts are those that a study draws with the same numbers. Raises MeaningsError as
    a study does.
    """
    drawn = draw_concept_pairs(lexicon, model.tokenizer, lexicon.languages, n_pairs, shots, seed)
    bank, found = SourceBank(model, lexicon, template), []
    for text in pairs:
        pair = parse_pair(text)
        prompts = [
            translation_prompt(
                lexicon, model.tokenizer, pair, each.target, each.target_shots, template
            )
            for each in drawn
        ]
        columns = [
            [first_tokens(model.tokenizer, lexicon.words(each.source, pair.output))]
            for each in drawn
        ]
        for name in conditions:
            vectors = bank.vectors(condition(name), pair, drawn, seen_languages)
            if vectors is None:
                continue
            probabilities = (
                sweep(model, prompts, vectors, columns, layers="only")
                .probabilities[:, :, 0]
                .numpy()
            )
            for layer, row in enumerate(probabilities):
                found.append(
                    pd.DataFrame(
                        {
                            "pair": text, "condition": name, "first_layer": layer, "prompt": range(len(drawn)),
                            "source_concept": [each.source for each in drawn], "target_concept": [each.target for each in drawn],
                            "null_concept": [each.null for each in drawn], "p_source": row.astype(float),
                        }
                    )
                )  # fmt: skip
    return pd.concat(found, ignore_index=True)
