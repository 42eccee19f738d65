"""Train the miniature for longer than the shipped run, so that *longer* can be told from *decayed*.

The shipped run lowers its learning rate over its last 40 %, so its late checkpoints differ in two
ways: they saw more text, and their rate was lower. Here a trunk goes on at the full rate, and short
decays of equal length branch off it. Two finished models then differ in the length of training
alone, and a finished model and its trunk checkpoint differ in the decay alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator
from safetensors.torch import load_file
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast

from meanings.core.atomic_files import atomic_file, remove_leftovers
from meanings.core.errors import MeaningsError, one_of
from meanings.core.yaml_files import read_yaml
from meanings.miniature import run_folder, training
from meanings.miniature.batches import Batches
from meanings.miniature.corpus import Corpus
from meanings.miniature.recipe import Schedule
from meanings.miniature.run_lock import only_trainer

PLAN = "long_run.yaml"
TRUNK, FINISHED = "trunk", "finished"


class LongRun(BaseModel):
    """The steps of the trunk's checkpoints, and the branches that decay from some of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trunk: tuple[int, ...] = Field(min_length=2)
    decay_from: tuple[int, ...] = Field(min_length=1)
    decay_steps: int = Field(ge=1)
    warmup_steps: int = Field(ge=0)

    @model_validator(mode="after")
    def _rising(self) -> LongRun:
        for name in ("trunk", "decay_from"):
            steps = getattr(self, name)
            if list(steps) != sorted(set(steps)) or steps[0] < 1:
                raise ValueError(f"{name} must rise, from step 1 or later")
        late = [s for s in self.decay_from if s > self.trunk[0] and s not in self.trunk]
        if late:
            raise ValueError(f"decay_from: {late[0]} is no step of the trunk")
        return self


@dataclass(frozen=True)
class Leg:
    """A stretch of training between two checkpoints, with fresh optimisers at its start."""

    branch: str  # trunk or finished
    start: int  # step
    end: int  # step
    fraction: Callable[[int], float]  # steps since the start -> learning rate over its peak


def load_long_run(folder: Path) -> LongRun:
    """The plan in a recipe's folder. Raises MeaningsError naming the file and the field."""
    return read_yaml(folder / PLAN, LongRun)


def legs(plan: LongRun, schedule: Schedule) -> Iterator[Leg]:
    """All legs, in the order of their training: a branch follows the leg that it starts from."""

    def warm(done: int) -> float:
        return min(1.0, (done + 1) / max(1, plan.warmup_steps))

    def decaying(done: int) -> float:
        return warm(done) * max(schedule.final_fraction, 1 - done / plan.decay_steps)

    ends = dict(zip(plan.trunk[1:], plan.trunk, strict=False))
    for step in sorted({*ends, *plan.decay_from}):
        if step in ends:
            yield Leg(TRUNK, ends[step], step, warm)
        if step in plan.decay_from:
            yield Leg(FINISHED, step, step + plan.decay_steps, decaying)


def train_long_run(
    plan: LongRun, corpus: Corpus, shipped: Path, folder: Path, progress: bool = True
) -> Path:
    """`folder`, with the trajectories `trunk/` and `finished/`; a killed run is trained on.

    - `shipped`: the trajectory that the trunk goes on from; its seed decides the text.

    Raises MeaningsError where the shipped run lacks a checkpoint at its full rate that the plan
    starts from, where the folder holds another plan, and where another process trains it.
    """
    schedule = corpus.mix.training
    seed = json.loads((shipped / "trajectory.json").read_text(encoding="utf-8"))["training_seed"]
    _check_starts(plan, schedule, shipped)
    folder.mkdir(parents=True, exist_ok=True)
    with only_trainer(folder), training.one_thread():
        remove_leftovers(folder)
        _check_plan(folder, corpus, plan)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(
            shipped / "tokenizer", local_files_only=True
        )
        for leg in legs(plan, schedule):
            home = folder / leg.branch
            if not (home / run_folder.step_folder(leg.end)).exists():
                _train_leg(leg, corpus, tokenizer, seed, shipped, folder, progress)
            tokenizer.save_pretrained(home / "tokenizer")
            _write_trajectory(home, leg.branch, corpus, plan, seed)
    return folder


def _train_leg(
    leg: Leg,
    corpus: Corpus,
    tokenizer: PreTrainedTokenizerFast,
    seed: int,
    shipped: Path,
    folder: Path,
    progress: bool,
) -> None:
    """Train one leg to its end and keep its weights; a leg that was killed goes on."""
    state = folder / f"{leg.branch}-{leg.start:06d}.pt"
    run = training.begin(corpus.mix, seed)
    if state.exists():
        run.restore(state)
    else:
        _start_from(run, leg.start, (folder / TRUNK, shipped))
    batches = Batches(corpus, tokenizer, seed)
    with tqdm(
        total=leg.end - leg.start,
        initial=run.step - leg.start,
        desc=f"{leg.branch} {leg.start} to {leg.end}",
        unit="step",
        disable=not progress,
    ) as bar:
        while run.step < leg.end:
            if run.step % training.STATE_EVERY == 0:
                run.save(state)
            batch = batches.at(run.step)
            fraction = leg.fraction(run.step - leg.start)
            loss = training.train_step(run, batch, corpus.mix.training, fraction)
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update()
    training.save_checkpoint(run, folder / leg.branch)
    state.unlink(missing_ok=True)


def _start_from(run: training.Run, step: int, homes: tuple[Path, ...]) -> None:
    """Give the run the kept weights of a step, from the first home that has them."""
    path = next(
        path
        for home in homes
        if (path := home / run_folder.step_folder(step) / "model.safetensors").is_file()
    )
    weights = load_file(path)
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    run.model.load_state_dict(weights)
    run.step = step


def _check_starts(plan: LongRun, schedule: Schedule, shipped: Path) -> None:
    full_rate = schedule.steps * schedule.decay_from
    for step in (plan.trunk[0], *(s for s in plan.decay_from if s < plan.trunk[0])):
        if not (shipped / run_folder.step_folder(step)).is_dir() or step > full_rate:
            there = [s for s in schedule.checkpoints if 0 < s <= full_rate]
            raise MeaningsError(
                f"{PLAN}: step {step} is no checkpoint of {shipped} before its decay; "
                f"allowed are {one_of(map(str, there))}"
            )


def _check_plan(folder: Path, corpus: Corpus, plan: LongRun) -> None:
    """Raise MeaningsError where the folder holds a run of another recipe or plan."""
    path = folder / "recipe.json"
    content = json.loads(run_folder.recipe_of(corpus)) | {"long_run": plan.model_dump(mode="json")}
    text = json.dumps(content, indent=1) + "\n"
    if not path.exists():
        with atomic_file(path) as aside:
            aside.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        raise MeaningsError(
            f"{folder}: holds a run of another recipe or plan; give another folder, or remove this "
            "one"
        )


def _write_trajectory(home: Path, branch: str, corpus: Corpus, plan: LongRun, seed: int) -> None:
    """List the checkpoints that are there so far, so that an unfinished run can be measured."""
    steps = plan.trunk[1:] if branch == TRUNK else [s + plan.decay_steps for s in plan.decay_from]
    there = [step for step in steps if (home / run_folder.step_folder(step)).is_dir()]
    run_folder.write_trajectory(home, corpus, seed, f"long-run-{branch}", there)
