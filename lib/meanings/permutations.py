"""How often the book's claims are made where there is nothing to claim: labels shuffled at analysis time, the same rules applied.

    false positives of a claim = share of shuffles in which its rule lets it through;  nominal: what the rule's interval promises

A claim that two labels differ is tested by exchanging them within a random half of the concepts (the unit of every interval), in all layers, checkpoints,
pairs and training runs alike: afterwards neither label has more of anything. What is shuffled is written beside each claim. The measured
probabilities stay as they are, with the noise, skew and dependence that they have; only their labels are drawn again.

`python -m meanings.permutations` writes data/published/false_positives.csv.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy.stats import binomtest
from tqdm import tqdm

from meanings.book import chapters, claims, language_tables, readings
from meanings.book.figures_languages import rank_correlation
from meanings.checkpoints import trajectory
from meanings.errors import MeaningsError
from meanings.folders import data_folder
from meanings.results import published
from meanings.statistics import best_layer, interval, paired_difference, split_half_best_layer

Random = np.random.Generator
UNIT = "source_concept"
# What a shuffle says: whether the claim is made, and the number that it is made of (NaN where it has none).
Shuffle = Callable[[Random], tuple[bool, float]]


@dataclass(frozen=True)
class Claim:
    """A claim of the book, with what is shuffled and the rule that may still let it through.

    - `chapter`: where it is made; `rule`: in short; `version`: `now`, `before` (a rule the book had and gave up), or `spared` (one it never had, for comparison).
    - `nominal`: the share of false claims that the rule promises.
    """

    claim: str
    chapter: str
    shuffled: str
    rule: str
    version: str
    nominal: float
    shuffle: Shuffle


def false_positives(claim: Claim, n: int, seed: int = 0) -> dict:
    """Over `n` shuffles: `rate` with its Wilson interval `low`, `high`, and `mean`, the mean of the number that the claim is made of."""
    made, numbers = 0, []
    for i in range(n):
        said, number = claim.shuffle(np.random.Generator(np.random.PCG64([seed, i])))
        made += bool(said)
        numbers.append(number)
    low, high = binomtest(made, n).proportion_ci(method="wilson")
    fields = ("claim", "chapter", "shuffled", "rule", "version", "nominal")
    return {name: getattr(claim, name) for name in fields} | {
        "rate": made / n, "low": max(0.0, float(low)), "high": float(high), "shuffles": n, "mean": float(np.mean(numbers)),
    }  # fmt: skip


def exchanged(table: pd.DataFrame, a: str, b: str, random: Random, column: str = "condition") -> pd.DataFrame:
    """The rows of `a` and `b`, the two labels exchanged for every concept with probability one half."""
    rows = table[table[column].isin([a, b])]
    codes, concepts = pd.factorize(rows[UNIT])
    swap = (random.random(len(concepts)) < 0.5)[codes]
    names = rows[column].astype(str).to_numpy()
    return rows.assign(**{column: np.where(swap, np.where(names == a, b, a), names)})


def shuffled_within(table: pd.DataFrame, column: str, random: Random) -> pd.DataFrame:
    """The labels of `column` permuted within each concept, one permutation a concept for all its other rows."""
    codes, labels = pd.factorize(table[column], sort=True)
    units, concepts = pd.factorize(table[UNIT])
    places = np.argsort(random.random((len(concepts), len(labels))), axis=1)
    return table.assign(**{column: np.asarray(labels)[places[units, codes]]})


def means(table: pd.DataFrame, by: list[str], value: str = "p_source") -> pd.DataFrame:
    """Means of the rows over what is not in `by`, training seed or concept: what every statistic of the book begins with."""
    keys = [*by, "training_seed", UNIT]
    found = table.groupby(keys, observed=True)[value].mean().reset_index()
    return found.assign(**{name: found[name].astype(str) for name in keys if isinstance(found[name].dtype, pd.CategoricalDtype)})


# Claims about two conditions ---------------------------------------------------------------------------------------------


def compared(table: pd.DataFrame, a: str, b: str, one_sided: bool = False) -> Shuffle:
    """`claims.difference` at layers chosen on the other half of the concepts."""

    def shuffle(random: Random) -> tuple[bool, float]:
        row = paired_difference(readings.at_chosen_layer(exchanged(table, a, b, random)), "p_source", a, b, n=readings.RESAMPLES).iloc[0]
        found = claims.sign(row)
        return (found > 0 if one_sided else found != 0), row["mean"]

    return shuffle


def compared_naively(table: pd.DataFrame, a: str, b: str) -> Shuffle:
    """The same at the layer that is best on all concepts: chosen on what is reported."""

    def shuffle(random: Random) -> tuple[bool, float]:
        rows = exchanged(table, a, b, random)
        layer = best_layer(rows[rows["condition"] == a], "p_source")["best_layer"].iloc[0]
        row = paired_difference(rows[rows["first_layer"] == layer], "p_source", a, b, n=readings.RESAMPLES).iloc[0]
        return claims.sign(row) > 0, row["mean"]

    return shuffle


def onset_order(table: pd.DataFrame, a: str, b: str) -> Shuffle:
    """`claims.order` of the onsets of two conditions."""

    def shuffle(random: Random) -> tuple[bool, float]:
        both = pd.concat([exchanged(table, a, b, random), table[table["condition"] == "null_concept"]])
        moments = readings.onsets(readings.at_chosen_layer(both), [a, b]).set_index("condition")
        return claims.order(moments.loc[a], moments.loc[b]) != 0, float("nan")

    return shuffle


def rises(table: pd.DataFrame) -> Shuffle:
    """That `seen` has its onset after the first checkpoint: the whole interval lies behind it."""

    def shuffle(random: Random) -> tuple[bool, float]:
        seen = shuffled_within(table[table["condition"] == "seen"], "tokens", random)
        both = pd.concat([seen, table[table["condition"] == "null_concept"]])
        row = readings.onsets(readings.at_chosen_layer(both), ["seen"]).iloc[0]
        return bool(row["low"] > table["tokens"].min() and np.isfinite(row["high"])), float("nan")

    return shuffle


def best_layer_above_average(table: pd.DataFrame, split: bool) -> Shuffle:
    """That the best layer lies above the average layer: chosen on one half of the concepts and reported on the other, or on all at once."""

    def shuffle(random: Random) -> tuple[bool, float]:
        rows = shuffled_within(table, "first_layer", random)
        if split:
            best = split_half_best_layer(rows, "p_source")
        else:
            best = rows[rows["first_layer"] == best_layer(rows, "p_source")["best_layer"].iloc[0]]
        both = pd.concat([best.assign(kind="best"), rows.assign(kind="average")])
        row = paired_difference(both, "p_source", "best", "average", between="kind", n=readings.RESAMPLES).iloc[0]
        return claims.sign(row) > 0, row["mean"]

    return shuffle


# Claims about languages --------------------------------------------------------------------------------------------------


def depends(patched: pd.DataFrame) -> Shuffle:
    rows = means(patched, ["output"])

    def shuffle(random: Random) -> tuple[bool, float]:
        table = language_tables.alignment(shuffled_within(rows, "output", random))
        return claims.depends(table), float(np.ptp(table["mean"]))

    return shuffle


def side(patched: pd.DataFrame, rule: Callable[[pd.DataFrame], bool]) -> Shuffle:
    """Input and output language exchanged: for a random half of the concepts every pair x-y becomes y-x."""
    rows = means(patched, ["input", "output"])

    def shuffle(random: Random) -> tuple[bool, float]:
        units, concepts = pd.factorize(rows[UNIT])
        turned = (random.random(len(concepts)) < 0.5)[units]
        x, y = rows["input"].to_numpy(), rows["output"].to_numpy()
        return rule(rows.assign(input=np.where(turned, y, x), output=np.where(turned, x, y))), float("nan")

    return shuffle


def side_before(table: pd.DataFrame) -> bool:
    spreads = [np.ptp(interval(table, "p_source", [name], n=10)["mean"]) for name in ("output", "input")]
    return bool(spreads[0] > spreads[1])


def of_languages(table: pd.DataFrame, column: str, rule: Callable[[pd.DataFrame], bool]) -> Shuffle:
    """A column's values shuffled over languages."""

    def shuffle(random: Random) -> tuple[bool, float]:
        return rule(table.assign(**{column: random.permutation(table[column].to_numpy())})), float("nan")

    return shuffle


