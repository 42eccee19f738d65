"""Tables of the chapter *Eleven instruments, one training run*."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from meanings.book import synthesis_pages
from meanings.book.tables import experiments
from meanings.core.errors import MeaningsError
from meanings.core.formatting import amount
from meanings.measures.results import published_csv
from meanings.statistics import ladder
from meanings.statistics.instruments import INSTRUMENTS, PATCHING, Instrument

UNBROKEN = "\N{NO-BREAK SPACE}"
FLOORS = {"": "above its null", "apart_": "above nothing shared", "level_": "level of"}
# What fools an instrument, the null that it needs, and the question that it answers.
CHOICE = (
    (
        "Can the two languages be told apart?",
        "language identity",
        "language_id",
        "It says nothing about sharing: it stays high while everything else rises.",
        "shares of the most frequent language; concepts apart in training and test",
    ),
    (
        "Are the words of two languages arranged alike?",
        "CKA, length and frequency removed",
        "cka",
        "Equal length and frequency of words; the same sentence frames; the biased estimate.",
        "pairings permuted within cells of length and frequency, and a model with nothing to share",
    ),
    (
        "Do categories lie alike towards each other?",
        "arrangement of categories (RSA)",
        "structure",
        "Few classes in many dimensions always fit partly after a fitted map.",
        "classes permuted; disjoint halves of the concepts",
    ),
    (
        "Does a relation point the same way?",
        "direction of relations",
        "relations",
        "A shift that all words share: it is full-grown where nothing is shared, there even in "
        "untrained weights.",
        "a model with nothing to share; signs flipped are not enough",
    ),
    (
        "Does a translation lie at the same place?",
        "retrieval (CSLS)",
        "retrieval",
        "Words that are spelled alike; a mean that all words of a language share.",
        "words dealt out anew; concepts that share a token apart",
    ),
    (
        "Do the same units respond?",
        "overlap of expert units",
        "expert_units",
        "Aligned concepts look like a shared category.",
        "the same shuffle of categories in all languages, and not only independent ones",
    ),
    (
        "Does what is learnt in one language hold in the other?",
        "transfer of a category probe",
        "abilities",
        "A probe that is poor in its own language; categories that differ in size.",
        "categories dealt out anew; the probe in its own language as the upper level",
    ),
    (
        "Does a few units' code carry over?",
        "transfer of a probe on few units",
        "neuron_overlap",
        "Overlap at chance; correlation over checkpoints, where everything rises.",
        "chance overlap k / d; correlation within a checkpoint",
    ),
    (
        "Does a word carry the sense that its context asks for?",
        "meaning in context",
        "meaning_in_context",
        "The trace of the context in whatever word follows it; the word alone.",
        "another word behind the same context; senses dealt out anew are not enough",
    ),
    (
        "Is the space biased by gender?",
        "inBias",
        "gender",
        "A space that narrows makes every bias smaller; planted doses are hardly followed.",
        "random words in place of gendered ones; planted genders dealt out anew",
    ),
    (
        "Does the model say a concept that comes from other languages?",
        "patching",
        "patching",
        "It needs a model that can say the word; the vector may carry the output language's own "
        "word.",
        "the vector of a wrong concept in the same prompts; `seen` without the pair's languages",
    ),
)


def floors(rungs: pd.DataFrame, last: float) -> pd.DataFrame:
    """Each instrument's onset by three floors, as a share of the training with its interval.

    - `rungs`: as `meanings.statistics.rungs.rungs`; `last`: tokens at the end.
    """
    rows = {}
    for row in rungs.iloc[::-1].to_dict("records"):
        rows[row["label"]] = {
            _floor_name(prefix): _share(
                row[f"{prefix}onset"], row[f"{prefix}low"], row[f"{prefix}high"], last
            )
            for prefix in FLOORS
        } | {"height above its null": f"{row['final']:.2f}"}
    return pd.DataFrame(rows).T.rename_axis("instrument")


def _floor_name(prefix: str) -> str:
    name = FLOORS[prefix]
    return f"{name} {ladder.LEVEL:g}" if prefix == "level_" else name


def _share(onset: float, low: float, high: float, last: float) -> str:
    if np.isnan(onset):
        return ""
    ends = f"[{_percent(low, last)},{UNBROKEN}{_percent(high, last)}]"
    return f"{_percent(onset, last)} {ends}" if np.isfinite(onset) else f"none {ends}"


def _percent(moment: float, last: float) -> str:
    return f"{100 * moment / last:.0f}" if np.isfinite(moment) else "none"


def by_language(moments: pd.DataFrame, last: float) -> pd.DataFrame:
    """The onset of each instrument in each language, in per cent of the training.

    - `moments`: as `meanings.statistics.agreement.onsets_by_language`; `last`: tokens at the end.
    """
    labels = {each.name: each.label for each in INSTRUMENTS if each.name in moments}
    shown = moments[list(labels)].rename(columns=labels).map(lambda onset: _percent(onset, last))
    return shown.T.rename_axis(index="instrument", columns=None)


def delays(table: pd.DataFrame) -> pd.DataFrame:
    """How much later the second instrument rises, in per cent of the training.

    - `table`: as `meanings.statistics.rungs.delays`.
    """
    rows = [
        {
            "first": row.first,
            "then": row.second,
            "later by": f"{100 * row.later:.0f} [{100 * row.low:.0f},{UNBROKEN}"
            f"{'none' if np.isinf(row.high) else format(100 * row.high, '.0f')}]",
            "in each training run": ", ".join(f"{100 * each:.0f}" for each in row.by_run),
            "language pairs": row.n_pairs,
        }
        for row in table.itertuples()
    ]
    return pd.DataFrame(rows).set_index(["first", "then"]) if rows else pd.DataFrame()


def false_claims(models: dict[str, str], languages: Sequence[str]) -> pd.DataFrame:
    """Share of cells (layer, language pair, training run) in which an instrument says that
    something is shared: without a null, above its null, and above it by the smallest effect.

    - `models`: label of each model by its name; `languages`: those of the shipped model's rows.
    """
    rows = {}
    for instrument in INSTRUMENTS:
        row = {}
        for model, label in models.items():
            try:
                cells = synthesis_pages.cells_of(
                    instrument, model, languages if model == "miniature" else ()
                )
            except MeaningsError:
                continue
            found = ladder.false_claims(cells)
            if "face" in found:
                kinds = (
                    ("face", "above", "beyond") if model == synthesis_pages.APART else ("beyond",)
                )
                for kind in kinds:
                    if kind == "face" and not instrument.zero:
                        continue
                    row[f"{label}: {CLAIMED[kind]}"] = f"{found[kind]:.0%}"
                row[f"{label}: cells"] = f"{found['n']:.0f}"
        if row:
            rows[instrument.label] = row
    table = pd.DataFrame(rows).T.fillna("").rename_axis("instrument")
    order = [
        f"{label}: {what}" for label in models.values() for what in (*CLAIMED.values(), "cells")
    ]
    return table[[name for name in order if name in table]]


CLAIMED = {
    "face": "no null",
    "above": "above its null",
    "beyond": "clearly above it",
}


def responses(table: pd.DataFrame) -> pd.DataFrame:
    """Each instrument's height above its null by dose, with its trend.

    - `table`: as `meanings.statistics.rungs.responses`.
    """
    rows = {}
    for row in table.to_dict("records"):
        heights = {
            f"{100 * float(name[3:]):g} %": f"{value:z.3f}"
            for name, value in row.items()
            if name.startswith("at ")
        }
        told = row["told_apart"]
        rows[row["label"]] = heights | {
            "runs in order": f"{row['trend']:.0%}",
            "p": f"{row['p']:.4f}",
            "told apart from": f"{100 * told:g} %" if np.isfinite(told) else "none",
        }
    return pd.DataFrame(rows).T.rename_axis("instrument")


def choice(rungs: pd.DataFrame) -> pd.DataFrame:
    """Which instrument answers which question, what it costs, what fools it, which null it needs,
    and what it says of this page's model.

    - `rungs`: as `meanings.statistics.rungs.rungs`.
    """
    seconds = _seconds()
    heights = {row.label: f"{row.final:.2f}" for row in rungs.itertuples()}
    rows = [
        {
            "question": question,
            "instrument": label,
            "seconds a checkpoint": seconds.get(measure, ""),
            "what fools it": fooled.replace("`", ""),
            "the null that it needs": null.replace("`", ""),
            "here, above its null": heights.get(label, ""),
        }
        for question, label, measure, fooled, null in CHOICE
    ]
    return pd.DataFrame(rows).set_index("question")


def _seconds() -> dict[str, str]:
    if not experiments.there(experiments.COSTS, "csv"):
        return {}
    rows = published_csv(experiments.COSTS, "python -m bench --only measures")
    whole = rows[rows["grown"] == "checkpoint"].set_index("measure")["seconds"]
    return {name: f"{value:.0f}" for name, value in whole.items()}


def tokens(rungs: pd.DataFrame, instrument: Instrument = PATCHING) -> str:
    """An instrument's onset in tokens with its interval; `not measured` where it was not."""
    rows = rungs[rungs["name"] == instrument.name]
    if rows.empty:
        return "not measured"
    row = rows.iloc[0]
    return f"{amount(row['onset'])} [{amount(row['low'])}, {amount(row['high'])}]"
