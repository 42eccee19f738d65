"""Fixtures of the book's tests: synthetic results and a project folder of few pages."""

from pathlib import Path

import pytest
import yaml

from stand_ins import book_data

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory):
    """Synthetic results, which no test changes."""
    return book_data.make(tmp_path_factory.mktemp("chapters"))


@pytest.fixture(scope="module")
def results(synthetic):
    """The synthetic results; the data folder beside them is the one in use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEANINGS_DATA", str(synthetic.parent / "data"))
        yield synthetic


@pytest.fixture(scope="session")
def make_root():
    """Makes a project folder whose table of contents has the pages that are named."""

    def made(folder: Path, *names: str) -> Path:
        (folder / "book").mkdir(parents=True)
        for entry in (ROOT / "book").iterdir():
            (folder / "book" / entry.name).symlink_to(entry)
        (folder / "_config.yml").symlink_to(ROOT / "_config.yml")
        toc = {
            "format": "jb-book",
            "root": names[0],
            "parts": [{"caption": "x", "chapters": [{"file": name} for name in names[1:]]}],
        }
        (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
        return folder

    return made
