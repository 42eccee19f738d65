"""A plan's passes are those that the engine makes, its numbers those of a hand's sum, its models as
large as they are.
"""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaConfig, LlamaForCausalLM

from bench import published as theirs
from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import Lexicon
from meanings.models.loading import wrap_model
from meanings.patching.checkpoint import PatchedCheckpoint
from meanings.patching.conditions import CONDITIONS
from meanings.patching.flops import Lengths
from meanings.prompts.draws import ConceptPairDraws
from meanings.study import budget
from meanings.study.budget import Extent
from meanings.study.budget_report import lengths as lengths_of
from meanings.study.decoder_shapes import SHAPES, DecoderShape, shape_named
from meanings.study.prompt_lengths import prompt_lengths
from stand_ins import small_model
from stand_ins.cells import patching_cell

LANGUAGES = ("cy", "de", "en", "es", "fr")
PROMPTS, SHOTS = 3, 2
SMALL = DecoderShape(layers=4, d_model=32, heads=4, kv_heads=2, mlp=48, vocabulary=258)
PAIRS = tuple(LanguagePair(*text.split("-")) for text in ("de-cy", "fr-en", "cy-de"))


@pytest.fixture(scope="module", autouse=True)
def names_of_one_length():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("meanings.prompts.prompt.language", lambda code: SimpleNamespace(native=code))
        yield


@pytest.fixture(scope="module")
def lexicon():
    """Words of three letters whose first is the concept's own: every prompt has as many bytes as
    any other.
    """
    return Lexicon(
        "even",
        LANGUAGES,
        {f"{c}{c}": {code: (f"{c}{code}",) for code in LANGUAGES} for c in "abcdefghijklmnop"},
        {},
    )


