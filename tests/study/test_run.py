import json
import os
import shutil
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from meanings.core.errors import MeaningsError
from meanings.core.provenance import versions
from meanings.lexicon.languages import parse_pair
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures import cell_files, results
from meanings.measures.cell_files import cell_path, finished, read_cell
from meanings.measures.patching import Request
from meanings.measures.patching_trial import source_prompts
from meanings.measures.results import provenance_of, read_cells
from meanings.models import weights
from meanings.models.checkpoint import Checkpoint
from meanings.patching.checkpoint import PatchedCheckpoint
from meanings.patching.conditions import CONDITIONS
from meanings.prompts.answers import first_tokens
from meanings.prompts.draws import ConceptPairDraws
from meanings.prompts.prompt import translation_prompt
from meanings.study import run, worker
from meanings.study.grid import Grid, check_grid, parse_grid, read_grid
from meanings.study.plan import plan_study
from meanings.study.recompute import recompute
from meanings.study.run import run_study
from meanings.study.running import Claim, running_folder
from stand_ins.study_data import STEPS, make_world

GRID = Grid(checkpoints=3, pairs=("fr-es", "de-en"), n_pairs=6, shots=2, generate=3)
REQUEST = Request(
    pair="fr-es",
    condition="seen",
    prompt_seed=1,
    n_pairs=10,
    shots=5,
    template="quoted",
    generate=0,
    seen_languages=("de", "en", "es", "fr", "pl", "ru"),
)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        # The lexicon of the world is read from the shipped one, so it is made before the switch.
        make_world(folder / "data", seeds=(0, 1))
        patch.setenv("MEANINGS_DATA", str(folder / "data"))
        yield folder


@pytest.fixture(scope="module")
def out(world):
    """A finished run of GRID."""
    run_study(GRID, world / "out", progress=False)
    return world / "out"


@pytest.fixture
def loads(monkeypatch):
    """Steps of the checkpoints that are loaded."""
    found, load = [], Checkpoint.load

    def counting(self, **settings):
        found.append((self.training_seed, self.step))
        return load(self, **settings)

    monkeypatch.setattr(Checkpoint, "load", counting)
    return found


def numbers(folder: Path) -> dict[str, tuple]:
    found = {}
    for key in finished(folder):
        _, rows, _ = read_cell(cell_path(folder, key))
        found[key] = (
            rows["p_source"].tolist(),
            rows["p_target"].tolist(),
            rows["answer"].astype(object).fillna("-").tolist(),
        )
    return found


def test_a_grid_is_its_product_without_what_is_not_defined(world, out):
    plan = plan_study(GRID, out)
    assert len(plan.cells) == len(STEPS) * (2 * len(CONDITIONS) - 1)  # no `self` into English
    assert (
        len(set(plan.keys)) == len(plan.cells)
        and set(plan.keys) == finished(out)
        and plan.missing == ()
    )
    assert [cell.subject.step for cell in plan.cells] == sorted(
        cell.subject.step for cell in plan.cells
    )
    assert ("de-en", "self") not in {
        (str(cell.request.pair), cell.request.condition) for cell in plan.cells
    }


def test_every_cell_has_a_row_for_each_first_layer_and_prompt(out):
    table = read_cells(out)
    for key, rows in table.groupby("key", observed=True):
        layers = [0, 1, 2] if CONDITIONS[rows["condition"].iloc[0]].patched else [-1]
        assert list(zip(rows["first_layer"], rows["prompt"], strict=True)) == [
            (j, i) for j in layers for i in range(6)
        ], key
        other = {"fr-es": "en", "de-en": "es"}[rows["pair"].iloc[0]]
        assert (
            rows[f"p_source_{other}"].notna().all()
            and rows[f"p_source_{rows['pair'].iloc[0][-2:]}"].isna().all()
        )
    assert (
        len(table.drop_duplicates(["prompt", "source_concept", "target_concept", "null_concept"]))
        == 6
    )  # the same everywhere


