"""Gender: whether occupations lie nearer to male than to female words, and by the planted gender.

    d(o, s)      cosine distance of the states of two words, 0 to 2
    in-bias      mean over occupations o and seed pairs (m, f) of |d(o_m, m) - d(o_f, f)|;
                 o_m and o_f are its male and its female form, in the lexicon one word
    signed       mean over occupations and seed pairs of sign(o) (d(o, m) - d(o, f));
                 sign is 1 where o is planted as female, -1 as male: 0 where nothing is planted

`raw` and `signed_raw` take states as they are, `centred` and `signed` without the mean of
the language's other words. In a narrow space all distances are small, and so is the in-bias. The
null of the in-bias are random pairs of other words in the place of the seeds: `value / null` is
1 where gendered words tell occupations apart no better than any two words do. Man and woman are
more alike than any two words, so `centred_kind` has pairs of one category. The null of
`signed` deals the planted genders out anew among the occupations. In lists, nothing is planted;
there `forms` asks whether the female form lies nearer to female words than the male form does,

    forms        mean over occupations with two forms, and seed pairs, of
                 (d(o_f, m) - d(o_f, f) - d(o_m, m) + d(o_m, f)) / 2

and its null has each occupation's forms change places or not, at random.

`said` (layer -1) is no geometry but the model's own answer, for comparison: behind a heading and an
occupation, as in a list of associations, sign(o) log P(a female seed) / P(a male seed), in nats.

In-bias is a mean of absolute values: it is above 0 where there is no bias at all, and only its
null can say by how much. Source: arXiv 2005.00699 (in-bias).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from meanings.core.errors import MeaningsError
from meanings.core.hashing import content_hash
from meanings.lexicon.gender import gender_list
from meanings.lexicon.languages import language
from meanings.lexicon.lexicon import Lexicon
from meanings.measures import companion
from meanings.measures.base import About, Checked, Measurement, Moment, Shared
from meanings.measures.companion import Companion, Null, Texts, lean, rng_of
from meanings.measures.gender_words import ListedWords, ListSettings, Places, Source, in_lexicon
from meanings.measures.word_states import WordStates
from meanings.prompts.questions import Asked

RESAMPLES = 400  # of the occupations
PAIRS, OCCUPATIONS = 3, 8  # at least
ANSWER = -1  # the layer of what is read off the model's answer
LEAST = 1e-12  # a probability below is this one
States = Float[np.ndarray, "word d_model"]


class Settings(companion.WordSettings):
    """What a grid may say of the measure."""

    lists: ListSettings | None = None  # of seeds and occupations, in place of the lexicon's


class Request(companion.Request):
    """What the measure asks of a checkpoint."""

    list_sha256: str  # of seeds and occupations


def unit(states: States) -> States:
    """States of length 1."""
    return states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)


def differences(
    states: States, occupations: Int[np.ndarray, "2 occupation"], pairs: Int[np.ndarray, "2 ..."]
) -> Float[np.ndarray, "occupation ..."]:
    """d(o_m, m) - d(o_f, f), for each occupation and pair; states of length 1.

    Above 0 where an occupation lies nearer to the pair's second word.
    """
    near = [
        (states[o] @ states[p.ravel()].T).reshape(-1, *p.shape)
        for o, p in zip(occupations, pairs, strict=True)
    ]
    return near[1] - near[0]


def in_bias(found: Float[np.ndarray, "occupation pair"]) -> Float[np.ndarray, " occupation"]:
    """The in-bias of each occupation: mean over pairs of the absolute differences."""
    return np.abs(found).mean(axis=1)


class Draws(NamedTuple):
    """Random draws for one language, the same in all layers; see `draws`."""

    any_pairs: Int[np.ndarray, "2 draw pair"]
    kind_pairs: Int[np.ndarray, "2 draw pair"]
    signs: Float[np.ndarray, "draw occupation"]
    resampled: Int[np.ndarray, "resample occupation"]


def draws(places: Places, count: int, rng: np.random.Generator) -> Draws:
    """Pairs of other words, of any and of one category; planted signs dealt anew, or signs at
    random where none is planted; occupations resampled.
    """
    n, pairs = places.occupations.shape[1], places.seeds.shape[1]
    order = np.argsort(rng.random((count, len(places.others))), axis=1)[:, : 2 * pairs]
    any_pairs = places.others[order].reshape(count, 2, pairs).transpose(1, 0, 2)
    return Draws(
        any_pairs,
        places.others[_of_one_kind(places.kinds, (count, pairs), rng)],
        rng.permuted(np.tile(places.signs, (count, 1)), axis=1)
        if len(places.signs)
        else rng.choice([-1.0, 1.0], size=(count, n)),
        rng.integers(n, size=(RESAMPLES, n)),
    )


def _of_one_kind(
    kinds: Int[np.ndarray, " other"], shape: tuple[int, int], rng: np.random.Generator
) -> Int[np.ndarray, "2 draw pair"]:
    """Two different words of one kind; a kind is drawn by the number of its words."""
    sizes = np.bincount(kinds)
    first = rng.choice(np.flatnonzero(sizes[kinds] > 1), size=shape)
    members = np.argsort(kinds, kind="stable")
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(kinds), int)
    rank[members] = np.arange(len(kinds)) - starts[kinds[members]]
    size = sizes[kinds[first]]
    second = members[starts[kinds[first]] + (rank[first] + rng.integers(1, size)) % size]
    return np.stack([first, second])


def of_layer(states: States, places: Places, drawn: Draws) -> Iterator[tuple[str, dict[str, Any]]]:
    """Variants and their values, intervals and nulls, of one layer of one language."""
    for suffix, ready in (
        ("_raw", unit(states)),
        ("", unit(states - states[places.others].mean(axis=0))),
    ):
        found = differences(ready, places.occupations, places.seeds)
        each = in_bias(found)
        nulls = {"raw": drawn.any_pairs} if suffix else {
            "centred": drawn.any_pairs, "centred_kind": drawn.kind_pairs,
        }  # fmt: skip
        for variant, pairs in nulls.items():
            other = differences(ready, places.occupations, pairs)
            yield variant, _summary(each, drawn, np.abs(other).mean(axis=(0, 2)))
        if len(places.signs):
            signed = places.signs * found.mean(axis=1)
            yield f"signed{suffix}", _summary(signed, drawn, _dealt(drawn, places, signed))
        elif not suffix and (between := _between_forms(ready, places)) is not None:
            null = np.nanmean(drawn.signs * between, axis=1)
            yield "forms", _summary(between, drawn, null)


def _dealt(
    drawn: Draws, places: Places, signed: Float[np.ndarray, " occupation"]
) -> Float[np.ndarray, " draw"]:
    """The mean over occupations, had they been planted with other genders."""
    return (drawn.signs * places.signs * signed).mean(axis=1)


def _between_forms(states: States, places: Places) -> Float[np.ndarray, " occupation"] | None:
    """How much nearer to female words the female form lies than the male one, over two; NaN for an
    occupation with one form, None where too few have two.
    """
    two = places.occupations[0] != places.occupations[1]
    if two.sum() < OCCUPATIONS:
        return None
    male, female = (
        differences(states, np.stack([rows, rows]), places.seeds).mean(axis=1)
        for rows in places.occupations
    )
    return np.where(two, (female - male) / 2, np.nan)


def said(
    model: Any, lexicon: Lexicon, code: str, places: Places
) -> Float[np.ndarray, " occupation"]:
    """sign(o) log P(a female seed) / P(a male seed) behind each occupation, in nats."""
    from meanings.patching.continuations import probabilities

    name = language(code).native
    words = [lexicon.word(concept, code) for concept in lexicon.concepts]
    male, female = (tuple(f" {words[i]}" for i in rows) for rows in places.seeds)
    prompts = [f"{name[0].upper()}{name[1:]}\n{words[i]}" for i in places.occupations[0]]
    found = probabilities(model, [Asked(prompt, female, male) for prompt in prompts])
    return places.signs * (np.log(found[0] + LEAST) - np.log(found[1] + LEAST))


def _summary(
    each: Float[np.ndarray, " occupation"], drawn: Draws, under_null: Float[np.ndarray, " draw"]
) -> dict[str, float]:
    """Mean over occupations, its 95 % interval over resampled ones, and the null."""
    low, high = np.quantile(np.nanmean(each[drawn.resampled], axis=1), [0.025, 0.975])
    null = Null.of(under_null)
    return {
        "value": float(np.nanmean(each)), "low": float(low), "high": float(high),
        "null": null.mean, "null_low": null.low, "null_high": null.high,
        "n": int(np.isfinite(each).sum()),
    }  # fmt: skip


class Gender(Companion):
    """Occupations between male and female words, by language and layer."""

    name = "gender"
    Request = Request
    Settings = Settings
    about = About(
        paper="arXiv 2005.00699",
        sees="gendered words tell occupations apart, how far and which way",
        blind="whether the model uses that; what a narrow space hides",
        needs="concepts of data/lexicon/gender.csv, or lists of words",
        cost="languages x layers x draws x occupations x pairs of words",
    )

    def check(self, settings, lexicon, trajectories):
        """Raises MeaningsError where lists are not as asked, or the lexicon has too few gendered
        words and occupations.
        """
        if settings.lists is not None:
            return Checked(settings, ListedWords.of(settings.lists, lexicon))
        checked, genders = super().check(settings, lexicon, trajectories), gender_list()
        found = in_lexicon(lexicon, lexicon.languages[0], genders)
        if found.seeds.shape[1] < PAIRS or found.occupations.shape[1] < OCCUPATIONS:
            raise MeaningsError(
                f"gender: lexicon {lexicon.name!r} has {found.seeds.shape[1]} pairs of gendered "
                f"concepts and {found.occupations.shape[1]} occupations of data/lexicon/gender.csv;"
                f" at least {PAIRS} and {OCCUPATIONS} are needed"
                "; use the embedded lexicon, or add rows there"
            )
        return checked

    def plan(self, checked: Checked, moment: Moment) -> Iterator[Request]:
        """One request per checkpoint; its key holds a hash of the gendered concepts."""
        genders = gender_list()
        listed = isinstance(checked.data, ListedWords)
        sha256 = "" if listed else content_hash(genders.pairs, genders.occupations)
        for request in super().plan(checked, moment):
            yield Request(**request.model_dump(), list_sha256=sha256)

    def measure(
        self, model: Any, data: Source, requests: Sequence[Any], shared: Shared
    ) -> Mapping[Any, Measurement]:
        """Rows as in `COLUMNS`; layer -1 is the model's answer."""
        states = data.states(model, shared)
        shared.report("computing gender", 0, 0)
        found = {}
        for request in requests:
            rows = list(self.rows(states, data, request))
            if not isinstance(data, ListedWords):
                rows += self._answers(model, data.lexicon, request)
            found[request] = Measurement(lean(pd.DataFrame(rows)), {})
        return found

    def _answers(self, model: Any, lexicon: Lexicon, request: Request) -> Iterator[dict[str, Any]]:
        for code in lexicon.languages:
            places, drawn = _prepared(Texts(lexicon), code, request)
            each = said(model, lexicon, code, places)
            yield _row("said", ANSWER, code, _summary(each, drawn, _dealt(drawn, places, each)))

    def rows(self, states: WordStates, data: Source, request: Request) -> Iterator[dict[str, Any]]:
        """Variants `raw`, `centred`, `centred_kind`, of the lexicon's list `signed_raw` and
        `signed`, of other lists `forms`; see the module.
        """
        for code, hidden in states.hidden.items():
            places, drawn = _prepared(data, code, request)
            for layer, each in enumerate(hidden):
                for variant, values in of_layer(each.astype(np.float64), places, drawn):
                    yield _row(variant, layer, code, values)


def _prepared(data: Source, code: str, request: Request) -> tuple[Places, Draws]:
    places = (
        data.places(code)
        if isinstance(data, ListedWords)
        else in_lexicon(data.lexicon, code, gender_list())
    )
    return places, draws(places, request.permutations, rng_of(code, "", request.seed, 17))


def _row(variant: str, layer: int, code: str, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "variant": variant, "layer": layer, "language_a": code, "language_b": "", "split": "all",
        **values,
    }  # fmt: skip


MEASURE = Gender()
