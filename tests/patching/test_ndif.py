"""A sweep sent away gives what the sweep here gives: serialized, and run where this library's
modules cannot be seen.
"""

import pytest
import torch

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair
from meanings.patching.conditions import CONDITIONS
from meanings.patching.ndif import connect, sweep_remotely
from meanings.patching.source_states import SourceBank
from meanings.patching.sweeping import sweep_conditions
from meanings.prompts.prompt import translation_prompt
from stand_ins import small_model

PAIR = LanguagePair("fr", "es")
NAMES = ("seen", "tgt", "null_mean")


@pytest.fixture(scope="module")
def remote(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("remote")
    small_model.network(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return connect(str(folder), load=True)


@pytest.fixture(scope="module")
def asked(model, lexicon, tokenizer, concept_pairs):
    prompts = [
        translation_prompt(lexicon, tokenizer, PAIR, p.target, p.target_shots)
        for p in concept_pairs
    ]
    columns = [[frozenset({i, 40 + i}), frozenset({80 + i})] for i in range(len(prompts))]
    bank = SourceBank(model, lexicon)
    sources = {
        name: [
            [
                bank.prompt((source, CONDITIONS[name].concept_of(p), CONDITIONS[name].shots_of(p)))
                for p in concept_pairs
            ]
            for source in CONDITIONS[name].source_pairs(PAIR, small_model.LANGUAGES_USED)
        ]
        for name in NAMES
    }
    vectors = {
        name: bank.vectors(CONDITIONS[name], PAIR, concept_pairs, small_model.LANGUAGES_USED)
        for name in NAMES
    }
    return (
        prompts,
        columns,
        sources,
        sweep_conditions(model, prompts, vectors, columns, unpatched_as="alone"),
    )


def test_the_dry_run_of_a_remote_sweep_gives_our_numbers(remote, asked, monkeypatch):
    monkeypatch.setattr(
        "meanings.patching.ndif.SIDE_BY_SIDE", 4
    )  # several batches of sources and of targets
    prompts, columns, sources, expected = asked
    found = sweep_remotely(
        remote,
        prompts,
        sources,
        columns,
        averaged=("null_mean",),
        unpatched_as="alone",
        where="local",
    )
    assert list(found) == [*NAMES, "alone"]
    for name, sweep in expected.items():
        assert found[name].first_layers == sweep.first_layers
        torch.testing.assert_close(
            found[name].probabilities, sweep.probabilities, rtol=0, atol=1e-5
        )


def test_numbers_of_prompts_that_differ_are_refused(remote, asked):
    prompts, columns, sources, _ = asked
    with pytest.raises(MeaningsError, match="condition 'tgt'"):
        sweep_remotely(remote, prompts, {"tgt": [sources["tgt"][0][1:]]}, columns, where="local")
    with pytest.raises(MeaningsError, match="token columns"):
        sweep_remotely(remote, prompts, sources, columns[1:], where="local")
