"""Do instruments agree: on the language pairs at the end of training, and on which languages come
first?

Pairs that have a language in common are not independent. So the null deals the languages out anew
in each instrument's matrix of pairs (as Mantel's test does), and not the pairs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Float, Int

from meanings.core.errors import MeaningsError
from meanings.statistics.instruments import above_null
from meanings.statistics.ladder import rises
from meanings.statistics.onset import HALF, crossing

PERMUTATIONS = 1000


def pair_matrix(readings: pd.DataFrame) -> pd.DataFrame:
    """Mean over training runs of each instrument's reading, at the last checkpoint: a row a pair of
    languages (`language_a`, `language_b`), a column an instrument, of the pairs that all have.
    """
    last = readings["step"] == readings.groupby("instrument")["step"].transform("max")
    table = readings[last & (readings["language_b"] != "")].pivot_table(
        index=["language_a", "language_b"], columns="instrument", values="value", aggfunc="mean"
    )
    return table.dropna()


def kendall_w(ranks: Float[np.ndarray, "*draws pair instrument"]) -> Float[np.ndarray, " *draws"]:
    """Kendall's coefficient of concordance, corrected for ties: 1 = all instruments rank the pairs
    alike, 0 = their ranks cancel out.

    - `ranks`: ties have their mean rank. Source: Kendall and Babington Smith 1939.
    """
    sums = ranks.sum(axis=-1)
    spread = ((sums - sums.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
    own = ((ranks - ranks.mean(axis=-2, keepdims=True)) ** 2).sum(axis=-2)
    most = np.sqrt(own).sum(axis=-1) ** 2  # all instruments in one order, each with its own ties
    return np.asarray(spread / np.where(most > 0, most, np.inf))


def concordance(table: pd.DataFrame, seed: int = 0) -> dict[str, float]:
    """Kendall's W of the instruments over language pairs, beside its null: `w`, `null_high` (97.5 %
    quantile), `p`, `n_pairs`, `n_instruments`.

    - `table`: as `pair_matrix`.

    Raises MeaningsError where there are fewer than three pairs or two instruments.
    """
    _enough(table, "language pairs")
    drawn = kendall_w(_dealt(table, np.random.default_rng(seed)))
    return _against(table, drawn) | {"n_pairs": len(table)}


def onsets_by_language(readings: pd.DataFrame) -> pd.DataFrame:
    """When each instrument rises in each language, in tokens (inf: not within this training): a row
    a language, a column an instrument that rises at all.

    A language's curve is the mean over its language pairs and over training runs, above the null.
    """
    found = {}
    for name, rows in readings.groupby("instrument", observed=True):
        if not rises(rows):
            continue
        above = above_null(rows)
        sides = [above.assign(language=above[side]) for side in ("language_a", "language_b")]
        both = pd.concat(sides)
        curves = both[both["language"] != ""].pivot_table(
            index="language", columns="tokens", values="value", aggfunc="mean", observed=True
        )
        moments = crossing(curves.to_numpy(float), curves.columns.to_numpy(float), HALF)
        found[name] = pd.Series(moments, index=curves.index)
    return pd.DataFrame(found).dropna()


def language_concordance(table: pd.DataFrame, seed: int = 0) -> dict[str, float]:
    """Kendall's W of the instruments over languages, beside its null, in which each instrument's
    languages are dealt out anew: as `concordance`, with `n_languages`.

    - `table`: as `onsets_by_language`.

    Raises MeaningsError where there are fewer than three languages or two instruments.
    """
    _enough(table, "languages")
    rng, ranks = np.random.default_rng(seed), _ranks(table.to_numpy(float))
    drawn = kendall_w(np.stack([rng.permuted(ranks, axis=0) for _ in range(PERMUTATIONS)]))
    return _against(table, drawn) | {"n_languages": len(table)}


def _enough(table: pd.DataFrame, rows: str) -> None:
    if len(table) < 3 or table.shape[1] < 2:
        raise MeaningsError(
            f"{len(table)} {rows} and {table.shape[1]} instruments; agreement needs three "
            f"{rows.removeprefix('language ')} and two instruments; measure more of them"
        )


def _against(table: pd.DataFrame, drawn: Float[np.ndarray, " draw"]) -> dict[str, float]:
    """Kendall's W of a table beside those of its null."""
    found = coefficient(table)
    return {
        "w": found,
        "null_high": float(np.quantile(drawn, 0.975)),
        "p": float((1 + (drawn >= found - 1e-12).sum()) / (1 + PERMUTATIONS)),
        "n_instruments": table.shape[1],
    }


def coefficient(table: pd.DataFrame) -> float:
    """Kendall's W alone, of a table as `pair_matrix`."""
    return float(kendall_w(_ranks(table.to_numpy())))


def _ranks(values: np.ndarray) -> np.ndarray:
    return scipy.stats.rankdata(values, axis=-2)


def _dealt(table: pd.DataFrame, rng: np.random.Generator) -> Float[np.ndarray, "draw pair column"]:
    """Ranks with each instrument's languages dealt out anew; a pair that the table lacks takes the
    values of one that it has, drawn at random.
    """
    places = _places(table)
    languages = places.shape[0]
    a, b = (
        table.index.get_level_values(side).map(dict(_numbered(table))).to_numpy(int)
        for side in (0, 1)
    )
    values, ranks = table.to_numpy(), np.empty((PERMUTATIONS, *table.shape))
    for draw in range(PERMUTATIONS):
        for column in range(values.shape[1]):
            order = rng.permutation(languages)
            there = places[order[a], order[b]]
            lacking = there < 0
            there[lacking] = rng.integers(len(values), size=lacking.sum())
            ranks[draw, :, column] = values[there, column]
    return _ranks(ranks)


def _numbered(table: pd.DataFrame) -> list[tuple[str, int]]:
    names = sorted({name for pair in table.index for name in pair})
    return [(name, place) for place, name in enumerate(names)]


def _places(table: pd.DataFrame) -> Int[np.ndarray, "language language"]:
    """The row of each pair of languages, either way round; -1 where there is none."""
    number = dict(_numbered(table))
    found = np.full((len(number), len(number)), -1)
    for row, (a, b) in enumerate(table.index):
        found[number[a], number[b]] = found[number[b], number[a]] = row
    return found


def rank_correlations(table: pd.DataFrame) -> pd.DataFrame:
    """Spearman's correlation of every two columns over the rows."""
    return table.corr(method="spearman")