def layers_differ(swept: pd.DataFrame, rule: Callable[[pd.DataFrame], bool]) -> Shuffle:
    rows = means(swept, ["output", "first_layer"])

    def shuffle(random: Random) -> tuple[bool, float]:
        return rule(shuffled_within(rows, "output", random)), float("nan")

    return shuffle


def layers_differ_before(swept: pd.DataFrame) -> bool:
    peaks = best_layer(swept, "p_source", ["output"])["best_layer"]
    return bool(np.ptp(peaks) > 1)


# Claims about answers ----------------------------------------------------------------------------------------------------


def gains(answers: pd.DataFrame, rule: Callable[[pd.DataFrame], bool]) -> Shuffle:
    def shuffle(random: Random) -> tuple[bool, float]:
        return rule(exchanged(answers, "seen", "src_unpatched", random)), float("nan")

    return shuffle


def gains_before(answers: pd.DataFrame) -> bool:
    right = answers.pivot_table(index=["pair", "training_seed", UNIT], columns="condition", values="right")
    change = right["seen"] - right["src_unpatched"]
    return bool((change > 0).sum() > (change < 0).sum())


# All of them ---------------------------------------------------------------------------------------------------------------


def all_claims() -> list[Claim]:
    """Every claim of the book that shuffling can test, on the published table of the miniature."""
    table = published("miniature")
    table = table[table["prompt_seed"] == table["prompt_seed"].min()]
    own = table[table["pair"].isin(chapters.DEFAULT_PAIRS)]
    curves = means(own, ["condition", "tokens", "first_layer"])
    last = curves[curves["tokens"] == curves["tokens"].max()]
    page = set(trajectory("miniature", 0).thin(8).steps)
    measured = means(own[(own["training_seed"] == 0) & own["step"].isin(page)], ["condition", "tokens", "first_layer"])
    page_end = measured[measured["tokens"] == measured["tokens"].max()]
    whole = last[last["first_layer"] == 0]

    concepts = "two conditions, within concepts"
    found = [
        Claim("seen above a wrong concept", "emergence", concepts, "interval of the difference above 0, layer by split halves", "now", 0.025, compared(page_end, "seen", "null_concept", True)),
        Claim("seen above a wrong concept", "index", concepts, "the same, over training runs", "now", 0.025, compared(last, "seen", "null_concept", True)),
        Claim("seen above a wrong concept", "emergence", concepts, "the same at the best layer of all concepts", "spared", 0.025, compared_naively(page_end, "seen", "null_concept")),
        Claim("seen and tgt differ", "emergence", concepts, "interval of the difference without 0", "now", 0.05, compared(page_end, "seen", "tgt")),
        Claim("best layer above the average layer", "emergence", "layers, within concepts", "interval above 0, split halves", "now", 0.025, best_layer_above_average(page_end[page_end["condition"] == "seen"], True)),
        Claim("best layer above the average layer", "emergence", "layers, within concepts", "the same, chosen on all concepts", "spared", 0.025, best_layer_above_average(page_end[page_end["condition"] == "seen"], False)),
        Claim("seen or self comes first", "emergence", concepts, "intervals of the onsets do not meet", "now", 0.05, onset_order(measured, "seen", "self")),
        Claim("seen emerges during training", "emergence", "checkpoints, within concepts", "interval of the onset after the first checkpoint", "now", 0.025, rises(measured)),
    ]
    for a, b in (("seen", "null_concept"), ("seen", "tgt"), ("en_en", "seen"), ("self", "seen")):
        title = f"{a} and {b.replace('null_concept', 'a wrong concept')} differ, all layers patched"
        found.append(Claim(title, "real_model", concepts, "interval of the difference without 0", "now", 0.05, compared(whole, a, b)))
    return [*found, *_of_languages(table), *_of_answers(own)]


