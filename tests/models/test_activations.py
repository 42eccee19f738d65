"""Hidden states and MLP units against transformers' own, text by text."""

import numpy as np
import pytest
import torch
import transformers as t

from meanings.core.errors import MeaningsError
from meanings.models import activations as module
from meanings.models.activations import activations, mlp_projection
from stand_ins import small_model

TEXTS = ("chat", "a dog", "the old house", "x", "chien et chat")


@pytest.fixture(scope="module")
def model():
    return small_model.model(small_model.tokenizer(small_model.lexicon()))


def ids_of(model, text):
    start = model.network.config.bos_token_id
    return [start, *model.tokenizer(text, add_special_tokens=False)["input_ids"]]


@pytest.mark.parametrize("read", ["last", "mean"])
def test_states_are_those_of_one_text_at_a_time(model, read):
    found = activations(model, TEXTS, read)
    for place, text in enumerate(TEXTS):
        ids = ids_of(model, text)
        with torch.no_grad():
            out = model.network(torch.tensor([ids]), output_hidden_states=True)
        states = torch.stack(out.hidden_states)[:, 0]
        expected = states[:, -1] if read == "last" else states[:, 1:].mean(1)
        # The last entry of transformers is behind the final norm, which is left out here.
        np.testing.assert_allclose(found.hidden[:-1, place], expected[:-1], atol=1e-5)
        assert found.tokens[place] == len(ids) - 1
    with torch.no_grad():
        normed = model.network.model.norm(torch.tensor(found.hidden[-1, :1]))
        ids = torch.tensor([ids_of(model, TEXTS[0])])
        last = model.network(ids, output_hidden_states=True).hidden_states[-1]
    if read == "last":
        np.testing.assert_allclose(normed, last[:, -1], atol=1e-5)


def test_units_are_what_the_projection_of_the_mlp_reads(model):
    found = activations(model, TEXTS)
    assert found.units.shape[:2] == (model.n_layers, len(TEXTS))
    for layer in range(model.n_layers):
        mlp = model.network.model.layers[layer].mlp
        seen = []
        handle = mlp.register_forward_pre_hook(lambda _m, given, seen=seen: seen.append(given[0]))
        with torch.no_grad():
            model.network(torch.tensor([ids_of(model, TEXTS[2])]))
            units = mlp.act_fn(mlp.gate_proj(seen[0])) * mlp.up_proj(seen[0])
        handle.remove()
        np.testing.assert_allclose(found.units[layer, 2], units[0, -1], atol=1e-5)


def test_the_order_of_texts_and_their_company_change_nothing(model, monkeypatch):
    whole = activations(model, TEXTS)
    hooks = len(model.network.model.layers[0]._forward_hooks)
    monkeypatch.setattr(module, "AT_ONCE", 1)
    turned = activations(model, TEXTS[::-1])
    np.testing.assert_allclose(whole.hidden, turned.hidden[:, ::-1], atol=1e-5)
    assert len(model.network.model.layers[0]._forward_hooks) == hooks


def test_a_text_without_a_token_and_a_broken_model_are_refused_in_one_line(model):
    with pytest.raises(MeaningsError, match="the text '' has no token"):
        activations(model, ["chat", ""])
    weight = model.network.model.layers[1].mlp.down_proj.weight
    before = weight[0, 0].item()
    weight[0, 0] = float("nan")
    with pytest.raises(MeaningsError, match="the state of layer 2 is not finite for the text"):
        activations(model, ["chat"])
    weight[0, 0] = before


SIZES = {
    "num_hidden_layers": 1,
    "hidden_size": 16,
    "num_attention_heads": 2,
    "vocab_size": 30,
}
WIDE = SIZES | {"intermediate_size": 40}
GEMMA = WIDE | {"num_key_value_heads": 1, "head_dim": 20}


@pytest.mark.parametrize(
    ("network", "config", "path"),
    [
        (t.GPT2Model, t.GPT2Config(**SIZES), "mlp.c_proj"),
        (t.GPTNeoXModel, t.GPTNeoXConfig(**WIDE), "mlp.dense_4h_to_h"),
        (t.BloomModel, t.BloomConfig(**SIZES), "mlp.dense_4h_to_h"),
        (t.Gemma3TextModel, t.Gemma3TextConfig(**GEMMA), "mlp.down_proj"),
        (t.LlamaModel, t.LlamaConfig(**WIDE), "mlp.down_proj"),
    ],
)
def test_the_projection_is_found_in_every_architecture(network, config, path):
    built = network(config)
    layer = (getattr(built, "h", None) or built.layers)[0]
    assert mlp_projection(layer, 16) is layer.get_submodule(path)


def test_a_layer_without_a_projection_is_refused():
    with pytest.raises(MeaningsError, match="no projection from an MLP's units"):
        mlp_projection(torch.nn.Linear(16, 16), 16)
