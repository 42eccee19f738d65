"""Claims of the chapters on trained worlds: with pandas alone, and on changed tables."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from meanings.core.paths import data_folder
from meanings.statistics import world_alignment
from meanings.validity.claims import catalogue, early_alignment, shared_vocabulary, transfer
from meanings.validity.claims.world_estimates import groups
from stand_ins.published_claims import decided

CLAIMS = [
    claim for module in (shared_vocabulary, early_alignment, transfer) for claim in module.CLAIMS
]
BY_ID = {claim.id: claim for claim in CLAIMS}


@cache
def read(name):
    table = pd.read_parquet(data_folder() / "published" / f"clones-{name}.parquet")
    return table.astype({c: str for c in table.select_dtypes("category").columns})


def accuracies(task, world, no_piece=False, english=False):
    """By training seed and concept, the share of the three copies in which the answer is right."""
    rows = read("tasks")
    rows = rows[(rows["task"] == task) & (rows["world"] == world)]
    rows = rows[(rows["language"] == "en") == english]
    rows = rows[~rows["touched"] & ((task == "facts") | ~rows["told"])]
    rows = rows[rows["pieces"] < 1e-9] if no_piece else rows
    right = (rows["answer_letter"] == rows["letter"]).astype(float)
    return right.groupby([rows["training_seed"], rows["concept"]]).mean()


def patched(world, half="untouched"):
    """By training seed and concept, P(source) under `seen` minus the null at the last step."""
    rows = read("patching")
    rows = rows[(rows["world"] == world) & (rows["half"] == half)]
    rows = rows[rows["step"] == rows["step"].max()]
    by = ["training_seed", "source_concept"]
    one, other = (
        rows[rows["condition"] == name].groupby(by)["p_source"].mean()
        for name in ("seen", "null_concept")
    )
    return one - other


def minus(a, b):
    """Mean over the seeds that both have of the mean over concepts."""
    return (a - b).dropna().groupby("training_seed").mean().mean()


def task(name, world, base, **options):
    return minus(accuracies(name, world, **options), accuracies(name, base, **options))


def beyond_english(world, base):
    copies, english = (
        accuracies("class", world, english=e) - accuracies("class", base, english=e)
        for e in (False, True)
    )
    return minus(copies, english)


def dealt_anew(world):
    """Expected accuracy of a world's answers on held-out categories, over random concepts."""
    rows = read("tasks")
    rows = rows[(rows["task"] == "class") & (rows["world"] == world) & (rows["language"] != "en")]
    rows = rows[~rows["touched"] & ~rows["told"]]
    found = []
    for _, of_seed in rows.groupby("training_seed"):
        each = []
        for _, own in of_seed.groupby("language"):
            each.append(
                np.mean([(own["letter"] == answer).mean() for answer in own["answer_letter"]])
            )
        found.append(np.mean(each))
    return np.mean(found)


def nearer(world, base):
    rows = read("cosines")
    rows = rows[(rows["variant"] == "centred") & (rows["layer"] == 2)]
    key = ["training_seed", "language_a", "language_b"]

    def over(name):
        own = rows[rows["world"] == name].set_index(key)
        return (
            own.loc[own["bin"] == "translation", "value"]
            - own.loc[own["bin"] == "unrelated", "value"]
        )

    return minus(over(world), over(base))


def onset(world, half, top):
    """Step at which the mean curve last crosses half of `top`, on a line in log(1 + step)."""
    rows = read("patching")
    rows = rows[(rows["world"] == world) & (rows["half"] == half) & (rows["step"] <= 1200)]
    by = ["condition", "step", "training_seed", "source_concept"]
    means = rows.groupby(by)["p_source"].mean()
    curve = (means["seen"] - means["null_concept"]).groupby(["step", "training_seed"]).mean()
    curve = curve.groupby("step").mean()
    steps, heights = np.log1p(curve.index.to_numpy(float)), curve.to_numpy()
    below = np.flatnonzero(heights < top / 2)[-1]
    way = (top / 2 - heights[below]) / (heights[below + 1] - heights[below])
    return np.expm1(steps[below] + way * (steps[below + 1] - steps[below]))


