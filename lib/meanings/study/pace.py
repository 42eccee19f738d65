"""How fast a study goes, and the time that is left of it, as a range.

Work is of three kinds: checkpoints to load, work that the cells of a checkpoint share (source
prompts), and cells, by what their group is made of. Of each kind the seconds per unit are kept, so
that cells which have their source prompts do not make those that lack them look quick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real

from meanings.measures.catalogue import measure_named
from meanings.measures.cells import Cell

LOADING = "loading"
SPELL = 10.0  # seconds of work at least over which a pace is told
KEPT = 8  # spells of each kind
MARGIN = 0.2  # share of what is left by which a range is wider than what was seen


@dataclass
class Pace:
    """Units done and seconds spent on them, by kind of work, in spells of some seconds."""

    spells: dict[str, list[list[float]]] = field(default_factory=dict)

    def add(self, kind: str, units: Real, seconds: float) -> None:
        """Count some work."""
        if units <= 0:
            return
        spells = self.spells.setdefault(kind, [])
        if not spells or spells[-1][1] >= SPELL:
            spells.append([0.0, 0.0])
            del spells[:-KEPT]
        spells[-1][0] += units
        spells[-1][1] += seconds

    def seconds_per_unit(self, kind: str) -> tuple[float, float] | None:
        """In the fastest and in the slowest spell; None for a kind that was never done."""
        spells = self.spells.get(kind, [])
        whole = [spell for spell in spells if spell[1] >= SPELL] or spells
        found = [seconds / units for units, seconds in whole]
        return (min(found), max(found)) if found else None

    @classmethod
    def of_all(cls, paces: Iterable[Pace]) -> Pace:
        """What several processes did."""
        spells: dict[str, list[list[float]]] = {}
        for pace in paces:
            for kind, found in pace.spells.items():
                spells.setdefault(kind, []).extend(found)
        return cls(spells)


def kind_of(cells: Sequence[Cell]) -> str:
    """The kind of a group of cells that are measured together."""
    measure = measure_named(cells[0].measure)
    classes = sorted({str(measure.cost_class(cell.request)) for cell in cells})
    return " ".join((measure.name, *classes))


def shared_kind(measure: str) -> str:
    """The kind of the work that cells of a measure share."""
    return f"{measure} shared"


@dataclass(frozen=True)
class KindOfCells:
    """Groups of a kind: their measure, and how many times as long as its quickest cells theirs may
    take, as long as none is measured.
    """

    measure: str
    longer: float


def seconds_left(
    pace: Pace,
    units: Mapping[str, Real],
    cells: Mapping[str, Real],
    kinds: Mapping[str, KindOfCells],
) -> tuple[float, float] | None:
    """Seconds of one process, from the fastest to the slowest; None where nothing like some of the
    work has been done yet.

    - `units`: checkpoints and shared work left, by kind; `cells`: cells left, by their group's
      kind.
    """
    low = high = 0.0
    for kind, amount in (*units.items(), *cells.items()):
        if amount <= 0:
            continue
        found = pace.seconds_per_unit(kind)
        if found is None and kind in kinds:
            found = _from_others(pace, kind, kinds)
        if found is None:
            return None
        low, high = low + amount * found[0], high + amount * found[1]
    return low * (1 - MARGIN), high * (1 + MARGIN)


def _from_others(
    pace: Pace, kind: str, kinds: Mapping[str, KindOfCells]
) -> tuple[float, float] | None:
    """A cell's seconds, told from those of the same measure's other kinds."""
    found = [
        (rates[0] / other.longer, rates[1] * kinds[kind].longer)
        for name, other in kinds.items()
        if other.measure == kinds[kind].measure and (rates := pace.seconds_per_unit(name))
    ]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None
