"""Loading models: what is incomplete, damaged or unsafe is refused in one line; other architectures
are patched alike.
"""

import hashlib
import json
import shutil

import pytest
import torch
from transformers import (
    ApertusConfig,
    BloomConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    Olmo2Config,
    Qwen3Config,
)
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair
from meanings.models import loading
from meanings.models.loading import layers_path, load_model
from meanings.patching.query_states import hidden_states
from meanings.patching.self_test import check_patching
from meanings.patching.sweeping import sweep
from meanings.prompts.prompt import translation_prompt
from stand_ins import plain_forward, small_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    small_model.network(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(saved, tmp_path / "tiny")


def test_a_folder_is_loaded_as_it_was_saved(saved, model, tokenizer):
    loaded = load_model(saved, device="cpu")
    assert (loaded.n_layers, loaded.d_model, loaded.layers_path) == (
        small_model.N_LAYERS,
        32,
        "model.layers",
    )
    assert (loaded.name, loaded.dtype, loaded.device.type) == ("tiny", "float32", "cpu")
    for (name, a), b in zip(
        loaded.network.state_dict().items(), model.network.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b), name
    assert loaded.tokenizer.get_vocab() == tokenizer.get_vocab()
    assert not loaded.network.training and not any(
        p.requires_grad for p in loaded.network.parameters()
    )


def test_the_hash_is_of_the_content(saved, folder):
    expected = hashlib.sha256()
    for name in ("config.json", "model.safetensors"):
        expected.update(name.encode() + (saved / name).read_bytes())
    assert (
        load_model(saved).weights_sha256
        == load_model(folder).weights_sha256
        == expected.hexdigest()
    )
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    assert load_model(folder).weights_sha256 != expected.hexdigest()


def test_dtype_name_and_the_tokenizers_folder_can_be_given(folder, tmp_path):
    (tmp_path / "words").mkdir()
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.move(folder / file, tmp_path / "words" / file)
    loaded = load_model(folder, dtype="bfloat16", name="other", tokenizer=tmp_path / "words")
    assert (loaded.dtype, loaded.name) == ("bfloat16", "other")


def refused(match, path, **options):
    with pytest.raises(MeaningsError, match=match) as error:
        load_model(path, **options)
    assert "\n" not in str(error.value)


def test_what_is_missing_or_damaged_is_refused(folder, tmp_path):
    refused("no model folder", tmp_path / "nowhere")
    refused("allowed are float32, float16, bfloat16", folder, dtype="float64")
    refused("not available here", folder, device="abacus")
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    refused("cannot be read", folder)
    (folder / "model.safetensors").unlink()
    refused("no \\*.safetensors", folder)
    torch.save({}, folder / "pytorch_model.bin")  # pickles are never opened
    refused("no \\*.safetensors", folder)
    (folder / "config.json").unlink()
    refused("no config.json", folder)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        '{"model_type": "no-such-type"}',
        "[]",
        '{"auto_map": {"AutoConfig": "evil.Config"}}',
    ],
)
def test_a_config_that_is_not_one_is_refused(folder, content):
    (folder / "config.json").write_text(content)
    refused("cannot be read", folder)


def test_weights_of_another_shape_or_with_layers_missing_are_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 5}))
    refused("weights lack or misshape model.layers.4", folder)
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 64}))
    refused("misshape|cannot be read", folder)


def test_a_missing_damaged_or_foreign_tokenizer_is_refused(folder, lexicon):
    small_model.tokenizer(lexicon, 600).save_pretrained(folder)
    refused("do not belong together", folder)
    (folder / "tokenizer.json").write_text("{")
    refused("tokenizer cannot be read", folder)
    (folder / "tokenizer.json").unlink()
    refused("no tokenizer.json", folder)


