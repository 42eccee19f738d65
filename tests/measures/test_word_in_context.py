"""AM2iCo's rows on states that are known, and through the study's machinery."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from meanings.core.errors import MeaningsError
from meanings.core.status_line import unreported
from meanings.corpora.am2ico import Am2ico, Context, Row
from meanings.measures.base import Shared
from meanings.measures.meaning_in_context import MEASURE, Settings
from meanings.measures.results import read_cells
from meanings.measures.word_in_context import word_in_context_rows
from meanings.measures.word_in_context_data import States, WordsInContext
from meanings.models.target_states import TargetStates
from meanings.study.grid import Grid
from meanings.study.run import run_study
from stand_ins import small_model
from stand_ins.study_data import make_world, small_lexicon

N_DEV, N_TEST, WIDTH = 40, 80, 16


def made_rows(count):
    return tuple(
        Row(Context("the ", "cat"), Context("a ", "dog"), same=i % 2 == 0) for i in range(count)
    )


SET = Am2ico("made", {"de": {"dev": made_rows(N_DEV), "test": made_rows(N_TEST)}}, {})
SAME = np.array([i % 2 == 0 for i in (*range(N_DEV), *range(N_TEST))])


@dataclass(frozen=True)
class Known(States):
    """States that are given."""

    given: dict

    def of(self, code):
        return self.given


def found(in_context, alone):
    """Rows of states that lie at one place for pairs of one meaning, where a flag says so."""
    rng = np.random.default_rng(0)
    own, strange, noise = rng.normal(size=(3, N_DEV + N_TEST, WIDTH)).astype(np.float32)
    same = np.where(SAME[:, None], own, strange)
    shift = np.float32(5)  # a language's mean is taken off
    of = {
        "other": TargetStates(*(own[None] + shift for _ in range(3)), cut=0),
        "english": TargetStates(
            *(
                (same if read else each)[None] - shift
                for read, each in zip((in_context, alone, False), (noise,) * 3, strict=True)
            ),
            cut=0,
        ),
    }
    states = Known(None, WordsInContext(SET, 64), unreported, of)
    rows = pd.DataFrame(list(word_in_context_rows(states, 50, 0)))
    assert (rows["n"] == rows["split"].map({"dev": N_DEV, "test": N_TEST})).all()
    return rows.set_index(["variant", "split"])


def test_a_perfect_reader_has_an_area_of_one_and_a_gain_over_the_word_alone():
    rows = found(True, False)
    for variant in ("auc", "accuracy"):
        assert rows.loc[(variant, "test"), "value"] > 0.98
        assert rows.loc[(variant, "test"), "null"] == pytest.approx(0.5, abs=0.05)
    gain = rows.loc[("gain", "test")]
    assert gain["low"] > 0.2 and gain["null_low"] < 0 < gain["null_high"]
    alone = rows.loc[("word_only_auc", "test")]
    assert alone["null_low"] - 0.05 <= alone["value"] <= alone["null_high"] + 0.05


def test_pairs_that_the_words_decide_alone_give_no_gain():
    rows = found(True, True)
    assert rows.loc[("word_only_auc", "test"), "value"] > 0.98
    assert rows.loc[("gain", "test"), ["value", "low", "high"]].tolist() == [0, 0, 0]


def test_states_are_kept_on_disk_and_are_those_that_were_read(tmp_path, monkeypatch):
    model = small_model.model(small_model.tokenizer(small_model.lexicon()))
    kept = WordsInContext(SET, 64, tmp_path).states(model, Shared()).of("de")
    plain = WordsInContext(SET, 64).states(model, Shared()).of("de")
    monkeypatch.setattr("meanings.models.target_states.target_states", None)
    again = WordsInContext(SET, 64, tmp_path).states(model, Shared()).of("de")
    for side in ("other", "english"):
        for name in ("in_context", "word_only", "context_only"):
            one = np.asarray(getattr(kept[side], name))
            np.testing.assert_array_equal(one, getattr(again[side], name))
            np.testing.assert_allclose(one, getattr(plain[side], name), atol=1e-5)
        assert kept[side].cut == again[side].cut == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_tokens_kept_and_content_are_a_part_of_the_key():
    assert WordsInContext(SET, 64).identity.languages == ("de", "en")
    hashes = {WordsInContext(SET, most).identity.sha256 for most in (32, 64)}
    assert len(hashes) == 2


def test_files_that_are_not_there_are_refused_before_anything_is_run(tmp_path):
    settings = Settings(am2ico={"folder": str(tmp_path), "languages": ("de",)})
    with pytest.raises(MeaningsError, match="no dev file of 'de'") as error:
        MEASURE.check(settings, small_model.lexicon(), [])
    assert "\n" not in str(error.value)


def write_set(folder):
    """Files in AM2iCo's layout: words and contexts of the small lexicon, half of one meaning."""
    words = [small_lexicon().words(concept, "en")[0] for concept in small_lexicon().concepts[:12]]
    rows = [
        f"the {words[i % 7]} <word>{words[i % 12]}</word> .\t"
        f"a <word>{words[(i + (i % 2) * 5) % 12]}</word> .\t{'FT'[i % 2 == 0]}\n"
        for i in range(N_DEV)
    ]
    folder.mkdir()
    for split in ("dev", "test"):
        text = "context1\tcontext2\tlabel\n" + "".join(rows)
        (folder / f"de-{split}.tsv").write_text(text, encoding="utf-8")
    return folder


def test_a_study_measures_it_at_every_checkpoint_and_reads_it_back(tmp_path, monkeypatch):
    monkeypatch.setenv("MEANINGS_DATA", str(make_world(tmp_path / "data")))
    am2ico = {"folder": str(write_set(tmp_path / "set")), "languages": ("de",)}
    settings = {"meaning_in_context": {"am2ico": am2ico, "permutations": 20}}
    grid = Grid(checkpoints=2, measures=("meaning_in_context",), settings=settings)
    plan = run_study(grid, tmp_path / "results", progress=False)
    assert len(plan.missing) == 2
    table = read_cells(tmp_path / "results")
    assert set(table["step"]) == {0, 20} and set(table["layer"]) == {0, 1, 2, 3}
    assert set(table["split"].astype(str)) == {"dev", "test"} and set(table["n"]) == {N_DEV}
    assert {"auc", "gain", "word_only_auc", "accuracy"} <= set(table["variant"].astype(str))
    auc = table[table["variant"].astype(str) == "auc"]
    assert auc["value"].between(0, 1).all() and (auc["low"] <= auc["high"]).all()
    assert run_study(grid, tmp_path / "results", progress=False).missing == ()
