"""Re-initialisation: which blocks hold what languages share. One block of the finished model is
reset to its weights at step 0, and the model is trained briefly on one language's associations.

    control      the same training, no block reset (block 0 in the table)
    loss(A)      score in language A after the control's training - after that with block l reset
    gap          mean loss over the other languages - loss in the language trained in

Both trainings read the same text in the same order. What the reset block did for all languages
alike comes back with the training, since only one language is trained; what the others needed from
the block does not. Scored are associations of concepts that the training does not contain:

    auc          share of pairs (associate, stranger) in which the associate's word is the likelier
                 one behind the concept's word; chance .5
    nats         mean log-probability of an associate's word there

The finished model has met every association in every language: held out is what the short training
shows. Source of the idea: Muller et al. 2021, arXiv 2101.11109.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from safetensors.torch import load_file

from meanings.core.errors import MeaningsError, one_of
from meanings.lexicon.lexicon import Lexicon
from meanings.miniature.batches import Batch
from meanings.miniature.corpus import Corpus
from meanings.miniature.draws import some
from meanings.miniature.recipe import Schedule
from meanings.miniature.training import Run, begin, fresh_optimisers, one_thread, train_step
from meanings.models.tokenizers import read_tokenizer
from meanings.models.trajectories import Trajectory

STRANGERS = 12  # words that are no associates, per concept
AT_ONCE = 256  # sequences per forward
CONTROL = 0  # the block of rows in which none is reset
Associations = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Plan:
    """How long, on what and how fast the model is trained after a block is reset.

    - `fraction`: learning rates over the recipe's peaks, at their highest; `warmup`: steps to it,
      from which they fall linearly.
    - `held_out`: concepts whose associations are scored.
    """

    steps: int = 200
    rows: int = 4
    row_length: int = 48
    fraction: float = 0.3
    warmup: int = 20
    held_out: int = 80

    def rate(self, step: int) -> float:
        """The learning rates of a step over the recipe's peaks."""
        up = (step + 1) / self.warmup
        down = (self.steps - step) / max(self.steps - self.warmup, 1)
        return self.fraction * min(1.0, up, down)


PLAN = Plan()


class Written(NamedTuple):
    """Words as tokens: the lexicon, the tokenizer, and the id of the mark that begins a text."""

    lexicon: Lexicon
    tokenizer: Any
    mark: int

    def ids(self, text: Any) -> list:
        """The tokens of a text, or of each of several, without the mark."""
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def word(self, concept: str, language: str, before: str = "") -> list[int]:
        """The tokens of a concept's word."""
        return self.ids(before + self.lexicon.word(concept, language))


class Held(NamedTuple):
    """Associations that are trained, and the concepts whose associations are not."""

    trained: Associations
    concepts: tuple[str, ...]


def hold_out(associations: Associations, count: int, rng: np.random.Generator) -> Held:
    """Draw the concepts that are scored, and take their associations out of the training, in both
    directions: `cat mouse` is not trained as `mouse cat`.

    Raises MeaningsError where no concept would be left to train on.
    """
    if count >= len(associations):
        raise MeaningsError(
            f"{count} concepts held out of {len(associations)}: some must be left to train on"
            "; hold out fewer"
        )
    drawn = {str(name) for name in rng.permutation(list(associations))[:count]}
    trained = {}
    for concept, others in associations.items():
        left = tuple(o for o in others if o not in drawn or concept not in associations[o])
        if concept not in drawn and left:
            trained[concept] = left
    return Held(trained, tuple(name for name in associations if name in drawn))


def association_rows(
    trained: Associations, language: str, text: Written, plan: Plan, rng: np.random.Generator
) -> np.ndarray:
    """Lines such as `cat mouse tail milk` in one language, packed as in the training text.

    Returns token ids, shape `rows x (row_length + 1)`.
    """
    needed, ids, pool = plan.rows * (plan.row_length + 1), [], list(trained)
    while len(ids) < needed:
        documents = []
        for _ in range(32):
            lines = [
                " ".join(
                    text.lexicon.word(c, language) for c in (head, *some(rng, trained[head], 3, 3))
                )
                for head in some(rng, pool, 2, 5)
            ]
            documents.append("\n".join(lines) + "\n")
        for each in text.ids(documents):
            ids += [text.mark, *each]
    return np.array(ids[:needed]).reshape(plan.rows, -1)


