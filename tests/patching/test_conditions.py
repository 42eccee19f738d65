"""Where each condition takes its vectors from, and that the bank computes each source prompt
once.
"""

from itertools import product
from pathlib import Path

import pytest
import torch

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LANGUAGES, LanguagePair, parse_pair
from meanings.patching import source_states
from meanings.patching.conditions import CONDITIONS, CONTROLS, condition, input_language
from meanings.patching.query_states import hidden_states
from meanings.patching.source_states import SourceBank
from meanings.prompts.prompt import translation_prompt
from stand_ins import small_model

# Multi-SimLex without Welsh and Swahili, which the papers count as unseen.
SEEN = ("en", "zh", "et", "fi", "fr", "pl", "ru", "es", "yue")
PAIR = LanguagePair("fr", "es")


@pytest.mark.parametrize(
    ("pair", "count"), [("fr-es", 30), ("en-fr", 42), ("zh-en", 42), ("cy-sw", 56), ("cy-fr", 42)]
)
@pytest.mark.parametrize("name", ["seen", "null_concept", "null_mean"])
def test_seen_takes_the_papers_number_of_pairs_and_leaves_out_english_and_the_target_pair(
    pair, count, name
):
    target = parse_pair(pair)
    found = CONDITIONS[name].source_pairs(target, SEEN)
    assert len(found) == len(set(found)) == count
    for source in found:
        assert source.input != source.output
        assert not {source.input, source.output} & {"en", target.input, target.output}


def test_seen_does_not_depend_on_the_order_of_the_languages():
    assert CONDITIONS["seen"].source_pairs(PAIR, SEEN) == CONDITIONS["seen"].source_pairs(
        PAIR, set(reversed(SEEN))
    )


def test_conditions_that_are_not_defined_are_none():
    assert CONDITIONS["self"].source_pairs(parse_pair("fr-en"), SEEN) is None
    assert CONDITIONS["self"].source_pairs(PAIR, SEEN) == (LanguagePair("es", "es"),)
    assert CONDITIONS["seen"].source_pairs(PAIR, ("en", "fr", "es", "de")) is None


def test_the_conditions_are_those_of_the_method():
    assert set(CONDITIONS) == {
        "seen",
        "en_en",
        "self",
        "tgt",
        "tgt_tgt",
        "src_unpatched",
        "tgt_unpatched",
        "null_concept",
        "null_mean",
    }
    assert all(entry.name == name for name, entry in CONDITIONS.items())
    with pytest.raises(MeaningsError, match="allowed are seen"):
        condition("sean")


@pytest.mark.parametrize("code", ["ru", "zh", "en", "cy"])
@pytest.mark.parametrize("prefix", ["from_", "null_from_"])
def test_one_input_language_is_read_into_every_other_seen_language_but_english_and_the_pair(
    code, prefix
):
    found = condition(prefix + code).source_pairs(PAIR, SEEN)
    expected = set(SEEN) - {"en", code, "fr", "es"}
    assert [pair.input for pair in found] == [code] * len(expected)
    assert [pair.output for pair in found] == sorted(expected)
    assert condition(prefix + code).prompts_at_most(PAIR, SEEN) == len(expected)


def test_a_language_of_the_target_pair_is_not_read_by_itself():
    for name in ("from_fr", "from_es", "null_from_fr", "null_from_es"):
        assert condition(name).source_pairs(PAIR, SEEN) is None
    assert condition("from_ru").source_pairs(PAIR, ("en", "fr", "es", "ru")) is None
    assert "a pair without Russian" in condition("from_ru").needs


def test_every_known_language_has_its_condition_and_a_null_and_a_grid_s_all_has_none(concept_pairs):
    for code in LANGUAGES:
        own, null = condition(f"from_{code}"), condition(f"null_from_{code}")
        assert own is condition(f"from_{code}")  # the same object: a key of banks and groups
        assert (own.is_null, null.is_null) == (False, True)
        assert own.concept_of(concept_pairs[0]) == concept_pairs[0].source
        assert null.concept_of(concept_pairs[0]) == concept_pairs[0].null
        assert own.shots_of(concept_pairs[0]) == concept_pairs[0].source_shots
        assert LANGUAGES[code].name in own.description
        assert input_language(own.name) == input_language(null.name) == code
    assert not {name for name in CONDITIONS | CONTROLS if input_language(name)}


@pytest.mark.parametrize("name", ["from_", "from_xx", "null_from_", "from", "null_ru", "ru"])
def test_what_is_no_input_language_is_refused_by_name(name):
    assert input_language(name) == ""
    with pytest.raises(MeaningsError, match="from_XX or null_from_XX with an input language of en"):
        condition(name)