def earlier(half):
    top = patched("clone-20", half).groupby("training_seed").mean().mean()
    return onset("clone-20", half, top) - onset("prealign-20", half, top)


def shared_seeds(rows, worlds):
    """The rows of these worlds in the training seeds that all of them have."""
    rows = rows[rows["world"].isin(worlds)]
    counts = rows.groupby("training_seed")["world"].nunique()
    return rows[rows["training_seed"].isin(counts.index[counts == len(worlds)])]


def twins(world, of="value"):
    rows = read("embeddings")
    rows = rows[(rows["variant"] == "raw") & (rows["world"] == world)]
    return rows.groupby(["training_seed", "language_a", "language_b"])[of].mean()


def transfers(worlds):
    """Each world's accuracy in held-out categories, in the seeds that all worlds have."""
    seeds = set(shared_seeds(read("tasks"), names(None))["training_seed"])
    found = [accuracies("class", world).groupby("training_seed").mean() for world in worlds]
    return np.array([each[each.index.isin(seeds)].mean() for each in found])


def ordered(alignment, worlds):
    """Spearman's correlation of an alignment with the transfer of categories."""
    if alignment == "parallel text":
        x = ["20" in world.split("-") for world in worlds]
    else:
        name = "embeddings" if alignment == "embeddings" else "retrieval"
        rows = shared_seeds(read(name), names(None))
        if alignment == "embeddings":
            rows = rows[rows["variant"] == "raw"]
        else:
            last = rows.groupby("world")["step"].transform("max")
            rows = rows[(rows["variant"] == "csls") & (rows["layer"] == 2) & (rows["step"] == last)]
        means = rows.groupby(["world", "training_seed"])["value"].mean().groupby("world").mean()
        x = means.loc[worlds].to_numpy()
    return spearmanr(x, transfers(worlds)).statistic


def transferring():
    """Worlds without parallel text that lie above chance beyond doubt: here, by twice chance."""
    without = names(False)
    return [w for w, y in zip(without, transfers(without), strict=True) if y > 0.25]


def names(parallel):
    """The worlds of copies, by their names: those with parallel text end in 20 or say so."""
    every = [name for name in sorted(read("tasks")["world"].unique()) if name != "full"]
    having = [name for name in every if "20" in name.split("-")]
    return every if parallel is None else [n for n in every if (n in having) == parallel]


RECOMPUTED = {
    "vocabulary-true-friends": lambda: task("class", "true-50", "clone"),
    "vocabulary-beyond-english": lambda: beyond_english("true-50", "clone"),
    "vocabulary-false-friends": lambda: task("class", "false-50", "clone"),
    "vocabulary-meaning": lambda: task("class", "true-50", "false-50"),
    "vocabulary-longer": lambda: task("class", "true-50", "clone-twice"),
    "vocabulary-facts": lambda: task("facts", "true-50", "clone"),
    "vocabulary-beside-parallel": lambda: task("class", "true-50-20", "clone-20"),
    "vocabulary-no-translation": lambda: minus(patched("true-50"), patched("clone")),
    "vocabulary-near": lambda: nearer("false-50", "clone"),
    "alignment-facts": lambda: task("facts", "prealign-20", "clone-20"),
    "alignment-longer": lambda: task("facts", "prealign-20", "clone-20-longer"),
    "alignment-right-dictionary": lambda: task("facts", "prealign-20", "prealign-wrong-20"),
    "alignment-early": lambda: task("facts", "prealign-20", "align-late-20"),
    "alignment-no-piece": lambda: task("facts", "prealign-20", "clone-20", no_piece=True),
    "alignment-switching": lambda: task("facts", "prealign-switch-20", "prealign-20"),
    "alignment-without-parallel": lambda: task("facts", "prealign-0", "clone"),
    "alignment-class": lambda: task("class", "prealign-20", "clone-20"),
    "alignment-class-dictionary": lambda: task("class", "prealign-20", "prealign-wrong-20"),
    "alignment-class-beyond-english": lambda: beyond_english("prealign-20", "clone-20"),
    "alignment-patching": lambda: minus(patched("prealign-20"), patched("clone-20")),
    "alignment-emergence": lambda: earlier("untouched"),
    "alignment-emergence-inside": lambda: earlier("touched"),
    "transfer-inverted": lambda: task("class", "inverted", "clone"),
    "transfer-permuted": lambda: task("class", "permuted", "clone"),
    **{
        f"transfer-overlap-{order}": lambda order=order: minus(
            accuracies("class", f"{order}-true-50") - accuracies("class", order),
            accuracies("class", "true-50") - accuracies("class", "clone"),
        )
        for order in ("inverted", "permuted")
    },
    **{
        f"transfer-{name}-all": lambda name=name: (
            ordered(name, names(None)) - ordered("parallel text", names(None))
        )
        for name in ("embeddings", "states")
    },
    **{
        f"transfer-{name}-transferring": lambda name=name: ordered(name, transferring())
        for name in ("embeddings", "states")
    },
    "transfer-spelling": lambda: minus(twins("other-meanings"), twins("other-meanings", "null")),
    "transfer-other-meanings": lambda: (
        accuracies("class", "other-meanings").groupby("training_seed").mean().mean()
        - dealt_anew("other-meanings")
    ),
}


