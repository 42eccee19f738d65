"""What the page From the miniature to a real model says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from meanings.book.facts.wording import claim, either, interval
from meanings.book.tables import instruments
from meanings.book.tables import real_model as tables
from meanings.statistics.effects import SMALLEST_EFFECT

TREEBANK_CLAIMS = (
    "cka", "retrieval", "language", "without", "units", "structure", "transfer"
)  # fmt: skip


def levels(embedded: pd.DataFrame, simlex: pd.DataFrame) -> dict[str, object]:
    """Asked directly, `seen` and null on two lexicons, all layers overwritten.

    - `embedded`, `simlex`: published means (`meanings.statistics.summaries.means`).
    """
    direct, seen, null = (
        tables.at(embedded, name) for name in ("src_unpatched", "seen", "null_concept")
    )
    other_direct, other_seen, other_null = (
        tables.at(simlex, name) for name in ("src_unpatched", "seen", "null_concept")
    )
    return {
        "rm_name": "Gemma 3 270M",
        "rm_bits": 4,
        "rm_concepts": int(seen["n_units"]),
        "rm_direct": interval(direct),
        "rm_seen": interval(seen),
        "rm_null": f"{null['mean']:.3f}",
        "rm_correct": f"{direct['correct']:.0%}",
        "rm_s_direct": interval(other_direct),
        "rm_s_seen": interval(other_seen),
        "rm_s_null": f"{other_null['mean']:.3f}",
        "rm_s_correct": f"{other_direct['correct']:.0%}",
        "rm_until": tables.last_read(embedded),
        "rm_s_until": tables.last_read(simlex),
        "rm_layers": int(embedded["first_layer"].max()) + 1,
    }


def language_pairs(embedded: pd.DataFrame, simlex: pd.DataFrame) -> dict[str, object]:
    """How many pairs and languages, and the pairs at both ends on Multi-SimLex."""
    pairs = [_pairs(table) for table in (embedded, simlex)]
    level = {pair: tables.at(simlex, "seen", pair)["mean"] for pair in pairs[1]}
    best, worst = max(level, key=level.__getitem__), min(level, key=level.__getitem__)
    return {
        "rm_languages": len({code for some in pairs for pair in some for code in pair.split("-")}),
        "rm_pairs": len(pairs[0]),
        "rm_simlex_pairs": len(pairs[1]),
        "rm_best": f"{best} ({level[best]:.2f})",
        "rm_worst": f"{worst} ({level[worst]:.2f})",
    }


def unequal_pairs(embedded: pd.DataFrame, simlex: pd.DataFrame) -> dict[str, object]:
    """How the mean over all pairs comes about: in how many pairs `seen` exceeds its null by more
    than the smallest effect, and the pairs in which it differs most from the pair's own vector.
    """
    said: dict[str, object] = {"rm_smallest": f"{SMALLEST_EFFECT:g}"}
    for short, table in (("", embedded), ("s_", simlex)):
        level = {
            name: pd.Series({pair: tables.at(table, name, pair)["mean"] for pair in _pairs(table)})
            for name in ("seen", "tgt")
        }
        own = (level["seen"] - level["tgt"]).sort_values()
        direct = tables.at(table, "seen")["mean"] / tables.at(table, "src_unpatched")["mean"]
        said |= {
            f"rm_{short}carried": "{} of {}".format(*tables.carried(table)),
            f"rm_{short}share": f"{direct:.0%}",
            f"rm_{short}own_most": f"{own.iloc[-1]:+z.2f} in {own.index[-1]}",
            f"rm_{short}own_least": f"{own.iloc[0]:+z.2f} in {own.index[0]}",
        }
    return said


def _pairs(table: pd.DataFrame) -> list[str]:
    return sorted(set(table["pair"]) - {"all"})


def beside(miniature: pd.DataFrame, embedded: pd.DataFrame) -> dict[str, object]:
    """What single vectors add to the other-language mean in the miniature, and whether the sign is
    that of the real model.
    """
    said: dict[str, object] = {}
    for key, what in (("english", "en_en - seen"), ("own", "self - seen")):
        ours, theirs = tables.at(miniature, what), tables.at(embedded, what)
        said[f"rm_mini_{key}"] = f"{interval(ours)}, {_sign(ours, theirs)}"
    return said


def _sign(ours: pd.Series, theirs: pd.Series) -> str:
    if ours["low"] <= 0 <= ours["high"]:
        return "an interval that contains zero"
    same = (ours["mean"] > 0) == (theirs["mean"] > 0)
    return either(same, "the same sign as on Gemma", "the opposite sign to Gemma")


def treebank() -> dict[str, object]:
    """The companion measures over a parallel treebank, at the middle layer where none is named."""
    found = {name: instruments.rows(each) for name, each in instruments.INSTRUMENTS.items()}
    cka, retrieval, language, units, classes, relations, *_ = found.values()
    half = instruments.middle(cka)
    by_layer = retrieval.groupby("layer")["value"].mean()
    shuffled = instruments.rows(instruments.Instrument("expert-units", "same_shuffle", "upos"))
    without = instruments.rows(instruments.Instrument("language-id", "without", "sentences"))
    return {
        "rm_t_languages": len({*cka["language_a"].astype(str), *cka["language_b"].astype(str)}),
        "rm_t_pairs": len(cka[cka["layer"] == half]),
        "rm_t_sentences": int(cka["n"].max()),
        "rm_t_middle": half,
        "rm_t_layers": int(cka["layer"].max()),
        "rm_t_cka": f"{instruments.at(cka, half):.2f}",
        "rm_t_cka_embedding": f"{instruments.at(cka, 0):.2f}",
        "rm_t_cka_first": f"{instruments.at(cka, 1):.2f}",
        "rm_t_cka_above": "{} of {}".format(*instruments.above(cka)),
        "rm_t_retrieval": f"{instruments.at(retrieval, half):.0%}",
        "rm_t_retrieval_most": f"{by_layer.max():.0%}",
        "rm_t_retrieval_layer": int(by_layer.idxmax()),
        "rm_t_retrieval_last": f"{by_layer.iloc[-1]:.0%}",
        "rm_t_retrieval_null": f"{retrieval['null'].mean():.1%}",
        "rm_t_language": f"{language['value'].min():.0%}",
        "rm_t_without": f"{instruments.at(without, half):.0%}",
        "rm_t_units": f"{instruments.at(units, half):.2f}",
        "rm_t_units_chance": f"{units['null'].mean():.2f}",
        "rm_t_units_shuffled": f"{instruments.at(shuffled, half):.2f}",
        "rm_t_classes": "{} of {}".format(*instruments.above(classes)),
        "rm_t_relations": "{} of {}".format(*instruments.above(relations)),
    }


def claims(rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The chapter's claims.

    - `rows`: of `meanings.validity.claims.catalogue`.
    """
    return {
        "rm_claim_concept": claim(rows, "real-concept"),
        "rm_claim_simlex": claim(rows, "real-concept-simlex"),
        "rm_claim_pair": claim(rows, "real-mean-and-own-pair"),
        "rm_claim_english": claim(rows, "real-english"),
        "rm_claim_own": claim(rows, "real-own-language"),
        **{f"rm_claim_t_{name}": claim(rows, f"real-treebank-{name}") for name in TREEBANK_CLAIMS},
    }
