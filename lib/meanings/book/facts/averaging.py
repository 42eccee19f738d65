"""What the chapter Language dependence says of averaging, and how it agrees with the papers."""

from collections.abc import Mapping

import pandas as pd

from meanings.book.facts.wording import plural, resampled
from meanings.core.formatting import amount, span
from meanings.statistics.averaging import COMPARED, OWN, comparisons, over_training, rows_compared
from meanings.statistics.bootstrap import paired_difference
from meanings.statistics.languages import INPUTS
from meanings.statistics.layer_choice import at_chosen_layer
from meanings.statistics.selection import followed, last_checkpoint
from meanings.study.grid import DEFAULT_PAIRS
from meanings.validity.claims.language_dependence import (
    GEMMA_READING,
    READING,
    own_pair_rows,
    reading_chosen,
)


def averaging(found: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """By model, the other-language mean against what it is compared with, at the last checkpoint;
    see `statistics.averaging.comparisons`.
    """
    titles = {
        READING: "Miniature: mean over languages minus ...",
        GEMMA_READING: "Gemma 3 270M (4 bits), into English: same",
    }
    return {
        title: comparisons(reading_chosen(found[name]), _languages(found[name]))
        for name, title in titles.items()
        if name in found
    }


def compared_counts(tables: Mapping[str, pd.DataFrame]) -> str:
    """What each panel of the comparison rests on."""
    parts = []
    for title, table in tables.items():
        pairs = int(table["n_language_pairs"].max())
        runs = int(table["n_seeds"].max())
        model, concepts = title.partition(":")[0], int(table["n_units"].max())
        parts.append(
            f"{model}: {concepts} concepts, up to {plural(pairs, 'target pair')}, "
            f"{plural(runs, 'training seed')}"
        )
    most = max(int(table["n_seeds"].max()) for table in tables.values())
    return f"{'; '.join(parts)}; {resampled(most)}"


def averaging_over_training(table: pd.DataFrame) -> pd.DataFrame:
    """The differences at every checkpoint, in words, one row per checkpoint."""
    others = {**COMPARED, "from_en": "English"}
    rows = followed(rows_compared(table, _languages(table)))
    found = over_training(rows, list(others))
    found = found.assign(
        text=[span(row.mean, row.low, row.high) for row in found.itertuples()],
        other="minus " + found["other"].map(others),
        tokens=found["tokens"].map(amount),
    )
    order = list(dict.fromkeys(found["tokens"]))
    shown = found.pivot(index="tokens", columns="other", values="text").loc[order]
    return shown[[f"minus {label}" for label in others.values()]].rename_axis(None, axis=1)


def own_pair(found: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """The mean with all of its prompts against the target pair's own vector, where the input is not
    read well: by pair, in words.
    """
    if "miniature" not in found:
        return {"ld_own_other": "(not measured)"}
    rows = own_pair_rows(found["miniature"])
    rows = rows[~rows["input"].isin(INPUTS)]
    if rows.empty:
        return {"ld_own_other": "(not measured)"}
    by_pair = paired_difference(rows, "p_source", "seen", "tgt", ["pair"])
    return {
        "ld_own_other": " and ".join(
            f"{span(row.mean, row.low, row.high)} in {row.pair}" for row in by_pair.itertuples()
        )
    }


def _languages(table: pd.DataFrame) -> list[str]:
    """The trained languages of a table's model."""
    return str(table["seen_languages"].iloc[0]).split()


def own_pair_values(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The differences `seen` minus `tgt` of the miniature that the book shows, and what each is
    over: one row per page.

    - `found`: tables by name, with the miniature's and that of reading.
    """
    last = last_checkpoint(found["miniature"])
    between = own_pair_rows(found["miniature"])
    chosen = at_chosen_layer(
        last[last["pair"].isin(DEFAULT_PAIRS)], conditions=["seen", "tgt"]
    ).astype({"condition": str})
    cells = {
        "Emergence: the book's own pairs": (chosen, "chosen", "all"),
        "this page: trained inputs that are read well": (
            between[between["input"].isin(INPUTS)],
            "chosen",
            "all",
        ),
        "this page: all trained inputs": (between, "chosen", "all"),
        "From the miniature to a real model: all published pairs": (
            last[last["first_layer"] == 0],
            "all layers",
            "all",
        ),
    }
    rows = {
        where: _own_pair_row(table, "seen", "tgt", layer, prompts)
        for where, (table, layer, prompts) in cells.items()
    }
    if READING in found:
        rows["this page: the target pairs of reading"] = _own_pair_row(
            reading_chosen(found[READING]), "seen", OWN, "chosen", "three"
        )
    return pd.DataFrame(rows).T.rename_axis("where")


def _own_pair_row(
    table: pd.DataFrame, mean: str, own: str, layer: str, prompts: str
) -> dict[str, str]:
    row = paired_difference(table, "p_source", mean, own).iloc[0]
    return {
        "prompts in each mean": prompts,
        "first patched layer": layer,
        "pairs": f"{row['n_language_pairs']:.0f}",
        "seen - tgt": span(row["mean"], row["low"], row["high"]),
    }


WORDS = {"holds": "yes", "refuted": "no", "undecided": "not decided"}


def _better_than_one(verdict: Mapping[str, object]) -> str:
    """Whether the mean does better than one language: `in part` where it does on one model only,
    or not better than English.
    """
    better = [verdict[f"ld_averaging_{name}"] == "holds" for name in ("single", "gemma")]
    if all(better) and verdict["ld_averaging_english"] != "holds":
        return "yes"
    return "in part" if any(better) else WORDS[str(verdict["ld_averaging_single"])]


def agreements(said: Mapping[str, object]) -> list[tuple[str, str, str, str]]:
    """Rows of the table of agreement: the paper's finding, ours, whether they agree, why not.

    - `said`: of the chapter's claims, as `language_dependence.claims_of` gives it.
    """
    verdict = {name.removesuffix("_verdict"): v for name, v in said.items() if "_verdict" in name}
    writing = {
        "holds": "Writing does not depend on the language, within the stated margin.",
        "refuted": "Writing depends on the language.",
        "undecided": "Whether writing depends on the language is not decided.",
    }[verdict["ld_writing"]]
    reading = {
        "holds": "Reading depends on the language",
        "refuted": "Reading does not depend on the language",
        "undecided": "Whether reading depends on the language is not decided",
    }[verdict["ld_reading"]]
    return [
        (
            "Alignment with the shared space depends on the language (Körner et al.).",
            f"{reading}: as a share of the direct score, languages with much text lie "
            f"{said['ld_reading_value']} above those with little. {writing}",
            "in part" if verdict["ld_reading"] == "holds" else WORDS[verdict["ld_reading"]],
            "Their score by output language also contains how well the model says the word. Held "
            "against the direct score, that part is gone; the input side was not measured.",
        ),
        (
            "The mean over languages does better than one language (Dumas et al.).",
            f"Against the average single language: miniature {said['ld_averaging_single_value']}, "
            f"Gemma {said['ld_averaging_gemma_value']}. Against English: miniature "
            f"{said['ld_averaging_english_value']}.",
            _better_than_one(verdict),
            "It depends on the one language: the mean contains languages that are read badly. With "
            "two prompts on Gemma it holds two languages only.",
        ),
        (
            "Patching the mean over languages does not hurt (Dumas et al.).",
            "Against the target pair's own vector, read from languages with much text: all "
            f"prompts {said['ld_averaging_own_pair_all_value']}, three prompts "
            f"{said['ld_averaging_own_pair_value']}.",
            "in part"
            if verdict["ld_averaging_own_pair"] == verdict["ld_averaging_own_pair_all"] == "holds"
            else WORDS[verdict["ld_averaging_own_pair_all"]],
            "With few prompts it does hurt: then badly read languages weigh more in some means.",
        ),
    ]


def takeaway(said: Mapping[str, object]) -> dict[str, object]:
    """The chapter in three sentences, as its claims decide; `said` as in `agreements`."""
    writing = {
        "holds": "In all nine trained languages the patched score is about the same share of the "
        "direct score, within the stated margin",
        "refuted": "How well a shared concept is written depends on the language",
        "undecided": "Whether writing a shared concept depends on the language is not decided",
    }[str(said["ld_writing_verdict"])]
    reading = {
        "holds": "How well a word reaches that space depends on its language: those with little "
        f"text fall behind by {said['ld_reading_value']} of the direct score",
        "refuted": "How well a word reaches that space does not depend on its language",
        "undecided": "Whether reading depends on the language is not decided",
    }[str(said["ld_reading_verdict"])]
    single = {
        "holds": "exceeds a single language's vector on average "
        f"({said['ld_averaging_single_value']})",
        "refuted": "does not exceed a single language's vector on average",
        "undecided": "is not told apart from a single language's vector on average",
    }[str(said["ld_averaging_single_verdict"])]
    english = {
        "holds": "but not that of English",
        "refuted": "and is as good as that of English",
        "undecided": "and is not told apart from that of English",
    }[str(said["ld_averaging_english_verdict"])]
    return {"ld_takeaway": f"{writing}. {reading}. The mean over languages {single}, {english}."}
