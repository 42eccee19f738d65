"""A model's training trajectory: its checkpoints in order, with the steps and tokens seen.

A trajectory is a folder with `trajectory.json`:

    {"model": "miniature", "training_seed": 0, "seen": ["de", "en", ...],
     "checkpoints": [{"step": 0, "tokens": 0, "folder": "step-000000"}, ...]}

and one Hugging Face folder a checkpoint. The tokenizer lies in its folder `tokenizer` or where the
key `tokenizer` points. Or it is a model of the registry, whose checkpoints are revisions of a
repository on the hub, folders in one, or local folders of several phases.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from meanings.core.errors import MeaningsError, one_of
from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import Lexicon
from meanings.models.registry import Entry, compiled, registry
from meanings.models.subsampling import parse_rule, spread
from meanings.models.training_text import TrainingText, text_of


@dataclass(frozen=True)
class Checkpoint:
    """A model at one moment of its training.

    - `step`: optimiser steps done, 0 is before training; `tokens`: tokens seen.
    - `path`: folder of a local checkpoint; else `source` at `revision` on the hub, which was
      `commit` when it was listed, and there `subfolder`, empty for the repository's root.
    - `tokenizer`: folder of a local checkpoint's tokenizer, where it does not lie beside the
      weights.
    """

    model: str
    training_seed: int
    step: int
    tokens: int
    path: Path | None = None
    source: str | None = None
    revision: str | None = None
    commit: str | None = None
    tokenizer: Path | None = None
    subfolder: str = ""

    @property
    def origin(self) -> dict[str, str]:
        """Where it was taken from, for the provenance: nothing of a local path, which says nothing
        elsewhere.
        """
        found = {
            "source": self.source,
            "revision": self.revision,
            "commit": self.commit,
            "subfolder": self.subfolder or None,
        }
        return {name: value for name, value in found.items() if value is not None}

    @property
    def is_here(self) -> bool:
        """Whether its weights are on this machine."""
        if self.source is None:
            return self.path is not None and any(self.path.glob("*.safetensors"))
        from meanings.models.hub import has_weights

        here = _cached(self.source).get(str(self.commit), {})
        return has_weights(self.source, str(self.commit), self.subfolder, here)

    @contextmanager
    def held(self, *, drop: bool = False) -> Iterator[None]:
        """While it is in use; with `drop`, one of the hub leaves the cache afterwards unless
        another run still uses it.
        """
        if self.source is None or self.commit is None:
            yield
            return
        from meanings.models.hub import held

        with held(self.source, self.commit, drop=drop, folder=self.subfolder):
            yield

    def fetched(self) -> tuple[Path, Path | None]:
        """Its folder, and that of its tokenizer where it does not lie beside the weights; fetched
        where they are not on this machine.
        """
        if self.source is None:
            return Path(str(self.path)), self.tokenizer
        from meanings.models.hub import fetch

        folder = fetch(self.source, self.revision, self.commit, self.subfolder)
        beside = (folder / "tokenizer.json").is_file()
        return folder, None if beside else self.tokenizer_folder()

    def tokenizer_folder(self) -> Path:
        """The folder of its tokenizer, which alone is fetched where it is not on this machine."""
        if self.source is None:
            return self.tokenizer or Path(str(self.path))
        from meanings.models.hub import fetch_tokenizer

        return fetch_tokenizer(self.source, self.revision, str(self.commit), self.subfolder)

    def load(self, *, dtype: str = "float32", device: str = "auto", way: str = "agreed"):
        """The PatchableModel of this checkpoint, fetched first where it is not on this machine; its
        tokenizer is read in this `way`.

        torch is imported here, so that listing steps needs none.
        """
        folder, tokenizer = self.fetched()
        from meanings.models.loading import load_model

        return load_model(
            folder,
            dtype=dtype,
            device=device,
            name=self.model,
            tokenizer=tokenizer,
            way=way,
        )


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

    def thin(self, asked: int | str) -> Trajectory:
        """So many checkpoints spread from the first to the last, or those that a rule keeps;
        `default` is the model's own rule.

        Raises MeaningsError where fewer than 2 are asked for or the rule is none.
        """
        if isinstance(asked, str):
            kept = parse_rule(self.rule if asked == "default" else asked)(self.steps)
        elif asked < 2:
            raise MeaningsError(
                f"cannot keep {asked!r} checkpoints: a trajectory has a first and a last, so ask "
                "for 2 or more"
            )
        else:
            kept = spread(len(self.checkpoints), asked)
        return replace(self, checkpoints=tuple(self.checkpoints[i] for i in kept))


def trajectory(source: str | Path, training_seed: int = 0) -> Trajectory:
    """The trajectory named `source` (of the data folder, as `miniature`, or of the registry), or of
    any folder with trajectory.json.

    Raises MeaningsError where there is none, where the file is malformed or lists a folder that is
    not there, and where the hub does not give a registered model.
    """
    folder = Path(source)
    if (folder / "trajectory.json").is_file():
        return read_trajectory(folder / "trajectory.json")
    if isinstance(source, Path) or "/" in source or folder.is_dir():
        raise MeaningsError(
            f"{folder}: no trajectory.json; give a folder that has one, or the name of a model"
        )
    folder = data_folder() / source / f"seed-{training_seed}"
    if (folder / "trajectory.json").is_file():
        return read_trajectory(folder / "trajectory.json")
    known = registry()
    if source not in known or training_seed != 0:
        here = [f"{name} seed-{seed}" for name, seeds in shipped().items() for seed in seeds]
        raise MeaningsError(
            f"no trajectory of model {source!r} with training seed {training_seed!r}: there are "
            f"{one_of(here)}, and, with seed 0, {one_of(known)}"
        )
    entry = known[source]
    if entry.folders:
        checkpoints = _of_folders(source, entry)
    elif entry.revisions is not None:
        checkpoints = _of_revisions(source, entry, entry.revisions)
    else:
        checkpoints = _of_main(source, entry)
    return Trajectory(source, 0, checkpoints, {}, entry.languages, entry.subsample)


def _of_main(model: str, entry: Entry) -> tuple[Checkpoint, ...]:
    """The branch main of a hub repository as the one checkpoint, or those of its folders that the
    entry's pattern matches, by step.
    """
    found = dict(sorted(_revisions(str(entry.hub)).items()))
    if "main" not in found:
        raise MeaningsError(f"{model}: {entry.hub} has no revision main; it has {one_of(found, 8)}")
    main = Checkpoint(
        model, 0, 1, entry.tokens, source=entry.hub, revision="main", commit=found["main"]
    )
    if entry.subfolders is None:
        return (main,)
    # The files may lie in a folder further down: iter_2000/hf_model.
    pattern = re.compile(compiled(entry.subfolders).pattern + "(/.*)?")
    places = sorted(
        str(PurePosixPath(path).parent)
        for path in _files(str(entry.hub), found["main"])
        if PurePosixPath(path).name == "config.json"
    )
    checkpoints: dict[int, Checkpoint] = {}
    for place in places:
        if said := pattern.fullmatch(place):
            step = int(said["step"])
            if step in checkpoints:
                raise MeaningsError(
                    f"{model}: step {step} has two folders in {entry.hub}, "
                    f"{checkpoints[step].subfolder} and {place}; write `subfolders` so that it "
                    "matches one of them"
                )
            tokens = step * entry.tokens_per_step
            checkpoints[step] = replace(main, step=step, tokens=tokens, subfolder=place)
    if not checkpoints:
        raise MeaningsError(
            f"{model}: no folder with a config.json in {entry.hub} is named like "
            f"{entry.subfolders!r}; it has {one_of(places, 8)}"
        )
    return tuple(checkpoints[step] for step in sorted(checkpoints))


def _of_revisions(model: str, entry: Entry, revisions: str) -> tuple[Checkpoint, ...]:
    """The revisions of a hub repository that the pattern matches, by step."""
    found = dict(sorted(_revisions(str(entry.hub)).items()))
    pattern = compiled(revisions)
    checkpoints = {}
    for name, commit in found.items():
        if said := pattern.fullmatch(name):
            step = int(said["step"])
            tokens = (
                int(said["billions"]) * 10**9
                if "billions" in pattern.groupindex
                else step * entry.tokens_per_step
            )
            checkpoints[step] = Checkpoint(
                model, 0, step, tokens, source=entry.hub, revision=name, commit=commit
            )
    if not checkpoints:
        raise MeaningsError(
            f"{model}: no revision of {entry.hub} is named like {revisions!r}; it has "
            f"{one_of(found, 8)}"
        )
    return tuple(checkpoints[step] for step in sorted(checkpoints))


@lru_cache
def _revisions(name: str) -> dict[str, str]:
    from meanings.models.hub import revisions

    return revisions(name)


@lru_cache
def _files(name: str, commit: str) -> dict[str, int]:
    from meanings.models.hub import files

    return files(name, commit)


@lru_cache
def _cached(name: str) -> dict[str, dict[str, int]]:
    from meanings.models.hub import cached

    return cached(name)


def _of_folders(model: str, entry: Entry) -> tuple[Checkpoint, ...]:
    """Checkpoint folders phase by phase; steps go on from the last one of the phase before."""
    if entry.root is None:
        raise MeaningsError(
            f"{model} is not public: in a file models.yaml write '{model}: {{like: {model}, root: "
            f"/where/its/folders/lie}}'"
        )
    root, before, checkpoints = Path(entry.root), 0, []
    for phase in entry.folders:
        folder, pattern = root / Path(phase).parent, compiled(Path(phase).name)
        steps = {
            int(said["step"]): place
            for place in _subfolders(folder, model)
            if (said := pattern.fullmatch(place.name))
        }
        if not steps:
            raise MeaningsError(
                f"{model}: {folder} holds no folder named like {Path(phase).name!r}"
            )
        for step in sorted(steps):
            checkpoints.append(
                Checkpoint(
                    model,
                    0,
                    before + step,
                    (before + step) * entry.tokens_per_step,
                    path=steps[step],
                )
            )
        before += max(steps)
    return tuple(checkpoints)


def _subfolders(folder: Path, model: str) -> list[Path]:
    try:
        return [place for place in folder.iterdir() if place.is_dir()]
    except OSError as error:
        raise MeaningsError(
            f"{model}: {folder} cannot be listed ({error.strerror}); give its folder as `root` in "
            "models.yaml"
        ) from None


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
        raise MeaningsError(f"{file}: cannot be read as JSON: {error}") from None
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
                f"{file}: lists checkpoint folder {folder.name!r}, which is not there"
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


def shipped() -> dict[str, tuple[int, ...]]:
    """Training seeds of the models in the data folder, by name: the default model first."""
    found: dict[str, tuple[int, ...]] = {}
    for file in sorted(data_folder().glob("*/seed-*/trajectory.json")):
        seed = file.parent.name.removeprefix("seed-")
        if seed.isdecimal():
            name = file.parent.parent.name
            found[name] = (*found.get(name, ()), int(seed))
    return found


def weights_identity(checkpoint: Checkpoint) -> str:
    """SHA-256 of the weights of a local checkpoint; of source, commit and subfolder of one on the
    hub, which name its content.
    """
    if checkpoint.path is None:
        below = f"/{checkpoint.subfolder}" if checkpoint.subfolder else ""
        named = f"{checkpoint.source}@{checkpoint.commit}{below}"
        return hashlib.sha256(named.encode()).hexdigest()
    from meanings.models.weights import hash_weights

    try:
        return hash_weights(checkpoint.path)
    except OSError as error:
        raise MeaningsError(
            f"{checkpoint.path}: the checkpoint cannot be read ({error.strerror}: "
            f"{Path(error.filename or '').name})"
        ) from None


def seen_languages(run: Trajectory, lexicon: Lexicon) -> tuple[str, ...]:
    """The model's seen languages that the lexicon has words in, sorted."""
    return tuple(sorted(set(run.seen) & set(lexicon.languages)))
