"""Does the alignment of two languages' words go with transfer, over trained worlds?

Worlds that were made to differ correlate in whatever makes them differ. So each correlation stands
beside those of predictors that know nothing of alignment, and within groups of worlds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from meanings.core.errors import MeaningsError
from meanings.statistics.resampling import RESAMPLES, SEED_COLUMN
from meanings.statistics.transfer import weighted_spearman
from meanings.statistics.worlds import at_end, by_chance, in_common, levels, scored

FEWEST = 4  # worlds of a correlation
MIDDLE = 2  # of four layers: the layer at which states are compared, named before measuring


@dataclass(frozen=True)
class Groups:
    """Worlds by whether a document of their text has two languages."""

    without: tuple[str, ...]
    with_: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Both groups."""
        return (*self.without, *self.with_)


def alignments(tables: Mapping[str, pd.DataFrame], worlds: Sequence[str]) -> pd.DataFrame:
    """A row a world: means over training seeds and language pairs of two alignments and of
    transfer.

    - `embeddings`: retrieval of twin tokens by input embeddings; `states`: CSLS retrieval of
      untouched words at the middle layer, both P@1, 0 to 1.
    - `transfer`, `english`: scores `class` and `english`, 0 to 1; `transfers`: whether the whole
      interval of the first lies above `chance`.

    Raises MeaningsError where the tables lack a world.
    """
    embeddings = tables["clones-embeddings"]
    embeddings = embeddings[embeddings["variant"] == "raw"]
    states = at_end(tables["clones-retrieval"])
    states = states[(states["variant"] == "csls") & (states["layer"] == MIDDLE)]
    found = pd.DataFrame(
        {
            "embeddings": _mean_of(embeddings, "value", worlds),
            "states": _mean_of(states, "value", worlds),
            "transfer": _mean_of(scored(tables, "class"), "score", worlds),
            "english": _mean_of(scored(tables, "english"), "score", worlds),
            "chance": by_chance(in_common(_of(tables["clones-tasks"], worlds)), "class"),
        }
    )
    lows = levels(scored(tables, "class"), [n for n in worlds if n in found.index])
    found["transfers"] = lows.set_index("world")["low"].reindex(found.index) > found["chance"]
    if missing := [name for name in worlds if name not in found.index]:
        raise MeaningsError(
            f"the tables have no world {missing[0]!r}; measure and publish it with 'meanings "
            f"miniature worlds {missing[0]} --publish'"
        )
    return found.loc[list(worlds)].rename_axis("world").reset_index()


PREDICTORS = ("embeddings", "states", "english", "group", "transfers")


def rank_correlations(points: pd.DataFrame, groups: Groups, seed: int = 0) -> pd.DataFrame:
    """Spearman's correlation of each predictor with transfer over worlds, within and across groups.

    Columns: `alignment`, the predictor; `scope` (`all`, `without`, `with`, and `transferring`:
    without parallel text and above chance); `rho`, `low`, `high`; `over_group`, `over_low`,
    `over_high`: how far `rho` lies above that of the group alone, with the same draws; `n_worlds`.

    Of the predictors `group` knows of a world only whether its text has documents in two
    languages, `transfers` only whether it is above chance, and `english` how well the first
    language does: an alignment must do better. Intervals resample worlds, within each group.

    - `points`: as of `alignments`.
    """
    known = points.assign(group=points["world"].isin(groups.with_).astype(float))
    known["transfers"] = known["transfers"].astype(float)
    parts = {
        "all": known,
        "without": known[known["group"] == 0],
        "transferring": known[(known["group"] == 0) & (known["transfers"] == 1)],
        "with": known[known["group"] == 1],
    }
    return pd.DataFrame(
        [
            {"alignment": name, "scope": scope, **_correlation(part, name, seed)}
            for scope, part in parts.items()
            for name in PREDICTORS
            if len(part) >= FEWEST and part[name].nunique() > 1
        ]
    )


def _correlation(part: pd.DataFrame, name: str, seed: int) -> dict[str, float]:
    draws = _drawn_worlds(part["group"].to_numpy(), seed)
    every = np.ones(len(part))
    y = part["transfer"].to_numpy(float)
    (rho, drawn), (alone, drawn_alone) = (
        (float(weighted_spearman(x, y, every)), weighted_spearman(x, y, draws))
        for x in (part[name].to_numpy(float), part["group"].to_numpy(float))
    )
    low, high = _ends(drawn, rho)
    over_low, over_high = _ends(drawn - drawn_alone, rho - alone)
    return {
        "rho": rho, "low": low, "high": high, "over_group": rho - alone, "over_low": over_low,
        "over_high": over_high, "n_worlds": len(part),
    }  # fmt: skip


def _ends(drawn: np.ndarray, value: float) -> tuple[float, float]:
    there = drawn[np.isfinite(drawn)]
    if not len(there) or not np.isfinite(value):
        return np.nan, np.nan
    low, high = np.quantile(there, [0.025, 0.975])
    return min(value, float(low)), max(value, float(high))


def _drawn_worlds(groups: np.ndarray, seed: int) -> Float[np.ndarray, "draw world"]:
    rng = np.random.default_rng(seed)
    drawn = np.zeros((RESAMPLES, len(groups)))
    for group in np.unique(groups):
        places = np.flatnonzero(groups == group)
        n = len(places)
        drawn[:, places] = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    return drawn


def _of(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return rows[rows["world"].isin(names)].astype({"world": str})


def _mean_of(rows: pd.DataFrame, value: str, names: Sequence[str]) -> pd.Series:
    by_seed = in_common(_of(rows, names)).groupby(["world", SEED_COLUMN])[value].mean()
    return by_seed.groupby("world").mean()
