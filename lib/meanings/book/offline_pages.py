"""A Sphinx extension: pages that need nothing from elsewhere.

Formulas become MathML while the book is built, which browsers draw themselves, without a script or
a font. The scripts of sphinx-thebe, which Jupyter Book always adds (twice) and which would load
code from a server, are taken out.
"""

from docutils import nodes
from latex2mathml.converter import convert


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


def _content(file) -> str:
    return (
        f"{getattr(file, 'filename', '') or ''} {getattr(file, 'attributes', {}).get('body', '')}"
    )


def setup(app) -> dict[str, bool]:
    """Registers the renderer under the name `mathml` (`html_math_renderer`)."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(inline, None), block_renderers=(block, None)
    )
    app.connect("html-page-context", without_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
