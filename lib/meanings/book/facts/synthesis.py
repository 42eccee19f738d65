"""What the chapter *Eleven instruments, one training run* says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from meanings.book.facts import wording
from meanings.book.synthesis_pages import Read
from meanings.book.tables import synthesis as tables
from meanings.core.formatting import amount
from meanings.lexicon.languages import language
from meanings.statistics import ladder, rungs
from meanings.statistics.companions import PAIR
from meanings.statistics.instruments import INSTRUMENTS, PATCHING, RETRIEVAL, above_null
from meanings.statistics.resampling import SEED_COLUMN

NOT_HERE = "(not measured for this model)"
MODELS = {
    "apart": "nothing shared",
    "parallel-0": "no parallel text",
    "miniature": "the miniature",
}
RELATIONS = "relations direction_associate"


def coverage(read: Read) -> dict[str, object]:
    """What the page's readings rest on."""
    pairs = len(read.pairs)
    lacking = [each.label for each in INSTRUMENTS if each not in read.there]
    return {
        "sy_pairs": f"{pairs} language pair{'s' * (pairs > 1)}",
        "sy_lacking": f"Not measured here: {', '.join(lacking)}." if lacking else "",
    }


def counted(read: Read) -> str:
    """What a figure rests on: concepts, language pairs and training runs."""
    table = read.readings
    pairs = table[table["language_b"] != ""]
    low, high = int(table["n"].min()), int(table["n"].max())
    several = f"{low} to {high}" if low < high else f"{low}"
    return (
        f"{several} concepts or pairs of concepts, "
        f"{len(pairs[['language_a', 'language_b']].drop_duplicates())} language pairs, "
        f"{wording.plural(table[SEED_COLUMN].nunique(), 'training run')}"
    )


def order(rungs: pd.DataFrame, last: float) -> dict[str, object]:
    """Which instruments rise first and last, when patching does, and how many have no onset by each
    floor.
    """
    rises = rungs[np.isfinite(rungs["onset"])].sort_values("onset")
    missing = rungs[np.isinf(rungs["apart_onset"].fillna(0.0))]["label"]
    if rises.empty:
        return dict.fromkeys(
            ("sy_first", "sy_last", "sy_patching", "sy_retrieval", "sy_no_onset", "sy_training"),
            NOT_HERE,
        )
    first, final = rises.iloc[0], rises.iloc[-1]
    return {
        "sy_first": f"{first['label']} ({amount(first['onset'])} tokens)",
        "sy_last": f"{final['label']} ({amount(final['onset'])} tokens)",
        "sy_patching": f"{tables.tokens(rungs)} tokens",
        "sy_retrieval": f"{tables.tokens(rungs, RETRIEVAL)} tokens",
        "sy_no_onset": wording.plain_names(list(missing)),
        "sy_training": f"{amount(last)} tokens",
    }


def fooled(rungs: pd.DataFrame) -> dict[str, object]:
    """Which instruments reach half of their height where nothing is shared, and which stay below a
    tenth.
    """
    known = rungs[rungs["share"].notna()]
    if known.empty:
        return dict.fromkeys(
            ("sy_fooled", "sy_fooled_first", "sy_not_fooled", "sy_known"), NOT_HERE
        )
    half, tenth = known[known["share"] >= 0.5], known[known["share"] < 0.1]
    others = rungs[~rungs["name"].isin(half["name"])]
    before = half[half["onset"] < others["onset"].min()].sort_values("onset")["label"]
    return {
        "sy_fooled_first": wording.either(
            len(before) > 0,
            f"Among them are the first to rise ({', '.join(before)}): what rises first in a "
            "training run may need no sharing at all.",
            "",
        ),
        "sy_fooled": "; ".join(f"{r.label} ({r.share:.0%})" for r in half.itertuples()) or "none",
        "sy_not_fooled": len(tenth),
        "sy_known": len(known),
    }


def untrained(read: Read) -> dict[str, object]:
    """How high the direction of relations is before any training, where nothing is shared and in
    the page's model.
    """
    at = {}
    for name, table in (("apart", read.apart), ("own", read.readings)):
        rows = table[(table["instrument"] == RELATIONS) & (table["step"] == 0)]
        at[name] = above_null(rows)["value"].mean() if len(rows) else np.nan
    if np.isnan(at["apart"]):
        return {"sy_untrained": ""}
    own = "" if np.isnan(at["own"]) else f", against {at['own']:.2f} in the model of this page"
    return {
        "sy_untrained": "There it is high before any training: untrained weights have "
        f"{at['apart']:.2f} above the null{own}. So what words share there is not learnt from the "
        "text; we do not know which property of the words it is."
    }


