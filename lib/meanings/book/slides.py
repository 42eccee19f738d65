"""The lecture's slides: `_build/slides/index.html`, made of the deck and the executed pages.

reveal.js comes with sphinx-revealjs; the slides fetch nothing.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from meanings.book import deck, staging
from meanings.book.staging import Report
from meanings.core.errors import MeaningsError
from meanings.validity.claims import catalogue

SIZE = (1280, 720)  # of a slide, in CSS pixels
REVEAL = {
    "width": SIZE[0],
    "height": SIZE[1],
    "margin": 0,
    "center": False,
    "controls": False,
    "hash": True,
    "transition": "none",
    "slideNumber": "c/t",
    "pdfSeparateFragments": False,
    "pdfMaxPagesPerSlide": 1,
    "scrollActivationWidth": None,
}
PLUGINS = {"notes": "RevealNotes", "zoom": "RevealZoom"}


def build_slides(root: Path, results: Path, report: Report = print) -> Path:
    """Fill and render the deck; the path of its first page.

    Executes the pages whose figures or values it shows, where they are stale. Raises MeaningsError
    where the book lacks what the deck shows.
    """
    text = source(root).read_text(encoding="utf-8")
    names = deck.pages_for(text, page_sources(root))
    pages = staging.executed_pages(root, results, report, names)
    material = deck.read_pages([page.target for page in pages if page.name in names])
    report("deciding the claims that the slides name")
    material.claims = catalogue.of_ids(deck.claims_in(text))
    report("rendering the slides")
    return render(text, material, root)


def check_packages() -> None:
    """Raises MeaningsError where sphinx-revealjs is not installed."""
    if find_spec("sphinx_revealjs") is None:
        raise MeaningsError(
            "sphinx-revealjs, which the slides need, is not installed here; run 'make setup'"
        )


def source(root: Path) -> Path:
    """The deck's text."""
    return root / "book" / "slides" / "deck.md"


def page_sources(root: Path) -> dict[str, str]:
    """The texts of the pages that have cells, in the order of the contents."""
    files = {name: root / "book" / f"{name}.md" for name in staging.pages(root)}
    return {
        name: file.read_text(encoding="utf-8")
        for name, file in files.items()
        if staging.is_notebook(file)
    }


def render(text: str, material: deck.Material, root: Path) -> Path:
    """The filled deck as `_build/slides/index.html`. What was there stays until the new slides are
    done. Raises MeaningsError with Sphinx's warnings.
    """
    build = root / "_build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build, prefix=".slides-") as aside:
        stage, html = Path(aside) / "stage", Path(aside) / "html"
        (stage / "figures").mkdir(parents=True)
        (stage / "index.md").write_text(deck.filled(text, material), encoding="utf-8")
        (stage / "conf.py").write_text(configuration(root), encoding="utf-8")
        for name in set(deck.FIGURE.findall(text)):
            (stage / "figures" / f"{name}.png").write_bytes(material.figures[name].png)
        run_sphinx(stage, html)
        shutil.rmtree(build / "slides", ignore_errors=True)
        os.replace(html, build / "slides")
    return build / "slides" / "index.html"


def configuration(root: Path) -> str:
    """Sphinx's conf.py of the slides."""
    plugins = [
        {"name": name, "src": f"revealjs/plugin/{folder}/{folder}.js"}
        for folder, name in PLUGINS.items()
    ]
    values = {
        "project": "When Meanings Meet",
        "language": "en",
        "extensions": ["myst_parser", "sphinx_revealjs"],
        "myst_enable_extensions": ["colon_fence"],
        "html_copy_source": False,
        "revealjs_static_path": [str(root / "book" / "slides" / "static")],
        "revealjs_style_theme": "white",
        "revealjs_css_files": ["slides.css"],
        "revealjs_script_conf": json.dumps(REVEAL),
        "revealjs_script_plugins": plugins,
    }
    return "".join(f"{name} = {value!r}\n" for name, value in values.items())


def run_sphinx(stage: Path, html: Path) -> None:
    """Sphinx over a stage, warnings as errors. Raises MeaningsError with the warnings."""
    command = [sys.executable, "-m", "sphinx", "-b", "revealjs", "-W", "--keep-going", "-q"]
    command += ["-d", str(stage.parent / "doctrees"), str(stage), str(html)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONWARNINGS": "ignore"}
    )
    if done.returncode:
        said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
        lines = [line for line in said.splitlines() if re.search(r"WARNING|ERROR|Error", line)]
        raise MeaningsError(
            "the slides do not render: " + " | ".join(lines[:10] or [done.stderr[-500:]])
        )
