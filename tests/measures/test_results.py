import errno
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.measures import cell_files, results
from meanings.measures.cell_files import (
    cell_path,
    finished,
    read_cell,
    remove_leftovers,
    write_cell,
)
from meanings.measures.cells import CELL_FIELDS, LATER, Cell
from meanings.measures.patching import SHOTS
from meanings.measures.results import provenance_of, published, read_cells
from meanings.patching.conditions import UNPATCHED
from meanings.statistics.summaries import publish_means
from meanings.study.publish import publish, published_cells
from stand_ins.cells import CELL, rows


def test_a_key_depends_on_every_field_and_on_nothing_else():
    other = {int: 7, str: "x", tuple: ("x",)}
    values = CELL.to_dict() | LATER
    changed = [
        CELL.with_values(**{name: "es-fr" if name == "pair" else other[type(value)]})
        for name, value in values.items()
    ]
    assert set(values) == set(CELL_FIELDS)
    assert len({CELL.key, *(cell.key for cell in changed)}) == len(values) + 1
    assert CELL.with_values() == CELL and len(CELL.key) == 64
    assert Cell.from_dict(json.loads(json.dumps(values | {"key": None}))) == CELL


def test_a_key_is_the_same_in_another_process():
    code = (
        f"from meanings.measures.cells import Cell; print(Cell.from_dict({CELL.to_dict()!r}).key)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == CELL.key


@pytest.mark.parametrize("answers", [True, False])
def test_what_is_written_is_read_back(tmp_path, answers):
    written = rows(answers)
    path = write_cell(tmp_path, CELL, written, {"seconds": 1.5})
    assert path == cell_path(tmp_path, CELL.key) and finished(tmp_path) == {CELL.key}
    cell, back, provenance = read_cell(path)
    assert (cell, provenance) == (CELL, {"seconds": 1.5})
    for column in written:
        assert (
            back[column].astype(object).where(back[column].notna(), None).tolist()
            == written[column].astype(object).tolist()
        )
    assert (
        pq.read_schema(path).field("p_source").type == "float"
        and pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    )


def test_a_folder_may_be_named_by_a_text(tmp_path):
    path = str(write_cell(tmp_path, CELL, rows(), {"seconds": 1}))
    folder, key = str(tmp_path), CELL.key
    assert read_cells(folder).equals(read_cells(tmp_path)) and len(read_cells(folder)) == 4
    assert read_cell(path)[0] == CELL and cell_files.read_metadata(path)["key"] == key
    assert finished(folder) == cell_files.there(folder, [key]) == {key}
    assert [content["key"] for content in cell_files.read_metadatas(folder, [key])] == [key]
    assert len(provenance_of(folder)) == 1 and len(results.join_cells(folder)) == 4
    for ask in (read_cells, results.join_cells, lambda place: read_cells(place, ["0" * 64])):
        with pytest.raises(MeaningsError, match="no results|is missing"):
            ask(f"{folder}/none")


def broken(content: bytes) -> dict[str, bytes]:
    """Ways in which disks and copies damage a file."""
    random, size = np.random.default_rng(0), len(content)
    ends = {*range(16), *range(size - 16, size), *random.integers(size, size=40).tolist()}
    return {
        **{f"cut at {end}": content[:end] for end in sorted(ends)},
        **{f"without its first {n} bytes": content[n:] for n in (1, 4, size // 2)},
        "zeros": bytes(size),
        "garbage": random.bytes(size),
        "cut and filled up": content[: size // 2] + bytes(size - size // 2),
        "a page of an error": b"<html>" + content[6:],
        "text": b"version https://git-lfs.github.com/spec/v1\n",
        "two footers' lengths": content[:-8] + (size * 2).to_bytes(4, "little") + b"PAR1",
        "no footer": b"PAR1" + bytes(4) + b"PAR1",
    }


def test_a_file_that_was_cut_off_or_written_over_is_no_finished_cell(tmp_path):
    path, key = write_cell(tmp_path, CELL, rows(), {}), CELL.key
    assert cell_files.there(tmp_path, [key]) == {key} and not cell_files.damaged(tmp_path, [key])
    for how, content in broken(path.read_bytes()).items():
        path.write_bytes(content)
        assert cell_files.damaged(tmp_path, [key]) == {key}, how
        assert not cell_files.there(tmp_path, [key]), how
        with pytest.raises(MeaningsError, match="delete it and run the study again"):
            read_cell(path)


@pytest.mark.parametrize("kind", ["folder", "link to nowhere", "nothing"])
def test_what_is_no_file_is_not_damaged(tmp_path, kind):
    path = cell_path(tmp_path, CELL.key)
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "link to nowhere":
        path.symlink_to("nowhere")
    assert not cell_files.damaged(tmp_path, [CELL.key])
    assert bool(cell_files.there(tmp_path, [CELL.key])) == (kind != "nothing")


def test_cells_are_joined_with_their_fields_as_columns(tmp_path):
    write_cell(tmp_path, CELL, rows(), {"seconds": 1})
    other = CELL.with_values(pair="en-es", condition="tgt_unpatched", generate=0)
    write_cell(
        tmp_path,
        other,
        rows(False, 1).rename(columns={"p_source_en": "p_source_fr", "p_target_en": "p_target_fr"}),
        {"seconds": 2},
    )
    table = read_cells(tmp_path)
    assert len(table) == 6 and set(table["pair"].unique()) == {"en-fr", "en-es"}
    assert all(
        isinstance(table[column].dtype, pd.CategoricalDtype)
        for column in ("pair", "condition", "answer", "key", "source_concept", "languages")
    )
    assert (
        table["answer_correct_target"].dtype == "boolean"
        and table["answer_correct_target"].isna().sum() == 2
    )
    one = table[table["key"] == other.key]
    assert (
        one["p_source_fr"].notna().all()
        and one["p_source_en"].isna().all()
        and one["answer"].isna().all()
    )
    assert (one["languages"] == "en fr es").all() and (one["step"] == 10).all()
    assert len(read_cells(tmp_path, [other.key])) == 2
    flat = provenance_of(tmp_path)
    assert sorted(flat["seconds"]) == [1, 2] and set(flat["key"]) == {CELL.key, other.key}


def test_an_interrupted_writer_leaves_nothing_and_what_killed_ones_leave_goes(
    tmp_path, monkeypatch
):
    met = []

    def interrupted(source, target):
        met.append(source)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_cell(tmp_path, CELL, rows(), {})
    assert finished(tmp_path) == set() and not list(tmp_path.rglob("*.aside"))
    (aside,) = met
    aside.write_bytes(b"PAR1")  # as a run leaves it that is killed
    assert remove_leftovers(tmp_path) == 0 and aside.exists()  # its process, this one, still runs
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    orphan = aside.rename(aside.with_name(aside.name.replace(f"-{os.getpid()}-", f"-{dead.pid}-")))
    assert remove_leftovers(tmp_path) == 1 and not orphan.exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [("p_source", np.nan), ("p_target", 1.2), ("p_source_en", -0.1), ("p_target_en", np.inf)],
)
def test_a_number_that_is_no_probability_is_not_written(tmp_path, column, value):
    broken = rows()
    broken.loc[1, column] = value
    with pytest.raises(MeaningsError, match=f"{column} has a value that is not within 0 and 1"):
        write_cell(tmp_path, CELL, broken, {})
    with pytest.raises(MeaningsError, match="columns query are missing"):
        write_cell(tmp_path, CELL, rows().drop(columns="query"), {})
    assert not list(tmp_path.rglob("*.parquet"))


def test_empty_folders_missing_cells_and_foreign_files_are_named(tmp_path):
    with pytest.raises(MeaningsError, match="no results; run 'meanings study'"):
        read_cells(tmp_path / "none")
    with pytest.raises(MeaningsError, match="cell cccccccccccc... is missing"):
        read_cells(tmp_path, ["c" * 64])
    path = write_cell(tmp_path, CELL, rows(), {})
    rows().to_parquet(path)
    with pytest.raises(MeaningsError, match="not a result file of a cell"):
        read_cells(tmp_path)
    path.write_bytes(b"half a file")
    with pytest.raises(MeaningsError, match="not a result file of a cell .* delete it"):
        read_cells(tmp_path)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("MEANINGS_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_a_published_table_is_the_cells_without_the_other_languages(tmp_path, data):
    cells = [
        CELL.with_values(step=step, condition=name) for step in (20, 3) for name in ("seen", "tgt")
    ]
    for cell in cells:
        write_cell(tmp_path, cell, rows(), {"seconds": 1, "versions": {"torch": "2"}})
    path = publish(tmp_path, "trial")
    assert path == data / "published" / "trial.parquet" and not list(data.rglob("*.aside"))
    table, whole = published("trial"), read_cells(tmp_path)
    assert table["step"].tolist() == sorted(table["step"]) and len(table) == len(whole)
    assert not [column for column in table if column.startswith("p_source_")]
    both = table.merge(whole, on=["key", "first_layer", "prompt"], suffixes=("", "_cell"))
    assert (both["p_source"] == both["p_source_cell"]).all() and (
        both["answer"].astype(str) == both["answer_cell"].astype(str)
    ).all()
    assert table["p_source"].dtype == "float32" and isinstance(
        table["pair"].dtype, pd.CategoricalDtype
    )
    assert {cell.key for cell in published_cells("trial")} == {cell.key for cell in cells}
    assert json.loads(pq.read_schema(path).metadata[cell_files.METADATA])["versions"] == [
        {"versions.torch": "2"}
    ]
    assert len(published_cells(publish(tmp_path, "one", [cells[0].key]).stem)) == 1


def test_a_table_of_some_layers_has_these_and_what_is_not_patched(tmp_path, data):
    for name in ("seen", "src_unpatched"):
        table = (
            rows() if name == "seen" else rows().query("first_layer == 0").assign(first_layer=-1)
        )
        write_cell(tmp_path, CELL.with_values(condition=name), table, {"seconds": 1})
    publish(tmp_path, "whole")
    publish(tmp_path, "some", layers=[1])
    whole, some = published("whole"), published("some")
    assert set(whole["first_layer"]) > set(some["first_layer"]) == {-1, 1}
    assert len(some) == whole["first_layer"].isin([-1, 1]).sum()


def test_a_table_is_added_to_and_the_same_cells_are_replaced(tmp_path, data):
    """Another training run joins a table whose first results are gone."""
    first = CELL.with_values(training_seed=0)
    again = first.with_values(weights_sha256="b" * 64)
    other = CELL.with_values(training_seed=1)
    told = {"seconds": 1, "versions": {"torch": "2"}}
    write_cell(tmp_path / "a", first, rows(), told)
    for cell in (again, other):
        write_cell(tmp_path / "b", cell, rows(), told)
    publish(tmp_path / "a", "trial")
    publish(tmp_path / "b", "trial", add=True)
    assert {cell.key for cell in published_cells("trial")} == {again.key, other.key}
    whole = published("trial")
    assert len(whole) == 2 * len(rows())
    # A field that older tables lack has its usual value in their rows.
    later = CELL.with_values(training_seed=2, source_pairs=3)
    write_cell(tmp_path / "c", later, rows(), told)
    publish(tmp_path / "c", "trial", add=True)
    asked = published("trial").groupby("training_seed", observed=True)["source_pairs"].unique()
    assert {seed: list(counts) for seed, counts in asked.items()} == {0: [0], 1: [0], 2: [3]}
    assert {cell.key for cell in published_cells("trial")} == {again.key, other.key, later.key}
    publish(tmp_path / "b", "both", add=True)  # nothing to add to
    assert len(published("both")) == len(whole)
    publish(tmp_path / "a", "trial", [first.key])
    assert {cell.key for cell in published_cells("trial")} == {first.key}


def test_published_means_are_the_cells_means_and_hold_no_word(tmp_path, data):
    for name, shift in (("seen", 0.0), ("tgt", 0.01), ("null_concept", 0.02)):
        for pair in ("fr-es", "de-es"):
            table = rows()
            table["p_source"] = table["p_source"] * (0.5 if pair == "de-es" else 0.25) + shift
            write_cell(tmp_path, CELL.with_values(condition=name, pair=pair), table, {"seconds": 1})
    path = publish_means(tmp_path, "trial-means")
    assert path == data / "published" / "trial-means.csv" and not list(data.rglob("*.aside"))
    found, cells = pd.read_csv(path), read_cells(tmp_path)
    for (pair, name, layer), group in cells.groupby(
        ["pair", "condition", "first_layer"], observed=True
    ):
        row = found[
            (found["pair"] == pair) & (found["what"] == name) & (found["first_layer"] == layer)
        ]
        assert row["mean"].item() == pytest.approx(
            group.groupby("source_concept", observed=True)["p_source"].mean().mean(), rel=1e-4
        )
    difference = found[(found["what"] == "seen - null_concept") & (found["pair"] == "all")]
    assert len(difference) and np.allclose(difference["mean"], -0.02, atol=1e-6)
    written = path.read_text()
    for column in ("query", "source_concept", "target_concept", "answer"):
        assert not [
            word
            for word in cells[column].dropna().astype(str).unique()
            if len(word) > 2 and word in written
        ], column


def test_means_of_two_models_are_not_published_as_one(tmp_path, data):
    for cell in (CELL, CELL.with_values(weights_sha256="0" * 64)):
        write_cell(tmp_path, cell, rows(), {"seconds": 1})
    with pytest.raises(MeaningsError, match="several values of weights_sha256"):
        publish_means(tmp_path, "trial")
    assert not list(data.rglob("*.csv"))


def test_publishing_refuses_odd_names_and_empty_folders(tmp_path, data):
    with pytest.raises(MeaningsError, match="expected lower case letters"):
        publish(tmp_path, "../outside")
    with pytest.raises(MeaningsError, match="no results"):
        publish(tmp_path / "none", "trial")
    with pytest.raises(MeaningsError, match="'trial' does not exist; there are none yet"):
        published("trial")
    assert not list(data.rglob("*.parquet"))


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(table, path, **settings):
        path.write_bytes(b"PAR1")
        raise OSError(errno.ENOSPC, "No space left on device")

    write_cell(tmp_path, CELL, rows(), {"seconds": 1})
    monkeypatch.setattr(cell_files.pq, "write_table", full)
    with pytest.raises(
        MeaningsError, match="a cell cannot be written .No space left on device.; make room"
    ):
        write_cell(tmp_path, CELL.with_values(pair="de-es"), rows(), {"seconds": 1})
    assert finished(tmp_path) == {CELL.key} and not list(tmp_path.rglob("*.aside"))


def test_two_cells_of_one_place_are_not_published(tmp_path, data):
    for cell in (CELL, CELL.with_values(pair="de-es"), CELL.with_values(weights_sha256="0" * 64)):
        write_cell(tmp_path, cell, rows(), {"seconds": 1, "versions": {"torch": "2"}})
    with pytest.raises(
        MeaningsError,
        match="1 cells occur twice.* step 10, .* pair en-fr, condition seen.*; name the grid",
    ):
        publish(tmp_path, "trial")
    assert not list(data.rglob("*.parquet*"))
    assert publish(tmp_path, "trial", [CELL.key, CELL.with_values(pair="de-es").key]).is_file()


def _drawn(cell):
    """What decides which prompts a cell has."""
    return cell.request.pair, str(cell.request.prompt_seed), cell.request.template


def test_ten_published_cells_are_measured_again_with_the_same_numbers():
    # A table of means over language pairs has no cells, and no keys.
    names = sorted(
        path.stem
        for path in (data_folder() / "published").glob("*.parquet")
        if "key" in pq.read_schema(path).names
    )
    # Models whose weights do not ship (another training seed, a short miniature, Gemma) cannot be
    # asked again here.
    shipped = {
        ("miniature", int(path.parent.name.removeprefix("seed-")))
        for path in (data_folder() / "miniature").glob("seed-*/trajectory.json")
    }
    if not names:
        pytest.skip("no table is published yet")
    from meanings.study.recompute import recompute

    cells = [
        (name, cell)
        for name in names
        for cell in published_cells(name)
        if cell.measure == "patching"  # others: test_companion
        and (cell.subject.model, cell.subject.training_seed) in shipped
        and not cell.request.prompts_sha256  # see test_a_published_targeted_cell
    ]
    assert cells, "no published cell belongs to a shipped trajectory"
    random = np.random.Generator(np.random.PCG64())
    # Of one checkpoint, and of the same prompts, which share their source states; where these have
    # fewer than ten, cells of other prompts that need none.
    step = random.choice(sorted({cell.subject.step for _, cell in cells}))
    cells = [(name, cell) for name, cell in cells if cell.subject.step == step]
    drawn = tuple(random.choice(sorted({_drawn(cell) for _, cell in cells})).tolist())
    same = [each for each in cells if _drawn(each[1]) == drawn]
    others = [(name, cell) for name, cell in cells if cell.request.condition in UNPATCHED]
    others = [each for each in others if _drawn(each[1]) != drawn]
    sizes = Counter(_drawn(cell) for _, cell in others)
    others.sort(key=lambda each: (-sizes[_drawn(each[1])], _drawn(each[1])))
    chosen = [*(same[place] for place in random.permutation(len(same))), *others][:10]
    assert len(chosen) == 10 and chosen[0] in same
    again = recompute([cell for _, cell in chosen])
    for name in {name for name, _ in chosen}:
        keys = [cell.key for where, cell in chosen if where == name]
        table = published(name, where={"key": keys}).set_index("key")
        for _, cell in (item for item in chosen if item[0] == name):
            was, now = table.loc[cell.key].reset_index(), again[cell.key]
            # Of a large table only some first layers are published.
            now = now[now["first_layer"].isin(was["first_layer"].unique())]
            assert was["source_concept"].astype(str).tolist() == now["source_concept"].tolist(), (
                cell
            )
            for column in ("p_source", "p_target"):
                np.testing.assert_allclose(
                    now[column], was[column], rtol=0, atol=1e-4, err_msg=str(cell)
                )
            if cell.request.generate:
                same = was["answer"].astype(str).to_numpy() == now["answer"].to_numpy(dtype=str)
                assert same.mean() > 0.98, (
                    cell
                )  # a tie between two tokens may fall otherwise on another machine


def test_a_published_targeted_cell_is_measured_again_with_the_same_numbers(tmp_path):
    from meanings.prompts.shared import read_prompts
    from meanings.study.grid import read_grid
    from meanings.study.recompute import recompute
    from meanings.study.targeted import pair_studies

    studies = pair_studies(read_grid(Path("book/parameters/targeted.yaml")), tmp_path)
    random = np.random.Generator(np.random.PCG64())
    chosen = studies[random.integers(len(studies))]
    prompts = read_prompts(Path(chosen.grid.prompts))
    cells = [
        cell
        for cell in published_cells("targeted")
        if cell.request.prompts_sha256 == prompts.sha256
        and cell.subject.step == 7500
        and cell.request.condition in ("tgt", "src_unpatched")
        and cell.subject.training_seed == 0
    ]
    assert len(cells) == 2
    again = recompute(cells, prompts=prompts)
    described = chosen.rows()
    for cell in cells:
        was = published("targeted", where={"key": [cell.key]})
        now = again[cell.key].merge(described, on="prompt")
        place = ["first_layer", "prompt"]
        was, now = (rows.sort_values(place).reset_index(drop=True) for rows in (was, now))
        for name in ("source_concept", "word", "kind", "role", "item"):
            assert was[name].astype(str).tolist() == now[name].astype(str).tolist()
        np.testing.assert_allclose(now["p_source"], was["p_source"], rtol=0, atol=1e-4)
        assert (was["answer"].astype(str) == now["answer"].astype(str)).mean() > 0.98


def test_a_field_that_came_later_changes_no_key_and_no_file_at_its_usual_value(tmp_path):
    assert set(LATER) <= set(CELL_FIELDS) and not set(LATER) & set(CELL.to_dict())
    assert {name: CELL.columns()[name] for name in LATER} == LATER
    old = {name: value for name, value in CELL.flat().items() if name not in LATER}
    assert Cell.from_dict(old) == CELL
    canonical = json.dumps(old, sort_keys=True, separators=(",", ":")).encode()
    assert CELL.key == hashlib.sha256(canonical).hexdigest()
    other = CELL.with_values(prompts_sha256="c" * 64)
    assert Cell.from_dict(json.loads(json.dumps(other.to_dict()))) == other != CELL


def test_all_published_keys_are_their_cells():
    tables = sorted((data_folder() / "published").glob("*.parquet"))
    with_keys = [path for path in tables if "key" in pq.read_schema(path).names]
    assert len(with_keys) == 28
    for path in with_keys:
        shipped = pq.read_table(path, columns=["key"])["key"].unique().to_pylist()
        assert [cell.key for cell in published_cells(path.stem)] == shipped, path.stem


def test_a_table_of_cells_with_a_later_field_keeps_it(tmp_path, data):
    cells = [CELL, CELL.with_values(pair="fr-es", prompts_sha256="c" * 64)]
    for cell in cells:
        write_cell(tmp_path, cell, rows(), {"seconds": 1})
    publish(tmp_path, "both")
    assert {cell.key for cell in published_cells("both")} == {cell.key for cell in cells}


def test_the_concepts_of_few_shot_examples_are_published_where_the_cells_have_them(tmp_path, data):
    write_cell(tmp_path / "old", CELL, rows(), {"seconds": 1, "versions": {"torch": "2"}})
    publish(tmp_path / "old", "trial")
    assert not set(SHOTS) & set(published("trial"))
    write_cell(
        tmp_path / "new",
        CELL,
        rows().assign(source_shots="a|b", target_shots="c"),
        {"seconds": 1, "versions": {"torch": "2"}},
    )
    publish(tmp_path / "new", "trial")
    assert published("trial")[list(SHOTS)].drop_duplicates().values.tolist() == [["a|b", "c"]]
