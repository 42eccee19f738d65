"""Companion measures through the study's machinery: sets of concepts, rows, keys, resume."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.measures.cell_files import finished
from meanings.measures.companion import COLUMNS, Null, pairs
from meanings.measures.results import read_cells
from meanings.measures.word_states import WordStates, check_states
from meanings.models import activations
from meanings.models.checkpoints import trajectory
from meanings.models.training_text import TrainingText
from meanings.study.grid import Grid
from meanings.study.recompute import recompute
from meanings.study.run import run_study
from stand_ins.study_data import LANGUAGES, STEPS, make_world

MEASURES = (
    "cka", "retrieval", "language_id", "expert_units", "structure", "neuron_overlap", "abilities",
)  # fmt: skip
CONCEPTS = tuple(f"c{i}" for i in range(60))


def made_states(languages=("en", "fr", "de"), shared=25):
    rng = np.random.default_rng(0)
    hidden = {code: rng.normal(size=(2, 60, 4)).astype(np.float32) for code in languages}
    pieces = {
        code: tuple(
            (7000 + place, 1000 + i) if i < shared else (2000 * (place + 1) + i,) for i in range(60)
        )
        for place, code in enumerate(languages)
    }
    return WordStates(CONCEPTS, hidden, hidden, pieces)


def text(held=CONCEPTS[:22]):
    return TrainingText(
        ("en", "fr"), (("fr-en", tuple(held)),), tuple((c, 1 / 60) for c in CONCEPTS)
    )


def test_concepts_are_split_by_what_stands_side_by_side():
    found = {(pair.a, pair.b): pair.splits for pair in pairs(made_states(), text())}
    taught = found["en", "fr"]
    assert set(taught) == {"taught", "held_out", "shared_token"}
    assert taught["held_out"].sum() == 22 and not (taught["taught"] & taught["held_out"]).any()
    assert (taught["taught"] | taught["held_out"]).all()
    assert taught["shared_token"].tolist() == [i < 25 for i in range(60)]
    assert set(found["en", "de"]) == {"never", "shared_token"}
    unknown = {(pair.a, pair.b): pair.splits for pair in pairs(made_states(), None)}
    assert set(unknown["en", "fr"]) == {"all", "shared_token"}


def test_sets_of_fewer_than_twenty_concepts_give_no_number():
    found = next(pairs(made_states(shared=19), text(CONCEPTS[:19])))
    assert set(found.splits) == {"taught"}


def test_a_null_is_its_mean_and_its_middle_95_percent():
    null = Null.of(np.arange(1001) / 1000)
    assert null == pytest.approx((0.5, 0.025, 0.975))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "data"
    with pytest.MonkeyPatch.context() as patch:
        make_world(folder, n_concepts=130)
        patch.setenv("MEANINGS_DATA", str(folder))
        yield folder


GRID = Grid(
    checkpoints=2,
    measures=MEASURES,
    settings={name: {"permutations": 20} for name in MEASURES},
)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """A finished run: its folder, its plan, and how often it read states."""
    calls, read = [], activations.activations
    out = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activations, "activations", lambda *given: (calls.append(1), read(*given))[1])
        return out, run_study(GRID, out, progress=False), len(calls)


@pytest.fixture(scope="module")
def measured(run):
    return run[:2]


@pytest.mark.parametrize("name", MEASURES)
def test_it_is_measured_by_pair_layer_and_set(measured, name):
    out, plan = measured
    keys = [cell.key for cell in plan.cells if cell.measure == name]
    assert len(keys) == 2 and set(keys) <= finished(out)
    table = read_cells(out, keys)
    assert set(COLUMNS.names) <= set(table) and table["value"].notna().all()
    both = table[table["language_b"].astype(str) != ""]
    found = {frozenset(pair) for pair in zip(both["language_a"], both["language_b"], strict=True)}
    assert {frozenset(pair) for pair in combinations(LANGUAGES, 2)} <= found
    first = 1 if name == "expert_units" else 0  # the embedding has no units
    answers = {-1} if name == "abilities" else set()
    assert set(table["layer"]) == set(range(first, 4)) | answers
    ranged = table.dropna(subset=["low"])
    assert (ranged["low"] <= ranged["value"]).all() and (ranged["value"] <= ranged["high"]).all()


@pytest.mark.parametrize("name", MEASURES)
def test_it_is_measured_again_to_the_same_numbers(measured, name):
    out, plan = measured
    cell = next(cell for cell in plan.cells if cell.measure == name)
    again = recompute([cell])[cell.key]
    before = read_cells(out, [cell.key])
    for column in ("value", "null"):
        np.testing.assert_allclose(
            pd.to_numeric(again[column]).to_numpy(np.float32), before[column], rtol=2e-4, atol=1e-5
        )


def test_states_are_read_once_for_all_measures(run):
    assert run[2] == 2  # checkpoints


def test_what_is_known_of_the_text_is_a_part_of_the_key(data, measured):
    _, plan = measured
    assert {cell.request.text_sha256 for cell in plan.cells} == {""}
    assert len(text().sha256) == 64 and text().sha256 != text(CONCEPTS[:23]).sha256


def test_too_few_concepts_or_languages_are_refused_in_one_line(data):
    from meanings.study.grid import check_grid

    with pytest.raises(MeaningsError, match="cka compares languages .* at least 20 in 2") as error:
        check_grid(GRID.model_copy(update={"languages": (LANGUAGES[0],)}))
    assert "\n" not in str(error.value)
    assert trajectory("miniature").steps[-1] == STEPS[-1]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("hidden", np.nan, "m: the states of layer 1 for the words of 'fr' are not finite; use"),
        ("hidden", np.inf, "m: the states of layer 1 for the words of 'fr' are not finite; use"),
        ("units", np.nan, "m: the MLP units of layer 2 for the words of 'fr' are not finite; use"),
        ("hidden", 0.0, "m: the states of layer 1 for the words of 'fr' are the same for all wor"),
        ("units", 1.0, "m: the MLP units of layer 2 for the words of 'fr' are the same for all w"),
    ],
)
def test_states_that_say_nothing_are_refused_in_one_line(place, value, message):
    made = made_states()
    copies = {code: each.copy() for code, each in made.hidden.items()}
    copies["fr"][1] = value
    broken = WordStates(
        CONCEPTS,
        copies if place == "hidden" else made.hidden,
        copies if place == "units" else made.units,
        made.pieces,
    )
    check_states("m", made)
    with pytest.raises(MeaningsError) as error:
        check_states("m", broken)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"measures": ("patching", "ckaa")}, "unknown measure 'ckaa': allowed are patching, cka"),
        ({"languages": ("en", "sw")}, "sw"),
        ({"languages": ("en",)}, "at least 20 in 2 languages"),
        ({"measures": ("cka",), "settings": {"cka": {"permutation": 20}}}, "permutation"),
    ],
)
def test_a_grid_that_cannot_be_measured_is_refused_in_one_line(data, changes, message):
    from meanings.study.grid import check_grid

    grid = GRID.model_copy(update=changes)
    if "measures" in changes:
        grid = grid.model_copy(update={"settings": changes.get("settings", {})})
    with pytest.raises(MeaningsError, match=message) as error:
        check_grid(grid)
    assert "\n" not in str(error.value)


def test_fewer_than_twenty_concepts_are_refused_in_one_line(monkeypatch):
    monkeypatch.delenv("MEANINGS_DATA", raising=False)
    from meanings.measures.catalogue import MEASURES as ALL
    from stand_ins.study_data import small_lexicon

    lexicon = small_lexicon()
    few = lexicon.restrict(concepts=lexicon.concepts[:19])
    for name in set(ALL) - {"patching"}:
        with pytest.raises(MeaningsError, match=f"^{name}") as error:
            ALL[name].check(ALL[name].Settings(), few, [trajectory("miniature")])
        assert "\n" not in str(error.value)
    for name in ("cka", "retrieval", "language_id", "abilities"):
        with pytest.raises(MeaningsError, match=f"{name} compares languages .* 19 concepts"):
            ALL[name].check(ALL[name].Settings(), few, [trajectory("miniature")])


@pytest.mark.parametrize("name", MEASURES)
def test_a_dimension_and_a_unit_without_variance_abort_nothing(name, monkeypatch):
    """Every number is there and finite; a unit that never varies is in no measure."""
    monkeypatch.delenv("MEANINGS_DATA", raising=False)
    from meanings.lexicon.lexicon import Lexicon
    from meanings.measures.catalogue import MEASURES as ALL
    from meanings.measures.companion import Request, Texts

    rng = np.random.default_rng(0)
    hidden, units = (
        {code: rng.normal(size=(depth, 60, 12)).astype(np.float32) for code in ("en", "fr")}
        for depth in (3, 2)
    )
    for layers in (*hidden.values(), *units.values()):
        layers[:, :, 0], layers[:, :, 5] = 0.0, 0.1
    words = {name: {"en": (f"{name}e",), "fr": (f"{name}f",)} for name in CONCEPTS}
    lexicon = Lexicon(
        "made", ("en", "fr"), words, {each: f"k{i % 5}" for i, each in enumerate(CONCEPTS)}
    )
    states = WordStates(
        CONCEPTS, hidden, units, {code: tuple((i,) for i in range(60)) for code in hidden}
    )
    check_states("m", states)
    request = Request(permutations=20, seed=0, text_sha256="")
    rows = pd.DataFrame(ALL[name].rows(states, Texts(lexicon), request))
    assert len(rows) and np.isfinite(rows["value"]).all()
    assert np.isfinite(rows.select_dtypes("number").fillna(0).to_numpy()).all()


def test_rows_of_a_pair_do_not_depend_on_other_languages():
    from meanings.measures import cka
    from meanings.measures.companion import Texts
    from stand_ins.study_data import small_lexicon

    request = cka.CKA.Request(permutations=20, seed=0, text_sha256="")
    data = Texts(small_lexicon())
    three = pd.DataFrame(cka.MEASURE.rows(made_states(), data, request))
    two = pd.DataFrame(cka.MEASURE.rows(made_states(("en", "fr")), data, request))
    own = three[(three["language_a"] == "en") & (three["language_b"] == "fr")]
    pd.testing.assert_frame_equal(own.reset_index(drop=True), two)


def test_measures_of_one_grid_are_published_in_tables_of_their_own(
    data, measured, monkeypatch, tmp_path
):
    from meanings.study.publish import publish_each, published_cells

    out, plan = measured
    (tmp_path / "published").mkdir()
    monkeypatch.setattr("meanings.study.publish.data_folder", lambda: tmp_path)
    paths = publish_each(out, "small-{measure}", plan.keys)
    assert [path.stem for path in paths] == [f"small-{name}" for name in sorted(MEASURES)]
    for name in MEASURES:
        expected = {cell.key for cell in plan.cells if cell.measure == name}
        assert {cell.key for cell in published_cells(f"small-{name}")} == expected


def test_rounding_is_finer_than_any_interval_and_keeps_the_order():
    from meanings.measures.companion import lean

    rows = pd.DataFrame({"value": [0.123456, 0.5], "low": [0.1234561, None], "high": [0.2, None]})
    found = lean(rows)
    assert abs(found["value"] - rows["value"]).max() <= 1 / 32768
    assert found["low"][0] <= found["value"][0] <= found["high"][0]
    assert found["low"].isna()[1] and (found["value"] * 16384 % 1 == 0).all()


def test_every_measure_says_what_its_time_grows_with():
    from meanings.measures.catalogue import MEASURES as ALL

    assert set(MEASURES) < set(ALL) and all(each.about.cost for each in ALL.values())
