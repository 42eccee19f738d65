"""The glossary: its terms, its example prompts, and the links from a page's first use of a term."""

import re
from pathlib import Path

import pytest
import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace, patch_docutils
from transformers import AutoTokenizer

from meanings.book import glossary_links, rendering, staging
from meanings.core.paths import data_folder
from meanings.lexicon.languages import LanguagePair
from meanings.lexicon.lexicon import load_lexicon
from meanings.models.trajectories import read_trajectory, seen_languages
from meanings.patching.conditions import CONDITIONS, CONTROLS, condition
from meanings.prompts.concept_pair import ConceptPair
from meanings.prompts.prompt import translation_prompt

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
# Each block of a glossary: lines of terms, then indented lines.
ENTRIES = {
    name: block
    for listing in re.findall(r"^```\{glossary\}\n(.*?)^```$", GLOSSARY, re.M | re.S)
    for block in re.split(r"\n\n(?=\S)", listing)
    for name in re.findall(r"^\S.*$", block, re.M)
}
PAIR = LanguagePair("fr", "es")
CONCEPTS = ConceptPair("cat", "house", "tree", ("dog", "sun"), ("water", "moon"))
EXAMPLES = [*CONDITIONS, *CONTROLS, "from_ru", "null_from_ru"]
ASKED_FOR = """ceiling, residual stream, hidden state, attention, bootstrap, permutation test,
permutation null, shared concept space, concept vector, query word, few-shot example, chance level,
random seed, training seed, prompt seed, onset, null, interval, direct score, P(source concept),
CKA, RSA, CSLS, InfoNCE, retrieval, language identity, in-bias, cell, label, floor""".split(",")


@pytest.mark.parametrize("term", [" ".join(term.split()) for term in ASKED_FOR])
def test_the_glossary_has_the_books_terms(term):
    assert term in ENTRIES


def test_terms_are_in_order():
    listing = GLOSSARY.split("(conditions)=")[0]
    heads = re.findall(r"(?<=\n\n)\S.*(?=\n(?:\S.*\n)*  )", listing)
    keys = [re.sub(r"[^a-z@]", "", name.lower()) for name in heads if name[0] not in "`#"]
    assert len(keys) > 60 and keys == sorted(keys)


@pytest.fixture(scope="module")
def prompts():
    """A function that gives a concept's prompt in a language pair, with two few-shot examples."""
    lexicon = load_lexicon("embedded")
    tokenizer = AutoTokenizer.from_pretrained(data_folder() / "miniature" / "seed-0" / "tokenizer")

    def written(pair: LanguagePair, concept: str, shots) -> tuple[str, str]:
        text = translation_prompt(lexicon, tokenizer, pair, concept, shots).text
        word = lexicon.word(concept, pair.input)
        return text, text[: text.rindex(f'"{word}"') + 1 + len(word)]

    return written


def shown(text: str) -> str:
    """Example prompts of a text, without their indentation."""
    found = [line.strip() for line in text.splitlines() if re.match(r"\s*\w+: \"", line)]
    return "\n".join(found)


def test_the_target_prompt_is_in_the_template_of_the_study(prompts):
    whole, _ = prompts(PAIR, CONCEPTS.target, CONCEPTS.target_shots)
    assert shown(GLOSSARY).startswith(whole.strip())


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_condition_has_an_example_in_the_template_of_the_study(prompts, name):
    run = read_trajectory(data_folder() / "miniature" / "seed-0" / "trajectory.json")
    entry, text = condition(name), shown(ENTRIES[f"`{name}`"])
    pairs = entry.source_pairs(PAIR, seen_languages(run, load_lexicon("embedded")))
    written = [
        prompts(pair, entry.concept_of(CONCEPTS), entry.shots_of(CONCEPTS)) for pair in pairs
    ]
    assert text in [(cut if entry.patched else whole).strip() for whole, cut in written]


def test_everyday_words_are_terms():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]
    assert "meanings.book.glossary_links" in config["extra_extensions"]
    assert set(config["config"]["glossary_everyday"]) <= set(ENTRIES)


# --- Links --------------------------------------------------------------------------------------

TERMS = """---
orphan: true
---
# Words

```{glossary}
concept
  What words of languages have in common: a {term}`null` has none. It is long.

concept vector
  A vector of a concept.

query word
  A word that is asked for: query words are terms.

null
  Nothing.

cell
  A unit.

`seen`
other-language mean
  Other languages.
```
"""
PAGE = """# A concept vector

BEFORE

## Null

Two *concept
vectors* of a concept, and more CONCEPTS with concept vectors. A [concept](words.md) is `seen`, the
other-language mean, `seen` again. Query-word and query words; preconcepts. A cell, and a
{term}`cell`; a null.

> More null and query word.
"""
KEPT = """`concept` and seen, $concept$, and a [concept](words.md), <a href="x">null.csv</a>.

| concept |
| --- |
| query word |

```
concept vector
```

```{figure} figure.png
:alt: concept
A concept.
```
"""


