"""The checkpoints of a registered model: revisions of a repository on the hub, folders in one, or
local folders of several training phases.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from meanings.core.errors import MeaningsError, one_of
from meanings.models.checkpoint import Checkpoint
from meanings.models.registry import Entry, compiled


def checkpoints_of(model: str, entry: Entry) -> tuple[Checkpoint, ...]:
    """The checkpoints of a registered model, in order of their steps.

    Raises MeaningsError where the hub, or the folder on this machine, does not have them.
    """
    if entry.folders:
        return _of_folders(model, entry)
    if entry.revisions is not None:
        return _of_revisions(model, entry, entry.revisions)
    return _of_main(model, entry)


def _of_main(model: str, entry: Entry) -> tuple[Checkpoint, ...]:
    """The branch main of a hub repository as the one checkpoint, or those of its folders that the
    entry's pattern matches, by step.
    """
    found = dict(sorted(_revisions(str(entry.hub)).items()))
    if "main" not in found:
        raise MeaningsError(
            f"{model}: {entry.hub} has no revision main; it has {one_of(found, 8)}"
            f"; write `revisions` with {{step}} in models.yaml"
        )
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
            f"{entry.subfolders!r}; it has {one_of(places, 8)}; correct `subfolders` in models.yaml"
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
            f"{one_of(found, 8)}; correct `revisions` in models.yaml"
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


def _of_folders(model: str, entry: Entry) -> tuple[Checkpoint, ...]:
    """Checkpoint folders phase by phase; steps go on from the last one of the phase before."""
    if entry.root is None:
        raise MeaningsError(
            f"{model} is not public: in a file models.yaml write '{model}: {{like: {model}, root: "
            f"/path/to/its/folders}}'"
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
                "; correct `folders` or `root` in models.yaml"
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
