"""What is executed again, and how links are turned."""

import shutil
from fnmatch import fnmatch
from pathlib import Path

import pytest

from meanings.book import build, inputs, notebooks, staging
from meanings.core.errors import MeaningsError
from meanings.measures.cell_files import finished

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "data"
NOTEBOOKS = [
    name for name in staging.pages(ROOT) if staging.is_notebook(ROOT / "book" / f"{name}.md")
]


def test_an_unchanged_page_is_not_executed_again(make_root, tmp_path, monkeypatch):
    root, results = make_root(tmp_path, "rerun", "glossary"), tmp_path / "results"
    done = []
    monkeypatch.setattr(
        notebooks,
        "execute",
        lambda source, parameters, target, root: (
            done.append(source.stem),
            target.parent.mkdir(parents=True, exist_ok=True),
            target.write_text("{}"),
        ),
    )
    staging.stage(root, results, report=lambda text: None)
    staging.stage(root, results, report=lambda text: None)
    assert done == ["rerun"]
    (root / "book" / "rerun.md").unlink()
    (root / "book" / "rerun.md").write_text((ROOT / "book" / "rerun.md").read_text() + "\nMore.\n")
    staging.stage(root, results, report=lambda text: None)
    assert done == ["rerun", "rerun"]


def test_links_to_pages_that_are_not_there_become_words():
    text = '["a", "[Method](method.md), [x](glossary.md) and [y](index.md#z)"]'
    assert staging.unlink(text, ["index", "method"]) == '["a", "Method, [x](glossary.md) and y"]'


def test_links_to_executed_pages_are_turned_and_others_kept():
    text = "[a](method.md), [b](glossary.md#term) and [c](method.md#x)"
    assert (
        staging.relink(text, ["method"])
        == "[a](method.ipynb), [b](glossary.md#term) and [c](method.ipynb#x)"
    )


def test_a_page_says_what_it_reads(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("---\nkernelspec: {}\n---\n# Page\n")
    with pytest.raises(MeaningsError, match="does not say what it reads"):
        inputs.declared(page)
    page.write_text("---\nreads: [/etc/passwd]\n---\n# Page\n")
    with pytest.raises(MeaningsError, match="reads '/etc/passwd'; expected"):
        inputs.declared(page)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_everything_that_a_page_says_it_reads_is_there(name, monkeypatch):
    monkeypatch.setenv("MEANINGS_DATA", str(SHIPPED))
    for entry in inputs.declared(ROOT / "book" / f"{name}.md"):
        assert entry == "results" or inputs.files(entry, ROOT), entry


@pytest.fixture(scope="module")
def world(tmp_path_factory, make_root):
    """A whole book with data and results of its own: root and results; files may be changed.

    Of each file of data the first bytes: what is tested is whether a change is noticed.
    """
    folder = tmp_path_factory.mktemp("world")
    root = make_root(folder / "root", *staging.pages(ROOT))
    for entry in (root / "book").iterdir():
        source = entry.resolve()
        entry.unlink()
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, entry)
    data = folder / "data"
    for page in NOTEBOOKS:
        for entry in inputs.declared(ROOT / "book" / f"{page}.md"):
            for file in SHIPPED.glob(entry.removeprefix("data/")):
                copied = data / file.relative_to(SHIPPED)
                copied.parent.mkdir(parents=True, exist_ok=True)
                with file.open("rb") as whole:
                    copied.write_bytes(whole.read(1000))
    for step in (SHIPPED / "miniature" / "seed-0").glob("step-*"):
        (data / "miniature" / "seed-0" / step.name).mkdir(exist_ok=True)
    (folder / "results" / "ab").mkdir(parents=True)
    (folder / "results" / "ab" / ("ab" + "0" * 62 + ".parquet")).write_bytes(b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEANINGS_DATA", str(data))
        yield root, data, folder / "results"


def hashes(root: Path, results: Path) -> dict[str, str]:
    """Each page's hash, by name."""
    cells = finished(results)
    return {
        name: inputs.page_hash(root / "book" / f"{name}.md", {}, root, cells) for name in NOTEBOOKS
    }


def readers(*entries: str) -> set[str]:
    """The pages that declare one of these."""
    return {
        name
        for name in NOTEBOOKS
        if any(
            fnmatch(entry, declared) or entry == declared
            for entry in entries
            for declared in inputs.declared(ROOT / "book" / f"{name}.md")
        )
    }


@pytest.mark.parametrize(
    "entry",
    [
        "data/lexicon/lexicon.csv",
        "data/lexicon/relations.csv",
        "data/annotation/gold/*.csv",
        "data/miniature/mix.yaml",
        "data/miniature/variants.csv",
        "data/miniature/seed-*/trajectory.json",
        "data/miniature/seed-0/tokenizer/*",
        "data/published/miniature.parquet",
        "data/published/reach.csv",
        "book/parameters/emergence.yaml",
        "results",
    ],
)
def test_a_change_of_what_is_read_makes_its_readers_stale_and_no_other_page(world, entry):
    root, _, results = world
    before = hashes(root, results)
    assert before == hashes(root, results)
    if entry == "results":
        (results / "ab" / ("ab" + "1" * 62 + ".parquet")).write_bytes(b"")
    else:
        file = inputs.files(entry, root)[0]
        file.write_bytes(file.read_bytes() + b"\n")
    after = hashes(root, results)
    assert {name for name in before if before[name] != after[name]} == readers(entry) != set()


def test_the_library_and_its_tables_make_every_page_stale(world, monkeypatch, tmp_path):
    root, _, results = world
    before, listed = hashes(root, results), inputs.library_files()
    assert {file.suffix for file in listed} == {".py", ".yaml"}
    for suffix in (".py", ".yaml"):
        changed = tmp_path / f"changed{suffix}"
        changed.write_text("new")
        monkeypatch.setattr(inputs, "library_files", lambda changed=changed: [*listed, changed])
        inputs._library.cache_clear()
        after = hashes(root, results)
        assert all(before[name] != after[name] for name in NOTEBOOKS)
    inputs._library.cache_clear()


def test_a_lexicon_of_ones_own_counts_as_read(world, tmp_path):
    root, _, _ = world
    own, source = tmp_path / "words.csv", root / "book" / "rerun.md"
    found = []
    for text in ("a", "b"):
        own.write_text(text)
        found.append(inputs.page_hash(source, {"lexicon": str(own)}, root, ()))
    assert found[0] != found[1]


def test_what_is_rendered_already_is_not_rendered_again(make_root, tmp_path, monkeypatch):
    root, rendered = make_root(tmp_path, "glossary", "references"), []

    def render(folder, output, report):
        rendered.append(folder)
        (output / "_build" / "html").mkdir(parents=True, exist_ok=True)
        (output / "_build" / "html" / "index.html").write_text("x")
        return output / "_build" / "html"

    monkeypatch.setattr(build.rendering, "render", render)
    for _ in range(2):
        page = build.build_book(root, tmp_path / "results", report=list)
        assert page.is_file() and len(rendered) == 1
    (root / "book" / "glossary.md").unlink()
    (root / "book" / "glossary.md").write_text("# Glossary\n")
    build.build_book(root, tmp_path / "results", report=list)
    assert len(rendered) == 2
    page.unlink()
    build.build_book(root, tmp_path / "results", report=list)
    assert len(rendered) == 3
