"""The published algorithm, plain hooks and ours, side by side in one run on the same model, prompts
and threads.

All forwards of the published algorithm for one batch of prompts do the same work, whatever
condition and first layer: some of them are timed, spread over both, and the time of all is their
mean times their number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from statistics import mean, median

import torch

from bench import published
from bench.hooks import plain_hooks
from bench.shapes import columns, drawn, some_vectors, target_prompts, words
from meanings.lexicon.languages import LanguagePair
from meanings.models.loading import PatchableModel
from meanings.patching import flops, generation
from meanings.patching.conditions import CONDITIONS
from meanings.patching.source_states import SourceBank
from meanings.patching.sweeping import Sweep, sweep_conditions, unpatched
from meanings.prompts.prompt import Prompt

PAIR = LanguagePair("fr", "es")
SEEN = (
    "en",
    "fr",
    "de",
    "es",
    "ru",
    "pl",
    "zh",
    "fi",
)  # 30 source pairs of the `seen` condition for fr-es
SIX = ("en", "fr", "de", "es", "ru", "pl")
PATCHED = [name for name, condition in CONDITIONS.items() if condition.patched]
TIE = 1e-5  # a token that is ahead by less, in logits, is not decided


@dataclass
class Comparison:
    """Seconds of each way, one a run, and how far their numbers differ.

    - `bound`: the ratio that counting tokens allows.
    - `tokens`, `ties`, `different`: generated tokens compared; those where the first difference is
      a tie; those where not.
    """

    name: str
    bound: float
    published: list[float] = field(default_factory=list)
    published_last_only: list[float] = field(default_factory=list)
    hooks: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    difference: float = 0.0
    answers: int = 0
    ties: int = 0
    different: int = 0

    def ratio(self, of: str, to: str = "ours") -> float:
        """Median over the runs of seconds `of` over seconds `to`, within each run; NaN where one
        was not timed.
        """
        a, b = getattr(self, of), getattr(self, to)
        return median(x / y for x, y in zip(a, b, strict=True)) if a and b else float("nan")


def sweep(
    model: PatchableModel,
    *,
    prompts: int,
    generate: int = 0,
    shots: int = 5,
    runs: int = 3,
    samples: int = 6,
) -> Comparison:
    """Seven patched conditions that share one prefix, their concept vectors given."""
    pairs = drawn(model, prompts, shots)
    targets, sets = target_prompts(model, PAIR, pairs), columns(model, pairs)
    vectors = some_vectors(model, prompts, flops.CONDITIONS)
    lengths = flops.Lengths.of(targets)
    passes = flops.sweep_passes(lengths, model.n_layers, flops.CONDITIONS, generate)
    found = Comparison(
        "sweep" + (f", {generate} tokens generated" if generate else ""), flops.bound(*passes)
    )
    names = list(vectors)
    chosen = _spread(
        [
            (name, layer)
            for layer in range(model.n_layers)
            for name in names[layer % len(names) :][:1]
        ],
        samples,
    )
    forwards = model.n_layers * len(names)
    for _ in range(runs):
        sweeps: dict[str, Sweep] = {}
        found.ours.append(
            seconds(
                lambda: sweeps.update(
                    sweep_conditions(model, targets, vectors, sets, generate=generate)
                )
            )
        )
        with plain_hooks():
            found.hooks.append(
                seconds(lambda: sweep_conditions(model, targets, vectors, sets, generate=generate))
            )
        whole, last, said = [], [], []
        for name, layer in chosen:
            probabilities: list[torch.Tensor] = []
            arguments = (model, targets, vectors[name], layer)
            whole.append(seconds(lambda: probabilities.append(published.patched(*arguments, sets))))
            last.append(seconds(lambda: published.patched(*arguments, sets, last_only=True)))
            found.difference = max(
                found.difference, _far(probabilities[0], sweeps[name].probabilities[layer])
            )
            if generate:
                answers: list = []
                said.append(
                    seconds(lambda: answers.append(published.generate(*arguments, generate)))
                )
                _compare_answers(model, found, *answers[0], sweeps[name].answers[layer])
        extra = mean(said) if said else 0.0
        found.published.append(forwards * (mean(whole) + extra))
        found.published_last_only.append(forwards * (mean(last) + extra))
    return found


def pair(model: PatchableModel, *, prompts: int, runs: int = 3, samples: int = 6) -> Comparison:
    """One pair of non-English languages, all its conditions and nulls, sources included."""
    return _study(model, [PAIR], SEEN, prompts, runs, samples, "one pair, sources included")


def study(model: PatchableModel, *, prompts: int, runs: int = 3, samples: int = 6) -> Comparison:
    """All ordered pairs of six languages; the published algorithm is timed on four of them."""
    pairs = [LanguagePair(a, b) for a, b in permutations(SIX, 2)]
    return _study(model, pairs, SIX, prompts, runs, samples, "study of 30 pairs")


def _study(
    model: PatchableModel,
    language_pairs: Sequence[LanguagePair],
    seen: Sequence[str],
    prompts: int,
    runs: int,
    samples: int,
    name: str,
) -> Comparison:
    concept_pairs = drawn(model, prompts)
    sets = columns(model, concept_pairs)
    found = Comparison(name, _study_bound(model, language_pairs, seen, concept_pairs))
    timed = _spread(list(language_pairs), 4)
    for _ in range(runs):
        measured: dict[LanguagePair, dict[str, Sweep]] = {}
        vectors: dict[LanguagePair, dict[str, torch.Tensor]] = {}

        def ours() -> None:
            bank = SourceBank(model, words())
            for languages in language_pairs:
                conditions = _patched(languages, seen)
                bank.prepare(conditions.values(), languages, concept_pairs, seen)
                given = {
                    name: bank.vectors(condition, languages, concept_pairs, seen)
                    for name, condition in conditions.items()
                }
                targets = target_prompts(model, languages, concept_pairs)
                sweeps = sweep_conditions(model, targets, given, sets, unpatched_as="tgt_unpatched")
                unpatched(model, _source_prompts(bank, languages, concept_pairs), sets)
                if languages in timed:
                    measured[languages], vectors[languages] = sweeps, given

        found.ours.append(seconds(ours))
        bank = SourceBank(model, words())
        collecting, patching = [], []
        for languages in timed:
            conditions = list(_patched(languages, seen).items())
            targets = target_prompts(model, languages, concept_pairs)
            for at, (name_, condition) in enumerate(
                _spread(conditions, max(1, samples // len(timed)))
            ):
                source = condition.source_pairs(languages, seen)[0]
                keys = [
                    (source, condition.concept_of(p), condition.shots_of(p)) for p in concept_pairs
                ]
                sources = [bank.prompt(key) for key in keys]
                collecting.append(seconds(lambda: published.collect(model, sources)))
                layer = (at * model.n_layers) // max(1, samples // len(timed))
                probabilities: list[torch.Tensor] = []
                given = vectors[languages][name_]
                patching.append(
                    seconds(
                        lambda: probabilities.append(
                            published.patched(model, targets, given, layer, sets)
                        )
                    )
                )
                found.difference = max(
                    found.difference,
                    _far(probabilities[0], measured[languages][name_].probabilities[layer]),
                )
        collects, forwards = _published_forwards(model, language_pairs, seen)
        found.published.append(collects * mean(collecting) + forwards * mean(patching))
    return found


def _patched(languages: LanguagePair, seen: Sequence[str]) -> dict:
    return {
        name: CONDITIONS[name] for name in PATCHED if CONDITIONS[name].source_pairs(languages, seen)
    }


def _source_prompts(
    bank: SourceBank, languages: LanguagePair, concept_pairs: Sequence
) -> list[Prompt]:
    return [bank.prompt((languages, p.source, p.source_shots)) for p in concept_pairs]


def _published_forwards(
    model: PatchableModel, language_pairs: Sequence[LanguagePair], seen: Sequence[str]
) -> tuple[int, int]:
    """Forwards over source prompts (anew for every condition and pair), and over target prompts."""
    collects = forwards = 0
    for languages in language_pairs:
        conditions = _patched(languages, seen)
        collects += sum(
            len(condition.source_pairs(languages, seen)) for condition in conditions.values()
        )
        forwards += model.n_layers * len(conditions) + 2
    return collects, forwards


def _study_bound(
    model: PatchableModel,
    language_pairs: Sequence[LanguagePair],
    seen: Sequence[str],
    concept_pairs: Sequence,
) -> float:
    """The ratio that counting tokens allows, the prompts' own lengths taken."""
    collects, forwards = _published_forwards(model, language_pairs, seen)
    targets = [
        prompt
        for languages in language_pairs
        for prompt in target_prompts(model, languages, concept_pairs)
    ]
    lengths, each = flops.Lengths.of(targets), len(concept_pairs)
    concepts: set = set()
    nulls: set = set()
    sweeps = 0.0
    for languages in language_pairs:
        conditions = _patched(languages, seen)
        sweeps += flops.sweep_passes(lengths, model.n_layers, len(conditions))[1] + lengths.prompt
        for condition in conditions.values():
            for source in condition.source_pairs(languages, seen):
                (nulls if condition.concept == "null" else concepts).add(
                    (source, condition.concept == "target")
                )
    ours = each * (flops.source_passes(lengths, len(concepts), len(nulls)) + sweeps)
    return flops.bound(each * (collects * lengths.source + forwards * lengths.prompt), ours)


