"""The world `apart` is measured by all companion measures, in its own signs."""

import pytest

from meanings.core.yaml_files import read_mapping
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.expert_units import memberships
from meanings.measures.relations import relations_of
from meanings.measures.results import read_cells
from meanings.miniature.corpus import load_corpus
from meanings.miniature.recipe import Mix
from meanings.miniature.training import train
from meanings.miniature.worlds import load_world
from meanings.study.grid import Grid, check_grid
from meanings.study.run import run_study
from stand_ins.recipes import RECIPE

GRID = RECIPE.parents[1] / "book" / "parameters" / "companions-apart.yaml"
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 1}
BRIEF = {"steps": 4, "rows": 2, "row_length": 32, "checkpoints": [0, 4]}


@pytest.fixture
def grid(quick, tmp_path):
    values = load_world(RECIPE, "apart").mix.model_dump()
    values["model"] |= SMALL | HEADS
    values["training"] |= BRIEF
    corpus = load_corpus(RECIPE, Mix.model_validate(values), load_lexicon("embedded"))
    home = train(corpus, 0, tmp_path / "apart", progress=False, name="apart")
    raw = read_mapping(GRID)
    raw |= {"model": str(home), "lexicon": str(home / "signs.csv")}
    return Grid.model_validate({k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()})


def test_every_companion_measure_accepts_it(grid, tmp_path):
    checked = check_grid(grid)
    names, members = memberships(checked.lexicon)
    assert len(names) == 16 and members.any(axis=0).sum() > 400
    assert [relation.name for relation in relations_of(checked.lexicon)] == ["broader", "associate"]
    brief = grid.model_copy(
        update={
            "measures": ("retrieval", "expert_units", "relations"),
            "steps": (4,),
            "settings": {"retrieval": {"permutations": 20}, "relations": {"permutations": 20}},
        }
    )
    plan = run_study(brief, tmp_path / "results", progress=False)
    for cell in plan.cells:
        rows = read_cells(tmp_path / "results", [cell.key])
        assert set(rows["model"]) == {"apart"} and rows["value"].notna().all()
        assert set(rows["split"]) <= {"never", "all"}  # nothing side by side, no shared token
