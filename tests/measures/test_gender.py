"""Gender on words whose answer is known: planted by hand, rotated, narrowed, and none at all."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.lexicon.gender import dealt, gender_list
from meanings.lexicon.lexicon import Lexicon, load_lexicon
from meanings.measures import gender as module
from meanings.measures.companion import Texts
from meanings.measures.gender_words import ListedWords, ListSettings, in_lexicon
from meanings.measures.word_states import WordStates
from meanings.models.checkpoints import trajectory

LEXICON = load_lexicon("embedded").restrict(languages=["en", "fr"])
REQUEST = module.Request(permutations=100, seed=0, text_sha256="", list_sha256="")
WIDTH = 32


def noise(seed=0, width=WIDTH):
    return np.random.default_rng(seed).normal(size=(len(LEXICON), width))


def found(en, fr=None):
    hidden = {"en": en[None], "fr": (noise(9) if fr is None else fr)[None]}
    states = WordStates(LEXICON.concepts, hidden, {}, {})
    rows = pd.DataFrame(module.MEASURE.rows(states, Texts(LEXICON), REQUEST))
    return rows[rows["language_a"] == "en"].set_index("variant")


def planted(dose, narrow=0.0):
    """States with an axis that seeds lie on, and occupations are moved along by the dose."""
    places = in_lexicon(LEXICON, "en", gender_list())
    states, axis = noise(), np.zeros(WIDTH)
    axis[0] = 1.0
    for rows, sign in zip(places.seeds, (-1, 1), strict=True):
        states[rows] += 6 * sign * axis
    states[places.occupations[0]] += dose * places.signs[:, None] * axis
    states[:, 1] += narrow
    return states


def test_in_bias_of_known_vectors():
    """One occupation at 60 degrees from the male word and at 90 from the female one."""
    states = np.array([[1.0, 0], [np.cos(np.pi / 3), np.sin(np.pi / 3)], [0, 1.0]])
    got = module.differences(states, np.array([[0], [0]]), np.array([[1], [2]]))
    assert got == pytest.approx(np.array([[-0.5]]))  # d(o, m) - d(o, f) = .5 - 1
    assert module.in_bias(got) == pytest.approx([0.5])
    both = module.differences(states, np.array([[0], [2]]), np.array([[1], [2]]))
    assert both == pytest.approx(np.array([[0.5]]))  # two forms: d(o_m, m) = .5, d(o_f, f) = 0


def test_a_rotation_changes_nothing():
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(WIDTH, WIDTH)))[0]
    one, other = found(planted(2.0)), found(planted(2.0) @ turn)
    pd.testing.assert_frame_equal(one, other, atol=1e-9)


def test_signed_rises_with_the_dose_and_says_whose_gender():
    values = [found(planted(dose)).loc["signed", "value"] for dose in (-2, -1, 0, 1, 2)]
    steps = np.diff(values)
    assert (steps > 0.03).all() and steps.max() < 1.5 * steps.min()  # nearly a line
    row = found(planted(2.0)).loc["signed"]
    assert row["low"] > row["null_high"] and abs(row["null"]) < 0.02


def test_without_a_bias_signed_is_in_its_null_and_in_bias_above_zero():
    rows = found(planted(0.0))
    signed = rows.loc["signed"]
    assert signed["null_low"] <= signed["value"] <= signed["null_high"]
    assert rows.loc["raw", "low"] > 0.05  # of absolute values: no evidence of a bias
    plain = found(noise())
    assert plain.loc["centred", "null_low"] <= plain.loc["centred", "value"]
    assert plain.loc["centred", "value"] <= plain.loc["centred", "null_high"]


def test_a_narrow_space_shrinks_raw_but_neither_centred_nor_the_ratio():
    wide, narrow = found(planted(2.0)), found(planted(2.0, narrow=30.0))
    ratio = [rows["value"] / rows["null"] for rows in (wide, narrow)]
    assert narrow.loc["raw", "value"] < 0.1 * wide.loc["raw", "value"]
    assert narrow.loc["signed_raw", "value"] < 0.1 * wide.loc["signed_raw", "value"]
    assert ratio[1]["raw"] == pytest.approx(ratio[0]["raw"], rel=0.3)  # seeds are longer words
    for variant in ("centred", "centred_kind", "signed"):
        assert narrow.loc[variant, "value"] == pytest.approx(wide.loc[variant, "value"], rel=1e-6)


def test_pairs_of_the_null_are_other_words_of_any_and_of_one_category():
    places = in_lexicon(LEXICON, "fr", gender_list())
    drawn = module.draws(places, 50, np.random.default_rng(0))
    listed = {*places.seeds.ravel(), *places.occupations.ravel()}
    kind = dict(zip(places.others, places.kinds, strict=True))
    for pairs in (drawn.any_pairs, drawn.kind_pairs):
        assert pairs.shape == (2, 50, 6) and not listed & set(pairs.ravel())
        assert (pairs[0] != pairs[1]).all()
    same = [kind[a] == kind[b] for a, b in zip(*map(np.ravel, drawn.kind_pairs), strict=True)]
    assert all(same)
    assert (drawn.signs.sum(axis=1) == 0).all()  # dealt anew: half and half as planted


def test_a_pair_with_a_word_of_an_earlier_one_is_left_out():
    assert in_lexicon(LEXICON, "en", gender_list()).seeds.shape == (2, 7)
    french = in_lexicon(LEXICON, "fr", gender_list())
    assert french.seeds.shape == (2, 6)  # fille is daughter and girl
    words = [LEXICON.word(LEXICON.concepts[i], "fr") for i in french.seeds.ravel()]
    assert len(set(words)) == 12


def test_too_few_gendered_concepts_are_refused():
    few = LEXICON.restrict(concepts=LEXICON.concepts[:40])
    with pytest.raises(MeaningsError, match="0 pairs of gendered concepts and 0 occupations"):
        module.MEASURE.check(module.Settings(), few, [trajectory("miniature")])


LISTS = Path(__file__).resolve().parents[2] / "data" / "gender"


def listed():
    settings = ListSettings(folder=str(LISTS), languages=("en", "fr"))
    return ListedWords.of(settings, LEXICON)


def test_lists_are_read_beside_the_lexicons_other_words():
    data = listed()
    for code in ("en", "fr"):
        words, places = data.words(code), data.places(code)
        assert len(set(words)) == len(words)
        named = {words[i] for i in (*places.occupations.ravel(), *places.seeds.ravel())}
        others = {words[i].casefold() for i in places.others}
        assert not {word.casefold() for word in named} & others
    assert data.words("fr")[data.places("fr").occupations[1, 0]] == "actrice"
    with pytest.raises(MeaningsError, match="'de' is no language of lexicon"):
        ListedWords.of(ListSettings(folder=str(LISTS), languages=("de",)), LEXICON)


def test_forms_see_a_gender_that_only_the_form_has():
    data, rng = listed(), np.random.default_rng(0)
    hidden = {}
    for code in ("en", "fr"):
        places, states = data.places(code), rng.normal(size=(len(data.words(code)), WIDTH))
        for sign, seeds, forms in zip((-3, 3), places.seeds, places.occupations, strict=True):
            states[seeds, 0] += sign
            only = forms[places.occupations[0] != places.occupations[1]]
            states[only, 0] += sign * (code == "fr")
        hidden[code] = states[None]
    states = WordStates((), hidden, {}, {})
    rows = pd.DataFrame(module.MEASURE.rows(states, data, REQUEST))
    rows = rows[rows["variant"] == "forms"].set_index("language_a")
    assert rows.loc["fr", "low"] > rows.loc["fr", "null_high"]
    assert rows.loc["en", "null_low"] <= rows.loc["en", "value"] <= rows.loc["en", "null_high"]
    assert 8 <= rows.loc["en", "n"] < 20 < rows.loc["fr", "n"]


# What is planted.


def test_the_planted_genders_are_the_fixed_draw_half_and_half():
    genders = gender_list()
    assert genders.occupations == dealt(tuple(genders.occupations))
    assert sorted(genders.occupations.values()) == ["female"] * 8 + ["male"] * 8
    assert len(genders.pairs) == 7


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("man,seed,male,1\n", "pair '1' has one seed, man"),
        ("man,seed,male,1\nman,occupation,male,\n", "line 3: 'man' is there twice"),
        ("man,seed,male,1\nboy,seed,male,1\n", "line 3: pair '1' has two male seeds"),
        ("man,seeds,male,1\n", "line 2: seeds male; expected seed or occupation"),
    ],
)
def test_a_malformed_list_is_refused(tmp_path, rows, message):
    path = tmp_path / "gender.csv"
    path.write_text(f"concept,kind,gender,pair\n{rows}")
    with pytest.raises(MeaningsError, match=message):
        gender_list(path)


def test_a_lexicon_without_categories_has_pairs_of_one_kind_too():
    bare = Lexicon(LEXICON.name, LEXICON.languages, LEXICON.entries, {})
    places = in_lexicon(bare, "en", gender_list())
    assert (places.kinds == 0).all()
    module.draws(places, 5, np.random.default_rng(0))
