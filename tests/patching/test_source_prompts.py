"""Some of a condition's source prompts, the controls of averaging, and the cells that ask for
them.
"""

from dataclasses import replace
from itertools import combinations, pairwise

import pytest
import torch
from safetensors.torch import load_file, save_file

from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import parse_pair
from meanings.measures.cells import LATER, Cell
from meanings.measures.results import published, read_cells
from meanings.patching.conditions import CONDITIONS, condition
from meanings.patching.query_states import hidden_states
from meanings.patching.source_prompts import shot_sets, source_prompts
from meanings.patching.source_states import SourceBank
from meanings.study.grid import Grid, check_grid
from meanings.study.plan import plan_study
from meanings.study.run import run_study
from stand_ins import small_model
from stand_ins.study_data import make_world

PAIR = parse_pair("fr-es")
SEEN = ("en", "fr", "es", "de", "fi", "pl")  # of other languages: de, fi and pl, in 6 ordered pairs
LAST = {"steps": (20,), "pairs": ("fr-es",), "n_pairs": 6, "shots": 2, "generate": 0}


@pytest.fixture(scope="module")
def draw(lexicon, concept_pairs):
    def prompts(name, count=0, place=0, seed=42, pair=PAIR, seen=SEEN):
        return source_prompts(
            condition(name), pair, concept_pairs[place], seen, lexicon.concepts, count, seed
        )

    return prompts


def test_fewer_source_prompts_are_nested_and_all_are_the_conditions_own(draw, concept_pairs):
    drawn = concept_pairs[0]
    everything = draw("seen")
    assert everything == tuple(
        (pair, drawn.source, drawn.source_shots)
        for pair in CONDITIONS["seen"].source_pairs(PAIR, SEEN)
    )
    for name in ("seen", "one_pair", "tgt_mean", "null_concept"):
        nested = [set(draw(name, count)) for count in (1, 2, 4, 6)]
        assert [len(prompts) for prompts in nested] == [1, 2, 4, 6]
        assert all(a < b for a, b in pairwise(nested))
        assert nested[-1] == set(draw(name)), name
    assert (
        draw("seen", 6) == everything
    )  # in the same order, so that the sum is the same to the last bit


def test_which_are_taken_depends_on_seed_pair_and_concepts_and_not_on_the_concepts_role(draw):
    languages = [[key[0] for key in draw("seen", 2, place)] for place in range(6)]
    assert len({tuple(chosen) for chosen in languages}) > 1
    assert any(
        draw("seen", 2, place, seed=1) != draw("seen", 2, place, seed=2) for place in range(6)
    )
    turned = [
        [key[0] for key in draw("seen", 2, place, pair=parse_pair("es-fr"))] for place in range(6)
    ]
    assert turned != languages
    assert languages == [[key[0] for key in draw("null_concept", 2, place)] for place in range(6)]
    assert draw("seen", 2) == draw("seen", 2, seen=tuple(reversed(SEEN)))


def test_one_prompt_of_a_control_is_the_one_prompt_of_its_condition(draw):
    for place in range(6):
        assert draw("one_pair", 1, place) == draw("seen", 1, place)
        assert draw("tgt_mean", 1, place) == draw("tgt", 0, place)


def test_a_control_varies_the_solved_lines_in_one_language_pair(draw, concept_pairs):
    for place, drawn in enumerate(concept_pairs):
        for name in ("one_pair", "tgt_mean"):
            pairs, concepts, shots = zip(*draw(name, 6, place), strict=True)
            assert len(set(pairs)) == 1 and set(concepts) == {drawn.source} and len(set(shots)) == 6
            assert (pairs[0] == PAIR) == (name == "tgt_mean") and not {
                pairs[0].input,
                pairs[0].output,
            } & ({"en"} if name == "one_pair" else set())


