"""A model of two languages: the conditions that average over others do not exist for it, which is
said, and those that exist are measured.
"""

import json
import sys

import pytest

from meanings.book.chapters import parse_assignments
from meanings.cli import main
from meanings.core.errors import MeaningsError
from meanings.statistics import layer_choice, selection, summaries
from meanings.study.grid import Grid
from meanings.study.plan import plan_study
from meanings.study.run import run_study
from stand_ins.study_data import make_world

LACKING = "the conditions seen, null_concept, null_mean need two languages besides English and the"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with the checkpoints of a model that has seen English and French."""
    folder = make_world(tmp_path_factory.mktemp("world")) / "miniature" / "seed-0"
    file = folder / "trajectory.json"
    content = json.loads(file.read_text()) | {"model": "bilingual", "seen": ["en", "fr"]}
    content["languages"] = {code: content["languages"][code] for code in ("en", "fr")}
    file.write_text(json.dumps(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEANINGS_DATA", str(folder.parents[1]))
        yield folder


def grid(run, **settings) -> Grid:
    known = {"checkpoints": 2, "languages": ("en", "fr"), "pairs": ("en-fr", "fr-en")}
    return Grid(model=str(run), n_pairs=6, shots=2, generate=0, **(known | settings))


def test_what_its_languages_leave_undefined_is_said_and_the_rest_is_planned(run, tmp_path):
    plan = plan_study(grid(run), tmp_path)
    (note,) = plan.notes
    assert note.startswith(
        f"bilingual and the lexicon share en, fr: {LACKING} pair, and are left out of en-fr"
    )
    assert {cell.request.condition for cell in plan.cells} == {
        "en_en", "self", "tgt", "tgt_tgt", "src_unpatched", "tgt_unpatched",
    }  # fmt: skip
    assert not plan_study(grid(run, conditions=("tgt",)), tmp_path).notes
    with pytest.raises(MeaningsError, match="condition 'seen'"):
        plan_study(grid(run, conditions=("seen", "tgt")), tmp_path)


def test_a_model_of_more_languages_has_nothing_to_say(run, tmp_path):
    content = json.loads((run / "trajectory.json").read_text())
    content["seen"] = ["en", "fr", "de", "es"]
    content["checkpoints"] = [
        row | {"folder": str(run / row["folder"])} for row in content["checkpoints"]
    ]
    (tmp_path / "trajectory.json").write_text(json.dumps(content))
    assert plan_study(grid(tmp_path), tmp_path).notes  # of the lexicon only two were asked for
    assert not plan_study(grid(tmp_path, languages="all"), tmp_path).notes


def test_its_cells_are_analysed_under_the_condition_that_exists(run, tmp_path):
    run_study(grid(run), tmp_path, progress=False, device="cpu")
    from meanings.measures.results import read_cells

    cells = read_cells(tmp_path)
    shown = ["seen", "en_en", "self", "tgt", "null_concept", "src_unpatched"]
    chosen = layer_choice.at_chosen_layer(cells, conditions=shown)
    lead = selection.lead(chosen)
    assert lead == "tgt" and selection.lead(cells) == "tgt"
    curves = summaries.curves(chosen, shown)
    assert set(curves["condition"]) == {"en_en", "self", "tgt", "src_unpatched"}
    from meanings.book.facts import emergence, index

    said = emergence.final_levels(curves, chosen, lead)
    assert said["em_null"] == "a value that is not defined here"
    assert "we cannot say" in said["em_shared"] and "[" in said["em_seen"]
    said = index.shared_space("two", curves, lead, 2)
    assert "[" in said["ix_seen"] and said["ix_vector"].startswith("the vector of tgt (")
    unpatched = cells[cells["condition"] == "src_unpatched"]
    with pytest.raises(MeaningsError, match="no patched condition"):
        selection.lead(unpatched)


@pytest.mark.parametrize(
    ("chapter", "cure"),
    [
        ("language_dependence", "take condition=tgt, or choose other pairs"),
        ("error_analysis", "take condition=tgt, or choose other pairs"),
        ("method", "choose another model or pair"),
    ],
)
def test_a_chapter_that_follows_what_does_not_exist_is_refused_with_a_cure(run, chapter, cure):
    asked = [f"model={run}", "pair=en-fr"]
    with pytest.raises(MeaningsError) as refused:
        parse_assignments(chapter, asked)
    assert "condition 'seen' is not defined for any of the pairs en-fr" in str(refused.value)
    assert str(refused.value).endswith(cure)
    if chapter != "method":
        assert parse_assignments(chapter, [*asked, "condition=tgt"])
        with pytest.raises(MeaningsError, match="condition 'self' is not defined for any"):
            parse_assignments(chapter, [f"model={run}", "pair=fr-en", "condition=self"])
    assert parse_assignments("emergence", asked)


def test_the_command_line_says_it_before_it_measures(run, tmp_path, monkeypatch, capsys):
    (tmp_path / "grid.yaml").write_text(
        f"model: {run}\ncheckpoints: 2\nlanguages: [en, fr]\npairs: [en-fr]\nn_pairs: 6\n"
        "shots: 2\ngenerate: 0\n"
    )
    monkeypatch.chdir(tmp_path)
    arguments = ["study", "grid.yaml", "--out", "cells", "--quiet"]
    monkeypatch.setattr(sys, "argv", ["meanings", *arguments])
    with pytest.raises(SystemExit) as end:
        main.main()
    said = capsys.readouterr()
    assert end.value.code == 0, said.err
    assert f"note: bilingual and the lexicon share en, fr: {LACKING}" in said.err
    assert "12 cells in cells, 12 of them new" in said.out
