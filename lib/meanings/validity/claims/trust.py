"""Claims of the page *How far to trust this*: what the instrument finds, and where it is blind."""

from collections.abc import Sequence

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics import selection, sensitivity, variants
from meanings.statistics.bootstrap import paired_difference
from meanings.statistics.effects import SMALLEST_EFFECT, Effect
from meanings.statistics.layer_choice import at_chosen_layer
from meanings.validity.claims import estimates
from meanings.validity.claims.claim import Claim, Tables

CHAPTER = "trust"


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


def highest_of_other_lines(tables: Tables) -> Effect:
    """`seen` minus its null in the untrained line where that is largest: without names, without
    quotes, or in brackets.
    """
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


CLAIMS = (
    Claim(
        "trust-meeting-layer",
        CHAPTER,
        "Patching one layer alone finds the layer at which languages meet in {value:.0%} more of "
        "the constructed networks than patching all later layers.",
        "share of networks",
        "above",
        0.25,
        "one layer alone finds it in at most a quarter of the networks more",
        ("known_truth",),
        hit_rates,
    ),
    Claim(
        "trust-false-alarms",
        CHAPTER,
        "Where languages do not meet, patching one layer alone reports a meeting layer in "
        "{value:.0%} of constructed networks.",
        "share of networks",
        "within",
        0.25,
        "a meeting layer is reported in more than a quarter of such networks",
        ("known_truth",),
        false_alarms,
    ),
    Claim(
        "trust-coverage",
        CHAPTER,
        "The onset's interval of 95 % covers the true onset in at least {value:.0%} of noisy "
        "constructed runs.",
        "share of runs",
        "above",
        0.85,
        "fewer than 85 % of the intervals cover the true onset",
        ("known_truth",),
        coverage,
    ),
    Claim(
        "trust-false-positives",
        CHAPTER,
        "Where labels are permuted, the rules in use exceed their nominal rate of false claims by "
        "at most {value:.1%}.",
        "share of permutations",
        "within",
        0.03,
        "a rule makes its claim in more than 3 % of permutations beyond its nominal rate",
        ("false_positives",),
        excess,
    ),
    Claim(
        "trust-nothing-shared",
        CHAPTER,
        "In a model whose languages share nothing, the other-language mean differs from its null "
        "by {value:.3f} in probability.",
        "probability",
        "within",
        SMALLEST_EFFECT,
        f"a difference of more than {SMALLEST_EFFECT}",
        ("worlds",),
        nothing_shared,
    ),
    Claim(
        "trust-blind-spot",
        CHAPTER,
        "Where every word is one token, patching all layers adds {value:z.3f} to P(source).",
        "probability",
        "within",
        SMALLEST_EFFECT,
        f"a gain of more than {SMALLEST_EFFECT}",
        ("reach",),
        recovered_by_layers,
    ),
    Claim(
        "trust-embedding",
        CHAPTER,
        "In that model, exchanging the word's embedding as well adds {value:.2f} to P(source).",
        "probability",
        "above",
        0.5,
        "a gain of at most .5",
        ("reach",),
        recovered_by_embedding,
    ),
    Claim(
        "trust-settings",
        CHAPTER,
        "At every value of every setting, the other-language mean lies above its null by at least "
        "{value:.2f} in probability.",
        "probability",
        "above",
        0.1,
        "a setting at which the difference is at most .1",
        ("sensitivity",),
        lowest_of_settings,
    ),
    Claim(
        "trust-separators",
        CHAPTER,
        "In lines with a separator that the miniature has never read, the other-language mean lies "
        "above its null by at least {value:.2f} in probability.",
        "probability",
        "above",
        0.1,
        "an untrained separator at which the difference is at most .1",
        ("sensitivity",),
        lowest_of_separators,
    ),
    Claim(
        "trust-other-lines",
        CHAPTER,
        "In lines without quotes, without language names or in brackets, the other-language mean "
        "lies above its null by at most {value:.2f} in probability.",
        "probability",
        "within",
        0.1,
        "such a line in which the difference is larger than .1",
        ("sensitivity",),
        highest_of_other_lines,
    ),
    Claim(
        "trust-averaging",
        CHAPTER,
        "A mean over language pairs does better than a mean over as many few-shot examples in one "
        "pair: {value:+.2f} in probability.",
        "probability",
        "above",
        SMALLEST_EFFECT,
        "languages add nothing to what averaging over examples gives",
        ("sensitivity",),
        languages_averaged,
    ),
)