def test_patched_answers_are_asked_for_where_the_grid_says(out):
    table = read_cells(out)
    unpatched = table["first_layer"] == -1
    assert table.loc[unpatched, "answer"].notna().all()
    assert (
        table.loc[~unpatched, "answer"].notna() == (table.loc[~unpatched, "step"] == STEPS[-1])
    ).all()
    asked = {
        policy: {
            c.request.generate
            for c in plan_study(GRID.model_copy(update={"generate_patched": policy}), out).cells
            if CONDITIONS[c.request.condition].patched
        }
        for policy in ("every", "never")
    }
    assert asked == {"every": {3}, "never": {0}}


def test_a_prompt_patched_into_itself_scores_as_unpatched(out):
    table = read_cells(out)
    self_patched, unpatched = (
        table[table["condition"] == name] for name in ("tgt_tgt", "tgt_unpatched")
    )
    together = self_patched.merge(
        unpatched, on=["step", "pair", "prompt"], suffixes=("", "_unpatched")
    )
    assert len(together) == 3 * len(unpatched) == len(self_patched)
    for column in ("p_source", "p_target"):
        np.testing.assert_allclose(together[column], together[f"{column}_unpatched"], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "side"), [("tgt_unpatched", "target"), ("src_unpatched", "source")]
)
def test_unpatched_scores_are_the_models_own_next_token_probabilities(world, out, name, side):
    lexicon = load_lexicon()
    table = read_cells(out)
    cells = [
        cell
        for cell in plan_study(GRID, out).cells
        if cell.subject.step == 10
        and str(cell.request.pair) == "fr-es"
        and cell.request.condition == name
    ]
    rows = table[table["key"] == cells[0].key]
    model = check_grid(GRID).trajectories[0].at(10).load()
    drawn, _ = ConceptPairDraws().draw(model, lexicon, cells[0].request)
    for row, pair in zip(rows.itertuples(), drawn, strict=True):
        assert (row.source_concept, row.target_concept, row.null_concept) == (
            pair.source,
            pair.target,
            pair.null,
        )
        concept, shots = getattr(pair, side), getattr(pair, f"{side}_shots")
        assert row.query == lexicon.word(concept, "fr")
        prompt = translation_prompt(lexicon, model.tokenizer, parse_pair("fr-es"), concept, shots)
        with torch.no_grad():
            chances = model.network(torch.tensor([prompt.token_ids])).logits[0, -1].softmax(-1)
        for column, asked, code in (
            ("p_source", pair.source, "es"),
            ("p_target", pair.target, "es"),
            ("p_source_de", pair.source, "de"),
            ("p_target_en", pair.target, "en"),
        ):
            expected = (
                chances[sorted(first_tokens(model.tokenizer, lexicon.words(asked, code)))]
                .sum()
                .item()
            )
            assert getattr(row, column) == pytest.approx(expected, abs=1e-6)


def test_the_nulls_are_other_vectors_than_the_concepts_own(out):
    table = read_cells(out).query("step == 20 and pair == 'fr-es' and first_layer == 0")
    p = {
        name: rows["p_source"].to_numpy()
        for name, rows in table.groupby("condition", observed=True)
    }
    names = ["seen", "null_concept", "null_mean", "en_en", "self", "tgt", "tgt_tgt"]
    assert all(not np.array_equal(p[a], p[b]) for i, a in enumerate(names) for b in names[:i])


def test_a_finished_study_does_nothing(out, loads):
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    plan = run_study(GRID, out, progress=False)
    assert plan.missing == () and loads == []
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_killed_study_goes_on_and_ends_as_an_unbroken_one(
    world, out, tmp_path, monkeypatch, loads
):
    written, write = [], worker.write_cell

    def killed(*args):
        if len(written) == 20:
            raise KeyboardInterrupt
        written.append(write(*args))
        return written[-1]

    monkeypatch.setattr(worker, "write_cell", killed)
    with pytest.raises(KeyboardInterrupt):
        run_study(GRID, tmp_path, progress=False)
    assert len(finished(tmp_path)) == 20
    monkeypatch.setattr(worker, "write_cell", write)
    loads.clear()
    plan = run_study(GRID, tmp_path, progress=False)
    assert len(plan.missing) == len(plan.cells) - 20
    assert loads == [
        (0, 10),
        (0, 20),
    ]  # step 0 was finished: 17 of its cells; each other checkpoint once
    assert_same(numbers(tmp_path), numbers(out))