def test_concepts_and_shots_by_role(concept_pairs):
    drawn = concept_pairs[0]
    roles = {
        name: (entry.concept_of(drawn), entry.shots_of(drawn)) for name, entry in CONDITIONS.items()
    }
    for name in ("seen", "en_en", "self", "tgt", "src_unpatched", "null_mean"):
        assert roles[name] == (drawn.source, drawn.source_shots)
    for name in ("tgt_tgt", "tgt_unpatched"):
        assert roles[name] == (drawn.target, drawn.target_shots)
    assert roles["null_concept"] == (drawn.null, drawn.source_shots)


def test_each_source_prompt_is_computed_once_and_serves_all(model, lexicon, concept_pairs):
    bank = SourceBank(model, lexicon)
    seen = small_model.LANGUAGES_USED
    first = bank.prepare(CONDITIONS.values(), PAIR, concept_pairs, seen)
    # foreign: de fi in both orders, for the source and the null concept; en-en; es-es; fr-es for
    # source and target
    assert first == len(bank) == len(concept_pairs) * (2 * 2 + 1 + 1 + 2)
    assert bank.prepare(CONDITIONS.values(), PAIR, concept_pairs, seen) == 0
    # The turned pair shares the foreign sources and English; its own copying, source and target are
    # new.
    assert (
        bank.prepare(CONDITIONS.values(), parse_pair("es-fr"), concept_pairs, seen)
        == len(concept_pairs) * 3
    )


def test_the_mean_is_over_pairs_and_the_null_mean_over_concepts_too(
    model, lexicon, tokenizer, concept_pairs
):
    bank = SourceBank(model, lexicon)
    seen = small_model.LANGUAGES_USED
    vectors = bank.vectors(CONDITIONS["seen"], PAIR, concept_pairs, seen)
    drawn = concept_pairs[2]
    prompts = [
        translation_prompt(lexicon, tokenizer, LanguagePair(a, b), drawn.source, drawn.source_shots)
        for a, b in product(("de", "fi"), repeat=2)
        if a != b
    ]
    torch.testing.assert_close(
        vectors[:, 2], hidden_states(model, prompts).mean(1), rtol=0, atol=1e-4
    )
    null = bank.vectors(CONDITIONS["null_mean"], PAIR, concept_pairs, seen)
    torch.testing.assert_close(null, vectors.mean(1, keepdim=True).expand_as(vectors))


def test_the_vector_of_one_language_is_the_mean_of_its_prompts(
    model, lexicon, tokenizer, concept_pairs
):
    bank = SourceBank(model, lexicon)
    seen = (*small_model.LANGUAGES_USED, "pl") if "pl" in lexicon.languages else ("de", "fi", "it")
    seen = [code for code in seen if code in lexicon.languages]
    vectors = bank.vectors(condition("from_de"), PAIR, concept_pairs, seen)
    drawn = concept_pairs[1]
    outputs = sorted(set(seen) - {"en", "fr", "es", "de"})
    prompts = [
        translation_prompt(
            lexicon, tokenizer, LanguagePair("de", code), drawn.source, drawn.source_shots
        )
        for code in outputs
    ]
    expected = hidden_states(model, prompts).mean(1)
    torch.testing.assert_close(vectors[:, 1], expected, rtol=0, atol=1e-4)


def test_a_bank_says_none_where_a_condition_is_not_defined_and_refuses_what_is_not_patched(
    model, lexicon, concept_pairs
):
    bank = SourceBank(model, lexicon)
    assert bank.vectors(CONDITIONS["self"], parse_pair("fr-en"), concept_pairs, ["fr"]) is None
    with pytest.raises(MeaningsError, match="patches nothing"):
        bank.vectors(CONDITIONS["tgt_unpatched"], PAIR, concept_pairs, ["fr"])


def test_states_beyond_the_memory_lie_in_a_file_and_are_the_same(
    model, lexicon, concept_pairs, monkeypatch, tmp_path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen, conditions = small_model.LANGUAGES_USED, [CONDITIONS["seen"], CONDITIONS["tgt"]]
    banks = [SourceBank(model, lexicon, in_memory=room) for room in (1 << 30, 0)]
    for bank in banks:
        bank.prepare(conditions, PAIR, concept_pairs, seen)
    for each in conditions:
        assert torch.equal(*(bank.vectors(each, PAIR, concept_pairs, seen) for bank in banks))
    assert "meanings-states" in Path("/proc/self/maps").read_text()
    assert not list(tmp_path.iterdir())  # nothing is left behind, however the process ends


def test_a_full_disk_is_one_line(model, lexicon, concept_pairs, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(source_states.os, "posix_fallocate", full)
    with pytest.raises(MeaningsError, match="point TMPDIR to a larger disk"):
        SourceBank(model, lexicon, in_memory=0).prepare(
            [CONDITIONS["tgt"]], PAIR, concept_pairs, small_model.LANGUAGES_USED
        )