def build(folder: Path, everyday=("cell",), **pages: str) -> dict[str, str]:
    """The HTML of pages by their names, rendered with the links."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "figure.png").write_bytes(b"")
    for name, text in pages.items():
        staging.write(source / f"{name}.md", text)  # what has not changed is not read again
    overrides = {
        "extensions": ["myst_parser", "meanings.book.glossary_links"],
        "myst_enable_extensions": ["dollarmath"],
        "root_doc": "page",
        "glossary_everyday": list(everyday),
        "html_theme": "basic",
    }
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            str(source),
            None,
            str(folder / "html"),
            str(folder / "trees"),
            "html",
            confoverrides=overrides,
            status=None,
            warningiserror=True,
        )
        app.build()
    return {name: (folder / "html" / f"{name}.html").read_text("utf-8") for name in pages}


def links(html: str) -> list[tuple[str, str, str]]:
    """Target, tooltip and text of a page's quiet links."""
    found = re.findall(
        r"<a class=\"([^\"]*)\" href=\"([^\"]*)\" title=\"(.*?)\">(.*?)</a>", html, re.S
    )
    return [
        (target, tip, " ".join(re.sub("<[^>]*>", "", text).split()))
        for classes, target, tip, text in found
        if glossary_links.QUIET in classes
    ]


def test_the_first_use_of_a_term_links_to_it_and_no_other(tmp_path):
    made = build(tmp_path, words=TERMS, page=PAGE.replace("BEFORE", KEPT))
    assert links(made["page"]) == [
        ("words.html#term-concept-vector", "A vector of a concept.", "concept vectors"),
        (
            "words.html#term-concept",
            "What words of languages have in common: a null has none. It is long.",
            "concept",
        ),
        ("words.html#term-seen", "Other languages.", "seen"),
        (
            "words.html#term-query-word",
            "A word that is asked for: query words are terms.",
            "query words",
        ),
        ("words.html#term-null", "Nothing.", "null"),
    ]
    assert '<em><a class="glossary-link' in made["page"]
    assert made["page"].count('href="words.html#term-cell"') == 1


def test_definitions_link_to_other_terms_and_not_to_their_own(tmp_path):
    made = build(tmp_path, words=TERMS, page="# Page\n")
    assert [(target, text) for target, _, text in links(made["words"])] == [
        ("#term-concept", "concept")
    ]


def test_a_change_of_the_glossary_changes_pages_that_stay(tmp_path):
    # The root page is always written again.
    pages = {"page": "# Page\n", "other": "---\norphan: true\n---\n# Other\n\nA query word.\n"}
    build(tmp_path, words=TERMS, **pages)
    changed = TERMS.replace("A word that is asked for: query words are terms.", "Asked for.")
    made = build(tmp_path, words=changed, **pages)
    assert [tip for _, tip, _ in links(made["other"])] == ["Asked for."]


def test_an_everyday_word_that_is_no_term_is_said(tmp_path):
    with pytest.raises(ExtensionError, match="glossary_everyday in _config.yml: moon is no term"):
        build(tmp_path, everyday=["cell", "moon"], words=TERMS, page="# Page\n")


@pytest.mark.parametrize(
    ("words", "forms"),
    [
        ("query word", ("query word", "query words")),
        ("trajectory", ("trajectory", "trajectories")),
        ("in-bias", ("in-bias", "in-biases")),
        ("loss", ("loss", "losses")),
        ("day", ("day", "days")),
    ],
)
def test_a_term_is_known_in_the_plural(words, forms):
    assert glossary_links.forms(words) == forms


def test_a_long_definition_is_cut_at_a_sentence():
    def tip(text):
        paragraph = nodes.paragraph("", text)
        return glossary_links.tip_of(
            nodes.definition_list_item("", nodes.term("", "x"), nodes.definition("", paragraph))
        )

    assert tip("Short. And whole.") == "Short. And whole."
    assert tip("One. " + "Two three four. " * 30) == ("One. " + "Two three four. " * 17).strip()
    cut = tip("word " * 100)
    assert cut.endswith("word …") and len(cut) <= glossary_links.LONGEST_TIP + 2


def test_what_the_links_are_made_of_decides_what_is_rendered(tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text("# Page\n")
    before = rendering.stage_hash(tmp_path)
    extension = tmp_path / "elsewhere" / "rendering.py"
    extension.parent.mkdir()
    for name in ("offline_pages.py", "glossary_links.py"):
        (extension.parent / name).write_text("x")
    monkeypatch.setattr(rendering, "__file__", str(extension))
    assert rendering.stage_hash(tmp_path) != before


def test_the_search_knows_the_terms_after_another_page_has_changed(tmp_path):
    pages = {"page": "# Page\n", "other": "---\norphan: true\n---\n# Other\n"}
    index = tmp_path / "html" / "searchindex.js"
    build(tmp_path, words=TERMS, **pages)
    assert "concept vector" in index.read_text("utf-8")
    build(tmp_path, words=TERMS, page=pages["page"], other=pages["other"] + "\nMore.\n")
    assert "More" not in TERMS and "concept vector" in index.read_text("utf-8")