def _of_languages(table: pd.DataFrame) -> list[Claim]:
    page = chapters.validated("language_dependence", {})
    last = readings.split_pairs(readings.last_checkpoint(table))
    chosen = readings.at_chosen_layer(last)
    patched = chosen[chosen["condition"] == "seen"]
    facts = language_tables.facts(page, last)
    of_each = facts.merge(language_tables.alignment(patched), on="language").merge(language_tables.ceilings(chosen), on="language")
    through = readings.split_pairs(readings.at_chosen_layer(readings.followed(table)))
    through = means(through[through["condition"] == "seen"], ["output", "tokens"])
    joined = language_tables.onsets(through, list(facts["language"]))
    joined = joined[joined["onset"] < np.inf].merge(facts[["language", "share"]], on="language")
    swept = last[(last["condition"] == "seen") & last["output"].isin(language_tables.spread(of_each, 6))]
    where, names = "language_dependence", list(language_tables.RANKED)
    outputs, concepts = "output languages, within concepts", "input and output, within concepts"
    return [
        Claim("alignment depends on the language", where, outputs, "interval of the best above that of the worst", "now", 0.05, depends(patched)),
        Claim("the output side matters more", where, concepts, "larger spread of means", "before", 0.025, side(patched, side_before)),
        Claim("the output side matters more", where, concepts, "interval of the difference of spreads above 0", "now", 0.025, side(patched, lambda t: claims.side(t) > 0)),
        Claim("one property goes with alignment most", where, "alignment over languages", "largest rank correlation, always named", "before", 0.05, of_languages(of_each, "mean", lambda t: True)),
        Claim("one property goes with alignment most", where, "alignment over languages", "largest rank correlation beats the largest of 95 % of shuffles", "now", 0.05, of_languages(of_each, "mean", lambda t: bool(claims.goes_with(t, names)["p_any"].min() < claims.LEVEL))),
        Claim("more text joins earlier", where, "share over languages", "rank correlation below -0.3", "before", 0.025, of_languages(joined, "share", lambda t: rank_correlation(t["share"], t["onset"]) < -0.3)),
        Claim("more text joins earlier", where, "share over languages", "negative, and beyond 95 % of shuffles", "now", 0.025, of_languages(joined, "share", claims.earlier)),
        Claim("best layers differ between languages", where, outputs, "best layers more than one apart", "before", 0.05, layers_differ(swept, layers_differ_before)),
        Claim("best layers differ between languages", where, outputs, "their intervals more than one apart", "now", 0.05, layers_differ(swept, lambda t: claims.layers_differ(claims.best_layers(t)))),
    ]


