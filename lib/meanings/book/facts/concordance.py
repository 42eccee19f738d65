"""What the chapter *Eleven instruments, one training run* says of their agreement."""

from __future__ import annotations

import pandas as pd

from meanings.book.facts import wording
from meanings.core.errors import MeaningsError
from meanings.lexicon.languages import language
from meanings.models.trajectories import Trajectory
from meanings.statistics import agreement, languages
from meanings.statistics.correlation import rank_correlation
from meanings.statistics.instruments import INSTRUMENTS, PATCHING
from meanings.statistics.resampling import SEED_COLUMN

LABELS = {each.name: each.label for each in INSTRUMENTS}


def agreeing(end: pd.DataFrame) -> dict[str, object]:
    """Kendall's W over all pairs, and over those that never stand side by side in the text."""
    try:
        w = agreement.concordance(agreement.pair_matrix(end))
    except MeaningsError:
        return {"sy_w": "With fewer than three language pairs there is no order to agree on."}
    said = (
        f"Kendall's W of the {w['n_instruments']} instruments of sharing that rise, over "
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
        ": the more text, the earlier. A concept that comes from other languages may have to wait "
        "for the language that must say it; but most of these languages are written in one pair "
        "only, so that language and pair cannot be told apart.",
        ".",
    )
    return f" With the amount of text in the language that it writes it is {found:.2f}{said}"


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
