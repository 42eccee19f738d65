"""The bench of a large study, made small: it runs, and tells of every cell."""

from bench.scale import figures, lines
from meanings.measures.catalogue import MEASURES


def test_a_small_study_is_planned_written_and_read():
    usual = MEASURES["patching"]
    found = figures(checkpoints=3, languages=("en", "fr", "de", "es"))
    assert found["cells"] == 3 * (12 * 9 - 3)  # no `self` into English
    assert len(found["milliseconds_per_cell"]) == 3 and found["overhead_milliseconds"] > 0
    assert found["chapter_cells"] == 3 * (4 * 9 - 1)
    assert len(lines(found)) == 4 and MEASURES["patching"] is usual
