"""The book as one document, and what is said where it cannot be printed."""

import pytest
from pypdf import PdfReader, PdfWriter

from meanings.book import printing
from meanings.core.errors import MeaningsError

PAGE = """<html><head><link rel="stylesheet" href="_static/x.css"></head><body><nav>menu</nav>
<article class="bd-article"><section id="{name}">
<h1>{title}<a class="headerlink" href="#{name}">#</a></h1>
<p>Text, {link}.</p><details class="admonition hide above-input"><p>code</p></details>
<details class="sd-dropdown"><summary>Solution</summary><p>because</p></details>
<script>x</script></section></article></body></html>"""
LINKS = {
    "index": '<a href="method.html#a">a</a> <a href="method.html">m</a> '
    '<a href="search.html">s</a>',
    "method": '<a id="a" href="#method">up</a> <a href="https://x.org/y.html">web</a> '
    '<a href="_images/p.png">p</a>',
}


@pytest.fixture
def root(tmp_path):
    """A project folder of two rendered pages."""
    folder = tmp_path / "_build" / "html"
    folder.mkdir(parents=True)
    (tmp_path / "_config.yml").write_text("{title: The <book>, author: Us}")
    (tmp_path / "_toc.yml").write_text(
        "{root: index, parts: [{caption: Part, chapters: [{file: method}]}]}"
    )
    for name, link in LINKS.items():
        page = PAGE.format(name=name, title=name.title(), link=link)
        (folder / f"{name}.html").write_text(page)
    return tmp_path


def test_without_chromium_the_error_names_the_package(root, monkeypatch):
    monkeypatch.setattr(printing.shutil, "which", lambda name: None)
    with pytest.raises(MeaningsError, match="no Chromium on the path .* package chromium") as said:
        printing.print_book(root, root / "book.pdf", report=list)
    assert "\n" not in str(said.value) and not list(root.rglob("*.pdf"))


def test_a_book_that_is_not_rendered_is_not_printed(root):
    (root / "_build" / "html" / "method.html").unlink()
    with pytest.raises(MeaningsError, match=r"no page method.html to print; .* 'make book'"):
        printing.print_book(root, root / "book.pdf", report=list)


def test_the_pages_are_put_together_with_links_that_lead_into_one_document(root, monkeypatch):
    seen = []

    def printed(program, page, out):
        seen.append(page.read_text(encoding="utf-8"))
        writer = PdfWriter()
        for number, name in enumerate(("IndexIndex", "MethodMethod")):
            writer.add_blank_page(10, 10)
            writer.add_blank_page(10, 10)
            writer.add_outline_item(title=name, page_number=1 + 2 * number)
        writer.write(out)

    monkeypatch.setattr(printing, "browser", lambda: "chromium")
    monkeypatch.setattr(printing, "to_pdf", printed)
    out = printing.print_book(root, root / "there" / "book.pdf", report=list)
    first, second = seen
    assert [entry.title for entry in PdfReader(out).outline] == ["Index", "Method"]
    assert "Method</a> <span>0</span>" in first and "Method</a> <span>4</span>" in second
    for link in ("#method--a", "#method", "search.html", "#method--method", "_images/p.png"):
        assert f'href="{link}"' in second
    assert 'href="https://x.org/y.html"' in second and 'href="_static/x.css"' in second
    assert 'id="method--a"' in second and '<article class="bd-article" id="method">' in second
    for gone in ("menu", "headerlink", ">code<", "<script"):
        assert gone not in second
    assert second.count('class="sd-dropdown" open="open"') == 2 and "The &lt;book&gt;" in second
    assert not list((root / "_build" / "html").glob("*one*"))


def test_an_outline_of_other_headings_is_an_error(tmp_path):
    writer = PdfWriter()
    writer.add_blank_page(10, 10)
    writer.add_outline_item(title="x", page_number=0)
    writer.write(tmp_path / "book.pdf")
    with pytest.raises(MeaningsError, match="outline of 1 entries for 2 headings"):
        printing.name_outline(tmp_path / "book.pdf", ["x", "y"])


def test_a_driver_that_does_not_start_is_one_line(tmp_path, monkeypatch):
    class Broken:
        def start(self):
            raise Exception("Connection closed while reading from the driver")

    monkeypatch.setattr("playwright.sync_api.sync_playwright", Broken)
    with pytest.raises(MeaningsError, match="driver does not start .* install libatomic1") as said:
        printing.to_pdf("chromium", tmp_path / "page.html", tmp_path / "book.pdf")
    assert "\n" not in str(said.value)


def test_a_browser_that_fails_is_one_line(tmp_path):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(
        MeaningsError, match="could not print the book|driver does not start"
    ) as said:
        printing.to_pdf(str(broken), tmp_path / "page.html", tmp_path / "book.pdf")
    assert "\n" not in str(said.value)
