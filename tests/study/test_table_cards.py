"""Every published table has a card, and every card says what the table has: no more, no less."""

import hashlib

import pyarrow.parquet as pq
import pytest
import yaml

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.study import table_cards
from meanings.study.units import unit

FOLDER = data_folder() / "published"
FILES = {file.stem: file for file in FOLDER.iterdir() if file.suffix in (".parquet", ".csv")}


@pytest.fixture(scope="module")
def cards():
    return {card.name: card for card in table_cards.all_cards()}


@pytest.fixture(scope="module")
def said():
    return yaml.safe_load((FOLDER / table_cards.CARDS).read_text(encoding="utf-8"))


def test_every_table_has_a_card_and_every_card_a_table(said):
    assert set(said["tables"]) == set(FILES) == set(table_cards.table_files())
    assert {card["licence"] for card in said["tables"].values()} == set(said["licences"])
    assert len({card["title"] for card in said["tables"].values()}) == len(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_card_has_the_tables_columns_each_explained(cards, name):
    card, file = cards[name], FILES[name]
    names = (
        pq.read_schema(file).names
        if file.suffix == ".parquet"
        else file.read_text(encoding="utf-8").splitlines()[0].split(",")
    )
    assert [column.name for column in card.columns] == [n for n in names if n[:2] != "__"]
    for column in card.columns:
        assert len(column.meaning) > 3 and column.range, column.name
        assert bool(column.unit) == (column.dtype not in ("string", "bool")), column.name
    assert (
        card.row.startswith("A row is")
        and card.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    )
    assert card.rows > 0 and set(card.covers) <= {column.name for column in card.columns}


def test_the_grids_that_a_card_names_are_there(said):
    grids = FOLDER.parents[1] / "book" / "parameters"
    for name, card in said["tables"].items():
        for command in card["made"]:
            assert command.startswith(("meanings ", "make setup-gemma", "python -m bench")), name
            for word in command.split():
                if word.endswith(".yaml") and "NAME" not in word and "*" not in word:
                    assert (grids / word.removeprefix("book/parameters/")).is_file(), word


def test_a_range_is_the_tables_own_and_few_values_are_listed(cards):
    columns = {column.name: column for column in cards["miniature"].columns}
    assert columns["training_seed"].range == "0 to 2" and columns["step"].range == "0 to 7500"
    assert columns["step"].unit == "optimiser steps" and columns["p_source"].unit == "probability"
    assert cards["miniature"].covers["step"] == "19 from 0 to 7500"
    assert columns["template"].range == "quoted" and columns["pair"].range.endswith(" values")


def test_a_unit_of_an_interval_s_end_is_that_of_its_middle():
    assert unit("seen_low") == unit("seen") == "probability"
    assert unit("attention_5") == unit("attention") and unit("p_source_fr") == "probability"
    assert unit("unheard_of") == ""


def test_a_table_without_a_card_is_named(tmp_path, monkeypatch):
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "new.csv").write_text("a\n1\n")
    (tmp_path / "published" / table_cards.CARDS).write_text("licences: {}\ntables: {}\n")
    monkeypatch.setenv("MEANINGS_DATA", str(tmp_path))
    with pytest.raises(MeaningsError, match="says nothing of the table 'new'"):
        table_cards.card_of("new")
    with pytest.raises(MeaningsError, match="'x' does not exist; there are new"):
        table_cards.card_of("x")
