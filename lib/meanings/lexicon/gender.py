"""Gendered words and occupations of the lexicon: pairs of seeds, and the gender that planted worlds
give each occupation.

The genders are dealt at random, half and half, so that no stereotype can be mistaken for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.core.tables import read_table

HEADER = ("concept", "kind", "gender", "pair")
GENDERS = ("male", "female")
DEAL_SEED = 23  # which occupations get which gender, the same in every world


@dataclass(frozen=True)
class GenderList:
    """Concepts by gender.

    - `pairs`: male and female seed, such as man and woman.
    - `occupations`: concept -> `male` or `female`, as planted.
    """

    pairs: tuple[tuple[str, str], ...]
    occupations: dict[str, str]

    @property
    def concepts(self) -> tuple[str, ...]:
        """All seeds and occupations."""
        return (*(each for pair in self.pairs for each in pair), *self.occupations)

    @cached_property
    def gendered(self) -> dict[str, tuple[str, ...]]:
        """Occupation -> the seeds of its planted gender."""
        return {
            concept: tuple(pair[GENDERS.index(gender)] for pair in self.pairs)
            for concept, gender in self.occupations.items()
        }


def dealt(occupations: Sequence[str]) -> dict[str, str]:
    """A gender for each occupation, half of them female, in an order that is fixed."""
    order = np.random.default_rng(DEAL_SEED).permutation(len(occupations))
    female = {occupations[place] for place in order[: len(occupations) // 2]}
    return {concept: GENDERS[concept in female] for concept in occupations}


def gender_list(path: Path | None = None) -> GenderList:
    """The list of a table, without a path `data/lexicon/gender.csv`.

    Columns `concept, kind, gender, pair`. Raises MeaningsError naming file and line on another
    kind or gender, a concept that comes twice, or a seed without its partner.
    """
    path = path or data_folder() / "lexicon" / "gender.csv"
    state = path.stat() if path.is_file() else None
    return _read(path, state.st_mtime_ns if state else 0)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> GenderList:
    table = read_table(path)
    if table.header != HEADER:
        raise MeaningsError(
            f"{path}, line 1: columns {', '.join(table.header)}; expected {', '.join(HEADER)}"
        )
    seeds: dict[str, dict[str, str]] = {}
    occupations: dict[str, str] = {}
    known: set[str] = set()
    for line, row in table.rows:
        where = f"{path}, line {line}: "
        if row["gender"] not in GENDERS or row["kind"] not in ("seed", "occupation"):
            raise MeaningsError(
                f"{where}{row['kind']} {row['gender']}; expected seed or occupation, and "
                f"{' or '.join(GENDERS)}"
            )
        if row["concept"] in known:
            raise MeaningsError(f"{where}{row['concept']!r} is there twice; leave one out")
        known.add(row["concept"])
        if row["kind"] == "occupation":
            occupations[row["concept"]] = row["gender"]
        elif (
            seeds.setdefault(row["pair"], {}).setdefault(row["gender"], row["concept"])
            != (row["concept"])
        ):
            raise MeaningsError(
                f"{where}pair {row['pair']!r} has two {row['gender']} seeds; number the pairs anew"
            )
    for pair, both in seeds.items():
        if len(both) < 2:
            raise MeaningsError(
                f"{path}: pair {pair!r} has one seed, {', '.join(both.values())}; add its partner"
            )
    return GenderList(tuple((both["male"], both["female"]) for both in seeds.values()), occupations)
