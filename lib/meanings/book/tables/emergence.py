"""The tables of the chapter Emergence: controls of the patch, ways of writing it, onsets."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import pandas as pd

from meanings.book.figures import palette
from meanings.book.figures.palette import CONDITIONS, Look, look
from meanings.book.tables import claims
from meanings.book.tables.agreement import agreement
from meanings.core.formatting import amount, span, unbroken
from meanings.measures.results import published
from meanings.statistics import layer_choice, longer, sensitivity
from meanings.statistics.bootstrap import interval
from meanings.statistics.resampling import RESAMPLES

CONTROLS = {name: CONDITIONS[name] for name in ("seen", "null_concept")} | palette.CONTROLS
ALONE = "alone"
WAYS = {
    "seen": CONDITIONS["seen"]._replace(label="layer j and all later ones"),
    "reversed": palette.CONTROLS["reversed"]._replace(label="the same, vectors in reversed order"),
    ALONE: Look("layer j alone", "#56B4E9", "s"),
    "null_concept": CONDITIONS["null_concept"]._replace(label="a third concept (null)"),
}
SHARES = {0.25: "¼", 0.5: "½", 0.75: "¾"}


def published_controls() -> pd.DataFrame:
    """`data/published/controls.parquet`: every control by training seed, pair and first layer."""
    return published("controls")


def controls(table: pd.DataFrame) -> pd.DataFrame:
    """One row per vector: P(source concept) and P(its own concept), each with its interval, at the
    layers chosen for `seen`.

    - `table`: as `published_controls`.
    """
    chosen = layer_choice.at_chosen_layer(table).astype({"condition": str})
    rows = {}
    for name, series in CONTROLS.items():
        part = chosen[chosen["condition"] == name]
        own = "" if part["p_own"].isna().all() else _in_short(part, "p_own")
        rows[series.label] = {
            "P(source concept)": _in_short(part, "p_source"),
            "P(own concept)": own,
            "concepts": part["source_concept"].nunique(),
        }
    return pd.DataFrame(rows).T.rename_axis("vector")


STAGES = {longer.TRUNK: "trunk, full rate", longer.FINISHED: "finished, after a decay"}


def long_run(stages: pd.DataFrame) -> pd.DataFrame:
    """One row per model of the long run: P(source concept) of each condition, with its interval.

    - `stages`: as `meanings.statistics.longer.levels` gives them.
    """
    rows = stages.sort_values(["step", "model"]).assign(
        stage=stages["model"].map(STAGES),
        shown=lambda table: [
            unbroken(span(*ends)) for ends in table[["mean", "low", "high"]].itertuples(index=False)
        ],
    )
    wide = rows.pivot(index=["step", "tokens", "stage"], columns="condition", values="shown")
    wide.index = pd.MultiIndex.from_tuples(
        [(f"{step:,} ({amount(tokens)} tokens)", stage) for step, tokens, stage in wide.index],
        names=["steps", "stage"],
    )
    names = {name: look(name).label for name in longer.CONDITIONS}
    return wide[[*longer.CONDITIONS]].rename(columns=names).rename_axis(columns=None)


def _in_short(rows: pd.DataFrame, value: str) -> str:
    found = interval(rows, value, n=RESAMPLES).iloc[0]
    digits = 2 if found["mean"] >= 0.1 else 3
    mean, low, high = (f"{found[name]:.{digits}f}" for name in ("mean", "low", "high"))
    return unbroken(f"{mean} [{low}, {high}]")


def ways_of_writing(table: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """P(source concept) by layer and way of writing the vectors (`WAYS`): `way`, `first_layer`,
    `mean`, `low`, `high`, `n_units`.

    - `table`: as `published_controls`; `settings`: the published table of settings, which has the
      sweep of single layers.
    """
    one = first_run(table).astype({"condition": str})
    swept = interval(one, "p_source", ["condition", "first_layer"], n=RESAMPLES)
    single = single_layers(settings)
    single = single[single["condition"] == "seen"]
    alone = interval(single, "p_source", ["first_layer"], n=RESAMPLES).assign(way=ALONE)
    found = pd.concat([swept.assign(way=swept["condition"]), alone], ignore_index=True)
    return found[found["way"].isin(WAYS)].reset_index(drop=True)


def first_run(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the first training run."""
    return table[table["training_seed"] == table["training_seed"].min()]


