"""A study of targeted words, from prompts to the published table, on a model of random weights."""

from dataclasses import replace

import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.measures.results import published
from meanings.prompts.shared import read_prompts
from meanings.study.grid import Grid
from meanings.study.targeted import counts, pair_studies, publish_targeted, run_targeted
from stand_ins.study_data import make_world

GRID = Grid(
    pairs=("de-en", "en-de"),
    steps=(20,),
    conditions=("seen", "self", "null_concept", "src_unpatched"),
    n_pairs=3,
    shots=1,
    generate=2,
    generate_patched="every",
    first_layers=(0, 2),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("targeted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEANINGS_DATA", str(make_world(folder / "data", seeds=(0, 1))))
        (folder / "data" / "published").mkdir()
        out = folder / "results"
        studies = pair_studies(GRID, out)
        done = list(run_targeted(studies, out, progress=False, device="cpu"))
        publish_targeted(studies, out)
        other = pair_studies(GRID.model_copy(update={"training_seeds": (1,)}), out)
        list(run_targeted(other, out, progress=False, device="cpu"))
        publish_targeted(other, out)
        yield out, studies, done, published("targeted")


def test_each_pair_has_the_conditions_that_are_defined_for_it(world):
    _, studies, done, _ = world
    assert {str(each.pair): len(each.grid.conditions) for each in studies} == {
        "de-en": 3,  # English is no output language of `self`
        "en-de": 4,
    }
    assert [new for _, _, new in done] == [cells for _, cells, _ in done] == [3, 4]


def test_prompts_hold_each_word_and_then_its_control(world):
    _, studies, _, _ = world
    for each in studies:
        drawn = read_prompts_of(each)
        assert [pair.source for pair in drawn] == [
            word.concept for item in each.items for word in (item.query, item.control)
        ]
        described = each.rows()
        assert described["role"].tolist() == ["query", "control"] * len(each.items)
        assert described["prompt"].tolist() == list(range(len(drawn)))


def read_prompts_of(each):
    from pathlib import Path

    return read_prompts(Path(each.grid.prompts)).draws[42]


def test_the_published_table_says_of_each_row_what_its_word_is(world):
    _, studies, _, table = world
    for each in studies:
        rows = table[(table["pair"] == str(each.pair)) & (table["training_seed"] == 0)]
        for item in each.items:
            own = rows[rows["item"] == item.number]
            for role, query in (("query", item.query), ("control", item.control)):
                said = own[own["role"] == role]
                assert set(said["source_concept"]) == {query.concept}
                assert set(said["word"]) == {query.word}
                assert set(own["kind"]) == {item.query.kind}


def test_only_the_first_layers_that_were_named_are_swept(world):
    table = world[3]
    patched = table[table["condition"] == "seen"]
    assert set(patched["first_layer"]) == {0, 2} and set(patched["first_layers"]) == {"0 2"}
    assert set(table[table["condition"] == "src_unpatched"]["first_layer"]) == {-1}
    assert set(table[table["condition"] == "src_unpatched"]["first_layers"]) == {""}


def test_another_seed_stands_beside_the_first(world):
    table = world[3]
    sizes = table.groupby("training_seed").size()
    assert set(sizes.index) == {0, 1} and sizes[0] == sizes[1]
    columns = ["pair", "condition", "first_layer", "prompt", "source_concept", "word"]
    by_seed = [table[table["training_seed"] == seed][columns] for seed in (0, 1)]
    pd.testing.assert_frame_equal(*(rows.reset_index(drop=True) for rows in by_seed))


def test_counts_are_of_query_words(world):
    _, studies, _, table = world
    queries = table[table["role"] == "query"].drop_duplicates(["pair", "item"])
    found = {kind: n for kind, n in counts(studies).items() if n}
    assert found == queries["kind"].value_counts().to_dict()


def test_prompts_of_one_s_own_are_refused(tmp_path):
    with pytest.raises(MeaningsError, match="targeted words draw their own prompts"):
        pair_studies(GRID.model_copy(update={"prompts": "mine.json"}), tmp_path)
    with pytest.raises(MeaningsError, match="name one prompt seed"):
        pair_studies(GRID.model_copy(update={"prompt_seeds": (1, 2)}), tmp_path)


def test_what_is_not_measured_is_not_published(world, tmp_path):
    with pytest.raises(MeaningsError, match="cells of de-en are not in"):
        publish_targeted(world[1], tmp_path)
    with pytest.raises(MeaningsError, match="no cell is measured"):
        publish_targeted(world[1], tmp_path, measured=True)


def test_published_cells_stay_where_others_are_measured(world, tmp_path):
    _, studies, _, table = world
    path = data_folder() / "published" / "targeted.parquet"
    before = path.read_bytes()
    only = replace(
        studies[1], grid=studies[1].grid.model_copy(update={"conditions": ("self", "seen")})
    )
    list(run_targeted([only], tmp_path, progress=False, device="cpu"))
    try:
        publish_targeted(studies, tmp_path, measured=True)
        same = ["model", "training_seed", "pair", "condition", "first_layer", "prompt", "answer"]
        pd.testing.assert_frame_equal(published("targeted")[same], table[same])
        publish_targeted([only], tmp_path)  # a smaller grid: what it does not name goes
        rows = published("targeted")
        assert set(rows[rows["training_seed"] == 0]["condition"]) == {"self", "seen"}
        assert len(rows[rows["training_seed"] == 1]) == len(table[table["training_seed"] == 1])
    finally:
        path.write_bytes(before)
