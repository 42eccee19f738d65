"""The way from the query word to the answer: identities that hold in any model, and what the
verdict makes of the means.
"""

import pandas as pd
import pytest
import torch

from meanings.lexicon.languages import LanguagePair
from meanings.measures.recovery import STEPS, shares, verdict
from meanings.patching.recovery import attention_to_query, recovery, with_last_token
from meanings.patching.sweeping import unpatched
from meanings.prompts.answers import first_tokens
from meanings.prompts.prompt import translation_prompt
from stand_ins import small_model

PAIR = LanguagePair("fr", "es")
SEEN = ("en", "fr", "es", "de", "fi")


@pytest.fixture(scope="module")
def rows(model, lexicon):
    return recovery(model, lexicon, PAIR, SEEN, n_pairs=8, shots=2)


def pieces(tokenizer, word):
    return tokenizer(f'"{word}"', add_special_tokens=False)["input_ids"][1:-1]


def test_with_its_embedding_too_a_word_of_one_token_is_asked_for(lexicon):
    """All that is left of a target word of one token is replaced: layers and embedding together are
    the source prompt.
    """
    words = small_model.tokenizer(lexicon, 1500)
    model = small_model.model(words)
    found = recovery(model, lexicon, PAIR, SEEN, n_pairs=8, shots=2)
    single = [
        len(pieces(words, lexicon.word(row.source_concept, "fr")))
        == 1
        == len(pieces(words, lexicon.word(row.target_concept, "fr")))
        for row in found.itertuples()
    ]
    assert sum(single) >= 3
    assert torch.allclose(
        torch.tensor(found["embedding"][single].to_numpy()),
        torch.tensor(found["asked"][single].to_numpy()),
        atol=1e-6,
    )
    # And the embedding matters: without it the first layer still reads the target's word.
    assert (found["layers"] - found["asked"])[single].abs().max() > 1e-4


def test_the_steps_begin_and_end_with_prompts_that_nobody_patched(model, lexicon, tokenizer, rows):
    from meanings.prompts.concept_pairs import draw_concept_pairs

    drawn = draw_concept_pairs(lexicon, tokenizer, lexicon.languages, 8, 2, 42)
    for side, step in (("target", "target"), ("source", "asked")):
        prompts = [
            translation_prompt(lexicon, tokenizer, PAIR, getattr(each, side), each.target_shots)
            for each in drawn
        ]
        columns = [[first_tokens(tokenizer, lexicon.words(each.source, "es"))] for each in drawn]
        assert (
            rows[step].tolist()
            == unpatched(model, prompts, columns).probabilities[0, :, 0].tolist()
        )
    assert rows["seen"].notna().all() and not rows["seen"].equals(rows["null_concept"])


def test_only_the_last_token_of_the_query_word_is_exchanged(lexicon, tokenizer):
    a, b = (
        translation_prompt(lexicon, tokenizer, PAIR, concept, ("dog", "tree"))
        for concept in ("cat", "umbrella")
    )
    new = with_last_token(a, b)
    differing = [
        i for i, (x, y) in enumerate(zip(a.token_ids, new.token_ids, strict=True)) if x != y
    ]
    assert (
        differing == [a.query_position]
        and new.token_ids[a.query_position] == b.token_ids[b.query_position]
    )


def test_attention_is_of_the_answer_to_the_query_word(model, lexicon, tokenizer):
    prompts = [
        translation_prompt(lexicon, tokenizer, PAIR, concept, ("dog",))
        for concept in ("cat", "water")
    ]
    before = model.network.config._attn_implementation
    maps = attention_to_query(model, prompts)
    assert model.network.config._attn_implementation == before
    assert maps.shape == (small_model.N_LAYERS, 4) and bool(((maps > 0) & (maps < 1)).all())
    # In the first layer it is a softmax of products of rotated queries and keys, made anew here for
    # one head.
    prompt = prompts[0]
    layer, ids = model.network.model.layers[0], torch.tensor([prompt.token_ids])
    states = layer.input_layernorm(model.network.model.embed_tokens(ids))
    cos, sin = model.network.model.rotary_emb(states, torch.arange(ids.shape[1])[None])
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    attention = layer.self_attn
    queries, keys = (
        proj(states).view(1, ids.shape[1], -1, attention.head_dim).transpose(1, 2)
        for proj in (attention.q_proj, attention.k_proj)
    )
    queries, keys = apply_rotary_pos_emb(queries, keys, cos, sin)
    weights = (queries[0, 0, -1] @ keys[0, 0].T * attention.scaling).softmax(-1)
    assert attention_to_query(model, [prompt])[0, 0] == pytest.approx(
        float(weights[prompt.query_position]), abs=1e-6
    )


@pytest.mark.parametrize(
    "target, layers, embedding, asked, seen, said",
    [
        (0.0, 0.01, 0.01, 0.02, 0.02, "does not translate"),
        (0.0, 0.02, 0.89, 0.90, 0.01, "the embedding of the word's last token"),
        (0.0, 0.02, 0.10, 0.90, 0.01, "the word's other tokens"),
        (0.0, 0.80, 0.85, 0.90, 0.10, "no shared space"),
        (0.0, 0.80, 0.85, 0.90, 0.60, "a shared space"),
        (0.0, 0.80, 0.85, 0.90, float("nan"), "no other seen languages"),
    ],
)
def test_the_verdict_tells_what_cannot_be_seen_from_what_is_not_there(
    target, layers, embedding, asked, seen, said
):
    rows = pd.DataFrame(
        [
            dict(zip(STEPS, (target, layers, embedding, asked), strict=True))
            | {"seen": seen, "null_concept": 0.0}
        ]
        * 3
    )
    assert said in verdict(rows)
    assert shares(rows)["layers"] == pytest.approx((layers - target) / (asked - target))


def test_it_says_what_is_being_done(model, lexicon):
    said = []
    recovery(
        model, lexicon, PAIR, SEEN, n_pairs=8, shots=2, report=lambda *stage: said.append(stage)
    )
    stages = [stage for stage, _, _ in said]
    assert list(dict.fromkeys(stages)) == [
        "drawing prompts",
        "patching the source word in",
        "source states",
    ]
    # Both ordered pairs of German and Finnish, for `seen` and then the null.
    counted = [(done, total) for stage, done, total in said if stage == "source states"]
    n = 2 * 8
    assert counted == [(done, n) for done in range(0, n + 1, 8)] * 2
