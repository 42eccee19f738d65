"""Tables of the chapters on trained worlds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from meanings.core.formatting import amount, span
from meanings.measures.results import published
from meanings.statistics import world_alignment, worlds
from meanings.statistics.bootstrap import interval
from meanings.statistics.resampling import SEED_COLUMN

NATURAL = {"parallel-0": "four natural languages, letters shared", "apart": "signs of their own"}


def gained(scores: Mapping[str, pd.DataFrame], names: Sequence[str], base: str) -> pd.DataFrame:
    """Each world's scores minus those of `base`, with intervals; a column a score.

    - `scores`: by heading, as `meanings.statistics.worlds.scored` gives them.
    """
    found = {
        heading: {
            row.world: _thousandths(row) if "null" in heading else span(row.mean, row.low, row.high)
            for row in worlds.gains(rows, names, base).itertuples()
        }
        for heading, rows in scores.items()
    }
    return pd.DataFrame(found).loc[list(names)].rename_axis(f"world, minus {base}")


def _thousandths(row) -> str:
    return f"{row.mean:z.3f} [{row.low:z.3f}, {row.high:z.3f}]"


def retrieved(tables: Mapping[str, pd.DataFrame], names: Sequence[str]) -> pd.DataFrame:
    """Alignment without a task at the end of training: retrieval and CKA of untouched words at the
    middle layer, retrieval of twin tokens by input embeddings; means over pairs and seeds.
    """
    found = {}
    for heading, table, variant, layer in (
        ("retrieval, P@1", "clones-retrieval", "csls", world_alignment.MIDDLE),
        ("its null", "clones-retrieval", "csls", world_alignment.MIDDLE),
        ("regressed CKA", "clones-cka", "rbf_regressed", world_alignment.MIDDLE),
        ("twin tokens, P@1", "clones-embeddings", "raw", None),
    ):
        rows = tables[table]
        rows = rows if layer is None else worlds.at_end(rows[rows["layer"] == layer])
        rows = rows[(rows["variant"] == variant) & rows["world"].isin(names)]
        rows = worlds.in_common(rows)
        value = "null" if heading == "its null" else "value"
        means = rows.astype({"world": str}).groupby("world")[value].mean()
        found[heading] = means.map("{:z.2f}".format)
    return pd.DataFrame(found).loc[list(names)]


def cosines(table: pd.DataFrame, names: Sequence[str], variant: str) -> pd.DataFrame:
    """Mean cosine of two words' states at the middle layer, by what the words have in common; a
    column a world.
    """
    rows = table[(table["variant"] == variant) & (table["layer"] == world_alignment.MIDDLE)]
    rows = worlds.in_common(rows[rows["world"].isin(names)].astype({"world": str, "bin": str}))
    rows = rows[~((rows["bin"] == "friend") & (rows["world"] == "false-50"))]  # two by accident
    means = rows.groupby(["bin", "world"])["value"].mean().map("{:z.2f}".format).unstack()
    order = [n for n in ("friend", "false friend", "translation", "unrelated") if n in means.index]
    return means.loc[order, list(names)].fillna("").rename_axis("two words", axis=0)


def by_pieces(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Accuracy in the facts of untouched words in the copies, by how many of a word's tokens occur
    in words of the dictionary, with intervals; a column a world.
    """
    rows = worlds.asked(table[table["world"].isin(names)], "facts")
    groups = {"none": rows["pieces"] == 0, "all": rows["pieces"] == 1}
    groups["some"] = ~(groups["none"] | groups["all"])
    found = []
    for name in ("none", "some", "all"):
        scores = worlds.transferred(rows[groups[name]], "facts")
        means = worlds.levels(scores, names).itertuples()
        found.append(
            {"tokens in the dictionary": name, "words": scores[worlds.CONCEPT].nunique()}
            | {row.world: span(row.mean, row.low, row.high) for row in means}
        )
    return pd.DataFrame(found).set_index("tokens in the dictionary")


