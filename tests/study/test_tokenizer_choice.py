"""A study whose tokenizer.json and transformers disagree stops before its first cell; the choice
that is made then stands in the key and in the provenance.
"""

import json

import pytest

from meanings.core.errors import MeaningsError
from meanings.measures.cell_files import read_metadatas
from meanings.measures.results import read_cells
from meanings.study.grid import Grid, parse_grid
from meanings.study.plan import plan_study
from meanings.study.recompute import recompute
from meanings.study.run import run_study
from stand_ins.study_data import STEPS, make_world

GRID = Grid(
    steps=(STEPS[-1],), pairs=("fr-es",), n_pairs=6, shots=2, generate=0, conditions=("tgt",)
)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A study whose tokenizer puts a space before a text, while the class named for it does not."""
    make_world(tmp_path / "data")
    folder = tmp_path / "data" / "miniature" / "seed-0" / "tokenizer"
    definition = json.loads((folder / "tokenizer.json").read_text())
    definition["pre_tokenizer"]["add_prefix_space"] = True
    (folder / "tokenizer.json").write_text(json.dumps(definition))
    named = {"tokenizer_class": "GPT2TokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    named["unk_token"] = "<s>"
    (folder / "tokenizer_config.json").write_text(json.dumps(named))
    monkeypatch.setenv("MEANINGS_DATA", str(tmp_path / "data"))
    return tmp_path


def chosen(tokenizer: str) -> Grid:
    return GRID.model_copy(update={"tokenizer": tokenizer})


def told(folder, grid):
    (content,) = read_metadatas(folder, plan_study(grid, folder).keys)
    provenance = content["provenance"]
    return provenance["tokenizer_read"], provenance["tokenizer_file_and_library"]


def test_nothing_is_measured_before_a_person_has_chosen(world):
    out = world / "results"
    with pytest.raises(MeaningsError, match="tokenizer.json: of .*tokenizer=file .*tokenizer=lib"):
        run_study(GRID, out, progress=False)
    assert not list(out.rglob("*.parquet"))


def test_the_choice_stands_in_key_and_provenance(world):
    out = world / "results"
    (agreed,), (file,), (library,) = (
        plan_study(chosen(way), out).cells for way in ("agreed", "file", "library")
    )
    assert agreed.key == file.key != library.key
    assert (file.subject.tokenizer, library.subject.tokenizer) == ("file", "library")
    run_study(chosen("file"), out, progress=False)
    assert told(out, chosen("file")) == ("file", "other tokens")
    run_study(chosen("library"), out, progress=False)
    assert told(out, chosen("library")) == ("library", "other tokens")
    by_way = {way: read_cells(out, [cell.key]) for way, cell in (("file", file), ("l", library))}
    assert (by_way["file"]["tokenizer"] == "file").all()
    assert (by_way["l"]["tokenizer"] == "library").all()
    assert not by_way["file"]["p_source"].equals(by_way["l"]["p_source"])
    for table, cell in ((by_way["file"], file), (by_way["l"], library)):
        again = recompute([cell])[cell.key]
        assert again["p_source"].to_numpy() == pytest.approx(table["p_source"].to_numpy(), abs=1e-5)


def test_other_words_for_the_choice_are_refused():
    with pytest.raises(MeaningsError, match="tokenizer.*agreed.*file.*library"):
        parse_grid({"tokenizer": "hub"})
