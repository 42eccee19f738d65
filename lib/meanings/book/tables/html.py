"""How tables are written on a page: whole texts, escaped, one header line, in a box of their own
that scrolls.
"""

import re

import pandas as pd

# Cells of whole sentences, which the style sheet gives a width that can be read.
LONG = re.compile(r"<(t[dh])>([^<]{30,})</\1>")
# A number that rounds to zero has no sign.
NEGATIVE_ZERO = re.compile(r">-(?=0(\.0*)?<)")
# An interval, whose two ends stay on one line.
INTERVAL = re.compile(r"(\[[-+]?[\d.]+[kMB]?), ([-+]?[\d.]+[kMB]?\])")


def to_html(table: pd.DataFrame) -> str:
    """HTML of a table; what the model wrote cannot become markup."""
    corner = " / ".join(str(name) for name in [*table.index.names, table.columns.name] if name)
    named = table.rename_axis(index=[None] * table.index.nlevels, columns=corner or None)
    with pd.option_context("display.max_colwidth", None):
        body = named.to_html(escape=True, border=0, na_rep="", justify="left", classes="book-table")
    body = INTERVAL.sub("\\1,\N{NO-BREAK SPACE}\\2", NEGATIVE_ZERO.sub(">", body))
    body = body.replace("<th></th>", "<td></td>")  # a heading of nothing is none
    body = LONG.sub(r'<\1 class="long">\2</\1>', body)
    return f'<div class="table-box" tabindex="0">{body}</div>'


def install() -> None:
    """Make notebooks show data frames by `to_html`; without a notebook do nothing."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, to_html)
