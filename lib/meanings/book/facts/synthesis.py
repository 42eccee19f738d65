"""What the chapter *Eleven instruments, one training run* says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from meanings.book.facts import wording
from meanings.book.synthesis_pages import Read
from meanings.book.tables import synthesis as tables
from meanings.core.errors import MeaningsError
from meanings.core.formatting import amount
from meanings.lexicon.languages import language
from meanings.models.trajectories import Trajectory
from meanings.statistics import agreement, languages, rungs
from meanings.statistics.correlation import rank_correlation
from meanings.statistics.instruments import INSTRUMENTS, PATCHING, RETRIEVAL
from meanings.statistics.resampling import SEED_COLUMN

NOT_HERE = "(not measured for this model)"
MODELS = {
    "apart": "nothing shared",
    "parallel-0": "no parallel text",
    "miniature": "the miniature",
}
LABELS = {each.name: each.label for each in INSTRUMENTS}


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
    first = len(half) > 0 and half["onset"].max() < others["onset"].min()
    return {
        "sy_fooled_first": wording.either(
            first,
            "They are also the first to rise: what rises first in a training run may need no "
            "sharing at all.",
            "",
        ),
        "sy_fooled": "; ".join(f"{r.label} ({r.share:.0%})" for r in half.itertuples()) or "none",
        "sy_not_fooled": len(tenth),
        "sy_known": len(known),
    }


def agreeing(end: pd.DataFrame) -> dict[str, object]:
    """Kendall's W over all pairs, and over those that never stand side by side in the text."""
    try:
        w = agreement.concordance(agreement.pair_matrix(end))
    except MeaningsError:
        return {"sy_w": "With fewer than three language pairs there is no order to agree on."}
    said = (
        f"Kendall's W of the {w['n_instruments']} instruments that rise at all over "
        f"{w['n_pairs']} pairs is {w['w']:.2f}, where languages dealt out anew reach up to "
        f"{w['null_high']:.2f}."
    )
    try:
        never = agreement.concordance(agreement.pair_matrix(end[end["never"]]))
    except MeaningsError:
        return {"sy_w": said}
    return {
        "sy_w": f"{said} Parallel text could make them agree, so we ask again for the "
        f"{never['n_pairs']} pairs that never stand side by side: {never['w']:.2f} (dealt out anew "
        f"up to {never['null_high']:.2f})."
    }


def by_language(moments: pd.DataFrame, run: Trajectory) -> dict[str, object]:
    """Whether the instruments agree on which languages come first: Kendall's W with and without the
    language that comes last, rank correlations with patching and with the amount of text.
    """
    if len(moments) < 4 or moments.shape[1] < 2 or PATCHING.name not in moments:
        return {"sy_languages": "With fewer than four languages there is no order to agree on."}
    late = str(moments.rank().mean(axis=1).idxmax())
    whole = agreement.language_concordance(moments)
    rest = agreement.language_concordance(moments.drop(index=late))
    ranks = agreement.rank_correlations(moments)[PATCHING.name].drop(PATCHING.name)
    agree = wording.either(
        rest["w"] > rest["null_high"],
        "So they agree on more than the last one.",
        "Without it no agreement on an order can be shown.",
    )
    own = wording.either(ranks.max() < 0.8, "Patching follows an order of its own. ", "")
    return {
        "sy_languages": f"Kendall's W of {whole['n_instruments']} instruments over "
        f"{whole['n_languages']} languages is {whole['w']:.2f} (dealt out anew up to "
        f"{whole['null_high']:.2f}); without {language(late).name}, which comes last, it is "
        f"{rest['w']:.2f} (up to {rest['null_high']:.2f}). {agree} {own}Its rank correlation with "
        f"the other instruments lies between {ranks.min():.2f} and {ranks.max():.2f}."
        f"{_by_amount(moments[PATCHING.name], run)} With so few languages this is a description, "
        "and no test."
    }


def _by_amount(moments: pd.Series, run: Trajectory) -> str:
    """How onsets by language follow the amount of text, where that is known."""
    shares = languages.text_shares(run).set_index("language")["token_share"]
    if not set(moments.index) <= set(shares.index):
        return ""
    found = rank_correlation(moments, shares.reindex(moments.index))
    said = wording.either(
        found < -0.5,
        ": the more text, the earlier. A concept that comes from other languages waits for the "
        "language that must say it.",
        ".",
    )
    return f" With the amount of text in the language that it writes it is {found:.2f}{said}"


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
            f"{sum(holds)} of its {len(holds)} steps hold.",
        )
    }


def labelled(ranks: pd.DataFrame) -> pd.DataFrame:
    """Correlations between instruments, in their order and under their labels."""
    names = [name for name in LABELS if name in ranks]
    return ranks.loc[names, names].rename(index=LABELS, columns=LABELS)


def counted_end(end: pd.DataFrame) -> str:
    """What the agreement rests on: instruments, language pairs, training runs."""
    pairs = len(agreement.pair_matrix(end))
    return (
        f"{end['instrument'].nunique()} instruments, {pairs} language pairs, "
        f"{wording.plural(end[SEED_COLUMN].nunique(), 'training run')}"
    )


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


def by_text(end: pd.DataFrame, run: Trajectory) -> dict[str, object]:
    """How well the amount of text alone ranks the language pairs as the instruments do: Spearman's
    correlation with the share of the rarer language in the miniature's text.
    """
    table = agreement.pair_matrix(end)
    shares = languages.text_shares(run).set_index("language")["token_share"].to_dict()
    if not len(table) or not {code for pair in table.index for code in pair} <= set(shares):
        return {"sy_text": ""}
    rarer = pd.Series([min(shares[a], shares[b]) for a, b in table.index], index=table.index)
    found = [rank_correlation(table[name], rarer) for name in table]
    return {
        "sy_text": "Agreement over pairs is cheap, though: whatever follows the amount of text of "
        "a language ranks the pairs in much the same way. The share of the rarer language in the "
        f"text alone has a rank correlation of {min(found):.2f} to {max(found):.2f} with the "
        "instruments. That instruments agree does not say that they measure sharing."
    }


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
