"""Hidden states and MLP activations of texts: read once per checkpoint, for all measures.

    layer 0     the embedding, as the first decoder layer reads it
    layer l     the output of decoder layer l (from 1), before the final norm

The last entry of `hidden_states` in transformers is behind the final norm; here it is not. A unit
is an input of the projection that ends an MLP, such as Llama's `down_proj`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from meanings.core.errors import MeaningsError
from meanings.models.loading import PatchableModel, read_output

AT_ONCE = 4096  # tokens per forward
Read = Literal["last", "mean"]


@dataclass(frozen=True)
class Activations:
    """What a model holds of some texts.

    - `hidden`: states, from the embedding to the last layer; `units`: of each layer's MLP.
    - `tokens`: tokens of each text, without the mark before it.
    """

    hidden: Float[np.ndarray, "depth text d_model"]
    units: Float[np.ndarray, "layer text d_mlp"]
    tokens: Int[np.ndarray, " text"]


@torch.no_grad()
def activations(model: PatchableModel, texts: Sequence[str], read: Read = "last") -> Activations:
    """The activations of texts, each behind the mark that begins a text, in float32.

    - `read`: at the `last` token, or the `mean` over a text's tokens, the mark left out.

    Texts of one length run together, so nothing is padded.

    Raises MeaningsError where a text has no token, a state is not finite, or the MLPs are not
    found.
    """
    ids = [model.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    for text, each in zip(texts, ids, strict=True):
        if not each:
            raise MeaningsError(f"{model.name}: the text {text!r} has no token; give another text")
    lengths = np.array([len(each) for each in ids])
    found = _Found(len(texts))
    with recorded_in(model) as recorded:
        for part in _parts(lengths):
            rows = torch.tensor(
                [[start_of_text(model), *ids[i]] for i in part], device=model.device
            )
            model.network(input_ids=rows, use_cache=False, logits_to_keep=1)
            found.fill(part, recorded, read)
    _check_finite(model, found.hidden, texts)
    return Activations(found.hidden, found.units, lengths)


class _Found:
    """Arrays that are filled part by part, made when the first part shows their widths."""

    hidden: np.ndarray
    units: np.ndarray

    def __init__(self, texts: int) -> None:
        self.texts = texts

    def fill(self, part: Sequence[int], recorded: dict[str, list[Tensor]], read: Read) -> None:
        for name, layers in recorded.items():
            states = torch.stack([_read(layer, read) for layer in layers]).float().cpu().numpy()
            if not hasattr(self, name):
                shape = (len(layers), self.texts, states.shape[-1])
                setattr(self, name, np.empty(shape, np.float32))
            getattr(self, name)[:, part] = states


def _read(states: Float[Tensor, "row position width"], read: Read) -> Float[Tensor, "row width"]:
    return states[:, -1] if read == "last" else states[:, 1:].float().mean(1)


@contextmanager
def recorded_in(model: PatchableModel) -> Iterator[dict[str, list[Tensor]]]:
    """Lists that each forward fills anew: `hidden`, from the embedding on, and `units`."""
    layers = list(model.network.get_submodule(model.layers_path))
    recorded: dict[str, list[Tensor]] = {"hidden": [], "units": []}

    def first(_module, arguments, options) -> None:
        states = arguments[0] if arguments else options["hidden_states"]
        recorded["hidden"], recorded["units"] = [states], []

    def output(_module, _arguments, result) -> None:
        recorded["hidden"].append(read_output(result))

    def projected(_module, arguments) -> None:
        recorded["units"].append(arguments[0])

    handles = [layers[0].register_forward_pre_hook(first, with_kwargs=True)]
    for layer in layers:
        handles.append(mlp_projection(layer, model.d_model).register_forward_pre_hook(projected))
        handles.append(layer.register_forward_hook(output))
    try:
        yield recorded
    finally:
        for handle in handles:
            handle.remove()


def mlp_projection(layer: torch.nn.Module, d_model: int) -> torch.nn.Module:
    """The module that ends a decoder layer's MLP: of those that write `d_model` numbers from more,
    the last.

    Raises MeaningsError where there is none.
    """
    found = None
    for module in layer.modules():
        weight = getattr(module, "weight", None)
        if weight is not None and weight.ndim == 2:
            wide, narrow = max(weight.shape), min(weight.shape)
            reads_wide = getattr(module, "in_features", None) or weight.shape[0]
            if narrow == d_model < wide and reads_wide == wide:
                found = module
    if found is None:
        raise MeaningsError(
            f"{type(layer).__name__}: no projection from an MLP's units back to {d_model} states "
            "was found; measures of units do not know this architecture"
            "; leave expert_units and clamping out of the grid"
        )
    return found


def start_of_text(model: PatchableModel) -> int:
    """The id of the mark that begins a text, else of the one that ends it, as the model's
    configuration has them.

    Raises MeaningsError where there is neither.
    """
    config = model.network.config.get_text_config(decoder=True)
    for mark in (config.bos_token_id, config.eos_token_id):
        if mark is not None:
            return mark[0] if isinstance(mark, list) else mark
    raise MeaningsError(
        f"{model.name}: its configuration has no token that begins or ends a text (bos_token_id, "
        "eos_token_id); add one of them to config.json"
    )


def _parts(lengths: Int[np.ndarray, " text"]) -> Iterator[list[int]]:
    """Places of texts of one length, as many as fit into one forward."""
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length).tolist()
        size = max(1, AT_ONCE // int(length + 1))
        for start in range(0, len(places), size):
            yield places[start : start + size]


def _check_finite(model: PatchableModel, hidden: np.ndarray, texts: Sequence[str]) -> None:
    wrong = np.argwhere(~np.isfinite(hidden).all(-1))
    if len(wrong):
        layer, text = wrong[0]
        raise MeaningsError(
            f"{model.name} in {model.dtype}: the state of layer {layer} is not finite for the text "
            f"{texts[text]!r}; use dtype float32 or bfloat16"
        )
