"""Claims on several instruments together: with pandas alone, and on changed tables."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare

from meanings.core.paths import data_folder
from meanings.validity.claims import catalogue, synthesis
from stand_ins.published_claims import decided

BY_ID = {claim.id: claim for claim in synthesis.CLAIMS}
TRAINED = {"en", "fr", "es", "de", "ru", "pl", "zh", "fi", "et"}
SHARES = {"parallel-0": 0, "parallel-1": 0.01, "parallel-5": 0.05, "parallel-20": 0.2,
          "parallel-100": 1}  # fmt: skip
PATCHED = ["training_seed", "step", "tokens", "pair", "source_concept", "condition",
           "first_layer", "p_source"]  # fmt: skip


@cache
def companion(measure, variant, model):
    """Rows between two languages, the pair in alphabetical order."""
    rows = pd.read_parquet(data_folder() / "published" / f"{measure}.parquet")
    rows = rows[(rows["variant"] == variant) & (rows["model"] == model)]
    rows = rows.astype({n: str for n in ("variant", "model", "split", "language_a", "language_b")})
    rows = rows[(rows["split"] != "shared_token") & (rows["language_b"] != "")]
    rows = rows[rows["language_a"] != rows["language_b"]]
    if model == "miniature":
        rows = rows[rows["language_a"].isin(TRAINED) & rows["language_b"].isin(TRAINED)]
    sides = zip(rows["language_a"], rows["language_b"], strict=True)
    return rows.assign(pair=["-".join(sorted(each)) for each in sides])


def best_layer(rows):
    """Each run's rows at the layer that is best at the end for the other half of the pairs."""
    half = {pair: i % 2 for i, pair in enumerate(sorted(rows["pair"].unique()))}
    side, parts = rows["pair"].map(half), []
    for seed in rows["training_seed"].unique():
        mine = rows["training_seed"] == seed
        end = mine & (rows["step"] == rows[mine]["step"].max())
        for own in (0, 1):
            best = rows[end & (side != own)].groupby("layer")["value"].mean().idxmax()
            parts.append(rows[mine & (side == own) & (rows["layer"] == best)])
    return pd.concat(parts)


@cache
def excess(name, model="miniature"):
    """Value above the null by run, step, tokens and pair, sets of concepts weighted by size."""
    measure, variant = name.split()
    if measure == "patching":
        return patched(model)
    rows = best_layer(companion(measure, variant, model))
    rows = rows.assign(total=(rows["value"] - rows["null"].fillna(0)) * rows["n"])
    sums = rows.groupby(["training_seed", "step", "tokens", "pair"])[["total", "n"]].sum()
    return sums["total"] / sums["n"]


@cache
def cells(model):
    name = "miniature" if model == "miniature" else "worlds"
    rows = pd.read_parquet(
        data_folder() / "published" / f"{name}.parquet", columns=[*PATCHED, "model"]
    )
    rows = rows[(rows["model"] == model) & rows["condition"].isin(["seen", "null_concept"])]
    rows = rows[rows["first_layer"] >= 0].astype(
        {"pair": str, "condition": str, "source_concept": str}
    )
    trained = rows["pair"].map(lambda pair: set(pair.split("-")) <= TRAINED)
    steps = rows.groupby("pair")["step"].transform("nunique")
    return rows[trained & (steps == rows["step"].nunique())]


