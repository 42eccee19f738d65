"""A claim of the book: one sentence, the number behind it, and the rule that decides it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from meanings.core.errors import MeaningsError
from meanings.statistics.effects import Effect, Side, Verdict, decide
from meanings.statistics.remembering import remembered

# Published tables by name, as `meanings.measures.results.published` reads them.
Tables = Mapping[str, pd.DataFrame]
SEED = "training_seed"


@dataclass(frozen=True)
class Claim:
    """A statement of the book that its published tables can refute.

    - `id`: short and stable, such as `emergence-shared`; `chapter`: the page that makes it.
    - `statement`: a positive sentence; `{value}`, `{low}`, `{high}` are filled in.
    - `unit`: of the value: `probability`, `share`, `% of training`, ...
    - `side`, `smallest_effect`: see `meanings.statistics.effects.decide`.
    - `refuted_by`: what result would refute it, in words.
    - `tables`: names of the published tables that it reads.
    - `effect(tables)`: the estimate, over all training seeds of the tables that it is given.

    `effect` raises MeaningsError where the tables lack what it needs.
    """

    id: str
    chapter: str
    statement: str
    unit: str
    side: Side
    smallest_effect: float
    refuted_by: str
    tables: tuple[str, ...]
    effect: Callable[[Tables], Effect]

    def decide(self, tables: Tables) -> tuple[Effect | None, Verdict]:
        """The effect in these tables and what it says; no effect where they lack what it needs."""
        try:
            effect = self.effect(tables)
        except MeaningsError:
            return None, "undecided"
        return effect, decide(effect, self.side, self.smallest_effect)

    def by_seed(self, tables: Tables) -> dict[int, tuple[Effect | None, Verdict]]:
        """The same in each training run by itself; empty where no table has several."""
        seeds = sorted({seed for table in tables.values() for seed in _seeds(table)})
        if len(seeds) < 2:
            return {}
        return {
            seed: self.decide({name: _of_seed(table, seed) for name, table in tables.items()})
            for seed in seeds
        }


def _seeds(table: pd.DataFrame) -> list[int]:
    return [int(seed) for seed in table[SEED].unique()] if SEED in table else []


@remembered(6)
def _of_seed(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    return table[table[SEED] == seed] if len(_seeds(table)) > 1 else table
