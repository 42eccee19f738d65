"""A training trajectory: the checkpoints of one run in order, and the file that lists them.

`trajectory.json`, in a folder of its own:

    {"model": "miniature", "training_seed": 0, "seen": ["de", "en", ...],
     "checkpoints": [{"step": 0, "tokens": 0, "folder": "step-000000"}, ...]}

with one Hugging Face folder per checkpoint beside it. The tokenizer lies in its folder `tokenizer`
or where the key `tokenizer` points.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from meanings.core.errors import MeaningsError, one_of
from meanings.lexicon.lexicon import Lexicon
from meanings.models.checkpoint import Checkpoint
from meanings.models.subsampling import parse_rule, spread
from meanings.models.training_text import TrainingText, text_of


@dataclass(frozen=True)
class Trajectory:
    """Checkpoints of one training run, in order of their steps.

    - `languages`: what is known of the training mix, by code (`tier`, `share`); `seen`: codes
      trained on.
    - `rule`: its own subsampling, in the words of `meanings.models.subsampling`.
    - `text`: which words stand side by side in the training text, where that is known.
    """

    model: str
    training_seed: int
    checkpoints: tuple[Checkpoint, ...]
    languages: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    rule: str = "all"
    text: TrainingText | None = None

    @property
    def steps(self) -> tuple[int, ...]:
        """Training steps of the checkpoints, in order."""
        return tuple(checkpoint.step for checkpoint in self.checkpoints)

    @property
    def last(self) -> Checkpoint:
        """The checkpoint with the most training."""
        return self.checkpoints[-1]

    def at(self, step: int) -> Checkpoint:
        """The checkpoint at `step`. Raises MeaningsError listing the steps."""
        for checkpoint in self.checkpoints:
            if checkpoint.step == step:
                return checkpoint
        raise MeaningsError(
            f"{self.model} (training seed {self.training_seed}) has no checkpoint at step "
            f"{step!r}: its steps are {one_of(self.steps)}"
        )

    def thin(self, wanted: int | str) -> Trajectory:
        """So many checkpoints spread from the first to the last, or those that a rule keeps;
        `default` is the model's own rule.

        Raises MeaningsError where fewer than 2 are asked for or the rule is none.
        """
        if isinstance(wanted, str):
            indices = parse_rule(self.rule if wanted == "default" else wanted)(self.steps)
        elif wanted < 2:
            raise MeaningsError(
                f"cannot keep {wanted!r} checkpoints: a trajectory has a first and a last, so ask "
                "for 2 or more"
            )
        else:
            indices = spread(len(self.checkpoints), wanted)
        return replace(self, checkpoints=tuple(self.checkpoints[i] for i in indices))


def read_trajectory(file: Path) -> Trajectory:
    """The trajectory that `file` describes; folders in it are relative to it."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        rows: Sequence[dict[str, Any]] = content["checkpoints"]
        found = [
            (int(row["step"]), int(row["tokens"]), file.parent / str(row["folder"])) for row in rows
        ]
        model, seed = str(content["model"]), int(content["training_seed"])
        languages, seen = dict(content.get("languages", {})), content.get("seen", [])
        named = content.get("tokenizer")
        if not isinstance(seen, list) or not all(isinstance(code, str) for code in seen):
            raise TypeError("seen: expected a list of language codes")
        if not isinstance(named, str | None):
            raise TypeError("tokenizer: expected the name of its folder")
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise MeaningsError(f"{file}: cannot be read as JSON: {error}; correct the file") from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MeaningsError(
            f"{file}: expected model, training_seed and checkpoints, each with step, tokens and "
            f"folder; {type(error).__name__}: {error}"
        ) from None
    steps = [step for step, _, _ in found]
    if not found or steps != sorted(set(steps)):
        raise MeaningsError(
            f"{file}: checkpoints must be listed once each in order of their steps, found "
            f"{one_of(steps)}"
        )
    for _, _, folder in found:
        if not folder.is_dir():
            raise MeaningsError(
                f"{file}: lists checkpoint folder {folder.name!r}, which does not exist"
                "; copy it there, or take it off the list"
            )
    tokenizer = _tokenizer_folder(file.parent, named)
    checkpoints = tuple(
        Checkpoint(model, seed, step, tokens, path=folder, tokenizer=tokenizer)
        for step, tokens, folder in found
    )
    text = text_of(content, str(file))
    return Trajectory(model, seed, checkpoints, languages, tuple(seen), text=text)


def _tokenizer_folder(folder: Path, named: str | None) -> Path | None:
    """Where the tokenizer lies: as named, in the folder itself, or with seed 0; None where it lies
    beside the weights.
    """
    if named is not None:
        return folder / named
    places = (folder / "tokenizer", folder.parent / "seed-0" / "tokenizer")
    return next((place for place in places if place.is_dir()), None)


def seen_languages(run: Trajectory, lexicon: Lexicon) -> tuple[str, ...]:
    """The model's seen languages that the lexicon has words in, sorted."""
    return tuple(sorted(set(run.seen) & set(lexicon.languages)))
