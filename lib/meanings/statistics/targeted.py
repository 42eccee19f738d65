"""What a patch does to targeted query words, held against their controls.

    effect      = mean over query words of  after - before
    difference  = mean over query words of (after - before) - (its control's after - before)

for an outcome that is 0 or 1 of an answer: it is right, or it copies the query word. *Before* is
the answer to the source prompt, which asks for the concept directly; *after* is the answer to the
target prompt with the concept vector written in. The unit is the query word in its input language:
its language pairs and senses are not independent. Query words and training seeds are crossed and
both resampled (`meanings.statistics.bootstrap.interval`).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.lexicon.forms import normal_form
from meanings.patching.conditions import NULLS
from meanings.statistics.bootstrap import interval
from meanings.statistics.layer_choice import split_half_best_layer
from meanings.statistics.selection import last_checkpoint

KIND_NAMES = {
    "false_friend": "false friends",
    "polysemous": "several senses",
    "cognate": "cognates",
}
KINDS = tuple(KIND_NAMES)
UNIT = "query_word"
ITEM = ("model", "training_seed", "step", "pair", "item", "role")
OUTCOMES = ("right", "copied")
RESAMPLES = 2000
# Standard errors between no effect and one that is found with 80 % power at the 5 % level.
DETECTABLE = 1.96 + 0.84
WIDTH = 2 * 1.96  # standard errors in a 95 % interval


def answered(table: pd.DataFrame, model: str, last: bool = True) -> pd.DataFrame:
    """The rows of a model with `query_word`, `right` and `copied` (0 or 1).

    - `table`: the published table *targeted*; `last`: only its last checkpoint.

    Raises MeaningsError where the table has no row of the model.
    """
    rows = table[table["model"] == model]
    if rows.empty:
        raise MeaningsError(
            f"table 'targeted' has no rows of {model!r}; it has "
            f"{', '.join(sorted(map(str, table['model'].unique()))) or 'none'}"
        )
    rows = last_checkpoint(rows) if last else rows
    names = ("model", "condition", "pair", "kind", "role", "word", "answer", "source_concept")
    rows = rows.astype(dict.fromkeys(names, object))
    place = ["model", "training_seed", "pair", "item"]
    words = rows[rows["role"] == "query"].drop_duplicates(place).set_index(place)["word"]
    query = words.reindex(pd.MultiIndex.from_frame(rows[place])).to_numpy()
    said, written = rows["answer"].map(normal_form), rows["word"].map(normal_form)
    return rows.assign(
        query_word=rows["pair"].str.partition("-")[0] + ":" + query,
        right=rows["answer_correct_source"].astype(float),
        copied=(said == written).astype(float),
    )


def at_one_layer(rows: pd.DataFrame) -> pd.DataFrame:
    """The unpatched rows, and those of each condition at one first patched layer.

    The layer of a condition is the one with the highest P(source concept) on half of the query
    words; the other half is reported, so that no word chooses its own. A query word and its control
    have the same layer, and a null has that of `seen`.
    """
    patched = rows[rows["first_layer"] >= 0]
    parts, layers = [rows[rows["first_layer"] < 0]], {}
    for name in sorted(set(patched["condition"]) - set(NULLS)):
        own = patched[patched["condition"] == name]
        best = split_half_best_layer(own, "p_source", ["step"], unit=UNIT)
        parts.append(best)
        layers[name] = best.drop_duplicates(["step", UNIT]).set_index(["step", UNIT])["best_layer"]
    for name in sorted(set(patched["condition"]) & set(NULLS)):
        own = patched[patched["condition"] == name]
        where = pd.MultiIndex.from_frame(own[["step", UNIT]])
        parts.append(own[own["first_layer"].to_numpy() == layers["seen"].reindex(where).to_numpy()])
    return pd.concat(parts, ignore_index=True)


def changes(rows: pd.DataFrame, condition: str = "seen") -> pd.DataFrame:
    """Before and after of each query word and each control: one row per item and role.

    Columns: `ITEM`, `kind`, `query_word`, `word`, `source_concept`, and for each outcome
    `<outcome>_before`, `<outcome>_after`; `answer_before`, `answer_after`; `gain`, `loss` (a right
    answer more, or less).

    - `rows`: of `at_one_layer`. Only items with both answers, of query word and control, are there.

    Raises MeaningsError where there are none.
    """
    keys = list(ITEM)
    told = [*OUTCOMES, "answer"]
    described = ["kind", UNIT, "word", "source_concept"]
    before = rows[rows["condition"] == "src_unpatched"].set_index(keys)[[*described, *told]]
    after = rows[rows["condition"] == condition].set_index(keys)[told]
    names = {name: f"{name}_before" for name in told}
    both = before.rename(columns=names).join(after.add_suffix("_after"), how="inner").reset_index()
    whole = both.groupby(keys[:-1])["role"].transform("nunique") == 2
    if not whole.any():
        raise MeaningsError(
            f"no targeted word was answered directly and under {condition!r} with its control; "
            "measure with 'meanings targeted study'"
        )
    both = both[whole]
    return both.assign(
        gain=(both["right_after"] > both["right_before"]).astype(float),
        loss=(both["right_after"] < both["right_before"]).astype(float),
    ).reset_index(drop=True)


def rates(changed: pd.DataFrame) -> pd.DataFrame:
    """By kind and role, means of what was measured: right and copied before and after, gain, loss;
    `n` queries, `n_words` different query words.
    """
    names = [f"{outcome}_{when}" for outcome in OUTCOMES for when in ("before", "after")]
    grouped = changed.groupby(["kind", "role"])
    means = grouped[[*names, "gain", "loss"]].mean()
    items = grouped.apply(lambda own: len(own[["pair", "item"]].drop_duplicates()))
    return means.assign(n=items, n_words=grouped[UNIT].nunique()).reset_index()


def at_shared_pairs(rows: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """Accuracy asked directly (`src_unpatched`) and under each condition, on the language pairs
    that have all of them: one row per condition, kind and role.

    Columns: `condition`, `kind`, `role`, `right` (0 to 1), `n` queries, `pairs` (their names).

    - `rows`: of `at_one_layer`. Empty where no language pair has all conditions.
    """
    wanted = ["src_unpatched", *conditions]
    there = rows[rows["condition"].isin(wanted)].groupby("pair")["condition"].nunique()
    shared = sorted(there.index[there == len(wanted)])
    own = rows[rows["pair"].isin(shared) & rows["condition"].isin(wanted)]
    found = own.groupby(["condition", "kind", "role"])["right"].agg(right="mean", n="size")
    return found.reset_index().assign(pairs=", ".join(shared))


def compared(
    changed: pd.DataFrame, outcome: str = "right", by: Sequence[str] = ("kind",)
) -> pd.DataFrame:
    """Change of an outcome: of the query words, of their controls, and the difference of the two.

    Columns: `by`, `what` (`query`, `control`, `difference`), `mean`, `low`, `high`, `n` queries,
    `n_units` query words, `n_seeds`, `n_language_pairs`, and `detectable`: the smallest true value
    that these many words would show with 80 % power.
    """
    keys = list(dict.fromkeys([*ITEM[:-1], "kind", UNIT, *by]))
    change = changed.assign(change=changed[f"{outcome}_after"] - changed[f"{outcome}_before"])
    wide = change.pivot(index=keys, columns="role", values="change").reset_index()
    wide["difference"] = wide["query"] - wide["control"]
    parts = []
    for what in ("query", "control", "difference"):
        found = interval(wide, what, list(by), unit=UNIT, n=RESAMPLES)
        sizes = wide.drop_duplicates([*by, "pair", "item"]).groupby(list(by)).size()
        places = found[list(by)].apply(tuple, axis=1) if len(by) > 1 else found[by[0]]
        n = [int(sizes.loc[place]) for place in places]
        parts.append(found.assign(what=what, n=n, detectable=detectable(found)))
    return pd.concat(parts, ignore_index=True)


def detectable(found: pd.DataFrame) -> np.ndarray:
    """The smallest true effect that intervals of this width find with 80 % power.

        2.8 standard errors, a standard error being the interval's width / 3.92

    No less than 3 / n, the upper end for a share of which none of n was seen (the rule of three).
    """
    width = (found["high"] - found["low"]).to_numpy()
    return np.maximum(DETECTABLE * width / WIDTH, 3 / found["n_units"].to_numpy())


def over_training(table: pd.DataFrame, model: str, outcome: str = "right") -> pd.DataFrame:
    """`compared` at each of a model's checkpoints, with `step` and `tokens`."""
    rows = at_one_layer(answered(table, model, last=False))
    found = compared(changes(rows), outcome, by=("step", "kind"))
    tokens = rows.drop_duplicates("step").set_index("step")["tokens"]
    return found.assign(tokens=found["step"].map(tokens))
