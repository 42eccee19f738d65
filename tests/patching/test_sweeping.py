"""Patching: equal to plain hooks, and the identities that any right implementation has."""

from dataclasses import replace

import pytest
import torch

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LANGUAGES, LanguagePair
from meanings.models.loading import DTYPES
from meanings.patching import generation
from meanings.patching.conditions import CONDITIONS
from meanings.patching.query_states import hidden_states
from meanings.patching.source_states import SourceBank
from meanings.patching.sweeping import sweep, sweep_conditions, unpatched
from meanings.patching.token_probability import concept_probability, token_columns
from meanings.prompts.prompt import Prompt, translation_prompt
from stand_ins import plain_forward, small_model

PAIR = LanguagePair("fr", "es")
SEEN = small_model.LANGUAGES_USED
PATCHED = [name for name, condition in CONDITIONS.items() if condition.patched]
NAMES = {code: LANGUAGES[code].native for code in SEEN}
TOLERANCE = {"rtol": 0, "atol": 1e-5}


@pytest.fixture(scope="module")
def layers(model):
    return list(model.network.model.layers)


@pytest.fixture(scope="module")
def targets(lexicon, tokenizer, concept_pairs):
    """The target prompts, of several lengths."""
    prompts = [
        translation_prompt(lexicon, tokenizer, PAIR, p.target, p.target_shots)
        for p in concept_pairs
    ]
    assert len({len(prompt.token_ids) for prompt in prompts}) > 2
    return prompts


@pytest.fixture(scope="module")
def sources(lexicon, tokenizer, concept_pairs):
    return [
        translation_prompt(lexicon, tokenizer, PAIR, p.source, p.source_shots)
        for p in concept_pairs
    ]


@pytest.fixture(scope="module")
def every_token(tokenizer, targets):
    """One column a token: the probabilities are the whole next-token distribution."""
    return [[frozenset({token}) for token in range(len(tokenizer))]] * len(targets)


@pytest.fixture(scope="module")
def vectors(model, lexicon, concept_pairs):
    bank = SourceBank(model, lexicon)
    return {name: bank.vectors(CONDITIONS[name], PAIR, concept_pairs, SEEN) for name in PATCHED}


@pytest.fixture(scope="module")
def random_vectors(targets):
    return torch.randn(
        small_model.N_LAYERS, len(targets), 32, generator=torch.Generator().manual_seed(1)
    )


@pytest.fixture(scope="module")
def expected(model, layers, lexicon, tokenizer, concept_pairs, targets):
    """The oracle's distributions, [first layer, prompt, token], by condition."""
    found = {}
    for name in PATCHED:
        own = plain_forward.vectors(
            model.network,
            layers,
            lexicon,
            tokenizer,
            NAMES,
            name,
            ("fr", "es"),
            concept_pairs,
            SEEN,
        )
        found[name] = torch.stack(
            [
                torch.stack(
                    [
                        plain_forward.distribution(
                            model.network, layers, p.token_ids, p.query_position, own[:, i], first
                        )
                        for i, p in enumerate(targets)
                    ]
                )
                for first in range(small_model.N_LAYERS)
            ]
        )
    return found


def plain(model, layers, prompts):
    return torch.stack(
        [
            plain_forward.distribution(model.network, layers, p.token_ids, 0, None, None)
            for p in prompts
        ]
    )


@pytest.mark.parametrize("chunk_rows", [1, 4, 7, "auto"])
@pytest.mark.parametrize("name", PATCHED)
def test_every_condition_and_first_layer_equals_plain_hooks(
    model, targets, vectors, every_token, expected, name, chunk_rows
):
    found = sweep(model, targets, vectors[name], every_token, chunk_rows=chunk_rows)
    assert found.first_layers == tuple(range(small_model.N_LAYERS))
    torch.testing.assert_close(found.probabilities, expected[name], **TOLERANCE)


def test_first_layers_and_conditions_differ_from_each_other(expected):
    """Else the equality above would not see a wrong layer or a wrong source."""
    rows = [
        distribution
        for condition in PATCHED
        if condition != "tgt_tgt"
        for distribution in expected[condition][:-1]
    ]
    gaps = [(a - b).abs().max() for i, a in enumerate(rows) for b in rows[:i]]
    assert min(gaps) > 20 * TOLERANCE["atol"]


@pytest.mark.parametrize("chunk_rows", [5, "auto"])
def test_conditions_measured_together_equal_each_alone(
    model, layers, targets, vectors, every_token, expected, chunk_rows
):
    found = sweep_conditions(
        model, targets, vectors, every_token, chunk_rows=chunk_rows, unpatched_as="alone"
    )
    assert list(found) == [*PATCHED, "alone"]
    for name in PATCHED:
        torch.testing.assert_close(found[name].probabilities, expected[name], **TOLERANCE)
    assert found["alone"].first_layers == (-1,)
    torch.testing.assert_close(
        found["alone"].probabilities[0], plain(model, layers, targets), **TOLERANCE
    )


