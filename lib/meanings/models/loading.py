"""Load a causal language model, find its decoder layers, and refuse weights that are incomplete or
unsafe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from nnsight import NNsight
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging as hf_logging

from meanings.core.errors import MeaningsError, one_of
from meanings.models.as_written import check_as_written
from meanings.models.hub import fetch
from meanings.models.tokenizers import ReadTokenizer, Way, read_tokenizer, special_ids
from meanings.models.weights import hash_weights

# those that compute: torch knows others that hold no numbers
DEVICES = r"cpu|(cuda|mps|xpu)(:[0-9]{1,3})?"
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class PatchableModel:
    """A model whose layers can be read and written, with its tokenizer.

    - `nn`: nnsight's wrapper; `network` is the plain module inside it.
    - `layers_path`: dotted path of the list of decoder layers, e.g. `model.layers`; layer 0 is the
      first.
    - `weights_sha256`: hash of the weight files' content, hex.
    - `read`: how the tokenizer was read, and the other way to read it; None for one made in memory.
    """

    nn: NNsight
    tokenizer: PreTrainedTokenizerFast
    layers_path: str
    n_layers: int
    d_model: int
    name: str
    dtype: str
    device: torch.device
    weights_sha256: str
    read: ReadTokenizer | None = None

    @property
    def network(self) -> torch.nn.Module:
        """The model itself, without nnsight around it."""
        return self.nn._module

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of the tokens that are marks and no text."""
        return special_ids(self.tokenizer)

    @property
    def layers(self) -> list:
        """nnsight's envoys of the decoder layers, first to last."""
        envoy = self.nn
        for part in self.layers_path.split("."):
            envoy = getattr(envoy, part)
        return list(envoy)


def read_output(output: Tensor | tuple) -> Float[Tensor, "row position d_model"]:
    """A decoder layer's hidden states, which some architectures return as the first of a tuple."""
    return output if isinstance(output, Tensor) else output[0]


def like_output(output: Tensor | tuple, hidden: Tensor) -> Tensor | tuple:
    """`hidden` packed as the layer packs its own output."""
    return hidden if isinstance(output, Tensor) else (hidden, *output[1:])


# Where the decoder layers are, by the network's class, for what `layers_path` does not find by
# itself.
_REGISTERED: dict[str, str] = {}


def register_layers(architecture: str, path: str) -> None:
    """Say where the decoder layers of an architecture are: `register_layers("NewForCausalLM",
    "decoder.blocks")`.

    - `architecture`: the class name of the network; `path`: dotted attribute path of the list of
      layers.
    """
    _REGISTERED[architecture] = path


def layers_path(network: torch.nn.Module, n_layers: int) -> str:
    """Dotted path of the list of `n_layers` decoder layers: as registered, or the outermost module
    list of that length.

    Raises MeaningsError where there is none, or two at the same depth, with the call to mend it.
    """
    name = type(network).__name__
    paths = [
        path
        for path, module in network.named_modules()
        if isinstance(module, torch.nn.ModuleList)
        and len(module) == n_layers
        and len(list(module.parameters()))
    ]
    if name in _REGISTERED:
        shallow = [path for path in paths if path == _REGISTERED[name]]
    else:
        shallow = [path for path in paths if path.count(".") == min(p.count(".") for p in paths)]
    if len(shallow) != 1:
        lists = [
            f"{path} ({len(module)})"
            for path, module in network.named_modules()
            if isinstance(module, torch.nn.ModuleList)
        ]
        raise MeaningsError(
            f"{name}: expected one list of {n_layers} decoder layers, found {one_of(shallow)}; its "
            f"module lists are {one_of(lists)}: "
            f'name the right one, as in meanings.models.loading.register_layers("{name}", '
            '"model.layers")'
        )
    return shallow[0]


def wrap_model(
    network: torch.nn.Module,
    tokenizer: PreTrainedTokenizerFast,
    *,
    name: str,
    weights_sha256: str = "",
    read: ReadTokenizer | None = None,
) -> PatchableModel:
    """A model in memory made patchable: in evaluation mode, without gradients."""
    config = network.config.get_text_config(decoder=True)
    parameter = next(network.parameters())
    network.eval().requires_grad_(False)
    # The last position's states are a slice; a product of many rows with the vocabulary is ten
    # times slower on a CPU where they do not lie side by side.
    network.get_output_embeddings().register_forward_pre_hook(
        lambda _module, inputs: (inputs[0].contiguous(), *inputs[1:])
    )
    return PatchableModel(
        nn=NNsight(network),
        tokenizer=tokenizer,
        layers_path=layers_path(network, config.num_hidden_layers),
        n_layers=config.num_hidden_layers,
        d_model=config.hidden_size,
        name=name,
        dtype=str(parameter.dtype).removeprefix("torch."),
        device=parameter.device,
        weights_sha256=weights_sha256,
        read=read,
    )


