"""A Sphinx extension: the first use of each glossary term in a page's running text links to it.

Words link in any case and in the plural; terms that the glossary writes as code (`seen`) link only
where a page writes them as code. Headings, links, tables, captions, formulas and what a cell
printed stay as they are. Terms that are everyday words too (`glossary_everyday` in _config.yml)
link only where a page asks for it: {term}`cell`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

from meanings.core.errors import MeaningsError

QUIET = "glossary-link"  # class of the links, for the style sheet
LONGEST_TIP = 280  # characters of a definition that a link's tooltip shows
# Kinds of nodes, and classes of containers, in which nothing is linked.
KEPT_NODES = frozenset(
    "title rubric term reference pending_xref caption legend figure table image raw math "
    "math_block literal_block doctest_block citation dropdown_title glossary topic".split()
)
KEPT_CLASSES = frozenset(("cell_input", "cell_output", "sd-summary-title", "bibliography"))


@dataclass(frozen=True)
class Term:
    """An entry of the glossary.

    - `page`, `anchor`: where its definition stands.
    - `tip`: the beginning of the definition, as plain text.
    """

    page: str
    anchor: str
    tip: str


@dataclass(frozen=True)
class Glossary:
    """Terms by what a page may write: words in lower case with single spaces, and code as it is."""

    words: Mapping[str, Term]
    codes: Mapping[str, Term]


def glossary_of(documents: Mapping[str, nodes.document], everyday: Collection[str]) -> Glossary:
    """The glossary of the documents, by their names, without its `everyday` terms.

    Raises MeaningsError where the glossary has no such term.
    """
    words: dict[str, Term] = {}
    codes: dict[str, Term] = {}
    left_out = set()
    for page, document in documents.items():
        for item in entries(document):
            names = list(item.findall(nodes.term))
            term = Term(page, names[0]["ids"][0], tip_of(item))
            for name in names:
                text = " ".join(name.astext().split())
                if text in everyday:
                    left_out.add(text)
                elif name.next_node(nodes.literal):
                    codes[text] = term
                else:
                    words |= dict.fromkeys(forms(text.lower()), term) | words
    if documents and (unknown := sorted(set(everyday) - left_out)):
        raise MeaningsError(
            f"glossary_everyday in _config.yml: {', '.join(unknown)} is no term of the glossary; "
            "correct it or take it out"
        )
    return Glossary(words, codes)


def entries(document: nodes.document) -> Iterator[nodes.definition_list_item]:
    """The entries of a page's glossaries: terms with their definition."""
    for glossary in document.findall(addnodes.glossary):
        yield from glossary.findall(nodes.definition_list_item)


def forms(words: str) -> tuple[str, ...]:
    """Singular and plural."""
    if re.search("[^aeiou]y$", words):
        return words, f"{words[:-1]}ies"
    return words, words + ("es" if re.search("(s|x|ch|sh)$", words) else "s")


def tip_of(item: nodes.definition_list_item) -> str:
    """The first sentences of a definition, as many as a tooltip shows."""
    paragraph = item.next_node(nodes.definition).next_node(nodes.paragraph)
    text = " ".join(paragraph.astext().split())
    if len(text) <= LONGEST_TIP:
        return text
    whole = [found.end() for found in re.finditer(r"[.?!](?=\s)", text[:LONGEST_TIP])]
    return text[: whole[-1]] if whole else f"{text[:LONGEST_TIP].rsplit(' ', 1)[0]} …"


def matcher(words: Collection[str]) -> re.Pattern[str]:
    """Finds the words in running text, the longest first, as whole words."""
    ordered = sorted(words, key=len, reverse=True)
    either = "|".join(r"\s+".join(map(re.escape, each.split())) for each in ordered)
    return re.compile(rf"(?<![\w-])(?:{either or '(?!)'})(?![\w-])", re.IGNORECASE)


def is_running(node: nodes.Node, scope: nodes.Node) -> bool:
    """Whether a node stands in the running text of a page, or of the definition `scope`."""
    if in_html_link(node):
        return False
    while (node := node.parent) is not None and node is not scope:
        kept = KEPT_CLASSES.intersection(node.get("classes", ()))
        if kept or node.tagname in KEPT_NODES:
            return False
    return True


