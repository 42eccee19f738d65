"""Whether the mean over languages carries a concept better: than one language's vector, than the
target pair's own, than as many prompts of one pair.
"""

from collections.abc import Collection, Mapping

import pandas as pd

from meanings.lexicon.languages import LANGUAGES
from meanings.patching.conditions import FROM
from meanings.statistics.bootstrap import paired_difference
from meanings.statistics.reading import SINGLE, at_layer_of_seen, target_pairs, with_single

OWN, ONE_PAIR = "tgt_mean", "one_pair"
COMPARED: Mapping[str, str] = {
    SINGLE: "one language, on average",
    OWN: "the target pair's own",
    ONE_PAIR: "one other pair",
}
# With more prompts: the means that are compared, and in words.
MORE_PROMPTS = {
    ("seen_12", "one_pair_12"): "one other pair, 12 prompts",
    ("seen_12", "tgt_mean_12"): "target pair's own, 12 prompts",
}


def rows_compared(table: pd.DataFrame, languages: Collection[str]) -> pd.DataFrame:
    """The rows of a table of reading in its target pairs, at the layer of `seen`, with the mean of
    single languages as the condition `single`.
    """
    chosen = at_layer_of_seen(table)
    return with_single(chosen[chosen["pair"].isin(target_pairs(chosen))], languages)


def comparisons(rows: pd.DataFrame, languages: Collection[str]) -> pd.DataFrame:
    """Other-language mean minus each of what it is compared with, over the cells that both have.

    - `rows`: as `rows_compared` gives them, of one checkpoint; `languages`: the single ones.

    Columns `label`, `code` (a language, or empty), `mean`, `low`, `high`, `n_units`, `n_seeds`,
    `n_language_pairs`; single languages last, the worst-read first.
    """
    there = set(rows["condition"])
    named = {("seen", name): (label, "") for name, label in COMPARED.items()}
    named |= {both: (label, "") for both, label in MORE_PROMPTS.items()}
    named |= {("seen", FROM + code): (LANGUAGES[code].name, code) for code in languages}
    found = [
        paired_difference(rows, "p_source", *both).assign(label=label, code=code)
        for both, (label, code) in named.items()
        if there.issuperset(both)
    ]
    table = pd.concat(found, ignore_index=True)
    single = table[table["code"] != ""].sort_values("mean", ascending=False)
    return pd.concat([table[table["code"] == ""], single], ignore_index=True)


def over_training(rows: pd.DataFrame, others: Collection[str]) -> pd.DataFrame:
    """The same at every checkpoint, for a few of them: `tokens`, `other`, `mean`, `low`, `high`.

    - `rows`: as `rows_compared` gives them; `others`: conditions that `seen` is compared with.
    """
    parts = [
        paired_difference(rows, "p_source", "seen", name, ["tokens"], n=1000).assign(other=name)
        for name in others
        if name in set(rows["condition"])
    ]
    return pd.concat(parts, ignore_index=True)[["tokens", "other", "mean", "low", "high"]]
