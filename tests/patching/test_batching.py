"""What does not fit or is not finite: parts are halved, the run goes on, and nothing wrong is
returned.
"""

import os

import pytest
import torch

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair
from meanings.patching import batching, query_states, sweep_run, targets
from meanings.patching.batching import (
    LessRoomThanThought,
    by_length,
    even,
    in_parts,
    prefixes_at_once,
    rows_at_once,
)
from meanings.patching.query_states import hidden_states
from meanings.patching.self_test import check_patching
from meanings.patching.sweeping import sweep
from meanings.prompts.prompt import translation_prompt
from stand_ins import small_model


@pytest.fixture(scope="module")
def prompts(lexicon, tokenizer, concept_pairs):
    return [
        translation_prompt(lexicon, tokenizer, LanguagePair("fr", "es"), p.target, p.target_shots)
        for p in concept_pairs
    ]


@pytest.fixture(scope="module")
def columns(prompts):
    return [[frozenset({token}) for token in range(40)]] * len(prompts)


@pytest.fixture(scope="module")
def vectors(model, prompts):
    return hidden_states(model, prompts).float()


@pytest.fixture(scope="module")
def answered(model, prompts, columns, vectors):
    """What a sweep with room for all gives, by the number of generated tokens."""
    return {n: sweep(model, prompts, vectors, columns, generate=n) for n in (2, 3)}


def no_more_than(rows, error=torch.OutOfMemoryError):
    """A memory that holds so many rows: wraps a function that takes a forward's inputs."""

    def limited(run):
        def wrapped(model, inputs, *args, **kwargs):
            if len(inputs["input_ids"]) > rows:
                raise error("DefaultCPUAllocator: can't allocate memory")
            return run(model, inputs, *args, **kwargs)

        return wrapped

    return limited


def test_parts_come_in_order_and_are_halved_from_then_on():
    seen = []

    def run(part):
        if len(part) > 3:
            raise torch.OutOfMemoryError
        seen.append(list(part))

    with pytest.warns(LessRoomThanThought, match="6 rows do not fit"):
        in_parts(range(11), 7, run)
    assert seen == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]


def test_parts_are_about_equally_large():
    """A last small part would cost a forward that fills nothing."""
    seen = []
    in_parts(range(10), 7, lambda part: seen.append(list(part)))
    assert seen == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert [even(*asked) for asked in ((0, 7), (7, 7), (8, 7), (22, 7), (3, 1))] == [7, 7, 4, 6, 1]


def test_other_errors_pass_and_one_row_too_many_is_said():
    def broken(part):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        in_parts([1, 2], 2, broken)

    def full(part):
        raise RuntimeError(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        )

    with pytest.raises(MeaningsError, match="one prompt alone does not fit"):
        in_parts([1], 1, full)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError])
@pytest.mark.parametrize(
    "where, name",
    [
        (targets, "run_above"),
        (targets, "write_layers"),
        (targets, "run_unpatched"),
        (query_states, "read_layers"),
    ],
)
def test_a_small_memory_changes_no_number(
    model, prompts, columns, answered, monkeypatch, where, name, error
):
    expected = answered[2]
    monkeypatch.setattr(where, name, no_more_than(2, error)(getattr(where, name)))
    with pytest.warns(LessRoomThanThought):
        vectors = hidden_states(model, prompts).float()
        found = sweep(model, prompts, vectors, columns, generate=2)
    torch.testing.assert_close(found.probabilities, expected.probabilities, rtol=0, atol=1e-5)
    assert found.answers == expected.answers


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_memory_too_small_for_many_answers_changes_none(
    model, prompts, columns, vectors, answered, monkeypatch, limit
):
    """Answers of several first layers go on side by side; where they do not fit, fewer do, down to
    one row.
    """
    tried = []

    def limited(model, prefixes, rows, *args, run=sweep_run.continue_greedily):
        tried.append(len(rows))
        if len(rows) > limit:
            raise torch.OutOfMemoryError("full")
        return run(model, prefixes, rows, *args)

    expected = answered[3]
    monkeypatch.setattr(sweep_run, "continue_greedily", limited)
    with pytest.warns(LessRoomThanThought):
        found = sweep(model, prompts, vectors, columns, generate=3)
    torch.testing.assert_close(found.probabilities, expected.probabilities, rtol=0, atol=1e-5)
    assert found.answers == expected.answers
    assert max(tried) > len(prompts)  # several first layers at once, where there is room


def test_a_real_memory_limit_is_recognised_through_a_trace(model, prompts):
    """The network itself fails inside nnsight's trace, which must not hide of what kind the failure
    was.
    """
    handle = model.network.model.layers[1].register_forward_pre_hook(
        lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("full"))
    )
    try:
        with (
            pytest.warns(LessRoomThanThought),
            pytest.raises(MeaningsError, match="one prompt alone"),
        ):
            hidden_states(model, prompts)
    finally:
        handle.remove()
    assert hidden_states(model, prompts).isfinite().all()