def patched(model):
    """As `excess`: the layer of each half of the concepts is the best of the other half under
    `seen`, over all steps.
    """
    rows = cells(model)
    names = sorted(rows["source_concept"].unique())
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(names))
    first = {names[i] for i in order[: len(names) // 2]}
    inside = rows["source_concept"].isin(first)
    seen, parts = rows[rows["condition"] == "seen"], []
    for half in (True, False):
        other = seen[seen["source_concept"].isin(first) != half]
        by = other.groupby(["first_layer", "training_seed", "source_concept"])["p_source"].mean()
        best = by.groupby(["first_layer", "training_seed"]).mean().groupby("first_layer").mean()
        parts.append(rows[(inside == half) & (rows["first_layer"] == best.idxmax())])
    chosen = pd.concat(parts)
    chosen["pair"] = ["-".join(sorted(p.split("-"))) for p in chosen["pair"]]
    by = ["training_seed", "step", "tokens", "pair", "source_concept", "condition"]
    wide = chosen.groupby(by)["p_source"].mean().unstack("condition").dropna()
    return (wide["seen"] - wide["null_concept"]).groupby(by[:4]).mean()


def half_way(curve):
    """Tokens at which a curve last crosses half of its end, straight in log(1 + tokens)."""
    time, values = np.log1p(curve.index.to_numpy(float)), curve.to_numpy()
    place = int(np.flatnonzero(values < values[-1] / 2)[-1])
    way = (values[-1] / 2 - values[place]) / (values[place + 1] - values[place])
    return np.expm1(time[place] + way * (time[place + 1] - time[place]))


def later(first, second):
    both = pd.concat([excess(first), excess(second)], axis=1, join="inner").dropna()
    moments = {
        column: [
            half_way(run.groupby("tokens")[column].mean())
            for _, run in both.groupby("training_seed")
        ]
        for column in both
    }
    tokens = both.index.get_level_values("tokens").max()
    return (np.mean(moments[1]) - np.mean(moments[0])) / tokens


def at_end(values):
    step = values.index.get_level_values("step")
    return values[step == step.max()]


def claims_at_end(name, how, model="apart"):
    measure, variant = name.split()
    if measure == "patching":
        rows = cells(model)
        rows = rows[rows["step"] == rows["step"].max()]
        by = ["first_layer", "pair", "training_seed", "source_concept"]
        wide = rows.groupby([*by, "condition"])["p_source"].mean().unstack("condition")
        gap = (wide["seen"] - wide["null_concept"]).groupby(by[:3]).agg(["mean", "sem"])
        return float((gap["mean"] - 1.96 * gap["sem"] > 0.02).mean())
    rows = companion(measure, variant, model)
    rows = rows[rows["step"] == rows["step"].max()]
    if how == "face":
        return float((rows["low"] > 0.02).mean())
    return float((rows["low"] - rows["null_high"] > (0.02 if how == "beyond" else 0)).mean())


def ordered(name):
    runs = [
        (dose, value)
        for world, dose in SHARES.items()
        for value in at_end(excess(name, world)).groupby("training_seed").mean()
    ]
    pairs = [(b > a) + 0.5 * (a == b) for x, a in runs for y, b in runs if x < y]
    return float(np.mean(pairs)) - 0.5


def agree():
    rows = companion("cka", "rbf", "miniature")
    taught = set(rows[rows["split"].isin(["taught", "held_out"])]["pair"])
    columns = {}
    for each in synthesis.COMPARED:
        measure, variant = each.name.split()
        if measure == "patching":
            columns[each.name] = patched_at_end()
            continue
        rows = companion(measure, variant, "miniature")
        rows = best_layer(rows[rows["step"] == rows["step"].max()])
        if (rows["value"] - rows["null"].fillna(0)).mean() < 0.05:
            continue  # it does not rise
        total = (rows["value"] * rows["n"]).groupby([rows["pair"], rows["training_seed"]]).sum()
        number = rows["n"].groupby([rows["pair"], rows["training_seed"]]).sum()
        columns[each.name] = (total / number).groupby("pair").mean()
    table = pd.DataFrame(columns).dropna()
    table = table[~table.index.isin(taught)]
    statistic = friedmanchisquare(*table.to_numpy()).statistic
    return statistic / (table.shape[1] * (len(table) - 1)) - dealt_anew(table)


def dealt_anew(table):
    """97.5 % quantile of W where each column's languages are dealt out anew."""
    rng, codes = np.random.default_rng(5), sorted({c for p in table.index for c in p.split("-")})
    found = []
    for _ in range(400):
        columns = []
        for name in table:
            new = dict(zip(codes, rng.permutation(codes), strict=True))
            moved = ["-".join(sorted(new[c] for c in p.split("-"))) for p in table.index]
            other = rng.choice(table[name], len(table))
            columns.append([table[name].get(p, o) for p, o in zip(moved, other, strict=True)])
        statistic = friedmanchisquare(*np.transpose(columns)).statistic
        found.append(statistic / (table.shape[1] * (len(table) - 1)))
    return np.quantile(found, 0.975)


def patched_at_end():
    """Mean P(source) by pair at the last step, every pair of trained languages, at one layer."""
    name = data_folder() / "published" / "miniature.parquet"
    rows = pd.read_parquet(name, columns=PATCHED, filters=[("step", "==", 7500)])
    rows = rows[(rows["condition"] == "seen") & (rows["first_layer"] >= 0)].astype({"pair": str})
    rows = rows[rows["pair"].map(lambda pair: set(pair.split("-")) <= TRAINED)]
    best = rows.groupby("first_layer")["p_source"].mean().idxmax()
    rows = rows[rows["first_layer"] == best]
    sides = ["-".join(sorted(p.split("-"))) for p in rows["pair"]]
    return rows.groupby(sides)["p_source"].mean()


RETRIEVAL, RELATIONS = "retrieval csls", "relations direction_associate"
RECOMPUTED = {
    "instruments-shape-place": lambda: later("cka rbf_regressed", RETRIEVAL),
    "instruments-place-categories": lambda: later(RETRIEVAL, "structure rsa"),
    "instruments-place-translation": lambda: later(RETRIEVAL, "abilities translation"),
    "instruments-place-patching": lambda: later(RETRIEVAL, "patching seen"),
    "instruments-relations-apart": lambda: (
        at_end(excess(RELATIONS, "apart")).groupby("training_seed").mean().mean()
        / at_end(excess(RELATIONS, "parallel-100")).groupby("training_seed").mean().mean()
    ),
    "instruments-cka-face": lambda: claims_at_end("cka rbf", "face"),
    "instruments-cka-null": lambda: claims_at_end("cka rbf", "beyond"),
    "instruments-retrieval-null": lambda: claims_at_end(RETRIEVAL, "beyond"),
    "instruments-patching-null": lambda: claims_at_end("patching seen", "beyond"),
    "instruments-retrieval-spelling": lambda: claims_at_end(RETRIEVAL, "beyond", "parallel-0"),
    "instruments-dose-patching": lambda: ordered("patching seen"),
    "instruments-dose-retrieval": lambda: ordered(RETRIEVAL),
    "instruments-dose-cka": lambda: ordered("cka rbf_regressed"),
    "instruments-dose-relations": lambda: ordered(RELATIONS),
    "instruments-agree": agree,
}
# Layers of patching are chosen per half of the concepts, and here for all; the null is drawn.
ROUGH = {"instruments-agree": 0.03}


def test_every_claim_is_recomputed():
    assert set(RECOMPUTED) == set(BY_ID)


@pytest.mark.parametrize("name", list(RECOMPUTED))
def test_the_value_is_that_of_the_tables(name):
    effect, _ = decided(BY_ID[name])
    assert effect is not None
    assert effect.value == pytest.approx(RECOMPUTED[name](), abs=ROUGH.get(name, 1e-4), rel=1e-3)


@pytest.mark.parametrize("name", list(BY_ID))
def test_without_rows_nothing_is_decided(name):
    claim = BY_ID[name]
    tables = {each: catalogue.table(each).head(0) for each in claim.tables}
    assert claim.decide(tables) == (None, "undecided")


def without_sharing(table):
    """The table as it would be where no instrument lies above its null."""
    if "null" not in table:
        null = table[table["condition"] == "null_concept"]
        return pd.concat([null, null.assign(condition="seen")], ignore_index=True)
    null = table["null"].fillna(0.0)
    return table.assign(value=null, low=null - 0.01, high=null + 0.01)


@pytest.mark.parametrize(
    "name",
    ["place-translation", "place-patching", "relations-apart", "dose-patching", "dose-retrieval"],
)
def test_where_nothing_lies_above_its_null_no_claim_of_sharing_holds(name):
    claim = BY_ID[f"instruments-{name}"]
    tables = {each: without_sharing(catalogue.table(each)) for each in claim.tables}
    assert claim.decide(tables)[1] != "holds"


def test_a_rise_at_one_moment_in_all_instruments_decides_no_order():
    claim = BY_ID["instruments-place-translation"]
    tables = {}
    for each in claim.tables:
        table = catalogue.table(each)
        late = (table["step"] > 1000).astype(float)
        tables[each] = table.assign(value=late, low=late, high=late, null=0.0)
    effect, verdict = claim.decide(tables)
    assert verdict == "refuted" and effect.value == pytest.approx(0)


def test_doses_dealt_out_anew_are_not_followed():
    claim = BY_ID["instruments-dose-retrieval"]
    table = catalogue.table("retrieval")
    swap = {"parallel-0": "parallel-100", "parallel-100": "parallel-0"}
    names = table["model"].astype(str)
    turned = table.assign(model=names.map(lambda name: swap.get(name, name)))
    assert claim.decide({"retrieval": table})[1] == "holds"
    assert claim.decide({"retrieval": turned})[1] != "holds"