def test_every_claim_has_a_function_of_its_own():
    assert set(RECOMPUTED) == set(BY_ID)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claims_value_comes_out_of_the_published_files_again(claim):
    effect, _ = decided(claim)
    assert effect.value == pytest.approx(RECOMPUTED[claim.id](), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_without_rows_a_claim_is_undecided_and_nothing_is_estimated(claim):
    tables = {name: rows.head(0) for name, rows in catalogue.tables_of([claim]).items()}
    assert claim.decide(tables) == (None, "undecided")


@cache
def alike(name):
    """A table in which every world is a copy of `clone` or of `clone-20`: no treatment does
    anything.
    """
    rows = catalogue.table(name).astype({"world": str})
    steps = rows["step"] if "step" in rows else pd.Series(0, index=rows.index)
    rows = rows[steps <= 1200]
    parts = []
    for world in sorted(rows["world"].unique()):
        of = "clone-20" if "20" in world.split("-") else "clone"
        parts.append(rows[rows["world"] == of].assign(world=world))
    return pd.concat(parts, ignore_index=True)


# Claims that compare no world with `clone` or `clone-20`.
ALONE = ("transfer-embeddings", "transfer-states", "transfer-spelling")
COMPARED = [claim for claim in CLAIMS if claim.side == "above" and not claim.id.startswith(ALONE)]


@pytest.mark.parametrize("claim", COMPARED, ids=lambda claim: claim.id)
def test_where_treatments_do_nothing_no_claim_of_a_gain_holds(claim):
    effect, verdict = claim.decide({name: alike(name) for name in claim.tables})
    assert effect.value == pytest.approx(0, abs=1e-9) and verdict == "refuted"


def test_half_of_the_concepts_are_counted_as_half():
    claim = BY_ID["vocabulary-no-translation"]
    (name, rows), effect = next(iter(catalogue.tables_of([claim]).items())), decided(claim)[0]
    concepts = sorted(rows["source_concept"].unique())
    fewer, _ = claim.decide({name: rows[rows["source_concept"].isin(concepts[::2])]})
    assert fewer.n_concepts == pytest.approx(effect.n_concepts / 2, abs=6)


def test_shuffled_transfer_correlates_with_nothing():
    tables = catalogue.tables_of([BY_ID["transfer-states-all"]])
    points = world_alignment.alignments(tables, groups().all)
    rng = np.random.default_rng(0)

    def rho(rows):
        found = world_alignment.rank_correlations(rows, groups())
        return found.set_index(["alignment", "scope"]).loc[("states", "all"), "rho"]

    shuffled = [rho(points.assign(transfer=rng.permutation(points["transfer"]))) for _ in range(12)]
    assert abs(np.mean(shuffled)) < 0.2 and max(shuffled) < rho(points)
