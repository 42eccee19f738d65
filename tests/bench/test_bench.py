"""The benchmark compares what is equal: the published algorithm, plain hooks and ours give the same
numbers and tokens.
"""

import json

import pytest
import torch
import typer

from bench import __main__ as stages
from bench import hooks, memory, published, timing
from bench.shapes import SHAPES, columns, drawn, some_vectors, target_prompts
from meanings.lexicon.languages import LanguagePair
from meanings.patching import flops, generation
from meanings.patching.conditions import CONDITIONS
from meanings.patching.query_states import hidden_states
from meanings.patching.source_states import SourceBank
from meanings.patching.sweeping import sweep, sweep_conditions, unpatched
from stand_ins.forks import run_module

PAIR = LanguagePair("fr", "es")
TOLERANCE = {"rtol": 0, "atol": 1e-5}


@pytest.fixture(scope="module")
def tiny_shape():
    """Random weights, drawn wide, so that a mistake moves the answer."""
    model = SHAPES["tiny"].load()
    with torch.no_grad():
        for parameter in model.network.parameters():
            if parameter.ndim == 2:
                parameter.mul_(10)
    return model


@pytest.fixture(scope="module")
def pairs(tiny_shape):
    return drawn(tiny_shape, 4, 2)


@pytest.fixture(scope="module")
def prompts(tiny_shape, pairs):
    return target_prompts(tiny_shape, PAIR, pairs)


@pytest.fixture(scope="module")
def sets(tiny_shape, pairs):
    return columns(tiny_shape, pairs)


@pytest.mark.parametrize("last_only", [False, True])
def test_the_published_algorithm_gives_our_numbers(tiny_shape, prompts, sets, last_only):
    vectors = some_vectors(tiny_shape, len(prompts), 1)["condition 0"]
    found = sweep(tiny_shape, prompts, vectors, sets, generate=3)
    rows = []
    for layer in range(tiny_shape.n_layers):
        expected = published.patched(tiny_shape, prompts, vectors, layer, sets, last_only=last_only)
        torch.testing.assert_close(found.probabilities[layer], expected, **TOLERANCE)
        tokens, ahead = published.generate(tiny_shape, prompts, vectors, layer, 3)
        assert (torch.tensor(ahead) > 0).all()
        for row, text in zip(tokens, found.answers[layer], strict=True):
            end = next(
                (i + 1 for i, token in enumerate(row) if generation.closes(tiny_shape, token)), 3
            )
            assert tiny_shape.tokenizer.decode(row[:end], skip_special_tokens=True) == text
            rows.append(text)
    assert len(set(rows)) > len(prompts)  # else the equality would not see a wrong layer
    expected = published.patched(tiny_shape, prompts, None, 0, sets)
    torch.testing.assert_close(
        unpatched(tiny_shape, prompts, sets).probabilities[0], expected, **TOLERANCE
    )


def test_the_published_sources_are_ours(tiny_shape, prompts):
    torch.testing.assert_close(
        published.collect(tiny_shape, prompts),
        hidden_states(tiny_shape, prompts),
        rtol=0,
        atol=1e-4,
    )


def test_plain_hooks_give_the_engines_numbers_without_nnsight(
    tiny_shape, prompts, sets, monkeypatch
):
    vectors = some_vectors(tiny_shape, len(prompts), 2)
    expected = sweep_conditions(
        tiny_shape, prompts, vectors, sets, generate=2, unpatched_as="alone"
    )
    states = hidden_states(tiny_shape, prompts)
    with hooks.plain_hooks():
        monkeypatch.setattr(type(tiny_shape.nn), "trace", None)
        found = sweep_conditions(
            tiny_shape, prompts, vectors, sets, generate=2, unpatched_as="alone"
        )
        assert torch.equal(hidden_states(tiny_shape, prompts), states)
    for name, sweeps in expected.items():
        assert (
            torch.equal(found[name].probabilities, sweeps.probabilities)
            and found[name].answers == sweeps.answers
        )


def passes(model, run):
    """Tokens that go through the attention of each layer, summed, in passes through all layers."""
    counted = []
    handles = [
        layer.self_attn.register_forward_pre_hook(
            lambda _m, _a, kwargs: counted.append(kwargs["hidden_states"].shape[:2]),
            with_kwargs=True,
        )
        for layer in model.network.model.layers
    ]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return sum(rows * tokens for rows, tokens in counted) / model.n_layers