def precision(model: PatchableModel, *, prompts: int, dtype: torch.dtype) -> dict[str, float]:
    """How far the probabilities of a sweep in `dtype` are from those in float32: quantiles of the
    absolute difference.
    """
    pairs = drawn(model, prompts)
    targets, sets = target_prompts(model, PAIR, pairs), columns(model, pairs)
    vectors = some_vectors(model, prompts, 1)
    exact = sweep_conditions(model, targets, vectors, sets)["condition 0"].probabilities
    kept = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    try:
        model.network.to(dtype)
        rough = sweep_conditions(model, targets, vectors, sets)["condition 0"].probabilities
    finally:
        model.network.to(torch.float32).load_state_dict(kept)
    off = (rough - exact).abs().flatten()
    return {f"{share:.0%}": float(off.quantile(share)) for share in (0.5, 0.9, 0.99)} | {
        "max": float(off.max())
    }


def seconds(run: Callable[[], object]) -> float:
    """Wall-clock seconds of one call, the accelerator's queue emptied."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _spread(items: list, count: int) -> list:
    """`count` of the items, evenly spread from the first to the last."""
    if count >= len(items):
        return items
    return [items[round(i * (len(items) - 1) / max(1, count - 1))] for i in range(count)]


def _far(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.cpu() - b.cpu()).abs().max())


def _compare_answers(
    model: PatchableModel,
    found: Comparison,
    tokens: list[list[int]],
    ahead: list[list[float]],
    texts: list[str],
) -> None:
    """Hold generated tokens, cut where the answer is closed, against the engine's texts."""
    for row, leads, text in zip(tokens, ahead, texts, strict=True):
        closed = next(
            (i + 1 for i, token in enumerate(row) if generation.closes(model, token)), len(row)
        )
        found.answers += 1
        if model.tokenizer.decode(row[:closed], skip_special_tokens=True) != text:
            tie = min(leads[:closed]) < TIE
            found.ties += tie
            found.different += not tie
