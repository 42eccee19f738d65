"""The tables that a page reads: its own cells, by what was asked, and the published ones."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from meanings.book import pages
from meanings.book.chapters import validated
from meanings.core.errors import MeaningsError
from meanings.statistics import layer_choice, selection, summaries
from meanings.study.publish import publish
from stand_ins import book_data, synthetic_cells


def test_only_what_was_asked_for_is_read(results):
    page = validated("emergence", {"pair": ("fr-es",), "checkpoints": 2})
    cells = pages.measured(page, results)
    assert set(cells["pair"]) == {"fr-es"} and set(cells["step"]) == {0, book_data.STEPS[-1]}
    with pytest.raises(MeaningsError, match="nothing measured for these parameters"):
        pages.measured(validated("emergence", {"prompt_seed": 1}), results)


def test_copying_the_folder_and_file_times_change_nothing(results, tmp_path):
    page = validated("emergence", {"pair": ("fr-es",), "checkpoints": 2})
    copied = shutil.copytree(results, tmp_path / "copied")
    for number, file in enumerate(sorted(copied.rglob("*.parquet"), reverse=True)):
        os.utime(file, (number, number))
    pd.testing.assert_frame_equal(pages.measured(page, results), pages.measured(page, copied))


OTHER_KINDS = ({"dtype": "bfloat16"}, {"method": 2}, {"weights_sha256": "f" * 64}, {"generate": 16})


def test_cells_of_another_kind_in_the_folder_are_left_alone(results, tmp_path):
    page = validated("emergence", {"pair": ("fr-es",), "checkpoints": 2})
    own = pages.measured(page, results)
    mixed = shutil.copytree(results, tmp_path / "mixed")
    for other in OTHER_KINDS:
        before = len(list(mixed.rglob("*.parquet")))
        synthetic_cells.write_results(
            mixed, steps=(0, book_data.STEPS[-1]), pairs=("fr-es",), n_prompts=4, **other
        )
        assert len(list(mixed.rglob("*.parquet"))) > before, other
        pd.testing.assert_frame_equal(own, pages.measured(page, mixed), obj=str(other))


def test_published_tables_widen_a_page_and_are_called_so(results, tmp_path, monkeypatch):
    folder = tmp_path / "world"
    book_data.make(folder)
    (folder / "data" / "published" / "miniature.parquet").unlink()
    synthetic_cells.write_results(
        tmp_path / "more", steps=(0, 6400), pairs=("fr-es", "pl-fi"), seeds=(0, 1), n_prompts=4
    )
    monkeypatch.setenv("MEANINGS_DATA", str(folder / "data"))
    page = validated("emergence", {"pair": ("fr-es", "en-de"), "checkpoints": 2})
    cells = pages.measured(page, folder / "results")
    assert pages.widest(page, cells)[1].startswith("measured for this page")
    publish(tmp_path / "more", "miniature")
    wide, label = pages.widest(page, cells)
    assert label == "published tables: training runs 2, checkpoints 2, pairs 1" and set(
        wide["pair"]
    ) == {"fr-es"}
    assert pages.broadest(page, cells)[1].startswith(
        "measured for this page"
    )  # it asks for pairs of its own
    own = validated("emergence", {"checkpoints": 2})
    assert set(pages.broadest(own, cells)[0]["pair"]) == {"fr-es", "pl-fi"}
    ends = pages.shipped(own)
    ends = ends[(ends["pair"] == "fr-es") | (ends["step"] == 6400)]
    assert set(selection.followed(ends)["pair"]) == {"fr-es"} and pages._label("x", ends).endswith(
        "pairs 2 (1 of them at every checkpoint)"
    )
    curves = summaries.curves(layer_choice.at_chosen_layer(wide), ["seen", "null_concept"])
    assert (curves["n_seeds"] == 2).all() and curves["low"].le(curves["mean"]).all()


def test_a_pair_lies_above_its_null_by_the_nulls_range_or_else_by_its_own_interval():
    from meanings.book.tables import instruments

    rows = pd.DataFrame(
        [
            (0, "en", "de", 0.9, 0.8, 0.1, 0.2),
            (1, "en", "de", 0.5, 0.4, 0.1, 0.2),
            (1, "en", "fr", 0.5, 0.4, 0.1, 0.6),
            (1, "de", "fr", 0.5, 0.4, 0.3, None),
            (1, "fr", "de", 0.5, 0.2, 0.3, None),
            (2, "en", "de", 0.9, 0.8, 0.1, 0.2),
        ],
        columns=["layer", "language_a", "language_b", "value", "low", "null", "null_high"],
    )
    assert instruments.middle(rows) == 1 and instruments.above(rows) == (2, 4)
    assert instruments.at(rows, 0) == 0.9 and np.isnan(instruments.at(rows, 7))


def test_the_real_models_instruments_are_read_from_their_tables():
    from meanings.book.tables import instruments

    table = instruments.side_by_side()
    assert list(table.index) == list(instruments.INSTRUMENTS)
    assert table.loc["expert units in common, word classes", "embedding"] == ""
    assert (table["null"].astype(float) < table["middle"].astype(float)).all()
    assert (table["above"].str.split(" of ").str[1].astype(int) >= 12).all()