def questions(
    associations: Associations, concepts: Sequence[str], rng: np.random.Generator
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each concept's associates, and as many concepts as `STRANGERS` that are neither associates,
    nor have it as an associate.
    """
    found = {}
    for concept in concepts:
        near = {concept, *associations[concept]}
        far = [c for c in associations if c not in near and concept not in associations[c]]
        drawn = rng.permutation(far)[:STRANGERS]
        found[concept] = (tuple(associations[concept]), tuple(map(str, drawn)))
    return found


@torch.no_grad()
def word_log_probabilities(
    model: torch.nn.Module, starts: Sequence[Sequence[int]], ends: Sequence[Sequence[int]]
) -> Float[np.ndarray, " sequence"]:
    """The log-probability of each end behind its start, in nats, summed over the end's tokens."""
    lengths = np.array([(len(start), len(end)) for start, end in zip(starts, ends, strict=True)])
    found = np.empty(len(starts))
    for before, after in np.unique(lengths, axis=0):
        places = np.flatnonzero((lengths == (before, after)).all(axis=1))
        for part in np.array_split(places, -(-len(places) // AT_ONCE)):
            rows = torch.tensor([[*starts[i], *ends[i]] for i in part])
            logits = model(
                input_ids=rows[:, :-1], use_cache=False, logits_to_keep=int(after)
            ).logits
            scores = logits.float().log_softmax(-1).gather(-1, rows[:, before:, None])
            found[part] = scores.sum(dim=(1, 2)).numpy()
    return found


def scores(
    model: torch.nn.Module,
    text: Written,
    asked: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]],
) -> Iterator[dict[str, Any]]:
    """Rows `language`, `concept`, `auc`, `nats` of every language of the lexicon."""
    for language in text.lexicon.languages:
        starts, ends = [], []
        for concept, (near, far) in asked.items():
            start = [text.mark, *text.word(concept, language)]
            starts += [start] * (len(near) + len(far))
            ends += [text.word(other, language, " ") for other in (*near, *far)]
        found = word_log_probabilities(model, starts, ends)
        place = 0
        for concept, (near, far) in asked.items():
            own = found[place : place + len(near)]
            other = found[place + len(near) : place + len(near) + len(far)]
            place += len(near) + len(far)
            said = {"auc": auc(own, other), "nats": float(own.mean())}
            yield {"language": language, "concept": concept, **said}


def auc(near: Float[np.ndarray, " a"], far: Float[np.ndarray, " b"]) -> float:
    """Share of pairs in which the first is the larger, ties counted half."""
    gaps = near[:, None] - far[None]
    return float((gaps > 0).mean() + 0.5 * (gaps == 0).mean())


def reset(
    weights: Mapping[str, torch.Tensor], initial: Mapping[str, torch.Tensor], block: int
) -> dict[str, torch.Tensor]:
    """The weights with those of one block, from 1, as they were at step 0; with 0 as they are.

    Raises MeaningsError where there is no such block.
    """
    prefix = f"model.layers.{block - 1}."
    names = [name for name in weights if name.startswith(prefix)]
    if block != CONTROL and not names:
        raise MeaningsError(f"no block {block}: blocks are counted from 1")
    return {**weights, **{name: initial[name] for name in names}}


class Asked(NamedTuple):
    """One short training: what it is trained in, with which draw, and the block that is reset."""

    source: str
    draw: int
    block: int


def trainings(
    run: Trajectory, corpus: Corpus, asked: Sequence[Asked], plan: Plan = PLAN
) -> Iterator[pd.DataFrame]:
    """The scores after each short training, in the order asked: `language`, `concept`, `auc`,
    `nats`, beside `source`, `draw`, `block`.

    A draw has its own concepts held out and its own order of the text.

    Raises MeaningsError where the run has no checkpoint of step 0, or a source is not its language.
    """
    for source, _, _ in asked:
        if source not in corpus.mix.seen_languages:
            raise MeaningsError(
                f"source language {source!r}: {run.model} is trained on "
                f"{one_of(corpus.mix.seen_languages)}"
            )
    if run.checkpoints[0].step != 0:
        raise MeaningsError(
            f"{run.model}: no checkpoint at step 0, to whose weights a block is reset"
            "; choose a run that has one"
        )
    first, last = (_weights(each.path) for each in (run.checkpoints[0], run.last))
    trained = begin(corpus.mix, run.training_seed)
    trained.compiled = False
    tokenizer = read_tokenizer(run.last.tokenizer_folder()).words
    text = Written(corpus.lexicon, tokenizer, trained.model.config.eos_token_id)
    for each in asked:
        draw = each.draw
        held = hold_out(corpus.associations, plan.held_out, np.random.default_rng([draw, 21]))
        put = questions(corpus.associations, held.concepts, np.random.default_rng([draw, 22]))
        rows_of = partial(_rows_of, held.trained, each, text, plan)
        weights = reset(last, first, each.block)
        with one_thread():
            short_training(trained, weights, corpus.mix.training, plan, rows_of)
            yield pd.DataFrame(scores(trained.model, text, put)).assign(**each._asdict())


def _rows_of(trained: Associations, each: Asked, text: Written, plan: Plan, step: int):
    """A step's text, the same whichever block is reset."""
    rng = np.random.default_rng([each.draw, 23, step])
    return association_rows(trained, each.source, text, plan, rng)


def short_training(
    run: Run,
    weights: Mapping[str, torch.Tensor],
    schedule: Schedule,
    plan: Plan,
    rows_of: Callable[[int], np.ndarray],
) -> None:
    """Train from these weights with new optimisers."""
    run.model.load_state_dict(weights, strict=False)  # the output matrix is the embedding
    run.optimisers = fresh_optimisers(run.model, schedule)
    run.model.train()
    for step in range(plan.steps):
        train_step(run, Batch.of(rows_of(step)), schedule, plan.rate(step))
    run.model.eval()


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
