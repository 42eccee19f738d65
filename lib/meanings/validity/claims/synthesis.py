"""Claims of the chapter *Eleven instruments, one training run*."""

from meanings.statistics.effects import SMALLEST_EFFECT
from meanings.statistics.instruments import (
    CKA,
    INSTRUMENTS,
    PATCHING,
    REGRESSED,
    RETRIEVAL,
    Instrument,
    named,
)
from meanings.validity.claims import instrument_estimates as estimates
from meanings.validity.claims.claim import Claim

CHAPTER = "synthesis"
SOON = 0.02  # of the training: a smaller delay counts as none
FEW = 0.33  # of the cells
ORDERED = 0.25  # above one half: three pairs of runs in four are in the order of their doses
CATEGORIES = named("structure rsa")
RELATIONS = named("relations direction_associate")
TRANSLATION = named("abilities translation")
COMPARED = tuple(each for each in INSTRUMENTS if each.kind != "language")


def _later(name: str, first: Instrument, second: Instrument, statement: str) -> Claim:
    return Claim(
        id=f"instruments-{name}",
        chapter=CHAPTER,
        statement=statement,
        unit="share of the training",
        side="above",
        smallest_effect=SOON,
        refuted_by="a delay of at most 2 % of the training",
        tables=estimates.tables_for(first, second),
        effect=estimates.later(first, second),
    )


def _cells(
    name: str,
    instrument: Instrument,
    text: str,
    how: estimates.Claimed = "beyond",
    model: str = estimates.APART,
    many: bool = False,
) -> Claim:
    """That an instrument says in few cells of a model, or in many, that something is shared."""
    return Claim(
        id=f"instruments-{name}",
        chapter=CHAPTER,
        statement=text,
        unit="share of cells",
        side="above" if many else "within",
        smallest_effect=FEW,
        refuted_by=f"such a claim in {'at most' if many else 'more than'} one cell of three",
        tables=estimates.tables_for(instrument),
        effect=estimates.claimed(instrument, how, model),
    )


def _follows(name: str, instrument: Instrument, called: str) -> Claim:
    return Claim(
        id=f"instruments-dose-{name}",
        chapter=CHAPTER,
        statement=f"{called} follows the dose of parallel text: of two training runs with "
        "different doses, the higher dose has the higher value more often than not, by {value:.2f} "
        "(.50 at most).",
        unit="share of pairs of runs, above one half",
        side="above",
        smallest_effect=ORDERED,
        refuted_by="at most three pairs of runs in four in the order of their doses",
        tables=estimates.tables_for(instrument),
        effect=estimates.trend(instrument),
    )


CLAIMS = (
    _later(
        "shape-place",
        REGRESSED,
        RETRIEVAL,
        "Retrieval rises later than regressed CKA, by {value:.1%} of the training: shape comes "
        "before place.",
    ),
    _later(
        "place-categories",
        RETRIEVAL,
        CATEGORIES,
        "The arrangement of categories (RSA) rises later than retrieval, by {value:.1%} of the "
        "training: a shape comes after the place.",
    ),
    _later(
        "place-translation",
        RETRIEVAL,
        TRANSLATION,
        "Translation without examples rises later than retrieval, by {value:.0%} of the training: "
        "place comes before use.",
    ),
    _later(
        "place-patching",
        RETRIEVAL,
        PATCHING,
        "Patching rises later than retrieval, by {value:.0%} of the training.",
    ),
    Claim(
        id="instruments-relations-apart",
        chapter=CHAPTER,
        statement="In a model whose languages share nothing, the direction of relations reaches "
        "{value:.0%} of the height that it has where all parallel text is in two languages, after "
        "the same training.",
        unit="share of the height",
        side="above",
        smallest_effect=0.5,
        refuted_by="at most half of the height",
        tables=estimates.tables_for(RELATIONS),
        effect=estimates.height_where_nothing_is_shared(RELATIONS),
    ),
    _cells(
        "cka-face",
        CKA,
        "Where nothing is shared, CKA without a null says that something is in {value:.0%} of the "
        "cells.",
        how="face",
        many=True,
    ),
    _cells(
        "cka-null",
        CKA,
        "Where nothing is shared, CKA lies clearly above a null that keeps length and frequency in "
        "{value:.0%} of the cells, fewer than one in three.",
    ),
    _cells(
        "retrieval-null",
        RETRIEVAL,
        "Where nothing is shared, retrieval lies clearly above its null in {value:.0%} of the "
        "cells, fewer than one in three.",
    ),
    _cells(
        "patching-null",
        PATCHING,
        "Where nothing is shared, patching lies clearly above its null in {value:.0%} of the "
        "cells, fewer than one in three.",
    ),
    _cells(
        "retrieval-spelling",
        RETRIEVAL,
        "Without parallel text, but with letters in common, retrieval lies clearly above its null "
        "in {value:.0%} of the cells.",
        model="parallel-0",
        many=True,
    ),
    _follows("patching", PATCHING, "Patching"),
    _follows("retrieval", RETRIEVAL, "Retrieval"),
    _follows("cka", REGRESSED, "Regressed CKA"),
    _follows("relations", RELATIONS, "The direction of relations"),
    Claim(
        id="instruments-agree",
        chapter=CHAPTER,
        statement="Over language pairs that never stand side by side in the text, the instruments "
        "rank the pairs alike: Kendall's W lies {value:.2f} above what languages dealt out anew "
        "reach.",
        unit="Kendall's W, above its null",
        side="above",
        smallest_effect=SMALLEST_EFFECT,
        refuted_by="a W of at most .02 above that of languages dealt out anew",
        tables=tuple(dict.fromkeys((*estimates.tables_for(*COMPARED), "cka"))),
        effect=estimates.concordance(COMPARED),
    ),
)
