"""Where a walk through one patch begins: the checkpoint loaded, the concept pair chosen."""

import pandas as pd

from meanings.book.chapter_parameters import Method
from meanings.book.walkthrough.patch import Walkthrough
from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.models.checkpoints import trajectory
from meanings.models.loading import PatchableModel
from meanings.models.trajectories import seen_languages
from meanings.prompts.concept_pairs import ConceptPair, draw_concept_pairs
from meanings.prompts.prompt import Prompt, merged_query_words, translation_prompt


def changed_prompts(cells: pd.DataFrame) -> list[int]:
    """The prompts whose patched answer (`seen`, at the layer where most are) is a word of the
    source concept.
    """
    rows = cells[
        (cells["condition"] == "seen") & cells["answer_correct_source"].fillna(False).astype(bool)
    ]
    if rows.empty:
        return []
    return sorted(
        rows[rows["first_layer"] == rows["first_layer"].value_counts().idxmax()]["prompt"]
    )


def start(page: Method, cells: pd.DataFrame) -> Walkthrough:
    """Load the checkpoint, draw the concept pairs, and write the prompts of the one that is
    followed.

    - `cells`: what was measured of them, which says which pairs the patch changes.

    Raises MeaningsError where the layer or the example does not exist.
    """
    run, lexicon = trajectory(page.model, page.training_seed), load_lexicon(page.lexicon)
    pair = parse_pair(page.pair[0])
    checkpoint = run.last if page.step < 0 else run.at(page.step)
    model = checkpoint.load(way=page.tokenizer)
    if not -1 <= page.first_layer < model.n_layers:
        raise MeaningsError(
            f"first_layer={page.first_layer}: {page.model} has layers 0 to {model.n_layers - 1}"
            "; choose one of these"
        )
    drawn = _concept_pairs(page, lexicon, model)
    if page.example >= len(drawn):
        raise MeaningsError(
            f"example={page.example}: {len(drawn)} concept pairs were drawn, so it runs from 0 to "
            f"{len(drawn) - 1}"
        )
    changed = changed_prompts(cells)
    example = page.example if page.example >= 0 else (changed or [0])[0]
    concepts = drawn[example]

    def prompt(concept: str, shots: tuple[str, ...]) -> Prompt:
        """A prompt of the page's pair and template."""
        return translation_prompt(lexicon, model.tokenizer, pair, concept, shots, page.template)

    return Walkthrough(
        page=page,
        model=model,
        lexicon=lexicon,
        checkpoint=checkpoint,
        seen=seen_languages(run, lexicon),
        pair=pair,
        example=example,
        n_changed=len(changed),
        concepts=concepts,
        source=prompt(concepts.source, concepts.source_shots),
        target=prompt(concepts.target, concepts.target_shots),
    )


def _concept_pairs(page: Method, lexicon: Lexicon, model: PatchableModel) -> list[ConceptPair]:
    """The concept pairs of the page's seed, of words that keep a last token of their own."""
    merged = merged_query_words(lexicon, model.tokenizer, lexicon.languages, page.template)
    left_out = {concept for concepts in merged.values() for concept in concepts}
    usable = lexicon.restrict(
        concepts=[concept for concept in lexicon.concepts if concept not in left_out]
    )
    return draw_concept_pairs(
        usable, model.tokenizer, lexicon.languages, page.n_pairs, page.shots, page.prompt_seed
    )
