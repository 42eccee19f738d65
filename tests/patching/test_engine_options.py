"""One layer patched alone, and whole words scored: both equal to plain hooks, at every layer."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
)

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair
from meanings.patching import generation
from meanings.patching.query_states import hidden_states
from meanings.patching.sweeping import sweep, sweep_conditions, unpatched
from meanings.patching.word_probability import Words
from meanings.prompts.answers import closing_tokens, word_tokens
from meanings.prompts.prompt import translation_prompt
from stand_ins import plain_forward, small_model

PAIR = LanguagePair("fr", "es")
TOLERANCE = {"rtol": 0, "atol": 1e-5}
N_LAYERS = small_model.N_LAYERS


def other_networks(n_tokens):
    size = {
        "vocab_size": n_tokens,
        "hidden_size": 32,
        "num_attention_heads": 4,
        "initializer_range": 0.3,
    }
    return {
        "bloom": lambda: BloomForCausalLM(
            BloomConfig(
                vocab_size=n_tokens,
                hidden_size=32,
                n_head=4,
                n_layer=N_LAYERS,
                initializer_range=0.3,
            )
        ),
        "gpt_neox": lambda: GPTNeoXForCausalLM(
            GPTNeoXConfig(
                **size,
                intermediate_size=48,
                num_hidden_layers=N_LAYERS,
                max_position_embeddings=512,
            )
        ),
        "gemma3": lambda: Gemma3ForCausalLM(
            Gemma3TextConfig(
                **size,
                intermediate_size=48,
                num_hidden_layers=N_LAYERS,
                num_key_value_heads=2,
                head_dim=8,
                sliding_window=16,
            )
        ),
    }


@pytest.fixture(scope="module")
def targets(lexicon, tokenizer, concept_pairs):
    return [
        translation_prompt(lexicon, tokenizer, PAIR, p.target, p.target_shots)
        for p in concept_pairs
    ]


@pytest.fixture(scope="module")
def vectors(targets):
    return torch.randn(N_LAYERS, len(targets), 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def every_token(tokenizer, targets):
    return [[frozenset({token}) for token in range(len(tokenizer))]] * len(targets)


@pytest.fixture(scope="module")
def words(lexicon, tokenizer, concept_pairs):
    """Words of source and target concept, of one and of several tokens, in columns of one and of
    several words.
    """
    pooled = (("es", "fr"), ("fi",))
    sets = [
        [
            word_tokens(tokenizer, [word for code in codes for word in lexicon.words(c, code)])
            for c in (p.source, p.target)
            for codes in pooled
        ]
        for p in concept_pairs
    ]
    assert len({len(word) for row in sets for those in row for word in those}) > 1
    assert any(len(those) > 1 for row in sets for those in row)
    return Words(sets, closing_tokens(tokenizer))


def layers_of(model):
    return list(model.network.get_submodule(model.layers_path))


def plain(model, prompts, vectors, first, only=True):
    return torch.stack(
        [
            plain_forward.distribution(
                model.network,
                layers_of(model),
                p.token_ids,
                p.query_position,
                vectors[:, i],
                first,
                only,
            )
            for i, p in enumerate(prompts)
        ]
    )


@pytest.mark.parametrize("chunk_rows", [1, 4, "auto"])
def test_one_layer_alone_equals_plain_hooks(model, targets, vectors, every_token, chunk_rows):
    found = sweep(model, targets, vectors, every_token, layers="only", chunk_rows=chunk_rows)
    whole = sweep(model, targets, vectors, every_token)
    for j in range(N_LAYERS):
        torch.testing.assert_close(
            found.probabilities[j], plain(model, targets, vectors, j), **TOLERANCE
        )
        gap = (found.probabilities[j] - whole.probabilities[j]).abs().max()
        assert gap > 1e-3 or j >= N_LAYERS - 2  # else the two choices could not be told apart
    # Above the last layer but one there is only the last, whose vector no later token reads.
    torch.testing.assert_close(found.probabilities[-2:], whole.probabilities[-2:], **TOLERANCE)


@pytest.mark.parametrize("name", ["bloom", "gpt_neox", "gemma3"])
def test_one_layer_alone_and_words_in_other_architectures(
    tokenizer, targets, vectors, every_token, words, name
):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        other = small_model.wrap_model(other_networks(len(tokenizer))[name](), tokenizer, name=name)
    found = sweep(other, targets, vectors, every_token, layers="only").probabilities
    said = sweep(other, targets, vectors, words).probabilities
    for j in range(N_LAYERS):
        torch.testing.assert_close(found[j], plain(other, targets, vectors, j), **TOLERANCE)
        for i in (0, 4):
            torch.testing.assert_close(
                said[j, i],
                expected_words(other, targets[i], vectors[:, i], j, words, i),
                **TOLERANCE,
            )


def test_one_layer_alone_where_the_patched_token_is_answered_from(
    model, targets, vectors, every_token
):
    ends = [replace(p, token_ids=p.cut()) for p in targets]
    found = sweep(model, ends, vectors, every_token, layers="only")
    for j in range(N_LAYERS):
        torch.testing.assert_close(
            found.probabilities[j], plain(model, ends, vectors, j), **TOLERANCE
        )


@pytest.mark.parametrize("j", range(N_LAYERS))
def test_one_layer_alone_reads_that_layers_vector_only(model, targets, vectors, every_token, j):
    dyed = torch.full_like(vectors, torch.nan)
    dyed[j] = vectors[j]
    found = sweep(model, targets, dyed, every_token, first_layers=[j], layers="only", generate=3)
    clean = sweep(model, targets, vectors, every_token, first_layers=[j], layers="only", generate=3)
    assert torch.equal(found.probabilities, clean.probabilities) and found.answers == clean.answers
    if j < N_LAYERS - 1:
        dyed[j, 2] = torch.nan
        with pytest.raises(MeaningsError, match=f"patched at layer {j}"):
            sweep(model, targets, dyed, every_token, first_layers=[j], layers="only")


def test_answers_after_one_layer_alone_equal_plain_hooks(
    model, tokenizer, targets, vectors, every_token
):
    found = sweep(model, targets, vectors, every_token, layers="only", generate=4).answers
    for j in range(N_LAYERS):
        for i, p in enumerate(targets):
            patch = (p.token_ids, p.query_position, vectors[:, i], j)
            assert found[j][i] == plain_forward.answer(
                model.network, layers_of(model), tokenizer, *patch, 4, generation.CLOSING, only=True
            )


def test_a_prompt_patched_into_itself_at_one_layer_answers_as_before(model, targets, every_token):
    own = sweep(model, targets, hidden_states(model, targets), every_token, layers="only")
    before = unpatched(model, targets, every_token).probabilities
    torch.testing.assert_close(own.probabilities, before.expand_as(own.probabilities), **TOLERANCE)


def expected_words(model, prompt, vectors, first, words, row, only=False):
    @cache  # many words begin alike
    def following(said):
        ids = (*prompt.token_ids, *said)
        return plain_forward.distribution(
            model.network, layers_of(model), ids, prompt.query_position, vectors, first, only
        )

    one = [
        sum(plain_forward.word(following, word, words.closing) for word in those)
        for those in words.sets[row]
    ]
    return torch.tensor(one)


@pytest.fixture(scope="module")
def said_by_hooks(model, targets, vectors, words):
    """Probabilities of whole words of two conditions, [layer, prompt, column], and unpatched."""

    @cache
    def found(layers):
        only = layers == "only"
        return {
            name: torch.stack(
                [
                    torch.stack(
                        [
                            expected_words(model, prompt, own[:, i], j, words, i, only)
                            for i, prompt in enumerate(targets)
                        ]
                    )
                    for j in range(N_LAYERS)
                ]
            )
            for name, own in conditions(vectors).items()
        }

    unpatched = [
        expected_words(model, prompt, None, None, words, i) for i, prompt in enumerate(targets)
    ]
    return found, torch.stack(unpatched)


def conditions(vectors):
    """Several conditions at once: a row's words must stay with the row."""
    return {"a": vectors, "b": vectors.flip(1)}


