"""One patch followed step by step, on the tiny model."""

import dataclasses
import html
import json
import re

import pytest
import torch

from meanings.book import walkthrough
from meanings.book.chapter_parameters import Method
from meanings.book.facts import method as facts
from meanings.book.walkthrough import stepping
from meanings.lexicon.languages import parse_pair
from meanings.models.checkpoint import Checkpoint
from meanings.prompts.prompt import translation_prompt
from stand_ins.small_model import LANGUAGES_USED

PAIR = parse_pair("fr-de")


@pytest.fixture(scope="module")
def walk(model, lexicon, concept_pairs):
    concepts = concept_pairs[0]
    source, target = (
        translation_prompt(lexicon, model.tokenizer, PAIR, concept, shots)
        for concept, shots in (
            (concepts.source, concepts.source_shots),
            (concepts.target, concepts.target_shots),
        )
    )
    return walkthrough.Walkthrough(
        page=Method(model="tiny", n_pairs=8, shots=2),
        model=model,
        lexicon=lexicon,
        checkpoint=Checkpoint("tiny", 0, 7, 100),
        seen=LANGUAGES_USED,
        pair=PAIR,
        example=0,
        n_changed=3,
        concepts=concepts,
        source=source,
        target=target,
    )


@pytest.fixture(scope="module")
def layers(walk):
    """Scores by first patched layer, by hooks, as the page does it."""
    vector = walk.source_states().mean(dim=1)

    def patched(first):
        def overwrite(layer):
            def hook(module, inputs, output):
                output[0, walk.target.query_position] = vector[layer]
                return output

            return hook

        later = range(first, walk.model.n_layers)
        with walk.hooks({layer: overwrite(layer) for layer in later}):
            return walk.forward()

    return vector, walk.scores_by_layer([patched(first) for first in range(walk.model.n_layers)])


def test_hooks_and_the_librarys_sweep_agree(walk, layers):
    assert walk.gap(*layers) < 1e-5


def test_the_page_shows_tokens_shapes_vectors_and_conditions(walk, layers):
    tokens = walkthrough.tokens(walk)
    assert tokens["role"].loc[walk.target.query_position] == "query word's last token"
    assert tokens["role"].iloc[-1] == "the answer is read here"
    shapes = walkthrough.shapes(walk)["shape"]
    assert shapes["concept vector"] == tuple(layers[0].shape)
    assert shapes["source states"] == tuple(walk.source_states().shape)
    assert walkthrough.vectors(layers[0])["length"].iloc[0] == pytest.approx(
        float(layers[0][0].norm()), abs=0.01
    )
    assert "self" in walkthrough.conditions().index
    assert walkthrough.drawing(walk, 2, "x")["n_layers"] == walk.model.n_layers


def test_states_of_one_concept_are_more_alike_than_those_of_two(walk):
    stack = walk.source_states()
    same = walk.agreement(torch.stack([stack[:, 0]] * stack.shape[1], dim=1))
    assert same["mean cosine"].to_numpy() == pytest.approx(1, abs=1e-4)
    assert (same["with another concept"] < 1).all()


def test_facts_of_the_patch_follow_the_answers(walk, layers):
    vector, scores = layers
    after = walk.answer_after(vector, 1)
    said = facts.patched_answer(walk, scores, 1, after, walk.gap(vector, scores))
    changed = "has changed" if after != walk.answer_before() else "has not changed"
    assert said["me_changed"] == f"the answer {changed}" and said["me_after"] == after
    assert said["me_p1"] == f"{scores.loc[1, 'P(source)']:.3f}"
    right = facts.patched_answer(walk, scores, 1, walk.source_word, 0.0)
    assert right["me_right"] == "and is an accepted word of the source concept"
    setting = facts.setting(walk)
    assert (setting["me_turned"], setting["me_drawn"], setting["me_step"]) == (3, 8, 7)
    saving = facts.cheap_sweep(walk)
    assert int(saving["me_published"].replace(",", "")) > int(saving["me_ours"].replace(",", ""))
    vectors = facts.concept_vectors(walk.agreement(walk.source_states()), 2)
    assert vectors["me_sources"] == 2 and 0 <= vectors["me_top_layer"] < walk.model.n_layers


def test_a_step_changes_the_query_word_and_what_comes_after_it(walk, layers):
    vector, first = layers[0], 1
    stepped = walkthrough.steps(walk, vector, first)
    changes, query = stepped.changes, stepped.query
    assert changes.shape == (walk.model.n_layers, len(stepped.tokens))
    assert (changes[:first] == 0).all() and (changes[:, :query] == 0).all()
    assert (changes[first:, query] > 0).all()
    assert (changes[first, query + 1 :] == 0).all()  # they read the layer below, as it was
    assert (changes[first + 1 :, -1] > 0).all()
    # The overwritten output is the vector itself.
    states = stepping._outputs(walk, vector, first)
    assert torch.equal(states[first:, walk.target.query_position], vector[first:].float())


def test_what_a_step_shows_cannot_become_markup(walk, layers):
    stepped = walkthrough.steps(walk, layers[0], 0)
    odd = dataclasses.replace(stepped, after='"><script>alert(1)</script>')
    carried = re.fullmatch(r'<div class="stepper" data-steps="([^"]*)"></div>', odd._repr_html_())
    assert json.loads(html.unescape(carried.group(1)))["after"] == odd.after
    assert "<" not in carried.group(1)
