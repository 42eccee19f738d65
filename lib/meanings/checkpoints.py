"""A model's training trajectory: its checkpoints in order, with the steps and tokens seen.

A trajectory is a folder with `trajectory.json`:

    {"model": "miniature", "training_seed": 0, "seen": ["de", "en", ...],
     "checkpoints": [{"step": 0, "tokens": 0, "folder": "step-000000"}, ...]}

and one Hugging Face folder a checkpoint. The tokenizer lies in its folder `tokenizer` or where the key `tokenizer` points.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from meanings.errors import MeaningsError, one_of
from meanings.folders import data_folder


@dataclass(frozen=True)
class Checkpoint:
    """A model at one moment of its training.

    - `step`: optimiser steps done, 0 is before training; `tokens`: tokens seen.
    - `path`: folder of a local checkpoint; else `source` at `revision` on the hub.
    - `tokenizer`: folder of the tokenizer, where it does not lie beside the weights.
    """

    model: str
    training_seed: int
    step: int
    tokens: int
    path: Path | None = None
    source: str | None = None
    revision: str | None = None
    tokenizer: Path | None = None

    def load(self, *, dtype: str = "float32", device: str = "auto"):
        """The PatchableModel of this checkpoint (torch is imported here, so that listing steps needs none)."""
        from meanings.models import load_model

        return load_model(
            self.path if self.path is not None else str(self.source),
            dtype=dtype,
            device=device,
            revision=self.revision,
            name=self.model,
            tokenizer=self.tokenizer,
        )


@dataclass(frozen=True)
class Trajectory:
    """Checkpoints of one training run, in order of their steps.

    - `languages`: what is known of the training mix, by code (`tier`, `share`); `seen`: codes trained on.
    """

    model: str
    training_seed: int
    checkpoints: tuple[Checkpoint, ...]
    languages: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[int, ...]:
        return tuple(checkpoint.step for checkpoint in self.checkpoints)

    @property
    def last(self) -> Checkpoint:
        return self.checkpoints[-1]

    def at(self, step: int) -> Checkpoint:
        """The checkpoint at `step`. Raises MeaningsError listing the steps."""
        for checkpoint in self.checkpoints:
            if checkpoint.step == step:
                return checkpoint
        raise MeaningsError(
            f"{self.model} (training seed {self.training_seed}) has no checkpoint at step {step!r}: its steps are {one_of(self.steps)}"
        )

    def subsample(self, stride: Callable[[int], int]) -> Trajectory:
        """The checkpoints whose index i (from 0) is a multiple of `stride(i)`, and the last one."""
        last = len(self.checkpoints) - 1
        kept = (c for i, c in enumerate(self.checkpoints) if i % stride(i) == 0 or i == last)
        return replace(self, checkpoints=tuple(kept))

    def spread(self, count: int) -> Trajectory:
        """`count` checkpoints at even distances in the list, first and last among them; all where there are fewer."""
        last = len(self.checkpoints) - 1
        if count < 2:
            raise MeaningsError(f"cannot keep {count!r} checkpoints: a trajectory has a first and a last, so ask for 2 or more")
        if count > last:
            return self
        return replace(self, checkpoints=tuple(self.checkpoints[round(i * last / (count - 1))] for i in range(count)))


def strides(*steps: tuple[int, int], rest: int) -> Callable[[int], int]:
    """A rule for `Trajectory.subsample`: `strides((10, 1), (20, 2), rest=5)` is all below 10, every 2nd below 20, then every 5th."""
    return lambda index: next((stride for below, stride in steps if index < below), rest)


# The papers' rules (When Meanings Meet, 2026), by model family.
SUBSAMPLING: dict[str, Callable[[int], int]] = {
    "eurollm": strides((10, 1), (20, 2), rest=5),
    "olmo-2": strides((10, 1), (20, 2), (30, 10), rest=20),
    "apertus": strides((10, 1), (20, 2), (30, 5), rest=10),
    "bloom": strides(rest=1),
}


def trajectory(source: str | Path, training_seed: int = 0) -> Trajectory:
    """The trajectory named `source` (a folder of the data folder, as `miniature`), or of any folder with trajectory.json.

    Raises MeaningsError where there is none, where the file is malformed or lists a folder that is not there.
    """
    folder = Path(source)
    if not (folder / "trajectory.json").is_file():
        if isinstance(source, Path) or "/" in source or folder.is_dir():
            raise MeaningsError(f"{folder}: no trajectory.json; give a folder that has one, or the name of a shipped model")
        folder = data_folder() / source / f"seed-{training_seed}"
        if not (folder / "trajectory.json").is_file():
            raise MeaningsError(
                f"no trajectory of model {source!r} with training seed {training_seed!r}: there are {one_of(_shipped(data_folder()))}"
            )
    return read_trajectory(folder / "trajectory.json")


def read_trajectory(file: Path) -> Trajectory:
    """The trajectory that `file` describes; folders in it are relative to it."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        rows: Sequence[dict[str, Any]] = content["checkpoints"]
        found = [(int(row["step"]), int(row["tokens"]), file.parent / str(row["folder"])) for row in rows]
        model, seed = str(content["model"]), int(content["training_seed"])
        languages, seen = dict(content.get("languages", {})), tuple(map(str, content.get("seen", ())))
        named = content.get("tokenizer")
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise MeaningsError(f"{file}: cannot be read as JSON: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MeaningsError(
            f"{file}: expected model, training_seed and checkpoints, each with step, tokens and folder; {type(error).__name__}: {error}"
        ) from None
    steps = [step for step, _, _ in found]
    if not found or steps != sorted(set(steps)):
        raise MeaningsError(f"{file}: checkpoints must be listed once each in order of their steps, found {one_of(steps)}")
    for _, _, folder in found:
        if not folder.is_dir():
            raise MeaningsError(f"{file}: lists checkpoint folder {folder.name!r}, which is not there")
    tokenizer = _tokenizer_folder(file.parent, named)
    checkpoints = tuple(Checkpoint(model, seed, step, tokens, path=folder, tokenizer=tokenizer) for step, tokens, folder in found)
    return Trajectory(model, seed, checkpoints, languages, seen)


def _tokenizer_folder(folder: Path, named: str | None) -> Path | None:
    """Where the tokenizer lies: as named, in the folder itself, or with seed 0; None where it lies beside the weights."""
    if named is not None:
        return folder / named
    places = (folder / "tokenizer", folder.parent / "seed-0" / "tokenizer")
    return next((place for place in places if place.is_dir()), None)


def _shipped(data: Path) -> list[str]:
    return sorted(f"{file.parent.parent.name} {file.parent.name}" for file in data.glob("*/seed-*/trajectory.json"))
