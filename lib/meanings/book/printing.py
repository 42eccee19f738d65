"""The rendered pages as one PDF: put together to one document, which Chromium prints.

    cover and contents | each page of the book, from a new sheet on

Chromium is asked twice: the numbers in the contents come from the first copy's outline. What the
paper shows otherwise than the screen stands in book/_static/print.css.
"""

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from lxml import etree, html

from meanings.book.staging import pages
from meanings.core.errors import MeaningsError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
MARGIN = {"top": "18mm", "bottom": "18mm", "left": "17mm", "right": "17mm"}
FOOT = '<div style="font-size: 8px; width: 100%; text-align: center" class="pageNumber"></div>'
PAPER = 665  # CSS pixels between the margins of a sheet of A4
# Tables that are wider than the paper are made smaller.
FIT = """paper => document.querySelectorAll('table').forEach(table => {
  const ratio = (table.closest('article').clientWidth - 2) / table.scrollWidth;
  if (ratio < 1) table.style.zoom = ratio;
})"""
LEFT_OUT = (
    "script",
    "style",
    "a[contains(@class, 'headerlink')]",
    "button",
    "details[contains(@class, 'above-input')]",  # code that is folded away
    "footer",
)


def browser() -> str:
    """The path of a Chromium. Raises MeaningsError where there is none."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise MeaningsError(
        f"no Chromium on the path ({', '.join(BROWSERS)}): the PDF is printed with it; install "
        "Debian's package chromium, or Google Chrome"
    )


def print_book(root: Path, out: Path, report: Callable[[str], object] = print) -> Path:
    """Prints `root/_build/html` to `out`, a PDF with outline, contents and links; returns `out`.

    Raises MeaningsError where the book is not rendered, or neither Chromium nor Playwright is
    there.
    """
    folder = root / "_build" / "html"
    names = pages(root)
    missing = [name for name in names if not (folder / f"{name}.html").is_file()]
    if missing:
        raise MeaningsError(
            f"{folder}: no page {missing[0]}.html to print; render the book first with 'make book'"
        )
    program = browser()
    articles = {name: article(folder / f"{name}.html", names) for name in names}
    titles = {name: title(each) for name, each in articles.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = folder / ".book-in-one.html"  # beside the images and styles of the pages
    try:
        numbers: dict[str, int] = {}
        for attempt in ("printing", "printing again, with page numbers in the contents"):
            report(attempt)
            cover = contents(root, titles, numbers)
            text = document(articles, titles[names[0]], cover, styles(folder, names[0]))
            aside.write_text(text, encoding="utf-8")
            to_pdf(program, aside, out)
            numbers = numbers_of(out, titles)
        name_outline(out, list(headings(articles)))
    finally:
        aside.unlink(missing_ok=True)
    return out


def article(file: Path, names: Sequence[str]) -> etree._Element:
    """A page's text, without what only a screen has; its links lead into the one document."""
    (found,) = html.parse(str(file), html.HTMLParser(encoding="utf-8")).xpath(
        "//article[contains(@class, 'bd-article')]"
    )
    for kind in LEFT_OUT:
        for node in found.xpath(f".//{kind}"):
            node.drop_tree()
    for solution in found.xpath(".//details"):
        solution.set("open", "open")
    for node in found.xpath(".//*[@id]"):
        node.set("id", f"{file.stem}--{node.get('id')}")
    for link in found.xpath(".//a[@href]"):
        link.set("href", within(link.get("href"), file.stem, names))
    for image in found.xpath(".//img"):
        image.attrib.pop("loading", None)
    found.set("id", file.stem)
    return found


def within(link: str, page: str, names: Sequence[str]) -> str:
    """Where a page's link leads in the one document; links to other places stay as they are."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or (parts.path and not parts.path.endswith(".html")):
        return link
    target = Path(parts.path).stem if parts.path else page
    if target not in names:
        return link
    return f"#{target}--{parts.fragment}" if parts.fragment else f"#{target}"


def title(page: etree._Element) -> str:
    """A page's heading."""
    return " ".join(page.xpath(".//h1")[0].text_content().split())


def styles(folder: Path, root: str) -> list[str]:
    """The style sheets of the book's first page."""
    return html.parse(str(folder / f"{root}.html")).xpath("//link[@rel='stylesheet']/@href")