@pytest.mark.parametrize("finishes", [True, False])
def test_what_another_run_is_measuring_is_passed_over_and_waited_for(
    world, out, tmp_path, monkeypatch, loads, finishes
):
    task = plan_study(GRID, tmp_path).tasks[0]
    group = [cell for cell in task.cells if str(cell.request.pair) == "fr-es"]
    theirs, measured, measure = Claim(tmp_path, group), [], PatchedCheckpoint.measure
    assert theirs.take()

    def counted(self, requests):
        measured.append(str(requests[0].pair))
        return measure(self, requests)

    def meanwhile(seconds):  # the other run finishes, or fails
        assert measured == ["fr-es", "de-en", "fr-es", "de-en", "de-en"]
        for cell in group if finishes else ():
            cell_path(tmp_path, cell.key).parent.mkdir(exist_ok=True)
            shutil.copy(cell_path(out, cell.key), cell_path(tmp_path, cell.key))
        theirs.leave()

    monkeypatch.setattr(PatchedCheckpoint, "measure", counted)
    monkeypatch.setattr(worker.time, "sleep", meanwhile)
    run_study(GRID, tmp_path, progress=False)
    assert [step for _, step in loads] == [10, 20, 0]  # where no other run is comes first
    assert measured[5:] == ([] if finishes else ["fr-es"])
    assert_same(numbers(tmp_path), numbers(out))
    assert not running_folder(tmp_path).exists()


