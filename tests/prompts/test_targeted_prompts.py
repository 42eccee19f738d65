"""Items of targeted words: matched at the least cost, and prompted alike."""

from itertools import permutations

import pytest

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import LanguagePair, parse_pair
from meanings.lexicon.lexicon import load_lexicon
from meanings.lexicon.targeted import KINDS, PLAIN, Query, targeted_queries
from meanings.models.checkpoints import trajectory
from meanings.models.loading import load_tokenizer
from meanings.prompts.answers import first_tokens
from meanings.prompts.targeted import (
    BLOCK,
    WordSizes,
    concept_pairs,
    distances,
    draw_items,
    match_controls,
    match_costs,
)

PAIRS = [parse_pair(text) for text in ("de-en", "en-de", "es-fr")]
CODES = ("en", "de", "fr", "es")


class FixedSizes(WordSizes):
    """A word has as many tokens as letters, and the ids that its name says."""

    def __init__(self) -> None:
        self._known = {}

    def of(self, word: str) -> tuple[int, float]:
        return len(word), float(ord(word[0]) - ord("a"))


def query(word: str, category: str = "tool", kind: str = "false_friend") -> Query:
    return Query(kind, parse_pair("de-en"), word, f"the {word}", category, (word,), ())


def test_costs_are_of_category_length_and_token_ids():
    queries = [query("aa"), query("cccc", "food")]
    plain = [query("bb", kind=PLAIN), query("cc", "food", PLAIN)]
    # aa-bb: ids 1; aa-cc: category 8, ids 2; cccc-bb: category 8, length 2 x 4, ids 1; cccc-cc: 8.
    assert match_costs(queries, plain, FixedSizes()).tolist() == [[1, 10], [17, 8]]


def test_controls_cost_the_least_in_total():
    sizes = FixedSizes()
    queries = [query("aa"), query("bbb", "food"), query("ccc")]
    plain = [query(w, c, PLAIN) for w, c in (("aaa", "tool"), ("b", "food"), ("cc", "tool"))]
    plain.append(query("dddddd", "food", PLAIN))
    costs = match_costs(queries, plain, sizes)
    found = match_controls(queries, plain, sizes)
    place = {word.word: i for i, word in enumerate(plain)}
    total = sum(costs[i, place[control.word]] for i, (_, control) in enumerate(found))
    everything = permutations(range(len(plain)), len(queries))
    assert total == min(sum(costs[i, j] for i, j in enumerate(order)) for order in everything)
    assert len({control.word for _, control in found}) == len(queries)


def test_a_word_without_a_plain_word_left_is_left_out():
    queries = [query("aa"), query("zzzz")]
    ((kept, control),) = match_controls(queries, [query("zzz", kind=PLAIN)], FixedSizes())
    assert (kept.word, control.word) == ("zzzz", "zzz")
    assert match_controls(queries, [], FixedSizes()) == []


@pytest.fixture(scope="module")
def drawn():
    lexicon = load_lexicon("embedded").restrict(languages=CODES)
    place = trajectory("miniature", 0).last.tokenizer_folder()
    tokenizer = load_tokenizer(place, tokenizer=place, way="agreed")
    return lexicon, tokenizer, draw_items(lexicon, tokenizer, PAIRS, 20, 3, 42)


def test_items_are_prompted_as_their_controls_are(drawn):
    lexicon, tokenizer, items = drawn
    for own in items.values():
        for item in own:
            asked, control = item.pairs
            assert (asked.source, control.source) == (item.query.concept, item.control.concept)
            assert asked.target == control.target
            assert asked.source_shots == control.source_shots
            assert asked.target_shots == control.target_shots
            for each in item.pairs:
                used = [each.source, each.target, each.null, *each.source_shots]
                used += each.target_shots
                assert len(set(used)) == 3 + 2 * 3
                tokens = [
                    first_tokens(tokenizer, [w for code in CODES for w in lexicon.words(c, code)])
                    for c in (each.source, each.target, each.null)
                ]
                assert not tokens[0] & tokens[1]
                assert not tokens[2] & (tokens[0] | tokens[1])


def test_no_block_shows_a_word_of_its_own_as_an_example(drawn):
    for own in drawn[2].values():
        for start in range(0, len(own), BLOCK):
            block = own[start : start + BLOCK]
            shown = {c for i in block for p in i.pairs for c in (*p.source_shots, *p.target_shots)}
            assert len(shown) == 2 * 3
            assert not shown & {pair.source for item in block for pair in item.pairs}


def test_each_control_serves_once_and_is_a_plain_word_of_the_pair(drawn):
    lexicon, _, items = drawn
    plain = {q for q in targeted_queries(lexicon, PAIRS) if q.kind == PLAIN}
    for pair, own in items.items():
        for kind in KINDS:
            controls = [item.control for item in own if item.query.kind == kind]
            assert len(set(controls)) == len(controls) and set(controls) <= plain
            assert all(control.pair == pair for control in controls)


def test_no_kind_has_more_words_than_were_wanted_and_words_come_before_their_other_senses(drawn):
    queries = [item.query for own in drawn[2].values() for item in own]
    for kind in KINDS:
        own = [q for q in queries if q.kind == kind]
        assert 0 < len(own) <= 20
    several = [q for q in queries if q.kind == "polysemous"]
    assert len(several) == 20 == len({(q.pair.input, q.word) for q in several})


def test_a_draw_is_the_same_again_and_another_with_another_seed(drawn):
    lexicon, tokenizer, items = drawn
    again = draw_items(lexicon, tokenizer, PAIRS, 20, 3, 42)
    assert again == items and draw_items(lexicon, tokenizer, PAIRS, 20, 3, 43) != items
    pair = LanguagePair("de", "en")
    assert concept_pairs(items[pair])[1] == items[pair][0].pairs[1]


def test_controls_are_close(drawn):
    found = distances(drawn[2], WordSizes(drawn[1]))
    assert found["same_category"] > 0.9 and found["same_length"] > 0.9


def test_too_few_plain_words_are_said_in_one_line(drawn):
    lexicon, tokenizer, _ = drawn
    with pytest.raises(MeaningsError, match="plain words are left for 400 few-shot examples"):
        draw_items(lexicon, tokenizer, PAIRS, 20, 400, 42)
