"""What the sections "At scale" tell a reader to type works: their commands and their Python run as
they stand, on tiny models that a hub on the loopback interface serves as the public ones are laid
out.

What differs from a reader's run: the hub's address and the size. The grids are those of the pages
with the steps, prompts and permutations of `SHORTER`, the lexicon has fewer concepts, and the
models are those of `MEASURED`.
"""

import ast
import json
import re
import shlex
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy
import torch
import yaml
from safetensors.torch import save
from transformers import LlamaConfig, LlamaForCausalLM

from meanings.measures.results import published
from meanings.models.registry import registry
from meanings.study.grid import read_grid
from stand_ins import hub as served
from stand_ins.forks import ForkServer
from stand_ins.study_data import make_world

ROOT = Path(__file__).parents[2]
CHAPTERS = ROOT / "book"
NAMES = ("transfer", "early_alignment", "shared_vocabulary")
GRIDS = Path("book/parameters/at-scale")
REPO = "UCLNLP/monoweb"
STEPS = (2000, 34000)
CONCEPTS, N_PAIRS = 60, 4
# The models whose commands are run. Of the others of `transfer`, the names and grids are checked.
MEASURED = (
    "monoweb-en-de-monoweb",
    "monoweb-en-es-monoweb",
    "monoweb-en-fr-baseline",
    "monoweb-en-fr-monoweb",
    "monoweb-en-fr-onlyparallel",
    "monoweb-en-fr-onlycodeswitch",
)
FEW = {"permutations": 20}
SHORTER = {
    "steps": list(STEPS),
    "n_pairs": N_PAIRS,
    "shots": 1,
    "settings": {name: FEW for name in ("retrieval", "cka")},
}
MEASURES = {"patching", "retrieval", "cka"}
CELLS = len(STEPS) * (4 + 2)  # conditions of one language pair, and companion measures
PROGRAM = ".venv/bin/meanings"


