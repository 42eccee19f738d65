"""Patching: how probable the source concept becomes when its vector overwrites the target's states.

One cell is one language pair under one condition: rows of every first patched layer and concept
pair. Cells of one pair and prompt seed are measured together.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BeforeValidator, Field, InstanceOf, PlainSerializer

from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.measures import base
from meanings.measures.base import About, Data, Measure, Measurement, Moment, Shared, column
from meanings.measures.patching_settings import CheckedPatching, PatchingSettings, check_settings
from meanings.measures.timing import Estimate, Spent
from meanings.models.trajectories import Trajectory
from meanings.patching.conditions import Condition, condition

Pair = Annotated[
    InstanceOf[LanguagePair],
    BeforeValidator(lambda value: parse_pair(value) if isinstance(value, str) else value),
    PlainSerializer(str),
]


class Request(base.Request):
    """What a patched cell asks: prompts, condition and score."""

    later = frozenset({"prompts_sha256", "layers", "source_pairs", "first_layers"})

    pair: Pair = Field(description="language pair of the target prompts, input-output")
    condition: str = Field(description="source of the concept vector")
    prompt_seed: int = Field(description="seed that draws concept pairs and few-shot examples")
    n_pairs: int = Field(description="concept pairs")
    shots: int = Field(description="few-shot examples per prompt")
    template: str = Field(description="how a line of the prompt is written")
    generate: int = Field(description="tokens generated greedily after each prompt, 0 for none")
    seen_languages: tuple[str, ...] = Field(
        description="the model's, from which conditions take their source language pairs"
    )
    patched_tokens: str = Field("last", description="which tokens of the query word are patched")
    score: str = Field(
        "first_token",
        description="first_token, or word: the probability of the whole word and its closing quote",
    )
    prompts_sha256: str = Field(
        "", description="hash of the file of prompts, empty where prompts were drawn"
    )
    layers: str = Field(
        "from",
        description="from: the first layer and all later ones are overwritten; only: that layer "
        "alone",
    )
    source_pairs: int = Field(0, description="source prompts in the mean, 0 for all")
    first_layers: str = Field(
        "", description="first patched layers with spaces between them, empty for all"
    )

    def __str__(self) -> str:
        return f"{self.pair} {self.condition} prompts {self.prompt_seed}"


SHOTS = ("source_shots", "target_shots")
# Fields that came later, with the value that means "as before".
LATER: dict[str, Any] = {
    name: field.default for name, field in Request.model_fields.items() if name in Request.later
}


def _probability(name: str, description: str, optional: bool = False) -> pa.Field:
    return column(name, pa.float32(), description, low=0, high=1, optional=optional)


_ELSEWHERE = "probability of the {} concept in another language"
_RIGHT = "whether the answer is an accepted word of the {} concept, or null"
_LINES = "concepts of the {} prompt's few-shot examples, joined by |"
COLUMNS = pa.schema(
    [
        column(
            "first_layer",
            pa.int16(),
            "first patched layer, or the only one where `layers` is only; from 0, -1 = nothing is "
            "patched",
        ),
        column("prompt", pa.int32(), "number of the concept pair, from 0"),
        column("query", pa.string(), "query word"),
        column("source_concept", pa.string(), "concept whose vector is taken"),
        column("target_concept", pa.string(), "concept that the target prompt asks for"),
        column("null_concept", pa.string(), "concept of the wrong-concept null"),
        _probability("p_source", "probability of the source concept in the output language"),
        _probability("p_target", "probability of the target concept in the output language"),
        _probability("p_source_*", _ELSEWHERE.format("source"), optional=True),
        _probability("p_target_*", _ELSEWHERE.format("target"), optional=True),
        column("answer", pa.string(), "generated text up to the closing quote, or null"),
        column("answer_correct_source", pa.bool_(), _RIGHT.format("source")),
        column("answer_correct_target", pa.bool_(), _RIGHT.format("target")),
        column("source_shots", pa.string(), _LINES.format("source"), optional=True),
        column("target_shots", pa.string(), _LINES.format("target"), optional=True),
    ]
)


class Patching(Measure):
    """Concept vectors patched into few-shot translation prompts."""

    name = "patching"
    about = About(
        paper="arXiv 2601.22851",
        sees="a concept read in other languages makes the model say it",
        blind="what the query word's embedding carries past the layers",
        needs="prompts of few-shot translations",
        cost="prompts x layers x conditions x pairs of languages: `meanings study --dry-run` says",
    )
    version = 1
    Request = Request
    Settings = PatchingSettings
    columns = COLUMNS
    unit = "source_concept"

    @property
    def place(self) -> tuple[str, ...]:
        """See `Measure.place`; cells that differ in `generate` alone share a place."""
        first = ("model", "training_seed", "step", "prompt_seed", "pair", "condition")
        return *first, "lexicon", "template", "shots", "n_pairs", "score", *LATER

    def check(
        self, settings: PatchingSettings, lexicon: Lexicon, trajectories: Sequence[Trajectory]
    ) -> CheckedPatching:
        """See `check_settings`."""
        return check_settings(settings, lexicon, trajectories)

    def plan(self, checked: CheckedPatching, moment: Moment) -> Iterable[Request]:
        """By prompt seed and language pair, the conditions that are defined for it."""
        settings, prompts = checked.settings, checked.data.prompts
        for prompt_seed in settings.prompt_seeds:
            for pair in checked.pairs:
                for each in checked.conditions:
                    if not each.source_pairs(pair, moment.seen_languages):
                        continue
                    yield Request(
                        pair=pair,
                        condition=each.name,
                        prompt_seed=prompt_seed,
                        n_pairs=settings.n_pairs,
                        shots=settings.shots,
                        template=settings.template,
                        generate=_generated(settings, each, moment.is_last),
                        seen_languages=moment.seen_languages,
                        score=settings.score,
                        prompts_sha256=prompts.sha256 if prompts else "",
                        **_of_patch(settings, each, pair, moment.seen_languages),
                    )

    def together(self, request: Request) -> Hashable:
        """Prompt seed and language pair."""
        return request.prompt_seed, request.pair

    def measure(
        self, model: Any, data: Data, requests: Sequence[Request], shared: Shared
    ) -> Mapping[Request, Measurement]:
        """Rows as in `COLUMNS`; the provenance names the concepts that the tokenizer rules out."""
        patched = shared.checkpoint.get(self.name)
        if patched is None:
            patched = shared.checkpoint[self.name] = self._start(model, data, shared)
        return {
            request: Measurement(rows, {"concepts_left_out": list(left_out)})
            for request, (rows, left_out) in patched.measure(requests).items()
        }

    def _start(self, model: Any, data: Data, shared: Shared):
        from meanings.patching.checkpoint import PatchedCheckpoint
        from meanings.patching.self_test import check_patching
        from meanings.prompts.draws import ConceptPairDraws

        store = shared.process.setdefault(self.name, {"draws": ConceptPairDraws(), "tested": set()})
        if model.name not in store["tested"]:
            shared.report("checking that patches reach this model", 0, 0)
            check_patching(model)
            store["tested"].add(model.name)
        return PatchedCheckpoint(
            model, data.lexicon, store["draws"], shared.planned, data.prompts, shared.report
        )

    def cost_class(self, request: Request) -> Hashable:
        """Whether and how it is patched and scored, and the size of its prompts."""
        patched = condition(request.condition).patched
        sizes = (request.n_pairs, request.shots, request.source_pairs)
        ways = (request.layers, request.first_layers)
        return patched, request.generate, request.score, *ways, *sizes

    def shared_work(self, requests: Sequence[Request]) -> int:
        """Source prompts: one checkpoint and prompt seed runs each once."""
        from meanings.measures.patching_trial import source_prompts

        return source_prompts({None: requests})

    def longer_at_most(self, request: Request) -> float:
        """A generated token costs no more than the patched prompt before it."""
        return 1.0 + request.generate

    def estimate(
        self,
        model: Any,
        data: Data,
        requests: Mapping[Hashable, Sequence[Request]],
        clock: Callable[[], Spent],
        load: Spent,
    ) -> Estimate:
        """From a trial with few concept pairs: see `meanings.measures.patching_trial`."""
        from meanings.measures.patching_trial import from_trial

        shared = Shared()

        def timed(group: Sequence[Request]) -> None:
            self.measure(model, data, group, shared)

        return from_trial(timed, requests, clock, load)


def _generated(settings: PatchingSettings, condition: Condition, is_last: bool) -> int:
    """Tokens to generate under a condition."""
    if settings.score == "word":
        return 0
    answered = settings.generate_patched == "every" or (
        settings.generate_patched == "last" and is_last
    )
    return settings.generate if answered or not condition.patched else 0


def _of_patch(
    settings: PatchingSettings, condition: Condition, pair: LanguagePair, seen: tuple[str, ...]
) -> dict[str, str | int]:
    """What a condition's request takes of the settings' ways to patch: a cell that they cannot
    change keeps its key.
    """
    if not condition.patched:
        return {}
    several = condition.prompts_at_most(pair, seen) > 1
    return {
        "layers": settings.layers,
        "first_layers": " ".join(map(str, sorted(settings.first_layers))),
        "source_pairs": settings.source_pairs if several else 0,
    }


PATCHING = Patching()
