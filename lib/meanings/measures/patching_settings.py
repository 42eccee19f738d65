"""What a grid may say about patching, and whether lexicon and model have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from meanings.core.errors import MeaningsError, one_of
from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.base import Checked, Words
from meanings.models.trajectories import Trajectory, seen_languages
from meanings.patching.conditions import CONDITIONS, Condition, condition

All = Literal["all"]
# The language pairs of the book's own grid and chapters, input-output.
DEFAULT_PAIRS = ("en-fr", "de-en", "fr-es", "fr-de", "fr-pl", "en-fi")


class PatchingSettings(BaseModel):
    """Language pairs times conditions times prompt seeds; the defaults are the book's own."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    pairs: tuple[str, ...] = Field(
        DEFAULT_PAIRS,
        min_length=1,
        description='language pairs input-output, such as "fr-es"',
    )
    conditions: All | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        "all",
        description="sources of the concept vector; one input language at a time (from_XX, "
        "null_from_XX) only where named",
    )
    prompt_seeds: tuple[int, ...] = Field(
        (42,), min_length=1, description="seeds that draw concept pairs and few-shot examples"
    )
    n_pairs: int = Field(64, ge=1, description="concept pairs per language pair")
    shots: int = Field(5, ge=0, le=50, description="few-shot examples before the query")
    template: str = Field("quoted", description="how a line of the prompt is written")
    prompts: str = Field(
        "drawn",
        min_length=1,
        description="drawn, or the path of a JSON file of `meanings prompts write`",
    )
    generate: int = Field(
        8, ge=0, le=256, description="tokens generated greedily for the answers, 0 for none"
    )
    generate_patched: Literal["every", "last", "never"] = Field(
        "last",
        description="checkpoints at which patched prompts are answered too; unpatched ones always "
        "are",
    )
    score: Literal["first_token", "word"] = Field(
        "first_token",
        description="probability of a concept's first tokens, or of its whole words; beside these "
        "nothing is generated",
    )
    layers: Literal["from", "only"] = Field(
        "from", description="overwrite the first layer and all later ones, or that layer alone"
    )
    source_pairs: int = Field(
        0,
        ge=0,
        description="source prompts in a concept vector's mean, 0 for all of the condition's",
    )
    first_layers: tuple[int, ...] = Field(
        (), description="first patched layers, from 0; empty sweeps over all"
    )


@dataclass(frozen=True)
class CheckedPatching(Checked):
    """Settings of patching with the language pairs and conditions that they name.

    - `seen`: by model, its languages, from which conditions take their source language pairs.
    """

    settings: PatchingSettings
    data: Words
    pairs: tuple[LanguagePair, ...]
    conditions: tuple[Condition, ...]
    seen: Mapping[str, tuple[str, ...]]

    @property
    def notes(self) -> tuple[str, ...]:
        """The conditions that a model's languages leave undefined for every pair."""
        return tuple(
            f"{model} and the lexicon share {one_of(seen)}: the conditions {', '.join(lacking)} "
            "need two languages besides English and the pair, and are left out of "
            f"{one_of(self.pairs)}"
            for model, seen in self.seen.items()
            if (lacking := without_languages(self.conditions, self.pairs, seen))
        )


