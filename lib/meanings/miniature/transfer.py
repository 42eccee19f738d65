"""Zero-shot transfer: a checkpoint is fine-tuned on a task in one language until it can do it, then
asked in the others.

facts   an arbitrary letter of eight for each concept; every concept is told
class   the letter says the category; half of the concepts are told, the others held out

A line of the task is `word: letter`, in the first language; the model's answer is the most probable
of the eight letters. Fine-tuning ends once `ENOUGH` of the told concepts are right in the first
language, or after `MOST_STEPS`. Rows keep the concepts apart that a treatment may have touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import AutoModelForCausalLM, LlamaForCausalLM, PreTrainedTokenizerFast

from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.miniature.run_folder import HALVES, SIGNS
from meanings.miniature.training import one_thread
from meanings.miniature.treatments import LETTERS
from meanings.models.checkpoints import trajectory

TASKS = ("facts", "class")
TASK_SEED = 37  # letters of the facts, and the concepts that are told
ENOUGH = 0.99  # of the told concepts right in the first language
MOST_STEPS = 400
LEARNING_RATE = 5e-4


@dataclass(frozen=True)
class Task:
    """Which letter, from 0, each concept has, and which concepts are told."""

    name: str
    letters: dict[str, int]
    told: frozenset[str]

    def majority(self, concepts: list[str]) -> float:
        """The share of the concepts that the most frequent letter is right for."""
        return float(np.bincount([self.letters[c] for c in concepts]).max() / len(concepts))


def task_named(name: str, lexicon: Lexicon) -> Task:
    """The task on a lexicon of at most eight categories; the same for every world and seed."""
    rng = np.random.default_rng(TASK_SEED)
    concepts = lexicon.concepts
    if name == "facts":
        dealt = rng.permutation(len(concepts)) % len(LETTERS)
        letters = dict(zip(concepts, map(int, dealt), strict=True))
        return Task(name, letters, frozenset(concepts))
    categories = list(dict.fromkeys(lexicon.categories[c] for c in concepts))
    told = frozenset(
        concept
        for category in categories
        for concept in _half([c for c in concepts if lexicon.categories[c] == category], rng)
    )
    return Task(name, {c: categories.index(lexicon.categories[c]) for c in concepts}, told)


def transfer_rows(home: Path, step: int, name: str) -> Iterator[dict[str, Any]]:
    """Rows of one task on one checkpoint of a run of clones: one for each language and concept.

    Columns `task, steps, reached, language, concept, told, touched, letter, answer_letter, p`: `p`
    is the probability of the right letter among the eight, `steps` how long fine-tuning took,
    `reached` whether it ended because enough was right.
    """
    lexicon = load_lexicon(str(home / SIGNS))
    within = set(load_lexicon(str(home / HALVES["touched"])).concepts)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(home / "tokenizer", local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(
        trajectory(home).at(step).path, dtype=torch.float32, local_files_only=True
    )
    task, first = task_named(name, lexicon), lexicon.languages[0]
    prompts = {code: _prompts(tokenizer, lexicon, code) for code in lexicon.languages}
    letters = torch.tensor(tokenizer.convert_tokens_to_ids(list(LETTERS)))
    with one_thread():
        steps, reached = fine_tune(model, prompts[first], letters, task, lexicon.concepts)
        chances = {code: letter_chances(model, prompts[code], letters) for code in prompts}
    for code, found in chances.items():
        for place, concept in enumerate(lexicon.concepts):
            right = task.letters[concept]
            yield {
                "task": name,
                "steps": steps,
                "reached": reached,
                "language": code,
                "concept": concept,
                "told": concept in task.told,
                "touched": concept in within,
                "letter": LETTERS[right],
                "answer_letter": LETTERS[int(found[place].argmax())],
                "p": round(float(found[place, right]), 6),
            }


def shared_pieces(home: Path) -> dict[tuple[str, str], float]:
    """By language and concept, the share of the word's tokens that also occur in that language's
    words for concepts that a treatment may touch: 0 to 1.

    A treatment of these words also reaches their tokens, and so other words by way of spelling.
    """
    lexicon = load_lexicon(str(home / SIGNS))
    within = load_lexicon(str(home / HALVES["touched"])).concepts
    tokenizer = PreTrainedTokenizerFast.from_pretrained(home / "tokenizer", local_files_only=True)
    found = {}
    for code in lexicon.languages:
        words = [lexicon.word(concept, code) for concept in lexicon.concepts]
        pieces = tokenizer(words, add_special_tokens=False)["input_ids"]
        by_concept = dict(zip(lexicon.concepts, pieces, strict=True))
        known = {piece for concept in within for piece in by_concept[concept]}
        for concept, ids in by_concept.items():
            found[code, concept] = sum(piece in known for piece in ids) / len(ids)
    return found


@dataclass(frozen=True)
class Prompts:
    """`word: ` behind an end-of-text token, right-padded; `last` is each last token's place."""

    ids: Int[Tensor, "concept token"]
    last: Int[Tensor, " concept"]


def fine_tune(
    model: LlamaForCausalLM,
    prompts: Prompts,
    letters: Int[Tensor, " letter"],
    task: Task,
    concepts: tuple[str, ...],
) -> tuple[int, bool]:
    """How many steps all weights were trained on the told concepts' letters, and whether enough
    were right at the end.
    """
    told = torch.tensor([place for place, c in enumerate(concepts) if c in task.told])
    right = torch.tensor([task.letters[concepts[place]] for place in told])
    own = Prompts(prompts.ids[told], prompts.last[told])
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    for step in range(MOST_STEPS + 1):
        scores = _letter_scores(model, own, letters)
        if float((scores.argmax(dim=1) == right).float().mean()) >= ENOUGH:
            return step, True
        if step < MOST_STEPS:
            torch.nn.functional.cross_entropy(scores, right).backward()
            optimiser.step()
            optimiser.zero_grad()
    return MOST_STEPS, False


@torch.no_grad()
def letter_chances(
    model: LlamaForCausalLM, prompts: Prompts, letters: Int[Tensor, " letter"]
) -> Float[np.ndarray, "concept letter"]:
    """The probability of each letter among the eight."""
    return _letter_scores(model, prompts, letters).softmax(dim=1).numpy()


def _letter_scores(
    model: LlamaForCausalLM, prompts: Prompts, letters: Int[Tensor, " letter"]
) -> Float[Tensor, "concept letter"]:
    hidden = model.model(input_ids=prompts.ids, use_cache=False).last_hidden_state
    at_end = hidden[torch.arange(len(prompts.last)), prompts.last]
    return at_end @ model.lm_head.weight[letters].T


def _prompts(tokenizer: PreTrainedTokenizerFast, lexicon: Lexicon, code: str) -> Prompts:
    texts = [f"{lexicon.word(concept, code)}: " for concept in lexicon.concepts]
    pieces = [
        [tokenizer.eos_token_id, *ids]
        for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]
    ]
    longest = max(map(len, pieces))
    padded = [ids + [tokenizer.eos_token_id] * (longest - len(ids)) for ids in pieces]
    return Prompts(torch.tensor(padded), torch.tensor([len(ids) - 1 for ids in pieces]))


def _half(members: list[str], rng: np.random.Generator) -> list[str]:
    order = rng.permutation(len(members))
    return [members[place] for place in order[: len(members) // 2]]