def contents(root: Path, titles: Mapping[str, str], numbers: Mapping[str, int]) -> str:
    """The cover with the table of contents, as HTML.

    - `numbers`: the sheet on which each page begins; nothing where they are not known yet.
    """
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    parts = [("", [toc["root"]])]
    parts += [(part["caption"], [one["file"] for one in part["chapters"]]) for part in toc["parts"]]
    lines = []
    for caption, names in parts:
        lines.append(f"<p class='part'>{escape(caption)}</p>" if caption else "")
        for name in names:
            link = f"<a href='#{name}'>{escape(titles[name])}</a>"
            lines.append(f"<p>{link} <span>{numbers.get(name, 0)}</span></p>")
    head = f"<p class='book-title'>{escape(config['title'])}</p><p>{escape(config['author'])}</p>"
    return f"<article class='bd-article cover'>{head}<nav>{''.join(lines)}</nav></article>"


def document(
    pages: Mapping[str, etree._Element], heading: str, cover: str, sheets: Sequence[str]
) -> str:
    """The whole book as one HTML document in the light theme."""
    links = "".join(f'<link rel="stylesheet" href="{escape(sheet)}">' for sheet in sheets)
    body = "".join(
        html.tostring(page, encoding="unicode", with_tail=False) for page in pages.values()
    )
    return (
        f'<!doctype html><html lang="en" data-theme="light" data-mode="light"><head>'
        f'<meta charset="utf-8"><title>{escape(heading)}</title>{links}</head>'
        f'<body class="in-one">{cover}{body}</body></html>'
    )


def to_pdf(program: str, page: Path, out: Path) -> None:
    """Prints an HTML file. Raises MeaningsError where Playwright is missing or does not start, and
    where Chromium fails.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise MeaningsError(
            "the package playwright drives Chromium and is missing: run 'make setup'"
        ) from None
    try:
        driver = sync_playwright().start()
    except Exception as error:  # Playwright has no kind of its own for this
        raise MeaningsError(
            f"playwright's driver does not start ({error}): its own line above says why; where it "
            "names libatomic.so.1, install libatomic1 (apt-get install libatomic1)"
        ) from None
    try:
        started = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        tab = started.new_page(viewport={"width": PAPER, "height": 900}, color_scheme="light")
        tab.set_default_timeout(0)  # a busy machine may take long
        tab.goto(page.resolve().as_uri(), wait_until="load")
        tab.emulate_media(media="print")
        tab.evaluate(FIT)
        tab.pdf(
            path=out,
            format="A4",
            margin=MARGIN,
            outline=True,
            tagged=True,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOT,
        )
        started.close()
    except Error as error:
        raise MeaningsError(f"{program} could not print the book: {error}") from None
    finally:
        driver.stop()


def headings(pages: Mapping[str, etree._Element]) -> Iterator[str]:
    """The text of all headings in the order of the book."""
    for page in pages.values():
        for node in page.xpath(".//h1|.//h2|.//h3|.//h4|.//h5|.//h6"):
            yield " ".join(node.text_content().split())


def name_outline(file: Path, names: Sequence[str]) -> None:
    """Names the entries of a PDF's outline by the headings from which Chromium made them: its own
    names repeat the words of each line.

    Raises MeaningsError where there are not as many entries as headings.
    """
    from pypdf import PdfWriter
    from pypdf.generic import NameObject, TextStringObject

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # Chromium counts objects otherwise
    writer = PdfWriter(clone_from=file)
    outline = writer.root_object.get("/Outlines")
    entries = list(below(outline.get_object())) if outline is not None else []
    if len(entries) != len(names):
        raise MeaningsError(
            f"{file}: Chromium wrote an outline of {len(entries)} entries for {len(names)} "
            "headings; update Chromium and run 'make pdf' again"
        )
    for entry, name in zip(entries, names, strict=True):
        entry[NameObject("/Title")] = TextStringObject(name)
    writer.write(file)


def below(entry: Mapping) -> Iterator[Mapping]:
    """The entries below one of a PDF's outline, in the order of the pages."""
    child = entry.get("/First")
    while child is not None:
        found = child.get_object()
        yield found
        yield from below(found)
        child = found.get("/Next")


def numbers_of(file: Path, titles: Mapping[str, str]) -> dict[str, int]:
    """By page, the sheet of the PDF on which it begins, counted from one: from the outline."""
    from pypdf import PdfReader

    reader = PdfReader(file)
    tops = [entry for entry in reader.outline if not isinstance(entry, list)]
    return {
        name: reader.get_destination_page_number(entry) + 1
        for name, entry in zip(titles, tops, strict=True)
    }
