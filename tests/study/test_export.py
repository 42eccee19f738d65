import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from pyarrow.dataset import dataset

from meanings.core.errors import MeaningsError
from meanings.core.spreadsheets import original
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.cell_files import write_cell
from meanings.measures.results import read_cells
from meanings.study import export as exporting
from meanings.study.column_descriptions import description, kind_of
from meanings.study.export import export
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
        and measured[1].data.sha256 in text
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


def test_concepts_that_look_like_missing_values_are_read_as_the_card_says(
    measured, tmp_path, monkeypatch
):
    folder, cell = measured
    names = ["null", "NA", "nan", "None", "NULL", "N/A", "#N/A", "NaN", "n/a", "<NA>"]
    other = cell.with_values(lexicon_sha256="b" * 64)
    table = rows(n_layers=5)
    table["source_concept"], table["query"] = names, names
    table["answer"] = [*names[:8], None, "=1"]
    write_cell(folder, other, table, {"seconds": 1})
    export(tmp_path / "out", folder, [other.key], layout="csv", words=True)
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    monkeypatch.chdir(tmp_path / "out")
    found: dict = {}
    exec(code, found)
    back = found["rows"]
    for column in ("source_concept", "query"):
        assert back[column].map(original).tolist() == names
    assert back["answer"].isna().tolist() == [False] * 8 + [True, False]
    assert back["p_source"].dtype == float and back["first_layer"].dtype == int
    assert pd.read_csv("results.csv")["source_concept"].isna().sum() > 5  # why the card says it
    export(tmp_path / "set", folder, [other.key], words=True)
    text = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    assert pq.read_table(tmp_path / "set" / "data")["source_concept"].to_pylist() == names
    assert "read_csv" not in text


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


PUBLISHED = sorted(
    file.stem for kind in ("csv", "parquet") for file in Path("data/published").glob(f"*.{kind}")
)
SLOW = ("miniature", "worlds", "miniature-answers", "gemma-3-270m")  # large, and of one kind


WHOLE = ("targeted",)  # a table of many rows that is exported as CSV to its end
ROWS = 2000  # of the others


def columns_and_length(path: Path) -> tuple[list[str], int]:
    """The columns and the number of rows of a table, whose values are not read."""
    if path.suffix == ".csv":
        return list(pd.read_csv(path, nrows=0)), len(pd.read_csv(path, usecols=[0]))
    table = dataset(path)
    return table.schema.names, table.count_rows()


@pytest.mark.parametrize(
    ("name", "layout"),
    [(name, "csv") for name in PUBLISHED if name not in SLOW]
    + [(name, "datasets") for name in PUBLISHED if name != "miniature"],
)
def test_every_published_table_is_exported_with_a_card_that_explains_its_columns(
    tmp_path, name, layout, monkeypatch
):
    """As CSV, a long table has its first rows here, but for the one of `WHOLE`."""
    whole, entire = exporting._published, layout == "datasets" or name in WHOLE

    def first_rows(table):
        rows, versions = whole(table)
        return (rows if entire else rows.slice(0, ROWS)), versions

    monkeypatch.setattr(exporting, "_published", first_rows)
    said = export(tmp_path / "out", tmp_path, table=name, layout=layout)
    path = Path("data/published") / name
    own = path.with_suffix(".parquet")
    wanted, length = columns_and_length(own if own.exists() else path.with_suffix(".csv"))
    found = columns_and_length(
        tmp_path / "out" / ("data" if layout == "datasets" else "results.csv")
    )
    left_out = exporting.WORD_COLUMNS if "left out" in said[0] else ()  # of invented languages
    assert bool(left_out) == (name == "worlds")
    wanted = [column for column in wanted if column not in left_out]
    assert found == (wanted, length if entire else min(length, ROWS))
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for column in wanted:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{column}` |")]
        assert len(line.split("|")[3].strip()) > 5, line
    assert front(tmp_path / "out")["tags"]
    assert any("Unicode" in line for line in said) == ("source_concept" in wanted and not left_out)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_column_has_a_description(name):
    path = Path("data/published") / f"{name}.parquet"
    columns = (
        pq.read_schema(path).names
        if path.exists()
        else list(pd.read_csv(path.with_suffix(".csv"), nrows=1))
    )
    assert all(description(column, kind_of(columns)) for column in columns)


def test_the_card_says_which_layers_are_patched(measured, tmp_path):
    folder, cell = measured
    export(tmp_path / "later", folder)
    alone = cell.with_values(layers="only")
    write_cell(folder, alone, rows(), {"seconds": 1})
    export(tmp_path / "alone", folder, [alone.key])
    export(tmp_path / "both", folder)
    later, alone, both = (
        (tmp_path / name / "README.md").read_text(encoding="utf-8")
        for name in ("later", "alone", "both")
    )
    assert "layer `first_layer` and of all later layers" in later and "alone is" not in later
    assert "layer `first_layer` alone is replaced" in alone and "of all later" not in alone
    assert "later layers are replaced (`layers`: from)" in both
    assert "alone is replaced (`layers`: only)" in both
    assert "where `layers` is only" in description("first_layer")
    assert "in another language: French; 0 to 1" in description("p_source_fr")
    assert "only" in description("layers") and "average" in description("source_pairs")


def test_a_published_table_of_another_lexicon_names_no_concept(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "published"
    folder.mkdir(parents=True)
    (tmp_path / "data" / "lexicon").symlink_to(Path("data/lexicon").resolve())
    monkeypatch.setenv("MEANINGS_DATA", str(tmp_path / "data"))
    table = pq.read_table(Path(__file__).parents[2] / "data" / "published" / "sensitivity.parquet")
    at = table.schema.get_field_index("source_concept")
    names = [f"secret {name}" for name in table["source_concept"].to_pylist()]
    pq.write_table(table.set_column(at, "source_concept", pa.array(names)), folder / "own.parquet")
    said = export(tmp_path / "out", tmp_path, table="own")
    found = pq.read_table(tmp_path / "out" / "data")
    assert "left out" in said[0]
    assert all(re.fullmatch(r"c\d{5}", name) for name in set(found["source_concept"].to_pylist()))


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
            "'nothing' does not exist; there are",
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
