import csv

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from meanings.core.errors import MeaningsError
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.results import read_cells, write_cell
from meanings.study import export as exporting
from meanings.study.export import DESCRIPTIONS, export, harmless
from stand_ins.cells import CELL, rows

ANSWERS = ['=HYPERLINK("x")', "+1", "-2", "@cmd", "'tis", "＝1", "\tx", 'chat, "noir"', "çà"]


@pytest.fixture
def measured(tmp_path):
    """A results folder of one cell of the embedded lexicon, whose answers are ANSWERS in turn."""
    lexicon = load_lexicon("embedded").restrict(languages=CELL.data.languages)
    cell = CELL.with_values(lexicon_sha256=lexicon.sha256, languages=lexicon.languages)
    table = rows(n_layers=5)
    table["answer"] = [ANSWERS[i % len(ANSWERS)] for i in range(len(table))]
    write_cell(
        tmp_path / "results",
        cell,
        table,
        {"seconds": 1, "versions": {"torch": "2"}, "revision": "step5", "commit": "c" * 40},
    )
    return tmp_path / "results", cell


def front(folder):
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


def test_a_data_set_holds_the_cells_as_they_are_and_its_card_names_the_columns(
    measured, tmp_path, monkeypatch
):
    monkeypatch.setattr(exporting, "SHARD_ROWS", 4)
    export(tmp_path / "set", measured[0], licence="cc-by-4.0")
    files = sorted((tmp_path / "set" / "data").iterdir())
    assert [file.name for file in files] == [f"train-{i:05}-of-00003.parquet" for i in range(3)]
    back, cells = pa.concat_tables(map(pq.read_table, files)), read_cells(measured[0])
    for column in cells:
        assert (
            back[column].to_pylist()
            == cells[column].astype(object).where(cells[column].notna(), None).tolist()
        )
    card = front(tmp_path / "set")
    assert [f["name"] for f in card["dataset_info"]["features"]] == back.column_names and card[
        "license"
    ] == "cc-by-4.0"
    assert not [field for field in back.schema if pa.types.is_dictionary(field.type)]
    assert card["configs"][0]["data_files"] == [{"split": "train", "path": "data/*.parquet"}]
    assert card["language"] == ["en", "es", "fr"] and card["size_categories"] == ["n<1K"]
    text = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    assert (
        all(f"| `{name}` |" in text for name in back.column_names)
        and measured[1].lexicon_sha256 in text
    )
    assert (
        "step5" in text
        and "c" * 40 in text
        and "versions.torch | 2" in text
        and str(tmp_path) not in text
    )


def test_datasets_loads_it(measured, tmp_path):
    datasets = pytest.importorskip("datasets")
    export(tmp_path / "set", measured[0])
    found = datasets.load_dataset(str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))["train"]
    assert len(found) == 10 and found["answer"][:9] == ANSWERS


def test_a_spreadsheet_runs_nothing_and_every_text_can_be_had_back(measured, tmp_path):
    export(tmp_path / "out", measured[0], layout="csv")
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert not [
        row
        for row in found
        for name, cell in row.items()
        if cell[:1] in tuple("=+@＝＋－＠\t\r") and cell
    ]
    assert not [row for row in found if row["answer"].startswith("-")] and "-" not in {
        row["key"][0] for row in found
    }
    assert [row["answer"].removeprefix("'") for row in found][:9] == ANSWERS
    cells = read_cells(measured[0])
    np.testing.assert_array_equal(
        pd.read_csv(tmp_path / "out" / "results.csv")["p_source"].astype("float32"),
        cells["p_source"],
    )
    assert "dataset_info" not in front(tmp_path / "out") and "leading apostrophe" in (
        tmp_path / "out" / "README.md"
    ).read_text(encoding="utf-8")


def test_missing_texts_stay_missing():
    assert harmless(pa.chunked_array([["=1", None, "", "a=1"]])).to_pylist() == [
        "'=1",
        None,
        "",
        "a=1",
    ]


@pytest.mark.parametrize("layout", ["csv", "datasets"])
def test_words_of_another_lexicon_stay_here_unless_asked_for(measured, tmp_path, layout):
    folder, cell = measured
    other = cell.with_values(lexicon_sha256="b" * 64)  # called embedded all the same
    write_cell(folder, other, rows(), {"seconds": 1})
    said = export(tmp_path / "out", folder, [other.key], layout=layout)
    assert len(said) == 2 and "left out" in said[0] and "--words" in said[0]
    everything = b"".join(
        file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file()
    )
    assert not [word for word in (b"owl", b"chat", b"cat,", b"bee") if word in everything]
    if layout == "datasets":
        found = pq.read_table(tmp_path / "out" / "data")
        assert (
            not {"query", "answer"} & set(found.column_names)
            and len(set(found["source_concept"].to_pylist())) == 2
        )
    export(tmp_path / "whole", folder, [other.key], layout=layout, words=True)
    assert b"owl" in b"".join(
        file.read_bytes() for file in (tmp_path / "whole").rglob("*") if file.is_file()
    )


def test_a_published_table_is_exported_whole_with_its_words(tmp_path):
    said = export(tmp_path / "out", tmp_path, table="gemma-3-270m")
    table = pq.read_table(tmp_path / "out" / "data")
    assert (
        {"query", "answer"} <= set(table.column_names)
        and set(table.column_names) <= set(DESCRIPTIONS)
        and "Unicode" in said[0]
    )


def test_what_cannot_be_exported_is_one_line_and_leaves_nothing(measured, tmp_path, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("kept")
    for arguments, settings, message in (
        ((tmp_path / "full", measured[0]), {}, "not empty; name a new folder"),
        ((tmp_path / "new", measured[0]), {"layout": "xls"}, "--format 'xls': allowed are"),
        ((tmp_path / "new", tmp_path / "none"), {}, "no results"),
        (
            (tmp_path / "new", measured[0]),
            {"table": "nothing"},
            "'nothing' is not there; there are",
        ),
        (
            (tmp_path / "new", measured[0]),
            {"table": "../published/miniature"},
            "expected a name, not a path",
        ),
    ):
        with pytest.raises(MeaningsError, match=message):
            export(*arguments, **settings)

    def full(*_arguments, **_settings):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting.pq, "write_table", full)
    with pytest.raises(MeaningsError, match="No space left on device"):
        export(tmp_path / "new", measured[0])
    assert (
        sorted(file.name for file in tmp_path.iterdir()) == ["full", "results"]
        and (tmp_path / "full" / "mine").is_file()
    )
