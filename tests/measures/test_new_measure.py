"""A new measure is one module and one line in the catalogue: a made-up one runs through plan, run,
resume and read-back.
"""

from collections import Counter

import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel, ConfigDict

from meanings.core.errors import MeaningsError
from meanings.measures import base
from meanings.measures.base import Measure, Measurement, column
from meanings.measures.catalogue import MEASURES, measure_named
from meanings.measures.cell_files import cell_path, finished, read_cell
from meanings.measures.cells import Cell
from meanings.measures.results import provenance_of, read_cells
from meanings.study import worker
from meanings.study.grid import Grid, check_grid, parse_grid
from meanings.study.plan import plan_study
from meanings.study.publish import publish
from meanings.study.recompute import recompute
from meanings.study.run import run_study
from stand_ins.study_data import LANGUAGES, STEPS, make_world

NORMS = Grid(checkpoints=3, measures=("norms",), settings={"norms": {"layers": [0, 2]}})


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    layers: tuple[int, ...] = (0,)


class Request(base.Request):
    later = frozenset({"power"})
    language: str
    layer: int
    power: int = 2


class Norms(Measure):
    """The norm of the embeddings of a language's words; counts what it is asked."""

    name = "norms"
    version = 3
    Request = Request
    Settings = Settings
    columns = pa.schema(
        [
            column("concept", pa.string(), "concept of the word"),
            column("norm", pa.float32(), "norm of its first token's embedding", low=0, high=1e6),
            column("note", pa.string(), "whatever", optional=True),
        ]
    )
    unit = "concept"

    def __init__(self):
        self.groups = Counter()

    def plan(self, checked, moment):
        return [
            Request(language=code, layer=layer)
            for code in moment.seen_languages
            for layer in checked.settings.layers
        ]

    def together(self, request):
        return request.language

    def measure(self, model, data, requests, shared):
        weights = model.network.get_input_embeddings().weight
        self.groups[requests[0].language, shared.checkpoint.setdefault("group", 0)] += 1
        shared.checkpoint["group"] += 1
        shared.process["loaded"] = shared.process.get("loaded", 0) + (len(shared.checkpoint) == 1)
        found = {}
        for request in requests:
            words = [
                data.lexicon.word(concept, request.language) for concept in data.lexicon.concepts
            ]
            first = [model.tokenizer(word)["input_ids"][0] for word in words]
            norms = (weights[first] * (1 + request.layer)).norm(dim=1).tolist()
            rows = pd.DataFrame({"concept": data.lexicon.concepts, "norm": norms})
            found[request] = Measurement(rows, {"planned": len(shared.planned)})
        return found


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        make_world(folder / "data")
        patch.setenv("MEANINGS_DATA", str(folder / "data"))
        yield folder / "data"


@pytest.fixture
def norms(monkeypatch, data):
    measure = Norms()
    monkeypatch.setitem(MEASURES, measure.name, measure)
    return measure


def test_it_is_planned_run_and_read_back(norms, tmp_path):
    plan = run_study(NORMS, tmp_path, progress=False)
    assert len(plan.cells) == len(STEPS) * len(LANGUAGES) * 2
    assert len(set(plan.keys)) == len(plan.cells) and set(plan.keys) == finished(tmp_path)
    table = read_cells(tmp_path)
    assert set(table["measure"]) == {"norms"} and set(table["method"]) == {3}
    assert set(table["language"]) == set(LANGUAGES) and set(table["power"]) == {2}
    cell, rows, provenance = read_cell(cell_path(tmp_path, plan.keys[0]))
    assert cell == plan.cells[0] and provenance["planned"] == len(LANGUAGES) * 2
    assert provenance["loaded_weights_sha256"] == cell.subject.weights_sha256
    assert len(provenance["together"]) == 2 and (rows["norm"] > 0).all()
    pd.testing.assert_series_equal(
        recompute([cell])[cell.key]["norm"], rows["norm"], check_dtype=False
    )
    assert sorted(provenance_of(tmp_path)["step"].unique()) == list(STEPS)


def test_a_killed_run_is_resumed_by_whole_groups(norms, tmp_path, monkeypatch):
    written, write = [], worker.write_cell

    def killed(*args):
        if len(written) == 5:  # in the middle of a group of two
            raise KeyboardInterrupt
        written.append(write(*args))
        return written[-1]

    monkeypatch.setattr(worker, "write_cell", killed)
    with pytest.raises(KeyboardInterrupt):
        run_study(NORMS, tmp_path, progress=False)
    monkeypatch.setattr(worker, "write_cell", write)
    assert len(finished(tmp_path)) == 5 and len(plan_study(NORMS, tmp_path).missing) == 25
    before = norms.groups.total()
    run_study(NORMS, tmp_path, progress=False)
    assert norms.groups.total() - before == 3 * len(LANGUAGES) - 2
    assert run_study(NORMS, tmp_path, progress=False).missing == ()
    assert set(plan_study(NORMS, tmp_path).keys) == finished(tmp_path)


