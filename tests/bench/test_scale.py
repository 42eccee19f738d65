"""The bench of a large study, made small: it runs, and tells of every cell."""

from bench.scale import figures, lines
from meanings.measures.catalogue import MEASURES
from stand_ins.forks import run_module


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

    with monkeypatch.context() as patch:
        patch.setattr(measures.subprocess, "run", run_module)
        found = measures.one_checkpoint("retrieval", ("en", "fr"))
    assert found["seconds"] > 0 and found["mebibytes"] > 100
    monkeypatch.setattr(measures, "USUAL", {"concepts": 192, "layers": 1, "width": 8})
    monkeypatch.setattr(measures, "GROWN", {"concepts": (192, 256)})
    grown = measures.growth("structure")
    assert list(grown) == ["concepts"] and len(grown["concepts"]) == 2
    figures = {"structure": found | {"growth": grown}}
    said = measures.lines(figures)
    assert len(said) == 2 and "peak" in said[1]
    rows = measures.table(figures)
    assert rows["grown"].tolist() == ["checkpoint", "concepts", "concepts"]
    assert rows["size"].tolist() == [9, 192, 256] and rows["seconds"].notna().all()


def test_the_growth_of_every_measure_of_states_can_be_timed(monkeypatch):
    from bench import measures

    monkeypatch.setattr(measures, "GROWN", {"layers": (1,)})
    monkeypatch.setattr(measures, "USUAL", {"concepts": 192, "layers": 1, "width": 8})
    for name in measures.NAMES:
        assert list(measures.growth(name)) == ([] if name in measures.FORWARDS else ["layers"])
