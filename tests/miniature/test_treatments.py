"""Early alignment and code-switching: what they change in a step, and that nothing else changes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature import run_folder, training
from meanings.miniature.alignment import AlignmentLoss, dictionary_of, info_nce, last_states
from meanings.miniature.batches import Batches, packed_rows
from meanings.miniature.corpus import load_corpus
from meanings.miniature.switching import UNLEARNED, Switcher
from meanings.miniature.tokenizer import train_tokenizer
from meanings.miniature.treatments import Alignment, Switching, touched
from meanings.miniature.twins import blocks_of
from meanings.miniature.worlds import load_world

RECIPE = data_folder() / "miniature"
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
SHORT = {"steps": 6, "rows": 4, "row_length": 64, "checkpoints": (0, 3, 6)}


@pytest.fixture(scope="module")
def corpus():
    """Clones with a fifth of parallel text, and a model and schedule of seconds."""
    mix = load_world(RECIPE, "clone-20").mix
    small = {"num_attention_heads": 2, "num_key_value_heads": 1, **SMALL}
    mix = mix.model_copy(
        update={
            "model": mix.model.model_copy(update=small),
            "training": mix.training.model_copy(update=SHORT),
        }
    )
    return load_corpus(RECIPE, mix, load_lexicon("embedded"))


@pytest.fixture(scope="module")
def tokenizer(corpus, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("meanings.miniature.twins.DOCUMENTS_READ", 300)
        return train_tokenizer(corpus, tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(training.shutil, "which", lambda name: None)
    monkeypatch.setattr("meanings.miniature.twins.DOCUMENTS_READ", 300)
    monkeypatch.setattr(training, "STATE_EVERY", 2)


def changed(corpus, **fields):
    return replace(corpus, mix=corpus.mix.model_copy(update=fields))


def test_info_nce_by_hand():
    """Two orthogonal concepts: with their own partner exp(1/t) against exp(0)."""
    x = torch.eye(2)[None]
    right, wrong = info_nce(x, x, 0.5), info_nce(x, x.flip(1), 0.5)
    assert right.item() == pytest.approx(-np.log(np.exp(2) / (np.exp(2) + 1)), rel=1e-5)
    assert wrong.item() == pytest.approx(-np.log(1 / (np.exp(2) + 1)), rel=1e-5)
    assert info_nce(x * 7, x / 3, 0.5).item() == pytest.approx(right.item(), rel=1e-5)


def test_info_nce_goes_both_ways():
    """Two x at one y: from y the choice is open, from x it is not the same."""
    x, y = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]]), torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    one = torch.nn.functional.cross_entropy(x[0] @ y[0].T, torch.arange(2))
    other = torch.nn.functional.cross_entropy(y[0] @ x[0].T, torch.arange(2))
    assert one != other
    assert info_nce(x, y, 1.0).item() == pytest.approx((one + other).item() / 2)


def test_the_dictionary_has_the_touched_words_and_no_others(corpus, tokenizer):
    found = dictionary_of(Alignment(steps=1, words=0.25), corpus, tokenizer)
    lexicon, concepts = corpus.written("w"), touched(corpus.lexicon, 0.25)
    for code, ids in found.ids.items():
        said = [
            tokenizer.decode(row[1 : last + 1])
            for row, last in zip(ids, found.last[code], strict=True)
        ]
        assert said == [lexicon.word(c, code) for c in concepts]
        assert (ids[:, 0] == tokenizer.eos_token_id).all()
    wrong = dictionary_of(Alignment(steps=1, dictionary="shuffled"), corpus, tokenizer)
    right = dictionary_of(Alignment(steps=1), corpus, tokenizer)
    assert torch.equal(wrong.ids["en"], right.ids["en"])
    for code in ("qaa", "qab", "qac"):
        assert sorted(wrong.ids[code].tolist()) == sorted(right.ids[code].tolist())
        assert not (wrong.ids[code] == right.ids[code]).all(dim=1).any()


def test_the_states_of_a_word_are_those_of_an_unpadded_run(corpus, tokenizer):
    model = training.begin(corpus.mix, 0).model
    words = dictionary_of(Alignment(steps=1), corpus, tokenizer)
    states = last_states(model, words, "qab")
    for place in (0, 17, 95):
        ids = words.ids["qab"][place : place + 1, : words.last["qab"][place] + 1]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            alone = model.model(input_ids=ids, output_hidden_states=True).hidden_states
        alone = torch.stack([layer[0, -1].float() for layer in alone])
        torch.testing.assert_close(states[:, place], alone, atol=2e-2, rtol=2e-2)


def test_alignment_acts_in_its_steps_alone_and_lowers_its_loss(corpus, tokenizer):
    plan = Alignment(first_step=2, steps=3, weight=0.5)
    model = training.begin(corpus.mix, 0).model
    loss = AlignmentLoss(plan, corpus, tokenizer, seed=0)
    assert [loss.at(step, model) is None for step in range(7)] == [1, 1, 0, 0, 0, 1, 1]
    half = AlignmentLoss(plan.model_copy(update={"weight": 0.25}), corpus, tokenizer, seed=0)
    assert half.at(2, model).item() == pytest.approx(loss.at(2, model).item() / 2, rel=1e-6)
    optimiser, before = torch.optim.AdamW(model.parameters(), lr=1e-2), loss.at(3, model).item()
    for _ in range(5):
        loss.at(3, model).backward()
        optimiser.step()
        optimiser.zero_grad()
    assert loss.at(3, model).item() < 0.8 * before


def test_the_second_loss_moves_the_weights_and_only_while_it_acts(corpus, tmp_path):
    """The same first steps as without it until it begins, other weights after."""
    plain = training.train(corpus, 0, tmp_path / "plain", progress=False)
    aligned = changed(corpus, align=Alignment(first_step=3, steps=3))
    home = training.train(aligned, 0, tmp_path / "aligned", progress=False)
    same = [
        (plain / step / "model.safetensors").read_bytes()
        == (home / step / "model.safetensors").read_bytes()
        for step in ("step-000000", "step-000003", "step-000006")
    ]
    assert same == [True, True, False]
    seconds = run_folder.seconds_of(home)
    assert list(seconds) == ["0", "3", "6"] and 0 == seconds["0"] <= seconds["3"] <= seconds["6"]
    assert json.loads(run_folder.recipe_of(aligned))["mix"]["align"]["first_step"] == 3


def test_a_killed_run_of_a_treatment_goes_on_to_the_same_weights(corpus, tmp_path, monkeypatch):
    treated = changed(
        corpus, align=Alignment(steps=6), switch=Switching(share=0.5, predict="original")
    )
    whole = training.train(treated, 1, tmp_path / "whole", progress=False)
    step = training.train_step

    def dies(run, *rest):
        if run.step == 4:
            raise KeyboardInterrupt
        return step(run, *rest)

    monkeypatch.setattr(training, "train_step", dies)
    with pytest.raises(KeyboardInterrupt):
        training.train(treated, 1, tmp_path / "killed", progress=False)
    monkeypatch.setattr(training, "train_step", step)
    again = training.train(treated, 1, tmp_path / "killed", progress=False)
    last = "step-000006/model.safetensors"
    assert (whole / last).read_bytes() == (again / last).read_bytes()


@pytest.fixture(scope="module")
def rows(corpus, tokenizer):
    return packed_rows(corpus, tokenizer, 0, 5)


def words_of(row, blocks):
    """Where words begin and end, token by token."""
    found, start = [], None
    numbers = blocks.block(row)
    for place, number in enumerate([*numbers, -2]):
        if start is not None and number != numbers[start]:
            found.append((start, place))
            start = None
        if start is None and number >= 0:
            start = place
    return found


def test_switched_words_are_translations_of_touched_words_and_targets_stay(corpus, tokenizer, rows):
    switcher = Switcher(Switching(share=1.0), corpus, tokenizer, seed=0)
    inputs, targets = switcher.switched(rows, 5)
    assert inputs.shape == targets.shape == (4, 64)
    lexicon, within = corpus.written("w"), set(touched(corpus.lexicon, 0.5))
    concept_of = {
        (lexicon.word(c, code)): (c, code) for c in lexicon.concepts for code in lexicon.languages
    }
    blocks, switched = blocks_of(corpus, tokenizer.get_vocab()), 0
    for row, read, said in zip(rows, inputs, targets, strict=True):
        for start, end in words_of(row, blocks):
            if start == 0 or end > len(read):
                continue  # cut by the row's edge
            before, after = (tokenizer.decode(ids[start:end]) for ids in (row, read))
            concept = concept_of.get(before, (None,))[0]
            if concept in within:
                assert concept_of[after][0] == concept and after != before
                assert said[start - 1] == row[start]  # the word itself is learned
                assert (said[start : end - 1] == UNLEARNED).all()
                switched += 1
            else:
                assert after == before and (said[start - 1 : end - 1] == row[start:end]).all()
            if end < len(read):
                assert said[end - 1] == row[end]  # and what comes after it
    assert switched > 20


def test_the_public_code_s_variant_says_the_switched_words(corpus, tokenizer, rows):
    one, other = (
        Switcher(Switching(share=0.5, predict=predict), corpus, tokenizer, seed=0).switched(rows, 5)
        for predict in ("original", "switched")
    )
    assert (one[0] == other[0]).all() and (one[1] == UNLEARNED).any()
    assert (other[1][:, :-1] == other[0][:, 1:]).all()


def test_the_share_is_the_share_of_the_places(corpus, tokenizer, rows):
    found = [
        (
            Switcher(Switching(share=share), corpus, tokenizer, 0).switched(rows, 5)[0]
            != rows[:, :-1]
        )
        for share in (0.1, 0.5, 1.0)
    ]
    small, middle, all_of_them = (places.mean() for places in found)
    assert 0 < small < middle < all_of_them
    assert middle / all_of_them == pytest.approx(0.5, abs=0.2)


def test_without_treatments_a_batch_is_the_text(corpus, tokenizer, rows):
    batch = Batches(corpus, tokenizer, 0).at(5)
    assert (batch.inputs == rows[:, :-1]).all() and (batch.targets == rows[:, 1:]).all()
    assert batch.second(None) is None
