"""A constructed network ready to be patched, and its training run on disk."""

import json
from pathlib import Path

from meanings.core.atomic_files import atomic_folder
from meanings.core.errors import MeaningsError
from meanings.models.loading import PatchableModel, wrap_model
from meanings.validity.constructed_weights import network
from meanings.validity.constructed_words import lexicon, tokenizer
from meanings.validity.ground_truth import TOKENS_A_STEP, GroundTruth


def load(truth: GroundTruth, checkpoint: int) -> PatchableModel:
    """The constructed network, ready to be patched."""
    return wrap_model(network(truth, checkpoint), tokenizer(truth), name="known-truth")


def write(truth: GroundTruth, folder: Path) -> Path:
    """Write a training run as any other: `folder/trajectory.json`, a folder per checkpoint,
    `tokenizer/`, and `words.csv`, a word list.

    Raises MeaningsError where the folder exists and is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise MeaningsError(f"{folder}: exists already and is not empty; name a new folder")
    with atomic_folder(folder) as aside:
        tokenizer(truth).save_pretrained(aside / "tokenizer")
        rows = []
        for index, step in enumerate(truth.steps):
            network(truth, index).save_pretrained(aside / f"step-{step:06}")
            rows.append({"step": step, "tokens": step * TOKENS_A_STEP, "folder": f"step-{step:06}"})
        share = 1 / len(truth.languages)
        content = {
            "model": "known-truth",
            "training_seed": 0,
            "seen": list(truth.languages),
            "checkpoints": rows,
        }
        content["languages"] = {code: {"tier": "high", "share": share} for code in truth.languages}
        (aside / "trajectory.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
        entries = lexicon(truth).entries
        lines = [
            ",".join([concept, *(entries[concept][code][0] for code in truth.languages)])
            for concept in entries
        ]
        (aside / "words.csv").write_text(
            "\n".join([",".join(["concept", *truth.languages]), *lines]) + "\n", encoding="utf-8"
        )
    return folder
