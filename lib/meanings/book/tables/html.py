"""How tables are written on a page: whole texts, escaped, one header line, in a box of their own
that scrolls.
"""

import pandas as pd

LONG = 30  # letters: a longer row's name or first cell is prose, and wraps


def to_html(table: pd.DataFrame) -> str:
    """HTML of a table; what the model wrote cannot become markup."""
    corner = " / ".join(str(name) for name in [*table.index.names, table.columns.name] if name)
    named = table.rename_axis(index=[None] * table.index.nlevels, columns=corner or None)
    texts = [*table.index, *(table.iloc[:, 0] if table.shape[1] else ())]
    long = any(isinstance(text, str) and len(text) > LONG for text in texts)
    classes = "book-table book-table-prose" if long else "book-table"
    with pd.option_context("display.max_colwidth", None):
        body = named.to_html(escape=True, border=0, na_rep="", justify="left", classes=classes)
    return f'<div class="table-box" tabindex="0">{body}</div>'


def install() -> None:
    """Makes notebooks show data frames by `to_html`; without a notebook nothing is done."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, to_html)
