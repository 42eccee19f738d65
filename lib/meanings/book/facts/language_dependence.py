"""What the chapter Language dependence says."""

from collections.abc import Collection, Mapping

import pandas as pd

from meanings.book.chapter_parameters import LanguageDependence
from meanings.book.facts.wording import either, interval
from meanings.core.errors import MeaningsError
from meanings.core.formatting import amount, span
from meanings.lexicon.languages import LANGUAGES
from meanings.lexicon.lexicon import Lexicon
from meanings.measures.results import published
from meanings.models.trajectories import Trajectory
from meanings.statistics import claims, selection
from meanings.statistics.bootstrap import interval as mean_interval
from meanings.statistics.correlation import property_correlations
from meanings.statistics.effects import Effect, Verdict, decide
from meanings.statistics.equivalence import largest_deviation, matched_ratios
from meanings.statistics.languages import words_in_common
from meanings.statistics.reading import DIRECT, PATCHED
from meanings.validity.claims.claim import Claim
from meanings.validity.claims.language_dependence import (
    CLAIMS,
    GEMMA_READING,
    MARGIN,
    READING,
    TRAINED,
    UNSEEN,
    reading_of,
)

VERDICTS = {
    "holds": "the claim holds",
    "refuted": "the claim is refuted",
    "undecided": "the data do not decide it",
}


def tables() -> dict[str, pd.DataFrame]:
    """The published tables that the chapter and its claims read, by name; those that ship."""
    found = {}
    wanted = {"condition": ["seen", "tgt", "src_unpatched"]}
    for name, where in (("miniature", wanted), (READING, None), (GEMMA_READING, None)):
        try:
            found[name] = published(name, where=where)
        except MeaningsError:  # a folder of data need not have it
            continue
    return found


def names(codes: Collection[str]) -> str:
    """Languages in words: `Welsh and Swahili`."""
    words = [LANGUAGES[code].name for code in codes]
    if len(words) < 2:
        return "".join(words) or "none"
    return f"{', '.join(words[:-1])} and {words[-1]}"


def coverage(page: LanguageDependence, table: pd.DataFrame, label: str) -> dict[str, object]:
    """What the page's rows are of."""
    return {
        "ld_label": label,
        "ld_pairs": selection.described(table)["pairs"],
        "ld_outputs": selection.split_pairs(table)["output"].nunique(),
        "ld_condition": page.condition,
        "ld_unseen": names(UNSEEN),
    }


def decided(claim: Claim, found: Mapping[str, pd.DataFrame]) -> tuple[Effect | None, Verdict]:
    """A claim's effect and verdict; none where a table that it reads does not ship."""
    if set(claim.tables) - set(found):
        return None, "undecided"
    return claim.decide({name: found[name] for name in claim.tables})


