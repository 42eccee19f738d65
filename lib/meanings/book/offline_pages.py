"""A Sphinx extension: pages that need nothing from elsewhere.

Formulas become MathML while the book is built, which browsers draw themselves, without a script or
a font. The scripts of sphinx-thebe, which Jupyter Book always adds (twice) and which would load
code from a server, are taken out, and so are roles that screen readers reject.
"""

from docutils import nodes
from latex2mathml.converter import convert

# A page that was opened as a file may not read others for the excerpts of search results.
WITHOUT_EXCERPTS = (
    'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
)


def inline(self, node: nodes.math) -> None:
    """A formula in a line of text."""
    self.body.append(f'<span class="math">{convert(node.astext())}</span>')
    raise nodes.SkipNode


def block(self, node: nodes.math_block) -> None:
    """A formula on a line of its own; wide ones scroll, so that a phone shows the rest of the page
    unharmed.
    """
    formula = convert(node.astext(), display="block")
    self.body.append(f'<div class="math-block" tabindex="0">{formula}</div>\n')
    raise nodes.SkipNode


def without_thebe(app, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Drops sphinx-thebe's scripts and styles from a page."""
    for name in ("script_files", "css_files"):
        context[name] = [
            file for file in context.get(name, []) if "thebe" not in _content(file).lower()
        ]


def without_old_roles(app, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Drops roles of the bibliography that ARIA has given up, and that screen readers reject."""
    for old, new in (
        (' role="doc-biblioentry"', ""),
        ('<div role="list" class="citation-list">', '<div class="citation-list">'),
    ):
        context["body"] = context.get("body", "").replace(old, new)


def _content(file) -> str:
    return (
        f"{getattr(file, 'filename', '') or ''} {getattr(file, 'attributes', {}).get('body', '')}"
    )


def setup(app) -> dict[str, bool]:
    """Registers the renderer under the name `mathml` (`html_math_renderer`)."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(inline, None), block_renderers=(block, None)
    )
    app.add_js_file(None, body=WITHOUT_EXCERPTS, priority=250)  # after the options, before search
    app.connect("html-page-context", without_thebe, priority=900)
    app.connect("html-page-context", without_old_roles, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