@pytest.mark.parametrize("count", [1, 7])
def test_the_engine_runs_as_many_tokens_as_the_floor_says(tiny_shape, prompts, sets, count):
    """Nothing is run twice: one prompt, so that nothing is padded."""
    vectors = some_vectors(tiny_shape, 1, count)
    lengths = flops.Lengths.of(prompts[:1])
    theirs, ours = flops.sweep_passes(lengths, tiny_shape.n_layers, count)
    assert (
        passes(tiny_shape, lambda: sweep_conditions(tiny_shape, prompts[:1], vectors, sets[:1]))
        == ours
    )
    first = vectors["condition 0"]
    one = passes(tiny_shape, lambda: published.patched(tiny_shape, prompts[:1], first, 0, sets[:1]))
    assert one * tiny_shape.n_layers * count == theirs
    tokens = passes(tiny_shape, lambda: published.generate(tiny_shape, prompts[:1], first, 0, 5))
    generating = flops.sweep_passes(lengths, tiny_shape.n_layers, count, generate=5)[0]
    assert (one + tokens) * tiny_shape.n_layers * count == generating


def test_sources_that_share_their_solved_lines_are_run_as_the_floor_says(tiny_shape, pairs):
    """The null concept's prompts differ from the source concept's in their last line only."""
    seen, conditions = (
        ("en", "fr", "es", "de", "ru"),
        [CONDITIONS["seen"], CONDITIONS["null_concept"]],
    )
    bank = SourceBank(tiny_shape, timing.words())
    ran = passes(tiny_shape, lambda: bank.prepare(conditions, PAIR, pairs[:1], seen))
    prompts = [bank.prompt(key) for key in bank._states]
    assert len(prompts) == 4  # two pairs of languages, two concepts
    stems = {prompt.token_ids[: prompt.line_position] for prompt in prompts}
    queries = sum(len(prompt.cut()) - prompt.line_position for prompt in prompts)
    assert (
        sum(map(len, stems)) + queries <= ran <= sum(map(len, stems)) + queries + 8
    )  # short rows are padded


def test_a_comparison_reports_the_medians_of_its_runs(tiny_shape):
    found = timing.sweep(tiny_shape, prompts=2, generate=2, runs=2, samples=2)
    assert len(found.ours) == len(found.published) == len(found.hooks) == 2
    assert found.difference <= 1e-5 and found.answers == 8 and found.different == 0
    assert found.bound > 1 and found.ratio("published") > 0
    pair = timing.pair(tiny_shape, prompts=2, runs=1, samples=2)
    assert pair.difference <= 1e-5 and pair.bound < found.bound


def test_a_wrong_answer_is_counted_and_a_tie_is_not(tiny_shape):
    found = timing.Comparison("", 1.0)
    words = tiny_shape.tokenizer("chien", add_special_tokens=False)["input_ids"]
    for ahead, text in ((1.0, "chien"), (1.0, "chat"), (1e-6, "chat")):
        timing._compare_answers(tiny_shape, found, [words], [[ahead] * len(words)], [text])
    assert (found.answers, found.different, found.ties) == (3, 1, 1)


def test_peak_memory_is_that_of_the_run(monkeypatch):
    monkeypatch.setattr(memory.subprocess, "run", run_module)
    logits = SHAPES["tiny"].vocabulary * 24 * 60 * 4 / 2**20  # of every position, in MiB
    # More than these in part, and neither what the libraries nor what the weights take.
    assert 0.8 * logits < memory.peak_mebibytes("published", "tiny", 24, 1) < 4 * logits


def test_stages_lie_beside_each_other_in_one_file_where_the_question_is_the_same(tmp_path, capsys):
    out = tmp_path / "bench.json"
    asked = {"out": out, "prompts": 1, "shape": "tiny"}
    stages.main(**asked, runs=1, only="sweep")
    stages.main(**asked, runs=1, only="generation")
    figures = json.loads(out.read_text())
    assert (
        figures["sweep_ratio"] > 0
        and figures["sweep_generation_ratio"] > 0
        and set(figures["comparisons"]) == {"sweep", "sweep_generation"}
    )
    assert (
        figures["same_tokens"]
        and figures["max_abs_difference"] <= 1e-5
        and figures["answers"] == figures["comparisons"]["sweep_generation"]["answers"]
    )
    assert out.with_suffix(".txt").read_text().count("ours/hooks") == 2 and not list(
        tmp_path.glob("*.aside")
    )
    stages.main(**asked, runs=2, only="sweep")
    assert "sweep_generation_ratio" not in json.loads(out.read_text())
    with pytest.raises(typer.BadParameter, match="stage 'speed': allowed are sweep, generation"):
        stages.main(**asked, runs=1, only="speed")
