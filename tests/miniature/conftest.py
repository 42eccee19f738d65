"""The shipped recipe, a smaller one, and training in seconds."""

import pytest

from meanings.lexicon.lexicon import load_lexicon
from meanings.miniature import training
from meanings.miniature.corpus import load_corpus
from meanings.miniature.recipe import load_mix
from stand_ins.recipes import RECIPE, changed


@pytest.fixture(scope="session")
def corpus():
    return load_corpus(RECIPE, load_mix(RECIPE / "mix.yaml"), load_lexicon("embedded"))


@pytest.fixture(scope="session")
def small(corpus):
    """The shipped corpus with a model and a schedule of a few seconds."""
    mix = changed(
        model__vocab_size=400,
        model__hidden_size=16,
        model__intermediate_size=32,
        model__num_hidden_layers=2,
        model__num_attention_heads=2,
        model__num_key_value_heads=1,
        training__steps=6,
        training__rows=2,
        training__row_length=32,
        training__checkpoints=[0, 3, 6],
    )
    return type(corpus)(mix, corpus.lexicon, corpus.associations, corpus.patterns, corpus.passages)


@pytest.fixture
def quick(monkeypatch):
    """No compiler and few documents for the tokenizer: seconds instead of minutes."""
    monkeypatch.setattr(training.shutil, "which", lambda name: None)
    monkeypatch.setattr("meanings.miniature.tokenizer.DOCUMENTS_READ", 200)
    monkeypatch.setattr(training, "STATE_EVERY", 2)