def check_settings(
    settings: PatchingSettings, lexicon: Lexicon, trajectories: Sequence[Trajectory]
) -> CheckedPatching:
    """The settings, found to fit lexicon and models.

    Raises MeaningsError on a template, condition, language or file that does not exist, a pair of
    one language, a negative seed, and a condition that is not defined for what is asked.
    """
    from meanings.prompts.prompt import TEMPLATES

    for name in ("pairs", "conditions", "prompt_seeds", "first_layers"):
        values = getattr(settings, name)
        if values != "all" and len(set(values)) < len(values):
            raise MeaningsError(f"{name} {one_of(values)}: one is named twice; name each once")
    if settings.template not in TEMPLATES:
        raise MeaningsError(f"template {settings.template!r}: allowed are {one_of(TEMPLATES)}")
    whole_words = settings.generate > 0 or settings.score == "word"
    if whole_words and not TEMPLATES[settings.template].quotes_answers:
        raise MeaningsError(
            f"template {settings.template!r} has no closing quote at which an answer ends: ask for "
            "generate=0 and score=first_token"
        )
    if min(settings.prompt_seeds) < 0:
        raise MeaningsError(f"prompt_seeds {one_of(settings.prompt_seeds)}: a seed is 0 or more")
    if min(settings.first_layers, default=0) < 0:
        raise MeaningsError(
            f"first_layers {one_of(settings.first_layers)}: a layer is 0 or more; leave it empty "
            "to sweep over all"
        )
    names = tuple(CONDITIONS) if settings.conditions == "all" else settings.conditions
    conditions = tuple(condition(name) for name in names)
    pairs = tuple(_checked_pair(text, lexicon, trajectories) for text in settings.pairs)
    for run in trajectories:
        seen = seen_languages(run, lexicon)
        _check_defined(settings, conditions, pairs, run.model, seen)
        _check_source_pairs(settings.source_pairs, conditions, pairs, seen)
    varied = [c.name for c in conditions if c.varies == "shots"]
    if varied and settings.shots == 0:
        raise MeaningsError(
            f"condition {varied[0]!r} is a mean over few-shot examples, and shots=0 leaves none: "
            "ask for 1 or more"
        )
    data = Words(lexicon, _shared_prompts(settings, lexicon))
    seen_by_model = {run.model: seen_languages(run, lexicon) for run in trajectories}
    return CheckedPatching(settings, data, pairs, conditions, seen_by_model)


def without_languages(
    conditions: Sequence[Condition], pairs: Sequence[LanguagePair], seen: Sequence[str]
) -> list[str]:
    """Names of the conditions that average over other language pairs and find none for any of
    `pairs`.
    """
    others = CONDITIONS["seen"].source_pairs
    return [
        each.name
        for each in conditions
        if each.source_pairs is others and not any(others(pair, seen) for pair in pairs)
    ]


def _checked_pair(text: str, lexicon: Lexicon, trajectories: Sequence[Trajectory]) -> LanguagePair:
    pair = parse_pair(text)
    if pair.input == pair.output:
        raise MeaningsError(
            f"pair {text!r}: expected two different languages; for copying use the conditions "
            f"en_en and self"
        )
    for code in (pair.input, pair.output):
        for run in trajectories:
            known = [c for c in lexicon.languages if not run.languages or c in run.languages]
            if code not in known:
                lacks = code not in lexicon.languages
                where = f"lexicon {lexicon.name}" if lacks else f"model {run.model}"
                raise MeaningsError(
                    f"pair {text!r}: {where} lacks language {code!r}; allowed are {one_of(known)}"
                )
    return pair


def _check_defined(
    settings: PatchingSettings,
    conditions: Sequence[Condition],
    pairs: Sequence[LanguagePair],
    model: str,
    seen: tuple[str, ...],
) -> None:
    """Of `all`, what the pairs leave undefined (`self` into English) is left out; what the model
    leaves undefined is not.
    """
    undefined = [c.name for c in conditions if not any(c.source_pairs(p, seen) for p in pairs)]
    if undefined and (settings.conditions != "all" or not seen):
        name = undefined[0]
        raise MeaningsError(
            f"condition {name!r} is not defined for any of the pairs {one_of(pairs)}: it needs "
            f"{condition(name).needs}, and of the lexicon's languages {model} has seen "
            f'{one_of(seen)}; name more under "seen" in its trajectory.json, or in models.yaml, '
            "leave the condition out, or choose other pairs"
        )


def _check_source_pairs(
    count: int,
    conditions: Sequence[Condition],
    pairs: Sequence[LanguagePair],
    seen: tuple[str, ...],
) -> None:
    for each in conditions:
        most = min((n for pair in pairs if (n := each.prompts_at_most(pair, seen))), default=0)
        if each.varies == "pairs" and 1 < most < count:
            raise MeaningsError(
                f"source_pairs {count}: condition {each.name!r} has {most} for one of the pairs; "
                "ask for fewer, or 0 for all"
            )


def _shared_prompts(settings: PatchingSettings, lexicon: Lexicon):
    """The file of prompts that the settings name; None where prompts are drawn."""
    if settings.prompts == "drawn":
        return None
    from meanings.prompts.shared import read_prompts

    found = read_prompts(Path(settings.prompts))
    found.fit(lexicon, settings.template, settings.shots, settings.n_pairs, settings.prompt_seeds)
    return found
