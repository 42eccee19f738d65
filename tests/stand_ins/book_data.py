"""A folder of data and results that the book's tests share: the real lexicon, a fake trajectory,
synthetic cells.
"""

from pathlib import Path

from meanings.core.paths import data_folder
from meanings.models.checkpoint import weights_identity
from meanings.models.trajectories import read_trajectory
from stand_ins import synthetic_cells

PAIRS = ("fr-es", "en-de", "de-en", "pl-fi")
STEPS = (0, 400, 1600, 6400)
PUBLISHED = [
    f"{name}.parquet"
    for name in (
        "abilities",
        "cka",
        "clamping",
        *(
            f"clones-{name}"
            for name in (
                "cka",
                "cosines",
                "embeddings",
                "patching",
                "retrieval",
                "tasks",
                "text",
                "training",
            )
        ),
        "controls",
        "expert_units",
        "gemma-3-270m-am2ico",
        "gemma-3-270m-gender",
        "gemma-3-270m-pud-cka",
        "gemma-3-270m-pud-expert-units",
        "gemma-3-270m-pud-language-id",
        "gemma-3-270m-pud-neuron-overlap",
        "gemma-3-270m-pud-retrieval",
        "gemma-3-270m-pud-structure",
        "gemma-3-270m-reading",
        "gender",
        "language_id",
        "long_run",
        "meaning_in_context",
        "miniature",
        "miniature-answers",
        "neuron_overlap",
        "reading",
        "reinitialisation",
        "relations",
        "retrieval",
        "sensitivity",
        "structure",
        "targeted",
        "word_overlap",
        "worlds",
    )
]


def make(folder: Path) -> Path:
    """`folder/data` and `folder/results`; returns the results' folder. Steps and pairs are few, so
    that tests are quick.
    """
    data = folder / "data"
    (data / "miniature").mkdir(parents=True)
    (data / "lexicon").symlink_to(data_folder() / "lexicon")
    (data / "miniature" / "mix.yaml").symlink_to(data_folder() / "miniature" / "mix.yaml")
    associations = Path("miniature") / "associations.csv"
    (data / associations).symlink_to(data_folder() / associations)
    # What chapters show beside their own cells, whatever these are.
    (data / "annotation").symlink_to(data_folder() / "annotation")
    (data / "published").mkdir()
    for name in PUBLISHED:
        (data / "published" / name).symlink_to(data_folder() / "published" / name)
    synthetic_cells.write_trajectory(data / "miniature" / "seed-0", STEPS)
    synthetic_cells.write_results(
        folder / "results", steps=STEPS, pairs=PAIRS, n_prompts=8, weights=weights(folder)
    )
    return folder / "results"


def weights(folder: Path) -> dict[int, str]:
    """The hash of each step's weights, as the planner sees them."""
    run = read_trajectory(folder / "data" / "miniature" / "seed-0" / "trajectory.json")
    return {checkpoint.step: weights_identity(checkpoint) for checkpoint in run.checkpoints}
