"""What the chapters on companion measures read."""

import pandas as pd
import pytest

from meanings.book import companion_pages
from meanings.book.chapter_parameters import Cka
from meanings.measures.results import published

WHERE = {"condition": ["seen", "null_concept"]}


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    """Published cells of patching, one layer: few rows are read."""
    return published("miniature", companion_pages.ONSET, WHERE | {"first_layer": [0, 1]})


def test_pairs_that_were_patched_at_the_end_alone_do_not_move_the_onset(cells, monkeypatch):
    steps = cells.groupby("pair", observed=True)["step"].nunique()
    always = set(steps[steps == steps.max()].index.astype(str))
    assert 0 < len(always) < len(steps)
    tables = {"all": cells, "followed": cells[cells["pair"].astype(str).isin(always)]}
    found = {}
    for name, table in tables.items():
        monkeypatch.setattr(companion_pages, "published", lambda *_, table=table, **__: table)
        found[name] = companion_pages.patching_onset(Cka())
    assert found["all"] == found["followed"]


def test_pairs_with_an_untrained_language_are_no_part_of_the_curve(cells):
    kept = companion_pages.between(cells, ("en", "fr", "de"))
    assert set(kept["pair"].astype(str)) == {"en-fr", "fr-en", "en-de", "de-en", "fr-de", "de-fr"}
