"""Measure the cells of one loaded checkpoint: what is shared between conditions is computed once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from meanings.cells import Cell
from meanings.conditions import CONDITIONS
from meanings.languages import LanguagePair, parse_pair
from meanings.lexicon import Lexicon
from meanings.models import PatchableModel
from meanings.patching import Sweep, sweep_conditions, unpatched
from meanings.prompts import (
    ConceptPair,
    Prompt,
    draw_concept_pairs,
    merged_query_words,
    translation_prompt,
)
from meanings.scoring import answer_word, first_tokens, word_match
from meanings.sources import SourceBank


@dataclass
class Drawn:
    """What depends on the tokenizer and the words, not on the weights: made once for all checkpoints of a run.

    - `pairs`: concept pairs by tokenizer, lexicon, template and the seed's request.
    - `left_out`: concepts whose query word the tokenizer joins with what follows, in some language; no prompt has them.
    - `first`: first tokens by tokenizer, lexicon, concept and language.
    """

    first: dict[tuple, frozenset[int]] = field(default_factory=dict)
    pairs: dict[tuple, list[ConceptPair]] = field(default_factory=dict)
    left_out: dict[tuple, tuple[str, ...]] = field(default_factory=dict)

    def draw(self, model: PatchableModel, lexicon: Lexicon, cell: Cell) -> tuple[list[ConceptPair], tuple[str, ...]]:
        """The concept pairs of `cell`, and the concepts left out."""
        words = (tokenizer_sha256(model), lexicon.sha256, cell.template)
        if words not in self.left_out:
            merged = merged_query_words(lexicon, model.tokenizer, lexicon.languages, cell.template)
            self.left_out[words] = tuple(sorted({concept for concepts in merged.values() for concept in concepts}))
        out = self.left_out[words]
        asked = (*words, cell.n_pairs, cell.shots, cell.prompt_seed)
        if asked not in self.pairs:
            usable = lexicon.restrict(concepts=[c for c in lexicon.concepts if c not in set(out)]) if out else lexicon
            self.pairs[asked] = draw_concept_pairs(usable, model.tokenizer, lexicon.languages, cell.n_pairs, cell.shots, cell.prompt_seed)
        return self.pairs[asked], out


class Measurer:
    """One loaded checkpoint with its source states, which serve all its pairs and conditions."""

    def __init__(self, model: PatchableModel, lexicon: Lexicon, drawn: Drawn) -> None:
        self._model, self._lexicon, self._drawn = model, lexicon, drawn
        self._banks: dict[tuple, SourceBank] = {}
        self._words = (tokenizer_sha256(model), lexicon.sha256)

    def measure(self, cells: Sequence[Cell]) -> dict[str, tuple[pd.DataFrame, dict]]:
        """Rows and provenance by key, for cells that differ in their condition and `generate` only."""
        first = cells[0]
        assert all(replace(cell, condition="", generate=0) == replace(first, condition="", generate=0) for cell in cells)
        pair, seen = parse_pair(first.pair), first.seen_languages
        concept_pairs, left_out = self._drawn.draw(self._model, self._lexicon, first)
        columns = self._columns(concept_pairs)
        targets = self._prompts(pair, concept_pairs, "target", first.template)
        # One bank a prompt seed: its states are of no use to another one's concepts, and would fill the memory.
        asked = (first.prompt_seed, first.n_pairs, first.shots, first.template)
        if asked not in self._banks:
            self._banks = {asked: SourceBank(self._model, self._lexicon, first.template)}
        bank = self._banks[asked]
        sweeps: dict[str, tuple[Sweep, list[Prompt]]] = {}
        # Unpatched target prompts cost hardly anything beside patched ones that share their beginnings.
        on_targets = [cell for cell in cells if (c := CONDITIONS[cell.condition]).patched or c.solved == "target"]
        patched = [cell for cell in on_targets if CONDITIONS[cell.condition].patched]
        bank.prepare([CONDITIONS[cell.condition] for cell in patched], pair, concept_pairs, seen)
        for generate in sorted({cell.generate for cell in on_targets}):
            vectors = {
                cell.key: bank.vectors(CONDITIONS[cell.condition], pair, concept_pairs, seen) for cell in patched if cell.generate == generate
            }
            alone = next((cell.key for cell in on_targets if cell.generate == generate and cell not in patched), "")
            for key, sweep in sweep_conditions(self._model, targets, vectors, columns, generate=generate, unpatched_as=alone).items():
                sweeps[key] = (sweep, targets)
        for cell in cells:
            if cell not in on_targets:
                prompts = self._prompts(pair, concept_pairs, "source", cell.template)
                sweeps[cell.key] = (unpatched(self._model, prompts, columns, generate=cell.generate), prompts)
        provenance = {
            "device": self._model.device.type,
            "n_layers": self._model.n_layers,
            "d_model": self._model.d_model,
            "loaded_weights_sha256": self._model.weights_sha256,
            "tokenizer_sha256": self._words[0],
            "concepts_left_out": list(left_out),
        }
        return {key: (self._rows(sweep, prompts, concept_pairs, pair), provenance) for key, (sweep, prompts) in sweeps.items()}

    def _prompts(self, pair: LanguagePair, concept_pairs: Sequence[ConceptPair], side: str, template: str) -> list[Prompt]:
        return [
            translation_prompt(self._lexicon, self._model.tokenizer, pair, getattr(drawn, side), getattr(drawn, f"{side}_shots"), template)
            for drawn in concept_pairs
        ]

    def _columns(self, concept_pairs: Sequence[ConceptPair]) -> list[list[frozenset[int]]]:
        """First tokens of source, then target concept, in every language of the lexicon."""
        return [
            [self._first_tokens(concept, code) for concept in (drawn.source, drawn.target) for code in self._lexicon.languages]
            for drawn in concept_pairs
        ]

    def _first_tokens(self, concept: str, code: str) -> frozenset[int]:
        asked = (*self._words, concept, code)
        if asked not in self._drawn.first:
            self._drawn.first[asked] = first_tokens(self._model.tokenizer, self._lexicon.words(concept, code))
        return self._drawn.first[asked]

    def _rows(self, sweep: Sweep, prompts: Sequence[Prompt], concept_pairs: Sequence[ConceptPair], pair: LanguagePair) -> pd.DataFrame:
        n_layers, n_prompts = len(sweep.first_layers), len(prompts)
        rows = pd.DataFrame(
            {
                "first_layer": [layer for layer in sweep.first_layers for _ in prompts],
                "prompt": list(range(n_prompts)) * n_layers,
                "query": [self._lexicon.word(prompt.query_concept, pair.input) for prompt in prompts] * n_layers,
                "source_concept": [drawn.source for drawn in concept_pairs] * n_layers,
                "target_concept": [drawn.target for drawn in concept_pairs] * n_layers,
                "null_concept": [drawn.null for drawn in concept_pairs] * n_layers,
                "source_shots": ["|".join(drawn.source_shots) for drawn in concept_pairs] * n_layers,
                "target_shots": ["|".join(drawn.target_shots) for drawn in concept_pairs] * n_layers,
            }
        )
        numbers = sweep.probabilities.reshape(n_layers * n_prompts, -1).numpy()
        names = [
            f"p_{side}" + ("" if code == pair.output else f"_{code}") for side in ("source", "target") for code in self._lexicon.languages
        ]
        found = pd.DataFrame(numbers, columns=names)
        rows = pd.concat([rows, found[sorted(names, key=lambda name: (name.count("_"), names.index(name)))]], axis=1)
        if sweep.answers is None:
            return rows.assign(answer=None, answer_correct_source=None, answer_correct_target=None)
        answers = [answer_word(text) for row in sweep.answers for text in row]
        correct = {
            side: [
                word_match(answer, self._lexicon.words(concept, pair.output))
                for answer, concept in zip(answers, rows[f"{side}_concept"], strict=True)
            ]
            for side in ("source", "target")
        }
        return rows.assign(answer=answers, answer_correct_source=correct["source"], answer_correct_target=correct["target"])


def tokenizer_sha256(model: PatchableModel) -> str:
    """Hash of the tokenizer's full definition, hex."""
    return hashlib.sha256(model.tokenizer.backend_tokenizer.to_str().encode()).hexdigest()