def reversed_pairs(read: Read) -> dict[str, object]:
    """In which language pairs patching rises before retrieval in every training run."""
    onsets = {}
    for each in (RETRIEVAL, PATCHING):
        rows = read.of(each).assign(instrument=each.name)
        for pair, own in rows.groupby(PAIR, observed=True):
            onsets.setdefault(pair, {})[each.name] = ladder.onsets(own, "null")["onset"]
    both = {pair: found for pair, found in onsets.items() if len(found) == 2}
    first = [
        f"{language(a).name} and {language(b).name}"
        for (a, b), found in both.items()
        if (found[PATCHING.name] < found[RETRIEVAL.name]).all()
    ]
    if not both:
        return {"sy_reversed": ""}
    which = f": {'; '.join(first)}" if first else ""
    return {
        "sy_reversed": f"Patching rises before retrieval in every training run in {len(first)} of "
        f"{len(both)} language pairs{which}."
    }


def doses(table: pd.DataFrame) -> dict[str, object]:
    """Which instruments tell the smallest dose apart from none, and which none at all."""
    if table.empty:
        return dict.fromkeys(("sy_dose_first", "sy_dose_not", "sy_dose_runs"), NOT_HERE)
    smallest = table["told_apart"].min()
    first = table[table["told_apart"] == smallest]["label"]
    not_ = table[~np.isfinite(table["told_apart"])]["label"]
    return {
        "sy_dose_smallest": f"{100 * smallest:g} %",
        "sy_dose_first": wording.plain_names(list(first)),
        "sy_dose_not": wording.plain_names(list(not_)),
        "sy_dose_runs": int(table["n_runs"].max()),
    }


def claimed(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The statements of the chapter's claims."""
    return {
        f"sy_says_{name.removeprefix('instruments_')}": text
        for name, text in wording.statements(claims).items()
    }


def by_run(claims: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Whether *shape, then place, then use* may be said: by its claims, in each training run."""
    chain = {
        row["id"]: row
        for row in claims
        if row["id"]
        in (
            "instruments-shape-place",
            "instruments-place-translation",
            "instruments-place-patching",
        )
    }
    holds = [row["verdict"] == "holds" for row in chain.values()]
    return {
        "sy_chain": wording.either(
            all(holds) and len(holds) == 3,
            "All three steps hold: shape, then place, then use.",
            "So “shape, then place, then use” may not be said: "
            f"of its {len(holds)} steps, {sum(holds)} can be shown.",
        )
    }


def by_dose(worlds: pd.DataFrame, read: Read) -> pd.DataFrame:
    """Height above the null of each instrument, dose and training run, with the height where
    nothing is shared: what `meanings.book.figures.ladder.doses` draws.
    """
    parts = []
    for each in INSTRUMENTS:
        own = worlds[worlds["instrument"] == each.name] if len(worlds) else worlds
        if own.empty:
            continue
        runs = rungs.by_run(own).rename("value").reset_index()
        apart = rungs.height(read.of(each, apart=True))
        parts.append(runs.assign(label=each.label, kind=each.kind, apart=apart))
    columns = ["dose", SEED_COLUMN, "value", "label", "kind", "apart"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def counted_doses(worlds: pd.DataFrame) -> str:
    """What the doses rest on: language pairs, training runs."""
    pairs = worlds[worlds["language_b"] != ""].groupby("instrument")
    numbers = sorted({len(p[["language_a", "language_b"]].drop_duplicates()) for _, p in pairs})
    runs = worlds.groupby("dose")[SEED_COLUMN].nunique().min()
    several = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}"
    return f"{several} language pairs, {wording.plural(int(runs), 'training run')} a dose"


def the_paper(claims: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Rows of the table that sets related work beside this page."""
    said = wording.statements(claims)
    return [
        (
            "Calibrated by permutation, global similarities of representations lose most of their "
            "convergence; likeness of neighbourhoods stays (Gröger, Wen and Brbić).",
            f"{said['instruments_cka_face']} {said['instruments_cka_null']} "
            f"{said['instruments_retrieval_null']}",
            "in part",
            "Here CKA, which is global, follows the dose of parallel text as well as retrieval "
            "does; and an instrument can pass a permutation null where nothing is shared: "
            f"{said['instruments_relations_apart']}",
        ),
        (
            "Models that were trained on one language each have similar states of parallel text by "
            "CKA (Goldfish).",
            f"{said['instruments_cka_face']} {said['instruments_cka_null']}",
            "in part",
            "A null that keeps length and frequency of words takes the likeness away here. Our "
            "languages without a common word are in one model, theirs in several.",
        ),
    ]