def single_layers(settings: pd.DataFrame) -> pd.DataFrame:
    """The rows of the published table of settings in which one layer alone is overwritten."""
    rows = sensitivity.around(settings, "layers")
    return rows[(rows["layers"] == "only") & (rows["first_layer"] >= 0)]


def onset_shares(moments: pd.DataFrame, last: Real) -> pd.DataFrame:
    """Share of the training after which each condition reaches each height, in per cent.

    - `moments`: `meanings.statistics.onset_tables.onset_table`; `last`: tokens at the end.
    """
    columns = {}
    for (height, fraction), rows in moments.groupby(["height", "fraction"], sort=False):
        name = f"P={fraction:g}" if height == "level" else f"{height} {SHARES[fraction]}"
        shares = rows.set_index("condition")["onset"] / last
        columns[name] = shares.map(lambda share: f"{share:.0%}")
    found = pd.DataFrame(columns).replace("inf%", "not reached")
    order = list(dict.fromkeys(moments["condition"]))
    return found.loc[order].rename(index=lambda name: look(name).label).rename_axis("condition")


def chapter_claims(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A chapter's claims: verdict, statement, estimate, smallest effect, and in how many training
    runs it holds by itself.

    - `rows`: of `meanings.validity.claims.catalogue.of_chapter`.
    """
    found = [
        {
            "verdict": row["verdict"],
            "claim": row["statement"],
            "estimate": unbroken(claims.estimate(row)),
            "smallest effect": f"{row['smallest_effect']:g}",
            "holds in": _runs(list(row["by_seed"].values())),
        }
        for row in rows
    ]
    return pd.DataFrame(found).set_index("verdict")


def _runs(runs: Sequence[Mapping[str, Any]]) -> str:
    """In how many training runs a claim holds by itself, `3 of 3 runs`; `one run` of one."""
    holding = sum(run["verdict"] == "holds" for run in runs)
    return f"{holding} of {len(runs)} runs" if runs else "one run"


def paper_and_here(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The paper's findings on emergence beside this chapter's.

    - `rows`: the chapter's claims.
    """
    said = {row["id"].removeprefix("emergence-"): row for row in rows}

    def here(*names: str) -> str:
        return " ".join(said[name]["statement"] for name in names)

    def agree(*names: str) -> str:
        return "yes" if all(said[name]["verdict"] == "holds" for name in names) else "undecided"

    findings = [
        (
            "Shared concept spaces emerge during pretraining.",
            here("shared", "learned"),
            agree("shared", "learned"),
            "",
        ),
        (
            "They emerge early and go on refining.",
            here("early", "longer", "plateau"),
            f"early: {agree('early')}; refining: {agree('longer')}, in the first half",
            "One training run, with short decays. The shipped run alone has no plateau, and much "
            "of its late rise is the decay of the learning rate.",
        ),
        (
            "Language-specific spaces do not strongly precede shared ones (reported for EuroLLM, "
            "not confirmed here).",
            here("self-first", "self-lower"),
            "not comparable",
            "We could not confirm the wording, and EuroLLM's first checkpoint comes after most of "
            "the emergence. The miniature is also taught to copy.",
        ),
        (
            "Copying comes first and translation later (follow-up study).",
            here("self-first", "not-cognates"),
            "undecided",
            "`self` and `seen` are patched scores. Copying and translating themselves have onsets "
            "whose intervals overlap: see The order of abilities.",
        ),
        (
            "The mean over languages does not hurt (Dumas et al.).",
            here("mean-own-pair"),
            "in part" if said["mean-own-pair"]["verdict"] == "holds" else "undecided",
            "This is the mean of all its prompts. With three prompts it falls short of the pair's "
            "own vector, and it is far better where the pair's input is read badly: see Language "
            "dependence.",
        ),
        (
            "No vector of another concept as a control.",
            here("positive-control", "same-category"),
            "not compared",
            "The paper has no such control.",
        ),
    ]
    return agreement(findings)
