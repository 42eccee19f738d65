"""Every claim's value once more from the published files, with pandas and numpy alone.

A function of each claim stands in `RECOMPUTED`, under the claim's id. Nothing here is shared with
the rules: no matching, no choice of layers, no means of the library.
"""

import ast
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from meanings.core.paths import data_folder
from meanings.validity.claims import catalogue
from stand_ins.published_claims import decided

BASE = {"shots": 5, "template": "quoted", "score": "first_token", "layers": "from"}
BASE |= {"source_pairs": 0, "model": "miniature"}
VARIED = {
    "shots": [1, 3, 5, 8],
    "template": ["quoted", "arrow", "equals"],
    "source_pairs": [1, 2, 4, 8, 0],
    "score": ["first_token", "word"],
    "layers": ["from", "only"],
}


@lru_cache(maxsize=8)
def read(name):
    folder = data_folder() / "published"
    if (folder / f"{name}.csv").is_file():
        return pd.read_csv(folder / f"{name}.csv")
    path = folder / f"{name}.parquet"
    if name != "miniature":
        return pd.read_parquet(path)
    # Of its millions of rows those of the two conditions below, with the columns that they need.
    conditions = [("condition", "in", ["tgt_tgt", "tgt_unpatched"])]
    columns = ["training_seed", "step", "pair", "condition", "first_layer", "target_concept"]
    return pd.read_parquet(path, columns=[*columns, "p_target"], filters=conditions)


def last(table):
    return table[table["step"] == table["step"].max()]


def over_concepts(rows, value="p_source", unit="source_concept"):
    """Mean over training seeds of the mean over concepts of each concept's mean."""
    by_concept = rows.groupby(["training_seed", unit], observed=True)[value].mean()
    return by_concept.groupby("training_seed").mean().mean()


