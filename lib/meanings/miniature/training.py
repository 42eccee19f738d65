"""Training the miniature from step 0, with its checkpoints, resumable at any moment."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import save_file
from tqdm import tqdm
from transformers import LlamaConfig, LlamaForCausalLM

from meanings.core.atomic_files import atomic_file, atomic_folder, remove_leftovers
from meanings.core.status_line import Report, unreported
from meanings.miniature.batches import Batch, Batches
from meanings.miniature.corpus import Corpus
from meanings.miniature.recipe import Mix, Schedule
from meanings.miniature.run_folder import (
    check_recipe,
    note_seconds,
    run_tokenizer,
    step_folder,
    write_trajectory,
    write_words,
)
from meanings.miniature.run_lock import only_trainer

STATE = (
    "state.pt"  # the run's own state, read back with weights_only; removed once the run is finished
)
STATE_EVERY = 100  # steps between two saved states


@dataclass
class Run:
    """The state of a training run: the model, its optimisers, and how many steps are done.

    - `compiled`: whether the loss may be compiled, which takes longer than some hundred steps gain.
    - `seconds`: processor time of the steps so far.
    """

    model: LlamaForCausalLM
    optimisers: tuple[torch.optim.Optimizer, ...]
    step: int = 0
    compiled: bool = True
    seconds: float = 0.0

    @cached_property
    def loss(self) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        """The loss of some inputs and targets, in nats per token; compiled where there is a C++
        compiler (a third less time per step).
        """

        def mean_cross_entropy(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = self.model(input_ids=inputs, use_cache=False).logits
                return torch.nn.functional.cross_entropy(
                    logits.flatten(0, 1).float(), targets.flatten()
                )

        can = self.compiled and shutil.which("g++")
        return torch.compile(mean_cross_entropy) if can else mean_cross_entropy

    def save(self, path: Path) -> None:
        """Write the state to a file, whole or not at all."""
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
        }
        with atomic_file(path) as aside:
            torch.save(state, aside)

    def restore(self, path: Path) -> None:
        """Take over the state that `save` wrote."""
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step = state["step"]
        self.seconds = state.get("seconds", 0.0)


def train(
    corpus: Corpus,
    seed: int,
    folder: Path,
    progress: bool = True,
    name: str = "miniature",
    report: Report = unreported,
) -> Path:
    """The folder of one seed's training run, `folder/seed-SEED`, trained to the end from where an
    earlier run was killed.

    - `name`: the model's, in its results.
    - `report`: is told how many steps are done.
    - `seed`: decides the initial weights and the order of the text; the recipe's folds and
      tokenizer do not depend on it.

    The folder holds `trajectory.json`, `tokenizer/`, one `step-NNNNNN/` per checkpoint, in
    bfloat16, `seconds.json`, and `signs.csv`, its lexicon, where the languages are written in signs
    of their own.

    Raises MeaningsError where the folder holds a run with another recipe, or another process is
    training it.
    """
    home = folder / f"seed-{seed}"
    home.mkdir(parents=True, exist_ok=True)
    with only_trainer(home):
        remove_leftovers(home)
        check_recipe(home, corpus)
        tokenizer = run_tokenizer(home, corpus)
        run = begin(corpus.mix, seed)
        if (home / STATE).exists():
            run.restore(home / STATE)
        with one_thread():
            batches = Batches(corpus, tokenizer, seed)
            _train_to_the_end(run, corpus.mix.training, batches, home, progress, report)
        write_words(home, corpus)
        write_trajectory(home, corpus, seed, name, corpus.mix.training.checkpoints)
        (home / STATE).unlink(missing_ok=True)
    return home


def _train_to_the_end(
    run: Run, schedule: Schedule, batches: Batches, home: Path, progress: bool, report: Report
) -> None:
    with tqdm(
        total=schedule.steps,
        initial=run.step,
        desc=home.name.replace("-", " "),
        unit="step",
        disable=not progress,
    ) as bar:
        while True:
            report("training: step", run.step, schedule.steps)
            if run.step in schedule.checkpoints:
                save_checkpoint(run, home)
                note_seconds(home, run.step, run.seconds)
            if run.step >= schedule.steps:
                return
            if run.step % STATE_EVERY == 0:
                run.save(home / STATE)
            began = time.process_time()
            loss = train_step(run, batches.at(run.step), schedule, rate(run.step, schedule))
            run.seconds += time.process_time() - began
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update()


@contextmanager
def one_thread() -> Iterator[None]:
    """A context in which torch uses one thread: matrices this small gain nothing from more, and
    the order of sums, hence the weights, depends on their number.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def begin(mix: Mix, seed: int) -> Run:
    """A model with the seed's initial weights, and fresh optimisers."""
    torch.manual_seed(seed)
    shape = mix.model.model_dump()
    rope = {"rope_type": "default", "rope_theta": shape.pop("rope_theta")}
    model = LlamaForCausalLM(
        LlamaConfig(
            **shape, rope_parameters=rope, tie_word_embeddings=True, bos_token_id=0, eos_token_id=0
        )
    )
    # The fused kernel's backward pass is slow on a CPU for heads this small: written out, a step
    # takes a fifth less.
    model.set_attn_implementation("eager")
    return Run(model, fresh_optimisers(model, mix.training))


def fresh_optimisers(
    model: LlamaForCausalLM, schedule: Schedule
) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the layers' matrices, AdamW for embeddings and norms, at their peak rates."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    vectors = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return (
        torch.optim.Muon(
            matrices, lr=schedule.matrix_learning_rate, weight_decay=schedule.weight_decay
        ),
        torch.optim.AdamW(
            vectors, lr=schedule.vector_learning_rate, betas=(0.9, 0.98), weight_decay=0.0
        ),
    )


def train_step(run: Run, batch: Batch, schedule: Schedule, fraction: float) -> float:
    """The loss in nats per token, of one update on the mean cross-entropy of all next tokens; a
    second loss is added before the update and not told.

    - `fraction`: the learning rate over its peak, see `rate`.
    """
    peaks = (schedule.matrix_learning_rate, schedule.vector_learning_rate)
    for optimiser, peak in zip(run.optimisers, peaks, strict=True):
        for group in optimiser.param_groups:
            group["lr"] = peak * fraction
    loss = run.loss(torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets))
    second = batch.second(run.model)
    (loss if second is None else loss + second).backward()
    torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
    for optimiser in run.optimisers:
        optimiser.step()
        optimiser.zero_grad()
    run.step += 1
    return loss.item()


def rate(step: int, schedule: Schedule) -> float:
    """The learning rate as a fraction of its peak: linear warm-up, flat, linear decay."""
    warm = min(1.0, (step + 1) / schedule.warmup_steps)
    left = (schedule.steps - step) / (schedule.steps * (1 - schedule.decay_from))
    return warm * max(schedule.final_fraction, min(1.0, left))


def save_checkpoint(run: Run, home: Path) -> None:
    """Keep the weights, in bfloat16, in the folder of their step, unless they are there."""
    folder = home / step_folder(run.step)
    if folder.exists():
        return
    weights = {
        name: tensor.to(torch.bfloat16).contiguous()
        for name, tensor in run.model.state_dict().items()
        if name != "lm_head.weight"  # tied to the embedding
    }
    with atomic_folder(folder, first_wins=True) as aside:
        run.model.config.save_pretrained(aside)
        save_file(weights, aside / "model.safetensors", metadata={"format": "pt"})
