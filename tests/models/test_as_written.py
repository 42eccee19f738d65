"""What is loaded is what the files say, and a library that takes something else is found out."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, Gemma2Config, LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from meanings.core.errors import MeaningsError
from meanings.models import loading
from meanings.models.as_written import check_as_written
from meanings.models.loading import load_model
from meanings.patching import self_test
from meanings.patching.self_test import check_patching
from stand_ins import small_model

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.3,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 1,
}


@pytest.fixture
def folder(tmp_path, tokenizer):
    """A Llama whose config.json is written as older releases wrote it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(vocab_size=len(tokenizer), tie_word_embeddings=False, **SIZES)
        AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "llama")
    tokenizer.save_pretrained(tmp_path / "llama")
    edit(tmp_path / "llama", rope_theta=500000.0, rope_parameters=None, torch_dtype="bfloat16")
    return tmp_path / "llama"


def edit(folder, **values):
    file = folder / "config.json"
    content = json.loads(file.read_text()) | values
    file.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))


def network(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def refused(folder, loaded, match):
    with pytest.raises(MeaningsError, match=match) as error:
        check_as_written(folder, loaded, torch.float32)
    assert "\n" not in str(error.value)


def test_a_rotary_base_of_an_older_file_is_kept(folder):
    """A claim about transformers: the base moved to another key in release 5."""
    loaded = network(folder)
    check_as_written(folder, loaded, torch.float32)
    frequencies = loaded.model.rotary_emb.inv_freq
    torch.testing.assert_close(frequencies, 500000.0 ** -torch.arange(0, 1, 0.25))
    loaded.model.rotary_emb = LlamaRotaryEmbedding(LlamaConfig(**SIZES))
    refused(folder, loaded, r"rotary base is 10000, but config.json says 500000")


def test_another_floating_type_is_refused(folder):
    loaded = network(folder)
    loaded.model.norm.to(torch.bfloat16)
    refused(folder, loaded, "model.norm.weight is torch.bfloat16, but torch.float32 was asked for")


def test_a_setting_of_the_class_in_place_of_the_files_is_refused(folder):
    loaded = network(folder)
    loaded.config.rms_norm_eps = 1e-5
    refused(folder, loaded, "rms_norm_eps is 1e-05, but config.json says 1e-06")


def test_an_output_matrix_of_its_own_is_not_tied_away(folder, monkeypatch):
    loaded = network(folder)
    loaded.lm_head.weight = loaded.model.embed_tokens.weight
    refused(folder, loaded, "lm_head.weight is tied to the embeddings, but the weights' file has")
    # A file that says both: whatever transformers makes of it, the file's is used or refused.
    edit(folder, tie_word_embeddings=True)
    own = load_file(folder / "model.safetensors")["lm_head.weight"]
    try:
        model = load_model(folder, device="cpu")
    except MeaningsError as error:
        assert "lm_head.weight" in str(error)
    else:
        assert torch.equal(model.network.get_output_embeddings().weight, own)


def test_weights_that_are_changed_on_loading_are_refused(folder):
    loaded = network(folder)
    with torch.no_grad():
        loaded.model.layers[1].mlp.up_proj.weight[-1] *= 1.01
    refused(folder, loaded, "layers.1.mlp.up_proj.weight has other values")


def test_a_file_in_which_nothing_has_a_known_name_is_refused(folder):
    tensors = load_file(folder / "model.safetensors")
    loaded = network(folder)
    save_file({f"x.{k}": v for k, v in tensors.items()}, folder / "model.safetensors")
    refused(folder, loaded, "no tensor of the weights' file has the name of a parameter")


def test_loading_asks(folder, monkeypatch):
    seen = []
    monkeypatch.setattr(loading, "check_as_written", lambda *given: seen.append(given))
    load_model(folder, device="cpu", dtype="bfloat16")
    ((place, _, dtype),) = seen
    assert (place, dtype) == (folder, torch.bfloat16)


@pytest.fixture
def capped(tmp_path, tokenizer):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = Gemma2Config(
            vocab_size=len(tokenizer), head_dim=8, final_logit_softcapping=2.0, **SIZES
        )
        AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "gemma2")
    tokenizer.save_pretrained(tmp_path / "gemma2")
    return load_model(tmp_path / "gemma2", device="cpu")


def test_a_soft_capping_that_is_left_out_fails_the_self_test(capped):
    check_patching(capped)

    def uncap(_module, _inputs, output):
        output.logits = 2 * torch.atanh((output.logits.double() / 2).clamp(-1 + 1e-9, 1 - 1e-9))
        return output

    handle = capped.network.register_forward_hook(uncap)
    prompt = self_test._prompts(capped)[0]
    with pytest.raises(MeaningsError, match="from the output matrix as configured differ"):
        self_test._check_logits(capped, prompt)
    handle.remove()
    self_test._check_logits(capped, prompt)
    check_patching(capped)


def test_an_attention_that_differs_from_the_plain_one_fails_the_self_test(tokenizer, monkeypatch):
    from transformers import AttentionInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    def wrong(module, query, key, value, mask, **options):
        options["scaling"] = 2 * (options.get("scaling") or module.head_dim**-0.5)
        return sdpa_attention_forward(module, query, key, value, mask, **options)

    model = small_model.model(tokenizer)
    check_patching(model)
    monkeypatch.setitem(AttentionInterface._global_mapping, "sdpa", wrong)
    with pytest.raises(MeaningsError, match="under sdpa and plain attention differ"):
        check_patching(model)