def test_two_measures_share_a_checkpoint_and_a_folder(norms, tmp_path):
    both = NORMS.model_copy(
        update={
            "measures": ("patching", "norms"),
            "steps": (10,),
            "pairs": ("fr-es",),
            "conditions": ("tgt", "tgt_unpatched"),
            "n_pairs": 4,
            "shots": 2,
        }
    )
    plan = run_study(both, tmp_path, progress=False)
    by_measure = {name: [c.key for c in plan.cells if c.measure == name] for name in both.measures}
    assert len(by_measure["patching"]) == 2 and len(by_measure["norms"]) == 2 * len(LANGUAGES)
    assert len(plan.tasks) == 1
    alone = plan_study(
        both.model_copy(update={"measures": ("patching",), "settings": {}}), tmp_path
    )
    assert list(alone.keys) == by_measure["patching"] and not alone.missing
    assert set(read_cells(tmp_path, by_measure["patching"])["condition"]) == {
        "tgt",
        "tgt_unpatched",
    }
    with pytest.raises(MeaningsError, match="cells of norms and patching have different columns"):
        read_cells(tmp_path)
    with pytest.raises(MeaningsError, match="cells of norms and patching"):
        publish(tmp_path, "both")
    assert publish(tmp_path, "norms", by_measure["norms"]).is_file()


def test_a_dry_run_estimates_it_from_a_trial_and_from_finished_cells(norms, tmp_path):
    plan = run_study(NORMS, tmp_path, dry_run=True, device="cpu")
    assert plan.estimate.high >= plan.estimate.low > 0 and not finished(tmp_path)
    run_study(NORMS.model_copy(update={"steps": (0, 10)}), tmp_path, progress=False)
    plan = run_study(NORMS, tmp_path, dry_run=True, device="cpu")
    assert "20 finished cells of 2 checkpoints" in plan.estimate.basis and len(plan.missing) == 10


def test_a_key_names_measure_version_and_request(norms, tmp_path):
    cell = next(iter(plan_study(NORMS, tmp_path).cells))
    values = cell.to_dict()
    assert set(values) == {"measure", "version", "subject", "data", "request"}
    assert "power" not in values["request"]  # it came later, and is at its default
    assert Cell.from_dict(values) == cell
    other = cell.with_values(power=3)
    assert other.key != cell.key and other.to_dict()["request"]["power"] == 3
    assert len({cell.key, cell.with_values(layer=9).key, cell.with_values(step=7).key}) == 3


def test_what_is_wrong_with_a_measure_is_one_line(norms, tmp_path):
    for change, message in (
        ({"measures": ("norm",)}, "unknown measure 'norm': allowed are patching, .*, norms"),
        ({"measures": ("norms", "norms")}, "measures norms, norms: one is named twice"),
        (
            {"settings": {"norms": {"layers": ["x"]}}},
            r"settings of 'norms': layers\[0\]='x' is refused",
        ),
        ({"settings": {"norms": {"layer": 1}}}, "settings of 'norms': .*'?layer'?.*layers"),
        ({"settings": {"patch": {}}}, "settings of 'patch': it is not among the measures norms"),
    ):
        with pytest.raises(MeaningsError, match=message) as refusal:
            check_grid(NORMS.model_copy(update=change))
        assert "\n" not in str(refusal.value)
    assert parse_grid({"measures": ["norms"], "settings": {"norms": {"layers": [1]}}})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"concept": ["a"]}, "columns norm are missing; expected concept, norm, note"),
        ({"concept": ["a"], "norm": [1.0], "nrom": [1]}, "columns nrom are unknown"),
        ({"concept": ["a"], "norm": [-1.0]}, "norm has a value that is not within 0 and 1e"),
        ({"concept": ["a"], "norm": [float("nan")]}, "norm has a value that is not within"),
    ],
)
def test_rows_that_are_not_as_the_measure_says_are_not_written(norms, tmp_path, rows, message):
    cell = next(iter(plan_study(NORMS, tmp_path).cells))
    with pytest.raises(MeaningsError, match=message):
        worker.write_cell(tmp_path, cell, pd.DataFrame(rows), {})
    assert not finished(tmp_path)


def test_patching_describes_every_column_and_field():
    patching = measure_named("patching")
    assert all(field.metadata[b"description"] for field in patching.columns)
    assert all(field.description for field in patching.Request.model_fields.values())
    assert patching.unit in patching.columns.names