def natural() -> pd.DataFrame:
    """Patching at the end of the two worlds of natural languages without parallel text: the mean
    over language pairs of P(source concept) under `seen` minus the null.
    """
    table = published("worlds", where={"model": list(NATURAL)})
    last = table[table["step"] == table.groupby("model", observed=True)["step"].transform("max")]
    last = last.astype({"model": str, "condition": str, "source_concept": str})
    by = ["model", SEED_COLUMN, "source_concept", "condition"]
    means = last.groupby(by)["p_source"].mean().unstack("condition")
    score = (means["seen"] - means["null_concept"]).dropna().rename("score").reset_index()
    rows = interval(score, "score", ["model"]).set_index("model")
    found = {
        said: {
            "patching": span(*rows.loc[name, ["mean", "low", "high"]]),
            "concepts": int(rows.loc[name, "n_units"]),
            "training runs": int(rows.loc[name, "n_seeds"]),
        }
        for name, said in NATURAL.items()
    }
    return pd.DataFrame(found).T.rename_axis("world")


def shifted(
    halves: Mapping[str, pd.DataFrame], training: pd.DataFrame, names: Sequence[str], base: str
) -> pd.DataFrame:
    """How much earlier patching rises in each world than in `base`: steps, tokens and processor
    seconds, for each set of concepts.

    - `halves`: by name, as `meanings.statistics.worlds.patched` gives them.
    """
    rows = []
    for half, scores in halves.items():
        for row in worlds.shifts(scores, training, names, base).itertuples():
            rows.append({"world": row.world, "words": half, row.of: _earlier(row)})
    table = pd.DataFrame(rows).groupby(["world", "words"], sort=False).first()
    heads = {"steps": "steps", "tokens": "tokens", "seconds": "processor seconds"}
    return table.rename(columns=heads)[list(heads.values())].reset_index().set_index("world")


def _earlier(row) -> str:
    if pd.isna(row.earlier):
        return "no rise in one of the two"
    value, low, high = (f"{amount(n)}" for n in (row.earlier, row.low, row.high))
    return f"{value} [{low}, {high}]"


def predictions(rows: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    """What the paper predicts, what it measured, and what would refute it here."""
    heads = ["the paper predicts", "measured there", "refuted here if"]
    return pd.DataFrame(rows, columns=heads).set_index(heads[0])


def numbered(points: pd.DataFrame) -> pd.DataFrame:
    """The points of the figure, by number."""
    heads = {
        "number": "point", "world": "world", "group": "parallel text",
        "embeddings": "twin tokens, P@1", "states": "words, P@1", "transfer": "categories",
    }  # fmt: skip
    table = points[list(heads)].rename(columns=heads).set_index("point")
    return table.map(lambda value: f"{value:.2f}" if isinstance(value, float) else value)


def correlated(rows: pd.DataFrame) -> pd.DataFrame:
    """Rank correlations with transfer: a row an alignment, a column a set of worlds.

    - `rows`: as of `meanings.statistics.world_alignment.rank_correlations`.
    """
    scopes = {
        "all": "all worlds", "without": "without parallel text",
        "transferring": "of these, above chance", "with": "with parallel text",
    }  # fmt: skip
    said = {
        "embeddings": "input embeddings", "states": "states, middle layer",
        "english": "accuracy in English", "group": "parallel text or not",
        "transfers": "above chance or not",
    }  # fmt: skip
    cells = rows.assign(
        text=[f"{span(r.rho, r.low, r.high)} (n {r.n_worlds})" for r in rows.itertuples()],
        scope=rows["scope"].map(scopes), alignment=rows["alignment"].map(said),
    )  # fmt: skip
    table = cells.pivot(index="alignment", columns="scope", values="text").fillna("")
    return table.loc[list(said.values()), list(scopes.values())].rename_axis(columns=None)
