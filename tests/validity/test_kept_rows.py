"""Rows of claims kept on disk: read while nothing that decides them has changed, and only then."""

import json

import pytest

from meanings.validity.claims import catalogue, kept_rows

CHAPTER = "meaning_in_context"
DECIDED = [
    {"id": "meaning-a", "by_seed": {"0": {"value": 0.5}}},
    {"id": "meaning-b", "by_seed": {}},
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for rows, beside a small folder of data; claims are decided by a stand-in."""
    data = tmp_path / "data" / "published"
    data.mkdir(parents=True)
    (data / "a.csv").write_text("x\n1\n")
    monkeypatch.setenv("MEANINGS_DATA", str(data.parent))
    monkeypatch.setenv(kept_rows.FOLDER, str(tmp_path / "kept"))
    kept_rows._decided_by.cache_clear()
    yield tmp_path / "kept"
    kept_rows._decided_by.cache_clear()


@pytest.fixture
def decided(monkeypatch):
    """How often the claims of the chapter were decided."""
    times = []
    monkeypatch.setattr(catalogue, "tables_of", lambda claims: {})
    monkeypatch.setattr(
        catalogue, "rows", lambda *given, **_: times.append(1) or [dict(row) for row in DECIDED]
    )
    return times


def test_a_chapter_is_decided_once(folder, decided):
    first = catalogue.of_chapter(CHAPTER)
    assert catalogue.of_chapter(CHAPTER) == first == DECIDED and len(decided) == 1
    (kept,) = folder.iterdir()
    assert json.loads(kept.read_text()) == DECIDED


def test_without_a_folder_nothing_is_kept(folder, decided, monkeypatch):
    monkeypatch.delenv(kept_rows.FOLDER)
    assert catalogue.of_chapter(CHAPTER) == catalogue.of_chapter(CHAPTER) == DECIDED
    assert len(decided) == 2 and not folder.exists()


def test_rows_without_training_runs_are_not_kept(folder, decided):
    catalogue.of_chapter(CHAPTER, by_seed=False)
    assert not folder.exists()


@pytest.mark.parametrize("change", ["a table", "another table", "the library"])
def test_a_change_of_what_decides_them_decides_anew(folder, decided, change, tmp_path, monkeypatch):
    catalogue.of_chapter(CHAPTER)
    if change == "a table":
        (tmp_path / "data" / "published" / "a.csv").write_text("x\n2\n")
    elif change == "another table":
        (tmp_path / "data" / "published" / "b.csv").write_text("x\n1\n")
    else:
        module = tmp_path / "changed.py"
        module.write_text("x = 2")
        listed = kept_rows.library_files()
        monkeypatch.setattr(kept_rows, "library_files", lambda: [*listed, module])
    kept_rows._decided_by.cache_clear()
    catalogue.of_chapter(CHAPTER)
    assert len(decided) == 2 and len(list(folder.iterdir())) == 1


def test_a_broken_file_is_written_again(folder, decided):
    catalogue.of_chapter(CHAPTER)
    (kept,) = folder.iterdir()
    kept.write_text('[{"id": "mea')
    assert catalogue.of_chapter(CHAPTER) == DECIDED and len(decided) == 2
    assert json.loads(kept.read_text()) == DECIDED


def test_claims_asked_for_by_id_are_those_that_were_kept(folder, decided):
    wanted = next(claim.id for claim in catalogue.all_claims() if claim.chapter == CHAPTER)
    rows = [{"id": wanted, "verdict": "as kept"}, {"id": "other"}]
    kept_rows.keep(CHAPTER, rows)
    assert catalogue.of_ids([wanted]) == {wanted: rows[0]} and not decided