@pytest.mark.parametrize("layers", ["from", "only"])
@pytest.mark.parametrize("chunk_rows", [2, "auto"])
def test_whole_words_equal_plain_hooks(
    model, targets, vectors, words, said_by_hooks, layers, chunk_rows
):
    found = sweep_conditions(
        model,
        targets,
        conditions(vectors),
        words,
        layers=layers,
        chunk_rows=chunk_rows,
        unpatched_as="alone",
    )
    by_layers, unpatched = said_by_hooks
    close = {"rtol": 1e-3, "atol": 1e-15}
    for name, expected in by_layers(layers).items():
        torch.testing.assert_close(found[name].probabilities, expected, **close)
    torch.testing.assert_close(found["alone"].probabilities[0], unpatched, **close)


def test_words_of_a_concept_are_no_likelier_than_their_first_tokens(model, targets, vectors, words):
    first = [[frozenset(word[0] for word in those) for those in row] for row in words.sets]
    whole, begun = (sweep(model, targets, vectors, asked).probabilities for asked in (words, first))
    assert (whole < begun + 1e-7).all() and (whole < 0.9 * begun).any()


def test_wrong_requests_are_refused(model, targets, vectors, every_token, words):
    with pytest.raises(MeaningsError, match="beside first tokens"):
        sweep(model, targets, vectors, words, generate=2)
    with pytest.raises(MeaningsError, match="without tokens"):
        Words([[frozenset({()})]], words.closing)
    with pytest.raises(MeaningsError, match="same number"):
        Words([[frozenset()], []], words.closing)


def test_words_are_split_as_they_stand_after_the_quote(lexicon, tokenizer):
    prompt = translation_prompt(lexicon, tokenizer, PAIR, "cat", ("dog",))
    (ids,) = word_tokens(tokenizer, ["pájaro"])
    whole = tokenizer(prompt.text + 'pájaro"')["input_ids"]
    assert tuple(whole[len(prompt.token_ids) : -1]) == ids and whole[-1] in closing_tokens(
        tokenizer
    )
    assert all(tokenizer.decode([token]).startswith('"') for token in closing_tokens(tokenizer))