def test_damaged_cells_are_told_in_one_line_and_measured_again(world, out, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(out, folder)
    keys = sorted(finished(folder))[::9]
    for number, key in enumerate(keys):
        path = cell_path(folder, key)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * number // len(keys)] if number else b"garbage" * 99)
    plan = plan_study(GRID, folder)
    assert sorted(cell.key for cell in plan.missing) == keys
    (note,) = plan.notes
    assert note.startswith(f"{len(keys)} result files in {folder} are cut off or written over")
    assert keys[0][:12] in note and "\n" not in note
    run_study(GRID, folder, progress=False)
    assert plan_study(GRID, folder).notes == plan_study(GRID, folder).missing == ()
    assert numbers(folder) == numbers(out)


def assert_same(a: dict[str, tuple], b: dict[str, tuple]) -> None:
    assert set(a) == set(b)
    for key in a:
        np.testing.assert_allclose(a[key][0], b[key][0], atol=1e-6)
        np.testing.assert_allclose(a[key][1], b[key][1], atol=1e-6)
        assert a[key][2] == b[key][2]


def test_conditions_measured_alone_give_what_they_give_together(world, out, tmp_path):
    alone = GRID.model_copy(
        update={"conditions": ("null_mean", "src_unpatched"), "pairs": ("de-en",), "steps": (20,)}
    )
    run_study(alone, tmp_path, progress=False)
    together = numbers(out)
    assert_same(numbers(tmp_path), {key: together[key] for key in finished(tmp_path)})


def test_a_dry_run_writes_nothing_and_estimates_from_a_trial_or_from_finished_cells(
    world, out, tmp_path, loads
):
    plan = run_study(GRID, tmp_path / "new", dry_run=True)
    assert (
        len(plan.missing) == len(plan.cells)
        and 0 < plan.estimate.low <= plan.estimate.high
        and len(loads) == 1
    )
    assert not (tmp_path / "new").exists()
    loads.clear()
    more = GRID.model_copy(update={"prompt_seeds": (42, 43)})
    plan = run_study(more, out, dry_run=True)
    assert (
        0 <= plan.estimate.low <= plan.estimate.high
        and len(plan.missing) == len(plan.cells) / 2
        and loads == []
    )
    assert run_study(GRID, out, dry_run=True).estimate.high == 0


def test_the_estimate_counts_shared_source_prompts_once():
    def needed(*changes, elsewhere=()):
        """Source prompts of requests to one checkpoint and, `elsewhere`, to another."""
        requests = {
            place: [REQUEST.model_copy(update=change) for change in asked]
            for place, asked in enumerate((changes, elsewhere))
        }
        return source_prompts(requests)

    seen = 10 * 3 * 2  # ordered pairs of de, pl, ru
    assert needed({}) == seen
    assert needed({}, {"condition": "null_mean"}, {"condition": "src_unpatched"}) == seen
    assert needed({}, {"condition": "null_concept"}) == 2 * seen
    assert needed({}, {"pair": parse_pair("es-fr")}) == seen
    # and es, where it is not in the pair
    assert needed({}, {"pair": parse_pair("fr-en")}) == 10 * 4 * 3
    assert needed({}, elsewhere=[{}]) == 2 * seen


def test_training_seeds_are_different_cells(world, tmp_path, loads):
    grid = GRID.model_copy(
        update={
            "training_seeds": (0, 1),
            "steps": (20,),
            "pairs": ("fr-es",),
            "conditions": ("tgt_unpatched",),
        }
    )
    run_study(grid, tmp_path, progress=False)
    table = read_cells(tmp_path)
    assert (
        loads == [(0, 20), (1, 20)]
        and table.groupby("training_seed")["p_source"].mean().nunique() == 2
    )


def test_provenance_names_weights_lexicon_and_versions_and_no_place(world, out):
    flat = provenance_of(out)
    assert (
        set(flat["versions.torch"]) == {versions()["torch"]}
        and (flat["weights_sha256"] == flat["loaded_weights_sha256"]).all()
    )
    assert (
        flat["weights_sha256"].nunique() == len(STEPS)
        and (flat["lexicon_sha256"] == load_lexicon().sha256).all()
    )
    assert (flat["n_layers"] == 3).all() and (flat["seconds"] >= 0).all()
    assert (
        str(world) not in flat.to_json()
        and "/home" not in flat.to_json()
        and "/root" not in flat.to_json()
    )


def test_concepts_whose_query_word_is_merged_are_left_out_of_the_draw(world, out, monkeypatch):
    model = check_grid(GRID).trajectories[0].at(0).load()
    lexicon, cell = load_lexicon(), plan_study(GRID, out).cells[0]
    usual, _ = ConceptPairDraws().draw(model, lexicon, cell.request)
    gone = usual[0].source
    monkeypatch.setattr(
        "meanings.prompts.usable_concepts.merged_query_words", lambda *_: {"fr": (gone,)}
    )
    pairs, left_out = ConceptPairDraws().draw(model, lexicon, cell.request)
    assert left_out == (gone,)
    assert all(
        gone not in {p.source, p.target, p.null, *p.source_shots, *p.target_shots} for p in pairs
    )


def test_cells_are_recomputed_alone_and_refused_where_model_or_words_changed(world, out):
    cells = plan_study(GRID, out).cells[::7]
    again = recompute(cells)
    for cell in cells:
        _, rows, _ = read_cell(cell_path(out, cell.key))
        np.testing.assert_allclose(again[cell.key]["p_source"], rows["p_source"], atol=1e-6)
        assert (
            again[cell.key]["answer"].fillna("-").tolist()
            == rows["answer"].astype(object).fillna("-").tolist()
        )
    for changed, message in (
        ({"weights_sha256": "0" * 64}, "other weights"),
        ({"lexicon_sha256": "0" * 64}, "lexicon 'embedded' is not the one"),
        ({"method": 0}, "method version 0"),
    ):
        with pytest.raises(MeaningsError, match=message):
            recompute([cells[0].with_values(**changed)])


def test_a_damaged_checkpoint_is_one_line(world, tmp_path):
    copied = tmp_path / "data"
    # Copied by hard link: only the damaged file is written anew.
    shutil.copytree(world / "data", copied, copy_function=os.link)
    weights = copied / "miniature" / "seed-0" / "step-000010" / "model.safetensors"
    half = weights.read_bytes()[:1000]
    weights.unlink()
    weights.write_bytes(half)
    grid = GRID.model_copy(update={"model": str(copied / "miniature" / "seed-0"), "steps": (10,)})
    with pytest.raises(MeaningsError) as refusal:
        run_study(grid, tmp_path / "out", progress=False)
    assert "\n" not in str(refusal.value) and not (tmp_path / "out").exists()


def test_weights_that_changed_after_the_plan_are_refused(world, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(world / "data" / "miniature" / "seed-0", folder)
    first, last = (folder / f"step-{step:06}" / "model.safetensors" for step in STEPS[::2])
    grid = GRID.model_copy(update={"model": str(folder), "steps": STEPS[:1], "pairs": ("fr-es",)})
    plan = plan_study(grid, tmp_path / "out")
    shutil.copyfile(last, first)
    with pytest.raises(MeaningsError, match="step 0: its weights are not those that were planned"):
        run.run_plan(plan, tmp_path / "out", progress=False)
    assert not finished(tmp_path / "out")
    run_study(grid, tmp_path / "out", progress=False)  # planned anew, with the weights of now
    found = provenance_of(tmp_path / "out")
    assert (
        set(found["weights_sha256"])
        == set(found["loaded_weights_sha256"])
        != {plan.cells[0].subject.weights_sha256}
    )


def test_weights_are_hashed_once_and_the_folder_is_never_listed(world, tmp_path, monkeypatch):
    hashed, hash_of = [], weights._hash.__wrapped__
    counting = lru_cache(lambda files, state: (hashed.append(files), hash_of(files, state))[1])
    monkeypatch.setattr(weights, "_hash", counting)
    for module in (cell_files, results):
        monkeypatch.setattr(module, "finished", lambda folder: pytest.fail("the folder is listed"))
    for _ in range(2):
        run_study(GRID, tmp_path, progress=False)
    assert len(hashed) == len(STEPS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pair": ["fr-es"]}, "unknown parameter 'pair'; allowed are model, training_seeds"),
        ({"n_pairs": "64"}, "n_pairs='64' is refused: input should be a valid integer"),
        ({"n_pairs": 64.5}, "n_pairs=64.5 is refused"),
        ({"n_pairs": 0}, "n_pairs=0 is refused: input should be greater than or equal to 1"),
        ({"n_pairs": True}, "n_pairs=True is refused"),
        (
            {"pairs": "fr-es"},
            "pairs='fr-es' is refused: input should be a valid list .*such as \"fr-es\"",
        ),
        ({"pairs": []}, "pairs=\\[\\] is refused"),
        ({"pairs": [False]}, r"pairs\[0\]=False is refused.*unquoted no"),
        (
            {"languages": ["en", False]},
            r"languages\[1\]=False is refused.*YAML reads an unquoted no.*language codes",
        ),
        ({"languages": "every"}, "languages='every' is refused"),
        ({"conditions": 3}, "conditions=3 is refused"),
        (
            {"dtype": "float64"},
            "dtype='float64' is refused: input should be 'float32', 'float16' or 'bfloat16'",
        ),
        ({"generate_patched": "first"}, "'every', 'last' or 'never'"),
        ({"steps": [1, 2.5]}, r"steps\[1\]=2.5 is refused"),
        ({"lexicon": None}, "lexicon=None is refused"),
        ({"model": ""}, "model='' is refused"),
        ({"prompt_seeds": {1, 2}}, "prompt_seeds=.* is not a text, a number or a list"),
    ],
)
def test_a_malformed_grid_is_refused_in_one_line_that_names_the_value(values, message):
    with pytest.raises(MeaningsError, match=message) as refusal:
        parse_grid(values)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "maxiature"}, "no trajectory of model 'maxiature'.*miniature seed-0"),
        ({"training_seeds": (7,)}, "training seed 7"),
        ({"training_seeds": (0, 0)}, "training_seeds 0, 0: one is named twice"),
        ({"steps": (11,)}, "no checkpoint at step 11.*0, 10, 20"),
        ({"pairs": ("fr-fr",)}, "pair 'fr-fr'.*two different languages"),
        ({"pairs": ("fr-xx",)}, "unknown language 'xx'"),
        (
            {"pairs": ("fr-zh",)},
            "lexicon embedded lacks language 'zh'; allowed are en, fr, de, es, pl",
        ),
        ({"pairs": ("fres",)}, "'fres' is not two codes"),
        ({"languages": ("en", "zh")}, "language 'zh' is not in lexicon"),
        ({"conditions": ("seen", "unseen")}, "unknown condition 'unseen': allowed are seen, en_en"),
        (
            {"conditions": ("self",), "pairs": ("de-en",)},
            "condition 'self' is not defined for any of the pairs de-en: it needs an output",
        ),
        ({"template": "plain"}, "template 'plain': allowed are quoted"),
        ({"lexicon": "nowhere.csv"}, "no such file"),
        ({"prompt_seeds": (-1,)}, "a seed is 0 or more"),
    ],
)
def test_a_grid_that_asks_for_what_is_not_there_is_refused_and_nothing_is_written(
    world, tmp_path, change, message
):
    with pytest.raises(MeaningsError, match=message):
        run_study(GRID.model_copy(update=change), tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_run_that_keeps_going_measures_the_others_and_ends_in_an_error_that_names_the_damaged(
    world, tmp_path, damage
):
    folder = tmp_path / "model"
    shutil.copytree(world / "data" / "miniature" / "seed-0", folder)
    weights = folder / f"step-{STEPS[1]:06}" / "model.safetensors"
    if damage == "missing":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:-64])
    grid = GRID.model_copy(update={"model": str(folder), "pairs": ("fr-es",)})
    with pytest.raises(MeaningsError, match=f"step-{STEPS[1]:06}"):
        run_study(grid, tmp_path / "stops", progress=False)
    with pytest.raises(
        MeaningsError,
        match=rf"1 checkpoints could not be measured, all others are in .*step-{STEPS[1]:06}",
    ) as refusal:
        run_study(grid, tmp_path / "goes", progress=False, keep_going=True)
    assert "\n" not in str(refusal.value)
    steps = set(provenance_of(tmp_path / "goes")["step"])
    assert steps == {STEPS[0], STEPS[2]}


