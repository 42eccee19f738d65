"""The chapter on all instruments, on a model of one's own: a folder of three checkpoints."""

import numpy as np
import pytest

from meanings.book import companion_pages, synthesis_pages
from meanings.book.chapter_parameters import grid_of
from meanings.book.chapters import parse_assignments
from meanings.book.facts import concordance
from meanings.book.facts import synthesis as facts
from meanings.book.figures import ladder as figures
from meanings.book.tables import synthesis as tables
from meanings.models.checkpoints import trajectory
from meanings.statistics import rungs
from meanings.study.run import run_study
from stand_ins.study_data import make_world


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The readings of the chapter for a tiny model of random weights, measured for it."""
    folder = tmp_path_factory.mktemp("own")
    data = make_world(folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEANINGS_DATA", str(data))
        model = data / "miniature" / "seed-0"
        page = parse_assignments(
            "synthesis", [f"model={model}", "pair=en-fr,fr-de", "checkpoints=3"]
        )
        grid = grid_of(page)
        run_study(grid, folder / "results", progress=False)
        yield page, grid, synthesis_pages.read(page, folder / "results"), folder / "results"


def test_what_fits_the_model_is_measured_at_its_three_checkpoints(own):
    page, grid, read, _ = own
    assert len(trajectory(page.model, 0).thin(page.checkpoints).checkpoints) == 3
    assert {"cka", "retrieval", "language_id", "patching"} <= set(grid.measures)
    assert "meaning_in_context" not in grid.measures  # sixty concepts have too few homographs
    assert {each.measure for each in read.there} <= set(grid.measures)
    assert read.pairs == ("de-fr", "en-fr") and read.label.startswith("measured for this page")
    assert read.readings.groupby("instrument")["step"].nunique().eq(3).all()


def test_a_model_that_learnt_nothing_has_no_rungs_and_every_sentence_stands(own):
    page, _, read, results = own
    run = companion_pages.run_of(page)
    steps = rungs.rungs(read.readings, read.apart, read.parallel, read.there)
    patching = steps[steps["name"] == "patching seen"].iloc[0]
    assert np.isinf(patching["onset"]) and rungs.band(steps) is None
    said = {
        **facts.coverage(read),
        **facts.order(steps, 1.0),
        **facts.fooled(steps),
        **facts.untrained(read),
        **facts.reversed_pairs(read),
        **concordance.by_language(first := synthesis_pages.by_language(page, read, results), run),
        **facts.doses(rungs.responses(synthesis_pages.by_dose(), read.apart, read.there)),
    }
    assert "meaning in context" in said["sy_lacking"]
    assert "fewer than four languages" in said["sy_languages"] and set(first.index) <= {
        "en",
        "de",
        "fr",
    }
    assert all(isinstance(value, str | int | float) for value in said.values())
    assert len(tables.choice(steps)) == 11 and len(tables.floors(steps, 1.0)) == len(steps)
    picture = figures.ladder(steps, rungs.band(steps), float(read.readings["tokens"].max()))
    assert "patching: no onset" in picture.alt
