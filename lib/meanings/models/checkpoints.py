"""The training trajectory of a model, by its name or its folder.

A trajectory ships in the data folder, lies in a folder with `trajectory.json`, or is that of a
registered model.
"""

from __future__ import annotations

from pathlib import Path

from meanings.core.errors import MeaningsError, one_of
from meanings.core.paths import data_folder
from meanings.models.registered_checkpoints import checkpoints_of
from meanings.models.registry import registry
from meanings.models.trajectories import Trajectory, read_trajectory


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
    checkpoints = checkpoints_of(source, entry)
    return Trajectory(source, 0, checkpoints, {}, entry.languages, entry.subsample)


def shipped() -> dict[str, tuple[int, ...]]:
    """Training seeds of the models in the data folder, by name: the default model first."""
    found: dict[str, tuple[int, ...]] = {}
    for file in sorted(data_folder().glob("*/seed-*/trajectory.json")):
        seed = file.parent.name.removeprefix("seed-")
        if seed.isdecimal():
            name = file.parent.parent.name
            found[name] = (*found.get(name, ()), int(seed))
    return found
