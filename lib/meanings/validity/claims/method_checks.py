"""What the claims of *How far to trust this* estimate, from the published tables on the method."""

from collections.abc import Sequence

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics import selection, sensitivity, variants
from meanings.statistics.bootstrap import paired_difference
from meanings.statistics.effects import Effect
from meanings.statistics.layer_choice import at_chosen_layer
from meanings.validity.claims import estimates
from meanings.validity.claims.claim import Tables


def hit_rates(tables: Tables) -> Effect:
    """How much more often one patched layer finds the meeting layer than all later layers do."""
    one, later = (
        _reported_rightly(tables, by, meets=True) for by in ("one layer alone", "all later layers")
    )
    return estimates.difference_of_shares(one, later)


def false_alarms(tables: Tables) -> Effect:
    """The share of networks without a meeting layer in which a patch of one layer reports one."""
    right = _reported_rightly(tables, "one layer alone", meets=False)
    return Effect(1 - right.value, 1 - right.high, 1 - right.low, 0, 0, 1)


def _reported_rightly(tables: Tables, by: str, *, meets: bool) -> Effect:
    rows = tables["known_truth"]
    rows = rows[(rows["what"] == "meeting layer") & (rows["by"] == by)]
    rows = rows[(rows["true"] >= 0) == meets]
    return estimates.share(int((rows["true"] == rows["reported"]).sum()), len(rows))


def coverage(tables: Tables) -> Effect:
    """The lowest share of onset intervals of 64 concepts that cover the true onset."""
    rows = tables["known_truth"]
    rows = rows[(rows["what"] == "coverage") & (rows["by"] == "64 concepts")]
    if rows.empty:
        raise MeaningsError("the table of known truth has no coverage; make it again")
    row = rows.loc[rows["reported"].idxmin()]
    return Effect(float(row["reported"]), float(row["low"]), float(row["high"]), 64, 0, 1)


def excess(tables: Tables) -> Effect:
    """The largest rate of false claims of a rule in use, minus the rate that the rule promises."""
    rows = tables["false_positives"]
    rows = rows[rows["version"] == "now"]
    if rows.empty:
        raise MeaningsError("the table of false positives has no rule in use; make it again")
    row = rows.loc[(rows["rate"] - rows["nominal"]).idxmax()]
    ends = (float(row[name] - row["nominal"]) for name in ("rate", "low", "high"))
    return Effect(*ends, 0, 0, 1)


def nothing_shared(tables: Tables) -> Effect:
    """`seen` minus its null in the short miniature in which languages share nothing."""
    rows = variants.with_dose(tables["worlds"])
    rows = rows[rows["model"] == "apart"]
    if rows.empty:
        raise MeaningsError("the table of short miniatures has no model 'apart'; make it again")
    end = selection.last_checkpoint(variants.at_best_layer(rows))
    return estimates.from_row(paired_difference(end, "p_source", "seen", "null_concept").iloc[0])


def recovered_by_layers(tables: Tables) -> Effect:
    """What a patch of all layers adds to P(source) where words are single tokens."""
    return _recovered(tables, "layers", "target")


def recovered_by_embedding(tables: Tables) -> Effect:
    """What the exchanged embedding adds to that."""
    return _recovered(tables, "embedding", "layers")


def _recovered(tables: Tables, a: str, b: str) -> Effect:
    """Mean difference of two steps in the model `one-token`.

    The published table has intervals of each step only. The ends are those of the widest
    difference that they allow, so that the interval is too wide rather than too narrow.
    """
    rows = tables["reach"]
    rows = rows[rows["model"] == "one-token"]
    if rows.empty:
        raise MeaningsError("the table of recovery has no model 'one-token'; make it again")
    means = rows.mean(numeric_only=True)
    ends = (
        means[a] - means[b],
        means[f"{a}_low"] - means[f"{b}_high"],
        means[f"{a}_high"] - means[f"{b}_low"],
    )
    n_concepts, n_pairs = int(rows["n_pairs"].iloc[0]), rows["pair"].nunique()
    return Effect(*map(float, ends), n_concepts, n_pairs, rows["training_seed"].nunique())


def lowest_of_settings(tables: Tables) -> Effect:
    """`seen` minus its null at the setting where that is smallest, templates of the training text
    only.
    """
    found = [
        _above_null(tables, factor, value)
        for factor, values in sensitivity.VALUES.items()
        for value in values
        if factor != "template" or value in sensitivity.TRAINED_TEMPLATES
    ]
    return min(found, key=lambda effect: effect.value)


def lowest_of_separators(tables: Tables) -> Effect:
    """The same over templates that differ from trained ones in the separator only."""
    return min(_of_templates(tables, sensitivity.SEPARATORS), key=lambda effect: effect.value)


def without_quotes(tables: Tables) -> Effect:
    """`seen` minus its null in lines without quotes."""
    return _above_null(tables, "template", sensitivity.NO_QUOTES)


def highest_of_other_lines(tables: Tables) -> Effect:
    """The same in the line where that is largest: without language names, or in brackets."""
    return max(_of_templates(tables, sensitivity.OTHER_LINES), key=lambda effect: effect.value)


def _of_templates(tables: Tables, names: Sequence[str]) -> list[Effect]:
    return [_above_null(tables, "template", name) for name in names]


def _above_null(tables: Tables, factor: str, value: object) -> Effect:
    rows = sensitivity.around(tables["sensitivity"], factor)
    rows = rows[rows[factor] == value].drop(columns=factor)
    if rows.empty:
        raise MeaningsError(f"the table of settings has no {factor} {value!r}; publish its grid")
    chosen = at_chosen_layer(rows, conditions=("seen", "null_concept"))
    row = paired_difference(chosen, "p_source", "seen", "null_concept").iloc[0]
    return estimates.from_row(pd.concat([row, _number_of_pairs(rows)]))


def _number_of_pairs(rows: pd.DataFrame) -> pd.Series:
    """Published means of settings are over the pairs that `pairs` names."""
    return pd.Series({"n_language_pairs": len(str(rows["pairs"].iloc[0]).split())})


def languages_averaged(tables: Tables) -> Effect:
    """A mean over language pairs minus a mean over as many few-shot examples in one pair."""
    found = sensitivity.averaging(tables["sensitivity"])
    last = found[found["k"] == found["k"].iloc[-1]].set_index("what")
    number = _number_of_pairs(sensitivity.around(tables["sensitivity"], "shots"))
    return estimates.from_row(pd.concat([last.loc["languages, same number"], number]))