@pytest.fixture(scope="module")
def model():
    """Bytes for tokens, so that lengths are equal."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(
        models.BPE(
            vocab={"<s>": 0, "</s>": 1} | {letter: i for i, letter in enumerate(alphabet, 2)},
            merges=[],
        )
    )
    bpe.pre_tokenizer, bpe.decoder = (
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoders.ByteLevel(),
    )
    tokenizer = small_model.fast(bpe)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = small_model.config(len(tokenizer))
        config.tie_word_embeddings = False
        return wrap_model(LlamaForCausalLM(config), tokenizer, name="even")


@pytest.fixture(scope="module")
def lengths(lexicon, model):
    return prompt_lengths(lexicon, model.tokenizer, PAIRS, SHOTS, each=PROMPTS)


def cell(pair, condition, generate=0):
    return patching_cell(
        model="even",
        training_seed=0,
        step=0,
        tokens=0,
        weights_sha256="",
        lexicon="even",
        lexicon_sha256="",
        languages=LANGUAGES,
        pair=str(pair),
        condition=condition,
        prompt_seed=1,
        n_pairs=PROMPTS,
        shots=SHOTS,
        template="quoted",
        generate=generate,
        seen_languages=LANGUAGES,
    )


def passes(model, run):
    """Tokens through the attention of each layer, summed, in passes through all layers."""
    counted = []
    hooks = [
        layer.self_attn.register_forward_pre_hook(
            lambda _m, _a, kwargs: counted.append(kwargs["hidden_states"].shape[:2]),
            with_kwargs=True,
        )
        for layer in model.network.model.layers
    ]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return sum(rows * tokens for rows, tokens in counted) / model.n_layers


def measure_all(model, lexicon, extent):
    measurer = PatchedCheckpoint(model, lexicon, ConceptPairDraws())
    for pair, names in extent.defined:
        measurer.measure([cell(pair, name, extent.generate).request for name in names])


CHOICES = [
    tuple(CONDITIONS),
    ("seen", "null_concept", "tgt_tgt"),
    ("tgt",),
    ("src_unpatched",),
    ("tgt_unpatched", "src_unpatched"),
    ("seen", "tgt_unpatched"),
]


@pytest.mark.parametrize("names", CHOICES, ids=" ".join)
def test_a_study_runs_the_tokens_that_were_planned(model, lexicon, lengths, names):
    """All pairs of one checkpoint: source prompts shared by conditions and pairs, and the nulls."""
    extent = Extent(PAIRS, seen=LANGUAGES, conditions=names, prompts=PROMPTS, checkpoints=1)
    assert (
        passes(model, lambda: measure_all(model, lexicon, extent))
        == budget.ours(SMALL, extent, lengths).passes
    )


def test_answers_run_the_tokens_that_were_planned(model, lexicon, lengths, monkeypatch):
    monkeypatch.setattr("meanings.patching.generation.closes", lambda model, token: False)
    extent = Extent(PAIRS[:2], seen=LANGUAGES, prompts=PROMPTS, checkpoints=1, generate=4)
    assert (
        passes(model, lambda: measure_all(model, lexicon, extent))
        == budget.ours(SMALL, extent, lengths).passes
    )


@pytest.mark.parametrize("generate", [0, 4])
def test_a_study_makes_the_matrix_products_that_were_planned(
    model, lexicon, lengths, monkeypatch, generate
):
    """The counter knows matrix products and no fused attention, which is left out on both sides (a
    hand's sum has it below).
    """
    monkeypatch.setattr("meanings.patching.generation.closes", lambda model, token: False)
    whole = SMALL.cost
    monkeypatch.setattr(DecoderShape, "cost", property(lambda shape: replace(whole, attended=0.0)))
    extent = Extent(PAIRS[:2], seen=LANGUAGES, prompts=PROMPTS, checkpoints=1, generate=generate)
    with FlopCounterMode(display=False) as counter:
        measure_all(model, lexicon, extent)
    assert budget.ours(SMALL, extent, lengths).operations == pytest.approx(
        counter.get_total_flops(), rel=0.001
    )


def test_the_published_algorithm_runs_the_tokens_that_were_planned(model, lexicon, lengths):
    extent = Extent(
        PAIRS[:1],
        seen=LANGUAGES,
        conditions=("seen", "tgt_unpatched", "null_concept"),
        prompts=PROMPTS,
        checkpoints=1,
    )
    measurer = PatchedCheckpoint(model, lexicon, ConceptPairDraws())
    pair, (first, *_) = PAIRS[0], [cell(PAIRS[0], "seen")]
    drawn, _ = ConceptPairDraws().draw(model, lexicon, first.request)
    prompts = measurer.prompts(pair, drawn, "target", "quoted")
    columns = measurer.first_token_columns(drawn)
    vectors = torch.zeros(model.n_layers, PROMPTS, model.d_model)

    def run():
        for _ in ("seen", "null_concept"):
            for source in CONDITIONS["seen"].source_pairs(pair, LANGUAGES):
                theirs.collect(model, measurer.prompts(source, drawn, "source", "quoted"))
            for layer in range(model.n_layers):
                theirs.patched(model, prompts, vectors, layer, columns)
        theirs.patched(model, prompts, None, 0, columns)

    assert passes(model, run) == budget.published(SMALL, extent, lengths).passes


def test_a_plan_by_hand():
    """Two layers, one pair, one patched condition and its own prompts: P 10, S 3, R 7, Q 2."""
    model = DecoderShape(layers=2, d_model=4, heads=2, kv_heads=1, mlp=6, vocabulary=8)
    lengths = Lengths(prompt=10.0, suffix=3.0, source=7.0, query=2.0)
    extent = Extent(
        (LanguagePair("fr", "es"),),
        seen=(),
        conditions=("tgt", "src_unpatched"),
        prompts=5,
        checkpoints=3,
    )
    ours, published = budget.ours(model, extent, lengths), budget.published(model, extent, lengths)
    # Target 10 + 1 + (3 - 1) / 2, source read 10, source cut 7; whole forwards: two layers, one
    # unpatched, one cut source.
    assert ours.passes == 15 * (10 + 1 + 1 + 10 + 7) and published.passes == 15 * (2 * 10 + 10 + 7)
    assert ours.rows == published.rows == 15 * (2 + 1)
    layer = 4 * 4 + 2 * 4 * 2 + 4 * 4 + 3 * 4 * 6  # q, k and v, o, MLP
    assert model.layer_weights == 2 * layer and model.parameters == 2 * layer + 2 * 8 * 4
    assert replace(model, tied=True).parameters == 2 * layer + 8 * 4
    attended = 4 * 4 * 2 * (20 * 5 + 1 * 7 + 1 * 8.5 + 7 * 3.5)
    # Two beginnings of 7 tokens end with the last layer's keys and values: without o and MLP.
    unread = 14 * (2 * (4 * 4 + 3 * 4 * 6) + 4 * 4 * 3.5)
    assert ours.operations == pytest.approx(
        15 * (29 * 4 * layer + attended - unread + 2 * 8 * 4 * (2 + 1))
    )
    assert model.cached_bytes == 2 * 2 * 2 * 1 * 2 and ours.state_bytes == 2 * 5 * 2 * 4
    assert ours.hours(peak=1e6, utilisation=0.5) == pytest.approx(ours.operations / 5e5 / 3600)


def test_checkpoints_and_prompts_multiply_and_pairs_share():
    lengths, model = Lengths(100.0, 8.0, 90.0, 10.0), SHAPES["eurollm-1.7b"]
    one = Extent(budget.every_pair(), prompts=1, checkpoints=1)
    whole = replace(one, prompts=256, checkpoints=26)
    a, b = budget.ours(model, one, lengths), budget.ours(model, whole, lengths)
    assert (
        len(one.pairs) == 110
        and b.operations == pytest.approx(256 * 26 * a.operations)
        and b.state_bytes == 256 * a.state_bytes
    )
    alone = [budget.ours(model, replace(one, pairs=(pair,)), lengths).passes for pair in one.pairs]
    assert a.passes < 0.6 * sum(alone)
    patched = 7 * 110 - 10  # `self` is not defined where English is answered
    assert b.rows == 26 * 256 * (patched * 24 + 2 * 110)


@pytest.mark.parametrize(
    ("name", "billions"), [("eurollm-1.7b", 1.657), ("olmo-2-7b", 7.30), ("llama-3-70b", 70.55)]
)
def test_models_are_as_large_as_they_are_said_to_be(name, billions):
    assert SHAPES[name].parameters == pytest.approx(billions * 1e9, rel=0.005)


def test_a_shape_counts_the_weights_of_its_network(model):
    assert SMALL.parameters == sum(p.numel() for p in model.network.parameters() if p.ndim == 2)
    assert SMALL.cost.token == 2 * SMALL.layer_weights


@pytest.mark.parametrize("tied", [True, False])
def test_a_shape_is_read_from_a_config(tmp_path, tied):
    config = LlamaConfig(
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=50,
        head_dim=8,
        tie_word_embeddings=tied,
    )
    config.save_pretrained(tmp_path)
    found = shape_named(str(tmp_path))
    assert found == shape_named(str(tmp_path / "config.json"))
    assert found.parameters == sum(
        p.numel() for p in LlamaForCausalLM(config).parameters() if p.ndim == 2
    )
    (tmp_path / "config.json").write_text(json.dumps({"text_config": config.to_dict()}))
    assert shape_named(str(tmp_path)) == found


def test_a_row_is_as_large_as_the_result_files_say(model, lexicon, tmp_path):
    from meanings.measures import companion
    from meanings.measures.cell_files import write_cell

    measurer = PatchedCheckpoint(model, lexicon, ConceptPairDraws())
    cells = [cell(PAIRS[0], name) for name in ("tgt", "self", "tgt_unpatched")]
    found = measurer.measure([one.request for one in cells])
    size = [write_cell(tmp_path, c, found[c.request][0], {}).stat().st_size for c in cells]
    # A cell of another measure beside them has no condition.
    asked = companion.Request(permutations=100, seed=0, text_sha256="")
    other = replace(cells[0], measure="cka", version=1, request=asked)
    rows = pd.DataFrame(
        {"variant": ["rbf"], "language_a": "en", "language_b": "fr", "split": "all", "layer": 0,
         "n": 9, "value": 0.5}
    )  # fmt: skip
    write_cell(tmp_path, other, rows, {})
    assert budget.bytes_per_row(tmp_path) == sum(size[:2]) / (2 * model.n_layers * PROMPTS)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: shape_named("gpt-5"), "eurollm-1.7b"),
        (lambda: shape_named("nowhere/config.json"), "no readable config.json"),
        (lambda: replace(SMALL, layers=0), "layers=0"),
        (lambda: replace(SMALL, kv_heads=3), "multiple of kv_heads"),
        (lambda: Extent(PAIRS, prompts=0), "prompts=0"),
        (lambda: budget.bytes_per_row(Path("nowhere")), "meanings study"),
        (
            lambda: budget.ours(SMALL, Extent(PAIRS), Lengths(9.0, 3.0, 7.0, 2.0)).hours(
                989e12, 30
            ),
            "at most 1",
        ),
    ],
)
def test_wrong_requests_are_refused_in_one_line(wrong, said):
    with pytest.raises(MeaningsError, match=said) as error:
        wrong()
    assert "\n" not in str(error.value)


def test_a_config_that_lacks_a_size_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"hidden_size": 4}')
    with pytest.raises(MeaningsError, match="num_hidden_layers"):
        shape_named(str(tmp_path))


def test_a_statement_says_what_a_model_and_a_grid_cost(tmp_path):
    from meanings.core import formatting
    from meanings.study import budget_report

    (tmp_path / "grid.yaml").write_text(
        "pairs: [en-fr, fr-es]\nlanguages: [en, fr, es, de, cy]\nn_pairs: 10\nshots: "
        "2\nconditions: [seen, tgt_unpatched]\n"
    )
    said = budget_report.statement("olmo-2-7b", tmp_path / "grid.yaml", 3, 100e12, 0.5)
    extent, found = budget_report.extent_and_lengths("olmo-2-7b", tmp_path / "grid.yaml", 3, None)
    plan = budget.ours(SHAPES["olmo-2-7b"], extent, found)
    assert (
        set(extent.seen) == {"en", "fr", "es", "de"}
        and extent.prompts == 10
        and extent.generate == 0
        and len(extent.pairs) == 2
    )
    assert (
        f"{formatting.number(plan.hours(100e12, 0.5))} at 50% of 100 TFLOP/s" in said
        and "3 checkpoints, 2 pairs, 10 prompts" in said
    )
    assert "43.8 GB in all" in said
    with pytest.raises(MeaningsError, match="lacks language 'ru'"):
        (tmp_path / "grid.yaml").write_text("pairs: [ru-fr]\nlanguages: [en, fr]\n")
        budget_report.statement("olmo-2-7b", tmp_path / "grid.yaml", 3, 100e12, 0.5)
    with pytest.raises(MeaningsError, match="at most 1"):
        budget_report.statement("olmo-2-7b", None, 3, 100e12, 3.0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no tokenizer.json; give the tokenizer's folder"),
        ('{"version":', "cannot be read: EOF"),
        (
            Tokenizer(models.WordLevel({"cat": 0}, unk_token="none")).to_str(),
            "cannot split text that it does not know",
        ),
    ],
)
def test_a_tokenizer_that_cannot_be_used_is_one_line(tmp_path, content, said):
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(MeaningsError, match=said):
        lengths_of(tokenizer=tmp_path)
