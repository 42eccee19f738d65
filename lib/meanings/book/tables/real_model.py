"""What the chapter on a real model shows: Gemma's published tables beside the miniature's last
checkpoint, in one form.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.core.formatting import span
from meanings.measures.results import published, published_csv
from meanings.models.gemma import NAME
from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.statistics.summaries import COMPARED, means

# All layers are overwritten: no layer is chosen, so none can be chosen too well.
FIRST_LAYER = 0
LEXICONS = {"embedded lexicon": NAME, "Multi-SimLex": f"{NAME}-multi-simlex"}


def gemma() -> dict[str, pd.DataFrame]:
    """By lexicon: means as `meanings.statistics.summaries.means` gives them."""
    return {
        "embedded lexicon": means(published(NAME)),
        "Multi-SimLex": published_csv(LEXICONS["Multi-SimLex"], "meanings publish --means"),
    }


def miniature() -> pd.DataFrame:
    """The same of the miniature's last checkpoint, over its training runs."""
    moments = published("miniature", ["step", "prompt_seed"])
    last = {"step": [moments["step"].max()], "prompt_seed": [moments["prompt_seed"].min()]}
    return means(published("miniature", where=last))


def over_layers(table: pd.DataFrame, conditions: list[str]) -> pd.DataFrame:
    """Curves over the first patched layer, over all pairs: `condition`, `first_layer`, `mean`,
    `low`, `high`.

    Published means cannot be matched any more: a condition of fewer pairs than others is left out.
    """
    rows = table[
        (table["pair"] == "all") & table["what"].isin(conditions) & (table["first_layer"] >= 0)
    ]
    if "n_language_pairs" not in table:
        pairs = table[table["pair"] != "all"].groupby("what")["pair"].nunique()
        n_pairs = rows["what"].map(pairs)
        rows = rows[n_pairs == n_pairs.max()]
    order = {name: i for i, name in enumerate(conditions)}
    return rows.rename(columns={"what": "condition"}).sort_values(
        "condition", key=lambda column: column.map(order), kind="stable"
    )


def unpatched(table: pd.DataFrame) -> pd.DataFrame:
    """Levels of unpatched prompts over all pairs."""
    return table[(table["pair"] == "all") & (table["first_layer"] < 0)].rename(
        columns={"what": "condition"}
    )


def at(table: pd.DataFrame, what: str, pair: str = "all") -> pd.Series:
    """The row of a condition or difference with all layers overwritten, or unpatched."""
    rows = table[
        (table["pair"] == pair)
        & (table["what"] == what)
        & table["first_layer"].isin([FIRST_LAYER, -1])
    ]
    if rows.empty:
        raise MeaningsError(
            f"the published means lack {what!r} of pair {pair!r}"
            "; measure the pair and publish the means again"
        )
    return rows.iloc[0]


def by_pair(table: pd.DataFrame, conditions: dict[str, str]) -> pd.DataFrame:
    """One row per pair, best first: P(source) with its interval under each condition (name to
    heading).
    """
    rows = []
    for pair in sorted(
        set(table["pair"]) - {"all"}, key=lambda pair: -at(table, "seen", pair)["mean"]
    ):
        there = set(table["what"][table["pair"] == pair])
        rows.append(
            {"pair": pair}
            | {
                title: _span(at(table, name, pair)) if name in there else ""
                for name, title in conditions.items()
            }
        )
    return pd.DataFrame(rows).set_index("pair")


def compared(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Differences of P(source) concept by concept, one row per comparison, one column per model and
    lexicon.
    """
    rows = {
        f"{a} - {b}".replace("null_concept", "null"): {
            name: _signed(at(table, f"{a} - {b}")) for name, table in tables.items()
        }
        for a, b in COMPARED
    }
    rows["seen / asked directly"] = {
        name: f"{at(table, 'seen')['mean'] / at(table, 'src_unpatched')['mean']:.2f}"
        for name, table in tables.items()
    }
    return pd.DataFrame(rows).T.rename_axis("comparison")


def counted(table: pd.DataFrame) -> str:
    """Numbers of concepts and language pairs of published means, in words."""
    n_pairs = len(set(table["pair"]) - {"all"})
    return f"{int(at(table, 'seen')['n_units'])} concepts, {n_pairs} language pairs, one model"


def carried(table: pd.DataFrame) -> tuple[int, int]:
    """In how many language pairs the mean of `seen` exceeds that of its null by more than the
    smallest effect, and how many pairs there are.
    """
    pairs = sorted(set(table["pair"]) - {"all"})
    over = [
        at(table, "seen", pair)["mean"] - at(table, "null_concept", pair)["mean"] > SMALLEST_EFFECT
        for pair in pairs
    ]
    return int(sum(over)), len(pairs)


def last_read(table: pd.DataFrame, condition: str = "seen") -> int:
    """The last first patched layer at which a condition still has half of what it has at layer 0,
    above its null.
    """
    curve = table[(table["pair"] == "all") & (table["first_layer"] >= 0)].pivot_table(
        index="first_layer", columns="what", values="mean"
    )
    gain = curve[condition] - curve["null_concept"]
    return int(gain.index[gain >= 0.5 * gain.loc[FIRST_LAYER]].max())


def _span(row: pd.Series) -> str:
    return span(row["mean"], row["low"], row["high"])


def _signed(row: pd.Series) -> str:
    return f"{row['mean']:+z.3f} [{row['low']:+z.3f}, {row['high']:+z.3f}]"


def paper(
    rows: Sequence[Mapping[str, Any]], pairs: tuple[int, int]
) -> list[tuple[str, str, str, str]]:
    """What the papers report and what holds in this model: rows of `tables.agreement`.

    - `rows`: the chapter's claims, of `meanings.validity.claims.catalogue`; `pairs`: of `carried`.
    """
    found = {row["id"]: row for row in rows}
    concept, pair = found["real-concept"], found["real-mean-and-own-pair"]
    everywhere = pairs[0] == pairs[1]
    agree = {"holds": "yes" if everywhere else "in part", "refuted": "no"}
    hurt = {"holds": "in part", "refuted": "no"}
    return [
        (
            "The other-language mean carries the concept.",
            concept["statement"],
            agree.get(concept["verdict"], "undecided"),
            ""
            if everywhere
            else f"The mean exceeds its null by more than the smallest effect in {pairs[0]} of "
            f"{pairs[1]} pairs only; the model hardly translates in the others.",
        ),
        (
            "The mean over languages does not hurt and often helps.",
            pair["statement"],
            hurt.get(pair["verdict"], "undecided"),
            "Against the pair's own vector it does not hurt on average over pairs, and does not "
            "help either; in single pairs it does both. For single languages see Language "
            "dependence.",
        ),
        (
            "Shared concept spaces emerge early and go on refining.",
            "Not measured: this is one final model.",
            "not comparable",
            "Checkpoints of this model are not public.",
        ),
    ]
