"""What `pip install` gives: the library with its data, in a folder far from the checkout."""

from pathlib import Path

import pytest
import yaml

from stand_ins import study_data, wheel
from stand_ins.commands import run_all

ROOT = Path(__file__).parents[2]
LOOK = """
import json
from pathlib import Path
import meanings
from meanings.core.paths import data_folder, parameters_file
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.results import published
from meanings.models.checkpoints import shipped, trajectory
print(json.dumps({
    "package": meanings.__file__,
    "data": str(data_folder()),
    "parameters": str(parameters_file("default")),
    "rows": len(published("word_overlap")),
    "concepts": len(load_lexicon("embedded")),
    "steps": trajectory("miniature").steps[-1],
    "models": list(shipped()),
}))
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    return wheel.installed(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def empty(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def relevant(folder: Path) -> set[str]:
    """Files of data and of parameters in a checkout, but for weights, by their paths."""
    weighty = ("gemma-3-270m/", "__")
    found = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    return {
        name
        for name in found
        if not name.endswith((".safetensors", ".py", ".pyc")) and not name.startswith(weighty)
    }


def test_the_package_carries_all_data_and_no_weights(target):
    package = target / "meanings"
    assert relevant(package / "data") == relevant(ROOT / "data")
    assert relevant(package / "parameters") == relevant(ROOT / "book" / "parameters")
    assert not [*target.rglob("*.safetensors"), *target.rglob("*gemma-3-270m/*")]
    modules = {str(file.relative_to(ROOT / "lib")) for file in (ROOT / "lib").rglob("*.py")}
    assert modules == {
        str(file.relative_to(target))
        for file in target.rglob("*.py")
        if not file.is_relative_to(package / "data")
    }
    notices = {"LICENSE", "NOTICE", "NOTICE_WORDNET"}
    assert notices <= {file.name for file in target.glob("*.dist-info/licenses/**/*")}


def test_an_installed_package_finds_its_own_data(target, empty):
    said = wheel.run(target, empty, "-c", LOOK)
    assert not said.returncode, said.stderr
    found = yaml.safe_load(said.stdout)
    assert Path(found["package"]).is_relative_to(target)
    assert Path(found["data"]) == target / "meanings" / "data"
    assert Path(found["parameters"]) == target / "meanings" / "parameters" / "default.yaml"
    assert found["rows"] > 100 and found["concepts"] > 500 and found["steps"] == 7500
    assert found["models"] == ["miniature"]


def test_a_model_of_ones_own_is_measured_and_exported_without_the_checkout(target, empty, tmp_path):
    data = study_data.make_world(tmp_path / "own", n_concepts=40)
    model, words = data / "miniature" / "seed-0", data / "lexicon" / "lexicon.csv"
    grid = {"pairs": ["en-fr"], "n_pairs": 8, "shots": 2, "generate": 0, "checkpoints": 2}
    grid |= {"languages": ["en", "fr"], "conditions": ["tgt"]}
    (empty / "grid.yaml").write_text(yaml.safe_dump(grid))
    given = ["study", "grid.yaml", "--quiet", "--model", str(model)]
    studies = [
        [*given, "--lexicon", lexicon, "--out", name]
        for name, lexicon in (("own", str(words)), ("embedded", "embedded"))
    ]
    others = ["export set --published word_overlap".split(), "study grid.yaml --dry-run".split()]
    own, embedded, export, refused = run_all([*studies, *others], empty, wheel.environment(target))
    assert own.code == embedded.code == 0, (own.err, embedded.err)
    assert own.out.startswith("2 cells in own, 2 of them new"), own.err
    assert embedded.out.startswith("2 cells in embedded, 2 of them new"), embedded.err
    assert not export.code and list((empty / "set" / "data").glob("*.parquet")), export.err
    # The grid's own model is the miniature, whose weights the package lacks.
    assert refused.code == 2 and refused.err.count("\n") == 1
    assert "clone the project's repository" in refused.err and "MEANINGS_DATA" in refused.err
