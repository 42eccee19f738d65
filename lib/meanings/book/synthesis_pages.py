"""What the chapter on all instruments reads: readings of one training run, of the model that shares
nothing, and of worlds with more and more parallel text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from meanings.book import companion_pages
from meanings.book.chapter_parameters import Synthesis
from meanings.book.pages import READ_WITH
from meanings.core.errors import MeaningsError
from meanings.core.paths import data_folder
from meanings.lexicon.lexicon import load_lexicon
from meanings.measures.results import published
from meanings.statistics import agreement, instruments, ladder, rungs
from meanings.statistics.companions import PAIR
from meanings.statistics.instruments import INSTRUMENTS, PATCHING, Instrument
from meanings.statistics.resampling import SEED_COLUMN
from meanings.statistics.selection import followed, last_checkpoint, lead

COLUMNS = ["instrument", *instruments.PLACE, "value", "low", "high", "null", "n"]  # at least
APART, PARALLEL = "apart", "parallel-100"  # worlds that are trained alike


@dataclass(frozen=True)
class Read:
    """What is read of a page's model.

    - `readings`: of all instruments, one below another; `apart`: the same of the model that shares
      nothing, `parallel`: of one whose parallel text is all in two languages, after the same
      training; both empty where they are not published. `label`: what to call the tables.
    - `pairs`: unordered language pairs that all are read in.
    """

    readings: pd.DataFrame
    apart: pd.DataFrame
    parallel: pd.DataFrame
    pairs: tuple[str, ...]
    label: str

    @property
    def there(self) -> list[Instrument]:
        """The instruments that were measured, in their order."""
        names = set(self.readings["instrument"])
        return [each for each in INSTRUMENTS if each.name in names]

    def of(self, instrument: Instrument, apart: bool = False) -> pd.DataFrame:
        """The readings of one instrument."""
        table = self.apart if apart else self.readings
        return table[table["instrument"] == instrument.name]


def read(page: Synthesis, results: str | Path) -> Read:
    """The readings of a page's model: the published ones, of all training runs, where there are
    some; else those measured for the page.

    Raises MeaningsError where nothing was measured.
    """
    cells, label = _cells(page, results)
    trained = companion_pages.trained(page)
    cells = companion_pages.between(followed(cells), trained)
    names = cells["pair"].unique()
    pairs = tuple(sorted({"-".join(sorted(pair.split("-"))) for pair in names}))

    def rows(measure: str) -> pd.DataFrame:
        return companion_pages.rows(page, measure, results)[0]

    found = list(_all(rows, cells, trained, pairs))
    if not found:
        raise MeaningsError(
            f"{results}: no instrument was measured for these parameters"
            "; run 'meanings chapter synthesis' with them"
        )
    worlds = _world(APART), _world(PARALLEL)
    return Read(pd.concat(found, ignore_index=True), *worlds, pairs, label)


@lru_cache(maxsize=2)
def _cells(page: Synthesis, results: str | Path) -> tuple[pd.DataFrame, str]:
    if companion_pages.is_shipped(page):
        name = companion_pages.run_of(page).model
        sha = load_lexicon(page.lexicon).sha256
        conditions = {"condition": ["seen", "null_concept"], "lexicon_sha256": [sha]}
        table = published(name, companion_pages.ONSET, conditions)
        runs, steps = table[SEED_COLUMN].nunique(), table["step"].nunique()
        return table, f"published tables: {runs} training runs, {steps} checkpoints"
    cells = companion_pages.measured(page, "patching", Path(results))
    return cells, f"measured for this page: {cells['step'].nunique()} checkpoints"


def _all(
    rows: Callable[[str], pd.DataFrame],
    cells: pd.DataFrame,
    languages: Iterable[str] = (),
    pairs: tuple[str, ...] = (),
) -> Iterable[pd.DataFrame]:
    """Readings of every instrument that there are rows of."""
    for instrument in INSTRUMENTS:
        try:
            if instrument is PATCHING:
                yield instruments.patched_readings(cells, lead(cells))
            else:
                table = rows(instrument.measure)
                yield instruments.readings(table, instrument, tuple(languages), pairs)
        except MeaningsError:
            continue  # not measured, or not defined for these languages


def _world(name: str) -> pd.DataFrame:
    """Readings of a published short training run, over all of its steps; empty where none is."""
    parts = list(_all(lambda measure: _published(measure, name), _patched(name)))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _published(measure: str, model: str) -> pd.DataFrame:
    table = companion_pages.shipped(measure, model)
    if table is None:
        raise MeaningsError(
            f"{measure} is not published for {model}; publish it with 'meanings publish'"
        )
    return table


def _patched(model: str) -> pd.DataFrame:
    path = data_folder() / "published" / "worlds.parquet"
    columns = list(companion_pages.ONSET)
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    return published("worlds", columns, {"model": [model]})


def by_dose() -> pd.DataFrame:
    """Readings at the end of the training of each world of `rungs.DOSES`, with its `dose`; empty
    where the worlds are not published.
    """
    parts = [
        last_checkpoint(found).assign(dose=dose)
        for name, dose in rungs.DOSES.items()
        if len(found := _world(name))
    ]
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["instrument", "dose"])
    )


def cells_of(instrument: Instrument, model: str, languages: Iterable[str] = ()) -> pd.DataFrame:
    """All published rows of an instrument at the end of a training, each layer and language pair by
    itself.

    Raises MeaningsError where there are none.
    """
    if instrument is not PATCHING:
        rows = instruments.rows_of(_published(instrument.measure, model), instrument, languages)
        return last_checkpoint(rows)
    own = data_folder() / "published" / f"{model}.parquet"
    cells = published(model, companion_pages.ONSET) if own.is_file() else _patched(model)
    if cells.empty:
        raise MeaningsError(
            f"patching is not published for {model}; publish it with 'meanings publish'"
        )
    cells = last_checkpoint(cells)
    if languages:
        cells = companion_pages.between(cells, tuple(languages))
    return instruments.patched_by_layer(cells)


def at_end(page: Synthesis, found: Read, results: str | Path) -> pd.DataFrame:
    """Readings at the last checkpoint in every pair of trained languages that patching has there,
    with `never`: whether the pair never stands side by side in the training text.

    An instrument that does not rise is left out: it has no order of pairs to agree on.
    """
    trained = companion_pages.trained(page)
    cells = last_checkpoint(_cells(page, results)[0])
    cells = companion_pages.between(cells, trained)

    def rows(measure: str) -> pd.DataFrame:
        table = last_checkpoint(companion_pages.rows(page, measure, results)[0])
        apart = table["split"] == "never"
        never.update(map(frozenset, table.loc[apart, PAIR].astype(str).to_numpy().tolist()))
        return table

    never: set[frozenset[str]] = set()
    parts = [part for part in _all(rows, cells, trained) if ladder.rises(part)]
    table = pd.concat(parts, ignore_index=True)
    table = table[table["language_b"] != ""]
    sides = table[PAIR].astype(str).to_numpy().tolist()
    return table.assign(never=[frozenset(pair) in never for pair in sides])


def by_language(page: Synthesis, found: Read, results: str | Path) -> pd.DataFrame:
    """When each instrument rises in each language, in tokens: a row a language, a column an
    instrument.

    Patching is read in the language that it writes: the words of a pair's other language only ask.
    Languages into which nothing was patched are left out.
    """
    cells = companion_pages.between(
        followed(_cells(page, results)[0]), companion_pages.trained(page)
    )
    outputs = cells["pair"].astype(str).str.split("-").str[1]
    parts = [found.readings[found.readings["instrument"] != PATCHING.name]]
    for code, own in cells.groupby(outputs):
        patched = instruments.patched_readings(own, lead(cells))
        parts.append(patched.assign(language_a=code, language_b=""))
    return agreement.onsets_by_language(pd.concat(parts, ignore_index=True))


def provenance(page: Synthesis, found: Read) -> pd.DataFrame:
    """The box at the chapter's end: what was read, of what model, with what; `what`, `value`."""
    runs = sorted(found.readings[SEED_COLUMN].unique())
    told = {
        "tables": found.label,
        "model": companion_pages.run_of(page).model,
        "training seeds": ", ".join(map(str, runs)),
        "lexicon": page.lexicon,
        "language pairs": ", ".join(found.pairs),
        "floor": f"the world {APART}, data/miniature/worlds.yaml" if len(found.apart) else "none",
        "intervals": "95 %; of readings over concepts, of delays over languages and training runs",
        "read with": ", ".join(f"{name} {version(name)}" for name in READ_WITH),
    }
    return pd.DataFrame({"what": list(told), "value": list(told.values())}).set_index("what")