def in_html_link(node: nodes.Node) -> bool:
    """Whether a node stands between `<a ...>` and `</a>` that were written as HTML."""
    inside = False
    for child in node.parent.children:
        if child is node:
            break
        if isinstance(child, nodes.raw):
            inside = child.astext().startswith("<a ") or (inside and child.astext() != "</a>")
    return inside


def pieces(
    scope: nodes.Element, glossary: Glossary, known: Collection[str] = ()
) -> Iterator[tuple[nodes.Node, list[tuple[str, Term | None]]]]:
    """What to link: each node with its text in pieces, those of a term with the term.

    - `known`: anchors of terms that need no link.
    """
    met, words = set(known), matcher(glossary.words)
    join_lines(scope)
    for node in list(scope.findall()):
        if isinstance(node, nodes.literal):
            term = glossary.codes.get(node.astext())
            if term and term.anchor not in met and is_running(node, scope):
                met.add(term.anchor)
                yield node, [(node.astext(), term)]
        elif isinstance(node, nodes.Text) and not isinstance(node.parent, nodes.literal):
            text, found, end = node.astext(), [], 0
            for match in words.finditer(text):
                term = glossary.words[" ".join(match[0].lower().split())]
                if term.anchor in met or not is_running(node, scope):
                    continue
                met.add(term.anchor)
                found += [(text[end : match.start()], None), (match[0], term)]
                end = match.end()
            if found:
                yield node, [*found, (text[end:], None)]


def join_lines(scope: nodes.Element) -> None:
    """Makes one text of what a line break in the source had parted, so that terms are found."""
    for parent in list(scope.findall(nodes.TextElement)):
        joined: list[nodes.Node] = []
        for child in parent.children:
            if isinstance(child, nodes.Text) and joined and isinstance(joined[-1], nodes.Text):
                joined[-1] = nodes.Text(joined[-1] + child)
            else:
                joined.append(child)
        if len(joined) < len(parent.children):
            parent[:] = joined


def linked_already(document: nodes.document) -> set[str]:
    """Anchors of the terms to which a page links by itself."""
    found = set()
    for reference in document.findall(nodes.reference):
        inside = reference.next_node(nodes.Element)
        if inside is not None and "std-term" in inside.get("classes", ()):
            found.add(reference.get("refid") or reference.get("refuri", "").partition("#")[2])
    return found


class GlossaryLinks(SphinxPostTransform):
    """Links the first use of each term on a page; in the glossary, in each definition."""

    default_priority = 500  # references are resolved, folded solutions are built
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Put the links into the page."""
        glossary = self.env.meanings_glossary
        done = list(pieces(self.document, glossary, linked_already(self.document)))
        for item in entries(self.document):
            own = {place for name in item.findall(nodes.term) for place in name["ids"]}
            for definition in item.findall(nodes.definition):
                done += pieces(definition, glossary, own)
        for node, parts in done:
            node.parent.replace(node, [self.link(node, *part) for part in parts if part[0]])

    def link(self, node: nodes.Node, text: str, term: Term | None) -> nodes.Node:
        """A piece of a node's text, as a link where it is a term."""
        if term is None:
            return nodes.Text(text)
        shown = node.deepcopy() if isinstance(node, nodes.literal) else nodes.Text(text)
        builder, page = self.app.builder, self.env.docname
        link = make_refnode(builder, page, term.page, term.anchor, shown, term.tip)
        link["classes"].append(QUIET)
        return link


def read_glossary(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Keeps the glossary; the pages to write again: all, where it is another than before."""
    found = env.get_domain("std").get_objects()
    places = sorted({page for _, _, kind, page, _, _ in found if kind == "term"})
    documents = {page: env.get_doctree(page) for page in places}
    now = glossary_of(documents, app.config.glossary_everyday)
    changed = getattr(env, "meanings_glossary", None) != now
    env.meanings_glossary = now
    return sorted(env.found_docs) if changed else []


def glossary_again(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Reads pages with terms in every build: the search index that Sphinx loads from an earlier one
    has lost their entries, and the search would no longer find a term.
    """
    objects = env.get_domain("std").get_objects()
    return sorted({page for _, _, kind, page, _, _ in objects if kind == "term"} - removed)


def setup(app: Sphinx) -> dict[str, object]:
    """Registers the links and `glossary_everyday`, a list of terms."""
    app.add_config_value("glossary_everyday", [], "env", types=[list])
    app.connect("env-get-outdated", glossary_again)
    app.connect("env-updated", read_glossary)
    app.add_post_transform(GlossaryLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
