"""Abilities: in which order a model learns to write a language, to copy, to associate, to translate
and to tell categories apart, in one language and across languages.

    nats_per_character   -log p(paragraph) / characters, of running text
    copying              P(word | `English: "cat" - English: "`)
    translation          P(word | `English: "cat" - Français: "`), a row for each direction
    association          P(one of the concept's associations | `English` newline `cat`)
    category             a linear probe of one language names categories of held-out concepts there
    category_across      the same probe, on the other language's words for held-out concepts

A probability is that of the whole word with what must follow it, after no example. Its null is the
same for the word of another concept. The probe is a ridge regression on category indicators, its
null are categories dealt out anew among the concepts. How early an ability comes follows what the
text is made of: a text of translations teaches translation early.
Source of the question: Blevins et al. 2022.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from meanings.lexicon.languages import language
from meanings.lexicon.lexicon import Lexicon
from meanings.measures import companion
from meanings.measures.ability_texts import AbilityTexts, ability_texts
from meanings.measures.base import About, Measurement, Shared
from meanings.measures.companion import FEWEST, Companion, Null, Texts, lean, pairs, rng_of
from meanings.measures.expert_units import memberships
from meanings.measures.structure import standardised
from meanings.measures.word_states import WordStates, word_states
from meanings.prompts.questions import Asked

ANSWER = -1  # the layer of what is read off a model's answer
MOST = 64  # concepts of a set that are asked for
NULLS = 20  # of them with the null
FOLDS = 5
RIDGE = 100.0
SHUFFLES = 20
RESAMPLES = 200


class Request(companion.Request):
    """What is asked of a checkpoint.

    - `texts_sha256`: of the paragraphs and associations that are read.
    """

    texts_sha256: str


@dataclass(frozen=True)
class AbilityData(Texts):
    """Words with the running text and the associations of their languages."""

    texts: AbilityTexts = field(default_factory=AbilityTexts)


def probe_hits(
    states: Mapping[str, Float[np.ndarray, "concept d_model"]],
    labels: Int[np.ndarray, "draw concept"],
    folds: Int[np.ndarray, " concept"],
) -> dict[tuple[str, str], Bool[np.ndarray, "draw concept"]]:
    """Whether a ridge regression of a's words names the category of held-out concepts' words in b.

        W = (X'X + λ)^-1 X'(Y - mean)        the category with the highest x·W + mean is named

    - `labels`: several sets of categories at once, such as the true ones and shuffled ones.
    """
    categories = labels.max() + 1
    found = {(a, b): np.zeros(labels.shape, bool) for a in states for b in states}
    one_hot = np.eye(categories)[labels].transpose(1, 0, 2)  # concept, draw, category
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        mean = one_hot[train].mean(axis=0)
        wanted = (one_hot[train] - mean).reshape(train.sum(), -1)
        for a, own in states.items():
            x = own[train] - (shift := own[train].mean(axis=0))
            weights = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ wanted)
            for b, other in states.items():
                scores = ((other[test] - shift) @ weights).reshape(-1, *mean.shape) + mean
                found[a, b][:, test] = scores.argmax(axis=-1).T == labels[:, test]
    return found


def categories_rows(
    states: WordStates, data: Texts, request: companion.Request
) -> Iterator[dict[str, Any]]:
    """Rows of the probes, by layer, language and pair in either direction; none where the lexicon
    has fewer than two categories.
    """
    _, members = memberships(data.lexicon, Abilities.name, 0)
    if len(members) < 2:
        return
    kept = members.any(axis=0)
    rng = np.random.default_rng([request.seed, 10])
    labels = members.argmax(axis=0)[kept]
    labels = np.array([labels, *(rng.permutation(labels) for _ in range(SHUFFLES))])
    folds = rng.permutation(kept.sum()) % FOLDS
    splits = {
        pair: {name: mask[kept] for name, mask in each.splits.items() if mask[kept].sum() >= FEWEST}
        for each in pairs(states, data.text)
        for pair in permutations((each.a, each.b))
    }
    for layer in range(states.depth):
        ready = {
            code: standardised(each[layer].astype(np.float64))[kept]
            for code, each in states.hidden.items()
        }
        for (a, b), hit in probe_hits(ready, labels, folds).items():
            sets = {"all": np.ones(kept.sum(), bool)} if a == b else splits[a, b]
            for split, mask in sets.items():
                base = {
                    "variant": "category" if a == b else "category_across", "layer": layer,
                    "language_a": a, "language_b": "" if a == b else b, "split": split,
                }  # fmt: skip
                null = Null.of(hit[1:, mask].mean(axis=1))
                yield base | _row(hit[0, mask], rng_of(a, b, request.seed, 10), null)


def _row(scores: np.ndarray, rng: np.random.Generator, null: Null | None = None) -> dict[str, Any]:
    """Mean over concepts or paragraphs, its 95 % interval over resampled ones, and the null."""
    drawn = scores[rng.integers(len(scores), size=(RESAMPLES, len(scores)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    found = {
        "value": float(scores.mean()), "low": float(low), "high": float(high), "n": len(scores)
    }  # fmt: skip
    if null is None:
        return found
    return found | {"null": null.mean, "null_low": null.low, "null_high": null.high}


def quoted(lexicon: Lexicon, a: str, b: str, concepts: Sequence[str]) -> list[Asked]:
    """The study's prompt without examples, for each concept; the null is the concept before it, of
    some.
    """
    from meanings.prompts.prompt import TEMPLATES

    form, names = TEMPLATES["quoted"], {"input": language(a).native, "output": language(b).native}
    before, between = form.before.format(**names), form.between.format(**names)
    return [
        Asked(
            before + lexicon.word(concept, a) + between,
            (lexicon.word(concept, b),),
            (lexicon.word(other, b),) if place < NULLS else (),
        )
        for place, (concept, other) in enumerate(zip(concepts, np.roll(concepts, 1), strict=True))
    ]


def associated(
    lexicon: Lexicon,
    code: str,
    concepts: Sequence[str],
    associations: Mapping[str, tuple[str, ...]],
) -> list[Asked]:
    """What goes with each concept, asked as in a list of associations: heading, word, space."""
    native = language(code).native
    heading = native[0].upper() + native[1:]
    asked = []
    for place, (concept, other) in enumerate(zip(concepts, np.roll(concepts, 1), strict=True)):
        own = associations[concept]
        strange = [each for each in associations[other] if each not in (*own, concept)]
        strange = strange if place < NULLS else []
        words = [
            tuple(f" {lexicon.word(each, code)}" for each in those) for those in (own, strange)
        ]
        asked.append(Asked(f"{heading}\n{lexicon.word(concept, code)}", *words))
    return asked


class Abilities(Companion):
    """What a model can do, by language and pair."""

    name = "abilities"
    Request = Request
    Settings = companion.WordSettings
    about = About(
        paper="arXiv 2205.11758",
        sees="which ability comes first, in one language and across languages",
        blind="abilities that the training text hardly asks for come late",
        needs="20 concepts; running text and associations in data/miniature",
        cost="forwards: pairs of languages x 64 prompts a set in both directions; no patch",
    )

    def check(self, settings, lexicon, trajectories):
        """See `Companion.check`; the data have the texts of the lexicon's languages beside it."""
        checked = super().check(settings, lexicon, trajectories)
        return type(checked)(checked.settings, self._with_texts(checked.data))

    def data(self, lexicon, run, prompts=None):
        """See `Measure.data`."""
        return self._with_texts(super().data(lexicon, run))

    @staticmethod
    def _with_texts(data: Texts) -> AbilityData:
        return AbilityData(data.lexicon, data.text, ability_texts(data.lexicon))

    def plan(self, checked, moment):
        """One request per checkpoint."""
        settings, data = checked.settings, checked.data
        yield Request(
            permutations=settings.permutations,
            seed=settings.seed,
            text_sha256=data.text_sha256,
            texts_sha256=data.texts.sha256,
        )

    def measure(self, model: Any, data: AbilityData, requests: Sequence[Any], shared: Shared):
        """Rows as in `COLUMNS`; layer -1 is the model's answer."""
        import pandas as pd

        states = word_states(model, data.lexicon, shared)
        shared.report("computing abilities", 0, 0)
        found = {}
        for request in requests:
            rows = [*self.rows(states, data, request), *self._answers(model, states, data, request)]
            found[request] = Measurement(lean(pd.DataFrame(rows)), {})
        return found

    def rows(self, states, data, request):
        """Rows of the probes, which need states only."""
        return categories_rows(states, data, request)

    def _answers(
        self, model: Any, states: WordStates, data: AbilityData, request: companion.Request
    ) -> Iterator[dict[str, Any]]:
        """Rows of what is read off the model's answers."""
        from meanings.patching.continuations import nats, probabilities

        for code, paragraphs in data.texts.paragraphs:
            if len(paragraphs) >= FEWEST:
                yield _at("nats_per_character", code) | _row(
                    nats(model, paragraphs), rng_of(code, "", request.seed, 11)
                )
        sets = list(self._asked(states, data, request.seed))
        answered = probabilities(model, [each for *_, asked in sets for each in asked])
        ends = np.cumsum([len(asked) for *_, asked in sets])[:-1]
        for (variant, a, b, split, _), scores in zip(
            sets, np.split(answered, ends, axis=1), strict=True
        ):
            own, other = scores[0], scores[1][~np.isnan(scores[1])]
            rng = rng_of(a, b, request.seed, 12)
            null = _row(other, rng)
            yield _at(variant, a, b, split) | _row(own, rng) | {
                "null": null["value"], "null_low": null["low"], "null_high": null["high"]
            }  # fmt: skip

    def _asked(
        self, states: WordStates, data: AbilityData, seed: int
    ) -> Iterator[tuple[str, str, str, str, list[Asked]]]:
        """All sets of questions: variant, the two languages, the set of concepts, the questions."""
        rng = np.random.default_rng([seed, 13])
        names, order = np.array(states.concepts), rng.permutation(len(states.concepts))
        lexicon, associations = data.lexicon, dict(data.texts.associations)

        def some(mask: Bool[np.ndarray, " concept"]) -> list[str]:
            return names[[place for place in order if mask[place]][:MOST]].tolist()

        every = some(np.ones(len(names), bool))
        connected = some(np.array([name in associations for name in names]))
        for code in lexicon.languages:
            yield "copying", code, "", "all", quoted(lexicon, code, code, every)
            if len(connected) >= FEWEST:
                asked = associated(lexicon, code, connected, associations)
                yield "association", code, "", "all", asked
        for pair in pairs(states, data.text):
            for split, mask in pair.splits.items():
                for a, b in permutations((pair.a, pair.b)):
                    yield "translation", a, b, split, quoted(lexicon, a, b, some(mask))


def _at(variant: str, a: str, b: str = "", split: str = "all") -> dict[str, Any]:
    return {
        "variant": variant, "layer": ANSWER, "language_a": a, "language_b": b, "split": split
    }  # fmt: skip


MEASURE = Abilities()