SIZES = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "num_hidden_layers": 4,
    "initializer_range": 0.2,
}
WIDE = SIZES | {"num_key_value_heads": 2, "intermediate_size": 48}
ARCHITECTURES = {
    "llama": (LlamaConfig, WIDE),
    "gpt2": (GPT2Config, {"n_embd": 32, "n_head": 4, "n_layer": 4, "initializer_range": 0.2}),
    "qwen3": (Qwen3Config, WIDE | {"head_dim": 8}),
    "olmo2": (Olmo2Config, WIDE),
    "apertus": (ApertusConfig, WIDE),
    "mistral": (MistralConfig, WIDE | {"sliding_window": 8}),
    "gemma2": (
        Gemma2Config,
        WIDE
        | {
            "head_dim": 8,
            "sliding_window": 4,
            "final_logit_softcapping": 2.0,
            "attn_logit_softcapping": 3.0,
        },
    ),
    "gemma3": (
        Gemma3TextConfig,
        WIDE
        | {
            "head_dim": 8,
            "sliding_window": 4,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
        },
    ),
    "gpt_neox": (GPTNeoXConfig, SIZES | {"intermediate_size": 48}),
    "bloom": (
        BloomConfig,
        {"hidden_size": 32, "n_head": 4, "n_layer": 4, "initializer_range": 0.2},
    ),
}


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_a_folder_of_each_architecture_equals_plain_unbatched_forwards(
    name, lexicon, tokenizer, tmp_path
):
    """Tuples for tensors, alibi, sliding windows shorter than the prompt, other module paths.

    What is held against is transformers alone: the folder, one prompt and layer at a time, plain
    attention.
    """
    kind, sizes = ARCHITECTURES[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        special = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
        made = AutoModelForCausalLM.from_config(kind(vocab_size=len(tokenizer), **sizes, **special))
    made.save_pretrained(tmp_path / name)
    tokenizer.save_pretrained(tmp_path / name)
    model = load_model(tmp_path / name, device="cpu")
    network = AutoModelForCausalLM.from_pretrained(
        tmp_path / name, attn_implementation="eager", dtype=torch.float32
    ).eval()
    layers = list(network.get_submodule(model.layers_path))
    prompts = [
        translation_prompt(
            lexicon,
            tokenizer,
            LanguagePair("fr", "es"),
            lexicon.concepts[-1 - n],
            lexicon.concepts[:n],
        )
        for n in (1, 4, 2)
    ]
    columns = [[frozenset({token}) for token in range(len(tokenizer))]] * len(prompts)
    vectors = hidden_states(model, prompts)[:, [1, 2, 0]].float()
    expected = torch.stack(
        [plain_forward.stack(network, layers, p.token_ids, p.query_position) for p in prompts],
        dim=1,
    )
    torch.testing.assert_close(vectors[:, [2, 0, 1]], expected, rtol=1e-5, atol=1e-4)
    found = sweep(model, prompts, vectors, columns, generate=3)
    for first in range(4):
        for i, p in enumerate(prompts):
            patch = (p.token_ids, p.query_position, vectors[:, i], first)
            torch.testing.assert_close(
                found.probabilities[first, i],
                plain_forward.distribution(network, layers, *patch),
                rtol=0,
                atol=1e-5,
            )
            assert found.answers[first][i] == plain_forward.answer(
                network, layers, tokenizer, *patch, 3, ('"', "\n")
            )
    check_patching(model)


def test_a_network_without_one_list_of_layers_is_refused():
    with pytest.raises(MeaningsError, match="expected one list of 3 decoder layers, found none"):
        layers_path(torch.nn.Linear(2, 2), 3)
    double = torch.nn.ModuleDict(
        {k: torch.nn.ModuleList(torch.nn.Linear(1, 1) for _ in range(3)) for k in "ab"}
    )
    with pytest.raises(MeaningsError, match="found a, b"):
        layers_path(double, 3)


class Twofold(torch.nn.Module):
    """Two lists of the same length: which holds the decoder layers has to be said."""

    def __init__(self):
        super().__init__()
        self.left, self.right = (
            torch.nn.ModuleList(torch.nn.Linear(1, 1) for _ in range(3)) for _ in range(2)
        )


def test_an_unknown_architecture_can_be_registered_as_the_error_says(monkeypatch):
    monkeypatch.setattr(loading, "_REGISTERED", {})
    with pytest.raises(
        MeaningsError, match=r'left \(3\), right \(3\).*register_layers\("Twofold", '
    ):
        layers_path(Twofold(), 3)
    loading.register_layers("Twofold", "right")
    assert layers_path(Twofold(), 3) == "right"
    loading.register_layers("Twofold", "middle")
    with pytest.raises(MeaningsError, match="found none"):
        layers_path(Twofold(), 3)
