"""Concept pairs drawn once per tokenizer, lexicon and prompt seed, for all checkpoints of a run."""

from dataclasses import dataclass, field

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.cells import Cell
from meanings.models.loading import PatchableModel
from meanings.prompts.concept_pairs import ConceptPair, draw_concept_pairs
from meanings.prompts.prompt import merged_query_words
from meanings.prompts.shared import SharedPrompts, definition_sha256


@dataclass
class Drawn:
    """What depends on the tokenizer and the words, not on the weights: made once for all
    checkpoints of a run.

    - `pairs`: concept pairs by tokenizer, lexicon, template and the seed's request.
    - `left_out`: concepts whose query word the tokenizer joins with what follows, in some language;
      no prompt has them.
    - `first`: first tokens by tokenizer, lexicon, concept and language.
    """

    first: dict[tuple, frozenset[int]] = field(default_factory=dict)
    pairs: dict[tuple, list[ConceptPair]] = field(default_factory=dict)
    left_out: dict[tuple, tuple[str, ...]] = field(default_factory=dict)

    def draw(
        self,
        model: PatchableModel,
        lexicon: Lexicon,
        cell: Cell,
        prompts: SharedPrompts | None = None,
    ) -> tuple[list[ConceptPair], tuple[str, ...]]:
        """The concept pairs of `cell`, and the concepts left out; of `prompts` where the cell was
        asked with them.

        Raises MeaningsError where these are not the cell's, or the model's tokenizer makes one of
        them ineligible.
        """
        words = (tokenizer_sha256(model), lexicon.sha256, cell.template)
        if cell.prompts_sha256:
            if prompts is None or prompts.sha256 != cell.prompts_sha256:
                raise MeaningsError(
                    f"cell {cell}: asked with a file of prompts ({cell.prompts_sha256[:12]}...) "
                    "that is not given; give the file"
                )
            asked = (*words, cell.prompts_sha256, cell.prompt_seed)
            if asked not in self.pairs:
                prompts.check(model.name, model.tokenizer, lexicon, cell.prompt_seed)
                self.pairs[asked] = list(prompts.draws[cell.prompt_seed])
            return self.pairs[asked][: cell.n_pairs], prompts.left_out
        if words not in self.left_out:
            merged = merged_query_words(lexicon, model.tokenizer, lexicon.languages, cell.template)
            self.left_out[words] = tuple(
                sorted({concept for concepts in merged.values() for concept in concepts})
            )
        out = self.left_out[words]
        asked = (*words, cell.n_pairs, cell.shots, cell.prompt_seed)
        if asked not in self.pairs:
            usable = (
                lexicon.restrict(concepts=[c for c in lexicon.concepts if c not in set(out)])
                if out
                else lexicon
            )
            self.pairs[asked] = draw_concept_pairs(
                usable,
                model.tokenizer,
                lexicon.languages,
                cell.n_pairs,
                cell.shots,
                cell.prompt_seed,
            )
        return self.pairs[asked], out


def tokenizer_sha256(model: PatchableModel) -> str:
    """Hash of the tokenizer's full definition, hex."""
    return definition_sha256(model.tokenizer)