def _of_answers(own: pd.DataFrame) -> list[Claim]:
    rows = readings.at_chosen_layer(readings.last_checkpoint(own[own["training_seed"] == 0]))
    rows = rows[rows["condition"].isin(["seen", "src_unpatched"]) & rows["answer"].notna()]
    answers = rows.assign(right=rows["answer_correct_source"].astype(float))
    answers = means(answers, ["condition", "pair"], "right")
    points = pd.DataFrame({"probability": np.arange(48.0), "chrf": np.arange(48.0)})
    where, within = "error_analysis", "before and after, within concepts"
    return [
        Claim("patching gains more than it loses", where, within, "more gains than losses", "before", 0.025, gains(answers, gains_before)),
        Claim("patching gains more than it loses", where, within, "interval of the difference in right answers above 0", "now", 0.025, gains(answers, lambda t: claims.gains_more(t) > 0)),
        Claim("probability stands for the answer", where, "chrF over pairs and layers", "rank correlation above 0.8", "now", 0.025, of_languages(points, "chrf", lambda t: rank_correlation(t["probability"], t["chrf"]) > 0.8)),
    ]


def table(n: int = 1000, seed: int = 0, progress: bool = False) -> pd.DataFrame:
    """False positives of every claim: a row a claim and rule, the columns of `Claim`, and those of `false_positives`."""
    return pd.DataFrame([false_positives(claim, n, seed) for claim in tqdm(all_claims(), disable=not progress)])


def main(
    shuffles: Annotated[int, typer.Option(help="Shuffles of each claim.")] = 1000,
    seed: Annotated[int, typer.Option(help="Draws the shuffles.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Without it data/published/false_positives.csv.", show_default=False)] = None,
) -> None:
    """How often the book's claims are made where labels were shuffled."""
    if shuffles < 1:
        raise MeaningsError(f"--shuffles {shuffles}: at least 1 is needed")
    path = out or data_folder() / "published" / "false_positives.csv"
    aside = path.with_suffix(f".{os.getpid()}.aside")
    table(shuffles, seed, progress=True).to_csv(aside, index=False, float_format="%.6g", lineterminator="\n")
    os.replace(aside, path)
    typer.echo(path)


if __name__ == "__main__":
    try:
        typer.run(main)
    except MeaningsError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