def claims_of(found: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Each claim's sentence with its number, interval, n and verdict, and the number by itself.

    Keys: `ld_` and the claim's id without its chapter, such as `ld_reading_loss`; with `_value`,
    its number and interval; with `_verdict`, `holds`, `refuted` or `undecided`.
    """
    said = {}
    for claim in CLAIMS:
        effect, verdict = decided(claim, found)
        key = "ld_" + claim.id.removeprefix("language-").replace("-", "_")
        if effect is None:
            lacking = " and ".join(claim.tables)
            said[key] = f"(Not decided here: the published table {lacking} lacks what it needs.)"
            said[f"{key}_value"] = "(not measured)"
            said[f"{key}_verdict"] = verdict
            continue
        value = span(effect.value, effect.low, effect.high)
        runs = f"{effect.n_seeds} training run{'s' * (effect.n_seeds > 1)}"
        statement = claim.statement.format(
            value=effect.value, low=effect.low, high=effect.high
        ).removesuffix(".")
        number, limits = value.split(" ", 1)
        # A statement that ends with its number is followed by the interval alone.
        lead, told = (limits, "") if statement.endswith(f" {number}") else ("", f": {value}")
        said[key] = (
            f"{' '.join(filter(None, (statement, lead)))} "
            f"({claim.unit}{told}; smallest effect {claim.smallest_effect:g}; "
            f"{effect.n_concepts} concepts, {effect.n_pairs} language "
            f"pair{'s' * (effect.n_pairs > 1)}, {runs}; {VERDICTS[verdict]})."
        )
        said |= {f"{key}_value": value, f"{key}_verdict": verdict}
    return said


def writing(ratios: pd.DataFrame, apart: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """How output languages compare with what the model says when it is asked directly.

    - `ratios`: of the trained languages, as `equivalence.matched_ratios` gives them, with
      `language`; `apart`: by unseen language, the patched rows of concepts whose words have nothing
      in common with other languages.
    """
    effect = largest_deviation(ratios)
    lowest, highest = (ratios.loc[ratios["ratio"].agg(pick)] for pick in ("idxmin", "idxmax"))
    narrowest = max(-effect.low, effect.high)
    return {
        "ld_trained": len(ratios),
        "ld_margin": f"{MARGIN:.2f}",
        "ld_narrowest": f"{narrowest:.2f}",
        "ld_equivalent": either(
            decide(effect, "within", MARGIN) == "holds",
            "all of these intervals lie within the margin",
            "not all of these intervals lie within the margin",
        ),
        "ld_ratio_low": f"{lowest['ratio']:.2f} for {LANGUAGES[lowest['language']].name}",
        "ld_ratio_high": f"{highest['ratio']:.2f} for {LANGUAGES[highest['language']].name}",
        "ld_unseen_left": _left(apart),
    }


def _left(apart: Mapping[str, pd.DataFrame]) -> str:
    parts = []
    for code, rows in apart.items():
        if rows.empty:
            continue
        row = mean_interval(rows, "p_source", n=1000).iloc[0]
        number = f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        parts.append(f"{number} for {LANGUAGES[code].name} ({int(row['n_units'])} concepts)")
    return " and ".join(parts) or "not measured for this page's pairs"


def reading(ratios: pd.DataFrame, nulls: pd.DataFrame, taught: pd.Series) -> dict[str, object]:
    """How input languages compare.

    - `ratios`: as `equivalence.matched_ratios` gives them, with `language`; `nulls`: the mean under
      a third concept, with `language`; `taught`: as `reading.taught_beside` gives it.
    """
    trained = ratios[ratios["language"].isin(TRAINED)].sort_values("ratio")
    return {
        "ld_read_low": "; ".join(_ratio(row) for _, row in trained.head(3).iterrows()),
        "ld_read_high": "; ".join(_ratio(row) for _, row in trained.tail(3)[::-1].iterrows()),
        "ld_read_null": f"{nulls['mean'].max():.3f}",
        "ld_taught": interval(taught),
        "ld_taught_cells": int(taught["n_cells"]),
        "ld_taught_says": either(
            taught["low"] > 0,
            "being taught beside the output language helps",
            either(
                taught["high"] < 0,
                "being taught beside the output language does not help; it goes with less",
                "no effect of being taught beside the output language can be told from chance",
            ),
        ),
    }


def growth(table: pd.DataFrame) -> dict[str, object]:
    """What the curves of reading over training show, in two sentences.

    - `table`: `language`, `tokens`, `mean`, `low`, `high`.
    """
    end = selection.last_checkpoint(table).set_index("language")
    best, worst = end["mean"].idxmax(), end["mean"].idxmin()
    high, low = (
        table[table["language"] == code].set_index("tokens").sort_index() for code in (best, worst)
    )
    overlap = high["low"] <= low["high"]
    if overlap.iloc[-1]:
        return {"ld_growth": "At the end of training the intervals of all languages overlap."}
    apart = overlap.index[~overlap[::-1].cummax()[::-1]][0]
    return {
        "ld_growth": f"From {amount(apart)} training tokens on, {LANGUAGES[best].name} is read "
        f"better than {LANGUAGES[worst].name}: their intervals do not overlap at any later "
        f"checkpoint. At the end P(source concept) is {interval(end.loc[best])} from "
        f"{LANGUAGES[best].name} and {interval(end.loc[worst])} from {LANGUAGES[worst].name}."
    }


def _ratio(row: pd.Series) -> str:
    number = span(row["ratio"], row["ratio_low"], row["ratio_high"])
    return f"{LANGUAGES[row['language']].name} {number}"


def saying(table: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, object]:
    """Which property of a language its reading goes with.

    - `table`: one row per trained language, with `mean` and the properties named in `titles`.
    """
    ranked = [name for name in titles if pd.api.types.is_numeric_dtype(table[name])]
    found = property_correlations(table, ranked).set_index("name")
    strongest = found["rank"].abs().idxmax()
    return {
        "ld_languages": len(table),
        "ld_ranks": ", ".join(f"{titles[name]} {found.loc[name, 'rank']:z.2f}" for name in ranked),
        "ld_strongest": titles[strongest],
        "ld_beyond": either(
            found.loc[strongest, "p_any"] < claims.LEVEL,
            "stronger than 95 % of the largest correlations under permutation",
            "not stronger than 95 % of the largest correlations under permutation",
        ),
    }


def shares(text: pd.DataFrame) -> dict[str, object]:
    """The languages' shares of the training text, in tokens and words, largest first."""
    rows = text.sort_values("token_share", ascending=False)
    return {
        "ld_shares": ", ".join(
            f"{LANGUAGES[row.language].name} {row.token_share:.0%} ({row.word_share:.0%})"
            for row in rows.itertuples()
        )
        or "not known for this model",
    }


def without_common_words(
    rows: pd.DataFrame,
    condition: str,
    codes: Collection[str],
    run: Trajectory,
    lexicon: Lexicon,
) -> dict[str, pd.DataFrame]:
    """By unseen language, the patched rows of concepts whose words have nothing in common with
    other languages.

    - `rows`: with `language`, the output.
    """
    patched = rows[rows["condition"] == condition]
    return {
        code: patched[
            (patched["language"] == code)
            & ~patched["source_concept"].isin(words_in_common(run, lexicon, code))
        ]
        for code in codes
    }


def read_by_gemma(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Matched ratios of the input languages that Gemma was measured in; no rows where its table
    does not ship.
    """
    if GEMMA_READING not in found:
        return pd.DataFrame(columns=["language", "patched", "direct", "ratio"])
    rows = reading_of(found[GEMMA_READING], list(LANGUAGES))
    return matched_ratios(rows, PATCHED, DIRECT, "language", between="what")


def gemma(ratios: pd.DataFrame) -> dict[str, object]:
    """The patched scores of Gemma by input language, highest first."""
    rows = ratios.sort_values("patched", ascending=False)
    parts = [
        f"{span(row['patched'], row['patched_low'], row['patched_high'])} from "
        f"{LANGUAGES[row['language']].name}"
        for _, row in rows.iterrows()
    ]
    if not parts:
        return {"ld_gemma_read": "not measured"}
    concepts = int(rows["n_units"].max())
    return {"ld_gemma_read": f"{', '.join(parts)} ({concepts} concepts)"}
