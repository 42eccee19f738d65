"""What the README shows and says of the results is what the published tables say today."""

import re
from pathlib import Path

import pytest
from PIL import Image

from meanings.book import readme
from meanings.core.errors import MeaningsError
from meanings.validity.claims import catalogue

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
STALE = "run 'python -m meanings.book.readme'"


@pytest.fixture(scope="module")
def curves():
    return readme.curves_of()


def test_the_readme_says_what_the_tables_and_the_first_page_say(curves):
    assert readme.with_block(TEXT, readme.block(ROOT, curves)) == TEXT, STALE


def test_the_picture_is_of_todays_curves(curves):
    with Image.open(ROOT / readme.PICTURE) as picture:
        assert picture.info["Comment"] == readme.digest(curves), STALE
        assert picture.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


def test_the_picture_is_made_again_and_carries_its_digest(curves, tmp_path):
    (tmp_path / "it.png").write_bytes(readme.picture(curves))
    with Image.open(tmp_path / "it.png") as made, Image.open(ROOT / readme.PICTURE) as there:
        assert (made.size, made.info["Comment"]) == (there.size, there.info["Comment"])


def test_other_numbers_are_found(curves, monkeypatch):
    higher = curves._replace(table=curves.table.assign(mean=curves.table["mean"] + 0.01))
    assert readme.digest(higher) != readme.digest(curves)
    rows = [{**row, "value": row["value"] + 0.01} for row in _rows()]
    monkeypatch.setattr(catalogue, "rows", lambda *args, **options: rows)
    assert readme.block(ROOT, curves) not in TEXT


def _rows() -> list[dict]:
    ids = {name for names in readme.ANSWERS.values() for name in names}
    claims = [claim for claim in catalogue.all_claims() if claim.id in ids]
    return list(catalogue.rows(claims, catalogue.tables_of(claims), by_seed=False))


def test_an_answer_that_the_first_page_lacks_is_refused(curves, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "index.md").write_text("# No answers\n")
    with pytest.raises(MeaningsError, match="no answer in bold that begins with 'When"):
        readme.block(tmp_path, curves)


def test_what_the_readme_and_the_guide_name_is_there():
    for file in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / file).read_text(encoding="utf-8")
        links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
        spans = re.findall(r"`((?:book|lib|data|tests|bench)/[\w./-]+)`", text)
        assert links or spans
        assert not [name for name in (*links, *spans) if not _named(name)], file


def _named(name: str) -> bool:
    """Whether a path is there, but for the module that the guide adds."""
    return (ROOT / name).exists() or name == "lib/meanings/measures/centroids.py"


def test_what_the_workflow_runs_is_there():
    text = (ROOT / ".github" / "workflows" / "book.yml").read_text(encoding="utf-8")
    ran = re.findall(r"^ *(?:- )?run: bash (\S+)$", text, re.MULTILINE)
    read = re.findall(r"cache-dependency-path: (\S+)", text)
    assert ran and read and all((ROOT / name).is_file() for name in (*ran, *read))