def test_unpatched_equals_a_plain_forward(model, layers, sources, targets, every_token):
    for prompts in (sources, targets):
        found = unpatched(model, prompts, every_token)
        torch.testing.assert_close(
            found.probabilities[0], plain(model, layers, prompts), **TOLERANCE
        )


def test_hidden_states_equal_plain_hooks(model, layers, sources, targets):
    prompts = [*sources, *targets]
    expected = torch.stack(
        [
            plain_forward.stack(model.network, layers, p.token_ids, p.query_position)
            for p in prompts
        ],
        dim=1,
    )
    torch.testing.assert_close(hidden_states(model, prompts), expected, rtol=0, atol=1e-4)


def test_prompts_that_share_their_solved_lines_do_not_mix(model, lexicon, tokenizer, concept_pairs):
    shots = concept_pairs[0].source_shots
    concepts = [concept for concept in lexicon.concepts if concept not in shots]
    prompts = [translation_prompt(lexicon, tokenizer, PAIR, concept, shots) for concept in concepts]
    together = hidden_states(model, prompts)
    alone = torch.cat([hidden_states(model, [prompt]) for prompt in prompts], dim=1)
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


@pytest.mark.parametrize("first_layer", range(small_model.N_LAYERS))
def test_a_prompt_patched_into_itself_answers_as_before(model, targets, every_token, first_layer):
    own = hidden_states(model, targets)
    found = sweep(model, targets, own, every_token, first_layers=[first_layer], generate=4)
    before = unpatched(model, targets, every_token, generate=4)
    torch.testing.assert_close(found.probabilities, before.probabilities, **TOLERANCE)
    assert found.answers == before.answers


def at_query(prompt: Prompt) -> Prompt:
    """The prompt cut after its query word, so that the patched token is the one that is answered
    from.
    """
    return replace(prompt, token_ids=prompt.cut())


def test_all_layers_patched_at_the_last_token_answer_as_the_source(
    model, sources, targets, every_token
):
    found = sweep(model, [at_query(p) for p in targets], hidden_states(model, sources), every_token)
    before = unpatched(model, [at_query(p) for p in sources], every_token)
    for first_layer in range(
        small_model.N_LAYERS
    ):  # the last layer alone decides, whatever the first
        torch.testing.assert_close(
            found.probabilities[first_layer], before.probabilities[0], **TOLERANCE
        )


def test_the_last_layer_alone_cannot_reach_a_later_token(
    model, targets, random_vectors, every_token
):
    found = sweep(
        model, targets, random_vectors, every_token, first_layers=[small_model.N_LAYERS - 1]
    )
    torch.testing.assert_close(
        found.probabilities, unpatched(model, targets, every_token).probabilities, **TOLERANCE
    )


@pytest.mark.parametrize("first_layer", range(small_model.N_LAYERS))
def test_layers_below_the_first_are_never_read(
    model, targets, random_vectors, every_token, first_layer
):
    dyed = random_vectors.clone()
    dyed[:first_layer] = torch.nan
    found = sweep(model, targets, dyed, every_token, first_layers=[first_layer], generate=3)
    clean = sweep(
        model, targets, random_vectors, every_token, first_layers=[first_layer], generate=3
    )
    assert torch.equal(found.probabilities, clean.probabilities)
    assert found.answers == clean.answers


@pytest.mark.parametrize("layer", range(small_model.N_LAYERS - 1))
def test_every_layer_from_the_first_on_is_written(
    model, targets, random_vectors, every_token, layer
):
    """A NaN in one layer's vector reaches every row that is patched there, and no other; such a row
    is refused.
    """
    dyed = random_vectors.clone()
    dyed[layer, 3] = torch.nan
    for first in range(layer + 1):
        with pytest.raises(MeaningsError, match=f"patched from layer {first} on") as error:
            sweep(model, targets, dyed, every_token, first_layers=[first])
        assert repr(targets[3].text) in str(error.value) and "float32" in str(error.value)
    sweep(model, targets, dyed, every_token, first_layers=range(layer + 1, small_model.N_LAYERS))


@pytest.mark.parametrize("chunk_rows", [3, "auto"])
def test_rows_do_not_mix_whatever_their_order(
    model, targets, random_vectors, every_token, chunk_rows
):
    order = [4, 0, 5, 2, 1, 3]
    found = sweep(model, targets, random_vectors, every_token, generate=3, chunk_rows=chunk_rows)
    mixed = sweep(
        model,
        [targets[i] for i in order],
        random_vectors[:, order],
        every_token,
        generate=3,
        chunk_rows=chunk_rows,
    )
    torch.testing.assert_close(mixed.probabilities, found.probabilities[:, order], **TOLERANCE)
    assert mixed.answers == [[row[i] for i in order] for row in found.answers]


