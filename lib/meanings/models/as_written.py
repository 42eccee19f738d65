"""What a library reinterprets on loading, held against the files: floating type, weights, tied
embeddings, and the settings of config.json.

A class may take a default of its own where a file says something else, tie an output matrix that
the file holds apart, or leave the rotary base behind. Each gives numbers, and wrong ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from meanings.core.errors import MeaningsError, one_of

# What config.json may say otherwise than the loaded configuration, without any effect on a number.
WITHOUT_EFFECT = frozenset(
    "architectures auto_map dtype torch_dtype transformers_version use_cache _name_or_path"
    " output_attentions output_hidden_states return_dict _attn_implementation"
    " rope_theta rope_scaling rope_parameters rotary_emb_base rotary_pct rope_local_base_freq"
    " partial_rotary_factor".split()
)
ROWS = 3  # of each matrix that are compared: first, middle, last


def check_as_written(folder: Path, network: nn.Module, dtype: torch.dtype) -> None:
    """That the network has the type asked for, and the weights and settings that the files say.

    Raises MeaningsError naming the first thing that differs, in the file and as loaded.
    """
    for name, parameter in network.named_parameters():
        if parameter.is_floating_point() and parameter.dtype != dtype:
            _refuse(folder, f"{name} is {parameter.dtype}", f"{dtype} was asked for")
    _check_settings(folder, network)
    _check_rotary(folder, network)
    _check_weights(folder, network)


def _refuse(folder: Path, loaded: str, written: str) -> None:
    raise MeaningsError(
        f"{folder}: as transformers loads it, {loaded}, but {written}; its numbers would not "
        f"describe this model: use a version of transformers that reads it as written, or correct "
        f"the file"
    )


def _settings(folder: Path) -> dict[str, Any]:
    """config.json, of the language model where it describes several."""
    whole = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    inner = whole.get("text_config")
    return whole | inner if isinstance(inner, dict) else whole


def _check_settings(folder: Path, network: nn.Module) -> None:
    written = _settings(folder)
    loaded = network.config.get_text_config(decoder=True)
    names = {v: k for k, v in getattr(loaded, "attribute_map", {}).items()}
    for key, value in written.items():
        if key in WITHOUT_EFFECT or isinstance(value, dict):
            continue
        found = getattr(loaded, names.get(key, key), value)
        if isinstance(found, tuple):
            found = list(found)
        if found != value:
            _refuse(folder, f"{key} is {found!r}", f"config.json says {value!r}")


def _check_rotary(folder: Path, network: nn.Module) -> None:
    """Frequencies of rotary positions of the plain kind against the bases that the file names."""
    bases = _rotary_bases(_settings(folder))
    for name, found in network.named_buffers():
        if not bases or not name.endswith("inv_freq") or "original" in name:
            continue
        powers = torch.arange(0, 2 * len(found), 2, dtype=torch.float64) / (2 * len(found))
        if not any(
            torch.allclose(found.double().cpu(), base**-powers, rtol=1e-4) for base in bases
        ):
            loaded = float(found[1]) ** -len(found)
            _refuse(folder, f"the rotary base is {loaded:g}", f"config.json says {one_of(bases)}")


def _rotary_bases(written: Mapping[str, Any]) -> list[float]:
    """The bases that config.json names, where none of them is scaled; else none."""
    parameters = written.get("rope_parameters") or {}
    kinds = [each for each in parameters.values() if isinstance(each, dict)] or [parameters]
    scaled = written.get("rope_scaling") or any(
        each.get("rope_type", "default") != "default" for each in kinds
    )
    names = ("rope_theta", "rotary_emb_base", "rope_local_base_freq")
    found = [each.get("rope_theta") for each in kinds] + [written.get(name) for name in names]
    return [] if scaled else sorted({float(base) for base in found if base is not None})


def _check_weights(folder: Path, network: nn.Module) -> None:
    """Rows of every tensor that the file and the network call by one name, and of the matrix that
    gives the logits.
    """
    loaded = dict(network.named_parameters(remove_duplicate=False))
    output = network.get_output_embeddings().weight
    tied = network.get_input_embeddings().weight is output
    compared = 0
    for name, rows in _written_rows(folder):
        own = loaded.get(name)
        if own is None or own.ndim != rows.ndim or own.shape[1:] != rows.shape[1:]:
            continue
        compared += 1
        picked = own[_places(len(own))].cpu()
        if not torch.allclose(picked, rows.to(picked.dtype), rtol=0, atol=0, equal_nan=True):
            said = "is tied to the embeddings" if own is output and tied else "has other values"
            _refuse(folder, f"{name} {said}", "the weights' file has its own")
    if not compared:
        raise MeaningsError(
            f"{folder}: no tensor of the weights' file has the name of a parameter of "
            f"{type(network).__name__}; it has {one_of(list(loaded), 3)}"
            "; correct the names, or convert the weights again"
        )


def _written_rows(folder: Path) -> Iterator[tuple[str, Tensor]]:
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as tensors:
            for name in tensors.keys():
                part = tensors.get_slice(name)
                if shape := part.get_shape():
                    yield name, torch.cat([part[i : i + 1] for i in _places(shape[0])])


def _places(length: int) -> list[int]:
    return sorted({0, length // 2, length - 1})