def test_rows_at_once_keeps_to_the_memory(model, monkeypatch):
    monkeypatch.setitem(batching.TOKENS, "cpu", 100)
    assert [rows_at_once(model, 7, 50), rows_at_once(model, 500, 0)] == [14, 1]
    monkeypatch.setitem(batching.WORKING_SET, "cpu", 100_000)
    few = rows_at_once(model, 7, 50)
    assert 1 <= rows_at_once(model, 7, 500) < few < 14
    assert rows_at_once(model, 7, 50, kept=7) < few
    assert rows_at_once(model, 7, 50, share=0.5) == few // 2
    assert (
        prefixes_at_once(model, 7)
        == rows_at_once(model, 7, kept=7, share=batching.STAYING)
        < rows_at_once(model, 7, kept=7)
    )


def test_blocks_are_sorted_and_complete():
    lengths = [5, 9, 1, 0, 9, 2]
    blocks = list(by_length(lengths, lambda longest: 20 // longest))
    assert sorted(index for block in blocks for index in block) == list(range(6))
    assert all(len(block) * max(1, *(lengths[i] for i in block)) <= 20 for block in blocks)
    assert [lengths[i] for block in reversed(blocks) for i in block] == sorted(lengths)


def damaged(tokenizer, layer):
    network = small_model.network(tokenizer)
    with torch.no_grad():
        network.model.layers[layer].mlp.down_proj.weight[0, 0] = torch.inf
    return small_model.wrap_model(network, tokenizer, name="damaged")


def test_a_state_that_is_not_finite_is_an_error_naming_prompt_layer_and_dtype(tokenizer, prompts):
    with pytest.raises(MeaningsError) as error:
        hidden_states(damaged(tokenizer, 2), prompts)
    assert "damaged in float32: the output of layer 2" in str(error.value) and repr(
        prompts[0].text
    ) in str(error.value)


def test_the_self_test_passes_what_works_at_every_depth(tokenizer):
    for seed in range(3):
        check_patching(small_model.model(tokenizer, seed))


def shifted_read(model, inputs, rows, positions, plain=query_states.read_layers):
    return plain(model, inputs, rows, (positions - 1).clamp(min=0))


def patched_late(model, inputs, layer, output, hidden, plain=targets.run_above):
    return plain(model, inputs, min(layer + 1, model.n_layers - 1), output, hidden)


def unwritten(model, inputs, vectors, plain=targets.write_layers, **kwargs):
    return plain(model, inputs, torch.zeros_like(vectors), **kwargs)


def wrong_positions(self, rows, new, after=0, plain=targets.Prefixes.inputs):
    return plain(self, rows, new, after) | {
        "position_ids": plain(self, rows, new, 0)["position_ids"]
    }


MUTANTS = [
    (query_states, "read_layers", shifted_read),
    (targets, "run_above", patched_late),
    (targets, "write_layers", unwritten),
    (targets.Prefixes, "inputs", wrong_positions),
]


@pytest.mark.parametrize("where, name, mutant", MUTANTS)
def test_the_self_test_catches_an_engine_that_does_not_fit_the_model(
    tokenizer, monkeypatch, where, name, mutant
):
    monkeypatch.setattr(where, name, mutant)
    with pytest.raises(MeaningsError, match="failed the self-test"):
        check_patching(small_model.model(tokenizer))


def without_first_tokens(model, _inputs, output):
    """As in models whose first token ids are special or unused: they are never likely."""
    output.logits[..., :64] -= 40
    return output


@pytest.mark.parametrize("where, name, mutant", MUTANTS)
def test_the_self_test_looks_at_tokens_that_the_model_may_say(
    tokenizer, monkeypatch, where, name, mutant
):
    network = small_model.network(tokenizer)
    network.register_forward_hook(without_first_tokens)
    model = small_model.wrap_model(network, tokenizer, name="special")
    check_patching(model)
    monkeypatch.setattr(where, name, mutant)
    with pytest.raises(MeaningsError, match="failed the self-test"):
        check_patching(model)


@pytest.mark.skipif(
    not os.environ.get("CUDA_VISIBLE_DEVICES") and not torch.cuda.is_available(),
    reason="no GPU here",
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_gpu_answers_as_the_cpu(tokenizer, model, prompts, columns, dtype):
    other = small_model.wrap_model(
        small_model.network(tokenizer).to("cuda", dtype), tokenizer, name="gpu"
    )
    check_patching(other)
    expected = sweep(model, prompts, hidden_states(model, prompts).float(), columns).probabilities
    found = sweep(other, prompts, hidden_states(other, prompts).float(), columns).probabilities
    assert (found - expected).abs().max() < {
        torch.float32: 1e-5,
        torch.bfloat16: 0.1,
        torch.float16: 0.02,
    }[dtype]