def test_prompts_of_any_length_may_stand_together(model, layers, lexicon, tokenizer):
    """Prefixes of very different lengths (padding), suffixes of different lengths, and a prompt
    without few-shot examples.
    """
    concepts = lexicon.concepts
    prompts = [
        translation_prompt(
            lexicon, tokenizer, LanguagePair(*pair), concepts[10 + n], concepts[:n], template
        )
        for n, pair, template in [
            (0, ("fr", "es"), "quoted"),
            (9, ("fi", "de"), "quoted"),
            (3, ("en", "en"), "arrow"),
            (1, ("de", "fr"), "equals"),
        ]
    ]
    columns = [[frozenset({token}) for token in range(len(tokenizer))]] * len(prompts)
    v = torch.randn(
        small_model.N_LAYERS, len(prompts), 32, generator=torch.Generator().manual_seed(2)
    )
    found = sweep(model, prompts, v, columns, generate=3)
    for first in range(small_model.N_LAYERS):
        for i, p in enumerate(prompts):
            patch = (p.token_ids, p.query_position, v[:, i], first)
            torch.testing.assert_close(
                found.probabilities[first, i],
                plain_forward.distribution(model.network, layers, *patch),
                **TOLERANCE,
            )
            expected = plain_forward.answer(
                model.network, layers, tokenizer, *patch, 3, generation.CLOSING
            )
            assert found.answers[first][i] == expected
    expected = torch.stack(
        [
            plain_forward.stack(model.network, layers, p.token_ids, p.query_position)
            for p in prompts
        ],
        dim=1,
    )
    torch.testing.assert_close(hidden_states(model, prompts), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("chunk_rows", [4, "auto"])
@pytest.mark.parametrize("closing", [('"', "\n"), ("e", "a", "o", "i", "u", "n", "r")])
def test_generated_answers_equal_plain_hooks(
    model, layers, tokenizer, targets, vectors, every_token, monkeypatch, closing, chunk_rows
):
    """With the second set of closing marks, rows end at different steps, so that the batch
    shrinks.
    """
    monkeypatch.setattr(generation, "CLOSING", closing)
    found = sweep(
        model, targets, vectors["tgt"], every_token, generate=6, chunk_rows=chunk_rows
    ).answers
    expected = [
        [
            plain_forward.answer(
                model.network,
                layers,
                tokenizer,
                p.token_ids,
                p.query_position,
                vectors["tgt"][:, i],
                first,
                6,
                closing,
            )
            for i, p in enumerate(targets)
        ]
        for first in range(small_model.N_LAYERS)
    ]
    assert found == expected
    if closing[0] == "e":
        assert len({len(tokenizer.encode(text)) for row in expected for text in row}) > 2


def test_columns_sum_the_tokens_of_each_prompt(
    model, targets, random_vectors, every_token, tokenizer
):
    whole = sweep(model, targets, random_vectors, every_token).probabilities
    sets = [
        [frozenset({i, i + 7, 300 + i}), frozenset(), frozenset({2 * i + 1})]
        for i in range(len(targets))
    ]
    found = sweep(model, targets, random_vectors, sets).probabilities
    for i, row in enumerate(sets):
        for column, tokens in enumerate(row):
            expected = whole[:, i, sorted(tokens)].sum(-1)
            torch.testing.assert_close(found[:, i, column], expected, rtol=1e-5, atol=1e-7)


def test_concept_probability_by_hand():
    logits = torch.tensor([[0.0, 0.0, torch.log(torch.tensor(2.0))]])  # probabilities 1/4, 1/4, 1/2
    columns = token_columns([[frozenset({0, 2}), frozenset({1})]])
    torch.testing.assert_close(concept_probability(logits, columns), torch.tensor([[0.75, 0.25]]))


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_half_precision_follows_single_precision(
    tokenizer, targets, random_vectors, every_token, model, name
):
    network = small_model.network(tokenizer).to(DTYPES[name])
    half = small_model.wrap_model(network, tokenizer, name="half")
    found = sweep(half, targets, random_vectors, every_token, generate=1)
    whole = sweep(model, targets, random_vectors, every_token)
    assert found.probabilities.dtype == torch.float32
    assert (found.probabilities - whole.probabilities).abs().max() < 0.1
    assert hidden_states(half, targets).dtype == DTYPES[name]


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_layers": [4]},
        {"first_layers": [-1]},
        {"first_layers": [1, 1]},
        {"chunk_rows": 0},
        {"generate": -1},
    ],
)
def test_wrong_requests_are_refused_in_one_line(model, targets, random_vectors, every_token, wrong):
    with pytest.raises(MeaningsError) as error:
        sweep(model, targets, random_vectors, every_token, **wrong)
    assert "\n" not in str(error.value)


def test_sizes_that_do_not_agree_are_refused(model, targets, random_vectors, every_token):
    with pytest.raises(MeaningsError, match="expected layer, prompt, d_model"):
        sweep(model, targets, random_vectors[:, 1:], every_token)
    with pytest.raises(MeaningsError, match="token columns"):
        sweep(model, targets, random_vectors, every_token[1:])
    with pytest.raises(MeaningsError, match="same number of token columns"):
        sweep(model, targets, random_vectors, [*every_token[1:], []])
