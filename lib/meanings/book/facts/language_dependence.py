"""What the chapter Language dependence says."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from meanings.book.chapters import LanguageDependence
from meanings.book.facts.wording import either, interval
from meanings.statistics import bootstrap, claims, selection
from meanings.statistics import languages as language_statistics
from meanings.statistics.correlation import property_correlations, rank_correlation

MATTERS_MORE = {
    1: "where the answer is written matters more than where the prompt is read from",
    -1: "where the prompt is read from matters more than where the answer is written",
    0: "which of the two matters more cannot be told from chance",
}


def coverage(page: LanguageDependence, table: pd.DataFrame, label: str) -> dict[str, object]:
    """What the page's rows are of."""
    return {
        "ld_label": label,
        "ld_pairs": selection.described(table)["pairs"],
        "ld_outputs": selection.split_pairs(table)["output"].nunique(),
        "ld_condition": page.condition,
    }


def spreads(patched: pd.DataFrame, by_output: pd.DataFrame) -> dict[str, object]:
    """How far output languages differ, and input languages, from the best to the worst mean.

    - `patched`: rows of the page's condition; `by_output`: their means by output language.
    """
    by_input = bootstrap.interval(patched, "p_source", ["input"], n=10)
    return {
        "ld_out": f"{np.ptp(by_output['mean']):.2f}",
        "ld_in": f"{np.ptp(by_input['mean']):.2f}",
        "ld_side": MATTERS_MORE[claims.output_languages_differ_more(patched)],
    }


def properties(
    table: pd.DataFrame, patched: pd.DataFrame, titles: Mapping[str, str]
) -> dict[str, object]:
    """Which property of a language goes with its alignment, and which languages lie at the ends.

    - `table`: one row a language, alignment and properties; `titles`: the properties' names.
    """
    found = property_correlations(table, language_statistics.RANKED).set_index("name")
    rank, strongest = found["rank"], found["rank"].abs().idxmax()
    best, worst = (table.loc[table["mean"].agg(pick)] for pick in ("idxmax", "idxmin"))
    return {
        "ld_rank_share": f"{rank['share']:.2f}",
        "ld_rank_tokens": f"{rank['tokens']:.2f}",
        "ld_rank_shared": f"{rank['shared']:.2f}",
        "ld_rank_ceiling": f"{rank['ceiling']:.2f}",
        "ld_strongest": titles[strongest],
        "ld_beyond": either(
            found.loc[strongest, "p_any"] < claims.LEVEL,
            "stronger than the strongest that shuffled languages mostly give",
            "no stronger than what shuffled languages often give",
        ),
        "ld_best": best["name"],
        "ld_worst": worst["name"],
        "ld_best_value": interval(best),
        "ld_worst_value": interval(worst),
        "ld_languages": len(table),
        "ld_depends": either(
            claims.depends_on_language(patched),
            "alignment depends on the language",
            "no dependence on the language can be told from chance",
        ),
    }


def joining(onsets: pd.DataFrame, table: pd.DataFrame) -> dict[str, object]:
    """Whether languages with more text join earlier.

    - `onsets`: one row a language, in tokens, infinite where it never joins; `table`: with `share`.
    """
    found = onsets[np.isfinite(onsets["onset"])].merge(table[["language", "share"]], on="language")
    late = rank_correlation(found["share"], found["onset"]) if len(found) > 2 else 0.0
    return {
        "ld_joined": len(found),
        "ld_all": len(onsets),
        "ld_late": f"{late:.2f}",
        "ld_late_says": either(
            claims.more_text_joins_earlier(found),
            "languages with more text join earlier",
            "more text does not go with joining clearly earlier",
        ),
    }


def layers(best_layers: pd.DataFrame) -> dict[str, object]:
    """The first patched layer with the highest mean, language by language.

    - `best_layers`: `output`, `layer`, `low`, `high`.
    """
    peaks = [
        f"{row.output} {row.layer} [{row.low}, {row.high}]" for row in best_layers.itertuples()
    ]
    return {
        "ld_peaks": ", ".join(peaks),
        "ld_same": either(
            claims.best_layers_differ(best_layers),
            "a patch works best from different layers on",
            "no difference between languages can be told from chance",
        ),
    }
