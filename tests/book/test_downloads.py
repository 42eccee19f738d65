"""What pages offer: files that are made once, CSV that says the same, boxes without dead links."""

import json
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from meanings.book import boxes, cards, downloads, offered, staging
from meanings.book.shelf import Offer, Shelf
from meanings.book.sites import NOTEBOOKS, SITE, Site, site
from meanings.core.errors import MeaningsError
from meanings.core.spreadsheets import original

ROOT = Path(__file__).parents[2]
SMALL = "word_overlap"
PUBLISHED = Site("https://example.org/book", "owner/repo/blob/notebooks")


def stamps(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}


def test_a_file_is_written_again_only_when_its_source_has_changed(tmp_path):
    folder, before = tmp_path / "downloads", {}
    for _ in range(2):
        shelf = Shelf(folder)
        offer = shelf.published(SMALL)
        assert shelf.published(SMALL) == offer
        shelf.text("a.ipynb", "{}\n")
        shelf.close()
        assert before in ({}, stamps(folder))
        before = stamps(folder)
    assert set(before) == {f"{SMALL}.parquet", f"{SMALL}.csv.gz", "a.ipynb"}
    (folder / offer.csv).unlink()
    shelf = Shelf(folder)
    shelf.published(SMALL)
    shelf.close()
    assert set(stamps(folder)) == {f"{SMALL}.parquet", f"{SMALL}.csv.gz"}


def test_a_short_table_s_csv_has_its_rows_and_is_the_same_each_time(tmp_path):
    table = pa.table({"text": ["=1", "a", None], "p": [0.25, None, 1.0], "n": [1, 2, 3]})
    assert offered.write_csv(table, tmp_path / "a.csv.gz")
    assert offered.write_csv(table, tmp_path / "b.csv.gz")
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    back = pd.read_csv(tmp_path / "a.csv.gz", keep_default_na=False, na_values=[""])
    assert [original(text) for text in back["text"].dropna()] == ["=1", "a"]
    assert back["text"][0] == "'=1" and back["p"].tolist()[::2] == [0.25, 1.0]


def test_a_long_table_s_csv_has_means_over_its_items(monkeypatch, tmp_path):
    monkeypatch.setattr(offered, "WHOLE", 3)
    rows = {
        "model": ["m"] * 4,
        "step": [0, 0, 9, 9],
        "source_concept": list("abab"),
        "p_source": [0.0, 1.0, 0.5, 1.0],
        "answer_correct_source": [True, False, True, None],
        "low": [0.0] * 4,
    }
    assert not offered.write_csv(pa.table(rows), tmp_path / "a.csv.gz")
    found = pd.read_csv(tmp_path / "a.csv.gz")
    assert list(found) == ["step", "p_source", "answer_correct_source", "n_rows"]
    assert found["step"].tolist() == [0, 9] and found["n_rows"].tolist() == [2, 2]
    assert found["p_source"].tolist() == [0.5, 0.75]
    assert found["answer_correct_source"].tolist() == [0.5, 1.0]


def executed(path: Path) -> Path:
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "Text."}
    content = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_box_stands_last_and_once(tmp_path):
    target = executed(tmp_path / "page.ipynb")
    for text in ("old", "new", "new"):
        boxes.put(target, text)
    cells = json.loads(target.read_text(encoding="utf-8"))["cells"]
    assert [cell["source"] for cell in cells] == ["Text.", "new"]
    stamp = target.stat().st_mtime_ns
    boxes.put(target, "new")
    assert target.stat().st_mtime_ns == stamp


def test_a_local_build_has_no_launch_button_and_a_published_one_has(tmp_path):
    offers = [Offer(SMALL, f"{SMALL}.parquet", f"{SMALL}.csv.gz", False)]
    for name in ("page.ipynb", f"{SMALL}.parquet", f"{SMALL}.csv.gz", "dictionary.csv"):
        (tmp_path / name).write_text("x")
    local = boxes.box("page", offers, [], tmp_path, Site())
    assert "http" not in local and "means" in local
    for file in re.findall(r'href="downloads/([^"]+)"', local):
        assert (tmp_path / file).is_file()
    many = boxes.box("page", [], offers * 30, tmp_path, Site())
    assert "all published tables" in many and f"{SMALL}.parquet" not in many
    there = boxes.box("page", offers, [], tmp_path, PUBLISHED)
    assert "colab.research.google.com/github/owner/repo/blob/notebooks/page.ipynb" in there
    assert "colab" not in boxes.box("method", [], offers, tmp_path, PUBLISHED)
    assert not re.search(r"<(script|img|iframe|link)", there)
    assert not Site(PUBLISHED.url).colab("page") and not Site("", "a/b/blob/c").colab("page")


def test_the_site_is_read_from_the_environment(monkeypatch):
    monkeypatch.delenv(SITE, raising=False)
    monkeypatch.delenv(NOTEBOOKS, raising=False)
    assert site() == Site()
    monkeypatch.setenv(SITE, PUBLISHED.url + "/")
    monkeypatch.setenv(NOTEBOOKS, PUBLISHED.notebooks)
    assert site() == PUBLISHED
    for name, value in ((SITE, "http://a b"), (NOTEBOOKS, "owner/repo")):
        with monkeypatch.context() as patch, pytest.raises(MeaningsError, match=f"{name}=.*expect"):
            patch.setenv(name, value)
            site()


def test_files_lie_beside_the_pages_and_a_wheel_stays(tmp_path):
    folder, html = tmp_path / "downloads", tmp_path / "html"
    folder.mkdir()
    (folder / "a.csv.gz").write_text("a")
    (html / "downloads").mkdir(parents=True)
    for name in ("old.parquet", "meanings-1-py3-none-any.whl"):
        (html / "downloads" / name).write_text("x")
    downloads.publish(folder, html)
    names = sorted(file.name for file in (html / "downloads").iterdir())
    assert names == ["a.csv.gz", "meanings-1-py3-none-any.whl"]


def test_the_page_of_tables_has_every_card(monkeypatch):
    found = cards.table_cards.card_of(SMALL)
    monkeypatch.setattr(cards, "_cards", lambda: (found,))
    text = cards.filled((ROOT / "book" / "tables.md").read_text(encoding="utf-8"))
    assert cards.MARK not in text and f"## {found.title}" in text
    assert found.sha256 in text and all(f"| `{each.name}` |" in text for each in found.columns)
    assert "tables" in staging.pages(ROOT) and cards.filled("no mark") == "no mark"


def test_published_tables_are_those_that_a_page_declares():
    names = downloads.published_of(ROOT / "book" / "cka.md", ROOT)
    assert names == ["cka", "miniature", "reinitialisation"]
    assert downloads.beside_of("language_identity") == "." and downloads.beside_of("trust") == ""
