"""Networks whose truth is known: the constructed weights do what their formula says, and the
instrument reports the truth.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from meanings.book.tables.trust import known_truth
from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import parse_pair
from meanings.measures.results import read_cells
from meanings.patching.self_test import check_patching
from meanings.prompts.concept_pairs import draw_concept_pairs
from meanings.prompts.prompt import translation_prompt
from meanings.statistics.depth import depth
from meanings.study.grid import Grid
from meanings.study.run import run_study
from meanings.validity import constructed_network
from meanings.validity.ground_truth import GAIN, NEVER, GroundTruth
from meanings.validity.known_truth import (
    NOISE,
    coverage,
    layers_reported,
    measured,
    onsets_reported,
)

TRUTH = GroundTruth(
    n_concepts=16, meeting_layer=3
)  # the layer before the reading one: off by one is seen
NOISY = replace(TRUTH, **NOISE)


def words_of_their_own(truth):
    """Tokens that are no words."""
    return len(constructed_network.tokenizer(truth)) - truth.n_concepts * len(truth.languages)


def test_the_network_passes_the_self_test_and_translates_with_and_without_a_meeting():
    for checkpoint in (0, 7):
        check_patching(constructed_network.load(TRUTH, checkpoint))
        assert measured(TRUTH, checkpoint, ("src_unpatched",))["p_source"].min() > 0.99


@pytest.mark.parametrize("checkpoint", [0, 2, 4, 7])
def test_a_patch_gives_the_probability_of_the_formula(checkpoint):
    """`seen` gives p(G a(c)) below the reading layer, one language p(G (1 + a(c))), whatever else
    differs between prompts.
    """
    cells = measured(NOISY, checkpoint, ("seen", "tgt"))
    amount = dict(zip(NOISY.concepts, NOISY.amounts[checkpoint], strict=True))
    others = words_of_their_own(NOISY)
    for condition, private in (("seen", 0), ("tgt", 1)):
        rows = cells[
            (cells["condition"] == condition) & (cells["first_layer"] < NOISY.reading_layer)
        ]
        z = GAIN * (private + rows["source_concept"].map(amount).to_numpy())
        np.testing.assert_allclose(rows["p_source"], NOISY.probability(z, others), atol=2e-3)
        late = cells[
            (cells["condition"] == condition) & (cells["first_layer"] >= NOISY.reading_layer)
        ]
        assert late["p_source"].max() < 0.01


def test_one_layer_alone_gives_the_probability_of_the_formula():
    """One language's vector serves below the reading layer, the mean over languages only where the
    shared code is there.
    """
    truth = replace(NOISY, meeting_layer=2, n_layers=5)
    rows = measured(truth, 4, ("seen", "tgt"), layers="only")
    amount = (
        rows["source_concept"]
        .map(dict(zip(truth.concepts, truth.amounts[4], strict=True)))
        .to_numpy()
    )
    layer, one = rows["first_layer"].to_numpy(), (rows["condition"] == "tgt").to_numpy()
    served = (layer < truth.reading_layer) & (one | (layer >= truth.meeting_layer))
    expected = truth.probability(GAIN * (one + amount), words_of_their_own(truth))
    np.testing.assert_allclose(rows["p_source"][served], expected[served], atol=2e-3)
    assert rows["p_source"][~served].max() < 1.1 / truth.n_concepts
    assert unmediated(truth, constructed_network.load(truth, 4)) == pytest.approx(
        rows[(rows["condition"] == "tgt") & (rows["first_layer"] == 1)]["p_source"].iloc[0],
        abs=1e-4,
    )


def unmediated(truth, model):
    """The same patch at layer 1 alone by a PyTorch hook on the whole prompt, no prefixes, no
    carried rows.
    """
    words = constructed_network.lexicon(truth)
    drawn = draw_concept_pairs(words, model.tokenizer, words.languages, 16, 2, 42)[0]
    pair = parse_pair("fr-es")
    target = translation_prompt(words, model.tokenizer, pair, drawn.target, drawn.target_shots)
    source = translation_prompt(words, model.tokenizer, pair, drawn.source, drawn.source_shots)
    ids = [torch.tensor([prompt.token_ids]) for prompt in (source, target)]
    with torch.no_grad():
        state = model.network(ids[0], output_hidden_states=True).hidden_states[2][
            0, source.query_position
        ]

        def write(_module, _inputs, output):
            output[0, target.query_position] = state
            return output

        handle = model.network.model.layers[1].register_forward_hook(write)
        logits = model.network(ids[1]).logits[0, -1]
        handle.remove()
    return float(
        logits.softmax(-1)[model.tokenizer.convert_tokens_to_ids(words.word(drawn.source, "es"))]
    )


LAYERS = [(m, r) for r in range(1, 4) for m in range(4)]  # six layers: the published table, below


@pytest.mark.parametrize(("meeting", "reading"), LAYERS)
def test_the_layers_reported_are_the_layers_chosen(meeting, reading):
    """One layer alone tells where languages meet, the published sweep where the word is read; with
    m >= r there is nothing to find.
    """
    found = layers_reported(
        replace(TRUTH, n_layers=4, n_concepts=9, meeting_layer=meeting, reading_layer=reading)
    )
    answers = found[found["by"] == "one layer alone"], found[found["what"] == "reading layer"]
    for row in (each.iloc[0] for each in answers):
        assert row["reported"] == row["true"] and row["low"] <= row["true"] <= row["high"]
    blind = found[(found["what"] == "meeting layer") & (found["by"] == "all later layers")].iloc[0]
    assert blind["reported"] == (0 if meeting < reading else -1)  # whatever the meeting layer is


@pytest.mark.parametrize("when", range(NEVER, 5))
def test_the_onset_reported_is_the_checkpoint_chosen(when):
    short = replace(
        TRUTH, n_layers=3, meeting_layer=0, reading_layer=1, n_concepts=9, steps=TRUTH.steps[:5]
    )
    found = onsets_reported(replace(short, meets_from=when)).set_index("by")
    seen = found.loc["seen"]
    if when == NEVER:
        assert seen["reported"] == seen["true"] == np.inf
        return
    steps = [step * 1000 for step in TRUTH.steps]
    assert (steps[when - 1] if when else -1) < seen["reported"] <= steps[when]
    assert found.loc[["self", "tgt"], "reported"].tolist() == [
        0,
        0,
    ]  # translating never waited for the meeting
    assert seen["low"] <= seen["true"] * 1.02 and seen["high"] >= seen["true"] * 0.98


def test_intervals_of_the_onset_cover_at_about_their_level():
    for when in (2, 4):
        for concepts in (24, 64):
            found = coverage(
                GroundTruth(meets_from=when, n_concepts=concepts, **NOISE), runs=120, n=300
            )
            assert 0.86 <= found["covers"] <= 0.995


def test_the_published_trials_are_whole_and_right():
    """Six layers and eight checkpoints, every choice."""
    table = known_truth()
    layers = table[
        table["what"].isin(["meeting layer", "reading layer"]) & (table["by"] != "all later layers")
        | (table["what"] == "reading layer")
    ]
    assert len(layers) == 2 * 30 and (layers["reported"] == layers["true"]).all()
    steps = table[(table["what"] == "onset, a step") & (table["by"] == "seen")]
    assert len(steps) == 9 and (np.isinf(steps["reported"]) == np.isinf(steps["true"])).all()
    there = steps[np.isfinite(steps["true"])]
    np.testing.assert_allclose(there["reported"], there["true"], rtol=0.02)
    assert table.loc[table["what"] == "coverage", "reported"].between(0.85, 0.99).all()


def test_a_constructed_run_on_disk_is_studied_as_any_model(tmp_path):
    folder = constructed_network.write(
        replace(TRUTH, steps=(0, 100, 200), meets_from=1), tmp_path / "truth"
    )
    again = constructed_network.write(
        replace(TRUTH, steps=(0, 100, 200), meets_from=1), tmp_path / "again"
    )
    names = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert all((folder / name).read_bytes() == (again / name).read_bytes() for name in names)
    grid = Grid(
        model=str(folder),
        lexicon=str(folder / "words.csv"),
        checkpoints=3,
        pairs=("fr-es",),
        conditions=("seen", "null_concept", "src_unpatched"),
        n_pairs=8,
        shots=2,
        generate=3,
        generate_patched="every",
    )
    run_study(grid, tmp_path / "results", progress=False, device="cpu")
    cells = read_cells(tmp_path / "results")
    seen = cells[(cells["condition"] == "seen") & (cells["first_layer"] == 0)].groupby("step")
    assert list(seen["p_source"].mean() > 0.9) == [False, True, True]
    assert list(seen["answer_correct_source"].mean() == 1) == [False, True, True]


def test_a_construction_that_cannot_be_is_refused(tmp_path):
    for wrong in ({"meeting_layer": 6}, {"reading_layer": 0}, {"meets_from": 8}):
        with pytest.raises(MeaningsError):
            replace(TRUTH, **wrong)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("")
    with pytest.raises(MeaningsError, match="not empty"):
        constructed_network.write(TRUTH, tmp_path / "there")


def test_depth_needs_an_effect_and_a_null():
    cells = measured(replace(TRUTH, meets_from=NEVER), 7, ("seen", "null_concept"))
    assert depth(cells)["layer"].tolist() == [-1, -1]
    with pytest.raises(MeaningsError, match="null_concept"):
        depth(cells[cells["condition"] == "seen"])
