"""One loaded checkpoint, patched: what language pairs and conditions share is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import pandas as pd

from meanings.core.status_line import Report, unreported
from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon
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
from meanings.prompts.concept_pair import ConceptPair
from meanings.prompts.draws import ConceptPairDraws, tokenizer_sha256
from meanings.prompts.prompt import Prompt, PromptWriter
from meanings.prompts.shared import SharedPrompts

Role = Literal["source", "target"]


@runtime_checkable
class PatchRequest(Protocol):
    """What is asked of a checkpoint: see `meanings.measures.patching.Request`."""

    pair: LanguagePair
    condition: str
    prompt_seed: int
    n_pairs: int
    shots: int
    template: str
    generate: int
    seen_languages: tuple[str, ...]
    score: str
    prompts_sha256: str
    layers: str
    source_pairs: int
    first_layers: str


class PatchedCheckpoint:
    """A loaded checkpoint with its source states, which serve all language pairs and conditions.

    - `draws`: concept pairs and first tokens, kept for all checkpoints of a run.
    - `planned`: all requests to the checkpoint, finished ones too: a resumed run then computes
      source states in the same batches, so that its numbers are the same to the last bit.
    - `prompts`: concept pairs that models share; drawn where there are none.
    - `report`: is told what is being computed.
    """

    def __init__(
        self,
        model: PatchableModel,
        lexicon: Lexicon,
        draws: ConceptPairDraws,
        planned: Sequence[PatchRequest] = (),
        prompts: SharedPrompts | None = None,
        report: Report = unreported,
    ) -> None:
        self._model, self._lexicon, self._draws = model, lexicon, draws
        self._planned, self._prompts, self._report = planned, prompts, report
        self._banks: dict[tuple, SourceBank] = {}
        self._writers: dict[str, PromptWriter] = {}
        self._words = (tokenizer_sha256(model), lexicon.sha256)

    def measure(
        self, requests: Sequence[PatchRequest]
    ) -> dict[PatchRequest, tuple[pd.DataFrame, tuple[str, ...]]]:
        """Rows of each request, and the concepts that the tokenizer rules out.

        The requests differ in condition, `source_pairs` and `_way` only.
        """
        first = requests[0]
        assert len({(r.pair, r.score, r.seen_languages, *_prompts_of(r)) for r in requests}) == 1
        self._report("drawing prompts", 0, 0)
        concept_pairs, left_out = self._draws.draw(self._model, self._lexicon, first, self._prompts)
        bank = self._bank(first, left_out)
        targets = self.prompts(first.pair, concept_pairs, "target", first.template)
        columns, codes = self._scored(first, concept_pairs)
        found = {}
        # Unpatched target prompts cost hardly anything beside patched ones that share their
        # beginnings.
        on_targets = [
            r for r in requests if _patched(r) or condition(r.condition).solved == "target"
        ]
        self._prepare(bank, [r for r in on_targets if _patched(r)], concept_pairs)
        self._report(f"patching {first.pair}, prompt seed {first.prompt_seed}", 0, 0)
        for way in sorted({_way(r) for r in on_targets}):
            group = [r for r in on_targets if _way(r) == way]
            sweeps = self._sweep(bank, group, concept_pairs, targets, columns)
            found |= {request: (sweep, targets) for request, sweep in sweeps.items()}
        for request in (r for r in requests if r not in on_targets):
            sources = self.prompts(first.pair, concept_pairs, "source", first.template)
            sweep = unpatched(self._model, sources, columns, generate=request.generate)
            found[request] = sweep, sources
        return {
            request: (self._rows(sweep, prompts, concept_pairs, first.pair, codes), left_out)
            for request, (sweep, prompts) in found.items()
        }

    def _bank(self, request: PatchRequest, left_out: Sequence[str]) -> SourceBank:
        """The source states for the request's prompts. Those of one draw are of no use to another
        one's concepts and would fill the memory, so only one bank is kept.
        """
        drawn = _prompts_of(request)
        if drawn not in self._banks:
            bank = SourceBank(
                self._model,
                self._lexicon,
                request.template,
                seed=request.prompt_seed,
                left_out=left_out,
                writer=self._writer(request.template),
                report=self._report,
            )
            for other in self._planned:
                if _prompts_of(other) == drawn and not other.source_pairs:
                    bank.expect([condition(other.condition)], other.pair, other.seen_languages)
            self._banks = {drawn: bank}
        return self._banks[drawn]

    def _prepare(
        self, bank: SourceBank, requests: Sequence[PatchRequest], concept_pairs: list[ConceptPair]
    ) -> None:
        """Compute the source states of all requests before the first sweep."""
        for count in sorted({r.source_pairs for r in requests}):
            group = [r for r in requests if r.source_pairs == count]
            conditions = [condition(r.condition) for r in group]
            pair, seen = group[0].pair, group[0].seen_languages
            bank.prepare(conditions, pair, concept_pairs, seen, count)

    def _sweep(
        self,
        bank: SourceBank,
        requests: Sequence[PatchRequest],
        concept_pairs: list[ConceptPair],
        targets: list[Prompt],
        columns: list[list[frozenset[int]]] | Words,
    ) -> dict[PatchRequest, Sweep]:
        """Sweeps of requests that share `_way`, unpatched targets among them."""
        vectors = {
            str(i): bank.vectors(
                condition(r.condition), r.pair, concept_pairs, r.seen_languages, r.source_pairs
            )
            for i, r in enumerate(requests)
            if _patched(r)
        }
        alone = next((str(i) for i, r in enumerate(requests) if not _patched(r)), "")
        sweeps = sweep_conditions(
            self._model,
            targets,
            vectors,
            columns,
            first_layers=tuple(map(int, requests[0].first_layers.split())) or "all",
            layers=requests[0].layers,
            generate=requests[0].generate,
            unpatched_as=alone,
        )
        return {requests[int(i)]: sweep for i, sweep in sweeps.items()}

    def prompts(
        self, pair: LanguagePair, concept_pairs: Sequence[ConceptPair], role: Role, template: str
    ) -> list[Prompt]:
        """Each concept pair's source or target prompt."""
        writer = self._writer(template)
        return [
            writer.prompt(pair, getattr(concepts, role), getattr(concepts, f"{role}_shots"))
            for concepts in concept_pairs
        ]

    def _writer(self, template: str) -> PromptWriter:
        if template not in self._writers:
            self._writers[template] = self._draws.writer(self._model, self._lexicon, template)
        return self._writers[template]

    def _scored(
        self, request: PatchRequest, concept_pairs: Sequence[ConceptPair]
    ) -> tuple[list[list[frozenset[int]]] | Words, tuple[str, ...]]:
        """What is scored after each prompt, and the languages of these columns."""
        if request.score == "word":
            return self._whole_words(concept_pairs, request.pair), (request.pair.output,)
        return self.first_token_columns(concept_pairs), self._lexicon.languages

    def first_token_columns(
        self, concept_pairs: Sequence[ConceptPair]
    ) -> list[list[frozenset[int]]]:
        """First tokens of source, then target concept, in every language of the lexicon."""
        return [
            [
                self._first_tokens(concept, code)
                for concept in (concepts.source, concepts.target)
                for code in self._lexicon.languages
            ]
            for concepts in concept_pairs
        ]

    def _whole_words(self, concept_pairs: Sequence[ConceptPair], pair: LanguagePair) -> Words:
        """Accepted words of source, then target concept, in the output language."""
        tokenizer, lexicon = self._model.tokenizer, self._lexicon
        return Words(
            [
                [
                    word_tokens(tokenizer, lexicon.words(concept, pair.output))
                    for concept in (concepts.source, concepts.target)
                ]
                for concepts in concept_pairs
            ],
            closing_tokens(tokenizer),
        )

    def _first_tokens(self, concept: str, code: str) -> frozenset[int]:
        place = (*self._words, concept, code)
        if place not in self._draws.first:
            words = self._lexicon.words(concept, code)
            self._draws.first[place] = first_tokens(self._model.tokenizer, words)
        return self._draws.first[place]

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
        by_prompt = {
            "prompt": range(n_prompts),
            "query": [self._lexicon.word(prompt.query_concept, pair.input) for prompt in prompts],
            "source_concept": [concepts.source for concepts in concept_pairs],
            "target_concept": [concepts.target for concepts in concept_pairs],
            "null_concept": [concepts.null for concepts in concept_pairs],
            "source_shots": ["|".join(concepts.source_shots) for concepts in concept_pairs],
            "target_shots": ["|".join(concepts.target_shots) for concepts in concept_pairs],
        }
        layers = [layer for layer in sweep.first_layers for _ in prompts]
        rows = pd.DataFrame(
            {"first_layer": layers}
            | {name: list(values) * n_layers for name, values in by_prompt.items()}
        )
        numbers = sweep.probabilities.reshape(n_layers * n_prompts, -1).numpy()
        names = [
            f"p_{role}" + ("" if code == pair.output else f"_{code}")
            for role in ("source", "target")
            for code in codes
        ]
        order = sorted(names, key=lambda name: (name.count("_"), names.index(name)))
        rows = pd.concat([rows, pd.DataFrame(numbers, columns=names)[order]], axis=1)
        if sweep.answers is None:
            return rows.assign(answer=None, answer_correct_source=None, answer_correct_target=None)
        answers = [answer_word(text) for row in sweep.answers for text in row]
        correct = {
            f"answer_correct_{role}": [
                word_match(answer, self._lexicon.words(concept, pair.output))
                for answer, concept in zip(answers, rows[f"{role}_concept"], strict=True)
            ]
            for role in ("source", "target")
        }
        return rows.assign(answer=answers, **correct)


def _patched(request: PatchRequest) -> bool:
    return condition(request.condition).patched


def _way(request: PatchRequest) -> tuple[int, str, str]:
    """What requests have in common that are swept together."""
    return request.generate, request.layers, request.first_layers


def _prompts_of(request: PatchRequest) -> tuple:
    """What decides which concept pairs and source prompts there are."""
    return (
        request.prompt_seed,
        request.n_pairs,
        request.shots,
        request.template,
        request.prompts_sha256,
    )
