"""All claims of the book: `meanings claims`, and the pages, read them here.

Each chapter's claims are the tuple `CLAIMS` of a module of this folder. The published tables that
they name are read once.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pandas as pd

from meanings.core.errors import MeaningsError, one_of
from meanings.core.formatting import unsigned_zeros
from meanings.core.paths import data_folder
from meanings.measures.results import published, published_columns, published_csv
from meanings.statistics.effects import Effect, Verdict
from meanings.validity.claims import kept_rows
from meanings.validity.claims.claim import Claim, Tables

# In the order of the book.
MODULES = (
    "miniature",
    "emergence",
    "language_dependence",
    "error_analysis",
    "trust",
    "real_model",
    "cka",
    "retrieval",
    "language_identity",
    "neuron_overlap",
    "structure",
    "abilities",
    "meaning_in_context",
    "shared_vocabulary",
    "early_alignment",
    "transfer",
    "gender",
    "synthesis",
)
# What makes a table again that is not `meanings publish`ed.
COMMANDS = {
    "known_truth": "meanings validity known-truth",
    "false_positives": "meanings validity false-positives",
    "reach": "meanings miniature worlds",
}
# Columns of cells that no claim reads: the largest table has 2.8 million rows.
UNREAD = {
    "query",
    "null_concept",
    "source_shots",
    "target_shots",
    "key",
    "weights_sha256",
    "lexicon_sha256",
    "languages",
}
COLUMNS = (
    "id",
    "chapter",
    "statement",
    "value",
    "low",
    "high",
    "unit",
    "n_concepts",
    "n_pairs",
    "n_seeds",
    "smallest_effect",
    "verdict",
    "by_seed",
    "refuted_by",
)


def all_claims() -> tuple[Claim, ...]:
    """The claims of every chapter that has some, in the order of the book.

    Raises MeaningsError where two have the same id.
    """
    package = __package__
    names = [f"{package}.{name}" for name in MODULES if find_spec(f"{package}.{name}")]
    claims = tuple(claim for name in names for claim in import_module(name).CLAIMS)
    ids = [claim.id for claim in claims]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise MeaningsError(f"two claims have the id {one_of(twice)}; an id names one claim")
    return claims


def tables_of(claims: Iterable[Claim]) -> Tables:
    """The published tables that these claims read, by name."""
    return {name: table(name) for claim in claims for name in claim.tables}


@lru_cache(maxsize=32)
def table(name: str) -> pd.DataFrame:
    """A published table, Parquet or CSV, read once a process, without the columns `UNREAD`; not to
    be written to.
    """
    folder = data_folder() / "published"
    if (folder / f"{name}.csv").is_file() or name in COMMANDS:
        return published_csv(name, COMMANDS.get(name, f"meanings publish {name} --means"))
    return published(name, [column for column in published_columns(name) if column not in UNREAD])


def rows(claims: Iterable[Claim], tables: Tables, by_seed: bool = True) -> Iterator[dict[str, Any]]:
    """A row per claim with the fields `COLUMNS`, as numbers and text that JSON takes.

    `value`, `low`, `high` and the counts are None where the tables lack what the claim needs.
    `by_seed`: by training seed the same estimate of that run alone, and what it says; empty where
    the tables have one run, and where it is not asked for: it takes most of the time.
    """
    for claim in claims:
        own = {name: tables[name] for name in claim.tables}
        effect, verdict = claim.decide(own)
        counts = {
            name: getattr(effect, name, None) for name in ("n_concepts", "n_pairs", "n_seeds")
        }
        each = claim.by_seed(own) if by_seed else {}
        runs = {seed: found for seed, found in each.items() if found[0] is not None}
        yield {
            "id": claim.id,
            "chapter": claim.chapter,
            "statement": stated(claim, effect),
            **estimate(effect),
            "unit": claim.unit,
            **counts,
            "smallest_effect": claim.smallest_effect,
            "verdict": verdict,
            "by_seed": {str(seed): _of_run(*found) for seed, found in runs.items()}
            if len(runs) > 1
            else {},
            "refuted_by": claim.refuted_by,
        }


@lru_cache(maxsize=2)
def catalogue(by_seed: bool = True) -> tuple[dict[str, Any], ...]:
    """The rows of all claims, from the published tables, each with what every training run says by
    itself where that is asked for; computed once a process.
    """
    chapters = dict.fromkeys(claim.chapter for claim in all_claims())
    return tuple(row for chapter in chapters for row in of_chapter(chapter, by_seed))


def of_chapter(chapter: str, by_seed: bool = True) -> list[dict[str, Any]]:
    """The rows of a chapter's claims, from the published tables that these read, or as they were
    kept (`meanings.validity.claims.kept_rows`); then always with every training run.
    """
    if (kept := kept_rows.read(chapter)) is not None:
        return kept
    claims = [claim for claim in all_claims() if claim.chapter == chapter]
    found = list(rows(claims, tables_of(claims), by_seed))
    return kept_rows.keep(chapter, found) if by_seed else found


def of_ids(ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The rows of these claims by id, all training runs together, in the order of the book.

    Raises MeaningsError on an id that no claim has.
    """
    wanted, claims = set(ids), all_claims()
    if unknown := wanted - {claim.id for claim in claims}:
        raise MeaningsError(
            f"no claim has the id {one_of(sorted(unknown))}; `meanings claims` lists the ids"
        )
    found = {}
    for chapter in dict.fromkeys(claim.chapter for claim in claims if claim.id in wanted):
        own = [claim for claim in claims if claim.chapter == chapter and claim.id in wanted]
        said = kept_rows.read(chapter) or rows(own, tables_of(own), by_seed=False)
        found |= {row["id"]: row for row in said if row["id"] in wanted}
    return found


def stated(claim: Claim, effect: Effect | None) -> str:
    """The statement with its numbers; without an effect, with `(not measured)` in their place."""
    if effect is None:
        return claim.statement.format_map(_NotMeasured())
    return unsigned_zeros(claim.statement.format(**estimate(effect)))


def estimate(effect: Effect | None) -> dict[str, float | None]:
    """`value`, `low` and `high`; None where there is no effect."""
    return {name: getattr(effect, name, None) for name in ("value", "low", "high")}


def _of_run(effect: Effect | None, verdict: Verdict) -> dict[str, Any]:
    return {**estimate(effect), "verdict": verdict}


class _Blank:
    """A number that was not measured, whatever its format."""

    def __format__(self, spec: str) -> str:
        return "(not measured)"


class _NotMeasured(dict):
    """Every number is missing."""

    def __missing__(self, key: str) -> _Blank:
        return _Blank()
