"""The bench of a large study, made small: it runs, and tells of every cell."""

from bench.scale import figures, lines
from meanings.measures.catalogue import MEASURES


def test_a_small_study_is_planned_written_and_read(monkeypatch):
    # The bench's checkpoints hold no model.
    monkeypatch.setattr("meanings.prompts.draws.tokenizer_sha256", lambda model: "")
    usual = MEASURES["patching"]
    found = figures(checkpoints=3, languages=("en", "fr", "de", "es"))
    # No `self` into English, and no mean over other languages where there is only one.
    assert found["cells"] == 3 * (3 * 9 + 3 * 8 + 6 * 6)
    assert len(found["milliseconds_per_cell"]) == 3 and found["overhead_milliseconds"] > 0
    assert found["chapter_cells"] == 3 * (9 + 8 + 6 + 6)
    assert len(lines(found)) == 4 and MEASURES["patching"] is usual


def test_a_companion_measure_is_timed_at_a_checkpoint_and_as_it_grows(monkeypatch):
    from bench import measures

    found = measures.one_checkpoint("retrieval", ("en", "fr"))
    assert found["seconds"] > 0 and found["mebibytes"] > 100
    monkeypatch.setattr(measures, "GROWN", {"concepts": (192, 256)})
    grown = measures.growth("structure")
    assert list(grown) == ["concepts"] and len(grown["concepts"]) == 2
    said = measures.lines({"structure": found | {"growth": grown}})
    assert len(said) == 2 and "peak" in said[1]