def blocks(name: str, kind: str) -> list[str]:
    """The fenced blocks of a kind in a chapter's section."""
    text = (CHAPTERS / f"{name}.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## At scale\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return re.findall(rf"^```{kind}\n(.*?)^```$", section, re.M | re.S)


def commands(name: str) -> list[list[str]]:
    """Its commands, as words without the program."""
    lines = [shlex.split(line) for block in blocks(name, "bash") for line in block.splitlines()]
    assert lines and all(line[0] == PROGRAM for line in lines)
    return [line[1:] for line in lines]


def models(name: str) -> list[str]:
    """The models that its commands measure."""
    return [words[words.index("--model") + 1] for words in commands(name) if "--model" in words]


def weights(seed: int, n_tokens: int) -> dict[str, bytes]:
    """The files of a random Llama with two layers."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=n_tokens,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.3,
    )
    network = LlamaForCausalLM(config)
    config.architectures = ["LlamaForCausalLM"]
    return {
        "config.json": config.to_json_string().encode(),
        "model.safetensors": save(network.state_dict(), {"format": "pt"}),
    }


def repository(world: Path) -> dict[str, bytes]:
    """All twelve models in folders of one repository, at two steps each, their tokenizer beside
    the weights.
    """
    tokenizer = served.folder_files(world / "miniature" / "seed-0" / "tokenizer")
    n_tokens = len(yaml.safe_load(tokenizer["tokenizer.json"])["model"]["vocab"])
    places = [entry.subfolders for entry in registry().values() if entry.hub == REPO]
    assert len(places) == 12
    found = {"README.md": b"# Monoweb"}
    for seed, (place, step) in enumerate((place, step) for place in places for step in STEPS):
        files = weights(seed, n_tokens) | tokenizer
        below = place.replace("{step}", str(step))
        found |= {f"{below}/{path}": content for path, content in files.items()}
    return found


def lines() -> list[tuple[str, ...]]:
    """The commands of all sections that are run: each once, those of `MEASURED`, then those that
    publish.
    """
    every = dict.fromkeys(tuple(words) for name in NAMES for words in commands(name))
    studies = [words for words in every if set(words) & set(MEASURED)]
    return [*studies, *(words for words in every if words[0] != "study")]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What the commands said, by their words; the client, in a reader's folder; and the data folder
    in which the tables are.
    """
    folder, data = tmp_path_factory.mktemp("reader"), tmp_path_factory.mktemp("data")
    make_world(data, n_concepts=CONCEPTS)
    (folder / GRIDS).mkdir(parents=True)
    for file in sorted((ROOT / GRIDS).glob("*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8")) | SHORTER
        (folder / GRIDS / file.name).write_text(json.dumps(content), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, served.serving() as server:
        patch.setattr(served, "PAGE", 1000)  # the real hub's; each page costs time
        hub = server.show(served.Hub())
        hub.add(REPO, "main", repository(data))
        environment = served.environment(hub.address, folder / "home")
        told = environment | {"MEANINGS_DATA": str(data)}
        forks, bare = ForkServer(told), ForkServer(told, bare=True)
        client = served.Client(folder, environment, forks, bare)
        try:
            yield {words: client.run(*words) for words in lines()}, client, data
        finally:
            forks.close()
            bare.close()


@pytest.fixture
def tables(measured, monkeypatch):
    """The tables that the commands published are found."""
    said, _, data = measured
    for words, (code, out, err) in said.items():
        assert code == 0, f"{' '.join(words)}\n{out}{err}"
    monkeypatch.setenv("MEANINGS_DATA", str(data))


def shown(name: str) -> pd.DataFrame:
    """What the Python of a section shows."""
    (text,) = blocks(name, "python")
    found: dict = {}
    *before, last = ast.parse(text).body
    exec(compile(ast.Module(before, []), name, "exec"), found)
    return eval(compile(ast.Expression(last.value), name, "eval"), found)


@pytest.mark.parametrize("name", NAMES)
def test_a_section_names_known_models_of_the_languages_of_its_grids(name):
    known = registry()
    for words in commands(name):
        if words[0] == "publish":
            continue
        model, grid = words[words.index("--model") + 1], read_grid(ROOT / words[1])
        assert known[model].hub == REPO and grid.languages == known[model].languages
        assert set(grid.measures) == MEASURES
    assert words == ["publish", "monoweb-{measure}", "--everything", "--out", "_build/monoweb"]


def test_the_sections_measure_the_kinds_that_they_compare():
    pairs = {"en-de", "en-es", "en-fr"}
    kinds = {"baseline", "monoweb", "onlyparallel", "onlycodeswitch"}
    assert set(models("transfer")) == {f"monoweb-{pair}-{kind}" for pair in pairs for kind in kinds}
    assert set(models("early_alignment")) == {f"monoweb-en-fr-{kind}" for kind in kinds}
    assert set(models("shared_vocabulary")) == {f"monoweb-{pair}-monoweb" for pair in pairs}


def test_every_command_does_what_it_says(measured):
    said, client, _ = measured
    for words, (code, out, err) in said.items():
        assert code == 0, f"{' '.join(words)}\n{out}{err}"
        if words[0] == "study":
            assert out.startswith(f"{CELLS} cells in _build/monoweb, {CELLS} of them new"), out
        else:
            assert all(f"monoweb-{measure}.parquet" in out for measure in MEASURES)
    assert not client.cache("**/*.safetensors"), "--drop keeps a checkpoint"
    study = next(words for words in said if words[0] == "study")
    code, out, err = client.run(*study, "--out", "elsewhere", "--dry-run")
    assert code == 0 and f"to fetch first: {len(STEPS)} checkpoints of {REPO}, " in out, err


@pytest.mark.parametrize("measure", sorted(MEASURES))
def test_the_cells_are_those_of_the_models_and_finite(tables, measure):
    rows = published(f"monoweb-{measure}")
    assert set(rows["model"]) == set(MEASURED)
    assert set(rows["step"]) == set(STEPS)
    if measure == "patching":
        conditions = {"self", "tgt", "en_en", "src_unpatched"}
        cells = rows.groupby(["model", "step", "condition"], observed=True)["source_concept"]
        assert set(rows["condition"]) == conditions
        assert cells.nunique().eq(N_PAIRS).all() and len(cells) == len(MEASURED) * 2 * 4
        assert rows["p_source"].between(0, 1).all()
    else:
        whole = rows[rows["split"] == "all"]
        assert np.isfinite(rows["value"]).all() and set(whole["n"]) == {CONCEPTS}
        assert set(whole["layer"]) == {0, 1, 2}


def test_transfer_shows_rank_correlations_of_alignment_with_patching(tables):
    found = shown("transfer")
    assert list(found.columns) == ["en_en", "tgt", "self", "src_unpatched"]
    assert found.abs().le(1 + 1e-9).all(axis=None)
    names = pd.Index(MEASURED).str.split("-")
    views = {
        "as they are": [""] * len(MEASURED),
        "without the mean of each language pair": list(names.str[2]),
        "without the mean of each kind": list(names.str[3]),
    }
    assert list(found.index.get_level_values(0).unique()) == list(views)
    for step, measure in product(STEPS, ("retrieval", "cka")):
        means = pd.DataFrame([values_of(model, step, measure) for model in MEASURED])
        for name, groups in views.items():
            rest = means - means.groupby(groups).transform("mean")
            rho = scipy.stats.spearmanr(rest[0], rest[1]).statistic
            shown_here = found.loc[(name, step, measure), "src_unpatched"]
            assert shown_here == pytest.approx(rho), (name, step, measure)


def values_of(model: str, step: int, measure: str) -> tuple[float, float]:
    """A model's mean of a measure over the layers, and P(source) without a patch."""
    where = {"model": [model], "step": [step]}
    rows, cells = (published(f"monoweb-{name}", where=where) for name in (measure, "patching"))
    variant = {"retrieval": "csls", "cka": "rbf_regressed"}[measure]
    rows = rows[(rows["variant"] == variant) & (rows["split"] == "all")]
    unpatched = cells[cells["condition"] == "src_unpatched"]
    return rows["value"].mean(), unpatched["p_source"].mean()


def test_early_alignment_shows_differences_from_monoweb_at_each_step(tables):
    found = shown("early_alignment")
    kinds = ("onlyparallel", "onlycodeswitch", "baseline")
    assert list(found.index) == [(kind, step) for kind in kinds for step in STEPS]
    assert (found["n_units"] == N_PAIRS).all()
    assert (found["low"] <= found["mean"]).all() and (found["mean"] <= found["high"]).all()
    assert found["mean"].nunique() == len(found), "two kinds are one"


def test_shared_vocabulary_shows_both_sets_of_concepts(tables):
    found = shown("shared_vocabulary")
    french = found.loc["monoweb-en-fr-monoweb"]
    assert list(french.index) == [(step, layer) for step in STEPS for layer in (0, 1, 2)]
    shared, others = french["shared"], french["others"]
    assert (shared["n"] + others["n"] == CONCEPTS).all() and shared["n"].min() >= 20
    assert french.xs("accuracy", axis=1, level=1).stack().between(0, 1).all()
    assert (shared["accuracy"] > others["accuracy"]).all()  # the same token is near to itself
    whole = published("monoweb-retrieval", where={"variant": ["csls"], "split": ["all"]})
    whole = whole[whole["model"] == "monoweb-en-fr-monoweb"].set_index(["step", "layer"])["value"]
    mean = (shared["hits"] + others["hits"]) / CONCEPTS
    assert np.allclose(mean.sort_index(), whole.sort_index(), atol=1e-6)
