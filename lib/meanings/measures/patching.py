"""Measure the cells of one loaded checkpoint: what is shared between conditions is computed once."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.cells import Cell
from meanings.models.loading import PatchableModel
from meanings.patching.conditions import condition
from meanings.patching.source_states import SourceBank
from meanings.patching.sweeping import Sweep, sweep_conditions, unpatched
from meanings.patching.word_probability import Words
from meanings.prompts.answers import (
    answer_word,
    closing_tokens,
    first_tokens,
    word_match,
    word_tokens,
)
from meanings.prompts.concept_pairs import ConceptPair
from meanings.prompts.draws import Drawn, tokenizer_sha256
from meanings.prompts.prompt import Prompt, translation_prompt
from meanings.prompts.shared import SharedPrompts


class Measurer:
    """One loaded checkpoint with its source states, which serve all its pairs and conditions.

    - `planned`: all cells that are to be measured of it, those included that are finished: a run
      that goes on where another was killed then computes source states in the same batches, so that
      its numbers are the same to the last bit.
    - `prompts`: concept pairs that models share; drawn where there are none.
    """

    def __init__(
        self,
        model: PatchableModel,
        lexicon: Lexicon,
        drawn: Drawn,
        planned: Sequence[Cell] = (),
        prompts: SharedPrompts | None = None,
    ) -> None:
        self._model, self._lexicon, self._drawn, self._planned, self._shared = (
            model,
            lexicon,
            drawn,
            planned,
            prompts,
        )
        self._banks: dict[tuple, SourceBank] = {}
        self._words = (tokenizer_sha256(model), lexicon.sha256)

    def measure(self, cells: Sequence[Cell]) -> dict[str, tuple[pd.DataFrame, dict]]:
        """Rows and provenance by key, for cells that differ in their condition, `generate` and what
        a condition leaves open of the patch.
        """
        first = cells[0]
        own = {"condition": "", "generate": 0, "layers": "from", "source_pairs": 0}
        assert all(replace(cell, **own) == replace(first, **own) for cell in cells)
        pair, seen = parse_pair(first.pair), first.seen_languages
        concept_pairs, left_out = self._drawn.draw(self._model, self._lexicon, first, self._shared)
        whole_words = first.score == "word"
        columns = (
            self._whole_words(concept_pairs, pair) if whole_words else self._columns(concept_pairs)
        )
        codes = (pair.output,) if whole_words else self._lexicon.languages
        targets = self._prompts(pair, concept_pairs, "target", first.template)
        # One bank a prompt seed: its states are of no use to another one's concepts, and would fill
        # the memory.
        asked = (
            first.prompt_seed,
            first.n_pairs,
            first.shots,
            first.template,
            first.prompts_sha256,
        )
        if asked not in self._banks:
            self._banks = {
                asked: SourceBank(
                    self._model,
                    self._lexicon,
                    first.template,
                    seed=first.prompt_seed,
                    left_out=left_out,
                )
            }
            for cell in self._planned:
                if (
                    cell.prompt_seed,
                    cell.n_pairs,
                    cell.shots,
                    cell.template,
                    cell.prompts_sha256,
                ) == asked and not cell.source_pairs:
                    self._banks[asked].expect(
                        [condition(cell.condition)], parse_pair(cell.pair), cell.seen_languages
                    )
        bank = self._banks[asked]
        sweeps: dict[str, tuple[Sweep, list[Prompt]]] = {}
        # Unpatched target prompts cost hardly anything beside patched ones that share their
        # beginnings.
        on_targets = [
            cell
            for cell in cells
            if (c := condition(cell.condition)).patched or c.solved == "target"
        ]
        patched = [cell for cell in on_targets if condition(cell.condition).patched]
        for count in sorted({cell.source_pairs for cell in patched}):
            bank.prepare(
                [condition(cell.condition) for cell in patched if cell.source_pairs == count],
                pair,
                concept_pairs,
                seen,
                count,
            )
        for generate, layers in sorted({(cell.generate, cell.layers) for cell in on_targets}):
            together = [
                cell for cell in on_targets if (cell.generate, cell.layers) == (generate, layers)
            ]
            vectors = {
                cell.key: bank.vectors(
                    condition(cell.condition), pair, concept_pairs, seen, cell.source_pairs
                )
                for cell in together
                if cell in patched
            }
            alone = next((cell.key for cell in together if cell not in patched), "")
            found = sweep_conditions(
                self._model,
                targets,
                vectors,
                columns,
                layers=layers,
                generate=generate,
                unpatched_as=alone,
            )
            sweeps |= {key: (sweep, targets) for key, sweep in found.items()}
        for cell in cells:
            if cell not in on_targets:
                prompts = self._prompts(pair, concept_pairs, "source", cell.template)
                sweeps[cell.key] = (
                    unpatched(self._model, prompts, columns, generate=cell.generate),
                    prompts,
                )
        provenance = {
            "device": self._model.device.type,
            "n_layers": self._model.n_layers,
            "d_model": self._model.d_model,
            "loaded_weights_sha256": self._model.weights_sha256,
            "tokenizer_sha256": self._words[0],
            "concepts_left_out": list(left_out),
        }
        return {
            key: (self._rows(sweep, prompts, concept_pairs, pair, codes), provenance)
            for key, (sweep, prompts) in sweeps.items()
        }

    def _prompts(
        self, pair: LanguagePair, concept_pairs: Sequence[ConceptPair], side: str, template: str
    ) -> list[Prompt]:
        return [
            translation_prompt(
                self._lexicon,
                self._model.tokenizer,
                pair,
                getattr(drawn, side),
                getattr(drawn, f"{side}_shots"),
                template,
            )
            for drawn in concept_pairs
        ]

    def _columns(self, concept_pairs: Sequence[ConceptPair]) -> list[list[frozenset[int]]]:
        """First tokens of source, then target concept, in every language of the lexicon."""
        return [
            [
                self._first_tokens(concept, code)
                for concept in (drawn.source, drawn.target)
                for code in self._lexicon.languages
            ]
            for drawn in concept_pairs
        ]

    def _whole_words(self, concept_pairs: Sequence[ConceptPair], pair: LanguagePair) -> Words:
        """Accepted words of source, then target concept, in the output language."""
        tokenizer, lexicon = self._model.tokenizer, self._lexicon
        return Words(
            [
                [
                    word_tokens(tokenizer, lexicon.words(concept, pair.output))
                    for concept in (drawn.source, drawn.target)
                ]
                for drawn in concept_pairs
            ],
            closing_tokens(tokenizer),
        )

    def _first_tokens(self, concept: str, code: str) -> frozenset[int]:
        asked = (*self._words, concept, code)
        if asked not in self._drawn.first:
            self._drawn.first[asked] = first_tokens(
                self._model.tokenizer, self._lexicon.words(concept, code)
            )
        return self._drawn.first[asked]

    def _rows(
        self,
        sweep: Sweep,
        prompts: Sequence[Prompt],
        concept_pairs: Sequence[ConceptPair],
        pair: LanguagePair,
        codes: Sequence[str],
    ) -> pd.DataFrame:
        """- `codes`: the languages of the sweep's columns, for either concept."""
        n_layers, n_prompts = len(sweep.first_layers), len(prompts)
        rows = pd.DataFrame(
            {
                "first_layer": [layer for layer in sweep.first_layers for _ in prompts],
                "prompt": list(range(n_prompts)) * n_layers,
                "query": [
                    self._lexicon.word(prompt.query_concept, pair.input) for prompt in prompts
                ]
                * n_layers,
                "source_concept": [drawn.source for drawn in concept_pairs] * n_layers,
                "target_concept": [drawn.target for drawn in concept_pairs] * n_layers,
                "null_concept": [drawn.null for drawn in concept_pairs] * n_layers,
                "source_shots": ["|".join(drawn.source_shots) for drawn in concept_pairs]
                * n_layers,
                "target_shots": ["|".join(drawn.target_shots) for drawn in concept_pairs]
                * n_layers,
            }
        )
        numbers = sweep.probabilities.reshape(n_layers * n_prompts, -1).numpy()
        names = [
            f"p_{side}" + ("" if code == pair.output else f"_{code}")
            for side in ("source", "target")
            for code in codes
        ]
        found = pd.DataFrame(numbers, columns=names)
        rows = pd.concat(
            [rows, found[sorted(names, key=lambda name: (name.count("_"), names.index(name)))]],
            axis=1,
        )
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
        return rows.assign(
            answer=answers,
            answer_correct_source=correct["source"],
            answer_correct_target=correct["target"],
        )