def load_model(
    path: Path | str,
    *,
    dtype: str = "float32",
    device: str = "auto",
    revision: str | None = None,
    commit: str | None = None,
    name: str | None = None,
    tokenizer: Path | None = None,
    way: Way = "agreed",
) -> PatchableModel:
    """A model from a folder in Hugging Face layout or, where no such folder exists, from the hub at
    `revision` (and `commit`).

    Weights are read from safetensors only and no code of the repository is run; a folder never asks
    the network.

    - `dtype`: one of float32, float16, bfloat16; `device`: auto (cuda, else cpu), cpu, cuda,
      cuda:1, ...
    - `tokenizer`: folder of the tokenizer where it does not lie beside the weights; `way`: how it
      is read (`meanings.models.tokenizers.WAYS`).

    Raises MeaningsError where a file is missing or damaged, weights are incomplete, transformers
    loads something else than the files say, or the tokenizer does not fit or splits text in another
    way than transformers has it.
    """
    if dtype not in DTYPES:
        raise MeaningsError(f"unknown dtype {dtype!r}: allowed are {one_of(DTYPES)}")
    place = _device(device)
    folder = _folder(path, revision, commit)
    read = read_tokenizer(Path(tokenizer) if tokenizer is not None else folder, way)
    network = _network(folder, DTYPES[dtype])
    check_as_written(folder, network, DTYPES[dtype])
    network = network.to(place)
    rows = network.get_input_embeddings().weight.shape[0]
    needed = 1 + max(read.words.get_vocab().values(), default=-1)
    if needed > rows:  # ids may leave numbers out
        raise MeaningsError(
            f"{folder}: the tokenizer has {needed} tokens but the model embeds {rows}: they do not "
            "belong together; put the model's own tokenizer there"
        )
    return wrap_model(
        network,
        read.words,
        name=name or folder.name,
        weights_sha256=hash_weights(folder),
        read=read,
    )


def load_tokenizer(
    path: Path | str,
    *,
    revision: str | None = None,
    commit: str | None = None,
    tokenizer: Path | None = None,
    way: Way = "agreed",
) -> PreTrainedTokenizerFast:
    """The tokenizer that `load_model` would take, without reading weights."""
    folder = Path(tokenizer) if tokenizer is not None else _folder(path, revision, commit)
    return read_tokenizer(folder, way).words


def _device(device: str) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        if not re.fullmatch(DEVICES, device):
            raise RuntimeError
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise MeaningsError(
            f"device {device!r} is not available here: allowed are auto, cpu, and cuda where there "
            "is a GPU"
        ) from None
    return place


def _folder(path: Path | str, revision: str | None, commit: str | None) -> Path:
    """The folder itself, or the hub's snapshot of it, with the files that a model needs checked to
    be there.
    """
    folder = Path(path)
    if not folder.exists():
        looks_like_hub = (
            isinstance(path, str) and path.count("/") == 1 and not path.startswith((".", "/", "~"))
        )
        if not looks_like_hub:
            raise MeaningsError(
                f"no model folder {str(path)!r}: give a folder with config.json and safetensors "
                "weights, or a hub name owner/model"
            )
        folder = fetch(str(path), revision, commit)
    if not (folder / "config.json").is_file():
        raise MeaningsError(f"{folder}: no config.json; give a model folder in Hugging Face layout")
    if not any(folder.glob("*.safetensors")):
        raise MeaningsError(
            f"{folder}: no *.safetensors weights; other formats can run code when they are read: "
            f"convert the weights to safetensors first"
        )
    return folder


def _network(folder: Path, dtype: torch.dtype) -> torch.nn.Module:
    level, bars = hf_logging.get_verbosity(), hf_logging.is_progress_bar_enabled()
    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        network, report = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are in the report, and refused below by name
        )
    except (
        Exception
    ) as error:  # safetensors, json and transformers each have their own types for a damaged file
        raise MeaningsError(
            f"{folder}: the model cannot be read: {type(error).__name__}: {error}; copy or fetch "
            "config.json and weights again"
        ) from None
    finally:
        hf_logging.set_verbosity(level)
        if bars:
            hf_logging.enable_progress_bar()
    # transformers fills what is missing with random numbers and only warns.
    wrong = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if wrong:
        raise MeaningsError(
            f"{folder}: the weights lack or misshape {one_of(wrong, 4)}: the file does not belong "
            "to config.json; copy or fetch both again"
        )
    return network
