"""Labels shuffled many times at once: for each claim of the book, what its rule says of every
shuffle.

Shuffles are groups of one grid, so that all of them are resampled together; the rules are those of
`claims`, written for arrays [shuffle, ..., training seed, concept], and tests hold the two against
each other on the same shuffles. A claim that two labels differ is tested by exchanging them within
a random half of the concepts; one about many labels, by permuting them within each concept.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.patching import conditions
from meanings.statistics import bootstrap, claims, layer_choice, summaries
from meanings.statistics.bootstrap import Grid, point_means, resampled_means, to_grid

Random = np.random.Generator
UNIT = "source_concept"

# Of each shuffle: whether the claim is made, and the number that it is made of (NaN where it has
# none).
Shuffles = Callable[[Sequence[Random]], tuple[np.ndarray, np.ndarray]]


def one_by_one(rule: Callable[[Random], bool]) -> Shuffles:
    """A rule that takes one shuffle at a time."""
    return lambda randoms: (
        np.array([rule(random) for random in randoms]),
        np.full(len(randoms), np.nan),
    )


def exchanged(
    table: pd.DataFrame, a: str, b: str, random: Random, column: str = "condition"
) -> pd.DataFrame:
    """The rows of `a` and `b`, the two labels exchanged for every concept with probability one
    half.
    """
    rows = table[table[column].isin([a, b])]
    codes, concepts = pd.factorize(rows[UNIT], sort=True)
    swap = (random.random(len(concepts)) < 0.5)[codes]
    names = rows[column].astype(str).to_numpy()
    return rows.assign(**{column: np.where(swap, np.where(names == a, b, a), names)})


def shuffled_within(table: pd.DataFrame, column: str, random: Random) -> pd.DataFrame:
    """The labels of `column` permuted within each concept, one permutation a concept for all its
    other rows.
    """
    codes, labels = pd.factorize(table[column], sort=True)
    units, concepts = pd.factorize(table[UNIT], sort=True)
    places = np.argsort(random.random((len(concepts), len(labels))), axis=1)
    return table.assign(**{column: np.asarray(labels)[places[units, codes]]})


def means(table: pd.DataFrame, by: list[str], value: str = "p_source") -> pd.DataFrame:
    """Means of the rows over what is not in `by`, training seed or concept: what every statistic of
    the book begins with.
    """
    keys = [*by, "training_seed", UNIT]
    found = table.groupby(keys, observed=True)[value].mean().reset_index()
    return found.assign(
        **{
            name: found[name].astype(str)
            for name in keys
            if isinstance(found[name].dtype, pd.CategoricalDtype)
        }
    )


def exchanges(randoms: Sequence[Random], units: int) -> np.ndarray:
    """[shuffle, unit]: for which units the two labels are exchanged; the same as `exchanged` draws."""
    return np.stack([random.random(units) < 0.5 for random in randoms])


def permuted(values: np.ndarray, randoms: Sequence[Random]) -> np.ndarray:
    """[shuffle, label, ..., unit] of [label, ..., unit], labels permuted within each unit; the same
    as `shuffled_within` draws.
    """
    labels, units = values.shape[0], values.shape[-1]
    found = np.empty((len(randoms), *values.shape))
    for row, random in zip(found, randoms, strict=True):
        places = np.argsort(random.random((units, labels)), axis=1)
        for unit in range(units):
            row[places[unit], ..., unit] = values[..., unit]
    return found


def resampled(values: np.ndarray, n: int | None = None) -> np.ndarray:
    """[resample, ...]: means over the last two axes, training seed and concept, resampled as
    everywhere (`statistics.resampled_means`).
    """
    shape = values.shape[:-2]
    flat = values.reshape(-1, *values.shape[-2:])
    grid = Grid(
        pd.DataFrame(index=range(len(flat))),
        list(range(flat.shape[1])),
        list(range(flat.shape[2])),
        flat,
    )
    return resampled_means(grid, bootstrap.RESAMPLES if n is None else n, 0).reshape(-1, *shape)


def signs(differences: np.ndarray) -> np.ndarray:
    """`claims.sign` of each [training seed, concept] of differences."""
    low, high = np.quantile(resampled(differences), [0.025, 0.975], axis=0)
    return np.where(low > 0, 1, np.where(high < 0, -1, 0))


def means_of(values: np.ndarray) -> np.ndarray:
    """Means over training seed and concept."""
    return point_means(values.reshape(-1, *values.shape[-2:])).reshape(values.shape[:-2])


def halves(units: int) -> tuple[np.ndarray, np.ndarray]:
    """The units of `split_half_best_layer`'s two halves."""
    order = np.random.Generator(np.random.PCG64(0)).permutation(units)
    return order[: units // 2], order[units // 2 :]


def split_layers(values: np.ndarray) -> np.ndarray:
    """[..., unit]: for each unit the layer that is best on the other half; `values` is [..., layer,
    training seed, unit].
    """
    first, second = halves(values.shape[-1])
    found = np.empty((*values.shape[:-3], values.shape[-1]), dtype=int)
    for reported, choosing in ((first, second), (second, first)):
        found[..., reported] = means_of(values[..., choosing]).argmax(axis=-1)[..., None]
    return found


def at_layers(values: np.ndarray, layers: np.ndarray) -> np.ndarray:
    """[..., training seed, unit]: of `values` [..., layer, training seed, unit] each unit's own
    layer.
    """
    return np.take_along_axis(values, layers[..., None, None, :], axis=-3).squeeze(-3)


def grid_of(table: pd.DataFrame, by: list[str], value: str = "p_source") -> np.ndarray:
    """[by..., training seed, concept] of means; NaN where a combination is not there."""
    grid = to_grid(table, value, by, UNIT)
    codes = [pd.factorize(grid.groups[name], sort=True) for name in by]
    found = np.full((*(len(labels) for _, labels in codes), *grid.values.shape[1:]), np.nan)
    found[tuple(code for code, _ in codes)] = grid.values
    return found


# Two conditions
# ------------------------------------------------------------------------------------------------------------


def compared(
    table: pd.DataFrame,
    a: str,
    b: str,
    *,
    one_sided: bool = False,
    naive: bool = False,
    value: str = "p_source",
) -> Shuffles:
    """`claims.difference` at layers that `layer_choice.at_chosen_layer` chooses; `naive`: at the
    layer that is best for `a` on all concepts.
    """
    own = [grid_of(table[table["condition"] == name], ["first_layer"], value) for name in (a, b)]
    if own[0].shape != own[1].shape or np.isnan(own).any():
        raise MeaningsError(
            f"{a} and {b} do not have the same layers, training runs and concepts; compare "
            "conditions of one grid"
        )

    def shuffles(randoms: Sequence[Random]) -> tuple[np.ndarray, np.ndarray]:
        swap = exchanges(randoms, own[0].shape[-1])[:, None, None, :]
        sides = np.where(swap, own[1], own[0]), np.where(swap, own[0], own[1])
        if naive:
            layers = np.repeat(
                means_of(sides[0]).argmax(axis=-1)[:, None], own[0].shape[-1], axis=1
            )
            chosen = layers, layers
        elif len(own[0]) == 1:
            chosen = (np.zeros((len(randoms), own[0].shape[-1]), dtype=int),) * 2
        else:
            lead = split_layers(sides[0])
            chosen = lead, split_layers(sides[1]) if b in conditions.PATCHED else lead
        difference = at_layers(sides[0], chosen[0]) - at_layers(sides[1], chosen[1])
        found = signs(difference)
        return (found > 0 if one_sided else found != 0), means_of(difference)

    return shuffles


def best_layer_above_average(table: pd.DataFrame, split: bool) -> Shuffles:
    """That the best layer lies above the average layer: chosen on one half of the concepts and
    reported on the other, or on all at once.
    """
    values = grid_of(table, ["first_layer"])

    def shuffles(randoms: Sequence[Random]) -> tuple[np.ndarray, np.ndarray]:
        turned = permuted(values, randoms)
        units = values.shape[-1]
        layers = (
            split_layers(turned)
            if split
            else np.repeat(means_of(turned).argmax(axis=-1)[:, None], units, axis=1)
        )
        difference = at_layers(turned, layers) - turned.mean(axis=1)
        return signs(difference) > 0, means_of(difference)

    return shuffles


def onset_order(table: pd.DataFrame, a: str, b: str) -> Shuffles:
    """`claims.order` of the onsets of two conditions."""

    def rule(random: Random) -> bool:
        both = pd.concat(
            [exchanged(table, a, b, random), table[table["condition"] == "null_concept"]]
        )
        moments = summaries.onsets(layer_choice.at_chosen_layer(both), [a, b]).set_index(
            "condition"
        )
        return claims.order(moments.loc[a], moments.loc[b]) != 0

    return one_by_one(rule)


def rises(table: pd.DataFrame) -> Shuffles:
    """That `seen` has its onset after the first checkpoint: the whole interval lies behind it."""

    def rule(random: Random) -> bool:
        seen = shuffled_within(table[table["condition"] == "seen"], "tokens", random)
        both = pd.concat([seen, table[table["condition"] == "null_concept"]])
        row = summaries.onsets(layer_choice.at_chosen_layer(both), ["seen"]).iloc[0]
        return bool(row["low"] > table["tokens"].min() and np.isfinite(row["high"]))

    return one_by_one(rule)


# Languages
# -------------------------------------------------------------------------------------------------------------------


def depends(patched: pd.DataFrame, *, tested: bool) -> Shuffles:
    """`claims.depends`; without `tested`, the rule before it: the interval of the best language
    above that of the worst.
    """
    values = grid_of(patched, ["output"])

    def shuffles(randoms: Sequence[Random]) -> tuple[np.ndarray, np.ndarray]:
        turned = permuted(values, randoms)
        points = means_of(turned)
        spread = np.ptp(points, axis=1)
        if tested:
            return np.array(
                [claims.unequal(claims.mean_over_runs(each)) < claims.LEVEL for each in turned]
            ), spread
        low, high = np.quantile(resampled(turned), [0.025, 0.975], axis=0)
        at = np.arange(len(randoms))
        return low[at, points.argmax(axis=1)] > high[at, points.argmin(axis=1)], spread

    return shuffles


def side(patched: pd.DataFrame, *, interval: bool) -> Shuffles:
    """`claims.side` above zero; without `interval`, the larger spread. For a random half of the
    concepts every pair x-y becomes y-x.
    """
    values = grid_of(patched, ["input", "output"])

    def shuffles(randoms: Sequence[Random]) -> tuple[np.ndarray, np.ndarray]:
        swap = exchanges(randoms, values.shape[-1])[:, None, None, None, :]
        turned = np.where(swap, values.transpose(1, 0, 2, 3), values)
        by_output, by_input = np.nanmean(turned, axis=1), np.nanmean(turned, axis=2)
        point = np.ptp(means_of(by_output), axis=1) - np.ptp(means_of(by_input), axis=1)
        if not interval:
            return point > 0, point
        drawn = np.ptp(resampled(by_output), axis=2) - np.ptp(resampled(by_input), axis=2)
        return np.quantile(drawn, 0.025, axis=0) > 0, point

    return shuffles


def of_languages(
    table: pd.DataFrame, column: str, rule: Callable[[pd.DataFrame], bool]
) -> Shuffles:
    """A column's values shuffled over the rows, one a language."""
    return one_by_one(
        lambda random: rule(table.assign(**{column: random.permutation(table[column].to_numpy())}))
    )


def layers_differ(swept: pd.DataFrame, *, interval: bool) -> Shuffles:
    """`claims.layers_differ`; without `interval`, best layers more than one apart."""
    values = grid_of(swept, ["output", "first_layer"])

    def shuffles(randoms: Sequence[Random]) -> tuple[np.ndarray, np.ndarray]:
        made, apart = [], []
        for start in range(
            0, len(randoms), 40
        ):  # resamples of all outputs and layers fill the memory
            turned = permuted(values, randoms[start : start + 40])
            best = means_of(turned).argmax(axis=-1)
            apart.append(np.ptp(best, axis=1))
            if interval:
                low, high = np.quantile(
                    resampled(turned).argmax(axis=-1), [0.025, 0.975], axis=0, method="nearest"
                )
                made.append(low.max(axis=1) > high.min(axis=1) + 1)
            else:
                made.append(apart[-1] > 1)
        return np.concatenate(made), np.concatenate(apart).astype(float)

    return shuffles


# Answers
# ---------------------------------------------------------------------------------------------------------------------


def gains_counted(answers: pd.DataFrame) -> Shuffles:
    """More answers turned right than wrong, as mere counts."""
    change = grid_of(answers[answers["condition"] == "seen"], ["pair"], "right") - grid_of(
        answers[answers["condition"] == "src_unpatched"], ["pair"], "right"
    )

    def shuffles(randoms: Sequence[Random]) -> tuple[np.ndarray, np.ndarray]:
        turned = np.where(exchanges(randoms, change.shape[-1])[:, None, None, :], -change, change)
        more = (turned > 0).sum(axis=(1, 2, 3)) - (turned < 0).sum(axis=(1, 2, 3))
        return more > 0, more.astype(float)

    return shuffles