def test_a_model_of_the_hub_is_measured_from_the_cache_pinned_and_dropped_after_use(
    world, tmp_path, monkeypatch
):
    from huggingface_hub import constants

    run = world / "data" / "miniature" / "seed-0"
    cache = tmp_path / "hub" / "models--me--mine"
    for step in STEPS[:2]:
        snapshot = cache / "snapshots" / f"{step:040d}"
        shutil.copytree(run / f"step-{step:06}", snapshot)
        shutil.copytree(run / "tokenizer", snapshot, dirs_exist_ok=True)
        (cache / "refs").mkdir(exist_ok=True)
        (cache / "refs" / f"at-{step}").write_text(f"{step:040d}")
    (cache / "blobs").mkdir()
    (tmp_path / "models.yaml").write_text(
        "mine: {hub: me/mine, revisions: 'at-{step}', seen: [en, fr, de, es, pl]}"
    )
    monkeypatch.setenv("MEANINGS_MODELS", str(tmp_path / "models.yaml"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    grid = GRID.model_copy(update={"model": "mine", "pairs": ("fr-es",)})
    run_study(grid, tmp_path / "out", progress=False, drop=True)
    found = provenance_of(tmp_path / "out")
    assert set(zip(found["step"], found["revision"], found["commit"], strict=True)) == {
        (s, f"at-{s}", f"{s:040d}") for s in STEPS[:2]
    }
    assert set(found["source"]) == {"me/mine"} and not list(cache.parent.rglob("*.safetensors"))


def test_a_model_without_seen_languages_is_told_how_to_name_them(world, tmp_path):
    content = json.loads((world / "data" / "miniature" / "seed-0" / "trajectory.json").read_text())
    for row in content["checkpoints"]:
        (tmp_path / row["folder"]).mkdir()
    (tmp_path / "trajectory.json").write_text(json.dumps(content | {"seen": []}))
    with pytest.raises(
        MeaningsError, match='has seen none; name more under "seen" in its trajectory.json, or in'
    ):
        check_grid(GRID.model_copy(update={"model": str(tmp_path)}))


@pytest.mark.parametrize("place", ["trajectory.json", "models.yaml"])
@pytest.mark.parametrize("name", ["seen", "null_concept", "one_pair"])
def test_a_condition_of_seen_languages_says_how_many_it_needs(
    world, tmp_path, monkeypatch, place, name
):
    content = json.loads((world / "data" / "miniature" / "seed-0" / "trajectory.json").read_text())
    for row in content["checkpoints"]:
        (tmp_path / row["folder"]).mkdir()
    model = str(tmp_path)
    if place == "trajectory.json":
        (tmp_path / place).write_text(json.dumps(content | {"seen": ["en", "fr", "es", "de"]}))
    else:
        mine = {"folders": ["step-{step}"], "root": str(tmp_path), "seen": ["en", "fr", "es", "de"]}
        (tmp_path / place).write_text(json.dumps({"mine": mine}))
        monkeypatch.setenv("MEANINGS_MODELS", str(tmp_path / place))
        model = "mine"
    grid = GRID.model_copy(update={"model": model, "conditions": (name,), "pairs": ("fr-es",)})
    with pytest.raises(MeaningsError) as refusal:
        check_grid(grid)
    said = str(refusal.value)
    assert "needs at least two seen languages besides English and those of the pair" in said
    assert "has seen de, en, es, fr; name more under" in said and place in said
    check_grid(grid.model_copy(update={"pairs": ("en-fr",)}))


def test_a_language_that_the_model_lacks_is_refused(world, tmp_path):
    content = json.loads((world / "data" / "miniature" / "seed-0" / "trajectory.json").read_text())
    for row in content["checkpoints"]:
        (tmp_path / row["folder"]).mkdir()
    (tmp_path / "trajectory.json").write_text(
        json.dumps(content | {"languages": {"en": {}, "fr": {}}})
    )
    with pytest.raises(MeaningsError, match="lacks language 'es'; allowed are en, fr"):
        check_grid(GRID.model_copy(update={"model": str(tmp_path)}))


def test_the_default_grid_file_is_the_default_grid():
    assert read_grid(ROOT / "book" / "parameters" / "default.yaml") == Grid()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("pairs: [no, fr-es]", r"pairs\[0\]=False is refused.*unquoted no"),
        ("n_pairs: 8\nn_pairs: 9", "'n_pairs' occurs twice"),
        ("n_pairs: 1e1", "n_pairs='1e1' is refused"),
        ("model: 2024-01-01", "model=datetime.* put text in quotes"),
        ("- model", "expected lines `name: value`, found list"),
        ("model: [", "not valid YAML"),
        ("no: 3", "unknown parameter False"),
        ("? [a, b]\n: 3", "unknown parameter|not valid YAML"),
    ],
)
def test_a_grid_file_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "grid.yaml"
    path.write_text(content)
    with pytest.raises(MeaningsError, match=message) as refusal:
        read_grid(path)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


def test_an_empty_or_missing_grid_file(tmp_path):
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert read_grid(tmp_path / "empty.yaml") == Grid()
    with pytest.raises(MeaningsError, match="cannot be read"):
        read_grid(tmp_path / "none.yaml")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 99)
    | st.floats(allow_nan=False)
    | st.text(max_size=6),
    lambda x: st.lists(x, max_size=3),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(list(Grid.model_fields)), VALUES, max_size=3))
def test_any_values_make_a_grid_or_one_line(values):
    try:
        grid = parse_grid(values)
    except MeaningsError as refusal:
        assert "\n" not in str(refusal)
    else:
        assert isinstance(grid, Grid)