def test_solved_lines_hold_no_concept_of_the_pair_and_none_twice_while_there_are_others(
    lexicon, concept_pairs
):
    drawn, size = concept_pairs[0], 2
    free = len(lexicon.concepts) - 3 - 2 * size
    sets = shot_sets(drawn, lexicon.concepts, 1 + free // size, 42)
    assert sets[0] == drawn.source_shots and all(len(lines) == size for lines in sets)
    assert not any(set(a) & set(b) for a, b in combinations(sets, 2))
    more = shot_sets(drawn, lexicon.concepts, 30, 42)
    assert (
        more[: len(sets)] == sets
        and len(more) == 30
        and all(len(set(lines)) == size for lines in more)
    )
    used = {concept for lines in more[1:] for concept in lines}
    assert not used & {
        drawn.source,
        drawn.target,
        drawn.null,
        *drawn.source_shots,
        *drawn.target_shots,
    }
    assert (
        shot_sets(drawn, lexicon.concepts[::-1], 5, 42) == more[:5]
        and shot_sets(drawn, lexicon.concepts, 5, 43) != more[:5]
    )
    with pytest.raises(MeaningsError, match="at least 1 shot"):
        shot_sets(replace(drawn, source_shots=()), lexicon.concepts, 2, 42)


@pytest.mark.parametrize("name", ["seen", "one_pair", "tgt_mean", "null_concept"])
def test_the_vector_is_the_mean_of_the_prompts_that_were_drawn(
    model, lexicon, concept_pairs, draw, name
):
    seen = small_model.LANGUAGES_USED
    bank = SourceBank(model, lexicon, seed=42)
    vectors = bank.vectors(condition(name), PAIR, concept_pairs, seen, 2)
    assert len(bank) == 2 * len(concept_pairs)
    for place in (0, 3):
        prompts = [bank.prompt(key) for key in draw(name, 2, place, seen=seen)]
        assert len(prompts) == 2 and prompts[0].cut() != prompts[1].cut()
        torch.testing.assert_close(
            vectors[:, place], hidden_states(model, prompts).mean(1), rtol=0, atol=1e-4
        )


def test_solved_lines_leave_out_what_no_prompt_may_hold(model, lexicon, concept_pairs):
    used = {
        c
        for p in concept_pairs
        for c in (p.source, p.target, p.null, *p.source_shots, *p.target_shots)
    }
    gone = [concept for concept in lexicon.concepts if concept not in used][:1] or [
        concept_pairs[0].source
    ]
    bank = SourceBank(model, lexicon, left_out=gone)
    bank.prepare([condition("tgt_mean")], PAIR, concept_pairs[1:2], small_model.LANGUAGES_USED, 12)
    assert not any(gone[0] in shots for _, _, shots in list(bank._states)[1:])


def test_too_many_source_prompts_are_refused(draw):
    with pytest.raises(MeaningsError, match="has 6 for fr-es"):
        draw("seen", 7)
    assert len(draw("tgt_mean", 7)) == 7  # few-shot examples can be drawn on
    with pytest.raises(MeaningsError, match="source_pairs 99: condition 'seen' has 42"):
        check_grid(Grid(source_pairs=99, pairs=("en-fr",), steps=(7500,)))
    with pytest.raises(MeaningsError, match="shots=0 leaves none"):
        check_grid(Grid(conditions=("one_pair",), shots=0, steps=(7500,)))


def test_a_later_field_is_in_the_key_where_it_says_something_else(monkeypatch, tmp_path):
    (cell,) = plan_study(
        Grid(steps=(7500,), pairs=("fr-es",), conditions=("seen",)), tmp_path
    ).cells
    old = {name: value for name, value in cell.flat().items() if name not in LATER}
    assert Cell.from_dict(old) == cell and LATER == {name: cell.columns()[name] for name in LATER}
    changed = [
        cell.with_values(layers="only"),
        cell.with_values(source_pairs=4),
        cell.with_values(source_pairs=2),
    ]
    assert len({cell.key, *(other.key for other in changed)}) == 4
    table = published("miniature", columns=["layers", "source_pairs"])
    assert (table["layers"] == "from").all() and (table["source_pairs"] == 0).all()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        make_world(folder / "data")
        weights = folder / "data" / "miniature" / "seed-0" / "step-000020" / "model.safetensors"
        # Drawn wider, so that a patch moves the answer far beyond rounding.
        save_file(
            {
                name: value * (15 if value.ndim > 1 else 1)
                for name, value in load_file(weights).items()
            },
            weights,
            {"format": "pt"},
        )
        patch.setenv("MEANINGS_DATA", str(folder / "data"))
        run_study(Grid(**LAST), folder / "out", progress=False)
        yield folder


def test_a_cell_that_a_choice_cannot_change_is_not_measured_again(world):
    grid = Grid(**LAST, layers="only", source_pairs=2)
    cells = {cell.request.condition: cell for cell in plan_study(grid, world / "out").cells}
    assert {name for name, cell in cells.items() if cell.request.source_pairs} == {
        "seen",
        "null_concept",
        "null_mean",
    } & set(cells)
    assert {name for name, cell in cells.items() if cell.request.layers == "from"} == {
        "src_unpatched",
        "tgt_unpatched",
    }
    missing = {cell.request.condition for cell in plan_study(grid, world / "out").missing}
    assert missing == set(cells) - {"src_unpatched", "tgt_unpatched"}
    words = plan_study(Grid(**(LAST | {"generate": 8}), score="word"), world / "out")
    assert len(words.missing) == len(words.cells) and {
        cell.request.generate for cell in words.cells
    } == {0}


def wide(table, condition):
    return table[table["condition"] == condition].sort_values(["first_layer", "prompt"])


def test_what_is_asked_for_is_what_is_measured(world, tmp_path):
    """In the same folder: the cells of three grids, told apart by their fields."""
    names = {"conditions": ("seen", "tgt", "tgt_unpatched", "one_pair")}
    run_study(Grid(**LAST, **names, layers="only", source_pairs=2), tmp_path, progress=False)
    run_study(Grid(**LAST, **names, score="word"), tmp_path, progress=False)
    run_study(Grid(**LAST, conditions=("seen",), source_pairs=1), tmp_path, progress=False)
    run_study(Grid(**LAST, conditions=("one_pair",), source_pairs=1), tmp_path, progress=False)
    found, before = read_cells(tmp_path), read_cells(world / "out")
    alone = found[found["layers"] == "only"]
    assert set(alone["condition"]) == {"seen", "tgt", "one_pair"}
    once, whole = (
        wide(alone, "tgt")["p_source"].to_numpy(),
        wide(before, "tgt")["p_source"].to_numpy(),
    )
    assert once[6:] == pytest.approx(
        whole[6:], abs=1e-7
    )  # layers 1 and 2 of 3: above the last but one nothing is left to read
    assert abs(once[:6] - whole[:6]).max() > 1e-5
    words = found[found["score"] == "word"]
    assert set(words["condition"]) == {"seen", "tgt", "tgt_unpatched", "one_pair"}
    first = {name: wide(before, name) for name in ("seen", "tgt", "tgt_unpatched")}
    for name, rows in first.items():
        said = wide(words, name)
        assert (
            said["p_source"].notna().all()
            and (said["p_source"].to_numpy() < rows["p_source"].to_numpy() + 1e-9).all()
        )
        assert said["p_source"].mean() < 0.9 * rows["p_source"].mean()
    single = {
        name: wide(found[(found["source_pairs"] == 1)], name)["p_source"].to_numpy()
        for name in ("seen", "one_pair")
    }
    assert (single["seen"] == single["one_pair"]).all() and abs(
        single["seen"][:6] - wide(before, "seen")["p_source"].to_numpy()[:6]
    ).max() > 1e-5