def layer_of(seen):
    """By concept, the layer with the highest mean over the half of concepts that it is not in."""
    by = ["first_layer", "training_seed", "source_concept"]
    grid = seen.groupby(by, observed=True)["p_source"].mean().groupby(by[::2]).mean().unstack()
    concepts = sorted(grid.columns)
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(concepts))
    halves = [order[: len(concepts) // 2], order[len(concepts) // 2 :]]
    found = {}
    for own, other in (halves, halves[::-1]):
        best = grid[[concepts[i] for i in other]].mean(axis=1).idxmax()
        found |= {concepts[i]: best for i in own}
    return found


def at_layer(rows, layers):
    return rows[rows["first_layer"] == rows["source_concept"].astype(object).map(layers)]


def seen_minus_null(rows):
    """At layers chosen for `seen`, which the null takes too."""
    seen, null = (rows[rows["condition"] == name] for name in ("seen", "null_concept"))
    layers = layer_of(seen)
    return over_concepts(at_layer(seen, layers)) - over_concepts(at_layer(null, layers))


def setting(**values):
    table = read("sensitivity")
    keep = [table[name] == value for name, value in (BASE | values).items()]
    return table[np.logical_and.reduce(keep)]


def lowest_setting():
    return min(
        seen_minus_null(setting(**{factor: value}))
        for factor, values in VARIED.items()
        for value in values
    )


def of_templates(pick, *names):
    return pick(seen_minus_null(setting(template=name)) for name in names)


def languages_averaged():
    seen = setting().query("condition == 'seen'")
    layers = layer_of(seen)
    one_pair = setting().query("condition == 'one_pair'")
    return over_concepts(at_layer(seen, layers)) - over_concepts(at_layer(one_pair, layers))


def known_truth(what, by):
    table = read("known_truth")
    return table[(table["what"] == what) & (table["by"] == by)]


def hit_rate(by):
    rows = known_truth("meeting layer", by)
    rows = rows[rows["true"] >= 0]
    return (rows["true"] == rows["reported"]).mean()


def false_alarm_rate():
    rows = known_truth("meeting layer", "one layer alone")
    return (rows.loc[rows["true"] < 0, "reported"] >= 0).mean()


def largest_excess():
    rows = read("false_positives").query("version == 'now'")
    return (rows["rate"] - rows["nominal"]).max()


def nothing_shared():
    rows = read("worlds")
    return seen_minus_null(last(rows[rows["model"] == "apart"]))


def one_token(a, b):
    rows = read("reach").query("model == 'one-token'")
    return (rows[a] - rows[b]).mean()


def gemma(a, b):
    """Over pairs that have both conditions, all layers overwritten."""
    rows = read("gemma-3-270m").query("first_layer == 0")
    cells = ["source_concept", "pair"]
    each = rows.pivot_table(index=cells, columns="condition", values="p_source", observed=True)
    return (each[a] - each[b]).dropna().groupby("source_concept").mean().mean()


def simlex(what):
    rows = read("gemma-3-270m-multi-simlex")
    return rows[(rows["what"] == what) & (rows["pair"] == "all") & (rows["first_layer"] == 0)][
        "mean"
    ].item()


def treebank(measure, variant, items, minus="null"):
    """Mean over language pairs at the layer at half of the depth, over sentences or words."""
    rows = read(f"gemma-3-270m-pud-{measure}")
    rows = rows[(rows["variant"] == variant) & (rows["lexicon"] == f"pud-{items}")]
    rows = rows[rows["language_a"].astype(str) != rows["language_b"].astype(str)]
    rows = rows[rows["layer"] == rows["layer"].max() // 2]
    return float((rows["value"] - (rows[minus] if minus else 0)).mean())


def miniature_unpatched(*, beside):
    mix = yaml.safe_load((data_folder() / "miniature" / "mix.yaml").read_text(encoding="utf-8"))
    seen = [code for code, entry in mix["languages"].items() if entry["share"] > 0]
    taught = {frozenset(pair.split("-")) for pair in mix["pairs"]}
    pairs = [f"{a}-{b}" for a in seen for b in seen if a != b]
    pairs = [pair for pair in pairs if beside or frozenset(pair.split("-")) not in taught]
    rows = last(read("miniature"))
    rows = rows[(rows["condition"] == "tgt_unpatched") & rows["pair"].isin(pairs)]
    return over_concepts(rows, "p_target", "target_concept")


def patched_with_itself():
    rows = last(read("miniature"))
    own = rows[(rows["condition"] == "tgt_tgt") & (rows["first_layer"] == 0)]
    plain = rows[(rows["condition"] == "tgt_unpatched") & rows["pair"].isin(own["pair"].unique())]
    return over_concepts(own, "p_target", "target_concept") - over_concepts(
        plain, "p_target", "target_concept"
    )


RECOMPUTED = {
    "trust-meeting-layer": lambda: hit_rate("one layer alone") - hit_rate("all later layers"),
    "trust-false-alarms": false_alarm_rate,
    "trust-coverage": lambda: known_truth("coverage", "64 concepts")["reported"].min(),
    "trust-false-positives": largest_excess,
    "trust-nothing-shared": nothing_shared,
    "trust-blind-spot": lambda: one_token("layers", "target"),
    "trust-embedding": lambda: one_token("embedding", "layers"),
    "trust-settings": lowest_setting,
    "trust-separators": lambda: of_templates(min, "slash", "comma", "space"),
    "trust-no-quotes": lambda: of_templates(max, "no_quotes"),
    "trust-other-lines": lambda: of_templates(max, "no_names", "brackets"),
    "trust-averaging": languages_averaged,
    "real-concept": lambda: gemma("seen", "null_concept"),
    "real-concept-simlex": lambda: simlex("seen - null_concept"),
    "real-mean-and-own-pair": lambda: gemma("seen", "tgt"),
    "real-english": lambda: gemma("en_en", "seen"),
    "real-own-language": lambda: gemma("self", "seen"),
    "real-treebank-cka": lambda: treebank("cka", "rbf_regressed", "sentences"),
    "real-treebank-retrieval": lambda: treebank("retrieval", "csls", "sentences"),
    "real-treebank-language": lambda: treebank("language-id", "accuracy", "sentences"),
    "real-treebank-without": lambda: (
        treebank("language-id", "without", "sentences", None)
        - treebank("language-id", "with", "sentences", None)
    ),
    "real-treebank-units": lambda: (
        treebank("expert-units", "overlap", "upos", None)
        - treebank("expert-units", "same_shuffle", "upos", None)
    ),
    "real-treebank-structure": lambda: treebank("structure", "rsa", "upos"),
    "real-treebank-transfer": lambda: treebank("neuron-overlap", "transfer", "upos"),
    "miniature-translates": lambda: miniature_unpatched(beside=True),
    "miniature-never-beside": lambda: miniature_unpatched(beside=False),
    "method-identity": patched_with_itself,
}
# Chapters whose claims a test beside this one recomputes: chapter -> its file.
ELSEWHERE = {
    "emergence": "test_claims_emergence.py",
    "synthesis": "test_instrument_claims.py",
    "language_dependence": "test_language_claims.py",
    "error_analysis": "test_error_claims.py",
    **dict.fromkeys(
        (
            "cka",
            "retrieval",
            "language_identity",
            "neuron_overlap",
            "structure",
            "abilities",
            "meaning_in_context",
        ),
        "test_companion_claims.py",
    ),
    **dict.fromkeys(("shared_vocabulary", "early_alignment", "transfer"), "test_world_claims.py"),
    "gender": "test_gender_claims.py",
}
CLAIMS = [claim for claim in catalogue.all_claims() if claim.chapter not in ELSEWHERE]


def test_every_claim_has_a_function_of_its_own():
    assert set(RECOMPUTED) == {claim.id for claim in CLAIMS}
    for chapter, file in ELSEWHERE.items():
        assert chapter in imported_of_claims(Path(__file__).with_name(file))


def imported_of_claims(path):
    """Modules of claims that a file imports, or imports from."""
    package, found = "meanings.validity.claims", set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            found.add(node.module.removeprefix(f"{package}."))
    return found


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claims_value_comes_out_of_the_published_files_again(claim):
    effect, _ = decided(claim)
    assert effect.value == pytest.approx(RECOMPUTED[claim.id](), rel=1e-5, abs=1e-7)
